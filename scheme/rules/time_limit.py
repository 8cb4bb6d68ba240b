"""Time limit of the whole process (办电时限). The more specific clause governs, see decision 0002."""

from __future__ import annotations

from dataclasses import dataclass

from scheme.policy.parameter import PolicyValue, PolicyView
from scheme.request import SupplyRequest
from scheme.rules.steps import IMPORTANT_GRADES, has_reviews
from scheme.rules.supply_structure import find_structure_demand


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimit:
    """Working days from acceptance; 0 is the same day."""

    workdays: int
    clause: str
    supporting_works_are_added: bool
    """The construction time of supporting works (配套工程) comes on top."""


def find_time_limit(
    request: SupplyRequest, policy: PolicyView, *, is_low_voltage: bool, has_supporting_works: bool
) -> TimeLimit:
    """Return the limit of the whole process.

    Args:
        request: Category, importance and circumstances.
        policy: Reads ``time_limit.*``.
        is_low_voltage: Connected at 220 or 380 V.
        has_supporting_works: The utility builds something first.
    """
    if request.applicant.category == "small_micro" and _small_micro_has_own(policy, is_low_voltage):
        return _plain(policy.get("time_limit.small_micro_workdays_max"))
    if is_low_voltage:
        return _plain(_low_voltage(request, policy, has_supporting_works))
    limit = _high_voltage(request, policy)
    return TimeLimit(
        workdays=int(limit.value) + _added_workdays(request, limit, policy),
        clause=limit.clause,
        supporting_works_are_added=has_supporting_works and policy.flag("time_limit.hv_supporting_works_are_added"),
    )


def _plain(limit: PolicyValue) -> TimeLimit:
    return TimeLimit(workdays=int(limit.value), clause=limit.clause, supporting_works_are_added=False)


def _small_micro_has_own(policy: PolicyView, is_low_voltage: bool) -> bool:
    return is_low_voltage or not policy.flag("time_limit.small_micro_is_low_voltage_only")


def _low_voltage(request: SupplyRequest, policy: PolicyView, has_supporting_works: bool) -> PolicyValue:
    if has_supporting_works:
        return policy.get("time_limit.lv_with_works_workdays_max")
    if request.circumstances.can_meter_directly is False:
        later = policy.find("time_limit.lv_not_directly_meterable_workdays_max")
        if later is not None:
            return later
    return policy.get("time_limit.lv_without_works_workdays_max")


def _high_voltage(request: SupplyRequest, policy: PolicyView) -> PolicyValue:
    special = None
    if request.applicant.importance in IMPORTANT_GRADES:
        special = policy.find("time_limit.hv_important_workdays_max")
    if special is None and find_structure_demand(request, policy).relation == "dual_source":
        special = policy.find("time_limit.hv_dual_source_workdays_max")
    if special is not None:
        return special
    return policy.get("time_limit.hv_workdays_max")


def _added_workdays(request: SupplyRequest, limit: PolicyValue, policy: PolicyView) -> int:
    """Return the time of design review and mid inspection; the limit of important users holds them already."""
    if limit.id == "time_limit.hv_important_workdays_max" or not has_reviews(request, policy, is_low_voltage=False):
        return 0
    added = [policy.find("time_limit.design_review_workdays"), policy.find("time_limit.mid_inspection_workdays")]
    return sum(int(value.value) for value in added if value is not None)
