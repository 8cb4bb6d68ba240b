"""Trees that a choice of switches leaves: numbered depth first, with what stands on them.

A position is a vertex of the tree (vertices joined by closed couplers are one) or the loose end of a line that is
switched off at its other end; at the same time it is the edge above. Position 0 is the source.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gridmodel.capacity.arrays import Complexes, Integers
from gridmodel.capacity.constraints import Flags
from gridmodel.capacity.path.compiled import compiled
from gridmodel.capacity.switched_arrays import Switching, Wiring
from gridmodel.capacity.switched_edges import NOTHING, Equipment


class Planted(NamedTuple):
    """A tree without anything on it."""

    vertex: Integers
    """Vertices, the source first; empty when this is no tree that can be expressed."""
    position: Integers
    """Theirs."""
    parent: Integers
    """Of each position; ``NOTHING`` at the source."""
    end: Integers
    """First position after each subtree."""
    above: Integers
    """Edge above each position; ``NOTHING`` at the source."""
    lower: Integers
    """Which end of that edge is the position."""
    depth_max: int
    """Edges of the longest way to the source."""


class Furnished(NamedTuple):
    """What stands at the positions."""

    two_port: Complexes
    """As in :class:`gridmodel.capacity.path.tree.Tree`, shape (4, positions)."""
    load: Complexes
    """Constant, linear and square part (MVA), shape (3, positions)."""
    ends_path: Flags
    is_star: Flags
    is_power: Flags
    fits: bool
    """Every three-winding transformer is fed from its high side; others are left to other engines."""


@compiled
def plant(wiring: Wiring, switching: Switching, start: int, seen: Flags, queue: Integers) -> Planted:
    """Return what hangs together with a vertex; ``seen`` (all False) and ``queue`` are room, shape (vertices,)."""
    root, vertices, couplers, loose = _survey(wiring, switching, start, seen, queue)
    if root == NOTHING:
        nothing = np.empty(0, np.int64)
        return Planted(nothing, nothing, nothing, nothing, nothing, nothing, 0)
    return _number_positions(wiring, switching, root, vertices, couplers, loose)


@compiled
def _survey(
    wiring: Wiring, switching: Switching, start: int, seen: Flags, queue: Integers
) -> tuple[int, int, int, int]:
    """Look at everything that hangs together with a vertex, sources left out.

    Returns:
        Edge to the one source, ``NOTHING`` when this is no tree that can be expressed; vertices without the source,
        closed couplers, loose ends.
    """
    if wiring.is_source[start] or switching.is_dead[start]:
        return NOTHING, 0, 0, 0
    queue[0], seen[start] = start, True
    size, now, couplers, loose, halves, root, fits = 1, 0, 0, 0, 0, NOTHING, True
    while now < size and fits:
        here = queue[now]
        now += 1
        fits = not wiring.is_barred[here]
        for at in range(wiring.start[here], wiring.start[here + 1]):
            edge = wiring.edge[at]
            side = 0 if wiring.ends[edge, 0] == here else 1
            if switching.is_dead_edge[edge] or switching.opened[edge, side] > 0:
                continue
            if switching.opened[edge, 1 - side] > 0:
                loose += 1
                continue
            far = wiring.ends[edge, 1 - side]
            if wiring.is_source[far]:
                fits = fits and root == NOTHING and not wiring.is_coupler[edge]
                root = edge
                continue
            fits = fits and not switching.is_dead[far]
            halves += 1
            if wiring.is_coupler[edge]:
                couplers += 1
                fits = fits and not (wiring.stands_alone[here] or wiring.stands_alone[far])
            if not seen[far]:
                seen[far] = True
                queue[size] = far
                size += 1
    for at in range(size):
        seen[queue[at]] = False
    if not fits or halves != 2 * (size - 1):
        return NOTHING, 0, 0, 0
    return root, size, couplers // 2, loose


@compiled
def _number_positions(
    wiring: Wiring, switching: Switching, root: int, vertices: int, couplers: int, loose: int
) -> Planted:
    """Number what has been surveyed, from its source down."""
    count = vertices - couplers + loose + 1
    parent, end = np.full(count, NOTHING, np.int64), np.arange(1, count + 1)
    above, lower = np.full(count, NOTHING, np.int64), np.zeros(count, np.int64)
    vertex, position = np.empty(vertices + 1, np.int64), np.empty(vertices + 1, np.int64)
    at_vertex = np.empty(count + couplers, np.int64)
    at_parent, at_edge, at_side = at_vertex.copy(), at_vertex.copy(), at_vertex.copy()
    source_end = 0 if wiring.is_source[wiring.ends[root, 0]] else 1
    vertex[0], position[0] = wiring.ends[root, source_end], 0
    at_vertex[0], at_parent[0], at_edge[0], at_side[0] = wiring.ends[root, 1 - source_end], 0, root, 1 - source_end
    size, listed, free = 1, 1, 1
    while size > 0:
        size -= 1
        here, via = at_vertex[size], at_edge[size]
        if wiring.is_coupler[via]:
            now = at_parent[size]
        else:
            now = free
            parent[now], above[now], lower[now] = at_parent[size], via, at_side[size]
            free += 1
        if here == NOTHING:
            continue
        vertex[listed], position[listed] = here, now
        listed += 1
        for at in range(wiring.start[here], wiring.start[here + 1]):
            edge = wiring.edge[at]
            side = 0 if wiring.ends[edge, 0] == here else 1
            if edge == via or switching.is_dead_edge[edge] or switching.opened[edge, side] > 0:
                continue
            is_loose = switching.opened[edge, 1 - side] > 0
            at_vertex[size] = NOTHING if is_loose else wiring.ends[edge, 1 - side]
            at_parent[size], at_edge[size], at_side[size] = now, edge, 1 - side
            size += 1
    depth, depth_max = np.zeros(count, np.int64), 0
    for i in range(1, count):
        depth[i] = depth[parent[i]] + 1
        depth_max = max(depth_max, depth[i])
    for i in range(count - 1, 0, -1):
        if end[i] > end[parent[i]]:
            end[parent[i]] = end[i]
    return Planted(vertex, position, parent, end, above, lower, depth_max)


@compiled
def furnish(equipment: Equipment, planted: Planted) -> Furnished:
    """Return two-ports, loads and special places of a tree."""
    count = len(planted.above)
    two_port, load = np.zeros((4, count), np.complex128), np.zeros((3, count), np.complex128)
    ends_path, is_star, is_power = np.zeros(count, np.bool_), np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    two_port[0, 0] = two_port[3, 0] = 1.0
    for i in range(1, count):
        edge, lower = planted.above[i], planted.lower[i]
        for k in range(4):
            two_port[k, i] = equipment.two_port[edge, lower, k]
        is_power[i] = equipment.is_power[edge]
        ends_path[i] = equipment.main_low_end[edge] == lower
    fits = True
    for at in range(1, len(planted.vertex)):
        i, k = planted.position[at], planted.vertex[at]
        load[0, i] += equipment.s_constant[k]
        load[1, i] += equipment.s_linear[k]
        load[2, i] += equipment.s_square[k]
        if equipment.star_feed[k] != NOTHING:
            is_star[i] = True
            fits = fits and planted.above[i] == equipment.star_feed[k]
            ends_path[i] = ends_path[i] or equipment.is_main_star[k]
    return Furnished(two_port, load, ends_path, is_star, is_power, fits)
