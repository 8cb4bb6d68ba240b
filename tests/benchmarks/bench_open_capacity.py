"""Open capacity of all buses of a voltage level against plain pandapower bisection of a sample of the same buses.

Both are taken per node and interleaved in one process; the ratio is what counts, times depend on the machine.
"""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gridmodel import Limits, VoltageBand, open_capacity
from gridmodel.capacity.constraints import build_constraints, measure
from gridmodel.capacity.violations import is_attributed
from gridmodel.errors import ConvergenceError
from gridmodel.net import copy_net, pandapower, run_load_flow
from gridmodel.topology import SupplyTopology

TOWNSHIP = Path(__file__).parents[2] / "fixtures" / "township"
POWER_FACTOR = 0.95
TAN_PHI = math.tan(math.acos(POWER_FACTOR))
STEP_KW = 10.0
LIMITS = Limits(
    voltage_bands=(
        VoltageBand(u_nominal_kv_min=0.1, u_nominal_kv_max=1.0, u_pu_min=0.8835, u_pu_max=1.0165),
        VoltageBand(u_nominal_kv_min=6.0, u_nominal_kv_max=20.0, u_pu_min=0.93, u_pu_max=1.07),
    ),
    off_path_voltage_effect_pu=0.005,
    off_path_loading_effect_ratio=0.01,
)


def township() -> Any:
    """Return the net of the demo's township, or pandapower's mv_oberrhein where the township is not there."""
    if (TOWNSHIP / "nodes.csv").exists():
        from gridmodel.readers.tables import read_tables

        return read_tables(TOWNSHIP).net
    import pandapower.networks

    return pandapower.networks.mv_oberrhein()


class PlainBisection:
    """The peer: one load moved about in one copy of the net, plain ``runpp``, limits checked on arrays."""

    def __init__(self, net: Any) -> None:
        """Solve the base case."""
        self.net, self.topology = copy_net(net), SupplyTopology(net)
        self.constraints = build_constraints(net, LIMITS)
        run_load_flow(self.net)
        self.before = measure(self.net, self.constraints)
        self.load = pandapower().create_load(self.net, self.net.bus.index[0], p_mw=0.0)

    def capacity_kw(self, bus: int) -> float:
        """Bisect 0 to 32 MW to one step."""
        on_path = self.constraints.is_on_path(self.topology.path(bus))
        self.net.load.at[self.load, "bus"] = bus
        low_kw, high_kw = 0.0, 2.0**15
        while high_kw - low_kw > STEP_KW:
            middle_kw = 0.5 * (low_kw + high_kw)
            low_kw, high_kw = (middle_kw, high_kw) if self._holds(middle_kw, on_path) else (low_kw, middle_kw)
        return low_kw

    def _holds(self, p_kw: float, on_path: Any) -> bool:
        self.net.load.loc[self.load, ["p_mw", "q_mvar"]] = p_kw / 1e3, p_kw / 1e3 * TAN_PHI
        try:
            run_load_flow(self.net)
        except ConvergenceError:
            return False
        after = measure(self.net, self.constraints)
        return not is_attributed(self.constraints, self.before, after, on_path).any()


def run(*, repetitions: int = 5, sample: int = 2, u_kv_min: float = 1.0, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Yield one record per repetition, then the summary."""
    net = township()
    buses = [int(b) for b in net.bus.index[net.bus.in_service & net.bus.vn_kv.between(u_kv_min, 20.0)]]
    peer, rng = PlainBisection(net), random.Random(seed)
    ratios, differences_kw, seconds = [], [], []
    for repetition in range(repetitions):
        start = time.perf_counter()
        table = open_capacity(net, limits=LIMITS, power_factor=POWER_FACTOR, buses=buses, confirm="none")
        ours_s = (time.perf_counter() - start) / len(buses)
        start = time.perf_counter()
        for bus in rng.sample([b for b in buses if table.capacity_kw[b] > 0], sample):
            differences_kw.append(abs(peer.capacity_kw(bus) - table.capacity_kw[bus]))
        plain_s = (time.perf_counter() - start) / sample
        ratios.append(plain_s / ours_s)
        seconds.append((plain_s, ours_s))
        yield {
            "bench": "open_capacity",
            "repetition": repetition,
            "plain_s_per_node": plain_s,
            "ours_s_per_node": ours_s,
        }
    yield {
        "bench": "open_capacity",
        "case": f"{len(buses)} medium-voltage nodes of {len(net.bus)} buses",
        "ratio_median": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
        "plain_s_per_node": statistics.median(s for s, _ in seconds),
        "ours_s_per_node": statistics.median(s for _, s in seconds),
        "difference_kw_max": max(differences_kw),
        "pandapower": version("pandapower"),
        "power_grid_model": version("power-grid-model"),
    }
