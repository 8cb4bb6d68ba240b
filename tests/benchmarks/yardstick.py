"""What the benchmarks have in common: limits, the demo's township, and the naive peer, plain pandapower bisection."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from gridmodel import Limits, VoltageBand
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
