"""What subtrees ask of the voltage at their head: all limits below together are one number.

When the head voltage of a subtree moves, the voltages of the whole subtree move with it. A load pulls them down, so
the lowest head voltage that breaks nothing says all; generation pushes them up, so it is the highest. ``sign`` is +1
for a load and -1 for generation; a need is ``sign`` times a squared voltage, so that the greater one is stricter in
both cases, and -inf asks for nothing.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.constraints import Floats
from gridmodel.capacity.path.bounds import NO_LIMIT, Bounds
from gridmodel.capacity.path.compiled import compiled
from gridmodel.capacity.path.oneport import OnePorts, far_end, power_at
from gridmodel.capacity.path.tree import Tree

_SCAN = 4
_HALVINGS = 45


class Needs(NamedTuple):
    """Needs by everything off a path, shape (positions,), and whose limit it is."""

    below: Floats
    """Of the position, by what hangs below it."""
    below_row: Integers
    beside: Floats
    """Of the parent, by what hangs below it except this branch."""
    beside_row: Integers
    of_branch: Floats
    """Of the parent, by the branch above and what hangs below the position."""


@compiled
def need_of_voltage(v: float, sign: float) -> float:
    """Return the need that a voltage limit (pu) stands for."""
    return sign * v * v if 0.0 < v < np.inf else -np.inf


@compiled
def square_flows(ports: OnePorts, i: int, w: float, is_power: bool) -> tuple[float, float, float]:
    """Return the squared flows that limits stand for at both ends of the branch above ``i``, and the parent's ``w``."""
    inverse, scale = 1.0 / w, ports.scale[i]
    p, q, _, _ = power_at(ports.whole, i, 0, (inverse - ports.centre[i]) * scale, scale, w, inverse)
    square = p * p + q * q
    loss = square * inverse
    m = ports.steps[i]
    w_up = m[0] * w + m[1] * p + m[2] * q + m[3] * loss
    p_up = m[4] * w + m[5] * p + m[6] * q + m[7] * loss
    q_up = m[8] * w + m[9] * p + m[10] * q + m[11] * loss
    square_up = p_up * p_up + q_up * q_up
    if is_power:
        return square, square_up, w_up
    return loss, square_up / w_up, w_up


@compiled
def _peak_flows(tree: Tree, bounds: Bounds, ports: OnePorts, w_base: Floats, sign: float) -> Floats:
    """Return the greatest squared flow of both ends of every branch over its interval, shape (positions, 2)."""
    count = len(tree.parent)
    peak = np.zeros((count, 2))
    for i in range(count):
        if tree.parent[i] < 0:
            continue
        far = far_end(ports, i, sign)
        for k in range(1, _SCAN + 1):
            w = w_base[i] + (far - w_base[i]) * k / _SCAN
            child, parent, _ = square_flows(ports, i, w, bounds.is_power[i])
            peak[i, 0], peak[i, 1] = max(peak[i, 0], child), max(peak[i, 1], parent)
    return peak


@compiled
def excess_of_branch(ports: OnePorts, i: int, w: float, limits: Floats, is_power: bool) -> tuple[float, int]:
    """Return by how much the worse end of the branch above ``i`` exceeds its limit (ratio), and which end."""
    child, parent, _ = square_flows(ports, i, w, is_power)
    child, parent = math.sqrt(child) / limits[0] - 1.0, math.sqrt(parent) / limits[1] - 1.0
    return (child, 0) if child >= parent else (parent, 1)


@compiled
def _voltage_for_branch(
    ports: OnePorts, i: int, least: float, w_base: float, limits: Floats, is_power: bool
) -> tuple[float, int]:
    """Return the squared voltage of ``i`` nearest to the base at which the branch above breaks, and which end.

    The end is -1 where it breaks nowhere between the base and ``least``.
    """
    good = w_base
    for k in range(_SCAN):
        w = w_base + (least - w_base) * (k + 1) / _SCAN
        excess, end = excess_of_branch(ports, i, w, limits, is_power)
        if excess > 0.0:
            bad = w
            for _ in range(_HALVINGS):
                middle = 0.5 * (good + bad)
                excess, at = excess_of_branch(ports, i, middle, limits, is_power)
                if excess > 0.0:
                    bad, end = middle, at
                else:
                    good = middle
            return bad, end
        good = w
    return least, -1


