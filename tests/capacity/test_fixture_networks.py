"""At sampled nodes of the fixture networks plain pandapower holds at the capacity and breaks one step above it.

The judge is ``independent_check``, a second reading of the contract that shares no code with the product.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gridmodel import Limits, VoltageBand, open_capacity
from gridmodel.readers.select import read_source
from tests.capacity.independent_check import check_row
from tests.conftest import FIXTURES

# 80 % loading; +-7 % of 10 or 20 kV, and of 380 V on 0.4 kV buses (0.93 * 380 / 400 = 0.8835); thresholds of the rules.
LIMITS = Limits(
    voltage_bands=(
        VoltageBand(u_nominal_kv_min=0.3, u_nominal_kv_max=0.5, u_pu_min=0.8835, u_pu_max=1.0165),
        VoltageBand(u_nominal_kv_min=6.0, u_nominal_kv_max=21.0, u_pu_min=0.93, u_pu_max=1.07),
    ),
    off_path_voltage_effect_pu=0.005,
    off_path_loading_effect_ratio=0.01,
)
LITERAL = Limits(voltage_bands=LIMITS.voltage_bands)
POWER_FACTOR = 0.95
SOURCES = {
    "township": ("township", 8),
    "Oberrhein 20 kV": ("pandapower/oberrhein_schutterwald/mv_oberrhein_load.json", 12),
    "Oberrhein 20 kV, generation": ("pandapower/oberrhein_schutterwald/mv_oberrhein_generation.json", 12),
    "Schutterwald 0.4 kV": ("pandapower/oberrhein_schutterwald/lv_schutterwald.json", 6),
    "SimBench 10 kV": ("pandapower/simbench_10kv_urban/1-MV-urban--0-sw.json", 12),
}


def sampled_buses(net: Any, count: int) -> list[int]:
    """Return buses below 35 kV, drawn with a fixed seed."""
    buses = net.bus.index[(net.bus.vn_kv < 35.0) & net.bus.in_service].to_numpy()
    return sorted(np.random.default_rng(20261122).choice(buses, size=count, replace=False).tolist())


@pytest.mark.parametrize("limits", [LIMITS, LITERAL], ids=["thresholds of the rules", "literal"])
@pytest.mark.parametrize("name", SOURCES)
def test_plain_pandapower_holds_at_the_capacity_and_breaks_one_step_above(name: str, limits: Limits) -> None:
    folder, count = SOURCES[name]
    net = read_source(FIXTURES / folder).net
    buses = sampled_buses(net, count)
    table = open_capacity(net, limits=limits, power_factor=POWER_FACTOR, buses=buses)
    assert (table.status == "assessed").sum() >= count - 1
    for _, row in table.iterrows():
        check_row(net, row, limits, POWER_FACTOR)
