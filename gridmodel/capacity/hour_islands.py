"""The radial islands of a net, solved exactly in any hour without going back to the net.

Loads enter a tree only through the power taken at its positions, so an hour is the base case with other powers: a new
load flow by sweeps, the limits that follow from it, one-ports, and a walk per candidate (``decisions/0005``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gridmodel.capacity.arrays import VOLTAGE_DEPENDENT, Integers, Terms
from gridmodel.capacity.base_case import BaseCase
from gridmodel.capacity.constraints import Constraints, Flags, Floats
from gridmodel.capacity.direction import Direction
from gridmodel.capacity.path.bounds import CHILD, NO_LIMIT, PARENT, Bounds
from gridmodel.capacity.path.engine import PathEngine, inexact_positions
from gridmodel.capacity.path.hour_limits import (
    HourLimits,
    PathWorst,
    ProfiledPowers,
    Worst,
    set_hour_limits,
    set_powers,
    worst_on_path,
)
from gridmodel.capacity.path.needs import find_needs
from gridmodel.capacity.path.oneport import build_ports
from gridmodel.capacity.path.shooting import SETTLED, Answers, shoot_all
from gridmodel.capacity.path.supply import marks_on_path
from gridmodel.capacity.path.sweep import start_flat, sweep
from gridmodel.capacity.path.tree import NOWHERE, Forest, Tree
from gridmodel.profiles import LoadProfiles, ProfiledElements


@dataclass(frozen=True, eq=False, kw_only=True)
class HourAnswer:
    """What one island's candidates can carry in one hour; one entry per candidate unless said otherwise."""

    p_mw: Floats
    """Load at which the first limit breaks; 0 where one is broken without it, NaN where not answered."""
    is_existing: Flags
    """A limit of the supply path is broken without the load."""
    row: Integers
    """Limit that binds; ``NO_LIMIT`` where not answered."""
    head: Integers
    """Position in the forest whose voltage it is; -1 for another limit."""
    via: Integers
    """Position below ``head`` on the way to the candidate."""
    excess: Floats
    """By how much an existing violation exceeds its limit (pu or ratio)."""
    u_pu: Floats
    noted: Integers
    """First limits broken at that load that do not count, shape (candidates, NOTED_MAX)."""
    noted_count: Integers
    broken: Integers
    """Limits of the island broken without the load, ascending, any shape."""


@dataclass(eq=False, kw_only=True)
class RadialIsland:
    """One radial island with the buses asked for, ready for any hour. Positions count from its source."""

    tree: Tree
    first: int
    """Its first position in the forest."""
    counted: Bounds
    """Limits as attribution counts them; the part off the path is that of the hour solved last."""
    literal: Bounds
    limits: HourLimits
    is_plain: bool
    """No limit has an effect threshold."""
    at_source: tuple[float, int]
    """Excess and row of a limit that is broken at the source itself, in every hour; row -1 = none."""
    powers: ProfiledPowers
    depth_max: int
    bus: Integers
    """Buses asked for, shape (buses,)."""
    place: Integers
    """Their places among all buses asked for."""
    position: Integers
    """Theirs."""

    def solve(self, more_p: Floats, more_q: Floats, tan_phi: float) -> HourAnswer | None:
        """Return the answers of one hour; None when the island has no solution, or not the exact one.

        Args:
            more_p: Multipliers of active power less those of the hour ``tree`` was made for, shape (profiles,).
            more_q: The same of reactive power.
            tan_phi: Reactive per active power of the extra load.
        """
        count = len(self.tree.parent)
        tree = self.tree._replace(s_constant=np.empty(count, dtype=np.complex128))
        set_powers(self.tree, self.powers, more_p, more_q, tree.s_constant)
        voltage, current = np.ones(count, dtype=np.complex128), np.ones(count, dtype=np.complex128)
        start_flat(tree, 0, count, voltage)
        if sweep(tree, 0, count, 0.0j, -1, voltage, current) < 0:
            return None
        worst = Worst(np.empty(count), np.empty(count, dtype=np.int64))
        is_broken = np.empty(len(self.limits.v_row) + len(self.limits.flow_row), dtype=bool)
        set_hour_limits(self.limits, tree, voltage, current, self.counted, self.literal, worst, is_broken)
        worst.excess[0], worst.row[0] = self.at_source
        v_base = np.abs(voltage)
        ports = build_ports(tree, self.counted, v_base)
        if inexact_positions(tree, ports).any():
            return None
        needs = find_needs(tree, self.counted, ports, v_base)
        literal_needs = needs if self.is_plain else find_needs(tree, self.literal, ports, v_base)
        on_path = worst_on_path(tree, self.counted.ends_path, worst)
        free, place = np.unique(self.position[on_path.row[self.position] == NO_LIMIT], return_inverse=True)
        shot = shoot_all(
            tree, self.counted, ports, needs, self.literal, literal_needs, free, v_base, tan_phi, self.depth_max
        )
        return self._answer(v_base, on_path, shot, place, is_broken)

    def _answer(self, v_base: Floats, on_path: PathWorst, shot: Answers, place: Integers, broken: Flags) -> HourAnswer:
        """Put together what was found on the paths without the load and by shooting (of position ``place``)."""
        at = self.position
        is_existing = on_path.row[at] != NO_LIMIT
        is_free = ~is_existing
        is_found = shot.outcome[place] == SETTLED
        answer = HourAnswer(
            p_mw=np.zeros(len(at)),
            is_existing=is_existing,
            row=on_path.row[at],
            head=on_path.head[at],
            via=on_path.via[at],
            excess=on_path.excess[at],
            u_pu=v_base[at],
            noted=np.full((len(at), shot.noted.shape[1]), NO_LIMIT, dtype=np.int64),
            noted_count=np.zeros(len(at), dtype=np.int64),
            broken=np.concatenate([self.limits.v_row, self.limits.flow_row])[broken],
        )
        answer.p_mw[is_free] = np.where(is_found, shot.p_mw[place], np.nan)
        answer.row[is_free] = np.where(is_found, shot.row[place], NO_LIMIT)
        answer.head[is_free], answer.via[is_free] = shot.head[place], shot.via[place]
        answer.noted[is_free], answer.noted_count[is_free] = shot.noted[place], shot.noted_count[place]
        for position in (answer.head, answer.via):
            position[position != NOWHERE] += self.first
        return answer


