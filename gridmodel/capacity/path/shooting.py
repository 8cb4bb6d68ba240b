"""The largest load at one position: a walk from it to the source, repeated by Newton's method.

Unknowns are the squared voltage at the candidate ``w`` and the extra load ``p``; all other loads hang on the way as
one-ports, so one walk gives the source voltage, every flow and every voltage on the way, with slopes. The step goes to
the first limit that breaks; no load flow is nested inside, so nothing diverges near the voltage collapse. Candidates
are taken depth first, and the solution at the parent says where to begin.

Generation is a load below zero: ``sign`` is -1, ``p`` stays what is connected.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.constraints import Floats
from gridmodel.capacity.path.bounds import NO_LIMIT, Bounds
from gridmodel.capacity.path.breaks import (
    KINDS,
    LOWER,
    NOTHING,
    VOLTAGE,
    breaks_first,
    first_to_break,
)
from gridmodel.capacity.path.compiled import compiled
from gridmodel.capacity.path.guess import Guess, Known, guess_from_parent, no_guess
from gridmodel.capacity.path.needs import Needs, need_of_voltage, stricter
from gridmodel.capacity.path.notes import falls_back, may_break_beside, note_unattributed
from gridmodel.capacity.path.oneport import OnePorts
from gridmodel.capacity.path.tree import Tree
from gridmodel.capacity.path.ways import W, Way, lead_to, move_on, new_gates, new_way, set_gates, walk_up
from gridmodel.capacity.rows import NOTED_MAX

SETTLED, UNSETTLED, OUTSIDE, UNSAFE = 0, 1, 2, 3
"""Outcomes: found; Newton did not settle (or a collapse comes first); left what one-ports and needs cover; a voltage
that moves the other way may have broken its limit before."""

_ITERATIONS_MAX = 40
_STEP_PU = 0.12  # greatest change of the voltage towards its limit
_LEAST_W = 0.04
_SETTLED_MW = 1e-3  # Newton's error falls with the square: a last step of 1 kW leaves about 1e-5 kW
_SETTLED_W = 4e-5
_FORESEEN_MW = 0.1  # greatest last step whose remainder is foreseen from the parent's curve
_REMAINDER_MW = 3e-7
_CAUTION = 8.0
_BEFORE_MW = 1e-5  # notes are taken this much below the answer, where the limit that binds is not yet broken
_ROW_ON, _ROW_OFF = -2, -3  # stand for a row that is looked up afterwards
_ABOVE_NOSE = 1e-3  # least slope of the source voltage over the candidate's


class Answers(NamedTuple):
    """One entry per candidate."""

    p_mw: Floats
    row: Integers
    """Limit that binds."""
    head: Integers
    """Position whose voltage binds; -1 for a flow."""
    via: Integers
    """Position below ``head`` on the way to the candidate; -1 for the candidate's own voltage and for a flow."""
    outcome: Integers
    walks: Integers
    noted: Integers
    """First limits broken at that load that do not count, shape (candidates, NOTED_MAX), -1 = none."""
    noted_count: Integers
    """All of them."""


class Shot(NamedTuple):
    """The end of one search."""

    p_mw: float
    w_pu2: float
    slope_pu2_per_mw: float
    """Of ``w_pu2`` over ``p_mw`` along the solutions (1/MW)."""
    at: int
    """Limit that binds, on the way."""
    outcome: int
    walks: int
    w_step_pu2: float
    """Last step, since the last walk."""
    p_step_mw: float


