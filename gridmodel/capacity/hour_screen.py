"""Estimates in which hours each bus can carry least, so that only those hours are solved exactly.

Every hour of the radial islands is solved by sweeps. The load a limit leaves room for is then estimated on each way to
the source: a flow limit by adding the load to the flow of its branch, a voltage limit by the impedance the load and the
limited bus have in common (``dV/dP = (R + X tan(phi)) / V`` summed down to where their ways part). Estimates only rank
hours; no capacity is taken from them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from gridmodel.capacity.arrays import NO_ISLAND, Complexes, FlowArrays, Integers, build_terms, extract_arrays
from gridmodel.capacity.base_case import BaseCase
from gridmodel.capacity.constraints import Flags, Floats
from gridmodel.capacity.path.bounds import CHILD, PARENT, Bounds
from gridmodel.capacity.path.compiled import compiled
from gridmodel.capacity.path.engine import PathEngine
from gridmodel.capacity.path.sweep import start_flat, sweep
from gridmodel.capacity.path.tree import NOWHERE, Forest, Tree, plant_forest
from gridmodel.profiles import LoadProfiles, ProfiledElements

RANKS = 4
"""So many worst hours of every bus are solved exactly."""
_LEAST_EFFECT_PU_PER_MW = 1e-12


class Rules(NamedTuple):
    """When a limit counts off the supply path: the least change by the load itself."""

    v_effect_pu: float
    flow_effect: Floats
    """In the unit of the flow limit, shape (positions, 2)."""


class Records(NamedTuple):
    """What the hours seen so far came to, per position; hours are -1 before the first."""

    least: Floats
    """Lowest estimates (MW), ascending, shape (positions, RANKS)."""
    hour: Integers
    """Their hours."""
    margin: Floats
    """Smallest margins to the position's own limits: voltage (pu) and both flows (share of the limit), (positions, 3);
    negative = broken."""
    margin_hour: Integers


class HourScreen:
    """The radial islands of one net, ready to be screened hour by hour."""

    def __init__(
        self,
        base: BaseCase,
        elements: Mapping[str, ProfiledElements],
        profiles: LoadProfiles,
        *,
        row: int,
        tan_phi: float,
    ) -> None:
        """Plant the forest.

        Args:
            base: The base case of one hour.
            elements: Loads and static generators with their profiles.
            profiles: The profiles.
            row: Hour that ``base`` was solved for.
            tan_phi: Of the extra load.
        """
        self._arrays: FlowArrays = extract_arrays(base.net)
        self._base, self._profiles, self._row, self._tan_phi = base, profiles, row, tan_phi
        self._forest: Forest | None = plant_forest(self._arrays)
        if self._forest is None:
            return
        self._bounds, self._rules = _bounds_of(base, self._arrays, self._forest)
        self._p_mw, self._q_mvar = self._powers_by_profile(elements, self._forest)
        count = len(self._forest.node)
        self._records = Records(
            least=np.full((count, RANKS), np.inf),
            hour=np.full((count, RANKS), -1, dtype=np.int64),
            margin=np.full((count, 3), np.inf),
            margin_hour=np.full((count, 3), -1, dtype=np.int64),
        )
        self._voltage: Complexes = np.ones(count, dtype=np.complex128)
        self._current = np.zeros_like(self._voltage)
        self._ends = [*self._forest.roots[1:].tolist(), count]
        self._unsolved: dict[int, list[int]] = {}
        """Hours without solution by root."""
        for first, last in zip(self._forest.roots.tolist(), self._ends, strict=True):
            start_flat(self._forest.tree, first, last, self._voltage)

    def covers(self, bus: int) -> bool:
        """Return whether screening can speak for ``bus``; it can where no hour changes anything, too."""
        if bus in self._base.unsolved:
            return False
        node = self._arrays.node_of_bus.get(bus)
        if node is None or self._arrays.island_of_node[node] == NO_ISLAND:
            return True
        return self._forest is not None and bool(self._forest.position_of_node[node] != NOWHERE)

    def see(self, row: int) -> None:
        """Screen one hour (row of the profiles)."""
        if self._forest is None:
            return
        more_p = self._p_mw @ (self._profiles.p_all[row] - self._profiles.p_all[self._row])
        more_q = self._q_mvar @ (self._profiles.q_all[row] - self._profiles.q_all[self._row])
        tree = self._forest.tree._replace(s_constant=self._forest.tree.s_constant + more_p + 1j * more_q)
        for first, last in zip(self._forest.roots.tolist(), self._ends, strict=True):
            if not screen_island(
                tree,
                self._bounds,
                self._rules,
                self._records,
                first,
                last,
                row,
                self._tan_phi,
                self._voltage,
                self._current,
            ):
                self._unsolved.setdefault(first, []).append(row)
                start_flat(tree, first, last, self._voltage)

    def worst_hours(self, buses: list[int]) -> set[int]:
        """Return the hours in which some of ``buses`` may carry least, or some limit near them is broken most."""
        if self._forest is None:
            return set()
        nodes = self._arrays.node_of_bus
        at = self._forest.position_of_node[[nodes[bus] for bus in buses if bus in nodes]]
        at = np.unique(at[at != NOWHERE])
        hours = set(self._records.hour[at].ravel().tolist())
        roots = np.unique(np.searchsorted(self._forest.roots, at, side="right") - 1)
        for root in roots.tolist():
            first, last = int(self._forest.roots[root]), self._ends[root]
            hours.update(self._unsolved.get(first, []))
            is_broken = self._records.margin[first:last] < 0.0
            hours.update(self._records.margin_hour[first:last][is_broken].tolist())
        return hours - {-1}

    def _powers_by_profile(self, elements: Mapping[str, ProfiledElements], forest: Forest) -> tuple[Floats, Floats]:
        """Return what follows each profile at each position (MW, Mvar consumed at multiplier 1)."""
        shape = (len(forest.node), self._profiles.p_all.shape[1])
        p_mw, q_mvar = np.zeros(shape), np.zeros(shape)
        for table, sign in (("load", 1.0), ("sgen", -1.0)):
            frame, part = self._base.net[table], elements[table]
            factor = sign * (frame.scaling * frame.in_service).to_numpy(dtype=float)
            node = np.array([self._arrays.node_of_bus.get(bus, -1) for bus in frame.bus.tolist()], dtype=np.int64)
            position = np.where(node >= 0, forest.position_of_node[node], NOWHERE)
            chosen = np.flatnonzero((position != NOWHERE) & (part.column >= 0))
            place = (position[chosen], part.column[chosen])
            np.add.at(p_mw, place, (factor * part.p_mw)[chosen])
            np.add.at(q_mvar, place, (factor * part.q_mvar)[chosen])
        return p_mw, q_mvar


def _bounds_of(base: BaseCase, arrays: FlowArrays, forest: Forest) -> tuple[Bounds, Rules]:
    limits = base.constraints
    terms = build_terms(base.net, arrays, limits)
    usable: Flags = np.isfinite(base.values) & np.isfinite(limits.limits)
    bounds: Bounds = PathEngine(forest, base.net, arrays, terms, limits, base.values, usable).bounds
    loading = np.where(np.isfinite(limits.limits), limits.effects / limits.limits, 0.0)
    is_limited = np.isfinite(bounds.flow_on)
    effect = np.where(is_limited, loading[bounds.flow_on_row] * np.where(is_limited, bounds.flow_on, 0.0), 0.0)
    v_effect_pu = float(limits.effects[limits.kinds == "voltage_low"].max(initial=0.0))
    return bounds, Rules(v_effect_pu=v_effect_pu, flow_effect=effect)


@compiled
def load_to_reach(s: complex, limit: float, tan_phi: float) -> float:
    """Return the load (MW) that brings the apparent power ``s`` (MVA) to ``limit``; below 0 where it is exceeded."""
    if abs(s) > limit:
        return 1.0 - abs(s) / limit
    a = 1.0 + tan_phi * tan_phi
    b = s.real + s.imag * tan_phi
    c = s.real * s.real + s.imag * s.imag - limit * limit
    return (-b + math.sqrt(b * b - a * c)) / a


@compiled
def counted_off_path(value: float, limit: float, effect: float) -> float:
    """Return the limit that counts off the path for a quantity that grows; inf = never."""
    if effect > 0.0:
        return max(limit, value + effect)
    return limit if value <= limit else np.inf


@compiled
def note_estimate(records: Records, i: int, p_mw: float, hour: int) -> None:
    """Keep an estimate among the least of position ``i``; of equal ones the earlier hour stays ahead."""
    for rank in range(RANKS):
        if p_mw < records.least[i, rank]:
            for later in range(RANKS - 1, rank, -1):
                records.least[i, later], records.hour[i, later] = (
                    records.least[i, later - 1],
                    records.hour[i, later - 1],
                )
            records.least[i, rank], records.hour[i, rank] = p_mw, hour
            return


@compiled
def note_margin(records: Records, i: int, which: int, margin: float, hour: int) -> None:
    """Keep the smallest margin to one of the limits of position ``i``."""
    if margin < records.margin[i, which]:
        records.margin[i, which], records.margin_hour[i, which] = margin, hour


@compiled
def screen_island(
    tree: Tree,
    bounds: Bounds,
    rules: Rules,
    records: Records,
    first: int,
    last: int,
    hour: int,
    tan_phi: float,
    voltage: Complexes,
    current: Complexes,
) -> bool:
    """Solve one island in one hour and note what it leaves room for; return False without solution.

    ``voltage`` (pu, shape (positions,)) is the start of the sweeps and holds the solution afterwards; ``current`` (pu)
    holds what is delivered to each position.
    """
    count = last - first
    if sweep(tree, first, last, 0.0j, -1, voltage, current) < 0:
        return False
    effect = np.zeros(count)  # what a MW at this position takes off its own voltage, pu
    room_pu = np.full(count, np.inf)  # least room of all voltages in the subtree, off the path
    for i in range(first + 1, last):
        z = tree.v_from_j[i] / tree.v_from_v[i]
        above = effect[tree.parent[i] - first] / abs(tree.v_from_v[i])
        effect[i - first] = above + (z.real + z.imag * tan_phi) / abs(voltage[i])
    for i in range(last - 1, first, -1):
        own = abs(voltage[i]) - bounds.v_on[i]
        note_margin(records, i, 0, own, hour)
        own = counted_off_path(-abs(voltage[i]), -bounds.v_on[i], rules.v_effect_pu) + abs(voltage[i])
        room_pu[i - first] = min(room_pu[i - first], own)
        room_pu[tree.parent[i] - first] = min(room_pu[tree.parent[i] - first], room_pu[i - first])
    on, off = np.full(count, np.inf), np.full(count, np.inf)
    for i in range(first + 1, last):
        at, parent = i - first, tree.parent[i] - first
        by_flow_on, by_flow_off = room_of_flows(tree, bounds, rules, records, i, hour, tan_phi, voltage, current)
        per_mw = max(effect[at], _LEAST_EFFECT_PU_PER_MW)
        on[at] = min(by_flow_on, (abs(voltage[i]) - bounds.v_on[i]) / per_mw)
        if not bounds.ends_path[i]:
            on[at] = min(on[at], on[parent])
        off[at] = min(off[parent], by_flow_off, room_pu[at] / per_mw)
        note_estimate(records, i, min(on[at], off[at]), hour)
    return True


@compiled
def room_of_flows(
    tree: Tree,
    bounds: Bounds,
    rules: Rules,
    records: Records,
    i: int,
    hour: int,
    tan_phi: float,
    voltage: Complexes,
    current: Complexes,
) -> tuple[float, float]:
    """Return the load (MW) the branch above ``i`` leaves room for, on the path of the load and off it."""
    on, off = np.inf, np.inf
    for end in (CHILD, PARENT):
        limit = bounds.flow_on[i, end]
        if not np.isfinite(limit):
            continue
        v, j = voltage[i], current[i]
        if end == PARENT:
            v, j = voltage[tree.parent[i]], tree.i_from_v[i] * voltage[i] + tree.i_from_j[i] * current[i]
        s = v * np.conj(j)
        flow, power_per_flow = (abs(s), 1.0) if bounds.is_power[i] else (abs(j), abs(v))
        note_margin(records, i, 1 + end, 1.0 - flow / limit, hour)
        on = min(on, load_to_reach(s, limit * power_per_flow, tan_phi))
        counted = counted_off_path(flow, limit, rules.flow_effect[i, end])
        if np.isfinite(counted):
            off = min(off, load_to_reach(s, counted * power_per_flow, tan_phi))
    return on, off
