"""What a further load on a supply path leads to at least, read off the solved net without another load flow.

In a radial net of constant-power loads a load flow with one load more can only be worse than this: losses and falling
voltages add to what lines and transformers of the path carry, and no voltage of the path rises. A limit that is broken
already by these bounds is broken for certain; a limit that is not is for the load flow to decide.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from gridmodel.capacity.constraints import Constraints, Floats, build_constraints, measure, ratings
from gridmodel.capacity.limits import Limits
from gridmodel.capacity.violations import Violation, is_violated
from gridmodel.net import Net
from gridmodel.topology import SupplyPath

_MARGIN_RATIO = 0.01
"""Share of a loading limit left to the load flow: relieved charging currents can give back a little of the losses."""
_NOT_ONLY_LOADS = ("sgen", "gen", "storage", "shunt", "ward", "xward", "motor", "svc", "ssc", "tcsc", "dcline",
                   "asymmetric_load", "asymmetric_sgen")  # fmt: skip
_VOLTAGE_SHARES = ("const_z_p_percent", "const_z_q_percent", "const_i_p_percent", "const_i_q_percent")


class ConnectionBounds:
    """Bounds of one solved net under one set of limits; build it once where many places are asked for."""

    def __init__(self, net: Net, limits: Limits) -> None:
        """Read loadings and voltages of ``net``."""
        self._holds = _has_only_constant_power_loads(net)
        self._constraints = build_constraints(net, limits)
        self._before = measure(net, self._constraints)
        self._u_kv = (net.res_bus.vm_pu * net.bus.vn_kv).to_dict()
        self._ends = dict(zip(net.line.index, zip(net.line.from_bus, net.line.to_bus, strict=True), strict=True))
        self._high_bus = net.trafo.hv_bus.to_dict()
        self._line_mva = {side: _flows_mva(net.res_line, side) for side in ("from", "to")}
        self._trafo_mva = _flows_mva(net.res_trafo, "lv")
        self._line_ka = dict(zip(net.line.index, ratings(net, "line"), strict=True))
        self._trafo_rating_mva = dict(zip(net.trafo.index, ratings(net, "trafo"), strict=True))

    def find_violation(self, path: SupplyPath, *, p_mw: float, q_mvar: float) -> Violation | None:
        """Return the limit on ``path`` broken worst for certain by a load (>= 0) at its end; ``value`` is the bound.

        Returns:
            ``None`` where none is, where the path is not radial, or where the net holds more than constant-power loads.
        """
        if not (self._holds and path.is_supplied and self._is_radial(path)):
            return None
        rows = np.flatnonzero(self._constraints.is_on_path(path))
        constraints = self._constraints.subset(rows)
        values = self._least(constraints, self._before[rows], path, complex(p_mw, q_mvar))
        is_loading = constraints.kinds != "voltage_low"
        shrunk = np.where(is_loading, values * (1.0 - _MARGIN_RATIO), values)
        broken = np.flatnonzero(is_violated(constraints, shrunk) & (constraints.kinds != "voltage_high"))
        if not len(broken):
            return None
        row = int(broken[np.argmax(constraints.excess(values)[broken])])
        return Violation(
            kind=constraints.kinds[row],
            table=constraints.tables[row],
            element=int(constraints.elements[row]),
            value=float(values[row]),
            limit=float(constraints.limits[row]),
            is_on_path=True,
        )

    def _is_radial(self, path: SupplyPath) -> bool:
        """Return whether one chain of elements leads up; the main transformer at its end has its top off the path."""
        tops = sum(self._high_bus[trafo] not in path.buses for trafo in path.trafos)
        return tops <= 1 and path.element_count - tops == len(path.buses) - 1 and not path.trafo3ws

    def _least(self, constraints: Constraints, before: Floats, path: SupplyPath, more_mva: complex) -> Floats:
        values = before.copy()
        place = {bus: position for position, bus in enumerate(path.buses)}
        for row, (table, element) in enumerate(zip(constraints.tables, constraints.elements, strict=True)):
            if table == "line":
                first, second = self._ends[element]
                side, bus = ("from", first) if place[first] < place[second] else ("to", second)
                s_mva = _size_mva(self._line_mva[side][element] + more_mva)
                i_ka = s_mva / (math.sqrt(3.0) * self._u_kv[bus])
                values[row] = np.fmax(values[row], i_ka / self._line_ka[element])
            elif table == "trafo":
                s_mva = _size_mva(self._trafo_mva[element] + more_mva)
                values[row] = np.fmax(values[row], s_mva / self._trafo_rating_mva[element])
        return values


def _size_mva(s_mva: complex) -> float:
    """Return the least size of a flow whose parts can only grow."""
    return math.hypot(max(s_mva.real, 0.0), max(s_mva.imag, 0.0))


def _flows_mva(results: pd.DataFrame, side: str) -> dict[int, complex]:
    """Return what leaves each branch at a side."""
    flows = -(results[f"p_{side}_mw"].to_numpy(dtype=float) + 1j * results[f"q_{side}_mvar"].to_numpy(dtype=float))
    return dict(zip(results.index.tolist(), flows.tolist(), strict=True))


def _has_only_constant_power_loads(net: Net) -> bool:
    others = any(len(net[name]) and net[name].in_service.any() for name in _NOT_ONLY_LOADS if name in net)
    load = net.load[net.load.in_service.astype(bool)]
    depends_on_voltage = any(name in load and (load[name].fillna(0.0) != 0.0).any() for name in _VOLTAGE_SHARES)
    is_consuming = bool(((load.p_mw * load.scaling >= 0.0) & (load.q_mvar * load.scaling >= 0.0)).all())
    return is_consuming and not others and not depends_on_voltage