@compiled
def shoot(ports: OnePorts, way: Way, depth: int, w_base: float, w_source: float, guess: Guess, s_sign: complex) -> Shot:
    """Return the load at which the first limit of a way breaks; the last walk is made within a last step of it."""
    sign = s_sign.real
    w, p, at = guess.w_pu2, guess.p_mw, guess.at
    w_good, p_good = w_base, 0.0
    for count in range(1, _ITERATIONS_MAX + 1):
        is_inside = walk_up(ports, way, depth, 0, w, p, s_sign)
        missed, missed_w, missed_p = way.seen[W, 0] - w_source, way.seen[W + 1, 0], way.seen[W + 2, 0]
        if not missed_w > _ABOVE_NOSE:  # beyond the nose of the curve: halfway back
            w, p = 0.5 * (w + w_good), 0.5 * (p + p_good)
            continue
        w_good, p_good = w, p
        shift, slope = -missed / missed_w, -missed_p / missed_w
        more, at, is_safe = _next_break(way, depth, p, shift, slope, sign, at)
        if at == NOTHING:
            return Shot(p, w, slope, at, UNSETTLED, count, 0.0, 0.0)
        if p == 0.0 and count == 1 and not is_safe:
            return Shot(p, w, slope, at, UNSAFE, count, 0.0, 0.0)
        more = max(more, -p)
        w_step = shift + slope * more
        if _is_last(more, w_step, abs(more) + abs(shift / slope), guess.bend_mw_per_mw2):
            outcome = (SETTLED if is_safe else UNSAFE) if is_inside else OUTSIDE
            return Shot(p + more, w + w_step, slope, at, outcome, count, w_step, more)
        ahead, longest = -sign * w_step, 2.0 * _STEP_PU * math.sqrt(w)
        share = longest / ahead if ahead > longest else 1.0
        w, p = max(_LEAST_W, w + share * w_step), p + share * more
    return Shot(p, w, 0.0, NOTHING, UNSETTLED, _ITERATIONS_MAX, 0.0, 0.0)


@compiled
def _next_break(
    way: Way, depth: int, p: float, shift: float, slope: float, sign: float, expected: int
) -> tuple[float, int, bool]:
    """Return what ``first_to_break`` does, sooner where the expected limit is the one."""
    if expected != NOTHING:
        more, is_first = breaks_first(way, depth, p, shift, slope, sign, expected)
        if is_first:
            return more, expected, True
    return first_to_break(way, depth, 0, p, shift, slope, sign)


@compiled
def _is_last(more: float, w_step: float, error_mw: float, bend: float) -> bool:
    """Return whether what Newton leaves after a step of ``more`` load is too little to matter."""
    if abs(more) <= _SETTLED_MW and abs(w_step) < _SETTLED_W:
        return True
    return error_mw < _FORESEEN_MW and _CAUTION * bend * error_mw * error_mw <= _REMAINDER_MW


@compiled
def shoot_all(
    tree: Tree,
    bounds: Bounds,
    ports: OnePorts,
    needs: Needs,
    as_it_stands: Bounds,
    literal_needs: Needs,
    candidates: Integers,
    v_base: Floats,
    tan_phi: float,
    depth_max: int,
    sign: float,
    back_needs: Needs,
) -> Answers:
    """Return the answer of every candidate position, shape (candidates,).

    Args:
        tree: The forest.
        bounds: Limits that count.
        ports: One-ports.
        needs: By the limits that count.
        as_it_stands: Limits without attribution.
        literal_needs: By those.
        candidates: Positions, no sources; ascending is fastest.
        v_base: Base voltages (pu), shape (positions,).
        tan_phi: Reactive per active power of the extra load.
        depth_max: Longest way (branches).
        sign: +1 for a load, -1 for generation; bounds, one-ports and needs must be those of the same direction.
        back_needs: Needs where voltages move the other way, which generation can make them do; not read for a load.
    """
    answers, s_sign, count = _no_answers(len(candidates)), sign * (1.0 + 1j * tan_phi), len(v_base)
    w_base = np.empty(count)
    known = Known(np.empty(count), np.empty(count), np.empty(count), np.empty(count, np.int64))
    gates, w_now, stack = new_gates(count), np.empty(count), np.empty(count, np.int64)
    first, last = _islands_of(tree, candidates)
    for i in range(first, last):
        w_base[i], known.p_mw[i] = v_base[i] * v_base[i], 0.0
        set_gates(gates, bounds, needs, literal_needs, sign, i)
        gates.back[i], gates.back_beside[i] = -np.inf, -np.inf
        if sign < 0.0:
            gates.back[i], gates.back_beside[i] = back_needs.below[i], back_needs.beside[i]
    way, depth = new_way(depth_max), -1
    for k in range(len(candidates)):
        i = candidates[k]
        depth = lead_to(tree, gates, ports.steps, way, depth, i)
        w_source = tree.v_source[way.position[0]] ** 2
        guess = guess_from_parent(ports, w_base, known, way, depth, s_sign)
        shot = shoot(ports, way, depth, w_base[i], w_source, guess, s_sign)
        if shot.outcome != SETTLED and guess.p_mw > 0.0:
            shot = shoot(ports, way, depth, w_base[i], w_source, no_guess(w_base[i]), s_sign)
        _write(answers, k, way, depth, shot)
        if shot.outcome == SETTLED:
            known.p_mw[i], known.w_pu2[i], known.slope_pu2_per_mw[i] = shot.p_mw, shot.w_pu2, shot.slope_pu2_per_mw
            known.at[i] = shot.at
            w_step_pu2 = shot.w_step_pu2 - _BEFORE_MW * shot.slope_pu2_per_mw
            move_on(way, depth, w_step_pu2, shot.p_step_mw - _BEFORE_MW)
            if falls_back(way, depth, sign):
                answers.outcome[k] = OUTSIDE
            elif may_break_beside(way, depth, sign):
                answers.noted_count[k] = note_unattributed(
                    tree, as_it_stands, ports, literal_needs, way, depth, v_base, sign, w_now, stack, answers.noted[k]
                )
    _name_limits(answers, candidates, bounds, needs, sign)
    return answers


