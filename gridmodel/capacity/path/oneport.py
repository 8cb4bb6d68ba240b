"""Subtrees seen from their head: consumed power, and lowest admissible voltage, as functions of one voltage.

In a tree whose loads depend on |V| alone nothing depends on the angle, so a subtree is a function of the magnitude at
its head. It is kept as a polynomial through Chebyshev points of an interval on which every solution exists.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gridmodel.capacity.arrays import Complexes, Integers
from gridmodel.capacity.constraints import Flags, Floats
from gridmodel.capacity.path.bounds import NO_LIMIT, Bounds
from gridmodel.capacity.path.compiled import compiled, inner, magnitude, scaled
from gridmodel.capacity.path.tree import Tree

POINTS = 6
_X = np.cos(np.pi * (2.0 * np.arange(POINTS) + 1.0) / (2.0 * POINTS))
"""Chebyshev points on [-1, 1], descending."""
_FIT = np.linalg.inv(np.vander(_X, POINTS, increasing=True)).astype(np.complex128)
"""Coefficients of 1, x, x^2, ... from values at the points, shape (POINTS, POINTS)."""

_ABOVE_PU = 0.005  # interval above the base voltage
_BELOW_LIMIT_PU = 0.02  # interval below the voltage limit
_WITHOUT_LIMIT_PU = 0.2  # interval below the base voltage where no limit stands
_NARROWEST_PU = 0.004
_RAISE_PU = 0.005
_ABOVE_NOSE = 0.1  # least slope of parent over child voltage, of the slope without load
_NEWTON_MAX = 20
_NEWTON_STEP_PU = 0.1
_SOLVED_PU = 1e-11
_SCAN = 4
_HALVINGS = 45


class OnePorts(NamedTuple):
    """Subtrees seen from their head; shapes (positions,) or (positions, POINTS)."""

    low: Floats
    """Lower end of the interval (pu)."""
    scale: Floats
    """2 / width of the interval (1/pu)."""
    whole: Complexes
    """Power into the position with all that hangs below it (MVA), over its own voltage."""
    others: Complexes
    """Power into the parent with all that hangs below it except this branch (MVA), over the parent's voltage."""
    is_sound: Flags
    """False where no solution was found at some point of the interval."""


class Needs(NamedTuple):
    """Lowest admissible voltages by everything off a path (pu, -inf = none), shape (positions,), and whose limit."""

    below: Floats
    """Of the position, by what hangs below it."""
    below_row: Integers
    beside: Floats
    """Of the parent, by what hangs below it except this branch."""
    beside_row: Integers
    of_branch: Floats
    """Of the parent, by the branch above and what hangs below the position."""


@compiled
def power_at(coefficients: Complexes, i: int, low: float, scale: float, v: float) -> tuple[complex, complex]:
    """Return the value (MVA) and slope (MVA/pu) of polynomial ``i`` at ``v``; a straight line outside its interval."""
    x = (v - low) * scale - 1.0
    inside = min(1.0, max(-1.0, x))
    last = coefficients[i, POINTS - 1]
    p, q, p_x, q_x = last.real, last.imag, 0.0, 0.0  # in real numbers: the argument is one
    for k in range(POINTS - 2, -1, -1):
        p_x, q_x = p_x * inside + p, q_x * inside + q
        p, q = p * inside + coefficients[i, k].real, q * inside + coefficients[i, k].imag
    beyond = x - inside
    return complex(p + p_x * beyond, q + q_x * beyond), complex(p_x * scale, q_x * scale)


@compiled
def look_up(tree: Tree, ports: OnePorts, i: int, v: float) -> tuple[complex, complex, complex, float]:
    """Return what the branch above ``i`` shows when ``|V_i| = v``.

    Returns:
        Current delivered to ``i`` and drawn from the parent (pu, angles relative to ``V_i``), voltage of the parent
        (pu), and the slope of its magnitude over ``v``.
    """
    s, s_slope = power_at(ports.whole, i, ports.low[i], ports.scale[i], v)
    inverse = 1.0 / v
    j = scaled(np.conj(s), inverse)
    j_slope = scaled(np.conj(s_slope) - j, inverse)
    v_parent = scaled(tree.v_from_v[i], v) + tree.v_from_j[i] * j
    v_slope = tree.v_from_v[i] + tree.v_from_j[i] * j_slope
    i_parent = scaled(tree.i_from_v[i], v) + tree.i_from_j[i] * j
    return j, i_parent, v_parent, inner(v_parent, v_slope) / magnitude(v_parent)


