"""Answers the buses of radial islands by the path engine, and leaves to others those it does not answer."""

from __future__ import annotations

import numpy as np

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.base_case import BaseCase
from gridmodel.capacity.bracket import round_down
from gridmodel.capacity.constraints import Flags, Floats
from gridmodel.capacity.direction import Direction
from gridmodel.capacity.path.bounds import NO_LIMIT
from gridmodel.capacity.path.engine import Found, PathEngine
from gridmodel.capacity.path.supply import Marks, marks_on_path
from gridmodel.capacity.path.tree import NOWHERE
from gridmodel.capacity.rows import CEILING, EXISTING_VIOLATION, NOTED_MAX, Rows, Texts, note_of

_KW_PER_MW = 1e3
_GUARD_KW = 0.02
"""Taken off before rounding, so that a value holds in spite of the solvers' last digits; added where it must break."""
_GUARD_RATIO = 1e-6


class PathAnswers:
    """Answers for the buses in radial islands of one base case."""

    def __init__(self, base: BaseCase, direction: Direction = "load") -> None:
        """Compile the radial islands of ``base``; it must have some."""
        self._base = base
        limits = base.constraints
        usable = np.isfinite(base.values) & np.isfinite(limits.limits)
        if base.terms is None:
            raise ValueError("no bus has a voltage")
        self.engine = PathEngine(base.live_flow, base.original, base.terms, limits, base.values, usable, direction)
        broken = np.flatnonzero(base.is_broken(direction))
        excess = limits.excess(base.values)[broken]
        self._broken = broken[np.lexsort((-broken, excess))]
        """Limits broken in the base case, the worst last; of equals the first one last."""
        self._marks, self._broken_at = self._marks_of(self._broken)
        unrated = [
            rows[np.isin(limits.elements[rows], list(elements))]
            for table, elements in base.unrated.items()
            if elements and len(rows := limits.rows_of(table))
        ]
        self._unrated, _ = self._marks_of(np.concatenate([np.zeros(0, dtype=np.int64), *unrated]))
        self._notes: dict[int, str] = {}
        by_row = np.sort(broken)
        self._broken_of = {
            island: by_row[base.island_of_limit[by_row] == island].tolist()
            for island in np.unique(base.island_of_limit[by_row]).tolist()
        }
        """Limits broken in the base case, by island."""

    def _marks_of(self, rows: Integers) -> tuple[Marks, dict[int, list[int]]]:
        """Mark the positions of some limits with the limits' places in ``rows``; also return the limits by position."""
        mark = np.full(len(self.engine.tree.parent), NOWHERE, dtype=np.int64)
        rows_at: dict[int, list[int]] = {}
        for at, row in enumerate(rows.tolist()):
            for position in self._positions_of(row):
                mark[position] = at
                rows_at.setdefault(position, []).append(row)
        return marks_on_path(self.engine.tree, self.engine.bounds.ends_path, mark), rows_at

    def _positions_of(self, row: int) -> list[int]:
        """Return where a limit stands: once, or at the top of every island of its source, or nowhere."""
        limits, forest = self._base.constraints, self.engine.forest
        position = int(self.engine.placement.position[row])
        if position != NOWHERE or limits.tables[row] != "bus":
            return [position] if position != NOWHERE else []
        node = self._base.live_flow.arrays.node_of_bus[limits.elements[row]]
        return [int(root) for root in forest.roots if forest.node[root] == node]

    def answer(self, rows: Rows, *, tan_phi: float, ceiling_kw: float) -> None:
        """Answer those of the pending buses that can be answered here."""
        at = rows.pending()
        position = self.engine.position_of_buses(rows.bus[at])
        here = (position != NOWHERE) & (self._unrated.nearest[position] == NOWHERE)
        at, position = at[here], position[here]
        is_free = self._marks.greatest[position] == NOWHERE
        self._existing(rows, at[~is_free], position[~is_free])
        self._search(rows, at[is_free], position[is_free], tan_phi, ceiling_kw)

    def _existing(self, rows: Rows, at: Integers, position: Integers) -> None:
        """Answer buses with a broken limit on their path."""
        marks = self._marks
        limit = self._broken[marks.greatest[position]]
        limit = self.engine.named(rows.bus[at], position, limit, marks.head[position], marks.via[position])
        notes = [self._notes_beside(nearest) for nearest in marks.nearest[position].tolist()]
        rows.put(
            at, capacity_kw=0.0, kind=EXISTING_VIOLATION, limit=limit, engine=self._base.engine, notes=_texts(notes)
        )

    def _notes_beside(self, nearest: int) -> str:
        """Return the note on broken limits of an island off the path whose nearest broken position is given."""
        if nearest not in self._notes:
            engine, on_path = self.engine, np.zeros(len(self._base.constraints), dtype=bool)
            head = nearest
            while head != NOWHERE:
                on_path[self._broken_at[head]] = True
                parent = engine.tree.parent[head]
                ends = parent == NOWHERE or engine.bounds.ends_path[head]
                head = NOWHERE if ends else int(self._marks.nearest[parent])
            near = self._broken_of.get(int(engine.island_of_position[nearest]), [])
            self._notes[nearest] = note_of(self._base.constraints, [row for row in near if not on_path[row]])
        return self._notes[nearest]

    def _search(self, rows: Rows, at: Integers, position: Integers, tan_phi: float, ceiling_kw: float) -> None:
        """Answer buses that a search answers."""
        found = self.engine.solve(rows.bus[at], position, tan_phi)
        is_found = found.row != NO_LIMIT
        value_kw, breaks_kw = value_and_break_kw(found.p_mw)
        is_unlimited = is_found & (value_kw >= ceiling_kw)
        rows.put(at[is_unlimited], capacity_kw=ceiling_kw, kind=CEILING, engine=self.engine.name)
        is_found &= ~is_unlimited
        limit, chosen = found.row[is_found], at[is_found]
        rows.put(
            chosen,
            capacity_kw=value_kw[is_found],
            kind=self._base.constraints.kind_codes[limit],
            limit=limit,
            engine=self.engine.name,
            notes=self._notes_at_value(found, self.engine.island_of_position[position], is_found),
            breaks_kw=breaks_kw[is_found],
        )

    def _notes_at_value(self, found: Found, islands: Integers, chosen: Flags) -> Texts:
        """Return the notes of some buses: limits of their island broken before, and those broken without counting."""
        limits, broken_of = self._base.constraints, self._broken_of
        notes = np.full(len(islands), "", dtype=object)
        for island in broken_of.keys() & set(islands.tolist()):
            notes[islands == island] = note_of(limits, broken_of[island])
        for at in np.flatnonzero(chosen & (found.noted_count > 0)).tolist():
            before = broken_of.get(int(islands[at]), [])
            count = int(found.noted_count[at])
            new = found.noted[at, :count].tolist()
            first = sorted([*before[:NOTED_MAX], *new])[:NOTED_MAX]
            notes[at] = note_of(limits, first, unlisted=len(before) + count - len(first))
        return notes[chosen]


def value_and_break_kw(p_mw: Floats) -> tuple[Floats, Floats]:
    """Return the capacity told, and the load at which it surely breaks (kW), where a limit breaks at ``p_mw``."""
    p_kw = p_mw * _KW_PER_MW
    guard_kw = _GUARD_KW + _GUARD_RATIO * p_kw
    return round_down(np.maximum(p_kw - guard_kw, 0.0)), p_kw + guard_kw


def _texts(texts: list[str]) -> Texts:
    found = np.empty(len(texts), dtype=object)
    found[:] = texts
    return found
