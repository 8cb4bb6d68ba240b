"""What a load breaks beside its way without being answerable for it: limits that attribution does not count."""

from __future__ import annotations

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.constraints import Floats
from gridmodel.capacity.path.bounds import Bounds
from gridmodel.capacity.path.compiled import compiled
from gridmodel.capacity.path.needs import Needs, excess_of_branch, need_of_voltage
from gridmodel.capacity.path.oneport import OnePorts, voltage_below
from gridmodel.capacity.path.tree import Tree
from gridmodel.capacity.path.ways import P_UP, P, Q, W, Way

_BROKEN = 1e-9
"""A limit counts as broken when it is exceeded by more than this (squares by twice as much)."""


@compiled
def may_break_beside(way: Way, depth: int, sign: float) -> bool:
    """Return whether :func:`note_unattributed` may find anything; it always may above a main transformer."""
    not_met = 0
    for k in range(1, depth + 1):
        not_met += way.need_literally[k] > sign * way.seen[W, k] + 2.0 * _BROKEN
    return not_met > 0 or way.counts_from[depth] > 1


@compiled
def falls_back(way: Way, depth: int, sign: float) -> bool:
    """Return whether a voltage has moved the other way so far that a flow beside the way may break its limit."""
    not_met = 0
    for k in range(1, depth + 1):
        not_met += way.back[k] > -sign * way.seen[W, k]
    return not_met > 0


@compiled
def note_unattributed(
    tree: Tree,
    bounds: Bounds,
    ports: OnePorts,
    needs: Needs,
    way: Way,
    depth: int,
    v_base: Floats,
    sign: float,
    w_now: Floats,
    stack: Integers,
    noted: Integers,
) -> int:
    """Write the first limits that are broken and do not count into ``noted``, ascending, and return how many there are.

    Beside the way only those subtrees are entered whose need by the literal limits is not met. What is on the supply
    path counts, so it is never broken here.

    Args:
        tree: The forest.
        bounds: Limits as they stand, without attribution.
        ports: One-ports.
        needs: By those limits.
        way: The way, walked with the load.
        depth: Of the candidate.
        v_base: Base voltages (pu).
        sign: +1 for a load, -1 for generation.
        w_now: Room, shape (positions,).
        stack: Room, shape (positions,).
        noted: Out.
    """
    count = 0
    for k in range(way.counts_from[depth] - 1, 0, -1):
        i = way.position[k]
        if need_of_voltage(bounds.v_off[i], sign) > sign * way.seen[W, k] + 2.0 * _BROKEN:
            count = _note(noted, count, bounds.v_off_row[i])
        end = _broken_end(bounds, way, k)
        if end >= 0:
            count = _note(noted, count, bounds.flow_off_row[i, end])
    for k in range(depth, 0, -1):
        i, w = way.position[k], way.seen[W, k]
        if way.need_literally[k] > sign * w + 2.0 * _BROKEN:
            w_now[i] = w
            beside = way.position[k + 1] if k < depth else -1
            size = _push_broken(tree, needs, i, beside, w, sign, stack, 0)
            count = _note_below(tree, bounds, ports, needs, size, v_base, sign, w_now, stack, noted, count)
    return count


@compiled
def _broken_end(bounds: Bounds, way: Way, k: int) -> int:
    """Return which end of the branch at depth ``k`` of the way breaks its limit, -1 for none."""
    i = way.position[k]
    for end in range(2):
        at = P_UP if end else P
        p, q = way.seen[at, k], way.seen[at + Q - P, k]
        w = 1.0 if bounds.is_power[i] else way.seen[0, k - end]
        limit = bounds.flow_off[i, end]
        if p * p + q * q > limit * limit * w * (1.0 + 2.0 * _BROKEN):
            return end
    return -1


@compiled
def _note_below(
    tree: Tree,
    bounds: Bounds,
    ports: OnePorts,
    needs: Needs,
    size: int,
    v_base: Floats,
    sign: float,
    w_now: Floats,
    stack: Integers,
    noted: Integers,
    count: int,
) -> int:
    """Note what is broken in the subtrees on the stack, whose parents' voltages are known."""
    while size > 0:
        size -= 1
        i = stack[size]
        parent = tree.parent[i]
        start = v_base[i] ** 2 + (w_now[parent] - v_base[parent] ** 2) / ports.steps[i, 0]
        w_now[i], _ = voltage_below(ports, i, w_now[parent], start)
        excess, end = excess_of_branch(ports, i, w_now[i], bounds.flow_off[i], bounds.is_power[i])
        if excess > _BROKEN:
            count = _note(noted, count, bounds.flow_off_row[i, end])
        if need_of_voltage(bounds.v_off[i], sign) > sign * w_now[i] + 2.0 * _BROKEN:
            count = _note(noted, count, bounds.v_off_row[i])
        size = _push_broken(tree, needs, i, -1, w_now[i], sign, stack, size)
    return count


@compiled
def _push_broken(
    tree: Tree, needs: Needs, top: int, beside: int, w_top: float, sign: float, stack: Integers, size: int
) -> int:
    """Put the branches below ``top`` whose need its voltage does not meet on the stack and return its size."""
    child = top + 1
    while child < tree.end[top]:
        if child != beside and needs.of_branch[child] > sign * w_top + 2.0 * _BROKEN:
            stack[size] = child
            size += 1
        child = tree.end[child]
    return size


@compiled
def _note(noted: Integers, count: int, row: int) -> int:
    """Keep the lowest rows, ascending."""
    at = min(count, len(noted))
    while at > 0 and noted[at - 1] > row:
        if at < len(noted):
            noted[at] = noted[at - 1]
        at -= 1
    if at < len(noted):
        noted[at] = row
    return count + 1