@compiled
def voltage_below(tree: Tree, ports: OnePorts, i: int, v_parent: float, start: float) -> tuple[float, bool]:
    """Return the voltage of ``i`` when its parent has ``v_parent`` (pu), by Newton's method, and whether it is one."""
    v = start
    for _ in range(_NEWTON_MAX):
        _, _, reached, slope = look_up(tree, ports, i, v)
        error = magnitude(reached) - v_parent
        if abs(error) < _SOLVED_PU:
            return v, slope > 0.0
        if not slope > 0.0:
            return v, False
        v = max(0.1, v - min(_NEWTON_STEP_PU, max(-_NEWTON_STEP_PU, error / slope)))
    return v, False


@compiled
def build_ports(tree: Tree, bounds: Bounds, v_base: Floats) -> OnePorts:
    """Return the one-port of every subtree, leaves first."""
    count = len(tree.parent)
    ports = OnePorts(
        _first_low(bounds, v_base),
        np.empty(count),
        np.zeros((count, POINTS), np.complex128),
        np.zeros((count, POINTS), np.complex128),
        np.ones(count, np.bool_),
    )
    at_points = np.zeros((count, POINTS), np.complex128)  # power into each position at its own points
    for i in range(count - 1, -1, -1):
        _set_interval(ports, i, v_base[i])
        _add_own_load(tree, ports, i, at_points[i])
        child = i + 1
        while child < tree.end[i]:
            _add_branch(tree, ports, child, v_base, at_points[i])
            child = tree.end[child]
        _fit(at_points[i], ports.whole[i])
        if tree.parent[i] >= 0:
            _raise_parent(tree, ports, i, v_base[i])
    for i in range(count):
        parent = tree.parent[i]
        if parent >= 0:  # until here ``others`` holds the branch itself
            for k in range(POINTS):
                ports.others[i, k] = ports.whole[parent, k] - ports.others[i, k]
    return ports


@compiled
def _first_low(bounds: Bounds, v_base: Floats) -> Floats:
    low = np.empty(len(v_base))
    for i in range(len(v_base)):
        limit = bounds.v_off[i] if bounds.v_off[i] > 0.0 else bounds.v_on[i]
        low[i] = limit - _BELOW_LIMIT_PU if 0.0 < limit <= v_base[i] else v_base[i] - _WITHOUT_LIMIT_PU
    return low


@compiled
def _set_interval(ports: OnePorts, i: int, v_base: float) -> None:
    high = v_base + _ABOVE_PU
    if ports.low[i] > high - _NARROWEST_PU:
        ports.low[i] = high - _NARROWEST_PU
    ports.scale[i] = 2.0 / (high - ports.low[i])


@compiled
def _add_own_load(tree: Tree, ports: OnePorts, i: int, at_points: Complexes) -> None:
    for k in range(POINTS):
        v = ports.low[i] + (_X[k] + 1.0) / ports.scale[i]
        at_points[k] += tree.s_constant[i] + v * (tree.s_linear[i] + v * tree.s_square[i])


@compiled
def _add_branch(tree: Tree, ports: OnePorts, child: int, v_base: Floats, at_points: Complexes) -> None:
    """Add the power into a branch at its parent's points, and keep its polynomial in ``others``."""
    parent = tree.parent[child]
    ratio = 1.0 / abs(tree.v_from_v[child])
    drawn = np.empty(POINTS, np.complex128)
    v_child, v_known = v_base[child], v_base[parent]
    for k in range(POINTS):
        v = ports.low[parent] + (_X[k] + 1.0) / ports.scale[parent]
        v_child, is_solved = voltage_below(tree, ports, child, v, v_child + (v - v_known) * ratio)
        if not is_solved:
            ports.is_sound[child] = False
        v_known = v
        _, current, reached, _ = look_up(tree, ports, child, v_child)
        drawn[k] = reached * np.conj(current)
        at_points[k] += drawn[k]
    _fit(drawn, ports.others[child])


@compiled
def _fit(values: Complexes, coefficients: Complexes) -> None:
    for k in range(POINTS):
        total = 0.0j
        for m in range(POINTS):
            total += _FIT[k, m] * values[m]
        coefficients[k] = total


@compiled
def _raise_parent(tree: Tree, ports: OnePorts, i: int, v_base: float) -> None:
    """Lift the parent's interval to where this subtree has a solution: the image of its own lower end."""
    v = ports.low[i]
    _, _, reached, slope = look_up(tree, ports, i, v)
    while slope < _ABOVE_NOSE * abs(tree.v_from_v[i]) and v < v_base:
        v += _RAISE_PU
        _, _, reached, slope = look_up(tree, ports, i, v)
    if magnitude(reached) > ports.low[tree.parent[i]]:
        ports.low[tree.parent[i]] = magnitude(reached)


