"""What is inspected before energising (竣工检验范围)."""

from __future__ import annotations

from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest

_IMPORTANT = ("special", "first", "second", "temporary")


def list_inspection_scope(request: SupplyRequest, policy: PolicyView, *, is_low_voltage: bool) -> tuple[str, ...]:
    """Return the items of the inspection, and what is never reviewed.

    Args:
        request: Importance and circumstances.
        policy: Reads ``inspection.*``.
        is_low_voltage: Connected at 220 or 380 V.
    """
    if is_low_voltage and policy.find("inspection.lv") is not None:
        return policy.texts("inspection.lv")
    facts = request.circumstances
    items = list(policy.texts("inspection.asset_transfer" if facts.transfers_assets else "inspection.ordinary"))
    if request.applicant.importance in _IMPORTANT:
        items += policy.texts("inspection.important")
    if facts.special_loads:
        items += policy.texts("inspection.special_loads")
    items += policy.texts("inspection.exclusions")
    return tuple(dict.fromkeys(items))
