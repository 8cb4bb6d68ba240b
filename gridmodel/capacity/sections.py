"""Ties (联络开关), switchable sections (分段) of feeders, and what a section's outage leaves without supply.

A *section* is what the switches around it cut out and nothing smaller: lines and buses above 1 kV of one feeder that
are joined without a switch between them, with at least one line. A closed line switch or bus-bus switch bounds it; so
does the busbar of the main transformer, because every outgoing feeder has a breaker (出线断路器), shown in the data or
not. Distribution transformers and low voltage belong to no section; they hang on its buses.

A *tie* is a normally open line or bus-bus switch above 1 kV with supply on both sides, by different feeders or from
the busbars of different main transformers. Open points inside one feeder are not ties.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridmodel.net import Net
from gridmodel.topology import LOW_VOLTAGE_KV_MAX, SupplyTopology

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
NO_LINE = -1
_BRANCHES = (
    ("line", ("from_bus", "to_bus"), "l"),
    ("trafo", ("hv_bus", "lv_bus"), "t"),
    ("trafo3w", ("hv_bus", "mv_bus", "lv_bus"), "t3"),
    ("impedance", ("from_bus", "to_bus"), None),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """One normally open connection between two feeders."""

    tie: str
    """``line:8`` or ``switch:3``."""
    table: str
    element: int
    switches: tuple[int, ...]
    """Open switches that are closed to use it (two where a line is open at both ends)."""
    bus_a: int
    bus_b: int
    feeder_a: str | None
    """As :func:`gridmodel.topology.feeders_of` names it; None at a busbar."""
    feeder_b: str | None
    main_a: str | None
    """Main transformer, ``trafo:0``; None where there is none."""
    main_b: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Smallest part of a feeder that switches can isolate."""

    section: str
    """``line:12``, after the lowest line index in it."""
    feeder: str
    lines: tuple[int, ...]
    buses: tuple[int, ...]
    switches: tuple[int, ...]
    """Closed switches that are opened to isolate it."""
    length_km: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Buses without supply after a section is isolated."""

    own: tuple[int, ...]
    """Buses of the section and the low voltage that hangs on it: without supply until the repair."""
    parts: tuple[tuple[int, ...], ...]
    """Connected parts behind the section, most buses first."""


def find_ties(net: Net) -> pd.DataFrame:
    """Return the ties of ``net``, index = ``tie``; the other columns are the fields of :class:`Tie`."""
    frame = pd.DataFrame([asdict(tie) for tie in ties_of(net, SupplyTopology(net).feeders())], columns=_names(Tie))
    return frame.set_index("tie")


def find_sections(net: Net) -> pd.DataFrame:
    """Return the switchable sections of ``net``, index = ``section``; the other columns are those of ``Section``."""
    rows = [asdict(section) for section in sections_of(net, SupplyTopology(net).feeders())]
    return pd.DataFrame(rows, columns=_names(Section)).set_index("section")


def _names(record: type) -> list[str]:
    return list(record.__dataclass_fields__)  # type: ignore[attr-defined]


def ties_of(net: Net, feeders: pd.DataFrame) -> list[Tie]:
    """Return the ties; ``feeders`` is what :func:`gridmodel.topology.feeders_of` returns for the net."""
    names: dict[str, list[str | None]] = {
        "feeder": feeders.feeder.tolist(),
        "main": [
            None if pd.isna(t) else f"{t}:{e}" for t, e in zip(feeders.main_table, feeders.main_element, strict=True)
        ],
    }
    places = dict(zip(feeders.index.tolist(), zip(names["feeder"], names["main"], strict=True), strict=True))
    ties = []
    for table, element, switches, bus_a, bus_b in _open_points(net):
        place_a, place_b = places.get(bus_a), places.get(bus_b)
        if place_a is None or place_b is None or place_a == place_b:
            continue
        if min(net.bus.vn_kv[bus_a], net.bus.vn_kv[bus_b]) > LOW_VOLTAGE_KV_MAX:
            ties.append(
                Tie(
                    tie=f"{table}:{element}",
                    table=table,
                    element=element,
                    switches=switches,
                    bus_a=bus_a,
                    bus_b=bus_b,
                    feeder_a=place_a[0],
                    feeder_b=place_b[0],
                    main_a=place_a[1],
                    main_b=place_b[1],
                )
            )
    return ties


def _open_points(net: Net) -> Iterator[tuple[str, int, tuple[int, ...], int, int]]:
    """Open lines in service (table, element, open switches, both buses), then open bus-bus switches."""
    opened = net.switch[~net.switch.closed.astype(bool)]
    for line, switches in sorted(opened[opened.et == "l"].groupby("element").groups.items()):
        if bool(net.line.in_service[line]):
            ends = int(net.line.from_bus[line]), int(net.line.to_bus[line])
            yield "line", int(line), tuple(sorted(int(s) for s in switches)), *ends
    couplers = opened[opened.et == "b"]
    for switch, bus_a, bus_b in zip(couplers.index, couplers.bus, couplers.element, strict=True):
        yield "switch", int(switch), (int(switch),), int(bus_a), int(bus_b)


def sections_of(net: Net, feeders: pd.DataFrame) -> list[Section]:
    """Return the sections in the order of their lowest line; ``feeders`` as for :func:`ties_of`."""
    own = feeders.feeder[feeders.feeder.notna() & (net.bus.vn_kv.loc[feeders.index] > LOW_VOLTAGE_KV_MAX)]
    line = net.line[net.line.in_service.astype(bool)]
    lines = line[line.from_bus.isin(own.index) | line.to_bus.isin(own.index)]
    switched = net.switch[net.switch.et == "l"]
    at_ends = set(zip(switched.element.tolist(), switched.bus.tolist(), strict=True))
    opened = switched[~switched.closed.astype(bool)]
    open_ends = set(zip(opened.element.tolist(), opened.bus.tolist(), strict=True))
    bus_position = {int(bus): position for position, bus in enumerate(own.index)}
    joins: list[tuple[int, int]] = []
    feeder_of: dict[int, str] = {}
    for position, (index, *ends) in enumerate(zip(lines.index, lines.from_bus, lines.to_bus, strict=True)):
        for bus in ends:
            if bus not in bus_position or (index, bus) in open_ends:
                continue
            feeder_of[int(index)] = str(own[bus])
            if (index, bus) not in at_ends:
                joins.append((len(own) + position, bus_position[bus]))
    labels = _components(len(own) + len(lines), np.array(joins, dtype=np.int64).reshape(-1, 2))
    members: dict[int, list[int]] = {}
    for position, bus in enumerate(own.index):
        members.setdefault(int(labels[position]), []).append(int(bus))
    held: dict[int, list[int]] = {}
    for position, index in enumerate(lines.index):
        if int(index) in feeder_of:
            held.setdefault(int(labels[len(own) + position]), []).append(int(index))
    bounds = _bounds(net, held, members)
    found = [
        Section(
            section=f"line:{min(of)}",
            feeder=feeder_of[min(of)],
            lines=tuple(sorted(of)),
            buses=tuple(sorted(members.get(label, []))),
            switches=tuple(sorted(bounds.get(label, ()))),
            length_km=float(net.line.length_km.loc[of].sum()),
        )
        for label, of in held.items()
    ]
    return sorted(found, key=lambda section: section.lines[0])


def _bounds(net: Net, lines: dict[int, list[int]], buses: dict[int, list[int]]) -> dict[int, set[int]]:
    """Closed switches at the lines and buses of each section."""
    at_line = {line: label for label, of in lines.items() for line in of}
    at_bus = {bus: label for label, of in buses.items() for bus in of}
    found: dict[int, set[int]] = {}
    closed = net.switch[net.switch.closed.astype(bool) & net.switch.et.isin(["l", "b"])]
    for index, kind, bus, element in zip(closed.index, closed.et, closed.bus, closed.element, strict=True):
        other = at_line.get(int(element)) if kind == "l" else at_bus.get(int(element))
        for label in (at_bus.get(int(bus)), other):
            if label is not None:
                found.setdefault(label, set()).add(int(index))
    return found


class SwitchedGraph:
    """Which buses are joined by closed connections, and which lose supply when a section is isolated."""

    def __init__(self, net: Net) -> None:
        """Read states of ``net``; the net is not kept."""
        live = net.bus.in_service.to_numpy(dtype=bool)
        self.buses: Integers = net.bus.index.to_numpy(dtype=np.int64)[live]
        self._is_low = net.bus.vn_kv.to_numpy(dtype=float)[live] <= LOW_VOLTAGE_KV_MAX
        self._position = pd.Index(self.buses)
        ends, lines = _closed_connections(net)
        ends = self._position.get_indexer(ends.ravel()).reshape(-1, 2)
        is_known = (ends >= 0).all(axis=1)
        self._ends, self._lines = ends[is_known], lines[is_known]
        self._sources = self._position.get_indexer(pd.Index(_source_buses(net)))
        self._sources = self._sources[self._sources >= 0]
        self._label = _components(len(self.buses), self._ends)
        by_island = np.argsort(self._label, kind="stable")
        self._island_members = np.split(by_island, np.flatnonzero(np.diff(self._label[by_island])) + 1)
        edge_label = self._label[self._ends[:, 0]]
        by_edge = np.argsort(edge_label, kind="stable")
        first = np.searchsorted(edge_label[by_edge], np.arange(len(self._island_members) + 1))
        self._island_edges = [by_edge[first[i] : first[i + 1]] for i in range(len(self._island_members))]

    def label(self, bus: int) -> int:
        """Return the number of the island of ``bus`` in the normal state."""
        return int(self._label[self._position.get_loc(bus)])

    def loss(self, section: Section) -> Loss:
        """Return what the isolation of ``section`` leaves without supply."""
        members, labels, is_dead, is_supplied = self._without(section)
        in_section = self._is_in(section)[members]
        lost = is_dead & ~in_section & ~is_supplied
        own = self.buses[members][in_section].tolist()
        parts: list[tuple[int, ...]] = []
        for label in np.unique(labels[lost]).tolist():
            of = members[lost & (labels == label)]
            buses = [int(bus) for bus in self.buses[of]]
            if self._is_low[of].all():
                own += buses
            else:
                parts.append(tuple(buses))
        parts.sort(key=lambda part: (-len(part), part[0]))
        return Loss(own=tuple(sorted(own)), parts=tuple(parts))

    def joined(self, section: Section, ties: list[Tie]) -> set[int]:
        """Return the buses that hang together with ``ties`` when the section is isolated and they are closed."""
        extra = np.array([[tie.bus_a, tie.bus_b] for tie in ties], dtype=np.int64).reshape(-1, 2)
        extra = self._position.get_indexer(extra.ravel()).reshape(-1, 2)
        keep = self._is_kept(self._ends, self._lines, section)
        labels = _components(len(self.buses), np.vstack([self._ends[keep], extra]))
        return {int(bus) for bus in self.buses[np.isin(labels, labels[extra[:, 0]])]}

    def _without(self, section: Section) -> tuple[Integers, Integers, Flags, Flags]:
        """Members of the section's island; their labels without it; had they supply before; have they after."""
        some_bus = section.buses[0] if section.buses else None
        if some_bus is None:
            touching = self._ends[np.isin(self._lines, section.lines)]
            island = int(self._label[touching[0, 0]]) if len(touching) else None
        else:
            island = self.label(some_bus)
        if island is None:  # open at one end: nothing hangs on it
            nothing = np.empty(0, dtype=np.int64)
            return nothing, nothing, nothing.astype(bool), nothing.astype(bool)
        members, edges = self._island_members[island], self._island_edges[island]
        place = np.full(len(self.buses), -1)
        place[members] = np.arange(len(members))
        keep = self._is_kept(self._ends[edges], self._lines[edges], section)
        labels = _components(len(members), place[self._ends[edges][keep]])
        sources = place[self._sources]
        sources = sources[sources >= 0]
        was_supplied = np.full(len(members), bool(len(sources)))
        return members, labels, was_supplied, np.isin(labels, labels[sources])

    def _is_kept(self, ends: Integers, lines: Integers, section: Section) -> Flags:
        return np.asarray(~np.isin(lines, section.lines) & ~self._is_in(section)[ends].any(axis=1))

    def _is_in(self, section: Section) -> Flags:
        is_in = np.zeros(len(self.buses), dtype=bool)
        is_in[self._position.get_indexer(pd.Index(section.buses, dtype="int64"))] = True
        return is_in


