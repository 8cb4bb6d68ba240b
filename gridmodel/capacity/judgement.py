"""Judges published capacities by the load flows of an engine: without load, at the value, and one step above it.

Whatever engine solves the flows, the same is asked of it; see ``decisions/0011-certificates.md``. What counts as a
violation follows from the supply paths of the graph (:class:`gridmodel.topology.SupplyTopology`), not from the trees of
the search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridmodel.capacity.arrays import NO_ISLAND, Integers
from gridmodel.capacity.base_case import BaseCase
from gridmodel.capacity.bracket import RESOLUTION_KW, WIDTH_KW, Evaluator, Question, find_brackets
from gridmodel.capacity.constraints import Constraints, Flags, Floats
from gridmodel.capacity.direction import Direction
from gridmodel.capacity.rows import CEILING, CONVERGENCE, EXISTING_VIOLATION, NO_LIMIT, Rows, step_kw
from gridmodel.topology import SupplyPath, SupplyTopology

AGREEMENT = 1e-6
"""How far two engines may differ in a loading ratio or voltage (pu); a residue of their iterations."""
TIE_KW = WIDTH_KW
"""Limits that break within so much are broken together; the search closes its brackets to this."""

_MEMBERS = {"line": "lines", "trafo": "trafos", "trafo3w": "trafo3ws", "bus": "buses"}
_ELSEWHERE = -2


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """One bus whose published row an engine refutes."""

    bus: int
    what: str
    p_kw: float
    """Load or generation at which it was seen."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Claims:
    """What is published of some buses that depend on each other's limits only; arrays of shape (buses,)."""

    capacity_kw: Floats
    kind: Integers
    """Places in ``rows.LIMIT_KINDS``."""
    named: Integers
    """Binding limit as a position in the question's limits; negative where none is named, or none of them."""
    breaks_kw: Floats
    step_kw: Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class Verdict:
    """What an engine says of the claims; arrays of shape (buses,)."""

    difference_kw: Floats
    """From the load at which the engine sees it break to the published bracket; NaN where refuted or left open."""
    is_open: Flags
    """The engine finds no solution where only another one may say so."""
    disagreements: tuple[Disagreement, ...]


def limits_of_islands(base: BaseCase, islands: Integers, source_nodes: Integers) -> Integers:
    """Return the limits that buses of some islands may touch, or have on their path, as ascending positions.

    Args:
        base: The base case.
        islands: Numbers of the islands; those of source nodes are passed over.
        source_nodes: Ideal sources the islands hang on; their voltages may be broken without load.
    """
    constraints = base.constraints
    is_wanted = np.isin(base.island_of_limit, islands[islands != NO_ISLAND])
    rows = constraints.rows_of("bus")
    is_wanted[rows] |= np.isin(base.live_flow.arrays.node_of_bus[constraints.elements[rows]], source_nodes)
    return np.flatnonzero(is_wanted & np.isfinite(base.values) & np.isfinite(constraints.limits)).astype(np.int64)


def put_question(
    base: BaseCase,
    rows: Rows,
    at: Integers,
    limits: Integers,
    *,
    topology: SupplyTopology,
    tan_phi: float,
    direction: Direction,
) -> tuple[Question, Claims]:
    """Return what is asked about some rows, and what they claim.

    Args:
        base: The base case of the rows.
        rows: Published rows.
        at: Places in ``rows``.
        limits: Limits the buses may touch, as ascending positions in the constraints of ``base``.
        topology: Knows the supply paths of the buses.
        tan_phi: Reactive per active power.
        direction: What is connected.
    """
    constraints, buses = base.constraints.subset(limits), rows.bus[at]
    question = Question(
        buses=buses,
        constraints=constraints,
        base=base.values[limits],
        on_path=on_path_flags(topology, constraints, buses),
        guess_kw=rows.capacity_kw[at],
        tan_phi=tan_phi,
        ceiling_kw=np.inf,
        direction=direction,
    )
    place = np.searchsorted(limits, rows.limit[at])
    is_here = np.isin(rows.limit[at], limits)
    claims = Claims(
        capacity_kw=rows.capacity_kw[at],
        kind=rows.kind[at].astype(np.int64),
        named=np.where(is_here, place, np.where(rows.limit[at] == NO_LIMIT, NO_LIMIT, _ELSEWHERE)),
        breaks_kw=rows.breaks_kw[at],
        step_kw=np.array([step_kw(kv) for kv in base.original.bus.vn_kv.loc[buses].tolist()]),
    )
    return question, claims


