"""The way from the source to a candidate, by depth: what limits it, and what one walk along it sees.

Candidates are taken depth first, so the next one shares most of its way with the last; only the rest is filled in.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.constraints import Flags, Floats
from gridmodel.capacity.path.bounds import Bounds
from gridmodel.capacity.path.compiled import compiled
from gridmodel.capacity.path.needs import Needs, need_of_voltage
from gridmodel.capacity.path.oneport import OTHERS, OnePorts, power_at
from gridmodel.capacity.path.tree import Tree

ON, OFF = 0, 1
"""Limits of the supply path, and of everything else; an index of gates."""
W, P, Q, P_UP, Q_UP = 0, 3, 6, 9, 12
"""Rows of ``Way.seen``: squared voltage, power delivered at the lower end of the branch above, power drawn at its upper
end. Each is followed by its slopes over the candidate's squared voltage and over the extra load."""
_SEEN = 15
PER_W, FIXED = 0, 1
"""Rows of ``Way.flow``, and of the upper end two rows further: squared power may be ``PER_W * w + FIXED``."""
_OUTSIDE = 1e-5  # of half an interval


class Gates(NamedTuple):
    """What stands in the way at each position and at the branch above it; shape (positions, ...)."""

    own: Floats
    """Need of the position's own voltage, on and off the path, shape (positions, 2)."""
    below: Floats
    """Need of what hangs below the position."""
    below_literally: Floats
    """The same by limits as they stand, without attribution."""
    beside: Floats
    """Need of the parent by what hangs below it except this branch."""
    beside_literally: Floats
    back: Floats
    """Need of what hangs below the position when its voltage moves the other way, by flow limits as they stand."""
    back_beside: Floats
    """The same of the parent, by what hangs below it except this branch."""
    flow: Floats
    """Squared flow limits, on and off the path, at the lower and the upper end, shape (positions, 2, 2)."""
    flow_row: Integers
    is_power: Flags
    ends_path: Flags


class Way(NamedTuple):
    """One way; the last axis is the depth, 0 at the source. A depth is a position with the branch above it."""

    position: Integers
    counts_from: Integers
    """Depth from which limits count as those of the supply path: of the nearest main transformer."""
    need: Floats
    """Strictest need of the position and what hangs beside the way; at its end of what hangs below."""
    need_literally: Floats
    """Need of what hangs beside the way, at its end below, by limits as they stand."""
    back: Floats
    """The same when voltages move the other way."""
    flow: Floats
    """Greatest flow, shape (4, depths); see ``FIXED``."""
    flow_row: Integers
    """Shape (2, depths)."""
    reach: Floats
    """Fall of squared voltage per active and reactive power, shape (2, depths); without losses, so only for guesses."""
    seen: Floats
    """Of the last walk, shape (_SEEN, depths)."""


@compiled
def new_gates(count: int) -> Gates:
    """Return room for so many positions."""
    return Gates(
        np.empty((count, 2)),
        np.empty(count),
        np.empty(count),
        np.empty(count),
        np.empty(count),
        np.empty(count),
        np.empty(count),
        np.empty((count, 2, 2)),
        np.empty((count, 2, 2), np.int64),
        np.empty(count, np.bool_),
        np.empty(count, np.bool_),
    )


@compiled
def set_gates(gates: Gates, bounds: Bounds, needs: Needs, literal_needs: Needs, sign: float, i: int) -> None:
    """Write what stands in the way at position ``i``."""
    gates.own[i, ON], gates.own[i, OFF] = need_of_voltage(bounds.v_on[i], sign), need_of_voltage(bounds.v_off[i], sign)
    gates.below[i], gates.below_literally[i] = needs.below[i], literal_needs.below[i]
    gates.beside[i], gates.beside_literally[i] = needs.beside[i], literal_needs.beside[i]
    for end in range(2):
        gates.flow[i, ON, end], gates.flow[i, OFF, end] = bounds.flow_on[i, end] ** 2, bounds.flow_off[i, end] ** 2
        gates.flow_row[i, ON, end] = bounds.flow_on_row[i, end]
        gates.flow_row[i, OFF, end] = bounds.flow_off_row[i, end]
    gates.is_power[i], gates.ends_path[i] = bounds.is_power[i], bounds.ends_path[i]


