"""Which elements feed a bus: supply paths (供电路径) and feeders (馈线), on a graph without any load flow.

The supply path of a bus is every element on some simple path from it to a source, below and including the main
transformer (主变, low-voltage side above 1 kV). "On some simple path" is decided on the tree of two-connected blocks:
in a block that is entered at one bus and left at another one, every element lies on a simple path between the two. All
sources are one vertex, and so is whatever lies above a main transformer that feeds downwards: a path ends there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import networkx as nx
import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmodel.net import Net

LOW_VOLTAGE_KV_MAX = 1.0
"""Upper end of low voltage (kV), IEC 60038; a transformer feeding more than this is a main transformer."""

_Vertex = int | str | tuple[str, int]
"""A bus, the source, or the centre of a three-winding transformer."""
_SOURCE = "source"
_BRANCH_BUSES = {
    "line": ("from_bus", "to_bus", "l"),
    "trafo": ("hv_bus", "lv_bus", "t"),
    "impedance": ("from_bus", "to_bus", None),
    "tcsc": ("from_bus", "to_bus", None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyPath:
    """Elements between a bus and its main transformer (or source, where there is none); nearest to the bus first."""

    bus: int
    is_supplied: bool
    """False where no source reaches the bus; every list is empty then."""
    buses: tuple[int, ...] = ()
    """Starts with the bus itself; ends below the main transformer."""
    lines: tuple[int, ...] = ()
    trafos: tuple[int, ...] = ()
    trafo3ws: tuple[int, ...] = ()
    switches: tuple[int, ...] = ()
    """Closed bus-bus switches."""
    impedances: tuple[int, ...] = ()

    @property
    def element_count(self) -> int:
        """Number of lines, transformers, switches and impedances."""
        return sum(map(len, (self.lines, self.trafos, self.trafo3ws, self.switches, self.impedances)))


@dataclass(frozen=True, slots=True)
class _Edge:
    table: str
    element: int
    a: _Vertex
    b: _Vertex
    low_side: _Vertex | None = None
    """The end below a main transformer's winding; None for everything else."""


@dataclass(slots=True)
class _Blocks:
    """Two-connected blocks of a graph, hung up at the source vertex."""

    parent: dict[_Vertex, int] = field(default_factory=dict)
    """Block through which a vertex is reached from the source."""
    top: list[_Vertex] = field(default_factory=list)
    """Vertex of each block that is nearest to the source."""
    vertices: list[list[_Vertex]] = field(default_factory=list)
    edges: list[list[_Edge]] = field(default_factory=list)