class HourIslands:
    """The radial islands of one net whose loads are known by profile, and the buses that can be answered in them."""

    def __init__(
        self,
        base: BaseCase,
        elements: Mapping[str, ProfiledElements],
        profiles: LoadProfiles,
        buses: Integers,
        *,
        row: int,
        direction: Direction = "load",
    ) -> None:
        """Compile the islands.

        Args:
            base: The base case of one hour.
            elements: Loads and static generators with their profiles.
            profiles: The profiles.
            buses: Buses asked for.
            row: Hour that ``base`` was solved for.
            direction: What is connected; paths answer for loads only.
        """
        self.more_p = profiles.p_all - profiles.p_all[row]
        """Multipliers less those of the reference hour, shape (hours, profiles)."""
        self.more_q = profiles.q_all - profiles.q_all[row]
        self.is_here = np.zeros(len(buses), dtype=bool)
        """Which of ``buses`` are answered by ``islands``."""
        self.islands: list[RadialIsland] = []
        self.engine: PathEngine | None = None
        if direction != "load" or base.flow is None or base.flow.forest is None or base.terms is None:
            return
        limits = base.constraints
        usable = np.isfinite(base.values) & np.isfinite(limits.limits)
        self.engine = engine = PathEngine(base.flow, base.original, base.terms, limits, base.values, usable)
        position = engine.position_of_buses(buses)
        good = engine.islands - {i for i, reason in base.flow.arrays.obstacles.items() if reason == VOLTAGE_DEPENDENT}
        self.is_here = (position != NOWHERE) & ~_behind_unrated(base, engine)[position]
        self.is_here &= np.isin(engine.island_of_position[position], list(good))
        self.islands = list(self._compile(base, usable, _profiled_powers(base, elements), buses, position))

    def _compile(
        self, base: BaseCase, usable: Flags, powers: ProfiledPowers, buses: Integers, position: Integers
    ) -> Iterator[RadialIsland]:
        """Yield the islands of the buses answered here."""
        engine = self.engine
        if engine is None or base.terms is None:
            return
        forest, limits = engine.forest, base.constraints
        ends = [*forest.roots[1:].tolist(), len(forest.node)]
        parts = _limits_by_island(base.terms, limits, usable, engine)
        here = np.flatnonzero(self.is_here)
        number = np.searchsorted(forest.roots, position[here], side="right") - 1
        for island in np.unique(number).tolist():
            first, last = int(forest.roots[island]), ends[island]
            place = here[number == island]
            tree = _slice_tree(forest.tree, first, last)
            yield RadialIsland(
                tree=tree,
                first=first,
                counted=_slice_bounds(engine.bounds, first, last),
                literal=_slice_bounds(engine.bounds, first, last),
                limits=parts[island],
                is_plain=not (limits.effects > 0.0).any(),
                at_source=_broken_at_source(base, forest, first),
                powers=_slice_powers(powers, first, last),
                depth_max=forest.depth_max,
                bus=buses[place],
                place=place,
                position=position[place] - first,
            )