@compiled
def new_way(depth_max: int) -> Way:
    """Return room for a way."""
    depths = depth_max + 1
    return Way(
        np.full(depths, -1, np.int64),
        np.zeros(depths, np.int64),
        np.full(depths, -np.inf),
        np.full(depths, -np.inf),
        np.full(depths, -np.inf),
        np.full((4, depths), np.inf),
        np.zeros((2, depths), np.int64),
        np.zeros((2, depths)),
        np.zeros((_SEEN, depths)),
    )


@compiled
def lead_to(tree: Tree, gates: Gates, steps: Floats, way: Way, last: int, i: int) -> int:
    """Turn a way of depth ``last`` (-1 for none) into the one to ``i`` and return its depth.

    ``steps`` is that of the one-ports.
    """
    shared = last
    while shared >= 0 and not way.position[shared] <= i < tree.end[way.position[shared]]:
        shared -= 1
    counted_from = way.counts_from[last] if last >= 0 else 0
    depth, above = shared, i
    while above >= 0 and (shared < 0 or above != way.position[shared]):
        depth, above = depth + 1, tree.parent[above]
    above = i
    for k in range(depth, shared, -1):
        way.position[k], above = above, tree.parent[above]
    for k in range(shared + 1, depth + 1):
        _extend(gates, steps, way, k)
    is_as_before = way.counts_from[depth] == counted_from
    for k in range(max(1, shared + 1) if is_as_before else 1, depth + 1):
        _set_limits(gates, way, k, way.counts_from[depth])
    way.need[depth], way.need_literally[depth] = max(gates.own[i, ON], gates.below[i]), gates.below_literally[i]
    way.back[depth] = gates.back[i]
    return depth


@compiled
def _extend(gates: Gates, steps: Floats, way: Way, k: int) -> None:
    """Write what the position at depth ``k`` adds to the way above it."""
    i = way.position[k]
    if k == 0:
        way.counts_from[0], way.reach[0, 0], way.reach[1, 0] = 0, 0.0, 0.0
        return
    way.counts_from[k] = k if gates.ends_path[i] else way.counts_from[k - 1]
    for kind in range(2):
        way.reach[kind, k] = (way.reach[kind, k - 1] + steps[i, 1 + kind]) / steps[i, 0]


@compiled
def _set_limits(gates: Gates, way: Way, k: int, counts_from: int) -> None:
    """Write the limits of the branch at depth ``k``, and the need of the position above it."""
    i = way.position[k]
    rule, rule_above = ON if k >= counts_from else OFF, ON if k > counts_from else OFF
    for end in range(2):
        limit = gates.flow[i, rule, end]
        is_by_current = limit < np.inf and not gates.is_power[i]
        way.flow[2 * end + PER_W, k], way.flow[2 * end + FIXED, k] = (limit, 0.0) if is_by_current else (0.0, limit)
        way.flow_row[end, k] = gates.flow_row[i, rule, end]
    way.need_literally[k - 1], way.back[k - 1] = gates.beside_literally[i], gates.back_beside[i]
    way.need[k - 1] = max(gates.own[way.position[k - 1], rule_above], gates.beside[i])


@compiled
def _row(m: Floats, at: int, w: float, p: float, q: float, loss: float) -> float:
    """Return one row of a branch in squares."""
    return float((m[at] * w + m[at + 1] * p) + (m[at + 2] * q + m[at + 3] * loss))


