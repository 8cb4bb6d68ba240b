"""Steps of the procedure (办电环节)."""

from __future__ import annotations

from scheme.model import Step
from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest
from scheme.rules.investment import reaches_red_line

IMPORTANT_GRADES = ("special", "first", "second", "temporary")
"""Grades of important users (重要用户)."""


def list_steps(request: SupplyRequest, policy: PolicyView, *, is_low_voltage: bool) -> tuple[Step, ...]:
    """Return the steps the customer goes through.

    Args:
        request: Category, business and circumstances.
        policy: Reads ``steps.*`` (and ``investment.*`` where the red-line boundary shortens the procedure).
        is_low_voltage: Connected at 220 or 380 V.
    """
    names = _low_voltage(request, policy) if is_low_voltage else _high_voltage(request, policy)
    return tuple(Step(no=no, name=name) for no, name in enumerate(names, start=1))


def has_external_works(request: SupplyRequest, policy: PolicyView, *, is_low_voltage: bool) -> bool:
    """Return whether the customer builds works of his own (客户外部工程) before supply can begin.

    Args:
        request: Category, business and circumstances.
        policy: As for :func:`list_steps`.
        is_low_voltage: Connected at 220 or 380 V; then everything up to the meter is the utility's.
    """
    return not is_low_voltage and not _spares_external_works(request, policy)


def has_reviews(request: SupplyRequest, policy: PolicyView, *, is_low_voltage: bool) -> bool:
    """Return whether design review (设计审查) and mid inspection (中间检查) are held; never at low voltage.

    Args:
        request: Importance and circumstances.
        policy: Reads ``steps.review_circumstances``; a profile without it holds none.
        is_low_voltage: Connected at 220 or 380 V.
    """
    value = policy.find("steps.review_circumstances")
    if is_low_voltage or value is None:
        return False
    holds = {
        "important": request.applicant.importance in IMPORTANT_GRADES,
        "transfers_assets": bool(request.circumstances.transfers_assets),
    }
    return any(holds[name] for name in value.value)


def _low_voltage(request: SupplyRequest, policy: PolicyView) -> tuple[str, ...]:
    category = request.applicant.category
    if category == "small_micro" and request.circumstances.is_proactive:
        return policy.texts("steps.lv_small_micro_proactive")
    if category in ("resident", "small_micro"):
        return policy.texts("steps.lv_resident_or_small_micro")
    return policy.texts("steps.lv_general")


def _high_voltage(request: SupplyRequest, policy: PolicyView) -> tuple[str, ...]:
    if _spares_external_works(request, policy):
        return policy.texts("steps.hv_without_external_works")
    if request.circumstances.is_proactive and policy.find("steps.hv_proactive") is not None:
        return policy.texts("steps.hv_proactive")
    return policy.texts("steps.hv_general")


def _spares_external_works(request: SupplyRequest, policy: PolicyView) -> bool:
    facts = request.circumstances
    if request.business == "increase" and facts.has_external_works is False:
        return True
    if not reaches_red_line(request, policy, is_low_voltage=False):
        return False
    return bool(facts.in_provincial_park) or not policy.flag("steps.red_line_needs_provincial_park")
