"""Where the feeders run: trees over the transformer positions, substations, main transformers and ties.

Per feeder of the source the Delaunay edges and their minimum spanning tree; the trees cut bottom-up; substations by
k-means; every feeder hung on its nearest substation at the station nearest to that; ties over the shortest edges
between neighbouring feeders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.cluster.vq import kmeans2
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree
from scipy.spatial import Delaunay

from tests.county.points import Points


@dataclass(frozen=True, eq=False, kw_only=True)
class Layout:
    """n stations, F feeders, S substations; main transformers are numbered by substation."""

    xy_m: np.ndarray
    feeder: np.ndarray
    """Feeder of every station, shape (n,); numbered by main transformer."""
    parent: np.ndarray
    """Station through which a station is supplied, -1 at the first one of a feeder, shape (n,)."""
    order: np.ndarray
    """Stations, each after its parent, shape (n,)."""
    main: np.ndarray
    """Main transformer of every feeder, shape (F,)."""
    mains_each: int
    """Main transformers of a substation."""
    substation_xy_m: np.ndarray
    is_high: np.ndarray
    """Whether a substation is a 110/10 kV one, shape (S,)."""
    ties: np.ndarray
    """Stations joined by a normally open line, shape (ties, 2)."""

    def starts_xy_m(self) -> np.ndarray:
        """Return where the section of every station starts: at its parent or at the busbar, shape (n, 2)."""
        busbar = self.substation_xy_m[self.substation_of(self.main[self.feeder])]
        return np.asarray(np.where((self.parent >= 0)[:, None], self.xy_m[self.parent], busbar))

    def substation_of(self, main: np.ndarray) -> np.ndarray:
        """Return the substation of main transformers."""
        return np.asarray(main // self.mains_each)

    def downstream(self, values: np.ndarray) -> np.ndarray:
        """Return for every station the sum of ``values`` over it and what is supplied through it."""
        total = values.tolist()
        parent = self.parent.tolist()
        for station in self.order[::-1].tolist():
            if parent[station] >= 0:
                total[parent[station]] += total[station]
        return np.array(total)

    def along(self, values: np.ndarray) -> np.ndarray:
        """Return for every station the sum of ``values`` from the first station of its feeder to itself."""
        total = values.tolist()
        parent = self.parent.tolist()
        for station in self.order.tolist():
            if parent[station] >= 0:
                total[station] += total[parent[station]]
        return np.array(total)


def find_layout(points: Points, sn_kva: np.ndarray, choices: dict[str, Any]) -> Layout:
    """Return the layout; ``sn_kva`` (shape (n,)) shares the feeders out among the main transformers."""
    tree = _spanning_trees(points)
    part = _cut(tree, choices["feeders"]["transformers_max"])
    places = _substation_places(points.xy_m, part, choices)
    nearest, root = _hang(points.xy_m, part, places)
    kva = np.bincount(part, weights=sn_kva)
    is_high = np.zeros(len(places), dtype=bool)
    by_size = np.argsort(-np.bincount(nearest, weights=kva, minlength=len(places)), kind="stable")
    is_high[by_size[: choices["substations"]["high_count"]]] = True
    main = _share_out(nearest, kva, len(places), choices["substations"]["main_transformers_each"])
    by_main = np.lexsort((np.arange(len(main)), main))
    number = np.empty(len(main), dtype=int)
    number[by_main] = np.arange(len(main))
    parent, order = _orient(tree, part, root)
    feeder = number[part]
    return Layout(
        xy_m=points.xy_m,
        feeder=feeder,
        parent=parent,
        order=order,
        main=main[by_main],
        mains_each=choices["substations"]["main_transformers_each"],
        substation_xy_m=places,
        is_high=is_high,
        ties=_ties(points.xy_m, feeder),
    )


def delaunay_edges(xy_m: np.ndarray) -> np.ndarray:
    """Return the edges of the Delaunay triangles, shape (edges, 2), the smaller number first."""
    corners = Delaunay(xy_m).simplices
    edges = np.vstack([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]])
    return np.unique(np.sort(edges, axis=1), axis=0)


def lengths_m(xy_m: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the straight lengths of edges (m)."""
    return np.asarray(np.hypot(*(xy_m[edges[:, 0]] - xy_m[edges[:, 1]]).T))


def _spanning_trees(points: Points) -> csr_matrix:
    """Return the minimum spanning tree of every source feeder, in one symmetric matrix."""
    edges = []
    for code in range(points.code.max() + 1):
        members = np.flatnonzero(points.code == code)
        edges.append(members[delaunay_edges(points.xy_m[members])])
    return _minimum_tree(np.vstack(edges), lengths_m(points.xy_m, np.vstack(edges)), len(points.code))


