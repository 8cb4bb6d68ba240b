"""First-level screening of distorting, impact and unbalanced loads (谐波、闪变、不平衡负荷第一级评估).

Each compares the power that disturbs with the short-circuit power of the connection point, the least one where the
source's least short-circuit power is known. Where only the greatest is known, a pass is not certain and a failure is.
What the request does not say is taken at its worst: all of the capacity disturbs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from gridmodel.catalogue.records import VoltageClass
from scheme.model_quality import PermittedHarmonic, QualityCheck, QualityVerdict
from scheme.policy.parameter import PolicyView
from scheme.power_quality.needed import ask_for
from scheme.request import Demand


@dataclass(frozen=True, slots=True, kw_only=True)
class PointStrength:
    """How stiff a connection point is."""

    u_class: VoltageClass
    sk_max_mva: float | None
    sk_min_mva: float | None
    transformer_kva: float | None
    """Rating of the transformer that feeds the point; ``None`` = there is none."""

    @property
    def sk_mva(self) -> float | None:
        """The least short-circuit power known."""
        return self.sk_max_mva if self.sk_min_mva is None else self.sk_min_mva


def check_harmonics(demand: Demand, capacity_kva: float, point: PointStrength, policy: PolicyView) -> QualityCheck:
    """Return whether the distorting load passes the first level."""
    limit = policy.get("power_quality.harmonic_first_level_ratio_max")
    power_kva = demand.nonlinear_kva or capacity_kva
    return _screen(
        "harmonics",
        f"非线性负荷{power_kva:g}kVA与接入点短路容量之比（第一级评估）",
        power_kva,
        point,
        limit=float(limit.value),
        clause=limit.clause,
        needed="nonlinear",
        policy=policy,
    )


def list_permitted_harmonics(
    capacity_kva: float, point: PointStrength, policy: PolicyView
) -> tuple[PermittedHarmonic, ...]:
    """Return the harmonic currents the customer may feed in; empty where the point's strength is not known.

    The standard's current, times short-circuit power over its reference, times the customer's part of the supplying
    transformer's rating to the power 1/alpha.
    """
    if point.sk_mva is None or point.transformer_kva is None:
        return ()
    base_mva = float(policy.row("power_quality.harmonic_base_powers", "u_class", point.u_class)["base_mva"])
    exponents = {
        row["order"]: float(row["exponent"]) for row in policy.rows("power_quality.harmonic_sharing_exponents")
    }
    other = policy.number("power_quality.harmonic_sharing_exponent_other")
    share = min(capacity_kva / point.transformer_kva, 1.0)
    return tuple(
        PermittedHarmonic(
            order=row["order"],
            permitted_a=round(
                row[f"{point.u_class}_a"]
                * point.sk_mva
                / base_mva
                * share ** (1.0 / exponents.get(row["order"], other)),
                3,
            ),
        )
        for row in policy.rows("power_quality.harmonic_currents")
    )


def check_harmonic_currents(
    demand: Demand, permitted: tuple[PermittedHarmonic, ...], point: PointStrength, policy: PolicyView
) -> QualityCheck | None:
    """Return whether the currents the request names are permitted; ``None`` where it names none or no limit is known.

    The value is the worst current over what is permitted.
    """
    limits = {row.order: row.permitted_a for row in permitted}
    if demand.harmonic_currents is None or not limits:
        return None
    worst = max(
        demand.harmonic_currents, key=lambda current: (current.current_a / limits[current.order], current.order)
    )
    ratio = round(worst.current_a / limits[worst.order], 9)
    is_certain = ratio > 1.0 or point.sk_min_mva is not None
    return QualityCheck(
        code="harmonic_currents",
        text=f"谐波电流与允许值之比，最大者为{worst.order}次",
        value=round(ratio, 6),
        unit="ratio",
        limit=1.0,
        verdict=("ok" if ratio <= 1.0 else "exceeded") if is_certain else "not_known",
        clause=policy.get("power_quality.harmonic_currents").clause,
        note="" if is_certain else ask_for("source_min", policy),
        remedy="" if ratio <= 1.0 else f"应装设滤波装置，{worst.order}次谐波电流不超过{limits[worst.order]:g}A",
    )


def check_flicker(demand: Demand, capacity_kva: float, point: PointStrength, policy: PolicyView) -> QualityCheck:
    """Return whether the impact load passes the first level; changes nobody counted are the most frequent."""
    rows = policy.rows("power_quality.flicker_first_level")
    changes = math.inf if demand.changes_per_minute is None else demand.changes_per_minute
    row = next(r for r in rows if r["changes_per_minute_below"] is None or changes < r["changes_per_minute_below"])
    power_kva = demand.load_change_kva or capacity_kva
    return _screen(
        "flicker",
        f"冲击负荷变动量{power_kva:g}kVA与接入点短路容量之比（第一级评估）",
        power_kva,
        point,
        limit=float(row["ratio_max"]),
        clause=policy.get("power_quality.flicker_first_level").clause,
        needed="impact",
        policy=policy,
    )


def check_unbalanced_load(
    demand: Demand, capacity_kva: float, point: PointStrength, policy: PolicyView
) -> QualityCheck:
    """Return whether a three-phase customer's single-phase load keeps the share of one customer.

    The negative-sequence voltage of a single-phase load is its power over the short-circuit power.
    """
    limit = policy.get("power_quality.unbalance_customer_ratio_max")
    power_kva = demand.unbalanced_kva or capacity_kva
    return _screen(
        "unbalanced_load",
        f"单相负荷{power_kva:g}kVA引起的负序电压不平衡度（第一级评估）",
        power_kva,
        point,
        limit=float(limit.value),
        clause=limit.clause,
        needed="unbalanced",
        policy=policy,
    )


def _screen(
    code: str,
    text: str,
    power_kva: float,
    point: PointStrength,
    *,
    limit: float,
    clause: str,
    needed: str,
    policy: PolicyView,
) -> QualityCheck:
    facts: dict[str, Any] = {"code": code, "text": text, "unit": "ratio", "limit": limit, "clause": clause}
    if point.sk_mva is None:
        return QualityCheck(**facts, value=None, verdict="not_known", note=ask_for("source_max", policy))
    ratio = round(power_kva / 1e3 / point.sk_mva, 9)
    verdict: QualityVerdict = "ok" if ratio <= limit else "needs_study"
    note = "" if verdict == "ok" else ask_for(needed, policy)
    if verdict == "ok" and point.sk_min_mva is None:
        verdict, note = "not_known", "按最大短路容量合格；" + ask_for("source_min", policy)
    return QualityCheck(**facts, value=round(ratio, 6), verdict=verdict, note=note)