class SupplyTopology:
    """Supply paths of one net; build it once where many buses are asked for."""

    def __init__(self, net: Net) -> None:
        """Read switches, states and sources of ``net``; the net is not kept."""
        self._buses = set(net.bus.index[net.bus.in_service.to_numpy(dtype=bool)].tolist())
        self.source_buses = _source_buses(net) & self._buses
        edges = [edge for edge in _edges(net) if _is_live(edge, self._buses)]
        merged = [_merged(edge, self.source_buses) for edge in edges]
        whole = _hang_up(merged)
        cut = [_cut_above_main(edge, whole) for edge in merged]
        self._edges = cut
        self._blocks = _hang_up(cut)
        self._original = {id(kept): edge for kept, edge in zip(cut, edges, strict=True)}
        self._orders: dict[int, list[_Vertex]] = {}
        self.supplied = frozenset(self.source_buses) | {v for v in whole.parent if isinstance(v, int)}

    def path(self, bus: int) -> SupplyPath:
        """Return the supply path of ``bus``; empty lists where the bus has no supply."""
        if bus not in self.supplied:
            return SupplyPath(bus=bus, is_supplied=False)
        buses: dict[int, None] = {bus: None}
        elements: dict[str, dict[int, None]] = {}
        vertex: _Vertex = bus
        while bus not in self.source_buses and vertex != _SOURCE:
            block = self._blocks.parent[vertex]
            for edge in self._edges_from(block, vertex):
                elements.setdefault(edge.table, {})[edge.element] = None
                original = self._original[id(edge)]
                ends = (edge.low_side,) if edge.low_side is not None else (original.a, original.b)
                buses.update((end, None) for end in ends if isinstance(end, int))
            vertex = self._blocks.top[block]
        return SupplyPath(
            bus=bus,
            is_supplied=True,
            buses=tuple(buses),
            **{
                field_name: tuple(elements.get(table, ()))
                for field_name, table in (
                    ("lines", "line"),
                    ("trafos", "trafo"),
                    ("trafo3ws", "trafo3w"),
                    ("switches", "switch"),
                    ("impedances", "impedance"),
                )
            },
        )

    def upper_end(self, line: int, ends: Sequence[int]) -> int | None:
        """Return the end through which a line is fed, ``None`` unless it is the only link between its ends.

        Args:
            line: Index of the line.
            ends: Its two buses.
        """
        paths = [self.path(end) for end in ends]
        feeds = [line in path.lines for path in paths]
        if feeds.count(True) != 1 or not all(path.is_supplied for path in paths):
            return None
        lower, upper = paths if feeds[0] else reversed(paths)
        return upper.bus if lower.element_count == upper.element_count + 1 else None

    def _edges_from(self, block: int, start: _Vertex) -> Iterable[_Edge]:
        """Edges of a block, those near ``start`` first."""
        edges = self._blocks.edges[block]
        if len(self._blocks.vertices[block]) == 2:
            return edges
        graph = nx.Graph((edge.a, edge.b) for edge in edges)
        steps = nx.single_source_shortest_path_length(graph, start)
        return sorted(edges, key=lambda edge: (min(steps[edge.a], steps[edge.b]), edge.table, edge.element))

    def feeders(self) -> pd.DataFrame:
        """Return the feeder of every bus; see :func:`feeders_of`."""
        neighbours: dict[_Vertex, list[tuple[_Edge, _Vertex]]] = {}
        for edge in sorted(self._edges, key=lambda e: (e.table, e.element)):
            neighbours.setdefault(edge.a, []).append((edge, edge.b))
            neighbours.setdefault(edge.b, []).append((edge, edge.a))
        found: dict[_Vertex, tuple[_Edge | None, _Edge | None]] = {}
        queue: deque[tuple[_Vertex, _Edge | None, _Edge | None]] = deque([(_SOURCE, None, None)])
        while queue:
            vertex, main, head = queue.popleft()
            if vertex in found:
                continue
            found[vertex] = (main, head)
            for edge, other in neighbours.get(vertex, ()):
                if other in found:
                    continue
                if edge.low_side is not None:
                    queue.append((other, edge, None))
                elif edge.table == "switch":  # a busbar and what hangs on it by a closed switch are one place
                    queue.appendleft((other, main, head))
                else:
                    queue.append((other, main, head or edge))
        rows = {bus: found.get(bus, (None, None)) for bus in sorted(self.supplied - self.source_buses)}
        rows |= dict.fromkeys(self.source_buses, (None, None))
        columns: dict[str, list[object]] = {
            "feeder": [None if head is None else f"{head.table}:{head.element}" for _, head in rows.values()],
            "head_table": [None if head is None else head.table for _, head in rows.values()],
            "head_element": [None if head is None else head.element for _, head in rows.values()],
            "main_table": [None if main is None else main.table for main, _ in rows.values()],
            "main_element": [None if main is None else main.element for main, _ in rows.values()],
        }
        return pd.DataFrame(columns, index=pd.Index(list(rows), name="bus"), dtype=object).sort_index()


def supply_path(net: Net, bus: int) -> SupplyPath:
    """Return the supply path of one bus of ``net`` (switch states and ``in_service`` as they stand)."""
    return SupplyTopology(net).path(bus)


def feeders_of(net: Net) -> pd.DataFrame:
    """Return the feeder of every supplied bus (index = bus, object columns, None where it does not apply).

    ``head_table``, ``head_element``: first line (or transformer, where one hangs on the busbar) below the busbar of
    the main transformer; closed bus-bus switches belong to the busbar. ``feeder`` is the two as text (``line:12``),
    None at the busbar itself. ``main_table``, ``main_element``: the main transformer. In a closed ring the nearest
    head counts.
    """
    return SupplyTopology(net).feeders()


