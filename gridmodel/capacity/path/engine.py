"""Answers every bus of the radial islands of a solved net; what it cannot answer it names, for another engine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmodel.capacity.arrays import Complexes, FlowArrays, Integers, Terms
from gridmodel.capacity.constraints import Constraints, Flags, Floats
from gridmodel.capacity.path.bounds import NO_LIMIT, Placement, place_bounds, place_limits
from gridmodel.capacity.path.oneport import Needs, OnePorts, build_ports, find_needs
from gridmodel.capacity.path.shooting import SETTLED, shoot_all
from gridmodel.capacity.path.supply import attach_buses
from gridmodel.capacity.path.sweep import start_flat, sweep
from gridmodel.capacity.path.tree import NOWHERE, Forest, Tree
from gridmodel.net import Net

VOLTAGE_AGREEMENT_PU = 1e-9
"""An island is answered here only when the swept base voltages agree with pandapower's to this."""
_ROUGH_MVA = 1e-5
"""An island is left alone when the last coefficient of a subtree's polynomial may be worth more than this."""
_LAST_SHARE = 16.0  # of the power x^5 in the Chebyshev polynomial of that degree


@dataclass(frozen=True, eq=False, kw_only=True)
class Found:
    """Capacities of some buses, one entry each."""

    p_mw: Floats
    """Load at which the first limit breaks; NaN where not answered."""
    row: Integers
    """Limit that binds; ``NO_LIMIT`` where not answered."""
    noted: Integers
    """First limits broken at that load that do not count and were not broken before, shape (n, NOTED_MAX)."""
    noted_count: Integers


class PathEngine:
    """One-ports and needs of all radial islands, ready for any number of candidates."""

    name = "path"

    def __init__(
        self,
        forest: Forest,
        net: Net,
        arrays: FlowArrays,
        terms: Terms,
        constraints: Constraints,
        base: Floats,
        usable: Flags,
    ) -> None:
        """Compile the islands.

        Args:
            forest: The radial islands of ``arrays``.
            net: The solved net.
            arrays: Its arrays.
            terms: Loading terms of the net.
            constraints: Limits of the net.
            base: Their values in the base case, shape (limits,).
            usable: Which limits count, shape (limits,).
        """
        self.forest, self.arrays, self.constraints = forest, arrays, constraints
        self.placement: Placement = place_limits(net, arrays, terms, constraints, self.forest)
        self.bounds, self._as_it_stands = place_bounds(terms, constraints, base, usable, forest, self.placement)
        self.v_base, is_solved = solve_base(self.forest)
        self.ports: OnePorts = build_ports(self.tree, self.bounds, self.v_base)
        self.needs: Needs = find_needs(self.tree, self.bounds, self.ports, self.v_base)
        self._literal_needs = self.needs  # without thresholds they are the same
        if (constraints.effects > 0.0).any():
            self._literal_needs = find_needs(self.tree, self._as_it_stands, self.ports, self.v_base)
        self.island_of_position = np.repeat(self.forest.islands, np.diff([*self.forest.roots, len(self.v_base)]))
        self.islands = frozenset(self._good_islands(is_solved))
        self._attach = attach_buses(net, arrays, self.forest)
        self._low_row_of_bus = _low_rows(constraints, usable)

    @property
    def tree(self) -> Tree:
        """The trees of all radial islands."""
        return self.forest.tree

    def _good_islands(self, is_solved: Flags) -> list[int]:
        """Return the islands whose base case is pandapower's and whose one-ports are exact."""
        is_root = self.tree.parent == NOWHERE
        off = np.abs(self.v_base - self.arrays.u_pu[self.forest.node])
        rough = np.abs(self.ports.whole[:, -1]) / _LAST_SHARE > _ROUGH_MVA
        bad = ~(off <= VOLTAGE_AGREEMENT_PU) | ((~self.ports.is_sound | rough) & ~is_root)
        declined = np.union1d(self.island_of_position[bad], self.placement.declined)
        return [int(island) for island in self.forest.islands[is_solved] if island not in declined]

    def position_of_buses(self, buses: Integers) -> Integers:
        """Return the position of each bus; ``NOWHERE`` at sources and outside the islands answered here."""
        nodes = self.arrays.node_of_bus
        node = np.array([nodes.get(bus, -1) for bus in buses.tolist()], dtype=np.int64)
        position = np.where(node >= 0, self.forest.position_of_node[node], NOWHERE)
        is_here = np.isin(self.island_of_position[position], list(self.islands)) & (position != NOWHERE)
        return np.where(is_here, position, NOWHERE)

    def solve(self, buses: Integers, positions: Integers, tan_phi: float) -> Found:
        """Return the capacity of each bus; all must be in the islands answered here and free of counted violations."""
        unique, place = np.unique(positions, return_inverse=True)
        answers = shoot_all(
            self.tree,
            self.bounds,
            self.ports,
            self.needs,
            self._as_it_stands,
            self._literal_needs,
            unique,
            self.v_base,
            tan_phi,
            self.forest.depth_max,
        )
        # the reference shares out voltage dependence anew when a load is added at such a bus
        is_plain = (self.arrays.s_linear_mva == 0.0) & (self.arrays.s_square_mva == 0.0)
        is_found = (answers.outcome == SETTLED) & is_plain[self.forest.node[unique]]
        p_mw, row = np.where(is_found, answers.p_mw, np.nan), np.where(is_found, answers.row, NO_LIMIT)
        named = self.named(buses, positions, row[place], answers.head[place], answers.via[place])
        return Found(p_mw=p_mw[place], row=named, noted=answers.noted[place], noted_count=answers.noted_count[place])

    def named(self, buses: Integers, positions: Integers, row: Integers, head: Integers, via: Integers) -> Integers:
        """Return ``row``, naming of several buses that are one node the one the supply path touches.

        Args:
            buses: Candidates, shape (n,).
            positions: Theirs.
            row: Limit that binds.
            head: Position whose voltage it is; -1 for another limit.
            via: Position below ``head`` on the way to the candidate.
        """
        bus = np.where(head == positions, buses, self._attach[via])
        is_voltage = (row != NO_LIMIT) & (head != NOWHERE) & (bus != NOWHERE)
        is_voltage &= (self.placement.position[row] == head) & (self.constraints.kinds[row] == "voltage_low")
        other = self._low_row_of_bus[np.where(is_voltage, bus, 0)]
        return np.where(is_voltage & (other != NO_LIMIT), other, row)


def solve_base(forest: Forest) -> tuple[Floats, Flags]:
    """Return the base voltages of all positions (pu), and which islands have a solution."""
    tree = forest.tree
    voltage: Complexes = np.ones(len(forest.node), dtype=np.complex128)
    current = np.zeros_like(voltage)
    ends = [*forest.roots[1:].tolist(), len(forest.node)]
    solved = np.zeros(len(forest.roots), dtype=bool)
    for island, (first, last) in enumerate(zip(forest.roots.tolist(), ends, strict=True)):
        start_flat(tree, first, last, voltage)
        solved[island] = sweep(tree, first, last, 0.0j, -1, voltage, current) > 0
    return np.abs(voltage), solved


def _low_rows(constraints: Constraints, usable: Flags) -> Integers:
    """Return the row of each bus's lower voltage limit, by bus index; ``NO_LIMIT`` where there is none."""
    rows = np.flatnonzero((constraints.kinds == "voltage_low") & usable)
    is_bus = constraints.tables == "bus"
    found = np.full(constraints.elements[is_bus].max(initial=0) + 1, NO_LIMIT, dtype=np.int64)
    found[constraints.elements[rows]] = rows
    return found