@compiled
def excess_of_branch(
    tree: Tree, ports: OnePorts, i: int, v: float, limits: Floats, is_power: bool
) -> tuple[float, int]:
    """Return by how much the worse end of the branch above ``i`` exceeds its limit (ratio), and which end."""
    j, current, v_parent, _ = look_up(tree, ports, i, v)
    child = magnitude(j) * (v if is_power else 1.0) / limits[0] - 1.0
    parent = magnitude(current) * (magnitude(v_parent) if is_power else 1.0) / limits[1] - 1.0
    return (child, 0) if child >= parent else (parent, 1)


@compiled
def _voltage_for_branch(
    tree: Tree, ports: OnePorts, i: int, least: float, v_base: float, limits: Floats, is_power: bool
) -> tuple[float, int]:
    """Return the highest voltage of ``i`` below the base at which the branch above breaks, and which end.

    The voltage is -inf where it breaks nowhere down to ``least``.
    """
    if limits[0] == np.inf and limits[1] == np.inf:
        return -np.inf, -1
    good = v_base
    for k in range(_SCAN):
        v = v_base + (least - v_base) * (k + 1) / _SCAN
        excess, end = excess_of_branch(tree, ports, i, v, limits, is_power)
        if excess > 0.0:
            bad = v
            for _ in range(_HALVINGS):
                middle = 0.5 * (good + bad)
                excess, at = excess_of_branch(tree, ports, i, middle, limits, is_power)
                if excess > 0.0:
                    bad, end = middle, at
                else:
                    good = middle
            return bad, end
        good = v
    return -np.inf, -1


@compiled
def _need_of_branch(
    tree: Tree,
    ports: OnePorts,
    i: int,
    v_base: float,
    least: float,
    least_row: int,
    limits: Floats,
    rows: Integers,
    is_power: bool,
) -> tuple[float, int]:
    """Return the lowest voltage of the parent by a branch and its subtree, which needs ``least``; and whose limit."""
    start = max(least, ports.low[i])
    v, end = _voltage_for_branch(tree, ports, i, start, v_base, limits, is_power)
    row = least_row
    if v > least:
        row = rows[end]
    else:
        v = least
    if v < ports.low[i]:  # not reached: the interval of the parent ends before
        return -np.inf, NO_LIMIT
    _, _, reached, _ = look_up(tree, ports, i, v)
    return magnitude(reached), row


@compiled
def find_needs(tree: Tree, bounds: Bounds, ports: OnePorts, v_base: Floats) -> Needs:
    """Return what every subtree asks of the voltage at its head, leaves first."""
    count = len(tree.parent)
    none = np.full(count, NO_LIMIT, np.int64)
    below, below_row, beside, beside_row = np.full(count, -np.inf), none.copy(), np.full(count, -np.inf), none.copy()
    second, second_row, tightest = np.full(count, -np.inf), none.copy(), none.copy()
    with_winding, with_winding_row = np.full(count, -np.inf), none.copy()
    of_branch = np.full(count, -np.inf)
    for i in range(count - 1, -1, -1):
        parent = tree.parent[i]
        if parent < 0:
            continue
        least, least_row = below[i], below_row[i]
        if bounds.v_off[i] > least:
            least, least_row = bounds.v_off[i], bounds.v_off_row[i]
        need, row = _need_of_branch(
            tree, ports, i, v_base[i], least, least_row, bounds.flow_off[i], bounds.flow_off_row[i], bounds.is_power[i]
        )
        of_branch[i] = need
        if need > below[parent]:
            second[parent], second_row[parent] = below[parent], below_row[parent]
            below[parent], below_row[parent], tightest[parent] = need, row, i
        elif need > second[parent]:
            second[parent], second_row[parent] = need, row
        if bounds.is_star[parent]:
            with_winding[i], with_winding_row[i] = _need_of_branch(
                tree, ports, i, v_base[i], least, least_row, bounds.flow_on[i], bounds.flow_on_row[i],
                bounds.is_power[i],
            )  # fmt: skip
    for i in range(count):
        parent = tree.parent[i]
        if parent < 0:
            continue
        if bounds.is_star[parent]:
            beside[i], beside_row[i] = _best_sibling(tree, i, with_winding, with_winding_row)
        elif tightest[parent] == i:
            beside[i], beside_row[i] = second[parent], second_row[parent]
        else:
            beside[i], beside_row[i] = below[parent], below_row[parent]
    return Needs(below, below_row, beside, beside_row, of_branch)


@compiled
def _best_sibling(tree: Tree, i: int, need: Floats, row: Integers) -> tuple[float, int]:
    """Return the greatest need among the other branches at a star point: it has two windings below at most."""
    best, best_row = -np.inf, NO_LIMIT
    sibling = tree.parent[i] + 1
    while sibling < tree.end[tree.parent[i]]:
        if sibling != i and need[sibling] > best:
            best, best_row = need[sibling], row[sibling]
        sibling = tree.end[sibling]
    return best, best_row