def _source_buses(net: Net) -> set[int]:
    grids = net.ext_grid.bus[net.ext_grid.in_service.astype(bool)].tolist()
    slack = net.gen.in_service.astype(bool) & net.gen.slack.fillna(False).astype(bool) if len(net.gen) else None
    return {int(bus) for bus in grids} | ({int(b) for b in net.gen.bus[slack]} if slack is not None else set())


def _edges(net: Net) -> Iterator[_Edge]:
    """Every connection that current can pass, open-ended branches left out: they supply nothing."""
    is_open = ~net.switch.closed.to_numpy(dtype=bool)
    for table, (column_a, column_b, switch_kind) in _BRANCH_BUSES.items():
        frame = net.get(table)
        if frame is None or not len(frame):
            continue
        opened = set(net.switch.element[is_open & (net.switch.et == switch_kind).to_numpy()].tolist())
        is_main = (
            frame.vn_lv_kv.to_numpy() > LOW_VOLTAGE_KV_MAX if table == "trafo" else np.zeros(len(frame), dtype=bool)
        )
        live = frame.in_service.to_numpy(dtype=bool)
        rows = zip(frame.index.tolist(), frame[column_a].tolist(), frame[column_b].tolist(), live, is_main, strict=True)
        for element, a, b, is_live, main in rows:
            if is_live and element not in opened:
                yield _Edge(table, element, a, b, b if main else None)
    yield from _winding_edges(net, is_open)
    closed = net.switch[~is_open & (net.switch.et == "b").to_numpy()]
    for element, a, b in zip(closed.index.tolist(), closed.bus.tolist(), closed.element.tolist(), strict=True):
        yield _Edge("switch", element, a, b)


def _winding_edges(net: Net, is_open: npt.NDArray[np.bool_]) -> Iterator[_Edge]:
    """Three-winding transformers as stars; main for the lower windings when their medium voltage is above 1 kV."""
    rows = net.switch[is_open & (net.switch.et == "t3").to_numpy()]
    opened = set(zip(rows.element.tolist(), rows.bus.tolist(), strict=True))
    for element, row in net.trafo3w[net.trafo3w.in_service.astype(bool)].iterrows():
        centre = ("trafo3w", element)
        for side in ("hv", "mv", "lv"):
            bus = int(row[f"{side}_bus"])
            if (element, bus) not in opened:
                is_main = side != "hv" and row.vn_mv_kv > LOW_VOLTAGE_KV_MAX
                yield _Edge("trafo3w", element, bus, centre, bus if is_main else None)


def _is_live(edge: _Edge, buses: set[int]) -> bool:
    return all(isinstance(end, tuple) or end in buses for end in (edge.a, edge.b))


def _merged(edge: _Edge, sources: set[int]) -> _Edge:
    a, b = (_SOURCE if end in sources else end for end in (edge.a, edge.b))
    low_side = _SOURCE if edge.low_side in sources else edge.low_side
    return _Edge(edge.table, edge.element, a, b, low_side)


def _cut_above_main(edge: _Edge, whole: _Blocks) -> _Edge:
    """Let a main transformer that feeds downwards end the path; one that feeds upwards is an ordinary branch."""
    low = edge.low_side
    if low is None:
        return edge
    high = edge.b if edge.a == low else edge.a
    block = whole.parent.get(high)
    feeds_upwards = low == _SOURCE or (
        block is not None and len(whole.vertices[block]) == 2 and whole.top[block] == low
    )
    if feeds_upwards or (high not in whole.parent and high != _SOURCE):
        return _Edge(edge.table, edge.element, edge.a, edge.b)
    return _Edge(edge.table, edge.element, low, _SOURCE, low)