def _components(count: int, pairs: Integers) -> Integers:
    ones = np.ones(len(pairs))
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _source_buses(net: Net) -> Integers:
    grids = net.ext_grid.bus[net.ext_grid.in_service.astype(bool)]
    slack = net.gen.bus[net.gen.in_service.astype(bool) & net.gen.slack.fillna(False).astype(bool)]
    return np.concatenate([grids.to_numpy(dtype=np.int64), slack.to_numpy(dtype=np.int64)])


def _closed_connections(net: Net) -> tuple[Integers, Integers]:
    """Both buses of every closed connection, shape (n, 2), and its line (``NO_LINE`` for what is not a line)."""
    pairs, lines = [np.empty((0, 2), dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    opened = net.switch[~net.switch.closed.astype(bool)]
    for table, columns, kind in _BRANCHES:
        frame = net[table]
        at = opened[opened.et == kind]
        open_ends = pd.MultiIndex.from_arrays([at.element, at.bus])
        live = frame.in_service.to_numpy(dtype=bool)
        closed = [live & ~pd.MultiIndex.from_arrays([frame.index, frame[column]]).isin(open_ends) for column in columns]
        for other in range(1, len(columns)):
            both = (closed[0] | closed[other - 1]) & closed[other]
            near = np.where(closed[0], frame[columns[0]], frame[columns[other - 1]])
            pairs.append(np.column_stack([near[both], frame[columns[other]].to_numpy()[both]]).astype(np.int64))
            element = frame.index.to_numpy(dtype=np.int64) if table == "line" else np.full(len(frame), NO_LINE)
            lines.append(element[both])
    couplers = net.switch[(net.switch.et == "b") & net.switch.closed.astype(bool)]
    pairs.append(couplers[["bus", "element"]].to_numpy(dtype=np.int64))
    lines.append(np.full(len(couplers), NO_LINE))
    return np.vstack(pairs), np.concatenate(lines)
