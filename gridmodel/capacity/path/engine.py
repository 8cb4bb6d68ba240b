"""Answers every bus of the radial islands of a solved net; what it cannot answer it names, for another engine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmodel.capacity.arrays import Integers, Terms
from gridmodel.capacity.constraints import Constraints, Flags, Floats, Kind
from gridmodel.capacity.direction import Direction, sign_of
from gridmodel.capacity.flow import Flow
from gridmodel.capacity.path.bounds import NO_LIMIT, VOLTAGE, Placement, place_bounds, place_limits
from gridmodel.capacity.path.needs import Needs, find_needs
from gridmodel.capacity.path.oneport import OnePorts, build_ports, last_power_mva
from gridmodel.capacity.path.shooting import SETTLED, shoot_all
from gridmodel.capacity.path.supply import attach_buses
from gridmodel.capacity.path.tree import NOWHERE, Tree
from gridmodel.net import Net

ROUGH_MVA = 1e-5
"""An island is left alone when the last coefficient of a subtree's polynomial may be worth more than this."""
LAST_SHARE = 16.0  # of the power x^5 in the Chebyshev polynomial of that degree


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
        flow: Flow,
        net: Net,
        terms: Terms,
        constraints: Constraints,
        base: Floats,
        usable: Flags,
        direction: Direction = "load",
    ) -> None:
        """Compile the islands.

        Args:
            flow: Base case of ``net``; it must have radial islands.
            net: The net.
            terms: Loading terms of the net.
            constraints: Limits of the net.
            base: Their values in the base case, shape (limits,).
            usable: Which limits count, shape (limits,).
            direction: What is connected: everything compiled here holds for this direction alone.
        """
        if flow.forest is None:
            raise ValueError("no radial island")
        forest, arrays = flow.forest, flow.arrays
        self.forest, self.arrays, self.constraints = forest, arrays, constraints
        self.direction, sign = direction, sign_of(direction)
        self.placement: Placement = place_limits(net, arrays, terms, constraints, self.forest)
        self.bounds, self._as_it_stands = place_bounds(
            terms, constraints, base, usable, forest, self.placement, direction
        )
        self.v_base = flow.u_pu[forest.node]
        self.ports: OnePorts = build_ports(self.tree, self.bounds, self.v_base, sign)
        self.needs: Needs = find_needs(self.tree, self.bounds, self.ports, self.v_base, sign)
        self._literal_needs = self.needs  # without thresholds they are the same
        if (constraints.effects > 0.0).any():
            self._literal_needs = find_needs(self.tree, self._as_it_stands, self.ports, self.v_base, sign)
        self._back_needs = None if direction == "load" else self._needs_of_flows_backwards(sign)
        self.island_of_position = np.repeat(self.forest.islands, np.diff([*self.forest.roots, len(self.v_base)]))
        self.islands = frozenset(self._good_islands(flow.doubtful))
        self._is_answered = np.isin(self.island_of_position, list(self.islands))
        self._attach = attach_buses(net, arrays, self.forest)
        self._voltage_row_of_bus = _rows_by_bus(constraints, usable, VOLTAGE[direction])

    @property
    def tree(self) -> Tree:
        """The trees of all radial islands."""
        return self.forest.tree

    def _good_islands(self, doubtful: Integers) -> list[int]:
        """Return the islands whose base case is in balance and whose one-ports are exact."""
        bad = inexact_positions(self.tree, self.ports)
        declined = np.concatenate([self.island_of_position[bad], self.placement.declined, doubtful])
        return [int(island) for island in np.setdiff1d(self.forest.islands, declined)]

    def position_of_buses(self, buses: Integers) -> Integers:
        """Return the position of each bus; ``NOWHERE`` at sources and outside the islands answered here."""
        node = self.arrays.node_of_bus[buses]
        position = np.where(node >= 0, self.forest.position_of_node[node], NOWHERE)
        return np.where((position != NOWHERE) & self._is_answered[position], position, NOWHERE)

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
            sign_of(self.direction),
            self.needs if self._back_needs is None else self._back_needs,
        )
        is_found = (answers.outcome == SETTLED) & self._is_plain(unique)
        p_mw, row = np.where(is_found, answers.p_mw, np.nan), np.where(is_found, answers.row, NO_LIMIT)
        named = self.named(buses, positions, row[place], answers.head[place], answers.via[place])
        return Found(p_mw=p_mw[place], row=named, noted=answers.noted[place], noted_count=answers.noted_count[place])

    def _needs_of_flows_backwards(self, sign: float) -> Needs:
        """Return what flow limits alone ask of voltages that move the other way."""
        flows = self._as_it_stands._replace(v_off=np.full(len(self.v_base), np.inf))
        needs: Needs = find_needs(self.tree, flows, self.ports, self.v_base, -sign)
        return needs

    def _is_plain(self, positions: Integers) -> Flags:
        """Return where a connection leaves the loads that are there as they are.

        The reference shares out voltage dependence anew over all that is connected to a bus, generators included.
        """
        node = self.forest.node[positions]
        return np.asarray((self.arrays.s_linear_mva[node] == 0.0) & (self.arrays.s_square_mva[node] == 0.0))

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
        is_voltage &= (self.placement.position[row] == head) & (self.constraints.is_kind(VOLTAGE[self.direction])[row])
        other = self._voltage_row_of_bus[np.where(is_voltage, bus, 0)]
        return np.where(is_voltage & (other != NO_LIMIT), other, row)


def inexact_positions(tree: Tree, ports: OnePorts) -> Flags:
    """Return the positions whose one-port is not exact, shape (positions,); sources have none."""
    rough = last_power_mva(ports) / LAST_SHARE > ROUGH_MVA
    return np.asarray((~ports.is_sound | rough) & (tree.parent != NOWHERE))


def _rows_by_bus(constraints: Constraints, usable: Flags, kind: Kind) -> Integers:
    """Return the row of each bus's limit of one kind, by bus index; ``NO_LIMIT`` where there is none."""
    rows = np.flatnonzero(constraints.is_kind(kind) & usable)
    buses = constraints.elements[constraints.rows_of("bus")]
    found = np.full(buses.max(initial=0) + 1, NO_LIMIT, dtype=np.int64)
    found[constraints.elements[rows]] = rows
    return found