def _hang_up(edges: Iterable[_Edge]) -> _Blocks:
    """Return the tree of blocks, hung up at the source; what no source reaches is left out.

    Branches without a ring, most of a grid, are stripped off from their ends first; the rest is searched for rings.
    """
    edges = [edge for edge in edges if edge.a != edge.b]
    neighbours: dict[_Vertex, set[_Vertex]] = {}
    for edge in edges:
        neighbours.setdefault(edge.a, set()).add(edge.b)
        neighbours.setdefault(edge.b, set()).add(edge.a)
    blocks = _Blocks()
    if _SOURCE not in neighbours:
        return blocks
    stripped = _strip(neighbours)
    _hang_up_rings(neighbours, blocks)
    for vertex, above in reversed(stripped):
        if above == _SOURCE or above in blocks.parent:
            blocks.parent[vertex] = len(blocks.top)
            blocks.top.append(above)
            blocks.vertices.append([above, vertex])
    blocks.edges = [[] for _ in blocks.top]
    for edge in edges:
        block = _block_of(edge, blocks)
        if block is not None:
            blocks.edges[block].append(edge)
    return blocks


def _strip(neighbours: dict[_Vertex, set[_Vertex]]) -> list[tuple[_Vertex, _Vertex]]:
    """Take away vertices with one neighbour, but the source, until there are none; return them with that neighbour."""
    stripped: list[tuple[_Vertex, _Vertex]] = []
    ends = [vertex for vertex, near in neighbours.items() if len(near) == 1 and vertex != _SOURCE]
    while ends:
        vertex = ends.pop()
        if not neighbours[vertex]:
            continue  # the last one of a part that no source reaches
        (above,) = neighbours.pop(vertex)
        neighbours[above].remove(vertex)
        stripped.append((vertex, above))
        if len(neighbours[above]) == 1 and above != _SOURCE:
            ends.append(above)
    return stripped


def _hang_up_rings(neighbours: dict[_Vertex, set[_Vertex]], blocks: _Blocks) -> None:
    """Add the blocks of what is left: rings and what joins them with the source."""
    graph = nx.Graph((vertex, other) for vertex, near in neighbours.items() for other in near)
    if _SOURCE not in graph:
        return
    found = cast("Iterable[set[_Vertex]]", nx.biconnected_components(graph))
    components = [list(component) for component in found]
    blocks_of: dict[_Vertex, list[int]] = {}
    for number, component in enumerate(components):
        for vertex in component:
            blocks_of.setdefault(vertex, []).append(number)
    blocks.vertices = components
    blocks.top = [_SOURCE] * len(components)
    seen: set[int] = set()
    queue: deque[_Vertex] = deque([_SOURCE])
    while queue:
        entry = queue.popleft()
        for number in blocks_of[entry]:
            if number in seen:
                continue
            seen.add(number)
            blocks.top[number] = entry
            for vertex in components[number]:
                if vertex != entry:
                    blocks.parent[vertex] = number
                    queue.append(vertex)


def _block_of(edge: _Edge, blocks: _Blocks) -> int | None:
    """Block holding both ends of an edge; None where no source reaches it."""
    of_a, of_b = blocks.parent.get(edge.a), blocks.parent.get(edge.b)
    if of_a is not None and (of_a == of_b or blocks.top[of_a] == edge.b):
        return of_a
    return of_b


def connected_parts(net: Net, *, split_at_sources: bool = False) -> list[list[int]]:
    """Return the groups of in-service buses that are connected with each other, each sorted.

    Args:
        net: Network.
        split_at_sources: Leave the source buses out; what hangs on different ideal sources, or on one by different
            branches, cannot influence each other.
    """
    buses = set(net.bus.index[net.bus.in_service.to_numpy(dtype=bool)].tolist())
    if split_at_sources:
        buses -= _source_buses(net)
    graph: nx.Graph[_Vertex] = nx.Graph()
    graph.add_nodes_from(buses)
    graph.add_edges_from((edge.a, edge.b) for edge in _edges(net) if _is_live(edge, buses))
    parts = cast("Iterable[set[_Vertex]]", nx.connected_components(graph))
    return [group for part in parts if (group := sorted(bus for bus in part if isinstance(bus, int)))]
