"""Subtrees seen from their head: the power they take, as a function of the head's squared voltage ``w``.

In a tree whose loads depend on |V| alone nothing depends on the angle, so a subtree is a function of the magnitude at
its head. What is kept is its admittance ``S / w`` as a polynomial in ``1 / w``: shunts are its constant, constant
powers its slope, losses its square. It goes through Chebyshev points of an interval on which every solution exists.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gridmodel.capacity.constraints import Flags, Floats
from gridmodel.capacity.path.bounds import Bounds
from gridmodel.capacity.path.compiled import compiled
from gridmodel.capacity.path.squares import SQUARES, write_squares
from gridmodel.capacity.path.tree import Tree

POINTS = 6
_X = np.cos(np.pi * (2.0 * np.arange(POINTS) + 1.0) / (2.0 * POINTS))
"""Chebyshev points on [-1, 1], descending."""
_FIT = np.linalg.inv(np.vander(_X, POINTS, increasing=True))
"""Coefficients of 1, x, x^2, ... from values at the points, shape (POINTS, POINTS)."""

OTHERS = SQUARES
"""Column of ``steps`` where the polynomial of the parent without the branch begins."""
STEP_WIDTH = SQUARES + 2 * POINTS

LOW, HIGH = 0, 1
"""Ends of an interval."""
_ABOVE_BASE_PU = 0.005  # interval for a load; voltages do not rise
_BELOW_BASE_PU = 0.03  # interval for generation; what it sends through reactances can lower voltages
_BEYOND_LIMIT_PU = 0.02  # interval beyond the voltage limit
_WITHOUT_LIMIT_PU = 0.2  # interval beyond the base voltage where no limit stands
_NARROWEST_PU = 0.004
_LEAST_PU = 0.1
_LEAST_W = 0.01
_RAISE = 0.01  # of squared voltage
_ABOVE_NOSE = 0.1  # least slope of parent over child, of the slope without load
_NEWTON_MAX = 20
_NEWTON_STEP = 0.2  # of squared voltage
_CLOSE = 1e-6  # of squared voltage; what is left is corrected by the slope, which leaves its square
_SOLVED = 1e-11
_STRAIGHT_FROM = 1.2  # where the polynomial goes over into its tangent


class OnePorts(NamedTuple):
    """Subtrees seen from their head."""

    centre: Floats
    """Middle of the interval of ``1 / w`` (pu), shape (positions,)."""
    scale: Floats
    """2 / width of the interval."""
    whole: Floats
    """Power over ``w`` into the position with all that hangs below it: active coefficients, then reactive ones, over
    -1 .. 1 on the interval; MVA at 1 pu, shape (positions, 2 POINTS)."""
    steps: Floats
    """The branch above in squares, then in the same way the power into the parent with all that hangs below it except
    this branch, over the parent's interval; shape (positions, STEP_WIDTH)."""
    is_sound: Flags
    """False where no solution was found at some point of the interval; shape (positions,)."""


@compiled
def power_at(
    table: Floats, i: int, at: int, x: float, scale: float, w: float, inverse: float
) -> tuple[float, float, float, float]:
    """Return active and reactive power (MVA) by the polynomial at ``table[i, at:]``, and their slopes over ``w``.

    Args:
        table: ``OnePorts.whole`` or ``OnePorts.steps``.
        i: Position.
        at: First column.
        x: Place in the interval, -1 .. 1; well outside it the polynomial is continued straight.
        scale: Of the interval.
        w: Squared voltage.
        inverse: ``1 / w``.
    """
    inside = min(_STRAIGHT_FROM, max(-_STRAIGHT_FROM, x))
    beyond = x - inside
    square = inside * inside
    fourth = square * square
    c = table[i]
    g = (c[at] + c[at + 1] * inside) + square * (c[at + 2] + c[at + 3] * inside)
    g += fourth * (c[at + 4] + c[at + 5] * inside)
    g_x = (c[at + 1] + 2.0 * c[at + 2] * inside) + square * (3.0 * c[at + 3] + 4.0 * c[at + 4] * inside)
    g_x += 5.0 * fourth * c[at + 5]
    at += POINTS
    b = (c[at] + c[at + 1] * inside) + square * (c[at + 2] + c[at + 3] * inside)
    b += fourth * (c[at + 4] + c[at + 5] * inside)
    b_x = (c[at + 1] + 2.0 * c[at + 2] * inside) + square * (3.0 * c[at + 3] + 4.0 * c[at + 4] * inside)
    b_x += 5.0 * fourth * c[at + 5]
    g, b, x_w = g + beyond * g_x, b + beyond * b_x, scale * inverse
    return w * g, w * b, g - x_w * g_x, b - x_w * b_x


