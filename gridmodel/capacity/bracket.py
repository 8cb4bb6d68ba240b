"""Finds, for many candidates at once, the largest load that breaks no counted limit, whatever engine solves the flows.

Per candidate the answer lies between ``lo`` (holds) and ``hi`` (breaks). Each round puts one load per candidate: first
the headroom of the path's ratings, then where the secant of the first limit to break crosses zero, then the two sides
of the 0.1 kW grid cell of that crossing. Bisection takes over where secants mislead (kinks, no solution).

Generation is searched in the same way; "load" then means the generation tried. It starts with a small step and never
goes where a rising voltage may already have left its limit and come back; see ``decisions/0008-generation.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.constraints import SOLUTION_NOISE, Constraints, Flags, Floats
from gridmodel.capacity.direction import Direction, never_counts

RESOLUTION_KW = 0.1
"""Capacities are rounded down to this."""
WIDTH_KW = 0.35
"""Largest distance between a rounded value that holds and the load that breaks."""
ROUNDS_MAX = 80
NOTHING = -1

_PROBE_KW = 0.2  # from a grid value to the load that must break; the rest of WIDTH_KW is for rounding
_GUARD_KW = 0.02  # taken off a crossing before rounding, so that the value holds in spite of solver noise
_GROWTH_MAX = 8.0  # longest step beyond everything tried so far
_SECANT_ROUNDS = 6  # after so many rounds every second one bisects
_FIRST_KW = 1.0  # where nothing suggests a size


class Evaluator(Protocol):
    """Anything that solves load flows with one extra load, or one extra generator."""

    name: str
    direction: Direction

    def values(self, buses: Integers, p_kw: Floats, tan_phi: float) -> tuple[Floats, Flags]:
        """Return the limits' values per bus, shape (n, limits), and whether there is a solution, shape (n,)."""
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class Question:
    """What is asked of one group of candidates; ``limits`` counts the island's limits."""

    buses: Integers
    """The candidates."""
    constraints: Constraints
    """The island's limits only."""
    base: Floats
    """Their values without extra load, shape (limits,)."""
    on_path: Flags
    """Shape (candidates, limits)."""
    guess_kw: Floats
    tan_phi: float
    ceiling_kw: float
    direction: Direction = "load"

    def pick(self, at: Integers, *, guess_kw: Floats) -> Question:
        """Return the question for some candidates, with another first load."""
        return replace(self, buses=self.buses[at], on_path=self.on_path[at], guess_kw=guess_kw)

    def counted_excess(self, candidates: Integers, values: Floats) -> Floats:
        """Return how far each limit that counts is broken, shape (n, limits); -inf where it does not count.

        Continuous in the load: off the path and with an effect threshold it is the smaller of the excess and of what
        the change has beyond the threshold, so that it turns positive exactly when the violation is attributed.
        """
        limits = self.constraints
        base_excess = limits.excess(self.base)
        is_existing = base_excess > SOLUTION_NOISE
        existed = np.flatnonzero(is_existing)
        off_path = ~self.on_path[candidates]
        excess = limits.excess(values)
        excess -= np.where(np.abs(base_excess) <= SOLUTION_NOISE, SOLUTION_NOISE, 0.0)
        by_effect = limits.effects > 0.0
        if by_effect.any():
            beyond = limits.signs * (values - self.base) - limits.effects
            np.minimum(excess, beyond, out=excess, where=off_path & by_effect)
        excess[:, existed] = np.where(off_path[:, existed] & ~by_effect[existed], -np.inf, excess[:, existed])
        excess[:, never_counts(limits, is_existing, self.direction)] = -np.inf
        return excess


@dataclass(frozen=True, eq=False, kw_only=True)
class Brackets:
    """Answer per candidate."""

    holds_kw: Floats
    """Largest load seen to hold, not rounded."""
    breaks_kw: Floats
    """Smallest load seen to break; inf where the ceiling holds."""
    binding: Integers
    """Limit that breaks first, ``NOTHING`` where the flow has no solution or the ceiling holds."""
    base_breaks: Flags
    """A counted limit is already broken without load; ``binding`` names it."""
    has_solution: Flags
    """False where ``breaks_kw`` is a load without solution."""
    unattributed: Flags
    """Limits broken at ``holds_kw`` that do not count, shape (candidates, limits)."""
    evaluations: int

    def pick(self, at: Integers) -> Brackets:
        """Return the brackets of some candidates."""
        return replace(
            self,
            holds_kw=self.holds_kw[at],
            breaks_kw=self.breaks_kw[at],
            binding=self.binding[at],
            base_breaks=self.base_breaks[at],
            has_solution=self.has_solution[at],
            unattributed=self.unattributed[at],
        )

    def value_kw(self) -> Floats:
        """Return the capacity: the load that holds, rounded down to the resolution."""
        return round_down(self.holds_kw)