def on_path_flags(topology: SupplyTopology, constraints: Constraints, buses: Integers) -> Flags:
    """Return which limits belong to elements of the supply path of each bus, shape (buses, limits)."""
    paths = [topology.path(bus) for bus in buses.tolist()]
    flags = np.zeros((len(buses), len(constraints)), dtype=bool)
    for table, members in _MEMBERS.items():
        elements = [_members(path, members) for path in paths]
        path_of = np.repeat(np.arange(len(buses)), [len(some) for some in elements])
        element = np.array([one for some in elements for one in some], dtype=np.int64)
        rows = constraints.rows_of(table)
        for kind in np.unique(constraints.kind_codes[rows]):
            columns = rows[constraints.kind_codes[rows] == kind]
            place = pd.Index(constraints.elements[columns]).get_indexer(pd.Index(element))
            flags[path_of[place >= 0], columns[place[place >= 0]]] = True
    return flags


def _members(path: SupplyPath, members: str) -> Sequence[int]:
    found: Sequence[int] = getattr(path, members)
    return found


def judge(
    engine: Evaluator, question: Question, claims: Claims, seen_base: Floats, *, decides_collapse: bool
) -> Verdict:
    """Return what ``engine`` says of ``claims``.

    Args:
        engine: Solves the flows; knows the limits of ``question``.
        question: The buses and the limits they may touch.
        claims: What is published of them.
        seen_base: The limits' values without extra load as the engine sees them, shape (limits,).
        decides_collapse: Whether the load flow has no solution when this engine finds none.
    """
    hearing = _Hearing(engine, question, claims, decides_collapse)
    hearing.hear_base(seen_base)
    at, excess = hearing.hear_value()
    hearing.hear_above(at, excess)
    return hearing.verdict()


