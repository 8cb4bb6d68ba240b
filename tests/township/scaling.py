"""The step from 20 kV to 10 kV, on the medium-voltage network alone and before any choice.

Impedances (ohm), capacitances (nF) and percent values of transformers stay; voltages halve, powers take a quarter.
Every per-unit quantity on the base (power, voltage) then stays what it was: Z S / U^2, B U^2 / S and vk keep their
values, so the voltages per unit are the same to the last digit and every current is half of what it was.
"""

from __future__ import annotations

import copy
from typing import Any

from tests.township.source import Table


def to_lower_voltage(mv: dict[str, Table], *, u_from_kv: float, u_to_kv: float, power_ratio: float) -> dict[str, Table]:
    """Return the network with its level ``u_from_kv`` brought to ``u_to_kv`` and all powers times ``power_ratio``."""
    scaled = copy.deepcopy(mv)
    for bus in scaled["bus"].values():
        if bus["vn_kv"] == u_from_kv:
            bus["vn_kv"] = u_to_kv
    for trafo in scaled["trafo"].values():
        if trafo["vn_lv_kv"] == u_from_kv:
            trafo["vn_lv_kv"] = u_to_kv
        _multiply(trafo, ("sn_mva", "pfe_kw"), power_ratio)
    for load in scaled["load"].values():
        _multiply(load, ("p_mw", "q_mvar"), power_ratio)
    return scaled


def _multiply(row: dict[str, Any], columns: tuple[str, ...], factor: float) -> None:
    for column in columns:
        row[column] *= factor
