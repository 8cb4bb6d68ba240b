"""Branches and nodes of a net as edges and vertices: two-ports, loads, and the limits that stand at them.

Everything is per unit on 1 MVA; limits are rows of the constraints.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from gridmodel.capacity.arrays import Complexes, FlowArrays, Integers, build_terms
from gridmodel.capacity.base_case import BaseCase
from gridmodel.capacity.constraints import Flags, Floats
from gridmodel.capacity.path.tree import Bundles, bundle_branches
from gridmodel.net import Net
from gridmodel.topology import LOW_VOLTAGE_KV_MAX

NOTHING = -1


@dataclass(frozen=True, eq=False, kw_only=True)
class Edges:
    """Branches, proportional parallel ones as one, then couplers."""

    bundles: Bundles
    """Of all that are no couplers."""
    ends: Integers
    """Both vertices of each edge, shape (edges, 2)."""
    is_coupler: Flags
    branches: Integers
    """Number of branches in each edge."""
    of_branch: Integers
    """Edge of each branch, shape (branches,)."""
    share: Complexes
    """Share of each branch in the current of its edge."""
    is_barred: Flags
    """Vertices at parallel branches that are not proportional, or at a branch from a node to itself."""


class Equipment(NamedTuple):
    """What stands at vertices and edges; limits are rows of the constraints."""

    two_port: Complexes
    """``v_from_v, v_from_j, i_from_v, i_from_j`` with the first or the second end below, shape (edges, 2, 4)."""
    s_constant: Complexes
    """Consumed power of each vertex (MVA), as in :class:`gridmodel.capacity.path.tree.Tree`."""
    s_linear: Complexes
    s_square: Complexes
    is_voltage_dependent: Flags
    """Some load of the vertex depends on the voltage."""
    v_source: Floats
    """Held voltage at a source (pu), 0 elsewhere."""
    term_start: Integers
    """First loading term of each edge, shape (edges + 1,)."""
    term_row: Integers
    term_end: Integers
    """End of the edge the term is measured at."""
    term_scale: Floats
    """Loading ratio per flow."""
    volt_start: Integers
    """First voltage limit of each vertex, shape (vertices + 1,)."""
    volt_row: Integers
    is_power: Flags
    """Flows of the edge are apparent powers (MVA), else currents."""
    is_mixed: Flags
    """Both a current and a power limit the edge, which is left to other engines then."""
    main_low_end: Integers
    """End of a main transformer that feeds what lies below; ``NOTHING`` for other edges."""
    star_feed: Integers
    """Edge that must feed each vertex that is the star point of a three-winding transformer, else ``NOTHING``."""
    is_main_star: Flags
    is_unrated: Flags
    """A rating at the edge is missing."""
    edge_of_row: Integers
    """Edge of each loading limit, the feeding one of a three-winding transformer; else ``NOTHING``; shape (limits,)."""
    vertex_of_row: Integers
    """Vertex of each voltage limit, else ``NOTHING``; shape (limits,)."""


def join_branches(arrays: FlowArrays, couplers: list[int]) -> Edges:
    """Return the edges; ``couplers`` are branches of their own, whatever lies beside them."""
    is_coupler = np.zeros(len(arrays.from_node), dtype=bool)
    is_coupler[couplers] = True
    kept = np.flatnonzero(~is_coupler)
    columns = ("from_node", "to_node", "z_series", "y_charge", "y_extra_to", "tap", "island_of_branch")
    of_kept, bundles, share_of_kept = bundle_branches(
        replace(arrays, **{name: getattr(arrays, name)[kept] for name in columns})
    )
    of_branch = np.full(len(is_coupler), NOTHING, dtype=np.int64)
    of_branch[kept] = of_kept
    of_branch[couplers] = len(bundles.first) + np.arange(len(couplers))
    share = np.ones(len(is_coupler), dtype=np.complex128)
    share[kept] = share_of_kept
    first = np.concatenate([bundles.first, arrays.from_node[couplers]])
    second = np.concatenate([bundles.second, arrays.to_node[couplers]])
    ends = np.column_stack([first, second]).astype(np.int64)
    is_bad = first == second
    is_bad[: len(bundles.first)] |= bundles.is_uneven
    is_barred = np.zeros(len(arrays.u_base_kv), dtype=bool)
    is_barred[ends[is_bad]] = True
    return Edges(
        bundles=bundles,
        ends=ends,
        is_coupler=np.arange(len(ends)) >= len(bundles.first),
        branches=np.bincount(of_branch, minlength=len(ends)),
        of_branch=of_branch,
        share=share,
        is_barred=is_barred,
    )


def place_equipment(net: Net, arrays: FlowArrays, base: BaseCase, edges: Edges) -> Equipment:
    """Return what stands where."""
    count = len(edges.ends)
    limits = base.constraints
    term_edge, term_row, term_end, term_scale, is_current = _loading_terms(net, arrays, base, edges)
    by_current, by_power = (np.bincount(term_edge[of], minlength=count) > 0 for of in (is_current, ~is_current))
    rows = limits.rows_of("bus")
    rows = rows[np.isfinite(limits.limits[rows]) & (arrays.node_of_bus[limits.elements[rows]] != NOTHING)]
    vertex = arrays.node_of_bus[limits.elements[rows]]
    by_vertex = np.argsort(vertex, kind="stable")
    edge_of_row, vertex_of_row = np.full((2, len(limits)), NOTHING, dtype=np.int64)
    edge_of_row[term_row], vertex_of_row[rows] = term_edge, vertex
    if "trafo3w" in arrays.branch_row:
        high = np.split(arrays.branch_row["trafo3w"], 3)[0]
        edge_of_row[limits.rows_of("trafo3w")] = np.where(high != NOTHING, edges.of_branch[high], NOTHING)
    star_feed, is_main_star = _stars(net, arrays, edges)
    return Equipment(
        two_port=_two_ports(edges),
        s_constant=(arrays.s_load_mva - arrays.s_linear_mva - arrays.s_square_mva).astype(np.complex128),
        s_linear=arrays.s_linear_mva.astype(np.complex128),
        s_square=(arrays.s_square_mva + np.conj(arrays.y_shunt_mva)).astype(np.complex128),
        is_voltage_dependent=(arrays.s_linear_mva != 0.0) | (arrays.s_square_mva != 0.0),
        v_source=np.where(arrays.is_source, np.abs(arrays.u_source), 0.0),
        term_start=np.searchsorted(term_edge, np.arange(count + 1)).astype(np.int64),
        term_row=term_row,
        term_end=term_end,
        term_scale=term_scale,
        volt_start=np.searchsorted(vertex[by_vertex], np.arange(len(arrays.u_base_kv) + 1)).astype(np.int64),
        volt_row=rows[by_vertex],
        is_power=by_power,
        is_mixed=by_current & by_power,
        main_low_end=_main_low_ends(net, arrays, edges),
        star_feed=star_feed,
        is_main_star=is_main_star,
        is_unrated=_unrated(net, arrays, base, edges),
        edge_of_row=edge_of_row,
        vertex_of_row=vertex_of_row,
    )


def _two_ports(edges: Edges) -> Complexes:
    bundles = edges.bundles
    two_port = np.ones((len(edges.ends), 2, 4), dtype=np.complex128)
    for below, (y_pp, y_pc, y_cp, y_cc) in enumerate(
        (
            (bundles.y_22, bundles.y_21, bundles.y_12, bundles.y_11),
            (bundles.y_11, bundles.y_12, bundles.y_21, bundles.y_22),
        )
    ):
        v_from_v, v_from_j = -y_cc / y_cp, -1.0 / y_cp
        columns = (v_from_v, v_from_j, y_pp * v_from_v + y_pc, y_pp * v_from_j)
        two_port[: len(bundles.first), below] = np.column_stack(columns)
    return two_port


def _loading_terms(
    net: Net, arrays: FlowArrays, base: BaseCase, edges: Edges
) -> tuple[Integers, Integers, Integers, Floats, Flags]:
    """Return edge, limit, end, scale and whether it is a current of each term, sorted by edge, then limit."""
    terms = build_terms(net, arrays, base.constraints)
    keep = np.flatnonzero(np.isfinite(base.constraints.limits[terms.row]))
    branch, row = terms.branch[keep], terms.row[keep]
    edge = edges.of_branch[branch]
    node = np.where(terms.end[keep] == 0, arrays.from_node[branch], arrays.to_node[branch])
    end = (edges.ends[edge, 0] != node).astype(np.int64)
    order = np.lexsort((row, edge))
    scale = np.abs(edges.share[branch]) * terms.scale[keep]
    return edge[order], row[order], end[order], scale[order], terms.is_current[keep][order]


def _main_low_ends(net: Net, arrays: FlowArrays, edges: Edges) -> Integers:
    low_end = np.full(len(edges.ends), NOTHING, dtype=np.int64)
    if "trafo" in arrays.branch_row:
        branch = arrays.branch_row["trafo"]
        main = branch[(net.trafo.vn_lv_kv.to_numpy(dtype=float) > LOW_VOLTAGE_KV_MAX) & (branch != NOTHING)]
        low_end[edges.of_branch[main]] = edges.ends[edges.of_branch[main], 0] != arrays.to_node[main]
    return low_end


def _stars(net: Net, arrays: FlowArrays, edges: Edges) -> tuple[Integers, Flags]:
    """Return the feeding edge of every vertex that is a star point, and whether the transformer is a main one."""
    feed, is_main = np.full(len(arrays.u_base_kv), NOTHING, dtype=np.int64), np.zeros(len(arrays.u_base_kv), dtype=bool)
    if "trafo3w" in arrays.branch_row:
        windings = np.split(arrays.branch_row["trafo3w"], 3)
        high = windings[0]
        for branch, node in zip(windings, (arrays.to_node, arrays.from_node, arrays.from_node), strict=True):
            live = np.flatnonzero(branch != NOTHING)
            star = node[branch[live]]
            feed[star] = np.where(high[live] != NOTHING, edges.of_branch[high[live]], len(edges.ends))
            is_main[star] = net.trafo3w.vn_mv_kv.to_numpy(dtype=float)[live] > LOW_VOLTAGE_KV_MAX
    return feed, is_main


def _unrated(net: Net, arrays: FlowArrays, base: BaseCase, edges: Edges) -> Flags:
    found = np.zeros(len(edges.ends), dtype=bool)
    for table, elements in base.unrated.items():
        if elements and table in arrays.branch_row:
            at = np.flatnonzero(net[table].index.isin(list(elements)))
            branch = arrays.branch_row[table][at]
            found[edges.of_branch[branch[branch != NOTHING]]] = True
    return found
