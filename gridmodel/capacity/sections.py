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
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridmodel.capacity.arrays import Integers
from gridmodel.net import Net
from gridmodel.topology import LOW_VOLTAGE_KV_MAX, SupplyTopology


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
    for table, element, switches, bus_a, bus_b in open_points(net):
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


def open_points(net: Net) -> Iterator[tuple[str, int, tuple[int, ...], int, int]]:
    """Yield open lines in service (table, element, open switches, both buses), then open bus-bus switches."""
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
    labels = connected_labels(len(own) + len(lines), np.array(joins, dtype=np.int64).reshape(-1, 2))
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


def connected_labels(count: int, pairs: Integers) -> Integers:
    """Return the number of the connected part of each of ``count`` places; ``pairs`` are joined, shape (n, 2)."""
    ones = np.ones(len(pairs))
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
