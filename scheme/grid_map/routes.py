"""Where lines run: their own route, else the straight line between their ends where both places are known."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from gridmodel.snapshot import Snapshot

Route = NDArray[np.float64]
"""Longitude and latitude (degrees) of at least two places, shape (n, 2)."""
_LON_DEG_MAX, _LAT_DEG_MAX = 180.0, 90.0


def is_place(lon_deg: float, lat_deg: float) -> bool:
    """Return whether both numbers are known and on the globe; NaN compares as neither."""
    return abs(lon_deg) <= _LON_DEG_MAX and abs(lat_deg) <= _LAT_DEG_MAX


def line_routes(snapshot: Snapshot) -> list[Route | None]:
    """Return the route of each line of the snapshot, ``None`` where it is not known."""
    net, frame = snapshot.net, snapshot.lines
    if frame.empty:
        return []
    own = net.line.loc[frame.index]
    geo = own["geo"].tolist() if "geo" in own else [None] * len(own)
    places = snapshot.nodes[["lon_deg", "lat_deg"]]
    ends = [places.reindex(own[name]).to_numpy(dtype=float) for name in ("from_bus", "to_bus")]
    return [_route(text, start, end) for text, start, end in zip(geo, *ends, strict=True)]


def _route(text: object, start: Route, end: Route) -> Route | None:
    vertices = json.loads(text)["coordinates"] if isinstance(text, str) else [start.tolist(), end.tolist()]
    if len(vertices) < 2 or not all(is_place(*vertex[:2]) for vertex in vertices):
        return None
    return np.array([vertex[:2] for vertex in vertices], dtype=float)
