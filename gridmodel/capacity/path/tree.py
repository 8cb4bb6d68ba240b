"""Radial islands of a solved net as rooted trees of two-ports, numbered so that every subtree is a range.

Everything is per unit on 1 MVA. A *position* is a node of the tree and, at the same time, the branch above it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gridmodel.capacity.arrays import NO_ISLAND, VOLTAGE_DEPENDENT, Complexes, FlowArrays, Integers
from gridmodel.capacity.constraints import Flags, Floats
from gridmodel.capacity.path.compiled import compiled

NOWHERE = -1
PROPORTIONAL = 1e-9
"""Parallel branches are merged when their admittances are proportional to this relative accuracy."""


class Tree(NamedTuple):
    """All radial islands, one after the other; each starts with its source. Every array has shape (positions,)."""

    parent: Integers
    """``NOWHERE`` at a source."""
    end: Integers
    """First position after the subtree."""
    v_from_v: Complexes
    """Two-port of the branch above: ``V_parent = v_from_v * V + v_from_j * J`` (pure number)."""
    v_from_j: Complexes
    """Per unit impedance."""
    i_from_v: Complexes
    """``I_parent = i_from_v * V + i_from_j * J``; per unit admittance."""
    i_from_j: Complexes
    """``J`` is the current delivered to the position, ``I_parent`` the one drawn from its parent."""
    s_constant: Complexes
    """Consumed power (MVA), ``s_constant + s_linear |V| + s_square |V|^2``; shunts are in ``s_square``."""
    s_linear: Complexes
    s_square: Complexes
    v_source: Floats
    """Held voltage (pu) at a source, 0 elsewhere."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Forest:
    """The tree and where its positions come from."""

    tree: Tree
    roots: Integers
    """Position of each island's source; ascending."""
    islands: Integers
    """Island of each root."""
    node: Integers
    """Node of each position, shape (positions,)."""
    position_of_node: Integers
    """``NOWHERE`` at sources and outside radial islands."""
    position_of_branch: Integers
    """Position below each branch; ``NOWHERE`` outside radial islands."""
    share: Complexes
    """Share of each branch in the current of the merged branch, shape (branches,)."""
    from_is_child: Flags
    """Whether the branch's from-end is the lower one, shape (branches,)."""
    depth_max: int


class Bundles(NamedTuple):
    """Branches between the same two nodes as one; arrays have one entry per bundle."""

    first: Integers
    """Node with the lower number."""
    second: Integers
    y_11: Complexes
    y_12: Complexes
    y_21: Complexes
    y_22: Complexes
    island: Integers
    is_uneven: Flags
    """The bundled branches are not proportional to each other."""


def plant_forest(arrays: FlowArrays) -> Forest | None:
    """Return the radial islands of ``arrays``, None without any; what is no tree or has an obstacle is left out."""
    bundle_of_branch, bundles, share = bundle_branches(arrays)
    islands = _radial_islands(arrays, bundles)
    if not len(islands):
        return None
    position_of_island = np.full(int(arrays.island_of_node.max(initial=-1)) + 2, NOWHERE, dtype=np.int64)
    position_of_island[islands] = np.arange(len(islands))
    chosen = np.flatnonzero(position_of_island[bundles.island] != NOWHERE)
    vertex_of_node, node_of_vertex = _vertices(arrays, islands)
    number = position_of_island[bundles.island[chosen]]
    ends = [
        np.where(arrays.is_source[node], number, vertex_of_node[node])
        for node in (bundles.first[chosen], bundles.second[chosen])
    ]
    order, parent, bundle = _number_positions(ends[0], ends[1], len(islands), len(node_of_vertex))
    node = np.where(order < len(islands), NOWHERE, node_of_vertex[order])
    above = np.where(bundle == NOWHERE, NOWHERE, chosen[bundle])
    roots = np.flatnonzero(parent == NOWHERE)
    source = _source_nodes(arrays, bundles, chosen, number, len(islands))[order[roots]]
    node[roots] = source
    return _forest(
        arrays, bundles, bundle_of_branch, share, node=node, parent=parent, above=above, islands=islands[order[roots]]
    )


