"""Runs through the hours of a net: which are solved for which buses, and by what.

See ``decisions/0006-hours.md`` for how hours are chosen and how a wrong choice is found.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from gridmodel.capacity.arrays import NO_ISLAND, Integers
from gridmodel.capacity.base_case import BaseCase, solve_base_case
from gridmodel.capacity.constraints import Flags, Floats
from gridmodel.capacity.direction import Direction
from gridmodel.capacity.hour_islands import HourAnswer, HourIslands, RadialIsland
from gridmodel.capacity.island_search import IslandSearch
from gridmodel.capacity.limits import Limits
from gridmodel.capacity.rows import Rows
from gridmodel.net import Net
from gridmodel.profiles import LoadProfiles, notes_on, profiled_elements

Method = Literal["screened", "full"]
TYPES_MAX = 40
"""With more profiles in use than this they are metered curves, not types: every hour is solved."""
SHARE_MAX = 0.5
"""When screening names more than this share of the hours, every hour is solved."""
AUDIT_HOURS = 4
"""So many of the hours left out are solved in each island all the same; one lower value, and every hour is solved."""

Progress = Callable[[int, int], None]


@dataclass(slots=True, kw_only=True)
class HoursSolved:
    """Which hours were solved, and why."""

    method: Method
    hours_total: int
    hours_distinct: int
    """Without those whose multipliers repeat an earlier hour's."""
    hours_solved: int = 0
    """Solved exactly for some buses."""
    solved_ratio: float = 0.0
    """Solved pairs of hour and bus among all; distinct hours only."""
    buses_in_every_hour: int = 0
    """Buses that screening cannot speak for (rings, voltage-controlled generators): solved in every hour."""
    fallback: str = ""
    """Why every hour was solved although screening was asked for."""
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, eq=False, kw_only=True)
class Hours:
    """The hours of a study, each combination of multipliers once; arrays of shape (hours,)."""

    rows: Integers
    """Rows of the profiles, ascending."""
    kind: Integers
    """Class whose least capacity each hour competes for."""
    share: Floats
    """Of the extra load that is connected in the hour, in (0, 1]."""


class Keeper(Protocol):
    """Keeps what it wants of the answers of all hours; hours are rows of the profiles."""

    def keep_island(self, island: RadialIsland, answer: HourAnswer, hours: Hours, at: int) -> int:
        """Take an island's answers in one hour; return how many buses are lower than before by more than a step."""
        ...

    def keep_rows(self, places: Integers, rows: Rows, base: BaseCase, hours: Hours, at: int) -> None:
        """Take the answers of the buses at some places in one hour."""
        ...

    def is_lost(self) -> Flags:
        """Return which buses cannot be assessed in some hour seen, whatever the others say."""
        ...


