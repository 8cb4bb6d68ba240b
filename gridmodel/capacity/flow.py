"""The load flow of a net on its flat arrays: sweeps on radial islands, judged by the balance of powers at every node.

A solution is accepted by the criterion of pandapower's Newton method: no node of pandapower's own tables is out of
balance by more than its tolerance. So nothing is lost by not running it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gridmodel.capacity.arrays import NO_ISLAND, Complexes, FlowArrays, Integers, Terms
from gridmodel.capacity.constraints import Constraints, Floats
from gridmodel.capacity.path.sweep import start_flat, sweep
from gridmodel.capacity.path.tree import Forest
from gridmodel.net import TOLERANCE_MVA

BALANCE_MVA = 10.0 * TOLERANCE_MVA
"""An island is answered on these arrays only when no node of it is out of balance by more."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Flow:
    """Arrays of a net, its radial islands, and the voltage of every node."""

    arrays: FlowArrays
    forest: Forest | None
    """None without any radial island."""
    voltage: Complexes
    """Per unit, shape (nodes,)."""

    @cached_property
    def doubtful(self) -> Integers:
        """Islands that are out of balance: these arrays do not say what the solver meant."""
        bad = imbalance_mva(self.arrays, self.voltage) > BALANCE_MVA
        return np.unique(self.arrays.island_of_node[bad])

    @cached_property
    def u_pu(self) -> Floats:
        """Voltage magnitude of each node."""
        return np.asarray(np.abs(self.voltage), dtype=np.float64)

    def u_pu_of(self, buses: Integers) -> Floats:
        """Return the voltage magnitude of each bus (pu); NaN where it is not supplied."""
        node = self.arrays.node_of_bus[buses]
        return np.where(node >= 0, self.u_pu[node], np.nan)


def solve_radial(arrays: FlowArrays, forest: Forest | None) -> Complexes | None:
    """Return the voltage of each node (pu), or None when some island is not radial or has no solution by sweeps."""
    voltage = np.where(arrays.is_source, arrays.u_source, np.nan).astype(np.complex128)
    islands = np.unique(arrays.island_of_node[arrays.island_of_node != NO_ISLAND])
    if len(islands) != (0 if forest is None else len(forest.islands)):
        return None
    if forest is not None and not _sweep_all(arrays, forest, voltage):
        return None
    return voltage if imbalance_mva(arrays, voltage).max(initial=0.0) <= TOLERANCE_MVA else None


def _sweep_all(arrays: FlowArrays, forest: Forest, voltage: Complexes) -> bool:
    """Write the voltages of all radial islands and return whether each has a solution."""
    own, current = (np.ones(len(forest.node), dtype=np.complex128) for _ in range(2))
    ends = [*forest.roots[1:].tolist(), len(forest.node)]
    for first, last in zip(forest.roots.tolist(), ends, strict=True):
        start_flat(forest.tree, first, last, own)
        if sweep(forest.tree, first, last, 0.0j, -1, own, current) < 0:
            return False
        source = arrays.u_source[forest.node[first]]
        own[first:last] *= source / abs(source)  # the sweep takes the angle at the source for zero
    voltage[forest.node] = own
    return True


def branch_powers_mva(arrays: FlowArrays, voltage: Complexes) -> tuple[Complexes, Complexes]:
    """Return the power flowing into each branch at its from-end and its to-end (MVA)."""
    series, half = 1.0 / arrays.z_series, arrays.y_charge / 2.0
    v_from, v_to = voltage[arrays.from_node], voltage[arrays.to_node]
    v_tapped = v_from / arrays.tap
    through = series * (v_tapped - v_to)
    i_from = (through + half * v_tapped) / np.conj(arrays.tap)
    i_to = (half + arrays.y_extra_to) * v_to - through
    return v_from * np.conj(i_from), v_to * np.conj(i_to)


def imbalance_mva(arrays: FlowArrays, voltage: Complexes) -> Floats:
    """Return by how much power is out of balance at each node (MVA, the greater of active and reactive)."""
    u = np.abs(voltage)
    constant = arrays.s_load_mva - arrays.s_linear_mva - arrays.s_square_mva
    consumed = constant + u * (arrays.s_linear_mva + u * (arrays.s_square_mva + np.conj(arrays.y_shunt_mva)))
    nodes = len(voltage)
    for node, s in zip((arrays.from_node, arrays.to_node), branch_powers_mva(arrays, voltage), strict=True):
        consumed += np.bincount(node, s.real, nodes) + 1j * np.bincount(node, s.imag, nodes)
    worst = np.maximum(np.abs(consumed.real), np.abs(consumed.imag))
    return np.where(arrays.is_source, 0.0, np.where(np.isnan(worst), np.inf, worst))


def measure_flow(flow: Flow, terms: Terms, constraints: Constraints) -> Floats:
    """Return loading ratio or voltage for each limit; NaN where an element is not energised or has no rating."""
    arrays, u_pu, values = flow.arrays, flow.u_pu, np.full(len(constraints), np.nan)
    buses = constraints.rows_of("bus")
    values[buses] = flow.u_pu_of(constraints.elements[buses])
    if len(terms.row):
        s_mva = np.abs(np.stack(branch_powers_mva(arrays, flow.voltage)))
        loading = terms.scale * s_mva[terms.end, terms.branch]
        ends = np.where(terms.end == 0, arrays.from_node[terms.branch], arrays.to_node[terms.branch])
        loading = np.where(terms.is_current, loading / u_pu[ends], loading)
        starts = np.flatnonzero(np.diff(terms.row, prepend=-1))
        values[terms.row[starts]] = np.maximum.reduceat(loading, starts)
    return values
