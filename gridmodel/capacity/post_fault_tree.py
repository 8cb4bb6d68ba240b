"""A post-fault state as a tree: its load flow, what it measures against the limits, and what its buses can carry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.constraints import Flags, Floats
from gridmodel.capacity.direction import LOAD
from gridmodel.capacity.path.bounds import NO_LIMIT, Bounds
from gridmodel.capacity.path.engine import inexact_positions
from gridmodel.capacity.path.hour_limits import PathWorst, Worst, worst_on_path
from gridmodel.capacity.path.needs import Needs, find_needs
from gridmodel.capacity.path.oneport import OnePorts, build_ports
from gridmodel.capacity.path.shooting import SETTLED, shoot_all
from gridmodel.capacity.path.supply import marks_on_path
from gridmodel.capacity.path.sweep import start_flat, sweep
from gridmodel.capacity.path.tree import NOWHERE, Tree
from gridmodel.capacity.switched_arrays import SwitchedArrays, Switching
from gridmodel.capacity.switched_edges import NOTHING
from gridmodel.capacity.switched_limits import Limited, limit
from gridmodel.capacity.switched_trees import Furnished, Planted, furnish, plant


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
    planted: Planted
    furnished: Furnished
    limited: Limited
    tree: Tree
    u_pu: Floats
    """Shape (positions,)."""
    values: Floats
    """What each limit of ``limited.rows`` measures without extra load."""

    def position_of(self, vertex: int) -> int:
        """Return the position of a vertex, ``NOWHERE`` outside the tree."""
        at = np.flatnonzero(self.planted.vertex == vertex)
        return int(self.planted.position[at[0]]) if len(at) else NOWHERE

    def is_on_path(self, position: int) -> Flags:
        """Return which of ``limited.rows`` stand on the supply path of a position."""
        on_path = np.zeros(len(self.u_pu), dtype=bool)
        parent, ends_path, here = self.tree.parent, self.furnished.ends_path, position
        while here != NOWHERE:
            on_path[here] = True
            here = NOWHERE if ends_path[here] else int(parent[here])
        return on_path[self.limited.places]

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
        free = np.flatnonzero(~is_existing & ~is_unrated)
        if not len(free) or self._engine is None:
            return carried
        bounds, ports, needs = self._engine
        chosen = positions[free]
        depth_max = self.planted.depth_max  # below without notes: nothing that counts is broken at the answer
        shot = shoot_all(
            self.tree, bounds, ports, needs, bounds, needs, chosen, self.u_pu, tan_phi, depth_max, LOAD, needs
        )
        # the reference shares out voltage dependence anew when a load is added at such a bus
        found = (shot.outcome == SETTLED) & ~self._is_voltage_dependent[chosen]
        carried.p_mw[free] = np.where(found, shot.p_mw, np.nan)
        carried.row[free] = np.where(found, shot.row, NO_LIMIT)
        return carried

    @cached_property
    def _engine(self) -> tuple[Bounds, OnePorts, Needs] | None:
        """Limits, one-ports and needs; None where the one-ports are not exact."""
        limited = self.limited
        bounds = Bounds(
            v_on=limited.lowest[0],
            v_on_row=limited.lowest_row[0],
            v_off=limited.lowest[1],
            v_off_row=limited.lowest_row[1],
            flow_on=limited.greatest[0],
            flow_on_row=limited.greatest_row[0],
            flow_off=limited.greatest[1],
            flow_off_row=limited.greatest_row[1],
            is_power=self.furnished.is_power,
            ends_path=self.furnished.ends_path,
            is_star=self.furnished.is_star,
        )
        ports = build_ports(self.tree, bounds, self.u_pu, LOAD)
        if inexact_positions(self.tree, ports).any():
            return None
        return bounds, ports, find_needs(self.tree, bounds, ports, self.u_pu, LOAD)

    @cached_property
    def _worst_on_path(self) -> PathWorst:
        """The limit broken most on the supply path of each position, over-voltages left out."""
        limited = self.limited
        worst = Worst(limited.excess, limited.excess_row)
        if not limited.is_any_broken:
            return PathWorst(*worst, limited.excess_row, limited.excess_row)
        return worst_on_path(self.tree, self.furnished.ends_path, worst)

    @cached_property
    def _is_behind_unrated(self) -> Flags:
        mark = np.where(self.switched.equipment.is_unrated[self.planted.above], 0, NOWHERE)
        mark[0] = NOWHERE
        if not (mark + 1).any():
            return np.zeros(len(mark), dtype=bool)
        return np.asarray(marks_on_path(self.tree, self.furnished.ends_path, mark).nearest != NOWHERE)

    @cached_property
    def _is_voltage_dependent(self) -> Flags:
        found = np.zeros(len(self.u_pu), dtype=bool)
        found[self.planted.position[self.switched.equipment.is_voltage_dependent[self.planted.vertex]]] = True
        return found


def grow_tree(switched: SwitchedArrays, state: Switching, start: int) -> PostFaultTree | None:
    """Return the solved tree that holds the vertex ``start``; None where there is no tree or sweeps do not solve it."""
    if start == NOTHING:
        return None
    planted = plant(switched.wiring, state, start, switched.seen, switched.queue)
    if not len(planted.vertex):
        return None
    furnished, count = furnish(switched.equipment, planted), len(planted.above)
    if not furnished.fits:
        return None
    v_source = np.zeros(count)
    v_source[0] = switched.equipment.v_source[planted.vertex[0]]
    tree = Tree(
        parent=planted.parent,
        end=planted.end,
        v_from_v=furnished.two_port[0],
        v_from_j=furnished.two_port[1],
        i_from_v=furnished.two_port[2],
        i_from_j=furnished.two_port[3],
        s_constant=furnished.load[0],
        s_linear=furnished.load[1],
        s_square=furnished.load[2],
        v_source=v_source,
    )
    voltage, current = np.ones((2, count), dtype=np.complex128)
    start_flat(tree, 0, count, voltage)
    if sweep(tree, 0, count, 0.0j, NOWHERE, voltage, current) < 0:
        return None
    limits, values = switched.base.constraints, switched.values
    limited = limit(
        switched.equipment,
        planted,
        furnished,
        voltage,
        current,
        limits.limits,
        limits.signs,
        limits.effects,
        switched.is_high,
        values,
    )
    grown = PostFaultTree(
        switched=switched,
        planted=planted,
        furnished=furnished,
        limited=limited,
        tree=tree,
        u_pu=np.abs(voltage),
        values=values[limited.rows],
    )
    values[limited.rows] = np.nan
    return grown
