"""The imported grid of a map: everything that no hold changes, worked out when first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from gridmodel.snapshot import Snapshot
from gridmodel.topology import SupplyTopology
from scheme.grid_map.layout import GridLayout, lay_out

if TYPE_CHECKING:
    from scheme.grid_map.search import SearchIndex


@dataclass(frozen=True, eq=False, kw_only=True)
class MapGrid:
    """A snapshot whose net is nobody else's, so that nobody solves it meanwhile."""

    snapshot: Snapshot
    layout: GridLayout

    @classmethod
    def of(cls, snapshot: Snapshot) -> MapGrid:
        """Return the grid of a snapshot."""
        return cls(snapshot=snapshot, layout=lay_out(snapshot))

    @cached_property
    def position_of_node(self) -> Mapping[str, int]:
        """Position in the layout by ``node_id``."""
        return {str(node_id): at for at, node_id in enumerate(self.layout.nodes.node_id)}

    @cached_property
    def position_of_bus(self) -> Mapping[int, int]:
        """Position in the layout by bus."""
        return {bus: at for at, bus in enumerate(self.layout.nodes.bus.tolist())}

    @cached_property
    def position_of_line(self) -> Mapping[int, int]:
        """Position in the layout by line."""
        return {line: at for at, line in enumerate(self.layout.lines.line.tolist())}

    @cached_property
    def search(self) -> SearchIndex:
        """Finds things by name."""
        from scheme.grid_map.search import SearchIndex

        return SearchIndex(self)

    @cached_property
    def topology(self) -> SupplyTopology:
        """Supply paths (供电路径)."""
        return SupplyTopology(self.snapshot.net)

    def name_of_feeder(self, feeder_id: str | None) -> str | None:
        """Return the name of a feeder; ``None`` where there is none."""
        feeders = self.snapshot.feeders
        if feeder_id is None or feeder_id not in feeders.index or "name" not in feeders:
            return None
        name = feeders.at[feeder_id, "name"]
        return name if isinstance(name, str) else None

    def place_of_bus(self, bus: int) -> tuple[float, float] | None:
        """Return longitude and latitude (degrees) of a bus, ``None`` where they are not known."""
        at = self.position_of_bus.get(bus)
        if at is None:
            return None
        lon, lat = self.snapshot.nodes[["lon_deg", "lat_deg"]].iloc[at].astype(float).tolist()
        return None if pd.isna(lon) or pd.isna(lat) else (lon, lat)

    def index_of_element(self, table: str) -> Mapping[str, Any]:
        """Return the index of each line, transformer (``trafo``) or node (``bus``) by imported identifier."""
        return self._indexes[table]

    @cached_property
    def _indexes(self) -> Mapping[str, Mapping[str, Any]]:
        frames = {"line": self.snapshot.lines, "trafo": self.snapshot.transformers, "bus": self.snapshot.nodes}
        return {
            table: dict(zip(map(str, frame["element_id"]), frame.index.tolist(), strict=True)) if len(frame) else {}
            for table, frame in frames.items()
        }
