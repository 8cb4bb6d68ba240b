"""Turns what the path engine finds into rows, and leaves to others the buses it does not answer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gridmodel.capacity.arrays import FlowArrays, Integers, Terms
from gridmodel.capacity.base_case import BaseCase
from gridmodel.capacity.bracket import round_down
from gridmodel.capacity.path.bounds import NO_LIMIT
from gridmodel.capacity.path.engine import Found, PathEngine
from gridmodel.capacity.path.supply import Marks, marks_on_path
from gridmodel.capacity.path.tree import NOWHERE, Forest
from gridmodel.capacity.rows import NOTED_MAX, Row, note_of

_KW_PER_MW = 1e3
_GUARD_KW = 0.02
"""Taken off before rounding, so that a value holds in spite of the solvers' last digits; added where it must break."""
_GUARD_RATIO = 1e-6


class PathAnswers:
    """Rows of the buses in radial islands of one base case."""

    def __init__(
        self, forest: Forest, base: BaseCase, arrays: FlowArrays, terms: Terms, island_of_limit: Integers
    ) -> None:
        """Compile the islands of ``base``.

        Args:
            forest: Its radial islands.
            base: The solved base case.
            arrays: Its arrays.
            terms: Its loading terms.
            island_of_limit: Island of each limit, shape (limits,).
        """
        self._base, self._arrays, self._island_of_limit = base, arrays, island_of_limit
        limits = base.constraints
        usable = np.isfinite(base.values) & np.isfinite(limits.limits)
        self.engine = PathEngine(forest, base.net, arrays, terms, limits, base.values, usable)
        excess = limits.excess(base.values)
        broken = np.flatnonzero(base.is_broken)
        self._broken = broken[np.lexsort((-broken, excess[broken]))]
        """Limits broken in the base case, the worst last; of equals the first one last."""
        self._marks, self._broken_at = self._marks_of(self._broken)
        unrated = [np.isin(limits.elements, list(base.unrated[t])) & (limits.tables == t) for t in base.unrated]
        self._unrated, _ = self._marks_of(np.flatnonzero(np.logical_or.reduce(unrated)))
        self._notes: dict[int, str] = {}

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
        node = self._arrays.node_of_bus.get(int(limits.elements[row]), NOWHERE)
        return [int(root) for root in forest.roots if forest.node[root] == node]

    def rows(self, buses: Integers, *, tan_phi: float, ceiling_kw: float) -> dict[int, Row]:
        """Return the rows of those of ``buses`` that are answered here."""
        position = self.engine.position_of_buses(buses)
        here = (position != NOWHERE) & (self._unrated.nearest[position] == NOWHERE)
        buses, position = buses[here], position[here]
        is_free = self._marks.greatest[position] == NOWHERE
        found = dict(self._existing(buses[~is_free], position[~is_free]))
        found.update(self._searched(buses[is_free], position[is_free], tan_phi, ceiling_kw))
        return found

    def _existing(self, buses: Integers, position: Integers) -> Iterator[tuple[int, Row]]:
        """Yield the rows of buses with a broken limit on their path."""
        marks = self._marks
        row = self._broken[marks.greatest[position]]
        row = self.engine.named(buses, position, row, marks.head[position], marks.via[position])
        for bus, limit, nearest in zip(buses.tolist(), row.tolist(), marks.nearest[position].tolist(), strict=True):
            notes = self._notes_beside(nearest)
            yield (
                bus,
                Row(
                    bus=bus,
                    capacity_kw=0.0,
                    limit_kind="existing_violation",
                    limit=limit,
                    engine="pandapower",
                    notes=notes,
                ),
            )

    def _notes_beside(self, nearest: int) -> str:
        """Return the note on broken limits that are not on the path whose nearest broken position is given."""
        if nearest not in self._notes:
            engine, on_path = self.engine, np.zeros(len(self._base.constraints), dtype=bool)
            head = nearest
            while head != NOWHERE:
                on_path[self._broken_at[head]] = True
                parent = engine.tree.parent[head]
                ends = parent == NOWHERE or engine.bounds.ends_path[head]
                head = NOWHERE if ends else int(self._marks.nearest[parent])
            self._notes[nearest] = note_of(self._base.constraints, np.sort(self._broken[~on_path[self._broken]]))
        return self._notes[nearest]

    def _searched(
        self, buses: Integers, position: Integers, tan_phi: float, ceiling_kw: float
    ) -> Iterator[tuple[int, Row]]:
        """Yield the rows of buses that a search answers."""
        answer = self.engine.solve(buses, position, tan_phi)
        p_kw = answer.p_mw * _KW_PER_MW
        guard_kw = _GUARD_KW + _GUARD_RATIO * p_kw
        value_kw = round_down(np.maximum(p_kw - guard_kw, 0.0))
        is_unlimited = value_kw >= ceiling_kw
        kinds = self._base.constraints.kinds
        notes = self._notes_at_value(answer, self.engine.island_of_position[position])
        for bus, value, row, breaks, free, note in zip(
            buses.tolist(), value_kw.tolist(), answer.row.tolist(), (p_kw + guard_kw).tolist(),
            is_unlimited.tolist(), notes, strict=True,
        ):  # fmt: skip
            if row == NO_LIMIT:
                continue
            if free:
                yield bus, Row(bus=bus, capacity_kw=ceiling_kw, limit_kind="ceiling", engine=self.engine.name)
            else:
                yield bus, Row(
                    bus=bus, capacity_kw=value, limit_kind=str(kinds[row]), limit=row, engine=self.engine.name,
                    notes=note, breaks_kw=breaks,
                )  # fmt: skip

    def _notes_at_value(self, answer: Found, islands: Integers) -> Iterator[str]:
        """Yield the note of each bus: limits of its island broken before, and those broken by it without counting."""
        limits, broken = self._base.constraints, np.sort(self._broken)
        island_of_broken = self._island_of_limit[broken]
        before = {at: broken[island_of_broken == at].tolist() for at in np.unique(islands).tolist()}
        texts = {at: note_of(limits, rows) for at, rows in before.items()}
        for at, count, noted in zip(islands.tolist(), answer.noted_count.tolist(), answer.noted.tolist(), strict=True):
            if not count:
                yield texts[at]
                continue
            new = noted[:count]
            first = sorted([*before[at][:NOTED_MAX], *new])[:NOTED_MAX]
            yield note_of(limits, first, unlisted=len(before[at]) + count - len(first))