@compiled
def walk_up(ports: OnePorts, way: Way, depth: int, top: int, w: float, p: float, s_sign: complex) -> bool:
    """Walk from the candidate at ``depth`` up to depth ``top``.

    Args:
        ports: One-ports.
        way: The way; takes down what is seen.
        depth: Where the candidate is.
        top: Where to stop.
        w: Squared voltage at the candidate.
        p: Extra load there (MW).
        s_sign: Extra power consumed per MW of capacity.

    Returns:
        Whether every voltage lies in its one-port's interval.
    """
    seen = way.seen
    i = way.position[depth]
    inverse, scale = 1.0 / w, ports.scale[i]
    x = (inverse - ports.centre[i]) * scale
    widest = abs(x)
    s_p, s_q, s_p_w, s_q_w = power_at(ports.whole, i, 0, x, scale, w, inverse)
    s_p, s_q, s_p_p, s_q_p = s_p + p * s_sign.real, s_q + p * s_sign.imag, s_sign.real, s_sign.imag
    w_w, w_p = 1.0, 0.0
    for k in range(depth, top, -1):
        m = ports.steps[i]
        loss = (s_p * s_p + s_q * s_q) * inverse
        loss_w = (2.0 * (s_p * s_p_w + s_q * s_q_w) - loss * w_w) * inverse
        loss_p = (2.0 * (s_p * s_p_p + s_q * s_q_p) - loss * w_p) * inverse
        seen[0, k], seen[1, k], seen[2, k] = w, w_w, w_p
        seen[3, k], seen[4, k], seen[5, k] = s_p, s_p_w, s_p_p
        seen[6, k], seen[7, k], seen[8, k] = s_q, s_q_w, s_q_p
        u_p, u_q = _row(m, 4, w, s_p, s_q, loss), _row(m, 8, w, s_p, s_q, loss)
        u_p_w, u_q_w = _row(m, 4, w_w, s_p_w, s_q_w, loss_w), _row(m, 8, w_w, s_p_w, s_q_w, loss_w)
        u_p_p, u_q_p = _row(m, 4, w_p, s_p_p, s_q_p, loss_p), _row(m, 8, w_p, s_p_p, s_q_p, loss_p)
        w, w_w, w_p = (
            _row(m, 0, w, s_p, s_q, loss),
            _row(m, 0, w_w, s_p_w, s_q_w, loss_w),
            _row(m, 0, w_p, s_p_p, s_q_p, loss_p),
        )
        seen[9, k], seen[10, k], seen[11, k] = u_p, u_p_w, u_p_p
        seen[12, k], seen[13, k], seen[14, k] = u_q, u_q_w, u_q_p
        above = way.position[k - 1]
        inverse, scale = 1.0 / w, ports.scale[above]
        x = (inverse - ports.centre[above]) * scale
        widest = max(widest, abs(x))
        rest_p, rest_q, rest_p_w, rest_q_w = power_at(ports.steps, i, OTHERS, x, scale, w, inverse)
        s_p, s_p_w, s_p_p = u_p + rest_p, u_p_w + rest_p_w * w_w, u_p_p + rest_p_w * w_p
        s_q, s_q_w, s_q_p = u_q + rest_q, u_q_w + rest_q_w * w_w, u_q_p + rest_q_w * w_p
        i = above
    seen[0, top], seen[1, top], seen[2, top] = w, w_w, w_p
    seen[3, top], seen[4, top], seen[5, top] = s_p, s_p_w, s_p_p
    seen[6, top], seen[7, top], seen[8, top] = s_q, s_q_w, s_q_p
    return bool(widest <= 1.0 + _OUTSIDE)


@compiled
def move_on(way: Way, depth: int, w_step: float, p_step: float) -> None:
    """Move what the last walk saw along its slopes."""
    for at in range(0, _SEEN, 3):
        for k in range(depth + 1):
            way.seen[at, k] += way.seen[at + 1, k] * w_step + way.seen[at + 2, k] * p_step
