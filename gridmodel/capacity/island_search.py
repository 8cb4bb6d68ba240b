"""Searches the capacities of the buses of each electrical island with the engine that can express the island."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from gridmodel.capacity.arrays import NO_ISLAND, Integers
from gridmodel.capacity.base_case import BaseCase
from gridmodel.capacity.batch import BatchEvaluator
from gridmodel.capacity.bracket import NOTHING, RESOLUTION_KW, Brackets, Evaluator, Question, find_brackets
from gridmodel.capacity.constraints import Floats, ratings
from gridmodel.capacity.direction import Direction
from gridmodel.capacity.reference import ReferenceEvaluator
from gridmodel.capacity.rows import (
    CEILING,
    CONVERGENCE,
    EXISTING_VIOLATION,
    NO_LIMIT,
    UNSUPPLIED,
    Rows,
    answer_without_search,
    note_of,
    step_kw,
)

VOLTAGE_AGREEMENT_PU = 1e-9
"""The batch engine answers for an island only when its base voltages agree with the base case to this."""
_GROUP = 512
_KW_PER_MW = 1e3
_HEADROOM_SHARE = 0.9
_GUESS_KW = 100.0

Progress = Callable[[int, int], None]


Engine = Literal["path", "batch"]


class IslandSearch:
    """One pass over all islands of a solved base case: radial ones by paths, what is left by batches of load flows."""

    def __init__(
        self,
        base: BaseCase,
        *,
        tan_phi: float,
        ceiling_kw: float,
        direction: Direction = "load",
        progress: Progress | None = None,
        first_engine: Engine = "path",
    ) -> None:
        """Prepare a search in ``base``; ``first_engine`` ``batch`` leaves out the path engine."""
        self._base, self._first_engine, self._direction = base, first_engine, direction
        self._tan_phi, self._ceiling_kw, self._progress = tan_phi, ceiling_kw, progress
        self._done, self._total = 0, 0

    def run(self, buses: Integers) -> Rows:
        """Return the row of every bus."""
        rows = Rows(np.asarray(buses, dtype=np.int64))
        self._done, self._total = 0, len(rows)
        self._answer_unsolved(rows)
        if self._base.flow is None:
            rows.put(rows.pending(), **UNSUPPLIED)
        else:
            self._answer_dead(rows)
            self._answer_at_sources(rows)
            if self._first_engine == "path":
                self._answer_by_path(rows)
            for at in rows.pending().tolist():
                row = answer_without_search(self._base, self._base.topology.path(int(rows.bus[at])), self._direction)
                if row is not None:
                    rows.put_row(at, row)
        self._report(int(rows.is_done.sum()))
        self._answer_by_flows(rows)
        return rows

    def _answer_unsolved(self, rows: Rows) -> None:
        """Answer buses of islands whose base case has no solution."""
        unsolved = self._base.unsolved
        if unsolved:
            for at in np.flatnonzero(np.isin(rows.bus, list(unsolved))).tolist():
                rows.put(at, status="not_assessable", reason=unsolved[int(rows.bus[at])])

    def _answer_dead(self, rows: Rows) -> None:
        """Answer buses without voltage; where an island was switched off only the topology tells why."""
        if not self._base.unsolved:
            at = rows.pending()
            rows.put(at[np.isnan(self._base.u_pu_of(rows.bus[at]))], **UNSUPPLIED)

    def _answer_at_sources(self, rows: Rows) -> None:
        """Answer buses at an ideal source: a load moves nothing there, and the path is the bus alone."""
        base, arrays = self._base, self._base.live_flow.arrays
        at = rows.pending()
        node = arrays.node_of_bus[rows.bus[at]]
        broken = np.flatnonzero(base.is_broken(self._direction))
        broken = base.constraints.elements[broken[np.isin(broken, base.constraints.rows_of("bus"))]]
        is_free = (node >= 0) & (arrays.island_of_node[node] == NO_ISLAND)
        is_free &= ~np.isin(node, arrays.node_of_bus[broken])
        self._put_unlimited(rows, at[is_free])

    def _answer_by_path(self, rows: Rows) -> None:
        if self._base.live_flow.forest is not None:
            from gridmodel.capacity.path.answers import PathAnswers

            PathAnswers(self._base, self._direction).answer(rows, tan_phi=self._tan_phi, ceiling_kw=self._ceiling_kw)

    def _answer_by_flows(self, rows: Rows) -> None:
        """Answer the buses that only load flows can answer."""
        at = rows.pending()
        if not len(at):
            return
        arrays = self._base.live_flow.arrays
        island_of = arrays.island_of_node[arrays.node_of_bus[rows.bus[at]]]
        for island in np.unique(island_of).tolist():
            members = at[island_of == island]
            if island == NO_ISLAND:  # at an ideal source a load moves nothing
                self._put_unlimited(rows, members)
                self._report(len(members))
            else:
                self._solve_island(rows, members, island)

    def _put_unlimited(self, rows: Rows, at: Integers) -> None:
        rows.put(at, capacity_kw=self._ceiling_kw, kind=CEILING, engine=self._base.engine)

    def _report(self, count: int) -> None:
        self._done += count
        if self._progress is not None:
            self._progress(self._done, self._total)

    def _solve_island(self, rows: Rows, members: Integers, island: int) -> None:
        constraints = self._base.constraints
        usable = np.isfinite(self._base.values) & np.isfinite(constraints.limits)
        limits = np.flatnonzero((self._base.island_of_limit == island) & usable).astype(np.int64)
        batch = self._batch_evaluator(island, limits)
        engine: Evaluator = batch or ReferenceEvaluator(
            self._base.net, constraints, rows=limits, direction=self._direction
        )
        for first in range(0, len(members), _GROUP):
            at = members[first : first + _GROUP]
            question = self._question(limits, rows.bus[at])
            brackets = find_brackets(engine, question)
            self._put(rows, at, question, limits, brackets, engine.name)
            unsolved = np.flatnonzero(~brackets.has_solution)
            if batch is not None and len(unsolved):
                self._answer_at_the_nose(rows, at, question, limits, brackets, unsolved)
            self._report(len(at))

    def _batch_evaluator(self, island: int, limits: Integers) -> BatchEvaluator | None:
        """Return the batch engine of an island, or None when it does not reproduce the base case."""
        flow = self._base.live_flow
        if island in flow.arrays.obstacles or self._base.terms is None:
            return None
        evaluator = BatchEvaluator(
            flow.arrays,
            self._base.terms,
            self._base.constraints,
            island=island,
            rows=limits,
            direction=self._direction,
        )
        nodes, u_pu = evaluator.base_voltages()
        agrees = np.abs(u_pu - flow.u_pu[nodes]).max() <= VOLTAGE_AGREEMENT_PU
        return evaluator if agrees else None

    def _reference(self, limits: Integers) -> ReferenceEvaluator:
        return ReferenceEvaluator(self._base.net, self._base.constraints, rows=limits, direction=self._direction)

    def _question(self, limits: Integers, buses: Integers) -> Question:
        constraints = self._base.constraints
        subset = constraints.subset(limits)
        on_path = np.array([subset.is_on_path(self._base.topology.path(int(bus))) for bus in buses])
        base = self._base.values[limits]
        headroom = -subset.excess(base) * _rating_kw(self._base)[limits]
        on_rating = np.where(on_path & np.isfinite(headroom), headroom, np.inf).min(axis=1, initial=np.inf)
        guess = np.where(np.isfinite(on_rating), _HEADROOM_SHARE * on_rating, _GUESS_KW)
        return Question(
            buses=buses,
            constraints=subset,
            base=base,
            on_path=on_path,
            guess_kw=guess,
            tan_phi=self._tan_phi,
            ceiling_kw=self._ceiling_kw,
            direction=self._direction,
        )

    def _put(
        self, rows: Rows, at: Integers, question: Question, limits: Integers, brackets: Brackets, engine: str
    ) -> None:
        """Write what a search found; ``limits`` are the positions of the question's limits in all constraints."""
        constraints = self._base.constraints
        is_bound = brackets.binding != NOTHING
        limit = np.where(is_bound, limits[brackets.binding] if len(limits) else NO_LIMIT, NO_LIMIT)
        kind = np.where(brackets.has_solution, CEILING, CONVERGENCE)
        kind[is_bound] = np.where(
            brackets.base_breaks[is_bound], EXISTING_VIOLATION, constraints.kind_codes[limit[is_bound]]
        )
        silent = question.constraints.is_kind("voltage_high" if self._direction == "load" else "voltage_low")
        notes = [note_of(constraints, limits[np.flatnonzero(broken & ~silent)]) for broken in brackets.unattributed]
        rows.put(
            at,
            capacity_kw=brackets.value_kw(),
            kind=kind,
            limit=limit,
            engine=engine,
            notes=notes,
            breaks_kw=brackets.breaks_kw,
        )

    def _answer_at_the_nose(
        self, rows: Rows, at: Integers, question: Question, limits: Integers, brackets: Brackets, unsolved: Integers
    ) -> None:
        """Let the reference decide where the batch engine found no solution: it may still find one, or fail earlier."""
        reference = self._reference(limits)
        at, brackets = at[unsolved], brackets.pick(unsolved)
        question = question.pick(unsolved, guess_kw=np.maximum(brackets.holds_kw, RESOLUTION_KW))
        everyone = np.arange(len(unsolved))
        value_kw = brackets.value_kw()
        step = np.array([step_kw(kv) for kv in self._base.original.bus.vn_kv.loc[question.buses]])
        values, is_solved = reference.values(question.buses, value_kw, question.tan_phi)
        _, is_beyond_solved = reference.values(question.buses, value_kw + step, question.tan_phi)
        holds = is_solved & (question.counted_excess(everyone, values).max(axis=1, initial=-np.inf) <= 0.0)
        self._put(rows, at, question, limits, brackets, reference.name)
        doubtful = np.flatnonzero(~holds | is_beyond_solved)
        if len(doubtful):
            again = question.pick(doubtful, guess_kw=question.guess_kw[doubtful])
            self._put(rows, at[doubtful], again, limits, find_brackets(reference, again), reference.name)


def _rating_kw(base: BaseCase) -> Floats:
    """Return the apparent power of 100 % loading per limit (kVA, used as a first guess in kW); NaN for voltages."""
    net = base.original
    line_kv = net.bus.vn_kv.loc[net.line.from_bus].to_numpy(dtype=float)
    full_mva = {
        "line": np.sqrt(3.0) * line_kv * ratings(net, "line"),
        "trafo": ratings(net, "trafo"),
        "trafo3w": net.trafo3w[["sn_hv_mva", "sn_mv_mva", "sn_lv_mva"]].min(axis=1).to_numpy(dtype=float),
    }
    rating = np.full(len(base.constraints), np.nan)
    for table, mva in full_mva.items():
        rating[base.constraints.rows_of(table)] = mva * _KW_PER_MW
    return rating