def _minimum_tree(edges: np.ndarray, weight: np.ndarray, count: int) -> csr_matrix:
    tree = minimum_spanning_tree(coo_matrix((weight, (edges[:, 0], edges[:, 1])), shape=(count, count)))
    return (tree + tree.T).tocsr()


def _cut(tree: csr_matrix, size_max: int) -> np.ndarray:
    """Return the part of every station: from the leaves up, the largest branch is cut off until the rest is small."""
    part = np.full(tree.shape[0], -1)
    found = 0
    count, component = connected_components(tree, directed=False)
    for number in range(count):
        start = int(np.flatnonzero(component == number)[0])
        order, before = breadth_first_order(tree, start, directed=False)
        branches: dict[int, list[int]] = {station: [] for station in order.tolist()}
        size: dict[int, int] = {}
        heads = {start}
        for station in order[::-1].tolist():
            branches[station].sort(key=lambda branch: (size[branch], branch))
            total = 1 + sum(size[branch] for branch in branches[station])
            while total > size_max:
                heads.add(cut := branches[station].pop())
                total -= size[cut]
            size[station] = total
            if station != start:
                branches[int(before[station])].append(station)
        for station in order.tolist():
            if station in heads:
                part[station], found = found, found + 1
            else:
                part[station] = part[before[station]]
    return part


def _substation_places(xy_m: np.ndarray, part: np.ndarray, choices: dict[str, Any]) -> np.ndarray:
    """Return the substations' places: k-means over the middles of the feeders, each as heavy as its stations."""
    stations = np.bincount(part)
    middle = np.column_stack([np.bincount(part, weights=xy_m[:, axis]) / stations for axis in (0, 1)])
    places, _ = kmeans2(
        np.repeat(middle, stations, axis=0),
        choices["substations"]["count"],
        iter=50,
        minit="++",
        rng=choices["substations"]["places_seed"],
    )
    return np.asarray(places.round(0))


def _hang(xy_m: np.ndarray, part: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for every part its nearest substation and the station of the part that is nearest to that."""
    distance = np.hypot(*(xy_m[:, None] - places[None]).transpose(2, 0, 1))
    nearest, root = [], []
    for number in range(part.max() + 1):
        members = np.flatnonzero(part == number)
        station, substation = np.unravel_index(distance[members].argmin(), (len(members), len(places)))
        nearest.append(int(substation))
        root.append(int(members[station]))
    return np.array(nearest), np.array(root)


def _share_out(nearest: np.ndarray, kva: np.ndarray, substations: int, each: int) -> np.ndarray:
    """Return the main transformer of every part: the heaviest first, each to the lighter transformer."""
    main = np.empty(len(nearest), dtype=int)
    for substation in range(substations):
        carried = [0.0] * each
        members = np.flatnonzero(nearest == substation)
        assert len(members) >= each, f"substation {substation} has fewer feeders than main transformers"
        for number in members[np.argsort(-kva[members], kind="stable")].tolist():
            lightest = carried.index(min(carried))
            main[number] = substation * each + lightest
            carried[lightest] += kva[number]
    return main


def _orient(tree: csr_matrix, part: np.ndarray, root: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the parent of every station and an order with parents first."""
    edges = tree.tocoo()
    inside = part[edges.row] == part[edges.col]
    forest = coo_matrix((edges.data[inside], (edges.row[inside], edges.col[inside])), shape=tree.shape).tocsr()
    parent, orders = np.full(len(part), -1), []
    for start in root.tolist():
        order, before = breadth_first_order(forest, start, directed=False)
        parent[order[1:]] = before[order[1:]]
        orders.append(order)
    return parent, np.concatenate(orders)


def _ties(xy_m: np.ndarray, feeder: np.ndarray) -> np.ndarray:
    """Return the shortest edges between feeders that join all of them: one fewer than there are feeders."""
    edges = delaunay_edges(xy_m)
    edges = edges[feeder[edges[:, 0]] != feeder[edges[:, 1]]]
    length = lengths_m(xy_m, edges)
    pair = np.sort(feeder[edges], axis=1)
    shortest = np.lexsort((length, pair[:, 1], pair[:, 0]))
    _, first = np.unique(pair[shortest], axis=0, return_index=True)
    chosen = shortest[first]
    tree = _minimum_tree(pair[chosen], length[chosen], feeder.max() + 1)
    is_kept = np.asarray(tree[pair[chosen][:, 0], pair[chosen][:, 1]]).ravel() > 0.0
    return np.asarray(edges[chosen[is_kept]])
