"""Documents the customer brings (申请资料)."""

from __future__ import annotations

from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest


def list_required_documents(request: SupplyRequest, policy: PolicyView, *, is_low_voltage: bool) -> tuple[str, ...]:
    """Return the documents, then how they may be replaced or supplied later.

    Args:
        request: Its category.
        policy: Reads ``documents.*``.
        is_low_voltage: Connected at 220 or 380 V.
    """
    ids = ["documents.ordinary"]
    if request.applicant.category == "small_micro" and not is_low_voltage:
        ids.append("documents.small_micro_10kv")
    ids.append("documents.notes")
    return tuple(text for value in map(policy.find, ids) if value is not None for text in value.value)
