"""Plausibility of a catalogue row, by physics: wrong units and slipped digits must not reach a calculation.

Each function returns what is wrong, or ``None``. The bounds are wide: they catch a fault of unit or decimal point, not
a poor transformer.
"""

from __future__ import annotations

import math
from dataclasses import fields

from gridmodel.catalogue.records import LineType, TransformerType, UnitCost

_RESISTIVITY_OHM_MM2_PER_KM = {"copper": 17.241, "aluminium": 28.264, "aluminium_steel": 28.264}
"""At 20 degC. Source: IEC 60028 (copper), IEC 60889 (aluminium)."""

_RESISTANCE_RATIO_MIN, _RESISTANCE_RATIO_MAX = 0.95, 1.20
"""Resistance against resistivity over nominal section: stranding and rounded sections explain this much."""

_VK_PERCENT_MIN, _VK_PERCENT_MAX = 3.0, 15.0
_VKR_AGREEMENT_PERCENT = 0.01
_CURRENT_AGREEMENT_RATIO = 0.01


def check_line_type(line: LineType) -> str | None:
    """Return what is implausible about a conductor type, or ``None``."""
    problem = _check_numbers(line)
    if problem is not None:
        return problem
    for name in ("section_mm2", "r20_ohm_per_km", "x_ohm_per_km", "c_nf_per_km", "rating_a", "alpha_per_k"):
        if not getattr(line, name) > 0.0:
            return f"{name} must be > 0"
    ratio = line.r20_ohm_per_km * line.section_mm2 / _RESISTIVITY_OHM_MM2_PER_KM[line.material]
    if not _RESISTANCE_RATIO_MIN <= ratio <= _RESISTANCE_RATIO_MAX:
        return f"r20_ohm_per_km is {ratio:.2f} of resistivity over section"
    if line.r_operating_ohm_per_km < line.r20_ohm_per_km:
        return "r_operating_ohm_per_km is below r20_ohm_per_km"
    basis = line.rating_air_40c_a if line.rating_basis == "air_40c" else line.rating_buried_25c_a
    if basis != line.rating_a:
        return f"rating_a is not the rating of its basis {line.rating_basis}"
    return None


def check_transformer_type(transformer: TransformerType) -> str | None:
    """Return what is implausible about a transformer type, or ``None``."""
    problem = _check_numbers(transformer)
    if problem is not None:
        return problem
    t = transformer
    if not (t.sn_kva > 0.0 and t.p0_kw > 0.0 and t.pk_kw > 0.0 and t.i0_percent > 0.0):
        return "sn_kva, p0_kw, pk_kw and i0_percent must be > 0"
    if not t.u_hv_kv > t.u_lv_kv > 0.0:
        return "u_hv_kv > u_lv_kv > 0 must hold"
    if not _VK_PERCENT_MIN <= t.vk_percent <= _VK_PERCENT_MAX:
        return f"vk_percent must lie in {_VK_PERCENT_MIN:g} to {_VK_PERCENT_MAX:g}"
    if not 0.0 < t.vkr_percent <= t.vk_percent:
        return "0 < vkr_percent <= vk_percent must hold"
    if abs(t.pk_kw / t.sn_kva * 100.0 - t.vkr_percent) > _VKR_AGREEMENT_PERCENT:
        return "vkr_percent does not agree with pk_kw / sn_kva"
    if t.i0_percent / 100.0 * t.sn_kva < t.p0_kw:
        return "no-load apparent power is below the no-load loss"
    if not t.tap_min <= t.tap_neutral <= t.tap_max or not t.tap_step_percent > 0.0:
        return "tap_min <= tap_neutral <= tap_max and tap_step_percent > 0 must hold"
    for current_a, u_kv in ((t.in_hv_a, t.u_hv_kv), (t.in_lv_a, t.u_lv_kv)):
        expected_a = t.sn_kva / (math.sqrt(3.0) * u_kv)
        if abs(current_a / expected_a - 1.0) > _CURRENT_AGREEMENT_RATIO:
            return f"rated current {current_a:g} A should be {expected_a:.2f} A"
    return None


def check_unit_cost(cost: UnitCost) -> str | None:
    """Return what is implausible about a unit cost, or ``None``."""
    problem = _check_numbers(cost)
    if problem is not None:
        return problem
    if not 0.0 < cost.low_cny10k <= cost.typical_cny10k <= cost.high_cny10k:
        return "0 < low_cny10k <= typical_cny10k <= high_cny10k must hold"
    return None


def _check_numbers(record: LineType | TransformerType | UnitCost) -> str | None:
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, float) and not math.isfinite(value):
            return f"{field.name} is not a finite number"
    return None
