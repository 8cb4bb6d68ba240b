"""Steps of the procedure (办电环节)."""

from __future__ import annotations

from scheme.model import Step
from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest
from scheme.rules.investment import reaches_red_line


def list_steps(request: SupplyRequest, policy: PolicyView, *, is_low_voltage: bool) -> tuple[Step, ...]:
    """Return the steps the customer goes through.

    Args:
        request: Category, business and circumstances.
        policy: Reads ``steps.*`` (and ``investment.*`` where the red-line boundary shortens the procedure).
        is_low_voltage: Connected at 220 or 380 V.
    """
    names = _low_voltage(request, policy) if is_low_voltage else _high_voltage(request, policy)
    return tuple(Step(no=no, name=name) for no, name in enumerate(names, start=1))


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
