"""Investment boundary (投资界面): up to where the utility pays."""

from __future__ import annotations

from gridmodel.errors import InputError
from scheme.model import InvestmentBoundary, Segment
from scheme.policy.parameter import PolicyValue, PolicyView
from scheme.request import SupplyRequest


def decide_investment(request: SupplyRequest, policy: PolicyView, *, is_low_voltage: bool) -> InvestmentBoundary:
    """Return boundary, scope of both sides and the clause.

    Args:
        request: Category, business and circumstances.
        policy: Reads ``investment.*``.
        is_low_voltage: Connected at 220 or 380 V.
    """
    value = _boundary(request, policy, is_low_voltage)
    lease = policy.find("investment.temporary_transformer_lease") if _is_temporary(request) else None
    rule = policy.find("investment.point_equipment")
    rows = () if rule is None else rule.value
    return InvestmentBoundary(
        boundary=value.value["boundary"],
        utility_scope=value.value["utility_scope"],
        customer_scope=value.value["customer_scope"],
        clause=value.clause,
        offers=() if lease is None else (lease.value,),
        point_equipment=next((row["text"] for row in rows if row["category"] == request.applicant.category), ""),
        missing=("investment.point_equipment",) if rule is None else (),
    )


def utility_segments(request: SupplyRequest, policy: PolicyView, *, is_low_voltage: bool) -> frozenset[Segment]:
    """Return which parts of the connection the utility builds.

    Args:
        request: Category, business and circumstances.
        policy: Reads ``investment.*``.
        is_low_voltage: Connected at 220 or 380 V.

    Raises:
        InputError: The policy has no row for the case.
    """
    case = _boundary(request, policy, is_low_voltage).id
    voltage_class = "lv" if is_low_voltage else "mv"
    rows = policy.rows("investment.utility_segments")
    row = next((row for row in rows if (row["case"], row["voltage_class"]) == (case, voltage_class)), None)
    if row is None:
        raise InputError(
            "the policy does not say who builds the connection",
            field="investment.utility_segments",
            value=f"{case}, {voltage_class}",
            allowed="one row for each investment case and voltage class",
        )
    segments: tuple[Segment, ...] = ("point", "route", "metering")
    return frozenset(segment for segment in segments if row[segment])


def reaches_red_line(request: SupplyRequest, policy: PolicyView, *, is_low_voltage: bool) -> bool:
    """Return whether the utility invests up to the customer's planning red line (规划红线)."""
    if _is_temporary(request):
        return False
    if request.applicant.category == "small_micro":
        return _small_micro_reaches(request, policy, is_low_voltage) or (
            not is_low_voltage and _high_voltage_reaches(request, policy)
        )
    return not is_low_voltage and _high_voltage_reaches(request, policy)


def _boundary(request: SupplyRequest, policy: PolicyView, is_low_voltage: bool) -> PolicyValue:
    """Return the value that applies; a profile silent on the special case falls back to the default."""
    category = request.applicant.category
    special: PolicyValue | None = None
    if reaches_red_line(request, policy, is_low_voltage=is_low_voltage):
        return policy.get("investment.red_line")
    if not _is_temporary(request):
        if is_low_voltage and category == "resident":
            special = policy.find("investment.lv_resident")
        elif category == "residential_area" and request.circumstances.is_master_metered:
            special = policy.find("investment.residential_area_master_meter")
        elif category == "residential_area":
            special = policy.find("investment.residential_area")
        elif is_low_voltage and category in policy.texts("supply.lv_industrial_commercial_categories"):
            special = policy.find("investment.lv_industrial_commercial")
        elif not is_low_voltage:
            special = policy.find("investment.ordinary_10kv")
    return special or policy.get("investment.default")


def _is_temporary(request: SupplyRequest) -> bool:
    return request.business == "temporary" or request.applicant.category == "temporary"


def _small_micro_reaches(request: SupplyRequest, policy: PolicyView, is_low_voltage: bool) -> bool:
    if policy.find("investment.red_line") is None:
        return False
    if policy.flag("investment.small_micro_is_low_voltage_only") and not is_low_voltage:
        return False
    return request.circumstances.exclusion not in policy.texts("investment.small_micro_exclusions")


def _high_voltage_reaches(request: SupplyRequest, policy: PolicyView) -> bool:
    facts, category = request.circumstances, request.applicant.category
    if category in ("industrial_commercial", "small_micro") and facts.in_provincial_park:
        return policy.flag("investment.red_line_park")
    if category == "ev_charging":
        return policy.flag("investment.red_line_ev_charging")
    if facts.is_substitution_project and facts.substitution_share is not None:
        limit = policy.find("investment.substitution_share_min")
        return limit is not None and limit.allows(facts.substitution_share)
    return False
