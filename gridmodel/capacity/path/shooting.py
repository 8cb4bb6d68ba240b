"""The largest load at one position: a walk from it to the source, repeated by Newton's method.

Unknowns are the voltage at the candidate ``v`` and the extra load ``p``; all other loads hang on the way as one-ports,
so one walk gives the source voltage, every flow and every voltage on the way, with derivatives. The step goes to the
first limit that breaks; no load flow is nested inside, so nothing diverges near the voltage collapse.

Derivatives over ``v`` end in ``_v``, over ``p`` in ``_p``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gridmodel.capacity.arrays import Complexes, Integers
from gridmodel.capacity.constraints import Floats
from gridmodel.capacity.path.bounds import NO_LIMIT, Bounds
from gridmodel.capacity.path.compiled import compiled, inner, magnitude, scaled
from gridmodel.capacity.path.oneport import Needs, OnePorts, power_at
from gridmodel.capacity.path.tree import Tree
from gridmodel.capacity.path.ways import Route, Walk, note_unattributed
from gridmodel.capacity.rows import NOTED_MAX

SETTLED, UNSETTLED, OUTSIDE, NOT_FALLING = 0, 1, 2, 3
"""Outcomes: found; Newton did not settle (or a collapse comes first); left an interval; a voltage rises with load."""

_ITERATIONS_MAX = 40
_STEP_DOWN_PU = 0.12
_LEAST_PU = 0.2
_SETTLED_MW = 1e-3  # Newton's error falls with the square: a last step of 1 kW leaves about 1e-5 kW
_SETTLED_PU = 2e-5
_TIE_MW = 1e-6
_ABOVE_NOSE = 1e-3  # least slope of the source voltage over the candidate's
_OUTSIDE_PU = 1e-6


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


@compiled
def new_route(steps: int) -> Route:
    """Return room for a way of so many steps."""
    return Route(
        np.zeros(steps + 1, np.int64),
        np.zeros(steps + 1),
        np.zeros(steps + 1, np.int64),
        np.zeros((steps, 2)),
        np.zeros((steps, 2), np.int64),
        np.zeros(steps, np.bool_),
    )


@compiled
def new_walk(steps: int) -> Walk:
    """Return room for a walk of so many steps."""
    return Walk(np.zeros((steps + 1, 3)), np.zeros((steps, 2, 3), np.complex128), np.zeros(3))


@compiled
def find_route(tree: Tree, bounds: Bounds, needs: Needs, start: int, route: Route) -> int:
    """Fill in the way from ``start`` to the source and return its number of steps.

    Limits of the supply path hold up to and including the main transformer, those of the rest beyond it.
    """
    i, steps, is_on_path = start, 0, True
    route.need[0], route.need_row[0] = _stricter(bounds.v_on[i], bounds.v_on_row[i], needs.below[i], needs.below_row[i])
    while tree.parent[i] >= 0:
        parent = tree.parent[i]
        route.position[steps], route.is_power[steps] = i, bounds.is_power[i]
        for end in range(2):
            if is_on_path:
                route.flow_limit[steps, end] = bounds.flow_on[i, end]
                route.flow_row[steps, end] = bounds.flow_on_row[i, end]
            else:
                route.flow_limit[steps, end] = bounds.flow_off[i, end]
                route.flow_row[steps, end] = bounds.flow_off_row[i, end]
        is_on_path = is_on_path and not bounds.ends_path[i]
        own, row = bounds.v_off[parent], bounds.v_off_row[parent]
        if is_on_path:
            own, row = bounds.v_on[parent], bounds.v_on_row[parent]
        steps += 1
        route.need[steps], route.need_row[steps] = _stricter(own, row, needs.beside[i], needs.beside_row[i])
        i = parent
    route.position[steps] = i
    return steps


@compiled
def _stricter(one: float, one_row: int, other: float, other_row: int) -> tuple[float, int]:
    if other > one:
        return other, other_row
    return one, one_row


@compiled
def walk_route(
    tree: Tree, ports: OnePorts, route: Route, steps: int, walk: Walk, v: float, p: float, tan_phi: float
) -> bool:
    """Walk to the source with the load ``p`` (MW) and the voltage ``v`` (pu) at the candidate.

    Angles are relative to the position just left. Returns whether every voltage lies in its one-port's interval.
    """
    i = route.position[0]
    s_p = 1.0 + 1j * tan_phi
    own, s_v = power_at(ports.whole, i, ports.low[i], ports.scale[i], v)
    s = own + p * s_p
    v_v, v_p = 1.0, 0.0
    is_inside = bool(v >= ports.low[i] - _OUTSIDE_PU)
    walk.voltage[0, 0], walk.voltage[0, 1], walk.voltage[0, 2] = v, v_v, v_p
    for k in range(steps):
        i, parent = route.position[k], route.position[k + 1]
        inverse = 1.0 / v
        j = scaled(np.conj(s), inverse)
        j_v, j_p = scaled(np.conj(s_v) - scaled(j, v_v), inverse), scaled(np.conj(s_p) - scaled(j, v_p), inverse)
        from_v, from_j = tree.v_from_v[i], tree.v_from_j[i]
        u = scaled(from_v, v) + from_j * j
        u_v, u_p = scaled(from_v, v_v) + from_j * j_v, scaled(from_v, v_p) + from_j * j_p
        from_v, from_j = tree.i_from_v[i], tree.i_from_j[i]
        c = scaled(from_v, v) + from_j * j
        c_v, c_p = scaled(from_v, v_v) + from_j * j_v, scaled(from_v, v_p) + from_j * j_p
        d = u * np.conj(c)
        d_v, d_p = u_v * np.conj(c) + u * np.conj(c_v), u_p * np.conj(c) + u * np.conj(c_p)
        if route.is_power[k]:
            _keep(walk.flow, k, 0, s, s_v, s_p)
            _keep(walk.flow, k, 1, d, d_v, d_p)
        else:
            _keep(walk.flow, k, 0, j, j_v, j_p)
            _keep(walk.flow, k, 1, c, c_v, c_p)
        v = magnitude(u)
        v_v, v_p = inner(u, u_v) / v, inner(u, u_p) / v
        walk.voltage[k + 1, 0], walk.voltage[k + 1, 1], walk.voltage[k + 1, 2] = v, v_v, v_p
        rest, slope = power_at(ports.others, i, ports.low[parent], ports.scale[parent], v)
        s, s_v, s_p = d + rest, d_v + scaled(slope, v_v), d_p + scaled(slope, v_p)
        is_inside &= v >= ports.low[parent] - _OUTSIDE_PU
    walk.source[0], walk.source[1], walk.source[2] = v - tree.v_source[route.position[steps]], v_v, v_p
    return is_inside


@compiled
def _keep(flow: Complexes, k: int, end: int, x: complex, x_v: complex, x_p: complex) -> None:
    flow[k, end, 0], flow[k, end, 1], flow[k, end, 2] = x, x_v, x_p


@compiled
def first_to_break(route: Route, walk: Walk, steps: int, shift: float, slope: float) -> tuple[float, int, bool]:
    """Return how much more load breaks a limit, which one, and whether all voltages fall with load.

    Of flows that break at the same load the one with the first row is named.

    Args:
        route: Limits on the way.
        walk: The last walk.
        steps: Of the route.
        shift: Change of ``v`` that meets the source voltage at the present load (pu).
        slope: Change of ``v`` per change of ``p`` along the solutions (pu/MW).

    Returns:
        Load (MW, inf = none); ``k`` for the voltage at step ``k``, ``steps + 2 k + end`` for a flow, -1 for none.
    """
    best, at, row, all_fall = np.inf, -1, -1, True
    for k in range(steps):
        fall = -(walk.voltage[k, 2] + walk.voltage[k, 1] * slope)
        if fall > 0.0:
            more = (walk.voltage[k, 0] + walk.voltage[k, 1] * shift - route.need[k]) / fall
            if more < best - _TIE_MW:
                best, at = more, k
        else:
            all_fall = False
    for k in range(steps):
        for end in range(2):
            if route.flow_limit[k, end] < np.inf:
                x = walk.flow[k, end, 0] + scaled(walk.flow[k, end, 1], shift)
                x_p = walk.flow[k, end, 2] + scaled(walk.flow[k, end, 1], slope)
                more = _way_out(x, x_p, route.flow_limit[k, end], best + 2.0 * _TIE_MW)
                is_equal = abs(more - best) <= _TIE_MW and route.flow_row[k, end] < row
                if more < best - _TIE_MW or is_equal:
                    best, at, row = min(more, best), steps + 2 * k + end, route.flow_row[k, end]
    return best, at, all_fall


@compiled
def _way_out(x: complex, x_p: complex, limit: float, enough: float) -> float:
    """Return the greater root of ``|x + d x_p| = limit``, where a flow leaves its limit for good, or ``enough``.

    A flow that shrinks before it grows (reverse flow) is met by the square. Where no root is left, the least value.
    """
    a, b, c = inner(x_p, x_p), inner(x, x_p), inner(x, x) - limit * limit
    if enough < np.inf and c + enough * (2.0 * b + enough * a) <= 0.0:
        return enough
    if not a > 0.0:
        return np.inf
    square = b * b - a * c
    if square < 0.0:
        return -b / a
    root = math.sqrt(square)
    return -c / (b + root) if b > 0.0 else (root - b) / a


@compiled
def shoot(
    tree: Tree, ports: OnePorts, route: Route, steps: int, walk: Walk, v_base: float, tan_phi: float
) -> tuple[float, int, int, int]:
    """Return the load (MW) at which the first limit of a route breaks, which limit, outcome, and walks made."""
    v, p = v_base, 0.0
    v_good, p_good = v_base, 0.0
    for count in range(1, _ITERATIONS_MAX + 1):
        is_inside = walk_route(tree, ports, route, steps, walk, v, p, tan_phi)
        if not walk.source[1] > _ABOVE_NOSE:  # beyond the nose of the curve: halfway back
            v, p = 0.5 * (v + v_good), 0.5 * (p + p_good)
            continue
        v_good, p_good = v, p
        shift, slope = -walk.source[0] / walk.source[1], -walk.source[2] / walk.source[1]
        more, at, all_fall = first_to_break(route, walk, steps, shift, slope)
        if at < 0:
            return p, at, UNSETTLED, count
        if count == 1 and not all_fall:
            return p, at, NOT_FALLING, count
        more = max(more, -p)
        v_step = shift + slope * more
        if abs(more) <= _SETTLED_MW and abs(v_step) < _SETTLED_PU:
            if not is_inside:
                return p, at, OUTSIDE, count
            return p + more, at, SETTLED if all_fall else NOT_FALLING, count
        share = min(1.0, _STEP_DOWN_PU / -v_step) if v_step < 0.0 else 1.0
        v, p = max(_LEAST_PU, v + share * v_step), p + share * more
    return p, -1, UNSETTLED, _ITERATIONS_MAX


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
) -> Answers:
    """Return the answer of every candidate position, shape (candidates,).

    Args:
        tree: The forest.
        bounds: Limits that count.
        ports: One-ports.
        needs: By the limits that count.
        as_it_stands: Limits without attribution.
        literal_needs: By those.
        candidates: Positions.
        v_base: Base voltages (pu), shape (positions,).
        tan_phi: Reactive per active power of the extra load.
        depth_max: Longest way (steps).
    """
    count = len(candidates)
    nothing = np.full(count, -1, np.int64)
    answers = Answers(
        np.zeros(count),
        nothing.copy(),
        nothing.copy(),
        nothing.copy(),
        nothing.copy(),
        nothing.copy(),
        np.full((count, NOTED_MAX), -1, np.int64),
        np.zeros(count, np.int64),
    )
    v_now, stack = np.empty(len(tree.parent)), np.empty(len(tree.parent), np.int64)
    route, walk = new_route(depth_max), new_walk(depth_max)
    for k in range(count):
        steps = find_route(tree, bounds, needs, candidates[k], route)
        p, at, outcome, walks = shoot(tree, ports, route, steps, walk, v_base[candidates[k]], tan_phi)
        answers.p_mw[k], answers.outcome[k], answers.walks[k] = p, outcome, walks
        if at >= steps:
            step, end = divmod(at - steps, 2)
            answers.row[k] = route.flow_row[step, end]
        elif at >= 0:
            answers.row[k], answers.head[k] = route.need_row[at], route.position[at]
            answers.via[k] = route.position[at - 1] if at > 0 else NO_LIMIT
        if outcome == SETTLED:
            answers.noted_count[k] = note_unattributed(
                tree, as_it_stands, ports, literal_needs, route, steps, walk, v_base, v_now, stack, answers.noted[k]
            )
    return answers
