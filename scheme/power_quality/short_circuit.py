"""Short-circuit currents against breaking capacity and the withstand of cables (短路校验, 热稳定校验)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gridmodel.catalogue.records import LineType, VoltageClass
from scheme.model_quality import QualityCheck
from scheme.policy.parameter import PolicyView
from scheme.power_quality.needed import ask_for


def check_breaking_capacity(
    kind: str, ik3_ka: float | None, policy: PolicyView, *, u_class: VoltageClass
) -> QualityCheck:
    """Return whether the switch at a connection point, or the customer's own, can break the short-circuit current.

    A new switch can be ordered with a higher rating of the series, which is a condition; existing switchgear cannot.

    Args:
        kind: Kind of the point, ``customer_mv`` or ``customer_lv``.
        ik3_ka: Greatest initial three-phase short-circuit current there; ``None`` = not known.
        policy: Reads ``power_quality.breaking_*``.
        u_class: Selects the series of ratings.
    """
    row = policy.row("power_quality.breaking_capacities", "kind", kind)
    is_customer = kind.startswith("customer")
    place = "客户受电点" if is_customer else "接入点"
    facts: dict[str, Any] = {
        "code": "short_circuit_customer" if is_customer else "short_circuit_point",
        "text": f"{place}三相短路电流，{row['text']}额定短路开断电流",
        "value": None if ik3_ka is None else round(ik3_ka, 4),
        "unit": "kA",
        "limit": float(row["rated_ka"]),
        "clause": policy.get("power_quality.breaking_capacities").clause,
    }
    if ik3_ka is None:
        return QualityCheck(**facts, verdict="not_known", note=ask_for("source_max", policy))
    if ik3_ka <= row["rated_ka"]:
        return QualityCheck(**facts, verdict="ok")
    if row["is_existing"]:
        return QualityCheck(
            **facts, verdict="exceeded", note="既有设备按标准额定值校核，实际额定值较高时由运维单位核实"
        )
    series = "power_quality.breaking_ladder_lv_ka" if u_class == "lv" else "power_quality.breaking_ladder_mv_ka"
    enough = (rating_ka for rating_ka in policy.numbers(series) if rating_ka >= ik3_ka)
    rating_ka = min(enough, default=None)
    remedy = "" if rating_ka is None else f"{row['text']}应选用额定短路开断电流不小于{rating_ka:g}kA的产品"
    return QualityCheck(**facts, verdict="exceeded", remedy=remedy)


def check_cable_withstand(line_type: LineType, ik3_ka: float | None, policy: PolicyView) -> QualityCheck | None:
    """Return whether the route's cable withstands the short circuit at its beginning until it is cleared.

    Low-voltage breakers limit what they let through, so there a shortfall is a condition on the breaker. Several
    cables side by side count as one: a fault in one of them has the whole current.

    Returns:
        ``None`` for overhead lines, which are not checked.
    """
    if line_type.laying != "cable":
        return None
    clearing_s = float(policy.row("power_quality.fault_clearing_times", "u_class", line_type.u_class)["clearing_s"])
    withstand_ka = cable_withstand_ka(line_type, policy)
    facts: dict[str, Any] = {
        "code": "cable_withstand",
        "text": f"电缆{line_type.label}热稳定（短路切除时间{clearing_s:g}s）",
        "value": None if ik3_ka is None else round(ik3_ka, 4),
        "unit": "kA",
        "limit": round(withstand_ka, 4),
        "clause": policy.get("power_quality.cable_withstand_factors").clause,
    }
    if ik3_ka is None:
        return QualityCheck(**facts, verdict="not_known", note=ask_for("source_max", policy))
    if ik3_ka <= withstand_ka:
        return QualityCheck(**facts, verdict="ok")
    remedy = ""
    if line_type.u_class == "lv":
        energy = withstand_ka**2 * clearing_s * 1e6
        remedy = f"电缆首端断路器的允通能量应不大于{energy:.3g}A²s"
    return QualityCheck(**facts, verdict="exceeded", remedy=remedy)


def cable_withstand_ka(line_type: LineType, policy: PolicyView) -> float:
    """Return the current a cable withstands until the fault is cleared: its 1 s rating, or K·S, over the root of t."""
    clearing_s = float(policy.row("power_quality.fault_clearing_times", "u_class", line_type.u_class)["clearing_s"])
    one_second_ka = line_type.ith_1s_ka
    if one_second_ka is None:
        row: Mapping[str, Any] = policy.row("power_quality.cable_withstand_factors", "material", line_type.material)
        one_second_ka = float(row["k_a_per_mm2"]) * line_type.section_mm2 / 1e3
    return one_second_ka / math.sqrt(clearing_s)
