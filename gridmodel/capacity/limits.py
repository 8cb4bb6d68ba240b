"""Operating limits of one calculation. The numbers come from policy; this module only gives them a shape."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class VoltageBand:
    """Permitted voltage of the buses whose ``vn_kv`` lies in ``[u_nominal_kv_min, u_nominal_kv_max]``."""

    u_nominal_kv_min: float
    u_nominal_kv_max: float
    u_pu_min: float
    """Lower limit, per unit of the bus's own ``vn_kv``."""
    u_pu_max: float
    """Upper limit, per unit of the bus's own ``vn_kv``."""

    def __post_init__(self) -> None:
        if not self.u_nominal_kv_min <= self.u_nominal_kv_max:
            raise ValueError("u_nominal_kv_min must not exceed u_nominal_kv_max")
        if not 0.0 <= self.u_pu_min < self.u_pu_max:
            raise ValueError("0 <= u_pu_min < u_pu_max must hold")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Loading limits, voltage bands and the effect above which a violation off the supply path is attributed.

    A bus that no band covers has no voltage limit. Where bands overlap, the first one that covers the bus counts.
    A main transformer (主变) is one whose low-voltage side is above 1 kV.
    """

    line_loading_ratio_max: float = 0.8
    transformer_loading_ratio_max: float = 0.8
    main_transformer_loading_ratio_max: float = 0.8
    voltage_bands: tuple[VoltageBand, ...] = ()
    off_path_voltage_effect_pu: float = 0.0
    off_path_loading_effect_ratio: float = 0.0

    def __post_init__(self) -> None:
        for name in (
            "line_loading_ratio_max",
            "transformer_loading_ratio_max",
            "main_transformer_loading_ratio_max",
        ):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} must be > 0")
        for name in ("off_path_voltage_effect_pu", "off_path_loading_effect_ratio"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"{name} must be >= 0")
