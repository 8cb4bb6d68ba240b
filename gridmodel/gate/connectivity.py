"""Checks that need the whole net: supply, islands, closed rings, several sources, and what a gap takes with it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from gridmodel.errors import InputError
from gridmodel.gate.bands import threshold
from gridmodel.gate.graph import Graph, Ints, build_graph
from gridmodel.gate.report import ElementNames, Gap, Report, TopologyCheck, name_of
from gridmodel.net import Net

_BRANCH_TABLES = frozenset({"line", "trafo", "impedance", "tcsc"})
_NAMES_SHOWN = 6


def check_topology(
    net: Net, *, file: str, element_names: ElementNames | None = None, gaps: Sequence[Gap] = ()
) -> TopologyCheck:
    """Check the connections of a built net and say which buses cannot be assessed.

    Args:
        net: Network whose references are all good; see :func:`gridmodel.gate.check_net`. It is not changed.
        file: File name for the findings.
        element_names: Imported identifiers of the elements; without one an element is named ``table:index``.
        gaps: What was left out of the net or lacks a rating; see :class:`Gap` for what follows from each.

    An island that no source feeds is reported; it makes a bus ``not_assessable`` only where left-out data may be the
    cause. Otherwise the bus stays assessable and the load flow says that it is unsupplied.

    Raises:
        InputError: No source in service at all.
    """
    report = Report(file=file, names=element_names)
    graph = build_graph(net)
    if not len(graph.sources):
        raise InputError(
            "no source: neither an external grid nor a slack generator is in service at a bus in service",
            file=file,
            field="ext_grid",
            allowed="at least one external grid in service",
        )
    reasons = _reasons_of_gaps(net, graph, gaps)
    _check_islands(graph, report, reasons, [gap.reason for gap in gaps if _has_unknown_end(gap)])
    _check_rings(graph, report)
    reasons |= _check_source_angles(net, graph, report)
    return TopologyCheck(findings=tuple(report.findings), not_assessable=dict(sorted(reasons.items())))


def _reasons_of_gaps(net: Net, graph: Graph, gaps: Sequence[Gap]) -> dict[int, str]:
    """Buses each gap takes with it. The graph with the left-out branches back in tells what they used to feed."""
    if not gaps:
        return {}
    known = set(graph.buses.tolist())
    absent = [gap for gap in gaps if gap.scope == "feeder" and gap.table in _BRANCH_TABLES and len(set(gap.buses)) == 2]
    absent = [gap for gap in absent if set(gap.buses) <= known]
    whole = build_graph(net, extra=tuple((g.table, g.row, g.buses[0], g.buses[1]) for g in absent))
    hops = whole.hops()
    busbar = whole.busbar_vertices()
    reasons: dict[int, str] = {}
    zones = _Zones(whole)
    unrated = _Unrated(whole, gaps)
    vertex_of = {bus: vertex for vertex, bus in enumerate(whole.buses.tolist())}
    for gap in gaps:
        ends = [vertex_of[bus] for bus in gap.buses if bus in vertex_of]
        if len(ends) > 1 and gap.table in {*_BRANCH_TABLES, "trafo3w"}:
            nearest = min(hops[ends])
            ends = [vertex for vertex in ends if hops[vertex] > nearest or hops[vertex] < 0] or ends
        if gap.table == "switch":  # which side it stood on is not known; the busbar itself is
            ends = [vertex for vertex in ends if not busbar[vertex]] or ends
        if gap.scope == "node":
            vertices = np.array(ends, dtype=np.int64)
        elif gap.scope == "behind":
            vertices = unrated.behind(ends)
            if not len(vertices):  # on a ring: everything the ring feeds may lean on this element
                vertices = zones.affected(ends)
        else:
            if _has_unknown_end(gap):  # what it fed is an island now; nothing else of its feeder stands at a busbar
                ends = [vertex for vertex in ends if not busbar[vertex]]
            vertices = zones.affected(ends)
        for vertex in vertices.tolist():
            if vertex < len(graph.buses):
                reasons.setdefault(int(graph.buses[vertex]), gap.reason)
    return reasons


def _has_unknown_end(gap: Gap) -> bool:
    count = {**dict.fromkeys(_BRANCH_TABLES, 2), "trafo3w": 3}.get(gap.table, 0)
    return gap.scope == "feeder" and len(set(gap.buses)) < count


class _Unrated:
    """What is behind elements without a rating: all are taken out at once, so that many cost no more than one."""

    def __init__(self, graph: Graph, gaps: Sequence[Gap]) -> None:
        out = {(gap.table, gap.row) for gap in gaps if gap.scope == "behind"}
        pairs = zip(graph.table.tolist(), graph.element.tolist(), strict=True)
        keep = np.array([pair not in out for pair in pairs], dtype=bool)
        self._is_lost = graph.supplied() & ~graph.supplied(keep)
        self._number = graph.components(keep)
        self._order = np.argsort(self._number, kind="stable")
        self._starts = np.searchsorted(self._number[self._order], np.arange(graph.vertex_count + 1))

    def behind(self, ends: Sequence[int]) -> Ints:
        """Return the vertices in one piece with one of ``ends`` that lose their supply; none on a ring."""
        parts = [self._piece(int(self._number[end])) for end in ends if self._is_lost[end]]
        return np.unique(np.concatenate(parts)) if parts else np.array([], dtype=np.int64)

    def _piece(self, number: int) -> Ints:
        return self._order[self._starts[number] : self._starts[number + 1]].astype(np.int64)


class _Zones:
    """Feeders (馈线) with everything below them: what is left in one piece when all busbars are taken out."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._busbars = graph.busbar_vertices()
        inner = ~(self._busbars[graph.a] | self._busbars[graph.b])
        at_busbar = graph.table == "switch"
        same_bar = self._busbars[graph.a] & self._busbars[graph.b] & at_busbar
        self._number = graph.components(inner | same_bar)
        self._supplied = graph.supplied()
        self._known: dict[int, Ints] = {}

    def affected(self, vertices: Sequence[int]) -> Ints:
        """Return every vertex of the zones of ``vertices``, and all that is fed through those zones only."""
        parts = [self._of(int(self._number[vertex])) for vertex in vertices]
        return np.unique(np.concatenate(parts)) if parts else np.array([], dtype=np.int64)

    def _of(self, zone: int) -> Ints:
        if zone not in self._known:
            graph = self._graph
            inside = self._number == zone
            keep = ~(inside[graph.a] | inside[graph.b])
            sources = graph.sources[~inside[graph.sources]]
            number = graph.components(keep)
            still = np.isin(number, number[sources]) & ~inside
            self._known[zone] = np.flatnonzero(inside | (self._supplied & ~still))
        return self._known[zone]


