"""What an N-1 study of some nodes has to look at: their island, those that ties join to it, and the ties of these.

An outage concerns a node in two ways: it takes the node's own supply away, or it puts load on the node's island over a
tie. Either way the section lies in that island or in one that a tie joins to it; which tie is closed then is decided
among all ties of that one. Everything farther away leaves the node as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridmodel.capacity.limits import Limits
from gridmodel.capacity.node_columns import n_minus_one_columns
from gridmodel.capacity.sections import open_points
from gridmodel.islands import Islands
from gridmodel.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Islands by number, each set within the next."""

    own: int
    with_outages: frozenset[int]
    """Where sections are isolated."""
    whole: frozenset[int]


class OutageRegions:
    """Regions of one grid, whatever is in flight in it.

    Args:
        snapshot: The grid.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._grid = snapshot
        self._islands = Islands(snapshot.net, split_at_sources=True)
        self._label = self._islands.labels
        self._supplied = frozenset(int(number) for number in self._islands.supplied)
        self._next: dict[int, set[int]] = defaultdict(set)
        for *_, bus_a, bus_b in open_points(snapshot.net):
            a, b = int(self._label[bus_a]), int(self._label[bus_b])
            self._next[a].add(b)
            self._next[b].add(a)

    def find(self, bus: int) -> Region | None:
        """Return the region of a bus; ``None`` where it has no supply."""
        own = int(self._label[bus])
        if own not in self._supplied:
            return None
        near = frozenset({own} | self._next[own])
        return Region(own=own, with_outages=near, whole=near.union(*(self._next[number] for number in near)))

    def commitments(self, snapshot: Snapshot, region: Region) -> pd.DataFrame:
        """Return what is in flight in a region of ``snapshot``, a state of the same grid."""
        rows = snapshot.in_flight
        return rows[np.isin(self._label.reindex(rows.bus.astype("int64")).to_numpy(), list(region.whole))]

    def n_minus_one(
        self,
        snapshot: Snapshot,
        region: Region,
        *,
        limits: Limits,
        power_factor: float,
        in_flight_coincidence_ratio: float,
    ) -> pd.DataFrame:
        """Return what :func:`.node_columns.n_minus_one_columns` says of the nodes of the region's own island."""
        own = self._nodes({region.own})
        part = replace(
            snapshot,
            net=self._islands.cut(*sorted(region.whole)),
            nodes=snapshot.nodes.loc[self._nodes(region.whole)],
            in_flight=self.commitments(snapshot, region),
            sha256="",
        )
        return n_minus_one_columns(
            part,
            limits=limits,
            power_factor=power_factor,
            in_flight_coincidence_ratio=in_flight_coincidence_ratio,
            buses=own.tolist(),
            outage_buses=self._nodes(region.with_outages).tolist(),
        )

    def _nodes(self, numbers: Iterable[int]) -> NDArray[np.int64]:
        """Return the nodes of some islands in the order of the grid."""
        index = self._grid.nodes.index
        return np.asarray(index[np.isin(self._label.reindex(index).to_numpy(), list(numbers))], dtype=np.int64)
