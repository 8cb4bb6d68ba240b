"""What the files show of the grid itself: names of elements, places of connection points."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import pandas as pd

from gridmodel.geometry import cut_line
from gridmodel.snapshot import Snapshot
from scheme.assessment.records import ElementKind, Placement
from scheme.grid_map.routes import Route, is_place, line_routes

Place = tuple[float, float]
"""Longitude and latitude (degrees, CGCS2000)."""


class GridPlaces:
    """Looks names and places up in one snapshot.

    Args:
        snapshot: The grid that was assessed; upgrades of a scenario change neither names nor places.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def name(self, kind: ElementKind, element_id: str) -> str:
        """Return what people call a transformer, feeder or main transformer, its identifier where it has no name."""
        if kind == "feeder":
            return self._feeder_names.get(element_id, element_id)
        return self._names.get(element_id, element_id)

    def element_name(self, element_id: str) -> str:
        """Return what people call an element of any table, its identifier where it has no name."""
        return self._names.get(element_id) or self._feeder_names.get(element_id, element_id)

    def feeder_of(self, kind: ElementKind, element_id: str) -> str | None:
        """Return the feeder an element is or hangs on; ``None``: none, or a main transformer, which has many."""
        if kind == "feeder":
            return element_id
        transformers = self.snapshot.transformers
        found = transformers.feeder_id[transformers.element_id == element_id]
        return found.iloc[0] if kind == "transformer" and len(found) and isinstance(found.iloc[0], str) else None

    def point(self, placement: Placement) -> Place | None:
        """Return where a connection meets the grid, ``None`` where nobody knows."""
        if placement.bus is not None:
            nodes = self.snapshot.nodes
            if placement.bus not in nodes.index:
                return None
            lon, lat = float(nodes.lon_deg[placement.bus]), float(nodes.lat_deg[placement.bus])
            return (lon, lat) if is_place(lon, lat) else None
        route = None if placement.line is None else self.routes.get(placement.line)
        if route is None or placement.fraction_along is None:
            return None
        lon, lat = cut_line(route, placement.fraction_along)[0][-1].tolist()
        return lon, lat

    @cached_property
    def routes(self) -> Mapping[int, Route]:
        """Routes by line, where they are known."""
        found = zip(self.snapshot.lines.index, line_routes(self.snapshot), strict=True)
        return {int(line): route for line, route in found if route is not None}

    @cached_property
    def _feeder_names(self) -> Mapping[str, str]:
        return _known(pd.Series(self.snapshot.feeders.index, dtype=object), self.snapshot.feeders["name"])

    @cached_property
    def _names(self) -> Mapping[str, str]:
        frames = (self.snapshot.nodes, self.snapshot.lines, self.snapshot.transformers)
        return {key: name for frame in frames for key, name in _known(frame["element_id"], frame["name"]).items()}


def _known(keys: pd.Series, names: pd.Series) -> dict[str, str]:
    pairs = zip(keys.to_numpy(dtype=object), names.to_numpy(dtype=object), strict=True)
    return {str(key): name for key, name in pairs if isinstance(name, str) and name}