class HoursStudy:
    """One net with profiles, solved hour by hour."""

    def __init__(
        self,
        net: Net,
        profiles: LoadProfiles,
        limits: Limits,
        *,
        tan_phi: float,
        ceiling_kw: float,
        direction: Direction,
        progress: Progress | None,
    ) -> None:
        """Prepare a study.

        Args:
            net: Only read.
            profiles: Multipliers of every hour.
            limits: Operating limits.
            tan_phi: Reactive per active power of the extra load.
            ceiling_kw: Largest load tried (kW).
            direction: Whether load or generation is connected; generation is searched in every hour.
            progress: Called with hours of islands done and in total.
        """
        self._net, self._profiles, self._limits = net, profiles, limits
        self._tan_phi, self._ceiling_kw, self._progress = tan_phi, ceiling_kw, progress
        self.direction: Direction = direction
        self._elements = profiled_elements(net, profiles)
        self._pending: dict[int, list[Integers]] = {}
        """Places left to load flows, by place of the hour."""
        self._done, self._total = 0, 0

    def base(self, row: int) -> BaseCase:
        """Return the base case of one hour (row of the profiles)."""
        net = copy.copy(self._net)
        for table, part in self._elements.items():
            p_mw, q_mvar = part.at(self._profiles, row)
            net[table] = self._net[table].assign(p_mw=p_mw, q_mvar=q_mvar)
        return solve_base_case(net, self._limits)

    def distinct(self, rows: list[int], kind: Integers, share: Floats) -> Hours:
        """Return the hours without those that repeat an earlier one in all profiles in use, class and share."""
        columns = self._columns_in_use()
        seen: dict[tuple[bytes, bytes, int, float], int] = {}
        for at in np.argsort(rows, kind="stable").tolist():
            p, q = (values[rows[at], columns].tobytes() for values in (self._profiles.p_all, self._profiles.q_all))
            seen.setdefault((p, q, int(kind[at]), float(share[at])), at)
        chosen = np.array(list(seen.values()), dtype=np.int64)
        return Hours(rows=np.array(rows, dtype=np.int64)[chosen], kind=kind[chosen], share=share[chosen])

    def prepare(self, hours: Hours, buses: Integers) -> tuple[BaseCase, HourIslands]:
        """Return the base case of the hour of least load, and the radial islands of ``buses``."""
        row = min(hours.rows.tolist(), key=self._load_mw)
        base = self.base(row)
        return base, HourIslands(base, self._elements, self._profiles, buses, row=row, direction=self.direction)

    def run(
        self,
        base: BaseCase,
        islands: HourIslands,
        buses: Integers,
        hours: Hours,
        keeper: Keeper,
        *,
        method: Method,
        seed: int,
    ) -> HoursSolved:
        """Solve what is needed and hand it to ``keeper``.

        Args:
            base: From :meth:`prepare`.
            islands: From :meth:`prepare`.
            buses: Buses asked for.
            hours: The hours.
            keeper: Is handed every answer.
            method: ``full`` solves every hour.
            seed: Of the hours solved as an audit.
        """
        count = len(hours.rows)
        solved = HoursSolved(method=method, hours_total=count, hours_distinct=count, notes=notes_on(self._elements))
        types = len(self._columns_in_use())
        if method == "screened" and types > TYPES_MAX:
            solved.fallback = f"{types} profiles in use, more than {TYPES_MAX}: metered curves, not types"
        done = np.zeros((len(islands.islands), count), dtype=bool)
        self._total = done.size
        if method == "screened" and not solved.fallback:
            self._run_screened(base, islands, hours, keeper, done, solved, seed)
        if method == "full" or solved.fallback:
            for island, is_done in zip(islands.islands, done, strict=True):
                self._solve(island, islands, np.flatnonzero(~is_done), hours, keeper)
                is_done[:] = True
        is_fixed = ~islands.is_here & _is_fixed(base, buses)
        is_open = ~islands.is_here & ~is_fixed
        if is_fixed.any():
            self._keep_rows(np.flatnonzero(is_fixed), base, buses, hours, 0, keeper)
        self._total += count
        self._solve_by_flows(np.flatnonzero(is_open), buses, hours, keeper)
        sizes = np.array([len(island.place) for island in islands.islands])
        solved.buses_in_every_hour = int(is_open.sum())
        solved.hours_solved = count if is_open.any() else max(1, int(done.any(axis=0).sum()))
        weight = int(sizes.sum()) + solved.buses_in_every_hour
        pairs = float(sizes @ done.sum(axis=1)) + solved.buses_in_every_hour * count
        solved.solved_ratio = round(pairs / (weight * count), 4) if weight else 0.0
        return solved

    def _run_screened(
        self,
        base: BaseCase,
        islands: HourIslands,
        hours: Hours,
        keeper: Keeper,
        done: Flags,
        solved: HoursSolved,
        seed: int,
    ) -> None:
        """Solve the hours that may bind in each island, and some others to see whether they do."""
        from gridmodel.capacity.hour_screen import worst_hours

        draw = random.Random(seed)  # noqa: S311 - no secret
        count, missed, crowded = len(hours.rows), 0, 0
        more_p, more_q = islands.more_p[hours.rows], islands.more_q[hours.rows]
        for island, is_done in zip(islands.islands, done, strict=True):
            named = worst_hours(island, more_p, more_q, base.constraints, hours.kind, hours.share, self._tan_phi)
            if len(named) > SHARE_MAX * count:
                named, crowded = np.arange(count), crowded + 1
            self._solve(island, islands, named, hours, keeper)
            is_done[named] = True
            left = np.flatnonzero(~is_done).tolist()
            audit = np.array(sorted(draw.sample(left, min(AUDIT_HOURS, len(left)))), dtype=np.int64)
            missed += self._solve(island, islands, audit, hours, keeper)
            is_done[audit] = True
            self._report(int((~is_done).sum()))
        if missed:
            solved.fallback = f"an audited hour is lower than those screening named at {missed} buses"
        elif crowded == len(islands.islands) > 0:
            solved.fallback = f"more than {SHARE_MAX:g} of the hours may bind in every island"

    def _solve(self, island: RadialIsland, islands: HourIslands, chosen: Integers, hours: Hours, keeper: Keeper) -> int:
        """Solve some hours of one island; return at how many buses one of them is lower than what was known."""
        lower, rows = 0, hours.rows[chosen]
        answers = island.solve(islands.more_p[rows], islands.more_q[rows], self._tan_phi)
        for at, answer in zip(chosen.tolist(), answers, strict=True):
            left = np.ones(len(island.place), dtype=bool) if answer is None else np.isnan(answer.p_mw)
            if left.any():
                self._pending.setdefault(at, []).append(island.place[left])
            if answer is not None:
                lower += keeper.keep_island(island, answer, hours, at)
            self._report(1)
        return lower

    def _report(self, count: int) -> None:
        self._done += count
        if self._progress is not None:
            self._progress(min(self._done, self._total), self._total)

    def _solve_by_flows(self, open_places: Integers, buses: Integers, hours: Hours, keeper: Keeper) -> None:
        """Solve what the islands leave, hour by hour."""
        for at, row in enumerate(hours.rows.tolist()):
            places = np.unique(np.concatenate([open_places, *self._pending.get(at, [])])).astype(np.int64)
            if len(places):
                places = places[~keeper.is_lost()[places]]
            if len(places):
                self._keep_rows(places, self.base(row), buses, hours, at, keeper)
            self._report(1)

    def _keep_rows(
        self, places: Integers, base: BaseCase, buses: Integers, hours: Hours, at: int, keeper: Keeper
    ) -> None:
        search = IslandSearch(base, tan_phi=self._tan_phi, ceiling_kw=self._ceiling_kw, direction=self.direction)
        keeper.keep_rows(places, search.run(buses[places]), base, hours, at)

    def _columns_in_use(self) -> Integers:
        columns = np.unique(np.concatenate([part.column for part in self._elements.values()]))
        return np.asarray(columns[columns >= 0], dtype=np.int64)

    def _load_mw(self, row: int) -> float:
        return float(self._elements["load"].at(self._profiles, row)[0].sum())


def _is_fixed(base: BaseCase, buses: Integers) -> Flags:
    """Return the buses whose answer is the same in every hour: without supply, and at a source."""
    if base.flow is None or base.unsolved:
        return np.zeros(len(buses), dtype=bool)
    arrays = base.flow.arrays
    node = arrays.node_of_bus[buses]
    return np.asarray((node < 0) | (arrays.island_of_node[node] == NO_ISLAND))
