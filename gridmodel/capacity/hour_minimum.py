"""What is kept of the answers of all hours: the least of each bus, in columns."""

from __future__ import annotations

import numpy as np

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.base_case import BaseCase
from gridmodel.capacity.bracket import RESOLUTION_KW
from gridmodel.capacity.constraints import Constraints, Flags, Floats
from gridmodel.capacity.hour_islands import HourAnswer, HourIslands, RadialIsland
from gridmodel.capacity.hour_study import Hours
from gridmodel.capacity.path.answers import value_and_break_kw
from gridmodel.capacity.path.tree import NOWHERE
from gridmodel.capacity.rows import CEILING, EXISTING_VIOLATION, NO_LIMIT, NOTED_MAX, Rows, note_of

_TIE_DIGITS_KW = 3
_TIE_DIGITS_EXCESS = 9
"""Hours that agree to these digits differ by the solvers' residue only, and the first one is named."""
_NO_HOUR = np.iinfo(np.int64).max


class ClassMinimum:
    """The least capacity of each bus in each class of hours; what binds is not kept."""

    def __init__(self, buses: Integers, classes: int, ceiling_kw: float) -> None:
        """Start without any hour."""
        self._ceiling_kw = ceiling_kw
        self.capacity_kw = np.full((len(buses), classes), np.inf)
        """Least of the hours seen, shape (buses, classes); -inf where one hour cannot be assessed."""
        self.status = np.full(len(buses), "assessed", dtype=object)
        self.reason = np.full(len(buses), "", dtype=object)

    def keep_island(self, island: RadialIsland, answer: HourAnswer, hours: Hours, at: int) -> int:
        """Take an island's answers in one hour; see :class:`gridmodel.capacity.hour_study.Keeper`."""
        is_found = ~np.isnan(answer.p_mw)
        value_kw, _ = value_and_break_kw(answer.p_mw[is_found])
        return self._lower(island.place[is_found], np.minimum(value_kw, self._ceiling_kw), hours, at)

    def keep_rows(self, places: Integers, rows: Rows, base: BaseCase, hours: Hours, at: int) -> None:
        """Take the answers of the buses at some places in one hour."""
        is_lost = rows.status != "assessed"
        self._lower(places, np.where(is_lost, -np.inf, rows.capacity_kw), hours, at)
        self.status[places[is_lost]] = rows.status[is_lost]
        self.reason[places[is_lost]] = rows.reason[is_lost]
        self.capacity_kw[places[is_lost]] = -np.inf

    def is_lost(self) -> Flags:
        """Return which buses cannot be assessed in some hour seen."""
        return np.asarray(self.status != "assessed")

    def _lower(self, places: Integers, value_kw: Floats, hours: Hours, at: int) -> int:
        kind = int(hours.kind[at])
        known = self.capacity_kw[places, kind]
        self.capacity_kw[places, kind] = np.minimum(known, value_kw)
        return int((value_kw < known - RESOLUTION_KW).sum())


