"""Which buses closed connections join, and what a section's outage leaves without supply."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.constraints import Flags
from gridmodel.capacity.sections import Section, Tie, connected_labels
from gridmodel.net import Net
from gridmodel.topology import LOW_VOLTAGE_KV_MAX

NO_LINE = -1
_BRANCHES = (
    ("line", ("from_bus", "to_bus"), "l"),
    ("trafo", ("hv_bus", "lv_bus"), "t"),
    ("trafo3w", ("hv_bus", "mv_bus", "lv_bus"), "t3"),
    ("impedance", ("from_bus", "to_bus"), None),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Buses without supply after a section is isolated."""

    own: tuple[int, ...]
    """Buses of the section and the low voltage that hangs on it: without supply until the repair."""
    parts: tuple[tuple[int, ...], ...]
    """Connected parts behind the section, most buses first."""


class SwitchedGraph:
    """Which buses are joined by closed connections, and which lose supply when a section is isolated."""

    def __init__(self, net: Net) -> None:
        """Read states of ``net``; the net is not kept."""
        live = net.bus.in_service.to_numpy(dtype=bool)
        self.buses: Integers = net.bus.index.to_numpy(dtype=np.int64)[live]
        self._is_low = net.bus.vn_kv.to_numpy(dtype=float)[live] <= LOW_VOLTAGE_KV_MAX
        self._position = np.full(int(net.bus.index.max()) + 1, -1, dtype=np.int64)
        self._position[self.buses] = np.arange(len(self.buses))
        ends, lines = _closed_connections(net)
        ends = self._position[ends]
        is_known = (ends >= 0).all(axis=1)
        self._ends, self._lines = ends[is_known], lines[is_known]
        self._sources = self._position[_source_buses(net)]
        self._sources = self._sources[self._sources >= 0]
        self._label = connected_labels(len(self.buses), self._ends)
        by_island = np.argsort(self._label, kind="stable")
        self._island_members = np.split(by_island, np.flatnonzero(np.diff(self._label[by_island])) + 1)
        edge_label = self._label[self._ends[:, 0]]
        by_edge = np.argsort(edge_label, kind="stable")
        first = np.searchsorted(edge_label[by_edge], np.arange(len(self._island_members) + 1))
        self._island_edges = [by_edge[first[i] : first[i + 1]] for i in range(len(self._island_members))]

    def label(self, bus: int) -> int:
        """Return the number of the island of ``bus`` in the normal state."""
        return int(self._label[self._position[bus]])

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
        """Return the buses that hang together with ``ties`` when the section is isolated and they are closed.

        What hangs together only through an ideal source does not: a load moves nothing there.
        """
        extra = np.array([[tie.bus_a, tie.bus_b] for tie in ties], dtype=np.int64).reshape(-1, 2)
        extra = self._position[extra]
        ends = np.vstack([self._ends[self._is_kept(self._ends, self._lines, section)], extra])
        ends = ends[~np.isin(ends, self._sources).any(axis=1)]
        labels = connected_labels(len(self.buses), ends)
        members = np.isin(labels, labels[np.setdiff1d(extra, self._sources)])
        return {int(bus) for bus in self.buses[members]}

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
        labels = connected_labels(len(members), place[self._ends[edges][keep]])
        sources = place[self._sources]
        sources = sources[sources >= 0]
        was_supplied = np.full(len(members), bool(len(sources)))
        return members, labels, was_supplied, np.isin(labels, labels[sources])

    def _is_kept(self, ends: Integers, lines: Integers, section: Section) -> Flags:
        return np.asarray(~np.isin(lines, section.lines) & ~self._is_in(section)[ends].any(axis=1))

    def _is_in(self, section: Section) -> Flags:
        is_in = np.zeros(len(self.buses), dtype=bool)
        is_in[self._position[list(section.buses)]] = True
        return is_in


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