@compiled
def _islands_of(tree: Tree, candidates: Integers) -> tuple[int, int]:
    """Return the first position of the first island with a candidate, and the end of the last one."""
    if not len(candidates):
        return 0, 0
    first, last = candidates.min(), candidates.max()
    while tree.parent[first] >= 0:
        first = tree.parent[first]
    while tree.parent[last] >= 0:
        last = tree.parent[last]
    return first, tree.end[last]


@compiled
def _no_answers(count: int) -> Answers:
    nothing = np.full(count, -1, np.int64)
    return Answers(
        np.zeros(count),
        nothing.copy(),
        nothing.copy(),
        nothing.copy(),
        nothing.copy(),
        nothing.copy(),
        np.full((count, NOTED_MAX), -1, np.int64),
        np.zeros(count, np.int64),
    )


@compiled
def _write(answers: Answers, k: int, way: Way, depth: int, shot: Shot) -> None:
    """Write an answer without its row; the need that binds is one of two (``_name_limits``)."""
    answers.p_mw[k], answers.outcome[k], answers.walks[k] = shot.p_mw, shot.outcome, shot.walks
    if shot.at == NOTHING:
        return
    at, kind = divmod(shot.at, KINDS)
    if kind != VOLTAGE:
        answers.row[k] = way.flow_row[kind - LOWER, at]
        return
    answers.head[k], answers.row[k] = way.position[at], _ROW_ON if at >= way.counts_from[depth] else _ROW_OFF
    answers.via[k] = way.position[at + 1] if at < depth else NO_LIMIT


@compiled
def _name_limits(answers: Answers, candidates: Integers, bounds: Bounds, needs: Needs, sign: float) -> None:
    """Write the rows of needs: of the position's own voltage, or of what hangs beside the way or below its end."""
    for k in range(len(candidates)):
        head, via = answers.head[k], answers.via[k]
        if head < 0:
            continue
        if answers.row[k] == _ROW_ON:
            own, row = need_of_voltage(bounds.v_on[head], sign), bounds.v_on_row[head]
        else:
            own, row = need_of_voltage(bounds.v_off[head], sign), bounds.v_off_row[head]
        if via >= 0:
            _, answers.row[k] = stricter(own, row, needs.beside[via], needs.beside_row[via])
        else:
            _, answers.row[k] = stricter(own, row, needs.below[head], needs.below_row[head])