@compiled
def _need_of_branch(
    ports: OnePorts,
    i: int,
    w_base: float,
    least: float,
    least_row: int,
    peak: Floats,
    limits: Floats,
    rows: Integers,
    is_power: bool,
    sign: float,
) -> tuple[float, int]:
    """Return what a branch and its subtree, which needs ``least``, ask of the parent; and whose limit it is."""
    far = sign * far_end(ports, i, sign)
    need, row = least, least_row
    if peak[0] > limits[0] * limits[0] or peak[1] > limits[1] * limits[1]:
        w, end = _voltage_for_branch(ports, i, sign * max(least, far), w_base, limits, is_power)
        if end >= 0 and sign * w > least:
            need, row = sign * w, rows[end]
    if need < far:  # not reached: the interval of the parent ends before
        return -np.inf, NO_LIMIT
    _, _, reached = square_flows(ports, i, sign * need, is_power)
    return sign * reached, row


@compiled
def find_needs(tree: Tree, bounds: Bounds, ports: OnePorts, v_base: Floats, sign: float) -> Needs:
    """Return what every subtree asks of the voltage at its head, leaves first; for arguments see ``build_ports``."""
    count, w_base = len(tree.parent), v_base * v_base
    peak = _peak_flows(tree, bounds, ports, w_base, sign)
    none = np.full(count, NO_LIMIT, np.int64)
    below, below_row, beside, beside_row = np.full(count, -np.inf), none.copy(), np.full(count, -np.inf), none.copy()
    second, second_row, tightest = np.full(count, -np.inf), none.copy(), none.copy()
    of_branch = np.full(count, -np.inf)
    for i in range(count - 1, -1, -1):
        parent = tree.parent[i]
        if parent < 0:
            continue
        least, least_row = stricter(below[i], below_row[i], need_of_voltage(bounds.v_off[i], sign), bounds.v_off_row[i])
        need, row = _need_of_branch(
            ports, i, w_base[i], least, least_row, peak[i], bounds.flow_off[i], bounds.flow_off_row[i],
            bounds.is_power[i], sign,
        )  # fmt: skip
        of_branch[i] = need
        if need > below[parent]:
            second[parent], second_row[parent] = below[parent], below_row[parent]
            below[parent], below_row[parent], tightest[parent] = need, row, i
        elif need > second[parent]:
            second[parent], second_row[parent] = need, row
    for i in range(count):
        parent = tree.parent[i]
        if parent < 0:
            continue
        if tightest[parent] == i:
            beside[i], beside_row[i] = second[parent], second_row[parent]
        else:
            beside[i], beside_row[i] = below[parent], below_row[parent]
        if bounds.is_star[parent]:
            beside[i], beside_row[i] = _need_of_windings(tree, bounds, ports, w_base, i, peak, below, below_row, sign)
    return Needs(below, below_row, beside, beside_row, of_branch)


@compiled
def stricter(one: float, one_row: int, other: float, other_row: int) -> tuple[float, int]:
    """Return the stricter of two needs with its row, of equals the first."""
    if other > one:
        return other, other_row
    return one, one_row


@compiled
def _need_of_windings(
    tree: Tree,
    bounds: Bounds,
    ports: OnePorts,
    w_base: Floats,
    i: int,
    peak: Floats,
    below: Floats,
    below_row: Integers,
    sign: float,
) -> tuple[float, int]:
    """Return what the other branches at a star point ask of it: their windings share the limit of the supply path."""
    best, best_row = -np.inf, NO_LIMIT
    sibling = tree.parent[i] + 1
    while sibling < tree.end[tree.parent[i]]:
        if sibling != i:
            least, least_row = stricter(
                below[sibling], below_row[sibling], need_of_voltage(bounds.v_off[sibling], sign),
                bounds.v_off_row[sibling],
            )  # fmt: skip
            need, row = _need_of_branch(
                ports, sibling, w_base[sibling], least, least_row, peak[sibling], bounds.flow_on[sibling],
                bounds.flow_on_row[sibling], bounds.is_power[sibling], sign,
            )  # fmt: skip
            best, best_row = stricter(best, best_row, need, row)
        sibling = tree.end[sibling]
    return best, best_row
