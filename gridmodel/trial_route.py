"""The customer's route line as the load flow sees it, and the voltage at its end in closed form.

A single-phase route (220 V) is modelled by its balanced equivalent: six times the impedance and a third of the rating
give the voltage drop, losses and loading of a phase and a neutral conductor of the same section.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gridmodel.catalogue.records import LineType

_SINGLE_PHASE_IMPEDANCE_RATIO = 6.0
_SINGLE_PHASE_RATING_RATIO = 1.0 / 3.0
_KW_PER_MW = 1e3


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRoute:
    """One or more equal lines side by side."""

    line_type: LineType
    length_km: float
    parallel: int = 1
    is_single_phase: bool = False

    @property
    def r_ohm_per_km(self) -> float:
        """Resistance of one line at 20 degrees Celsius."""
        return self.line_type.r20_ohm_per_km * self._stretch

    @property
    def x_ohm_per_km(self) -> float:
        """Reactance of one line."""
        return self.line_type.x_ohm_per_km * self._stretch

    @property
    def rating_ka(self) -> float:
        """Permitted current of one line."""
        return self.line_type.rating_a * (_SINGLE_PHASE_RATING_RATIO if self.is_single_phase else 1.0) / 1e3

    @property
    def _stretch(self) -> float:
        return _SINGLE_PHASE_IMPEDANCE_RATIO if self.is_single_phase else 1.0

    def end_voltage_pu(self, u_pu: float, *, u_nominal_kv: float, p_kw: float, q_kvar: float, f_hz: float) -> float:
        """Return the voltage at the customer when the line is fed at ``u_pu`` (both per unit of ``u_nominal_kv``).

        Closed form of a pi line with a constant-power load: with ``A = 1 + Z Y / 2`` the larger root ``x = U2^2`` of
        ``|A|^2 x^2 + (2 Re(conj(A) Z conj(S)) - U1^2) x + |Z|^2 |S|^2 = 0``.

        Returns:
            0 where the line cannot carry the load at all.
        """
        z_ohm = complex(self.r_ohm_per_km, self.x_ohm_per_km) * self.length_km / self.parallel
        y_s = 2j * math.pi * f_hz * self.line_type.c_nf_per_km * 1e-9 * self.length_km * self.parallel
        s_mva = complex(p_kw, q_kvar) / _KW_PER_MW
        a = 1.0 + z_ohm * y_s / 2.0
        linear = 2.0 * (a.conjugate() * z_ohm * s_mva.conjugate()).real - (u_pu * u_nominal_kv) ** 2
        square = linear**2 - 4.0 * abs(a) ** 2 * abs(z_ohm) ** 2 * abs(s_mva) ** 2
        if linear >= 0.0 or square < 0.0:
            return 0.0
        return math.sqrt((math.sqrt(square) - linear) / (2.0 * abs(a) ** 2)) / u_nominal_kv