def _check_islands(graph: Graph, report: Report, reasons: dict[int, str], loose_ends: Sequence[str]) -> None:
    """Report every group of connected buses without a source.

    An island that a gap touches is not assessable for the reason of that gap; where a branch with an unknown end was
    left out (``loose_ends``), any island may have hung on it.
    """
    dark = ~graph.supplied() & graph.is_alive
    dark[len(graph.buses) :] = False
    number = graph.components()
    for island in np.unique(number[dark]):
        buses = graph.buses[np.flatnonzero(dark[: len(graph.buses)] & (number[: len(graph.buses)] == island))]
        caused = [reasons[bus] for bus in buses.tolist() if bus in reasons] or list(loose_ends)
        if caused:
            reasons.update((bus, caused[0]) for bus in buses.tolist() if bus not in reasons)
        report.add(
            "island_without_source",
            "bus",
            int(buses[0]),
            severity="warning",
            value=f"{len(buses)} buses: {_listed(report, 'bus', buses.tolist())}",
            expected="每个节点经闭合设备与电源相连",
            consequence="不可评估(数据缺失)" if caused else "孤岛内节点无电源,结果为 unsupplied,不给出容量",
        )


def _check_rings(graph: Graph, report: Report) -> None:
    """Report closed rings at medium and low voltage; all busbars count as one vertex, so a closed tie is a ring."""
    busbar = graph.busbar_vertices()
    voltage = graph.u_nominal_kv
    low_enough = voltage <= threshold("ring_check_kv_max")
    use = low_enough[graph.a] & low_enough[graph.b] & ~graph.is_main & (graph.table != "trafo3w")
    centre = graph.vertex_count
    a = np.where(busbar[graph.a], centre, graph.a)
    b = np.where(busbar[graph.b], centre, graph.b)
    use &= a != b
    # twins between the same two buses are reported as parallel lines, and are no ring
    pairs = {(min(x, y), max(x, y)): i for i, x, y in zip(np.flatnonzero(use), a[use], b[use], strict=True)}
    core = _two_core(list(pairs))
    core_edges = [(pair, pairs[pair]) for pair in core]
    for ring in _pieces([pair for pair in core if centre not in pair]):
        edges = sorted(edge for pair, edge in core_edges if pair[0] in ring or pair[1] in ring)
        lines = sorted(int(graph.element[edge]) for edge in edges if graph.table[edge] == "line")
        if not lines:
            continue
        report.add(
            "closed_ring",
            "line",
            lines[0],
            severity="warning",
            value=f"{len(lines)} lines: {_listed(report, 'line', lines)}",
            expected="正常运行方式开环(常开点断开)",
            consequence="按闭环计算,容量可能偏大;请核对常开点(联络开关)状态",
        )