class _Hearing:
    def __init__(self, engine: Evaluator, question: Question, claims: Claims, decides_collapse: bool) -> None:
        count = len(question.buses)
        self.engine, self.question, self.claims = engine, question, claims
        self.decides_collapse = decides_collapse
        self.difference_kw, self.is_open = np.zeros(count), np.zeros(count, dtype=bool)
        self.refuted: dict[int, Disagreement] = {}

    def hear_base(self, seen: Floats) -> None:
        """Compare the values without load; existing violations must be there, and no others."""
        question, claims, count = self.question, self.claims, len(self.question.buses)
        gap = np.abs(seen - question.base)
        everyone = np.arange(count)
        if not gap.max(initial=0.0) <= AGREEMENT:
            # a value that is missing compares as false, and is the greatest for argmax
            what = f"without load {self._name(int(gap.argmax()))} differs by {gap.max():.2g}"
            self._refute(everyone, what, np.zeros(count))
            return
        excess = question.counted_excess(everyone, np.broadcast_to(seen, (count, len(seen))))
        is_existing = claims.kind == EXISTING_VIOLATION
        is_there = (claims.capacity_kw == 0.0) & (self._of_named(everyone, excess) > -AGREEMENT)
        self._refute(everyone[is_existing & ~is_there], "the violation named is not there", claims.capacity_kw)
        self._refute_broken(everyone[~is_existing], excess[~is_existing], np.zeros(count), "without load")

    def hear_value(self) -> tuple[Integers, Floats]:
        """Let the values hold; return the places that are to break above and the excess of each limit there."""
        at = np.flatnonzero((self.claims.kind != EXISTING_VIOLATION) & ~self._is_refuted())
        excess, is_solved = self._excess(at, self.claims.capacity_kw[at])
        self._collapse(at[~is_solved], "no solution at the value", self.claims.capacity_kw)
        at, excess = at[is_solved], excess[is_solved]
        self._refute_broken(at, excess, self.claims.capacity_kw, "at the value")
        goes_on = (self.claims.kind[at] != CEILING) & ~self._is_refuted()[at]
        return at[goes_on], excess[goes_on]

    def hear_above(self, at: Integers, below: Floats) -> None:
        """Let the values break one step above by the element named, and measure where."""
        claims = self.claims
        above_kw = claims.capacity_kw + claims.step_kw
        excess, is_solved = self._excess(at, above_kw[at])
        is_collapse = claims.kind[at] == CONVERGENCE
        self._collapse(at[is_collapse & is_solved], "a solution above the value", above_kw)
        bound = np.flatnonzero(~is_collapse)
        at, excess, below, is_solved = at[bound], excess[bound], below[bound], is_solved[bound]
        silent = (claims.named[at] < 0) | (is_solved & ~(self._of_named(at, excess) > 0.0))
        self._refute(at[silent], "does not break by the element named", above_kw)
        kept = np.flatnonzero(~silent)
        self._measure(at[kept], below[kept], excess[kept], is_solved[kept])

    def _measure(self, at: Integers, below: Floats, above: Floats, is_solved: Flags) -> None:
        """Note how far the break is from the published bracket, by chords; where those are in doubt, by a search."""
        claims = self.claims
        value, step = claims.capacity_kw[at], claims.step_kw[at]
        row, limit = np.nonzero(above > 0.0)
        before = np.minimum(below[row, limit], 0.0)
        crossing = value[row] - before * step[row] / (above[row, limit] - before)
        first_kw = np.full(len(at), np.inf)
        np.minimum.at(first_kw, row, crossing)
        own = np.full(above.shape, np.nan)
        own[row, limit] = crossing
        own_kw = self._of_named(at, own)
        self.difference_kw[at] = self._distance_kw(at, own_kw)
        doubtful = ~is_solved | ~(own_kw <= first_kw + TIE_KW) | ~(self.difference_kw[at] <= RESOLUTION_KW)
        self._search(at[doubtful], own_kw[doubtful])

    def _search(self, at: Integers, chord_kw: Floats) -> None:
        """Search anew with the engine; the element named must be broken where the first limits are.

        The break is where the chord has it, as far as the search allows; without a chord amid the search's bracket.
        """
        if not len(at):
            return
        claims = self.claims
        brackets = find_brackets(self.engine, self.question.pick(at, guess_kw=claims.capacity_kw[at]))
        middle_kw = 0.5 * (brackets.holds_kw + brackets.breaks_kw)
        break_kw = np.clip(np.where(np.isnan(chord_kw), middle_kw, chord_kw), brackets.holds_kw, brackets.breaks_kw)
        self.difference_kw[at] = self._distance_kw(at, break_kw)
        tied_kw = brackets.breaks_kw + TIE_KW
        excess, is_solved = self._excess(at, tied_kw)
        later = is_solved & ~(self._of_named(at, excess) > -AGREEMENT)
        self._refute(at[later], "breaks first by another element", claims.capacity_kw)

    def _distance_kw(self, at: Integers, break_kw: Floats) -> Floats:
        """Return how far a load is outside the published bracket."""
        claims = self.claims
        return np.asarray(
            np.maximum(np.maximum(claims.capacity_kw[at] - break_kw, break_kw - claims.breaks_kw[at]), 0.0)
        )

    def _excess(self, at: Integers, p_kw: Floats) -> tuple[Floats, Flags]:
        """Return by how much each limit that counts is broken, and where there is a solution."""
        if not len(at):
            return np.zeros((0, len(self.question.constraints))), np.zeros(0, dtype=bool)
        values, is_solved = self.engine.values(self.question.buses[at], p_kw, self.question.tan_phi)
        return self.question.counted_excess(at, values), is_solved

    def _of_named(self, at: Integers, columns: Floats) -> Floats:
        """Return the column of the limit each row names, NaN where it names none of them; shape (places,)."""
        named = self.claims.named[at]
        if not columns.shape[1]:
            return np.full(len(at), np.nan)
        return np.where(named >= 0, columns[np.arange(len(at)), np.maximum(named, 0)], np.nan)

    def _refute_broken(self, at: Integers, excess: Floats, p_kw: Floats, when: str) -> None:
        """Refute the rows in which a limit that counts is broken."""
        if not excess.shape[1]:
            return
        # a limit without value compares as false, so that it is refuted too
        for place in np.flatnonzero(~(excess.max(axis=1) <= AGREEMENT)).tolist():
            what = f"does not hold {when}: {self._name(int(excess[place].argmax()))}"
            self._refute(at[[place]], what, p_kw)

    def _collapse(self, at: Integers, what: str, p_kw: Floats) -> None:
        """Refute rows by a solution that is there or not, or leave them open to the engine that decides it."""
        if self.decides_collapse:
            self._refute(at, what, p_kw)
        else:
            self.is_open[at] = True

    def _refute(self, at: Integers, what: str, p_kw: Floats) -> None:
        for place in at.tolist():
            bus = int(self.question.buses[place])
            self.refuted.setdefault(place, Disagreement(bus=bus, what=what, p_kw=float(p_kw[place])))

    def _is_refuted(self) -> Flags:
        flags = np.zeros(len(self.question.buses), dtype=bool)
        flags[list(self.refuted)] = True
        return flags

    def _name(self, limit: int) -> str:
        constraints = self.question.constraints
        return f"{constraints.tables[limit]} {constraints.elements[limit]} {constraints.kinds[limit]}"

    def verdict(self) -> Verdict:
        """Return what has been heard."""
        return Verdict(
            difference_kw=np.where(self._is_refuted() | self.is_open, np.nan, self.difference_kw),
            is_open=self.is_open & ~self._is_refuted(),
            disagreements=tuple(self.refuted[place] for place in sorted(self.refuted)),
        )
