"""The way from a candidate to the source, what one walk along it sees, and what breaks beside it without counting."""

from __future__ import annotations

from typing import NamedTuple

from gridmodel.capacity.arrays import Complexes, Integers
from gridmodel.capacity.constraints import Flags, Floats
from gridmodel.capacity.path.bounds import Bounds
from gridmodel.capacity.path.compiled import compiled, magnitude
from gridmodel.capacity.path.oneport import Needs, OnePorts, excess_of_branch, voltage_below
from gridmodel.capacity.path.tree import Tree

_BROKEN = 1e-9


class Route(NamedTuple):
    """A candidate's way to the source and its limits; a step is a position with the branch above it."""

    position: Integers
    """Shape (steps + 1,): the candidate first, the source last."""
    need: Floats
    """Lowest admissible voltage there (pu), -inf = none; shape (steps + 1,)."""
    need_row: Integers
    flow_limit: Floats
    """Of the branch at its lower and upper end (pu or MVA), inf = none; shape (steps, 2)."""
    flow_row: Integers
    is_power: Flags
    """The limited flow is an apparent power, else a current; shape (steps,)."""


class Walk(NamedTuple):
    """What one walk saw; a value and its slopes over ``v`` and ``p`` stand in the last axis (3,)."""

    voltage: Floats
    """At each position of the route (pu), shape (steps + 1, 3)."""
    flow: Complexes
    """Flow that a limit stands for, at both ends of each branch (pu or MVA), shape (steps, 2, 3)."""
    source: Floats
    """Source voltage missed by (pu), shape (3,)."""


@compiled
def note_unattributed(
    tree: Tree,
    as_it_stands: Bounds,
    ports: OnePorts,
    literal_needs: Needs,
    route: Route,
    steps: int,
    walk: Walk,
    v_base: Floats,
    v_now: Floats,
    stack: Integers,
    noted: Integers,
) -> int:
    """Write the first limits that are broken and do not count into ``noted``, ascending, and return how many there are.

    Beside the way only those subtrees are entered whose need by the literal limits is not met; ``v_now`` and ``stack``
    are room, shape (positions,). What is on the supply path counts, so it is never broken here.
    """
    count, is_on_path = 0, True
    for k in range(steps):
        i, v = route.position[k], walk.voltage[k, 0]
        if not is_on_path and v < as_it_stands.v_off[i] - _BROKEN:
            count = _note(noted, count, as_it_stands.v_off_row[i])
        if literal_needs.below[i] > v + _BROKEN:
            beside = route.position[k - 1] if k > 0 else -1
            count = _note_below(
                tree, as_it_stands, ports, literal_needs, i, beside, v, v_base, v_now, stack, noted, count
            )
        if not is_on_path:
            for end in range(2):
                if magnitude(walk.flow[k, end, 0]) > as_it_stands.flow_off[i, end] * (1.0 + _BROKEN):
                    count = _note(noted, count, as_it_stands.flow_off_row[i, end])
                    break
        is_on_path = is_on_path and not as_it_stands.ends_path[i]
    return count


@compiled
def _note_below(
    tree: Tree,
    bounds: Bounds,
    ports: OnePorts,
    needs: Needs,
    top: int,
    beside: int,
    v_top: float,
    v_base: Floats,
    v_now: Floats,
    stack: Integers,
    noted: Integers,
    count: int,
) -> int:
    """Note what is broken below ``top``, whose voltage is known, leaving out the branch ``beside``."""
    v_now[top] = v_top
    size = _push_broken(tree, needs, top, beside, v_top, stack, 0)
    while size > 0:
        size -= 1
        i = stack[size]
        parent = tree.parent[i]
        start = v_base[i] + (v_now[parent] - v_base[parent]) / magnitude(tree.v_from_v[i])
        v_now[i], _ = voltage_below(tree, ports, i, v_now[parent], start)
        excess, end = excess_of_branch(tree, ports, i, v_now[i], bounds.flow_off[i], bounds.is_power[i])
        if excess > _BROKEN:
            count = _note(noted, count, bounds.flow_off_row[i, end])
        if v_now[i] < bounds.v_off[i] - _BROKEN:
            count = _note(noted, count, bounds.v_off_row[i])
        size = _push_broken(tree, needs, i, -1, v_now[i], stack, size)
    return count


@compiled
def _push_broken(tree: Tree, needs: Needs, top: int, beside: int, v_top: float, stack: Integers, size: int) -> int:
    """Put the branches below ``top`` that need more than its voltage on the stack and return its size."""
    child = top + 1
    while child < tree.end[top]:
        if child != beside and needs.of_branch[child] > v_top + _BROKEN:
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