class WorstHour:
    """The row of each bus in the hour in which it can carry least, in relation to the share connected in that hour."""

    def __init__(self, buses: Integers, islands: HourIslands, constraints: Constraints, engine: str) -> None:
        """Start without any hour.

        Args:
            buses: Buses asked for.
            islands: The radial islands.
            constraints: Limits of the net.
            engine: What is named for buses with a limit broken without the load.
        """
        count = len(buses)
        self._islands, self._constraints, self._engine = islands, constraints, engine
        self.rows = Rows(buses)
        """As in the hour; see ``peak_kw`` for hours of different shares."""
        self.hour = np.full(count, _NO_HOUR)
        """Row of the profiles."""
        self.u_pu = np.full(count, np.nan)
        self.is_named = np.zeros(count, dtype=bool)
        """Whether the hour matters: something binds in it, or it has no solution."""
        self.peak_kw = np.full(count, np.inf)
        """Capacity over the hour's share."""
        self._is_free = np.ones(count, dtype=bool)  # of equal capacities one broken without the load goes first
        self._tie = np.full(count, np.inf)
        self._is_by_path = np.zeros(count, dtype=bool)
        self._head, self._via = np.full((2, count), NOWHERE)
        self._noted, self._noted_count = np.full((count, NOTED_MAX), NO_LIMIT), np.zeros(count, dtype=np.int64)
        self._broken: dict[tuple[int, int], Integers] = {}

    def keep_island(self, island: RadialIsland, answer: HourAnswer, hours: Hours, at: int) -> int:
        """Take an island's answers in one hour; see :class:`gridmodel.capacity.hour_study.Keeper`."""
        hour, share = int(hours.rows[at]), float(hours.share[at])
        if len(answer.broken):
            self._broken[island.first, hour] = np.sort(answer.broken)
        value_kw, breaks_kw = value_and_break_kw(answer.p_mw)
        tie = np.where(answer.is_existing, (-answer.excess).round(_TIE_DIGITS_EXCESS), breaks_kw.round(_TIE_DIGITS_KW))
        known_kw = self.peak_kw[island.place]
        better = ~np.isnan(answer.p_mw)
        better &= self._is_lower(island.place, value_kw / share, ~answer.is_existing, tie, hour)
        place = island.place[better]
        self._set(place, value_kw[better] / share, ~answer.is_existing[better], tie[better], hour)
        kind = self._constraints.kind_codes[answer.row[better]]
        self.rows.put(
            place,
            status="assessed",
            capacity_kw=value_kw[better],
            kind=np.where(answer.is_existing[better], EXISTING_VIOLATION, kind),
            limit=answer.row[better],
            reason="",
            engine=np.where(answer.is_existing[better], self._engine, "path").astype(object),
            notes="",
            breaks_kw=np.where(answer.is_existing, np.inf, breaks_kw)[better],
        )
        self.u_pu[place], self.is_named[place], self._is_by_path[place] = answer.u_pu[better], True, True
        self._head[place], self._via[place] = answer.head[better], answer.via[better]
        self._noted[place], self._noted_count[place] = answer.noted[better], answer.noted_count[better]
        return int((value_kw[better] / share < known_kw[better] - RESOLUTION_KW).sum())

    def keep_rows(self, places: Integers, rows: Rows, base: BaseCase, hours: Hours, at: int) -> None:
        """Take the answers of the buses at some places in one hour."""
        hour, share = int(hours.rows[at]), float(hours.share[at])
        is_assessed = rows.status == "assessed"
        is_existing = is_assessed & (rows.kind == EXISTING_VIOLATION)
        tie = np.where(is_assessed, rows.breaks_kw.round(_TIE_DIGITS_KW), 0.0)
        excess = base.constraints.excess(base.values)
        by_limit = is_existing & (rows.limit != NO_LIMIT)
        tie[is_existing] = 0.0
        tie[by_limit] = (-excess[rows.limit[by_limit]]).round(_TIE_DIGITS_EXCESS)
        peak_kw = np.where(is_assessed, rows.capacity_kw / share, -np.inf)
        better = self._is_lower(places, peak_kw, is_assessed & ~is_existing, tie, hour)
        place = places[better]
        self._set(place, peak_kw[better], (is_assessed & ~is_existing)[better], tie[better], hour)
        columns = ("status", "capacity_kw", "kind", "limit", "reason", "engine", "notes", "breaks_kw")
        self.rows.put(place, **{name: getattr(rows, name)[better] for name in columns})
        binds = np.where(is_assessed, rows.kind != CEILING, np.isin(rows.bus, list(base.unsolved)))
        self.u_pu[place], self.is_named[place] = base.u_pu_of(rows.bus)[better], binds[better]
        self._is_by_path[place] = False

    def is_lost(self) -> Flags:
        """Return which buses cannot be assessed in some hour seen."""
        return np.asarray(self.rows.status != "assessed")

    def finish(self, ceiling_kw: float) -> None:
        """Name limits as the supply path touches them, write the notes, and cut off at the largest load tried."""
        place = np.flatnonzero(self._is_by_path)
        engine, rows = self._islands.engine, self.rows
        if engine is not None and len(place):
            position = engine.position_of_buses(rows.bus[place])
            head, via = self._head[place], self._via[place]
            rows.limit[place] = engine.named(rows.bus[place], position, rows.limit[place], head, via)
            self._write_notes(place, position)
        is_unlimited = np.asarray(self.peak_kw >= ceiling_kw)
        rows.put(is_unlimited, capacity_kw=ceiling_kw, kind=CEILING, limit=NO_LIMIT, notes="", breaks_kw=np.inf)
        self.peak_kw[is_unlimited], self.is_named[is_unlimited] = ceiling_kw, False

    def _is_lower(self, places: Integers, peak_kw: Floats, is_free: Flags, tie: Floats, hour: int) -> Flags:
        """Return where an hour goes before the one kept: lower, more broken, first to break, earlier."""
        known_kw, known_free = self.peak_kw[places], self._is_free[places]
        known_tie, known_hour = self._tie[places], self.hour[places]
        by_tie = (tie < known_tie) | ((tie == known_tie) & (hour < known_hour))
        by_free = (~is_free & known_free) | ((is_free == known_free) & by_tie)
        return np.asarray((peak_kw < known_kw) | ((peak_kw == known_kw) & by_free))

    def _set(self, place: Integers, peak_kw: Floats, is_free: Flags, tie: Floats, hour: int) -> None:
        self.peak_kw[place], self._is_free[place], self._tie[place], self.hour[place] = peak_kw, is_free, tie, hour

    def _write_notes(self, place: Integers, position: Integers) -> None:
        """Write what is broken in the bus's hour and does not count, of its own island."""
        first_of = {int(p): island.first for island in self._islands.islands for p in island.place}
        texts: dict[tuple[int, int, int], str] = {}
        nothing = np.zeros(0, dtype=np.int64)
        for at, pos in zip(place.tolist(), position.tolist(), strict=True):
            island, hour = first_of[at], int(self.hour[at])
            before = self._broken.get((island, hour), nothing)
            if self._noted_count[at]:
                self.rows.notes[at] = self._note_at_value(at, before)
            elif len(before):
                key = (island, hour, NOWHERE if self._is_free[at] else pos)
                if key not in texts:
                    beside = before if self._is_free[at] else before[~self._is_on_path(before, pos)]
                    texts[key] = note_of(self._constraints, beside.tolist())
                self.rows.notes[at] = texts[key]

    def _note_at_value(self, at: int, before: Integers) -> str:
        """Return the note of a bus whose load itself breaks limits that do not count."""
        count = int(self._noted_count[at])
        named = sorted([*before[:NOTED_MAX].tolist(), *self._noted[at, :count].tolist()])[:NOTED_MAX]
        return note_of(self._constraints, named, unlisted=len(before) + count - len(named))

    def _is_on_path(self, limits: Integers, position: int) -> Flags:
        """Return which limits stand on the supply path of a position."""
        engine = self._islands.engine
        if engine is None:
            raise ValueError("no radial island")
        on_path, at = set(), position
        while at != NOWHERE:
            on_path.add(at)
            at = NOWHERE if engine.bounds.ends_path[at] else int(engine.tree.parent[at])
        return np.isin(engine.placement.position[limits], list(on_path))
