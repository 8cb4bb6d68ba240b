"""Searches the capacities of the buses of each electrical island with the engine that can express the island."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np

from gridmodel.capacity.arrays import NO_ISLAND, FlowArrays, Integers, build_terms, extract_arrays, island_of_limits
from gridmodel.capacity.base_case import BaseCase
from gridmodel.capacity.batch import BatchEvaluator
from gridmodel.capacity.bracket import NOTHING, RESOLUTION_KW, Brackets, Evaluator, Question, find_brackets
from gridmodel.capacity.constraints import Floats, ratings
from gridmodel.capacity.reference import ReferenceEvaluator
from gridmodel.capacity.rows import Row, answer_without_search, note_of, step_kw, unsupplied

VOLTAGE_AGREEMENT_PU = 1e-9
"""The batch engine answers for an island only when its base voltages agree with pandapower's to this."""
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
        progress: Progress | None = None,
        first_engine: Engine = "path",
    ) -> None:
        """Take the arrays out of the base case; ``first_engine`` ``batch`` leaves out the path engine."""
        self._base, self._first_engine = base, first_engine
        self._tan_phi, self._ceiling_kw, self._progress = tan_phi, ceiling_kw, progress
        self._arrays: FlowArrays = extract_arrays(base.net)
        self._terms = build_terms(base.net, self._arrays, base.constraints)
        self._island_of_limit = island_of_limits(base.net, self._arrays, base.constraints)
        self._done, self._total = 0, 0

    def run(self, buses: list[int]) -> dict[int, Row]:
        """Return the row of every bus."""
        self._done, self._total = 0, len(buses)
        found = self._dead(buses) | self._at_sources(buses)
        if self._first_engine == "path":
            found |= self._by_path([bus for bus in buses if bus not in found])
        remaining = []
        for bus in buses:
            if bus not in found:
                row = answer_without_search(self._base, self._base.topology.path(bus))
                if row is None:
                    remaining.append(bus)
                else:
                    found[bus] = row
        self._report(len(found))
        return found | self._by_flows(remaining)

    def _dead(self, buses: list[int]) -> dict[int, Row]:
        """Return the rows of buses without voltage; where an island was switched off only the topology tells why."""
        if self._base.unsolved:
            return {}
        u_pu = self._base.net.res_bus.vm_pu.reindex(buses).to_numpy()
        return {bus: unsupplied(bus) for bus, u in zip(buses, u_pu.tolist(), strict=True) if math.isnan(u)}

    def _at_sources(self, buses: list[int]) -> dict[int, Row]:
        """Return the rows of buses at an ideal source: a load moves nothing there, and the path is the bus alone."""
        nodes, limits = self._arrays.node_of_bus, self._base.constraints
        broken = limits.elements[self._base.is_broken & (limits.tables == "bus")].tolist()
        at_sources = {bus for bus in buses if bus in nodes and self._arrays.island_of_node[nodes[bus]] == NO_ISLAND}
        if at_sources:
            at_sources -= {bus for bus in at_sources if nodes[bus] in {nodes[other] for other in broken}}
        return {bus: self._unlimited(bus) for bus in at_sources}

    def _by_path(self, buses: list[int]) -> dict[int, Row]:
        from gridmodel.capacity.path.answers import PathAnswers
        from gridmodel.capacity.path.tree import plant_forest

        forest = plant_forest(self._arrays)
        if forest is None:
            return {}
        answers = PathAnswers(forest, self._base, self._arrays, self._terms, self._island_of_limit)
        return answers.rows(np.array(buses, dtype=np.int64), tan_phi=self._tan_phi, ceiling_kw=self._ceiling_kw)

    def _by_flows(self, buses: list[int]) -> dict[int, Row]:
        """Return the rows of buses that only load flows can answer."""
        nodes = self._arrays.node_of_bus
        island_of = np.array([self._arrays.island_of_node[nodes[bus]] for bus in buses], dtype=np.int64)
        found: dict[int, Row] = {}
        for island in np.unique(island_of).tolist():
            members = np.array(buses, dtype=np.int64)[island_of == island]
            if island == NO_ISLAND:  # at an ideal source a load moves nothing
                found |= {int(bus): self._unlimited(int(bus)) for bus in members}
                self._report(len(members))
            else:
                found |= self._solve_island(island, members)
        return found

    def _unlimited(self, bus: int) -> Row:
        return Row(bus=bus, capacity_kw=self._ceiling_kw, limit_kind="ceiling", engine=ReferenceEvaluator.name)

    def _report(self, count: int) -> None:
        self._done += count
        if self._progress is not None:
            self._progress(self._done, self._total)

    def _solve_island(self, island: int, buses: Integers) -> dict[int, Row]:
        constraints = self._base.constraints
        usable = np.isfinite(self._base.values) & np.isfinite(constraints.limits)
        rows = np.flatnonzero((self._island_of_limit == island) & usable).astype(np.int64)
        batch = self._batch_evaluator(island, rows)
        reference = ReferenceEvaluator(self._base.net, constraints, rows=rows)
        found: dict[int, Row] = {}
        for first in range(0, len(buses), _GROUP):
            question = self._question(rows, buses[first : first + _GROUP])
            brackets = find_brackets(batch or reference, question)
            found |= self._rows(question, rows, brackets, (batch or reference).name)
            unsolved = np.flatnonzero(~brackets.has_solution)
            if batch is not None and len(unsolved):
                found |= self._at_the_nose(reference, question, rows, brackets, unsolved)
            self._report(len(question.buses))
        return found

    def _batch_evaluator(self, island: int, rows: Integers) -> BatchEvaluator | None:
        """Return the batch engine of an island, or None when it does not reproduce pandapower's base case."""
        if island in self._arrays.obstacles:
            return None
        evaluator = BatchEvaluator(self._arrays, self._terms, self._base.constraints, island=island, rows=rows)
        nodes, u_pu = evaluator.base_voltages()
        agrees = np.abs(u_pu - self._arrays.u_pu[nodes]).max() <= VOLTAGE_AGREEMENT_PU
        return evaluator if agrees else None

    def _question(self, rows: Integers, buses: Integers) -> Question:
        constraints = self._base.constraints
        subset = constraints.subset(rows)
        on_path = np.array([subset.is_on_path(self._base.topology.path(int(bus))) for bus in buses])
        base = self._base.values[rows]
        headroom = -subset.excess(base) * _rating_kw(self._base)[rows]
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
        )

    def _rows(self, question: Question, rows: Integers, brackets: Brackets, engine: str) -> dict[int, Row]:
        constraints = self._base.constraints
        value_kw, is_high = brackets.value_kw(), question.constraints.kinds == "voltage_high"
        found = {}
        for at, bus in enumerate(question.buses.tolist()):
            binding = int(brackets.binding[at])
            limit = None if binding == NOTHING else int(rows[binding])
            if limit is not None:
                kind = "existing_violation" if brackets.base_breaks[at] else str(constraints.kinds[limit])
            else:
                kind = "ceiling" if brackets.has_solution[at] else "convergence"
            found[bus] = Row(
                bus=bus,
                capacity_kw=float(value_kw[at]),
                limit_kind=kind,
                limit=limit,
                engine=engine,
                notes=note_of(constraints, rows[np.flatnonzero(brackets.unattributed[at] & ~is_high)]),
                breaks_kw=float(brackets.breaks_kw[at]),
            )
        return found

    def _at_the_nose(
        self, reference: Evaluator, question: Question, rows: Integers, brackets: Brackets, unsolved: Integers
    ) -> dict[int, Row]:
        """Let the reference decide where the batch engine found no solution: it may still find one, or fail earlier."""
        brackets = brackets.pick(unsolved)
        question = question.pick(unsolved, guess_kw=np.maximum(brackets.holds_kw, RESOLUTION_KW))
        everyone = np.arange(len(unsolved))
        value_kw = brackets.value_kw()
        step = np.array([step_kw(kv) for kv in self._base.net.bus.vn_kv.loc[question.buses]])
        values, is_solved = reference.values(question.buses, value_kw, question.tan_phi)
        _, is_beyond_solved = reference.values(question.buses, value_kw + step, question.tan_phi)
        holds = is_solved & (question.counted_excess(everyone, values).max(axis=1, initial=-np.inf) <= 0.0)
        doubtful = np.flatnonzero(~holds | is_beyond_solved)
        found = self._rows(question, rows, brackets, reference.name)
        if len(doubtful):
            again = question.pick(doubtful, guess_kw=question.guess_kw[doubtful])
            found |= self._rows(again, rows, find_brackets(reference, again), reference.name)
        return found


def _rating_kw(base: BaseCase) -> Floats:
    """Return the apparent power of 100 % loading per limit (kVA, used as a first guess in kW); NaN for voltages."""
    net = base.net
    line_kv = net.bus.vn_kv.loc[net.line.from_bus].to_numpy(dtype=float)
    full_mva = {
        "line": np.sqrt(3.0) * line_kv * ratings(net, "line"),
        "trafo": ratings(net, "trafo"),
        "trafo3w": net.trafo3w[["sn_hv_mva", "sn_mv_mva", "sn_lv_mva"]].min(axis=1).to_numpy(dtype=float),
    }
    rating = np.full(len(base.constraints), np.nan)
    for table, mva in full_mva.items():
        rating[base.constraints.tables == table] = mva * _KW_PER_MW
    return rating
