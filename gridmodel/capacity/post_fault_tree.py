"""A post-fault state as a tree: its load flow, what it measures against the limits, and what its buses can carry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.constraints import SOLUTION_NOISE, Flags, Floats
from gridmodel.capacity.path.bounds import NO_LIMIT, Bounds
from gridmodel.capacity.path.engine import inexact_positions
from gridmodel.capacity.path.hour_limits import PathWorst, Worst, worst_on_path
from gridmodel.capacity.path.oneport import Needs, OnePorts, build_ports, find_needs
from gridmodel.capacity.path.shooting import SETTLED, shoot_all
from gridmodel.capacity.path.supply import marks_on_path
from gridmodel.capacity.path.sweep import start_flat, sweep
from gridmodel.capacity.path.tree import NOWHERE, Tree
from gridmodel.capacity.switched_arrays import SwitchedArrays, Switching
from gridmodel.capacity.switched_trees import (
    NOTHING,
    end_paths,
    limit_flows,
    limit_voltages,
    load_positions,
    measure_positions,
    number_positions,
    survey,
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Carried:
    """What some positions of a tree can carry, one entry each."""

    p_mw: Floats
    """Load at which the first limit breaks; 0 where one is broken without it, NaN where not answered."""
    row: Integers
    """Limit that binds; ``NO_LIMIT`` where not answered."""
    is_existing: Flags
    """It is broken without the load."""
    is_unrated: Flags
    """A rating on the supply path is missing, so nothing is said."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PostFaultTree:
    """One solved tree of a state. Positions are numbered depth first from the source."""

    switched: SwitchedArrays
    vertex: Integers
    """Vertices with the source."""
    position: Integers
    """Theirs."""
    above: Integers
    """Edge above each position; ``NOTHING`` at the source."""
    tree: Tree
    u_pu: Floats
    """Shape (positions,)."""
    rows: Integers
    """Limits of elements of the tree."""
    places: Integers
    """Position of each: of its bus, or of the branch above."""
    values: Floats
    """What each measures without extra load."""
    voltage_bounds: tuple[Floats, Integers]
    flow_bounds: tuple[Floats, Integers]
    ends_path: Flags
    is_star: Flags

    def position_of(self, vertex: int) -> int:
        """Return the position of a vertex, ``NOWHERE`` outside the tree."""
        at = np.flatnonzero(self.vertex == vertex)
        return int(self.position[at[0]]) if len(at) else NOWHERE

    def is_on_path(self, position: int) -> Flags:
        """Return which of ``rows`` stand on the supply path of a position."""
        on_path = np.zeros(len(self.above), dtype=bool)
        parent, ends_path, here = self.tree.parent, self.ends_path, position
        while here != NOWHERE:
            on_path[here] = True
            here = NOWHERE if ends_path[here] else int(parent[here])
        return on_path[self.places]

    def carry(self, positions: Integers, tan_phi: float) -> Carried:
        """Return what some positions, each named once, can carry; none at the source.

        Args:
            positions: Where the load is.
            tan_phi: Reactive per active power of the extra load.
        """
        at_worst, is_unrated = self._worst_on_path, self._is_behind_unrated[positions]
        is_existing = (at_worst.row[positions] != NO_LIMIT) & ~is_unrated
        carried = Carried(
            p_mw=np.where(is_existing, 0.0, np.nan),
            row=np.where(is_existing, at_worst.row[positions], NO_LIMIT),
            is_existing=is_existing,
            is_unrated=is_unrated,
        )
        engine = self._engine
        free = np.flatnonzero(~is_existing & ~is_unrated)
        if engine is None or not len(free):
            return carried
        bounds, ports, needs = engine
        chosen = positions[free]
        shot = shoot_all(
            self.tree, bounds, ports, needs, bounds, needs, chosen, self.u_pu, tan_phi, len(self.above)
        )  # without notes: nothing that counts is broken at the answer
        # the reference shares out voltage dependence anew when a load is added at such a bus
        found = (shot.outcome == SETTLED) & ~self._is_voltage_dependent[chosen]
        carried.p_mw[free] = np.where(found, shot.p_mw, np.nan)
        carried.row[free] = np.where(found, shot.row, NO_LIMIT)
        return carried

    @cached_property
    def _engine(self) -> tuple[Bounds, OnePorts, Needs] | None:
        """Limits, one-ports and needs; None where the one-ports are not exact."""
        (lowest, lowest_row), (greatest, greatest_row) = self.voltage_bounds, self.flow_bounds
        bounds = Bounds(
            v_on=lowest[0],
            v_on_row=lowest_row[0],
            v_off=lowest[1],
            v_off_row=lowest_row[1],
            flow_on=greatest[0],
            flow_on_row=greatest_row[0],
            flow_off=greatest[1],
            flow_off_row=greatest_row[1],
            is_power=np.where(self.above == NOTHING, False, self.switched.equipment.is_power[self.above]),
            ends_path=self.ends_path,
            is_star=self.is_star,
        )
        ports = build_ports(self.tree, bounds, self.u_pu)
        if inexact_positions(self.tree, ports).any():
            return None
        return bounds, ports, find_needs(self.tree, bounds, ports, self.u_pu)

    @cached_property
    def _worst_on_path(self) -> PathWorst:
        """The limit broken most on the supply path of each position, over-voltages left out."""
        limits, count = self.switched.base.constraints, len(self.above)
        worst = Worst(np.full(count, -np.inf), np.full(count, NO_LIMIT, dtype=np.int64))
        excess = limits.signs[self.rows] * (self.values - limits.limits[self.rows])
        broken = np.flatnonzero((excess > SOLUTION_NOISE) & ~limits.is_kind("voltage_high")[self.rows])
        broken = broken[np.lexsort((-self.rows[broken], excess[broken]))]  # the last one stays: of equals the first row
        worst.excess[self.places[broken]], worst.row[self.places[broken]] = excess[broken], self.rows[broken]
        return worst_on_path(self.tree, self.ends_path, worst)

    @cached_property
    def _is_behind_unrated(self) -> Flags:
        mark = np.where(self.switched.equipment.is_unrated[self.above], 0, NOWHERE)
        mark[0] = NOWHERE
        if (mark == NOWHERE).all():
            return np.zeros(len(mark), dtype=bool)
        return np.asarray(marks_on_path(self.tree, self.ends_path, mark).nearest != NOWHERE)

    @cached_property
    def _is_voltage_dependent(self) -> Flags:
        found = np.zeros(len(self.above), dtype=bool)
        found[self.position[self.switched.equipment.is_voltage_dependent[self.vertex]]] = True
        return found