@compiled
def look_up(ports: OnePorts, i: int, w: float) -> tuple[float, float, float, float, float, float]:
    """Return what the branch above ``i`` shows when the squared voltage of ``i`` is ``w``.

    Returns:
        Squared voltage of the parent, active and reactive power drawn from it, and the slopes of the three over ``w``.
    """
    inverse, scale = 1.0 / w, ports.scale[i]
    p, q, p_w, q_w = power_at(ports.whole, i, 0, (inverse - ports.centre[i]) * scale, scale, w, inverse)
    loss = (p * p + q * q) * inverse
    loss_w = (2.0 * (p * p_w + q * q_w) - loss) * inverse
    m = ports.steps[i]
    return (
        m[0] * w + m[1] * p + m[2] * q + m[3] * loss,
        m[4] * w + m[5] * p + m[6] * q + m[7] * loss,
        m[8] * w + m[9] * p + m[10] * q + m[11] * loss,
        m[0] + m[1] * p_w + m[2] * q_w + m[3] * loss_w,
        m[4] + m[5] * p_w + m[6] * q_w + m[7] * loss_w,
        m[8] + m[9] * p_w + m[10] * q_w + m[11] * loss_w,
    )


@compiled
def voltage_below(ports: OnePorts, i: int, w_parent: float, start: float) -> tuple[float, bool]:
    """Return the squared voltage of ``i`` at that of its parent, by Newton's method, and whether it is one."""
    w = start
    for _ in range(_NEWTON_MAX):
        reached, _, _, slope, _, _ = look_up(ports, i, w)
        error = reached - w_parent
        if abs(error) < _SOLVED:
            return w, slope > 0.0
        if not slope > 0.0:
            return w, False
        w = max(_LEAST_W, w - min(_NEWTON_STEP, max(-_NEWTON_STEP, error / slope)))
    return w, False


@compiled
def build_ports(tree: Tree, bounds: Bounds, v_base: Floats, sign: float) -> OnePorts:
    """Return the one-port of every subtree, leaves first.

    Args:
        tree: The forest.
        bounds: Limits, which say how far the intervals must reach.
        v_base: Base voltages (pu), shape (positions,).
        sign: +1 for a load, which lowers voltages, -1 for generation, which raises them.
    """
    count, w_base = len(tree.parent), v_base * v_base
    ports = OnePorts(
        np.empty(count),
        np.empty(count),
        np.zeros((count, 2 * POINTS)),
        np.zeros((count, STEP_WIDTH)),
        np.ones(count, np.bool_),
    )
    write_squares(tree, ports.steps)
    ends = _first_ends(bounds, v_base, sign)
    for i in range(count - 1, -1, -1):
        _set_interval(ports, i, ends[i], sign)
        _add_own_load(tree, ports, i)
        child = i + 1
        while child < tree.end[i]:
            _add_branch(ports, child, i, w_base, sign)
            child = tree.end[child]
        if tree.parent[i] >= 0:
            _narrow(ports, i, w_base[i], ends[i], ends[tree.parent[i]])
    for i in range(count):
        parent = tree.parent[i]
        if parent >= 0:  # until here the branch itself
            for k in range(2 * POINTS):
                ports.steps[i, OTHERS + k] = ports.whole[parent, k] - ports.steps[i, OTHERS + k]
    return ports


@compiled
def _first_ends(bounds: Bounds, v_base: Floats, sign: float) -> Floats:
    """Return both ends of every interval (squared voltages), shape (positions, 2).

    One is beyond the voltage limit, or far from the base where there is none; the other one close to the base.
    """
    ends = np.empty((len(v_base), 2))
    for i in range(len(v_base)):
        limit = bounds.v_off[i] if abs(bounds.v_off[i]) < np.inf else bounds.v_on[i]
        is_ahead = limit > 0.0 and limit < np.inf and sign * (v_base[i] - limit) >= 0.0
        ahead = limit - sign * _BEYOND_LIMIT_PU if is_ahead else v_base[i] - sign * _WITHOUT_LIMIT_PU
        behind = v_base[i] + (_ABOVE_BASE_PU if sign > 0.0 else -_BELOW_BASE_PU)
        low, high = (ahead, behind) if sign > 0.0 else (behind, ahead)
        ends[i, LOW], ends[i, HIGH] = max(_LEAST_PU, low) ** 2, high * high
    return ends


