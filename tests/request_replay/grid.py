"""A network as plain pandapower has it: its electrical islands cut out, solved once without the customer."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import networkx as nx
import pandapower as pp
import pandas as pd
from pandapower.toolbox import select_subnet
from pandapower.topology import create_nxgraph

from gridmodel.snapshot import Snapshot

OPTIONS = {"trafo_loading": "power", "numba": True, "calculate_voltage_angles": True}
TABLES = ("line", "trafo")
_PARTS_MAX = 60


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """Some islands with the approved loads of other customers (在途), and what they are like today."""

    net: Any
    """Not solved; to be copied before it is changed."""
    u_pu: pd.Series
    loading_percent: dict[str, pd.Series]


class PlainGrid:
    """Cuts parts out of one network; :class:`Snapshot` gives the data and the identifiers, nothing else."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.net = with_in_flight(snapshot)
        graph = create_nxgraph(self.net, respect_switches=True, multi=False, include_out_of_service=False)
        islands = list(nx.connected_components(graph))
        self._island = {bus: number for number, buses in enumerate(islands) for bus in buses}
        self._buses = islands
        frames = {"bus": snapshot.nodes, "line": snapshot.lines, "trafo": snapshot.transformers}
        self._rows = {
            table: {str(name): int(row) for row, name in frame.element_id.items()} if len(frame) else {}
            for table, frame in frames.items()
        }
        self._parts: dict[frozenset[int], Part] = {}

    def find(self, table: str, element_id: str) -> int | None:
        """Return the row of an imported identifier, ``None`` where the table has none."""
        return self._rows[table].get(element_id)

    def row(self, table: str, element_id: str) -> int:
        """Return the row of an imported identifier."""
        return self._rows[table][element_id]

    def buses_of(self, element_id: str) -> set[int]:
        """Return the buses an imported element stands at or joins; none where the record builds it."""
        found: set[int] = set()
        ends = {"bus": (), "line": ("from_bus", "to_bus"), "trafo": ("hv_bus", "lv_bus"), "switch": ("bus", "element")}
        for table, columns in ends.items():
            row = int(element_id[7:]) if element_id.startswith("switch:") else None
            row = row if table == "switch" else self.find(table, element_id)
            if row is not None:
                found |= {int(self.net[table][column][row]) for column in columns} or {row}
        return found

    def cut(self, buses: Iterable[int]) -> Part:
        """Return the islands of ``buses``, and those of branches that are open at one end with the buses beyond."""
        labels = frozenset(self._island[bus] for bus in buses if bus in self._island)
        if labels not in self._parts:
            if len(self._parts) >= _PARTS_MAX:
                self._parts.pop(next(iter(self._parts)))
            self._parts[labels] = self._cut(labels)
        return self._parts[labels]

    def _cut(self, labels: frozenset[int]) -> Part:
        own = set().union(*(self._buses[label] for label in labels))
        reached = set(own)
        for table, columns in (("line", ("from_bus", "to_bus")), ("trafo", ("hv_bus", "lv_bus"))):
            ends = self.net[table][list(columns)]
            touching = ends[ends.isin(own).any(axis=1)]
            reached |= set(touching.to_numpy().ravel().tolist())
        net = select_subnet(self.net, sorted(reached))
        solved = copy.deepcopy(net)
        pp.runpp(solved, **OPTIONS)
        loading = {table: solved[f"res_{table}"].loading_percent for table in TABLES}
        return Part(net=net, u_pu=solved.res_bus.vm_pu, loading_percent=loading)


def with_in_flight(snapshot: Snapshot) -> Any:
    """Return a copy of the net with the approved loads of other customers."""
    net = copy.deepcopy(snapshot.net)
    for _, row in snapshot.in_flight.iterrows():
        p_mw = row.capacity_kva * row.power_factor / 1e3
        pp.create_load(net, int(row.bus), p_mw, math.sqrt((row.capacity_kva / 1e3) ** 2 - p_mw**2))
    return net