def round_down(p_kw: Floats) -> Floats:
    """Return the value on the 0.1 kW grid at or below (a value already on the grid stays)."""
    return np.asarray(np.round(np.floor(p_kw / RESOLUTION_KW + 1e-6) * RESOLUTION_KW, 1))


def find_brackets(evaluator: Evaluator, question: Question) -> Brackets:
    """Return the bracket of every candidate of ``question``.

    Raises:
        ValueError: The evaluator connects the other direction.
    """
    if evaluator.direction != question.direction:
        raise ValueError(f"evaluator connects {evaluator.direction}, question asks for {question.direction}")
    state = _State(question)
    evaluations = 0
    for round_number in range(ROUNDS_MAX):
        active = state.active()
        if not len(active):
            break
        p_kw = state.propose(active, round_number)
        values, has_solution = evaluator.values(question.buses[active], p_kw, question.tan_phi)
        evaluations += len(active)
        state.take(active, p_kw, values, has_solution)
    return state.brackets(evaluations)


class _State:
    def __init__(self, question: Question) -> None:
        count = len(question.guess_kw)
        everyone = np.arange(count)
        base = np.tile(question.base, (count, 1))
        self.question = question
        self.lo, self.hi = np.zeros(count), np.full(count, np.inf)
        self.binding = np.full(count, NOTHING, dtype=np.int64)
        self.has_solution = np.ones(count, dtype=bool)
        self.last_p, self.last_excess = np.zeros(count), question.counted_excess(everyone, base)
        self.prev_p, self.prev_excess = np.full(count, np.nan), self.last_excess.copy()
        self.unattributed = self._unattributed(base, self.last_excess)
        worst = self.last_excess.max(axis=1, initial=-np.inf)
        self.base_breaks = worst > 0.0
        if self.last_excess.shape[1]:
            self.binding[self.base_breaks] = self.last_excess[self.base_breaks].argmax(axis=1)
        self.hi[self.base_breaks] = 0.0
        self.creeps = np.zeros(count)
        is_generation = question.direction == "generation"
        self.first_round = -1 if is_generation else 0
        self.rising = np.flatnonzero(question.constraints.is_kind("voltage_high") & is_generation)
        self.lo_excess = self.last_excess[:, self.rising]
        self.below_lo, self.below_lo_excess = np.full(count, np.nan), self.lo_excess.copy()

    def _unattributed(self, values: Floats, excess: Floats) -> Flags:
        return np.asarray((self.question.constraints.excess(values) > SOLUTION_NOISE) & ~(excess > 0.0))

    def active(self) -> Integers:
        is_open = (self.hi - round_down(self.lo) > WIDTH_KW) & (self.lo < self.question.ceiling_kw)
        return np.flatnonzero(is_open & ~self.base_breaks)

    def propose(self, at: Integers, round_number: int) -> Floats:
        """Return the next load to try, strictly between ``lo`` and ``hi`` and never above the ceiling."""
        lo, hi, ceiling = self.lo[at], self.hi[at], self.question.ceiling_kw
        round_number += self.first_round
        if round_number < 0:
            return np.full(len(at), min(_FIRST_KW, ceiling))
        guess = np.maximum(self.question.guess_kw[at], RESOLUTION_KW)
        reach = guess if round_number == 0 else _GROWTH_MAX * np.maximum(np.maximum(lo, guess), _FIRST_KW)
        outer = np.minimum(np.where(np.isinf(hi), np.maximum(reach, 2.0 * lo), hi), ceiling)
        crossing = self._crossings(at).min(axis=1, initial=np.inf)
        target = np.minimum(crossing, outer)
        if round_number > 1:
            target = self._side_of_cell(at, crossing, target)
        is_inside = (target > lo) & (target < hi)
        middle = 0.5 * (lo + np.where(np.isinf(hi), outer, hi))
        bisect = ~is_inside | (np.isfinite(hi) & (round_number > _SECANT_ROUNDS) & (round_number % 2 == 1))
        bisect |= ~self.has_solution[at] & np.isfinite(hi) & (round_number % 2 == 1)
        return np.minimum(np.where(bisect, middle, target), self._barrier(at))

    def _barrier(self, at: Integers) -> Floats:
        """Return up to where no rising voltage can have been outside its limit: concave, it stays below its secant.

        At least far enough to close in on a limit that is met.
        """
        if not len(self.rising):
            return np.full(len(at), np.inf)
        crossing = _zero_of_secant(self.below_lo[at], self.below_lo_excess[at], self.lo[at], self.lo_excess[at])
        return np.asarray(np.maximum(crossing.min(axis=1), round_down(self.lo[at]) + _PROBE_KW))

    def _side_of_cell(self, at: Integers, crossing: Floats, target: Floats) -> Floats:
        """Close in: try the grid value below the crossing; when it is known to hold, the load that must break above."""
        lo, hi = self.lo[at], self.hi[at]
        below = round_down(np.maximum(crossing - _GUARD_KW, 0.0))
        stride = _PROBE_KW * 2.0 ** self.creeps[at]
        near_lo, near_hi = below <= lo, below >= hi
        target = np.where(np.isfinite(crossing) & (crossing == target), below, target)
        target = np.where(near_lo, round_down(lo) + stride, target)
        target = np.where(near_hi, round_down(np.maximum(hi - stride, 0.0)), target)
        self.creeps[at] += near_lo | near_hi
        return np.minimum(target, self.question.ceiling_kw)

    def _crossings(self, at: Integers) -> Floats:
        """Return where the secant through the last two loads crosses zero, per limit; inf where it does not rise."""
        return _zero_of_secant(self.prev_p[at], self.prev_excess[at], self.last_p[at], self.last_excess[at])

    def take(self, at: Integers, p_kw: Floats, values: Floats, has_solution: Flags) -> None:
        """Book one round of solved flows."""
        failed = ~has_solution
        self.hi[at[failed]] = p_kw[failed]
        self.has_solution[at[failed]] = False
        at, p_kw, values = at[~failed], p_kw[~failed], values[~failed]
        excess = self.question.counted_excess(at, values)
        self.prev_p[at], self.prev_excess[at] = self.last_p[at], self.last_excess[at]
        self.last_p[at], self.last_excess[at] = p_kw, excess
        holds = excess.max(axis=1, initial=-np.inf) <= 0.0
        self._keep_rising(at[holds], excess[holds])
        self.lo[at[holds]] = p_kw[holds]
        self.unattributed[at[holds]] = self._unattributed(values[holds], excess[holds])
        broken = at[~holds]
        self.hi[broken] = p_kw[~holds]
        self.has_solution[broken] = True
        self.binding[broken] = self._first_to_break(broken)

    def _keep_rising(self, at: Integers, excess: Floats) -> None:
        self.below_lo[at], self.below_lo_excess[at] = self.lo[at], self.lo_excess[at]
        self.lo_excess[at] = excess[:, self.rising]

    def _first_to_break(self, at: Integers) -> Integers:
        """Return the broken limit whose secant crosses first; of equals one on the path."""
        if not len(at):
            return np.zeros(0, dtype=np.int64)
        broken = self.last_excess[at] > 0.0
        # a limit whose secant does not rise (the load before broke it more) is no better known than this load
        crossing = np.minimum(self._crossings(at), self.last_p[at, None])
        order = np.where(broken, crossing, np.inf)
        is_first = order <= order.min(axis=1, keepdims=True) + _GUARD_KW
        return np.asarray((is_first * (1.0 + self.question.on_path[at])).argmax(axis=1), dtype=np.int64)

    def brackets(self, evaluations: int) -> Brackets:
        is_free = np.isinf(self.hi)
        return Brackets(
            holds_kw=self.lo,
            breaks_kw=self.hi,
            binding=np.where(is_free | ~self.has_solution, NOTHING, self.binding),
            base_breaks=self.base_breaks,
            has_solution=self.has_solution,
            unattributed=self.unattributed,
            evaluations=evaluations,
        )


def _zero_of_secant(p_before: Floats, before: Floats, p_last: Floats, last: Floats) -> Floats:
    """Return where the line through two loads' excesses crosses zero, shape (n, limits); inf where it does not rise."""
    step = (p_last - p_before)[:, None]
    with np.errstate(all="ignore"):
        crossing = p_last[:, None] - last * step / (last - before)
        rises = ((last - before) / step > 0.0) & np.isfinite(crossing)
    return np.where(rises, crossing, np.inf)