def bundle_branches(arrays: FlowArrays) -> tuple[Integers, Bundles, Complexes]:
    """Return the bundle of each branch, the bundles, and each branch's share in its bundle."""
    series, half = 1.0 / arrays.z_series, arrays.y_charge / 2.0
    y_ff = (series + half) / np.abs(arrays.tap) ** 2
    y_ft, y_tf = -series / np.conj(arrays.tap), -series / arrays.tap
    y_tt = series + half + arrays.y_extra_to
    turned = arrays.from_node > arrays.to_node
    own = [np.where(turned, b, a) for a, b in ((y_ff, y_tt), (y_ft, y_tf), (y_tf, y_ft), (y_tt, y_ff))]
    first, second = np.minimum(arrays.from_node, arrays.to_node), np.maximum(arrays.from_node, arrays.to_node)
    key = first * len(arrays.u_base_kv) + second
    _, at, bundle_of_branch = np.unique(key, return_index=True, return_inverse=True)
    total: list[Complexes] = []
    for y in own:
        y_sum = np.zeros(len(at), dtype=complex)
        np.add.at(y_sum, bundle_of_branch, y)
        total.append(y_sum)
    share: Complexes = own[1] / total[1][bundle_of_branch]
    uneven = np.zeros(len(at), dtype=bool)
    for y, y_sum in zip(own, total, strict=True):
        gap = np.abs(y - share * y_sum[bundle_of_branch])
        np.logical_or.at(uneven, bundle_of_branch, ~(gap <= PROPORTIONAL * np.abs(own[1])))
    bundles = Bundles(
        first[at], second[at], total[0], total[1], total[2], total[3], arrays.island_of_branch[at], uneven
    )
    return bundle_of_branch.astype(np.int64), bundles, share


def _radial_islands(arrays: FlowArrays, bundles: Bundles) -> Integers:
    """Return the islands with one bundle per node: connected in themselves, so they are trees hung at one source."""
    count = int(arrays.island_of_node.max(initial=-1)) + 1
    is_inside = bundles.island != NO_ISLAND
    branches = np.bincount(bundles.island[is_inside], minlength=count)
    nodes = np.bincount(arrays.island_of_node[arrays.island_of_node != NO_ISLAND], minlength=count)
    uneven = np.bincount(bundles.island[is_inside & bundles.is_uneven], minlength=count)
    is_radial = (branches == nodes) & (uneven == 0) & (nodes > 0)
    touches = arrays.is_source[bundles.first] | arrays.is_source[bundles.second]
    is_radial &= np.bincount(bundles.island[is_inside & touches], minlength=count) == 1
    for island, reason in arrays.obstacles.items():
        if island != NO_ISLAND and reason != VOLTAGE_DEPENDENT:
            is_radial[island] = False
    return np.flatnonzero(is_radial).astype(np.int64)


def _vertices(arrays: FlowArrays, islands: Integers) -> tuple[Integers, Integers]:
    """Return vertex numbers: first one source per island, then the islands' nodes; and back."""
    nodes = np.flatnonzero(np.isin(arrays.island_of_node, islands) & ~arrays.is_source)
    vertex_of_node = np.full(len(arrays.u_base_kv), NOWHERE, dtype=np.int64)
    vertex_of_node[nodes] = len(islands) + np.arange(len(nodes))
    return vertex_of_node, np.concatenate([np.full(len(islands), NOWHERE, dtype=np.int64), nodes])


def _source_nodes(arrays: FlowArrays, bundles: Bundles, chosen: Integers, number: Integers, count: int) -> Integers:
    """Return the source node of each radial island, shape (islands,)."""
    source = np.full(count, NOWHERE, dtype=np.int64)
    for node in (bundles.first[chosen], bundles.second[chosen]):
        at = arrays.is_source[node]
        source[number[at]] = node[at]
    return source


def _number_positions(one: Integers, other: Integers, roots: int, vertices: int) -> tuple[Integers, Integers, Integers]:
    """Return vertex, parent and edge above of each position, numbered depth first from the roots 0 .. roots - 1."""
    ends = np.concatenate([one, other])
    far = np.concatenate([other, one])
    edge = np.tile(np.arange(len(one)), 2)
    by_end = np.argsort(ends, kind="stable")
    start = np.searchsorted(ends[by_end], np.arange(vertices + 1))
    return _depth_first(start, far[by_end], edge[by_end], roots)