def _behind_unrated(base: BaseCase, engine: PathEngine) -> Flags:
    """Return the positions whose supply path has an element without a rating, shape (positions,)."""
    limits = base.constraints
    mark = np.full(len(engine.forest.node), NOWHERE, dtype=np.int64)
    for table, elements in base.unrated.items():
        rows = limits.rows_of(table)
        at = engine.placement.position[rows[np.isin(limits.elements[rows], list(elements))]]
        mark[at[at != NOWHERE]] = 0
    return np.asarray(marks_on_path(engine.tree, engine.bounds.ends_path, mark).nearest != NOWHERE)


def _broken_at_source(base: BaseCase, forest: Forest, root: int) -> tuple[float, int]:
    """Return excess and row of the limit broken most at a source."""
    limits = base.constraints
    rows = np.flatnonzero(base.is_broken("load"))
    rows = rows[np.isin(rows, limits.rows_of("bus"))]
    rows = rows[base.live_flow.arrays.node_of_bus[limits.elements[rows]] == forest.node[root]]
    if not len(rows):
        return -np.inf, NO_LIMIT
    excess = limits.excess(base.values)[rows]
    return float(excess.max()), int(rows[excess.argmax()])


def _profiled_powers(base: BaseCase, elements: Mapping[str, ProfiledElements]) -> ProfiledPowers:
    """Return what follows each profile at each position of the forest, in order of positions."""
    flow = base.live_flow
    forest = flow.forest
    if forest is None:
        raise ValueError("no radial island")
    parts = []
    for table, sign in (("load", 1.0), ("sgen", -1.0)):
        frame, element = base.original[table], elements[table]
        factor = sign * (frame.scaling * frame.in_service).to_numpy(dtype=float)
        node = flow.arrays.node_of_bus[frame.bus.to_numpy(dtype=np.int64)]
        position = np.where(node >= 0, forest.position_of_node[node], NOWHERE)
        chosen = np.flatnonzero((position != NOWHERE) & (element.column >= 0))
        p_mw, q_mvar = (factor * element.p_mw)[chosen], (factor * element.q_mvar)[chosen]
        parts.append((position[chosen], element.column[chosen], p_mw, q_mvar))
    position, column, p_mw, q_mvar = (np.concatenate(values) for values in zip(*parts, strict=True))
    order = np.argsort(position, kind="stable")
    return ProfiledPowers(position[order], column[order], p_mw[order], q_mvar[order])


def _slice_powers(powers: ProfiledPowers, first: int, last: int) -> ProfiledPowers:
    begin, end = np.searchsorted(powers.position, [first, last])
    position, column = powers.position[begin:end] - first, powers.column[begin:end]
    return ProfiledPowers(position, column, powers.p_mw[begin:end], powers.q_mvar[begin:end])


def _slice_tree(tree: Tree, first: int, last: int) -> Tree:
    parts = {name: values[first:last].copy() for name, values in tree._asdict().items()}
    parts["parent"] = np.where(parts["parent"] == NOWHERE, NOWHERE, parts["parent"] - first)
    parts["end"] -= first
    return Tree(**parts)


def _slice_bounds(bounds: Bounds, first: int, last: int) -> Bounds:
    return Bounds(**{name: values[first:last].copy() for name, values in bounds._asdict().items()})


def _limits_by_island(terms: Terms, constraints: Constraints, usable: Flags, engine: PathEngine) -> list[HourLimits]:
    """Return the limits of each island of the forest."""
    forest, position = engine.forest, engine.placement.position
    rows = np.flatnonzero(constraints.is_kind("voltage_low") & (position != NOWHERE) & usable)
    inside = np.flatnonzero((forest.position_of_branch[terms.branch] != NOWHERE) & usable[terms.row])
    at = forest.position_of_branch[terms.branch[inside]]
    side = np.where((terms.end[inside] == 0) == forest.from_is_child[terms.branch[inside]], CHILD, PARENT)
    scale = np.abs(forest.share[terms.branch[inside]]) * terms.scale[inside]
    row_of_term = terms.row[inside]
    parts = []
    v_island = np.searchsorted(forest.roots, position[rows], side="right") - 1
    term_island = np.searchsorted(forest.roots, at, side="right") - 1
    for island, first in enumerate(forest.roots.tolist()):
        v_rows = rows[v_island == island]
        chosen = np.flatnonzero(term_island == island)
        starts = np.flatnonzero(np.diff(row_of_term[chosen], prepend=NO_LIMIT))
        flow_rows = row_of_term[chosen[starts]]
        parts.append(
            HourLimits(
                v_position=position[v_rows] - first,
                v_row=v_rows,
                v_limit=constraints.limits[v_rows],
                v_effect=constraints.effects[v_rows],
                flow_position=position[flow_rows] - first,
                flow_row=flow_rows,
                flow_limit=constraints.limits[flow_rows],
                flow_effect=constraints.effects[flow_rows],
                first_term=np.append(starts, len(chosen)),
                term_place=(at[chosen] - first) * 2 + side[chosen],
                term_scale=scale[chosen],
            )
        )
    return parts
