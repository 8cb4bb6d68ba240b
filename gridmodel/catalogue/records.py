"""What the equipment catalogue (设备目录) holds: one frozen record per row, unit last in every name.

``None`` means the source gives no value; it is never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Laying = Literal["overhead", "cable"]
VoltageClass = Literal["mv", "lv"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineType:
    """A conductor or cable type (导线, 电缆), positive sequence."""

    type_id: str
    label: str
    """How documents print it, for example ``YJV22-8.7/15-3×240``."""
    series: str
    laying: Laying
    u_class: VoltageClass
    """``mv`` for 10 kV, ``lv`` for 380/220 V."""
    material: Literal["copper", "aluminium", "aluminium_steel"]
    section_mm2: float
    r20_ohm_per_km: float
    """Resistance at 20 degC, the one the model uses."""
    alpha_per_k: float
    r_operating_ohm_per_km: float
    """Alternating-current resistance at ``operating_temperature_c``."""
    operating_temperature_c: float
    x_ohm_per_km: float
    """Reactance the model uses; for 10 kV cables of the 8.7/15 kV design."""
    x_6_10_kv_ohm_per_km: float | None
    c_nf_per_km: float
    """Capacitance the model uses; for 10 kV cables of the 8.7/15 kV design."""
    c_6_10_kv_nf_per_km: float | None
    rating_a: float
    """Continuous rating the model uses, under the conditions of ``rating_basis``."""
    rating_basis: Literal["air_40c", "buried_25c"]
    """``air_40c``: air at 40 degC. ``buried_25c``: direct buried, soil 25 degC and 2.0 K·m/W."""
    rating_air_40c_a: float | None
    rating_air_35c_a: float | None
    rating_reference_a: float | None
    """Rating of the source table, in air at ``reference_ambient_c``."""
    reference_ambient_c: float | None
    rating_buried_25c_a: float | None
    rating_duct_a: float | None
    ith_1s_ka: float | None
    """Short-time withstand current for 1 s."""
    r0_ohm_per_km: float | None
    x0_ohm_per_km: float | None
    diameter_mm: float | None
    gmd_m: float | None
    """Geometric mean distance of the phases."""
    neutral: str | None
    source: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerType:
    """A 10/0.4 kV distribution transformer type (配电变压器)."""

    type_id: str
    series: str
    efficiency_grade: str
    cooling: str
    sn_kva: float
    u_hv_kv: float
    u_lv_kv: float
    vector_group: str
    shift_deg: float
    """Angle by which the low-voltage side lags (330 for Dyn11)."""
    vk_percent: float
    vkr_percent: float
    """Resistive part of ``vk_percent``: ``pk_kw / sn_kva`` in percent."""
    pk_kw: float
    """Load loss at rated current, connection ``vector_group``."""
    pk_yyn0_kw: float | None
    p0_kw: float
    """No-load loss."""
    i0_percent: float
    in_hv_a: float
    in_lv_a: float
    tap_side: Literal["hv", "lv"]
    tap_min: int
    tap_neutral: int
    tap_max: int
    tap_step_percent: float
    source: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCost:
    """What one unit of work costs (造价指标), in 10,000 CNY (万元)."""

    code: str
    item_zh: str
    item: str
    unit: str
    low_cny10k: float
    typical_cny10k: float
    high_cny10k: float
    price_basis: str
    scope: str
    source: str
    confidence: str
