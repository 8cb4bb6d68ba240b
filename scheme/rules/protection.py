"""Protection of the incomer and switch at the boundary (进线保护, 分界开关)."""

from __future__ import annotations

from typing import Literal

from scheme.model import PointKind, Protection
from scheme.policy.parameter import PolicyView
from scheme.rules.voltage_level import SupplyDecision


def plan_protection(
    supply: SupplyDecision, policy: PolicyView, *, point_kind: PointKind, laying: Literal["overhead", "cable"]
) -> Protection:
    """Return incomer protection and boundary switch.

    Args:
        supply: An answered decision.
        policy: Reads ``protection.*``.
        point_kind: Kind of the connection point.
        laying: How the customer's line enters.
    """
    incoming = policy.get("protection.incoming_texts").value
    boundary_switch = policy.row("protection.boundary_switches", "kind", point_kind)["text"]
    if supply.transformer_kva is None:
        return Protection(incoming=incoming["lv"], boundary_switch=boundary_switch, notes=())
    return Protection(
        incoming=incoming[_incoming_code(supply.transformer_kva, laying, policy)],
        boundary_switch=boundary_switch,
        notes=_notes(supply.transformer_kva, policy),
    )


def _incoming_code(transformer_kva: float, laying: str, policy: PolicyView) -> str:
    if policy.get("protection.fuse_kva_max").allows(transformer_kva):
        return "fuse_overhead" if laying == "overhead" else "fuse_cable"
    if policy.get("protection.load_switch_fuse_kva_max").allows(transformer_kva):
        return "load_switch_fuse"
    return "breaker"


def _notes(transformer_kva: float, policy: PolicyView) -> tuple[str, ...]:
    texts = policy.get("protection.notes").value
    notes = [texts["grading"]]
    if policy.get("protection.gas_relay_kva_min").allows(transformer_kva):
        notes.append(texts["gas"].format(sn_kva=transformer_kva))
    elif policy.get("protection.gas_relay_indoor_kva_min").allows(transformer_kva):
        notes.append(texts["gas_indoor"])
    return tuple(notes)
