"""The net as arrays of edges, for connectivity only: which bus has supply, and which loses it without an element."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from gridmodel.net import Net
from gridmodel.topology import LOW_VOLTAGE_KV_MAX

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_BRANCHES = (
    ("line", "from_bus", "to_bus", "l"),
    ("trafo", "hv_bus", "lv_bus", "t"),
    ("impedance", "from_bus", "to_bus", None),
    ("tcsc", "from_bus", "to_bus", None),
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Graph:
    """Edges that can carry current; vertices are positions in ``net.bus``, then one star point per trafo3w."""

    buses: Ints
    """Bus index of each bus vertex, shape (B,)."""
    u_nominal_kv: npt.NDArray[np.float64]
    """Nominal voltage of each vertex, NaN at star points, shape (V,)."""
    is_alive: Mask
    """Vertex in service, shape (V,)."""
    a: Ints
    """Vertex at one end, shape (E,)."""
    b: Ints
    """Vertex at the other end, shape (E,)."""
    table: npt.NDArray[np.object_]
    """Table of the element, shape (E,)."""
    element: Ints
    """Index in that table, shape (E,)."""
    is_main: Mask
    """Edge is (a winding of) a main transformer (主变), shape (E,)."""
    sources: Ints
    """Vertices with an external grid or a slack generator, each once."""

    @property
    def vertex_count(self) -> int:
        """Number of vertices."""
        return len(self.is_alive)

    def components(self, keep: Mask | None = None) -> Ints:
        """Return a component number for every vertex, using only the edges in ``keep``."""
        a, b = (self.a, self.b) if keep is None else (self.a[keep], self.b[keep])
        links = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(self.vertex_count, self.vertex_count))
        return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)

    def supplied(self, keep: Mask | None = None) -> Mask:
        """Return which vertices some source reaches over the edges in ``keep``."""
        number = self.components(keep)
        return np.isin(number, number[self.sources]) & self.is_alive

    def hops(self) -> Ints:
        """Return the number of edges between each vertex and its nearest source; -1 where there is none."""
        root = self.vertex_count
        a = np.concatenate((self.a, self.sources))
        b = np.concatenate((self.b, np.full(len(self.sources), root)))
        links = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(root + 1, root + 1)).tocsr()
        order, before = breadth_first_order(links, root, directed=False, return_predecessors=True)
        hops = np.full(root + 1, -1, dtype=np.int64)
        hops[root] = 0
        for vertex in order[1:]:
            hops[vertex] = hops[before[vertex]] + 1
        return hops[:root]

    def vertex_of(self, bus: int) -> int | None:
        """Return the vertex of a bus index; ``None`` when there is no such bus."""
        found = np.flatnonzero(self.buses == bus)
        return int(found[0]) if len(found) else None

    def busbar_vertices(self) -> Mask:
        """Return the vertices that are busbars: every source, the medium-voltage side of every main transformer, and
        what hangs on either by closed bus-bus switches."""
        roots = np.zeros(self.vertex_count, dtype=bool)
        roots[self.sources] = True
        ends = np.concatenate((self.a[self.is_main], self.b[self.is_main]))
        partners = np.concatenate((self.b[self.is_main], self.a[self.is_main]))
        star = np.isnan(self.u_nominal_kv)
        lower = star[partners] | (self.u_nominal_kv[ends] < self.u_nominal_kv[partners])
        roots[ends[lower & ~star[ends]]] = True
        number = self.components(self.table == "switch")
        return np.isin(number, number[roots])


def build_graph(net: Net, extra: tuple[tuple[str, int, int, int], ...] = ()) -> Graph:
    """Return the graph of ``net``.

    Args:
        net: Network; every reference must exist.
        extra: Further edges (table, element, bus, bus), for elements that were left out of the net.
    """
    buses = net.bus.index.to_numpy(dtype=np.int64)
    position = pd.Series(np.arange(len(buses)), index=net.bus.index)
    star_count = len(net.trafo3w)
    alive = np.concatenate((net.bus.in_service.to_numpy(dtype=bool), np.ones(star_count, dtype=bool)))
    voltage = np.concatenate((net.bus.vn_kv.to_numpy(dtype=float), np.full(star_count, np.nan)))
    parts = [*_branch_edges(net), *_winding_edges(net), _switch_edges(net)]
    parts += [(np.array([x]), np.array([y]), t, np.array([e]), np.array([False])) for t, e, x, y in extra]
    a = np.concatenate([_position(position, part[0], len(buses)) for part in parts])
    b = np.concatenate([_position(position, part[1], len(buses)) for part in parts])
    live = alive[a] & alive[b]
    table = np.concatenate([np.full(len(part[0]), part[2], dtype=object) for part in parts])
    return Graph(
        buses=buses,
        u_nominal_kv=voltage,
        is_alive=alive,
        a=a[live],
        b=b[live],
        table=table[live],
        element=np.concatenate([part[3] for part in parts]).astype(np.int64)[live],
        is_main=np.concatenate([part[4] for part in parts])[live],
        sources=_position(position, _source_buses(net), len(buses)),
    )


_Part = tuple[Ints, Ints, str, Ints, Mask]


def _position(position: pd.Series, buses: Ints, bus_count: int) -> Ints:
    """Vertex of each bus; a star point, written as a negative number, follows the buses."""
    is_star = buses < 0
    found = position.reindex(np.where(is_star, position.index[0], buses)).to_numpy(dtype=np.int64)
    return np.where(is_star, bus_count - 1 - buses, found)


def _branch_edges(net: Net) -> list[_Part]:
    is_open = ~net.switch.closed.to_numpy(dtype=bool)
    parts: list[_Part] = []
    for table, column_a, column_b, kind in _BRANCHES:
        frame = net.get(table)
        if frame is None or not len(frame):
            continue
        opened = net.switch.element[is_open & (net.switch.et == kind).to_numpy()]
        frame = frame[frame.in_service.to_numpy(dtype=bool) & ~frame.index.isin(opened)]
        is_main = (
            net.bus.vn_kv.reindex(frame.lv_bus).to_numpy(dtype=float) > LOW_VOLTAGE_KV_MAX
            if table == "trafo"
            else np.zeros(len(frame), dtype=bool)
        )
        ends = (frame[column].to_numpy(dtype=np.int64) for column in (column_a, column_b))
        parts.append((*ends, table, frame.index.to_numpy(dtype=np.int64), is_main))
    return parts


def _winding_edges(net: Net) -> list[_Part]:
    """Each winding of a three-winding transformer is an edge to its star point, written as -1, -2, ..."""
    if not len(net.trafo3w):
        return []
    opened = net.switch[~net.switch.closed.to_numpy(dtype=bool) & (net.switch.et == "t3").to_numpy()]
    shut = set(zip(opened.element.tolist(), opened.bus.tolist(), strict=True))
    parts: list[_Part] = []
    for side in ("hv", "mv", "lv"):
        buses = net.trafo3w[f"{side}_bus"].to_numpy(dtype=np.int64)
        index = net.trafo3w.index.to_numpy(dtype=np.int64)
        live = net.trafo3w.in_service.to_numpy(dtype=bool) & np.array(
            [(element, bus) not in shut for element, bus in zip(index.tolist(), buses.tolist(), strict=True)]
        )
        is_main = net.bus.vn_kv.reindex(net.trafo3w.mv_bus).to_numpy(dtype=float) > LOW_VOLTAGE_KV_MAX
        is_main = is_main & (side != "hv")
        star = -1 - np.arange(len(index))
        parts.append((buses[live], star[live], "trafo3w", index[live], is_main[live]))
    return parts


def _switch_edges(net: Net) -> _Part:
    rows = net.switch[net.switch.closed.to_numpy(dtype=bool) & (net.switch.et == "b").to_numpy()]
    return (
        rows.bus.to_numpy(dtype=np.int64),
        rows.element.to_numpy(dtype=np.int64),
        "switch",
        rows.index.to_numpy(dtype=np.int64),
        np.zeros(len(rows), dtype=bool),
    )


def _source_buses(net: Net) -> Ints:
    grids = net.ext_grid.bus[net.ext_grid.in_service.to_numpy(dtype=bool)]
    parts = [grids.to_numpy(dtype=np.int64)]
    if len(net.gen):
        slack = net.gen.in_service.to_numpy(dtype=bool) & net.gen.slack.to_numpy(dtype=bool)
        parts.append(net.gen.bus[slack].to_numpy(dtype=np.int64))
    buses = np.unique(np.concatenate(parts))
    alive = net.bus.index[net.bus.in_service.to_numpy(dtype=bool)]
    return buses[np.isin(buses, alive)]
