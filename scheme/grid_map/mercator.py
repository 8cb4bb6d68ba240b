"""The square of Web Mercator the tiles are cut from: x to the east, y to the south, both 0 to 1."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

EXTENT = 4096
"""Units of a tile's side."""
ZOOM_MAX = 18
LAT_MAX_DEG = math.degrees(math.atan(math.sinh(math.pi)))
"""Where the square ends."""


def project(lon_deg: ArrayLike, lat_deg: ArrayLike) -> tuple[Floats, Floats]:
    """Return x and y of places in the square; NaN stays NaN."""
    lon, lat = np.asarray(lon_deg, dtype=float), np.asarray(lat_deg, dtype=float)
    y = np.arcsinh(np.tan(np.radians(np.clip(lat, -LAT_MAX_DEG, LAT_MAX_DEG))))
    return (lon + 180.0) / 360.0, (1.0 - y / math.pi) / 2.0


def check_tile(zoom: int, x: int, y: int) -> None:
    """Refuse a tile that does not exist.

    Raises:
        ValueError: There is no such tile.
    """
    if not (0 <= zoom <= ZOOM_MAX and 0 <= x < 2**zoom and 0 <= y < 2**zoom):
        raise ValueError("no such tile")
