"""Phase proposal (接入相建议) and voltage unbalance of single-phase customers against the limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gridmodel.unbalance import PHASES, Phase, PhaseImpact
from scheme.model_quality import PhaseChoice, QualityCheck
from scheme.policy.parameter import PolicyView
from scheme.power_quality.needed import ask_for


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseFindings:
    """What the three-phase load flow says of a single-phase customer."""

    checks: tuple[QualityCheck, ...]
    proposed_phase: Phase | None
    phases: tuple[PhaseChoice, ...]


def judge_phases(
    impacts: Sequence[PhaseImpact | None],
    load_kw_by_phase: tuple[float, float, float] | None,
    policy: PolicyView,
) -> PhaseFindings:
    """Return the phase with the least load and the unbalance there against the limits.

    Where no load tells its phase nothing can be proposed: the loads count as balanced, every phase is alike, and what
    is judged is the customer's own share.

    Args:
        impacts: One for each phase, in order; empty where the area cannot be modelled, ``None`` without a solution.
        load_kw_by_phase: Loads of the transformer area; ``None`` where no load tells its phase.
        policy: Reads ``power_quality.unbalance_*`` and ``power_quality.data_needed``.
    """
    found = [impact for impact in impacts if impact is not None]
    if len(found) < len(PHASES):
        return PhaseFindings(checks=_not_known(policy), proposed_phase=None, phases=())
    loads_kw: Sequence[float | None] = load_kw_by_phase or (None, None, None)
    phases = tuple(
        PhaseChoice(
            phase=impact.phase,
            unbalance_ratio=round(impact.unbalance_ratio, 6),
            added_unbalance_ratio=round(impact.added_unbalance_ratio, 6),
            load_kw=None if load_kw is None else round(load_kw, 3),
        )
        for impact, load_kw in zip(found, loads_kw, strict=True)
    )
    if load_kw_by_phase is None:
        note = ask_for("phases", policy)
        return PhaseFindings(checks=(_customer_share(phases[0], policy, note),), proposed_phase=None, phases=phases)
    chosen = min(phases, key=lambda choice: (choice.load_kw or 0.0, choice.phase))
    note = f"建议接入{chosen.phase}相（台区负荷最小相）"
    checks = (_customer_share(chosen, policy, note), _total(chosen, policy))
    return PhaseFindings(checks=checks, proposed_phase=chosen.phase, phases=phases)


def _customer_share(choice: PhaseChoice, policy: PolicyView, note: str) -> QualityCheck:
    limit = policy.get("power_quality.unbalance_customer_ratio_max")
    is_kept = limit.allows(choice.added_unbalance_ratio)
    return QualityCheck(
        **_facts("phase_unbalance_customer", "单相接入引起的电压不平衡度", limit.value, limit.clause),
        value=choice.added_unbalance_ratio,
        verdict="ok" if is_kept else "exceeded",
        note=note,
        remedy="" if is_kept else "应改为三相供电或由更近配变的低压线路供电",
    )


def _total(choice: PhaseChoice, policy: PolicyView) -> QualityCheck:
    limit = policy.get("power_quality.unbalance_total_ratio_max")
    is_kept = limit.allows(choice.unbalance_ratio)
    return QualityCheck(
        **_facts("phase_unbalance_total", "接入后接入点电压不平衡度", limit.value, limit.clause),
        value=choice.unbalance_ratio,
        verdict="ok" if is_kept else "exceeded",
        remedy="" if is_kept else "应先调整台区三相负荷分配",
    )


def _not_known(policy: PolicyView) -> tuple[QualityCheck, ...]:
    limit = policy.get("power_quality.unbalance_customer_ratio_max")
    facts = _facts("phase_unbalance_customer", "单相接入引起的电压不平衡度", limit.value, limit.clause)
    note = ask_for("area", policy)
    return (QualityCheck(**facts, value=None, verdict="not_known", note=note),)


def _facts(code: str, text: str, limit: float, clause: str) -> dict[str, Any]:
    return {"code": code, "text": text, "unit": "ratio", "limit": float(limit), "clause": clause}
