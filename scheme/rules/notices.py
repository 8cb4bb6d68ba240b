"""Notices to the customer (告知事项)."""

from __future__ import annotations

from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest


def list_notices(request: SupplyRequest, policy: PolicyView, *, is_low_voltage: bool) -> tuple[str, ...]:
    """Return the notices a scheme prints.

    Args:
        request: Category, importance and circumstances.
        policy: Reads ``notices.*``.
        is_low_voltage: Connected at 220 or 380 V.
    """
    facts = request.circumstances
    ids = ["notices.common", "notices.lv" if is_low_voltage else "notices.hv"]
    is_ordinary = request.applicant.importance == "ordinary" and not facts.transfers_assets
    if not is_low_voltage and is_ordinary:
        ids.append("notices.hv_no_review")
    if request.applicant.category == "residential_area":
        ids.append("notices.residential_area")
    if facts.special_loads:
        ids.append("notices.special_loads")
    return tuple(text for value in map(policy.find, ids) if value is not None for text in value.value)
