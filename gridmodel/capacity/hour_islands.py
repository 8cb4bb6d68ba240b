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
from gridmodel.capacity.path.engine import PathEngine
from gridmodel.capacity.path.hour_limits import HourLimits, ProfiledPowers
from gridmodel.capacity.path.hour_solve import HourAnswers, IslandParts, solve_hours
from gridmodel.capacity.path.supply import marks_on_path
from gridmodel.capacity.path.tree import NOWHERE, Forest, Tree
from gridmodel.profiles import LoadProfiles, ProfiledElements

_ANSWERS_MAX = 200_000
"""Hours x candidates solved in one call: some 30 MB of answers."""


@dataclass(frozen=True, eq=False, kw_only=True)
class HourAnswer:
    """What the buses of one island can carry in one hour; one entry per bus unless said otherwise.

    For the columns see :class:`gridmodel.capacity.path.hour_solve.HourAnswers`; positions are those of the forest.
    """

    p_mw: Floats
    is_existing: Flags
    row: Integers
    head: Integers
    via: Integers
    excess: Floats
    u_pu: Floats
    noted: Integers
    noted_count: Integers
    broken: Integers
    """Limits of the island broken without the load, in no order."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RadialIsland:
    """One radial island with the buses asked for, ready for any hour."""

    parts: IslandParts
    first: int
    """Its first position in the forest."""
    bus: Integers
    """Buses asked for, shape (buses,)."""
    place: Integers
    """Their places among all buses asked for."""
    candidates: Integers
    """Their positions, each once, ascending."""
    candidate: Integers
    """Place of each bus's position in ``candidates``."""

    def solve(self, more_p: Floats, more_q: Floats, tan_phi: float) -> Iterator[HourAnswer | None]:
        """Yield the answers of each hour; None where the island has no solution, or not the exact one.

        Args:
            more_p: Multipliers of active power less those of the reference hour, shape (hours, profiles).
            more_q: The same of reactive power.
            tan_phi: Reactive per active power of the extra load.
        """
        limits = np.concatenate([self.parts.limits.v_row, self.parts.limits.flow_row])
        size = max(1, _ANSWERS_MAX // len(self.candidates))
        for first in range(0, len(more_p), size):
            some = slice(first, first + size)
            answers = solve_hours(self.parts, more_p[some], more_q[some], self.candidates, tan_phi)
            for hour, is_solved in enumerate(answers.is_solved.tolist()):
                yield self._answer(answers, hour, limits) if is_solved else None

    def _answer(self, answers: HourAnswers, hour: int, limits: Integers) -> HourAnswer:
        at = self.candidate
        head, via = (np.where(p == NOWHERE, p, p + self.first) for p in (answers.head[hour], answers.via[hour]))
        return HourAnswer(
            p_mw=answers.p_mw[hour, at],
            is_existing=answers.is_existing[hour, at],
            row=answers.row[hour, at],
            head=head[at],
            via=via[at],
            excess=answers.excess[hour, at],
            u_pu=answers.u_pu[hour, at],
            noted=answers.noted[hour, at],
            noted_count=answers.noted_count[hour, at],
            broken=limits[answers.is_broken[hour]],
        )


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
            excess, row = _broken_at_source(base, forest, first)
            candidates, candidate = np.unique(position[place] - first, return_inverse=True)
            yield RadialIsland(
                parts=IslandParts(
                    tree=_slice_tree(forest.tree, first, last),
                    powers=_slice_powers(powers, first, last),
                    limits=parts[island],
                    counted=_slice_bounds(engine.bounds, first, last),
                    literal=_slice_bounds(engine.bounds, first, last),
                    is_plain=not (limits.effects > 0.0).any(),
                    source_excess_pu=excess,
                    source_row=row,
                    depth_max=forest.depth_max,
                ),
                first=first,
                bus=buses[place],
                place=place,
                candidates=candidates,
                candidate=candidate,
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