@compiled
def _depth_first(start: Integers, far: Integers, edge: Integers, roots: int) -> tuple[Integers, Integers, Integers]:
    count = len(start) - 1
    vertex, parent, above = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.int64)
    stack, from_position, via = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.int64)
    seen = np.zeros(count, np.bool_)
    position = 0
    for root in range(roots):
        depth = 1
        stack[0], from_position[0], via[0] = root, -1, -1
        seen[root] = True
        while depth > 0:
            depth -= 1
            here = stack[depth]
            vertex[position], parent[position], above[position] = here, from_position[depth], via[depth]
            for at in range(start[here], start[here + 1]):
                if not seen[far[at]]:
                    seen[far[at]] = True
                    stack[depth], from_position[depth], via[depth] = far[at], position, edge[at]
                    depth += 1
            position += 1
    return vertex[:position], parent[:position], above[:position]


@compiled
def _subtree_ends(parent: Integers) -> tuple[Integers, int]:
    """Return the first position after each subtree, and the greatest depth (branches from a source)."""
    count = len(parent)
    end, depth, depth_max = np.arange(1, count + 1), np.zeros(count, np.int64), 0
    for position in range(count - 1, -1, -1):
        above = parent[position]
        if above >= 0 and end[position] > end[above]:
            end[above] = end[position]
    for position in range(count):
        if parent[position] >= 0:
            depth[position] = depth[parent[position]] + 1
            depth_max = max(depth_max, depth[position])
    return end, depth_max


def _forest(
    arrays: FlowArrays,
    bundles: Bundles,
    bundle_of_branch: Integers,
    share: Complexes,
    *,
    node: Integers,
    parent: Integers,
    above: Integers,
    islands: Integers,
) -> Forest:
    """Turn every branch so that it points downwards, and gather loads and shunts."""
    is_root = parent == NOWHERE
    roots = np.flatnonzero(is_root).astype(np.int64)
    child_is_first = bundles.first[above] == node
    y_pp, y_cc = (
        np.where(child_is_first, a, b)[:]
        for a, b in ((bundles.y_22[above], bundles.y_11[above]), (bundles.y_11[above], bundles.y_22[above]))
    )
    y_pc = np.where(child_is_first, bundles.y_21[above], bundles.y_12[above])
    y_cp = np.where(child_is_first, bundles.y_12[above], bundles.y_21[above])
    v_from_v, v_from_j = -y_cc / y_cp, -1.0 / y_cp
    constant = arrays.s_load_mva - arrays.s_linear_mva - arrays.s_square_mva
    position_of_bundle = np.full(len(bundles.first), NOWHERE, dtype=np.int64)
    position_of_bundle[above[~is_root]] = np.flatnonzero(~is_root)
    position_of_branch = position_of_bundle[bundle_of_branch]
    position_of_node = np.full(len(arrays.u_base_kv), NOWHERE, dtype=np.int64)
    position_of_node[node[~is_root]] = np.flatnonzero(~is_root)
    end, depth_max = _subtree_ends(parent)

    def per_position(values: Complexes) -> Complexes:
        return np.where(is_root, 0.0, values[node]).astype(np.complex128)

    tree = Tree(
        parent=parent,
        end=end,
        v_from_v=np.where(is_root, 1.0, v_from_v),
        v_from_j=np.where(is_root, 0.0, v_from_j),
        i_from_v=np.where(is_root, 0.0, y_pp * v_from_v + y_pc),
        i_from_j=np.where(is_root, 1.0, y_pp * v_from_j),
        s_constant=per_position(constant),
        s_linear=per_position(arrays.s_linear_mva),
        s_square=per_position(arrays.s_square_mva + np.conj(arrays.y_shunt_mva)),
        v_source=np.where(is_root, np.abs(arrays.u_source[node]), 0.0),
    )
    return Forest(
        tree=tree,
        roots=roots,
        islands=islands,
        node=node,
        position_of_node=position_of_node,
        position_of_branch=position_of_branch,
        share=share,
        from_is_child=np.where(position_of_branch >= 0, arrays.from_node == node[position_of_branch], False),
        depth_max=int(depth_max),
    )
