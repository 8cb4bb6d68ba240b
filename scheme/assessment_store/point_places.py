"""Where connections meet the grid."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from gridmodel.geometry import cut_line
from gridmodel.snapshot import Snapshot
from scheme.assessment.records import Placement
from scheme.grid_map.routes import Route, is_place, line_routes


class PointPlaces:
    """Looks places up in one snapshot.

    Args:
        snapshot: The grid that was assessed; upgrades of a scenario move nothing.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def point(self, placement: Placement) -> tuple[float, float] | None:
        """Return longitude and latitude (degrees, CGCS2000) of a connection point, ``None`` where nobody knows."""
        if placement.bus is not None:
            nodes = self._snapshot.nodes
            lon, lat = float(nodes.lon_deg[placement.bus]), float(nodes.lat_deg[placement.bus])
            return (lon, lat) if is_place(lon, lat) else None
        route = None if placement.line is None else self._routes.get(placement.line)
        if route is None or placement.fraction_along is None:
            return None
        lon, lat = cut_line(route, placement.fraction_along)[0][-1].tolist()
        return lon, lat

    @cached_property
    def _routes(self) -> Mapping[int, Route]:
        """Routes by line, where they are known."""
        found = zip(self._snapshot.lines.index, line_routes(self._snapshot), strict=True)
        return {int(line): route for line, route in found if route is not None}
