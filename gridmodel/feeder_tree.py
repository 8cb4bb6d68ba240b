"""One feeder (馈线) from its busbar down: how far each node is along the lines, and through which line it is fed."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from gridmodel.net import Net

_Edge = tuple[int, int, float, int | None]
"""Its two ends, its length (km), and its line; ``None`` for a closed switch between buses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeederNode:
    """A node of a feeder."""

    bus: int
    parent_bus: int | None
    """Next node on the shortest way to the busbar; ``None`` at the busbar itself."""
    distance_km: float
    """Along the lines, from the busbar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeederLine:
    """A line of a feeder, from the end nearer to the busbar."""

    line: int
    from_bus: int
    to_bus: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeederTree:
    """Nodes and lines of a feeder that its busbar reaches, the nearest first."""

    nodes: tuple[FeederNode, ...]
    lines: tuple[FeederLine, ...]


def walk_feeder(net: Net, buses: Collection[int], lines: Collection[int]) -> FeederTree:
    """Return a feeder from its busbar down; in a closed ring a node belongs to the shorter way.

    The busbar is where lines or closed switches of the feeder end at nodes that are not its own.

    Args:
        net: Switches and states as they stand; only read.
        buses: Nodes of the feeder at its own voltage.
        lines: Its lines at that voltage.
    """
    own = set(buses)
    edges = [edge for edge in _edges(net, own, lines) if edge[0] in own or edge[1] in own]
    neighbours: dict[int, list[_Edge]] = {}
    for edge in edges:
        for end in edge[:2]:
            neighbours.setdefault(end, []).append(edge)
    nodes = _nearest_first(neighbours, sorted(set(neighbours) - own))
    distance_km = {node.bus: node.distance_km for node in nodes}
    return FeederTree(nodes=tuple(nodes), lines=tuple(_lines(edges, distance_km)))


def _edges(net: Net, own: set[int], lines: Collection[int]) -> Iterator[_Edge]:
    switch, line = net.switch, net.line
    is_open = ~switch.closed.to_numpy(dtype=bool)
    opened = set(switch.element[is_open & (switch.et == "l").to_numpy()].tolist())
    frame = line.loc[[one for one in lines if one not in opened]]
    frame = frame[frame.in_service.astype(bool)]
    columns = (frame[name].tolist() for name in ("from_bus", "to_bus", "length_km"))
    for index, a, b, length_km in zip(frame.index.tolist(), *columns, strict=True):
        yield int(a), int(b), float(length_km), int(index)
    closed = switch[~is_open & (switch.et == "b").to_numpy()]
    for a, b in zip(closed.bus.tolist(), closed.element.tolist(), strict=True):
        if a in own or b in own:
            yield int(a), int(b), 0.0, None


def _nearest_first(neighbours: dict[int, list[_Edge]], roots: list[int]) -> list[FeederNode]:
    found: dict[int, FeederNode] = {}
    queue: list[tuple[float, int, int]] = [(0.0, root, -1) for root in roots]
    while queue:
        distance_km, bus, parent = heapq.heappop(queue)
        if bus in found:
            continue
        found[bus] = FeederNode(bus=bus, parent_bus=None if parent < 0 else parent, distance_km=distance_km)
        for a, b, length_km, _ in neighbours.get(bus, ()):
            other = b if a == bus else a
            if other not in found:
                heapq.heappush(queue, (distance_km + length_km, other, bus))
    return list(found.values())


def _lines(edges: list[_Edge], distance_km: dict[int, float]) -> Iterator[FeederLine]:
    found = []
    for a, b, _, line in edges:
        if line is not None and a in distance_km and b in distance_km:
            upper, lower = (a, b) if (distance_km[a], a) <= (distance_km[b], b) else (b, a)
            found.append((distance_km[upper], line, FeederLine(line=line, from_bus=upper, to_bus=lower)))
    for *_, one in sorted(found, key=lambda item: item[:2]):
        yield one
