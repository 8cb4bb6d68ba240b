"""Documents the customer brings (申请资料)."""

from __future__ import annotations

from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest


def list_required_documents(request: SupplyRequest, policy: PolicyView, *, is_low_voltage: bool) -> tuple[str, ...]:
    """Return the documents, then how they may be replaced or supplied later.

    Where the utility can obtain the proofs online, none are asked for (免证办结); what the customer signs itself is.

    Args:
        request: Its category, and what is said of its proofs.
        policy: Reads ``documents.*``.
        is_low_voltage: Connected at 220 or 380 V.
    """
    proofs = _proofs(request, policy)
    ids = []
    if request.applicant.category == "small_micro" and not is_low_voltage:
        ids.append("documents.small_micro_10kv")
    if proofs:
        ids.append("documents.notes")
    found = (policy.find(parameter_id) for parameter_id in ids)
    return (*proofs, *(text for value in found if value is not None for text in value.value))


def _proofs(request: SupplyRequest, policy: PolicyView) -> tuple[str, ...]:
    facts = request.circumstances
    if facts.proofs_are_online and policy.flag("documents.online_proofs_replace_papers"):
        return ()
    proofs = policy.texts("documents.ordinary")
    replacement = policy.find("documents.property_proof") if facts.has_property_proof is False else None
    if replacement is not None:
        proof, equivalent = replacement.value["proof"], replacement.value["equivalent"]
        return tuple(equivalent if text == proof else text for text in proofs)
    return proofs
