"""Customers grafted onto a radial island: lines split and hung on its flat arrays, solved by sweeps (前推回代).

A trial on the tables of a net costs a load flow of tens of milliseconds, on its arrays one of a few. A solution is
accepted by the criterion of the reference load flow (:func:`gridmodel.capacity.flow.solve_radial`); an island that is
not radial, or for which the sweeps find nothing, is left to it. Buses and lines are numbered as on the tables.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gridmodel.capacity.arrays import FlowArrays, Terms, build_terms, extract_arrays
from gridmodel.capacity.constraints import KINDS, TABLES, Constraints, Floats, build_constraints
from gridmodel.capacity.flow import Flow, branch_powers_mva, measure_flow, solve_radial
from gridmodel.capacity.limits import Limits
from gridmodel.capacity.path.tree import plant_forest
from gridmodel.errors import ConvergenceError
from gridmodel.net import Net
from gridmodel.trial_route import TrialRoute

_KW_PER_MW = 1e3
_NODE_ARRAYS = ("u_base_kv", "s_load_mva", "s_linear_mva", "s_square_mva", "y_shunt_mva", "is_source", "u_source",
                "island_of_node")  # fmt: skip
_BRANCH_ARRAYS = ("from_node", "to_node", "z_series", "y_charge", "y_extra_to", "tap", "island_of_branch")
_WITHOUT_LENGTH = ("from_node", "to_node", "y_extra_to", "tap", "island_of_branch")
_LINE = TABLES.index("line")


@dataclass(frozen=True, eq=False, kw_only=True)
class GraftedFlow:
    """One solution: what every limit measures, and the losses."""

    flow: Flow
    values: Floats
    """Loading ratio or voltage (pu) of every limit, as :func:`gridmodel.capacity.constraints.measure` gives them."""
    losses_kw: float


class Graft:
    """A radial island that lines and customers are added to; :meth:`solve` says what they do.

    Args:
        net: The island without them; only read.
        limits: Operating limits.

    Raises:
        ConvergenceError: pandapower cannot handle the data.
    """

    def __init__(self, net: Net, limits: Limits) -> None:
        self.limits, self._f_hz = limits, float(net.f_hz)
        self.arrays: FlowArrays = extract_arrays(net)
        self.constraints: Constraints = build_constraints(net, limits)
        self._terms: Terms = build_terms(net, self.arrays, self.constraints)
        branches = self.arrays.branch_row.get("line", np.zeros(0, dtype=np.int64))
        self._branch_of = dict(zip(net.line.index.tolist(), branches.tolist(), strict=True))
        self._next_bus, self._next_line = int(net.bus.index.max()) + 1, int(net.line.index.max()) + 1

    def copy(self) -> Graft:
        """Return an independent copy; what both share is never written to."""
        other = copy.copy(self)
        other._branch_of = dict(self._branch_of)
        return other

    def carries(self, line: int) -> bool:
        """Return whether a line is energised."""
        return bool(self._branch_of.get(line, -1) >= 0)

    def split(self, line: int, fraction_along: float) -> tuple[int, int]:
        """Split a line; return the new bus and the new line, which leads on to its old end.

        Raises:
            KeyError: There is no such line.
        """
        branch, arrays = self._branch_of[line], self.arrays
        far = int(arrays.to_node[branch])
        node = self._add_node(like=far, s_load_mva=0.0j)
        own: dict[str, Any] = {name: getattr(self.arrays, name).copy() for name in _BRANCH_ARRAYS}
        for name in ("z_series", "y_charge"):
            whole = own[name][branch]
            own[name][branch] = whole * fraction_along
            own[name] = np.append(own[name], whole * (1.0 - fraction_along))
        own["to_node"][branch] = node
        island = own["island_of_branch"][branch]
        for name, value in zip(_WITHOUT_LENGTH, (node, far, 0.0, 1.0, island), strict=True):
            own[name] = _appended(own[name], value)
        self.arrays = replace(self.arrays, **own)
        bus, other = self._name_bus(node, like=far), self._name_line()
        scale = self._terms.scale[(self._terms.branch == branch) & (self._terms.end == 0)]
        self._limit_line(other, float(scale[0]) if len(scale) else None)
        return bus, other

    def add_customer(self, bus: int, route: TrialRoute, *, p_kw: float, q_kvar: float) -> tuple[int, int]:
        """Hang a load at the end of ``route`` on a bus; return the load's bus and the line.

        Raises:
            KeyError: The bus is not supplied.
        """
        above = int(self.arrays.node_of_bus[bus])
        if above < 0:
            raise KeyError(bus)
        u_kv = float(self.arrays.u_base_kv[above])
        node = self._add_node(like=above, s_load_mva=complex(p_kw, q_kvar) / _KW_PER_MW)
        z_ohm = complex(route.r_ohm_per_km, route.x_ohm_per_km) * route.length_km / route.parallel
        farad = route.line_type.c_nf_per_km * 1e-9 * route.length_km * route.parallel
        arrays = self.arrays
        added: dict[str, Any] = {
            "from_node": above,
            "to_node": node,
            "z_series": z_ohm / u_kv**2,
            "y_charge": 2j * math.pi * self._f_hz * farad * u_kv**2,
            "y_extra_to": 0.0,
            "tap": 1.0,
            "island_of_branch": arrays.island_of_node[node],
        }
        self.arrays = replace(
            arrays, **{name: _appended(getattr(arrays, name), value) for name, value in added.items()}
        )
        end, line = self._name_bus(node, like=above), self._name_line()
        rating_ka = route.rating_ka * route.parallel
        self._limit_line(line, 1.0 / (math.sqrt(3.0) * u_kv * rating_ka) if rating_ka > 0.0 else None)
        return end, line

    def solve(self) -> GraftedFlow | None:
        """Return the solution; ``None`` where the island is not radial or the sweeps find none."""
        forest = plant_forest(self.arrays)
        voltage = solve_radial(self.arrays, forest)
        if voltage is None:
            return None
        flow = Flow(arrays=self.arrays, forest=forest, voltage=voltage)
        sent, received = branch_powers_mva(self.arrays, voltage)
        return GraftedFlow(
            flow=flow,
            values=measure_flow(flow, self._terms, self.constraints),
            losses_kw=float((sent + received).real.sum()) * _KW_PER_MW,
        )

    def _add_node(self, *, like: int, s_load_mva: complex) -> int:
        arrays = self.arrays
        added: dict[str, Any] = {name: getattr(arrays, name)[like] for name in _NODE_ARRAYS}
        added |= dict.fromkeys(("s_linear_mva", "s_square_mva", "y_shunt_mva"), 0.0)
        added |= {"s_load_mva": s_load_mva, "is_source": False}
        self.arrays = replace(
            arrays, **{name: _appended(getattr(arrays, name), value) for name, value in added.items()}
        )
        return len(arrays.u_base_kv)

    def _name_bus(self, node: int, *, like: int) -> int:
        """Give a node the next number of a bus, and the voltage limits of a bus it lies beside."""
        bus, self._next_bus = self._next_bus, self._next_bus + 1
        nodes = np.full(bus + 1, -1, dtype=np.int64)
        nodes[: len(self.arrays.node_of_bus)] = self.arrays.node_of_bus
        nodes[bus] = node
        rows = self.constraints.rows_of("bus")
        at = self.arrays.node_of_bus[self.constraints.elements[rows]]
        self.arrays = replace(self.arrays, node_of_bus=nodes)
        rows = rows[at == like]
        _, first = np.unique(self.constraints.kind_codes[rows], return_index=True)
        own = self.constraints.subset(rows[first])  # of fused buses one is enough: their limits are the same
        self._add_limits(replace(own, elements=np.full(len(own), bus, dtype=np.int64)))
        return bus

    def _name_line(self) -> int:
        line, self._next_line = self._next_line, self._next_line + 1
        self._branch_of[line] = len(self.arrays.from_node) - 1
        return line

    def _limit_line(self, line: int, scale: float | None) -> None:
        """Limit a new line; without ``scale`` its rating is not known."""
        first = len(self.constraints)
        self._add_limits(
            Constraints(
                table_codes=np.array([_LINE], dtype=np.int8),
                elements=np.array([line], dtype=np.int64),
                kind_codes=np.array([KINDS.index("line_loading")], dtype=np.int8),
                limits=np.array([self.limits.line_loading_ratio_max]),
                signs=np.array([1.0]),
                effects=np.array([self.limits.off_path_loading_effect_ratio]),
            )
        )
        if scale is None:
            return
        terms, branch = self._terms, self._branch_of[line]
        self._terms = Terms(
            row=np.append(terms.row, [first, first]),
            branch=np.append(terms.branch, [branch, branch]),
            end=np.append(terms.end, [0, 1]),
            is_current=np.append(terms.is_current, [True, True]),
            scale=np.append(terms.scale, [scale, scale]),
        )

    def _add_limits(self, new: Constraints) -> None:
        old = self.constraints
        names = ("table_codes", "elements", "kind_codes", "limits", "signs", "effects")
        self.constraints = Constraints(**{name: np.append(getattr(old, name), getattr(new, name)) for name in names})


def _appended(values: Any, value: Any) -> Any:
    return np.append(values, np.asarray(value, dtype=values.dtype))


def graft_of(net: Net, limits: Limits) -> Graft | None:
    """Return the island of a net ready for grafts; ``None`` where the sweeps do not solve it."""
    try:
        graft = Graft(net, limits)
    except ConvergenceError:
        return None
    return None if graft.solve() is None else graft