def grow_tree(switched: SwitchedArrays, state: Switching, start: int) -> PostFaultTree | None:
    """Return the solved tree that holds the vertex ``start``; None where there is no tree or sweeps do not solve it."""
    wiring, equipment, limits = switched.wiring, switched.equipment, switched.base.constraints
    root, vertices, couplers, loose = survey(wiring, state, start) if start != NOTHING else (NOTHING, 0, 0, 0)
    if root == NOTHING:
        return None
    vertex, position, parent, end, above, lower = number_positions(wiring, state, root, vertices, couplers, loose)
    ends_path, is_star, fits = end_paths(equipment, vertex, position, above, lower)
    if not fits:
        return None
    two_port, load = load_positions(equipment, vertex, position, above, lower)
    v_source = np.zeros(len(above))
    v_source[0] = equipment.v_source[vertex[0]]
    tree = Tree(
        parent=parent,
        end=end,
        v_from_v=two_port[0],
        v_from_j=two_port[1],
        i_from_v=two_port[2],
        i_from_j=two_port[3],
        s_constant=load[0],
        s_linear=load[1],
        s_square=load[2],
        v_source=v_source,
    )
    voltage, current = np.ones((2, len(above)), dtype=np.complex128)
    start_flat(tree, 0, len(above), voltage)
    if sweep(tree, 0, len(above), 0.0j, NOWHERE, voltage, current) < 0:
        return None
    values = switched.scratch
    rows, places = measure_positions(
        equipment, vertex, position, parent, above, lower, two_port, voltage, current, values
    )
    bounding = (limits.limits, limits.signs, limits.effects, values)
    grown = PostFaultTree(
        switched=switched,
        vertex=vertex,
        position=position,
        above=above,
        tree=tree,
        u_pu=np.abs(voltage),
        rows=rows,
        places=places,
        values=values[rows],
        voltage_bounds=limit_voltages(equipment, vertex, position, len(above), *bounding),
        flow_bounds=limit_flows(equipment, above, lower, *bounding),
        ends_path=ends_path,
        is_star=is_star,
    )
    values[rows] = np.nan
    return grown