def _two_core(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the edges left after dead ends have been cut off again and again."""
    degree: Counter[int] = Counter()
    at: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for pair in pairs:
        for end in pair:
            degree[end] += 1
            at[end].add(pair)
    ends = [vertex for vertex, count in degree.items() if count == 1]
    left = set(pairs)
    while ends:
        vertex = ends.pop()
        for pair in at[vertex] & left:
            left.discard(pair)
            other = pair[0] if pair[1] == vertex else pair[1]
            degree[other] -= 1
            if degree[other] == 1:
                ends.append(other)
    return sorted(left)


def _pieces(pairs: Sequence[tuple[int, int]]) -> list[set[int]]:
    """Return the connected pieces of a list of edges, each as a set of vertices."""
    at: dict[int, set[int]] = defaultdict(set)
    for x, y in pairs:
        at[x].add(y)
        at[y].add(x)
    pieces: list[set[int]] = []
    seen: set[int] = set()
    for start in sorted(at):
        if start in seen:
            continue
        piece, stack = {start}, [start]
        while stack:
            for other in at[stack.pop()] - piece:
                piece.add(other)
                stack.append(other)
        seen |= piece
        pieces.append(piece)
    return pieces


def _check_source_angles(net: Net, graph: Graph, report: Report) -> dict[int, str]:
    """Sources of one island and one voltage level must have the same angle, or they drive power through each other."""
    reasons: dict[int, str] = {}
    number = graph.components()
    groups: dict[tuple[int, float], list[tuple[int, float, int]]] = defaultdict(list)
    grids = net.ext_grid[net.ext_grid.in_service.to_numpy(dtype=bool)]
    for index, bus, angle in zip(grids.index.tolist(), grids.bus.tolist(), grids.va_degree.tolist(), strict=True):
        vertex = graph.vertex_of(int(bus))
        if vertex is not None:
            groups[int(number[vertex]), float(graph.u_nominal_kv[vertex])].append((int(index), float(angle), vertex))
    for (island, _), sources in groups.items():
        angles = [angle for _, angle, _ in sources]
        if max(angles) - min(angles) <= threshold("source_angle_difference_degree_max"):
            continue
        first = sources[angles.index(min(angles))][0]
        other = sources[angles.index(max(angles))][0]
        both = "、".join(name_of(report.names, "ext_grid", index) for index in (first, other))
        reason = f"同一孤岛内两个电源相角不同({both})"
        report.add(
            "source_angles_differ",
            "ext_grid",
            other,
            severity="error",
            column="va_degree",
            value=f"{min(angles):g} / {max(angles):g}",
            expected="同一孤岛、同一电压等级的电源相角相同",
            consequence="电源之间产生环流,整个孤岛不可评估",
        )
        members = np.flatnonzero((number == island)[: len(graph.buses)])
        reasons.update((int(bus), reason) for bus in graph.buses[members])
    return reasons


def _listed(report: Report, table: str, indices: Sequence[int]) -> str:
    shown = ", ".join(name_of(report.names, table, index) for index in indices[:_NAMES_SHOWN])
    return shown + (", …" if len(indices) > _NAMES_SHOWN else "")