@compiled
def _set_interval(ports: OnePorts, i: int, ends: Floats, sign: float) -> None:
    narrowest = 2.0 * _NARROWEST_PU * math.sqrt(ends[HIGH] if sign > 0.0 else ends[LOW])
    if ends[HIGH] - ends[LOW] < narrowest:
        if sign > 0.0:
            ends[LOW] = ends[HIGH] - narrowest
        else:
            ends[HIGH] = ends[LOW] + narrowest
    one, other = 1.0 / ends[HIGH], 1.0 / ends[LOW]
    ports.centre[i], ports.scale[i] = 0.5 * (one + other), 2.0 / (other - one)


@compiled
def far_end(ports: OnePorts, i: int, sign: float) -> float:
    """Return the squared voltage at that end of an interval to which ``sign`` moves voltages."""
    return float(1.0 / (ports.centre[i] + sign / ports.scale[i]))


@compiled
def _add_own_load(tree: Tree, ports: OnePorts, i: int) -> None:
    """Write the position's own load and shunts, which are exact but for the part that follows the voltage itself."""
    whole = ports.whole[i]
    centre, radius = ports.centre[i], 1.0 / ports.scale[i]
    constant, linear, square = tree.s_constant[i], tree.s_linear[i], tree.s_square[i]
    whole[0], whole[1] = square.real + constant.real * centre, constant.real * radius
    whole[POINTS], whole[POINTS + 1] = square.imag + constant.imag * centre, constant.imag * radius
    if linear.real != 0.0 or linear.imag != 0.0:
        for m in range(POINTS):
            v_inverse = math.sqrt(centre + radius * _X[m])
            for k in range(POINTS):
                whole[k] += _FIT[k, m] * linear.real * v_inverse
                whole[POINTS + k] += _FIT[k, m] * linear.imag * v_inverse


@compiled
def _add_branch(ports: OnePorts, child: int, parent: int, w_base: Floats, sign: float) -> None:
    """Add the power into a branch over its parent's interval, and keep it where ``others`` will stand."""
    centre, radius = ports.centre[parent], 1.0 / ports.scale[parent]
    drawn = np.empty((2, POINTS))
    w, reached, slope = w_base[child], w_base[parent], ports.steps[child, 0]
    for k in range(POINTS):
        m = POINTS - 1 - k if sign > 0.0 else k  # from the base voltage on
        inverse = centre + radius * _X[m]
        target = 1.0 / inverse
        w += (target - reached) / slope
        for _ in range(_NEWTON_MAX):
            reached, p, q, slope, p_w, q_w = look_up(ports, child, w)
            error = reached - target
            if abs(error) < _CLOSE or not slope > 0.0:
                break
            w = max(_LEAST_W, w - min(_NEWTON_STEP, max(-_NEWTON_STEP, error / slope)))
        if not (slope > 0.0 and abs(error) < _CLOSE):
            ports.is_sound[child] = False
        drawn[0, m], drawn[1, m] = (p - error * p_w / slope) * inverse, (q - error * q_w / slope) * inverse
    for k in range(POINTS):
        p, q = 0.0, 0.0
        for m in range(POINTS):
            p += _FIT[k, m] * drawn[0, m]
            q += _FIT[k, m] * drawn[1, m]
        ports.steps[child, OTHERS + k], ports.steps[child, OTHERS + POINTS + k] = p, q
        ports.whole[parent, k] += p
        ports.whole[parent, POINTS + k] += q


@compiled
def _narrow(ports: OnePorts, i: int, w_base: float, ends: Floats, parent_ends: Floats) -> None:
    """Narrow the parent's interval to the image of this one, where this subtree is known to have a solution."""
    w = ends[LOW]
    reached, _, _, slope, _, _ = look_up(ports, i, w)
    while slope < _ABOVE_NOSE * ports.steps[i, 0] and w < w_base:
        w += _RAISE
        reached, _, _, slope, _, _ = look_up(ports, i, w)
    parent_ends[LOW] = max(parent_ends[LOW], reached)
    reached, _, _, _, _, _ = look_up(ports, i, ends[HIGH])
    parent_ends[HIGH] = min(parent_ends[HIGH], reached)


def last_power_mva(ports: OnePorts) -> Floats:
    """Return what the highest power of each polynomial is worth at the ends of its interval, shape (positions,)."""
    return np.hypot(ports.whole[:, POINTS - 1], ports.whole[:, 2 * POINTS - 1])
