"""Solves many one-load scenarios of one island at once, by power-grid-model.

Every island becomes a power-grid-model input of its own on 1 kV and 1 MVA, so that one ohm is one per unit; branches
are ``generic_branch`` with the values of pandapower's branch table. The source impedance is made vanishingly small,
because pandapower's source has none.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gridmodel.capacity.arrays import Complexes, FlowArrays, Integers, Terms
from gridmodel.capacity.constraints import Constraints, Flags, Floats
from gridmodel.capacity.direction import Direction, sign_of

SOURCE_POWER_VA = 1e25
"""Short-circuit power standing for an ideal source; base voltages then agree with pandapower to 1e-12 pu."""
ERROR_TOLERANCE_PU = 1e-10
_ITERATIONS_MAX = {"iterative_current": 100, "newton_raphson": 40}
_ALL_CORES = 0
_U_RATED_V = 1e3
_VA_PER_MVA = 1e6
_VA_PER_KVA = 1e3


class BatchEvaluator:
    """Values of an island's limits with one extra load, or generation as a load below zero.

    Solved by current iteration, twice as fast as Newton's method on distribution islands; what that does not solve (it
    stops short of the voltage collapse) is solved again by Newton's method.
    """

    name = "power-grid-model"

    def __init__(
        self,
        arrays: FlowArrays,
        terms: Terms,
        constraints: Constraints,
        *,
        island: int,
        rows: Integers,
        direction: Direction = "load",
    ) -> None:
        """Build the island's model.

        Args:
            arrays: The solved net.
            terms: Loading terms of the whole net.
            constraints: Limits of the whole net.
            island: Which island of ``arrays``.
            rows: Limits wanted, as positions in ``constraints``; all of elements of this island.
            direction: What is connected.
        """
        self.direction = direction
        branches = np.flatnonzero(arrays.island_of_branch == island)
        nodes = np.unique(np.concatenate([arrays.from_node[branches], arrays.to_node[branches]]))
        self._local = np.full(len(arrays.u_base_kv), -1, dtype=np.int64)
        self._local[nodes] = np.arange(len(nodes))
        self._nodes, self._branches = nodes, branches
        self._from, self._to = self._local[arrays.from_node[branches]], self._local[arrays.to_node[branches]]
        self._extra_to = arrays.y_extra_to[branches]
        self._joining = np.flatnonzero(self._from != self._to)
        self._loops = np.flatnonzero(self._from == self._to)
        """Branches with both ends on one node, which power-grid-model refuses: admittances at that node."""
        self._y_loops = _loop_admittances(arrays, branches[self._loops])
        self._node_of_bus = arrays.node_of_bus
        self._model, self._load_ids, self._base_load_va = self._build_model(arrays)
        self._count = len(rows)
        self._prepare_terms(arrays, terms, constraints, rows)

    def _build_model(self, arrays: FlowArrays) -> tuple[Any, Integers, Any]:
        from power_grid_model import LoadGenType, PowerGridModel, initialize_array

        nodes, branches = self._nodes, self._branches[self._joining]
        count, branch_count = len(nodes), len(branches)
        node = initialize_array("input", "node", count)
        node["id"], node["u_rated"] = np.arange(count), _U_RATED_V
        branch = initialize_array("input", "generic_branch", branch_count)
        branch["id"] = count + np.arange(branch_count)
        branch["from_node"], branch["to_node"] = self._from[self._joining], self._to[self._joining]
        branch["from_status"] = branch["to_status"] = 1
        z, y, tap = arrays.z_series[branches], arrays.y_charge[branches], arrays.tap[branches]
        branch["r1"], branch["x1"], branch["g1"], branch["b1"] = z.real, z.imag, y.real, y.imag
        branch["k"], branch["theta"] = np.abs(tap), np.angle(tap)
        is_source = arrays.is_source[nodes]
        admittance = arrays.y_shunt_mva[nodes].astype(complex)
        np.add.at(admittance, self._to, self._extra_to)
        np.add.at(admittance, self._to[self._loops], self._y_loops.sum(axis=0))
        at = np.flatnonzero((admittance != 0.0) & ~is_source)
        next_id = count + branch_count
        shunt = initialize_array("input", "shunt", len(at))
        shunt["id"], shunt["node"], shunt["status"] = next_id + np.arange(len(at)), at, 1
        shunt["g1"], shunt["b1"] = admittance[at].real, admittance[at].imag
        load_va = np.where(is_source, 0.0, arrays.s_load_mva[nodes]) * _VA_PER_MVA
        next_id += len(at)
        load = initialize_array("input", "sym_load", count)
        load["id"], load["node"], load["status"] = next_id + np.arange(count), np.arange(count), 1
        load["type"] = LoadGenType.const_power
        load["p_specified"], load["q_specified"] = load_va.real, load_va.imag
        at = np.flatnonzero(is_source)
        source = initialize_array("input", "source", len(at))
        source["id"], source["node"], source["status"] = next_id + count + np.arange(len(at)), at, 1
        held = arrays.u_source[nodes[at]]
        source["u_ref"], source["u_ref_angle"] = np.abs(held), np.angle(held)
        source["sk"], source["rx_ratio"] = SOURCE_POWER_VA, 0.1
        data = {"node": node, "generic_branch": branch, "sym_load": load, "source": source}
        return PowerGridModel(data | ({"shunt": shunt} if len(shunt) else {})), load["id"].astype(np.int64), load_va

    def _prepare_terms(self, arrays: FlowArrays, terms: Terms, constraints: Constraints, rows: Integers) -> None:
        """Note where each wanted limit is read: a node's voltage, or the worst of some branch ends."""
        column = np.full(len(constraints), -1, dtype=np.int64)
        column[rows] = np.arange(len(rows))
        is_bus = constraints.tables[rows] == "bus"
        self._bus_columns = np.flatnonzero(is_bus)
        self._bus_nodes = self._local[arrays.node_of_bus[constraints.elements[rows[is_bus]]]]
        wanted = np.flatnonzero(column[terms.row] >= 0)
        place = np.full(len(arrays.from_node), -1, dtype=np.int64)
        place[self._branches] = np.arange(len(self._branches))
        branch, end = place[terms.branch[wanted]], terms.end[wanted]
        self._term_end = branch + end * len(self._branches)
        self._term_node = np.where(end == 0, self._from[branch], self._to[branch])
        self._term_is_current = terms.is_current[wanted]
        self._term_scale = terms.scale[wanted]
        first = np.flatnonzero(np.diff(terms.row[wanted], prepend=-1))
        self._term_starts = first
        self._term_columns = column[terms.row[wanted][first]]

    def base_voltages(self) -> tuple[Integers, Floats]:
        """Return the nodes of the island and their voltages without an extra load (NaN when there is no solution)."""
        u_pu, _ = self._solve_both(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=complex))
        return self._nodes, u_pu[0]

    def values(self, buses: Integers, p_kw: Floats, tan_phi: float) -> tuple[Floats, Flags]:
        """Return the limits' values, one row per bus with the connection made there and nowhere else.

        Args:
            buses: Buses of this island, shape (n,).
            p_kw: Extra load or generation (kW), shape (n,).
            tan_phi: Reactive per active power.

        Returns:
            Values, shape (n, limits), and whether the load flow has a solution, shape (n,).
        """
        at = self._local[self._node_of_bus[buses]]
        extra_va = sign_of(self.direction) * p_kw * _VA_PER_KVA * (1.0 + 1j * tan_phi)
        u_pu, s_mva = self._solve_both(at, extra_va.astype(np.complex128))
        values = np.empty((len(buses), self._count))
        values[:, self._bus_columns] = u_pu[:, self._bus_nodes]
        if len(self._term_starts):
            loading = s_mva[:, self._term_end] * self._term_scale
            at = np.flatnonzero(self._term_is_current)
            loading[:, at] /= u_pu[:, self._term_node[at]]
            values[:, self._term_columns] = np.maximum.reduceat(loading, self._term_starts, axis=1)
        return values, ~np.isnan(u_pu[:, 0])

    def _solve_both(self, at: Integers, extra_va: Complexes) -> tuple[Floats, Floats]:
        u_pu, s_mva = self._solve(at, extra_va, "iterative_current")
        again = np.flatnonzero(np.isnan(u_pu[:, 0]))
        if len(again):
            u_pu[again], s_mva[again] = self._solve(at[again], extra_va[again], "newton_raphson")
        return u_pu, s_mva

    def _solve(self, at: Integers, extra_va: Complexes, method: str) -> tuple[Floats, Floats]:
        """Return voltages (n, nodes) and apparent power at all from-ends, then all to-ends (n, 2 branches) in MVA."""
        from power_grid_model import initialize_array

        update = initialize_array("update", "sym_load", (len(at), 1))
        update["id"][:, 0] = self._load_ids[at]
        update["p_specified"][:, 0] = self._base_load_va[at].real + extra_va.real
        update["q_specified"][:, 0] = self._base_load_va[at].imag + extra_va.imag
        output = self._model.calculate_power_flow(
            update_data={"sym_load": update},
            error_tolerance=ERROR_TOLERANCE_PU,
            max_iterations=_ITERATIONS_MAX[method],
            calculation_method=method,
            threading=_ALL_CORES,
            continue_on_batch_error=True,
            output_component_types={
                "node": ["u_pu"],
                "generic_branch": ["p_from", "q_from", "p_to", "q_to"],
            },
        )
        u_pu, flow = np.array(output["node"]["u_pu"]), output["generic_branch"]
        with np.errstate(invalid="ignore"):  # scenarios without solution end in NaN
            s_mva = self._flows(u_pu, flow)
        failed = self._model.batch_error
        if failed is not None:
            u_pu[failed.failed_scenarios] = np.nan
            s_mva[failed.failed_scenarios] = np.nan
        return u_pu, s_mva

    def _flows(self, u_pu: Floats, flow: Any) -> Floats:
        count, joining, loops = len(self._branches), self._joining, self._loops
        s_mva = np.empty((len(u_pu), 2 * count))
        s_mva[:, joining] = np.hypot(flow["p_from"], flow["q_from"]) / _VA_PER_MVA
        s_to = (flow["p_to"] + 1j * flow["q_to"]) / _VA_PER_MVA
        extra = self._extra_to[joining]
        if extra.any():  # power-grid-model books the unequal part of a transformer's shunt at the node
            s_to = s_to + np.conj(extra) * u_pu[:, self._to[joining]] ** 2
        s_mva[:, count + joining] = np.abs(s_to)
        u_squared = u_pu[:, self._to[loops]] ** 2
        s_mva[:, loops] = np.abs(self._y_loops[0]) * u_squared
        s_mva[:, count + loops] = np.abs(self._y_loops[1] + self._extra_to[loops]) * u_squared
        return s_mva


def _loop_admittances(arrays: FlowArrays, branches: Integers) -> Complexes:
    """Return what branches with both ends on one node draw at their from and to-ends, shape (2, branches)."""
    y_series, tap = 1.0 / arrays.z_series[branches], arrays.tap[branches]
    y_end = y_series + arrays.y_charge[branches] / 2.0
    return np.array([y_end / np.abs(tap) ** 2 - y_series / np.conj(tap), y_end - y_series / tap])
