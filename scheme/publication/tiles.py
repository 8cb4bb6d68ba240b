"""Vector tiles (矢量瓦片) of the publication, cut from the file alone: what the file does not hold, no tile can."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

LAYER = "open_capacity"
ZOOM_MAX = 14
EXTENT = 4096
_FIELDS = (
    "cell_id",
    "data_month",
    "class",
    "is_restricted",
    "surroundings_class",
    "surroundings_is_restricted",
    "block_id",
)
_LAT_MAX_DEG = 85.0511287798066
"""Where the square of Web Mercator ends: atan(sinh(pi))."""


def describe_tiles(content: bytes, address: str) -> dict[str, Any]:
    """Return what a map needs to know of the tiles (TileJSON 3.0): address, levels, extent of the squares, fields.

    Args:
        content: The publication.
        address: Template of the tiles' addresses.
    """
    document = json.loads(content)
    places = [place for feature in document["features"] for place in feature["geometry"]["coordinates"][0]]
    described: dict[str, Any] = {
        "tilejson": "3.0.0",
        "tiles": [address],
        "minzoom": 0,
        "maxzoom": ZOOM_MAX,
        "vector_layers": [{"id": LAYER, "fields": dict.fromkeys(_FIELDS, "String or Boolean")}],
    }
    if places:
        lon_deg, lat_deg = zip(*places, strict=True)
        described["bounds"] = [min(lon_deg), min(lat_deg), max(lon_deg), max(lat_deg)]
    return described


def cut_tile(content: bytes, zoom: int, x: int, y: int) -> bytes:
    """Return one tile (Mapbox Vector Tile 2, Web Mercator) with the squares that touch it; empty where none does.

    Args:
        content: The publication.
        zoom: 0 to ``ZOOM_MAX``.
        x: Column from the west.
        y: Row from the north.

    Raises:
        ValueError: There is no such tile.
    """
    if not (0 <= zoom <= ZOOM_MAX and 0 <= x < 2**zoom and 0 <= y < 2**zoom):
        raise ValueError("no such tile")
    import mapbox_vector_tile

    document = json.loads(content)
    features = list(_features(document, zoom, x, y))
    if not features:
        return b""
    options = {"y_coord_down": True, "extents": EXTENT}
    encoded: bytes = mapbox_vector_tile.encode([{"name": LAYER, "features": features}], default_options=options)
    return encoded


def _features(document: Mapping[str, Any], zoom: int, x: int, y: int) -> Iterator[dict[str, Any]]:
    for feature in document["features"]:
        ring = [_on_tile(lon, lat, zoom, x, y) for lon, lat in feature["geometry"]["coordinates"][0]]
        if _touches(ring):
            told = {name: value for name, value in feature["properties"].items() if value is not None}
            yield {
                "geometry": {"type": "Polygon", "coordinates": [ring]},
                "properties": {"cell_id": feature["id"], "data_month": document["data_month"], **told},
            }


def _on_tile(lon_deg: float, lat_deg: float, zoom: int, x: int, y: int) -> tuple[int, int]:
    """Return a place in whole units of the tile, from its north-western corner."""
    lat = math.radians(max(-_LAT_MAX_DEG, min(_LAT_MAX_DEG, lat_deg)))
    tiles = 2**zoom
    column = (lon_deg + 180.0) / 360.0 * tiles - x
    row = (1.0 - math.asinh(math.tan(lat)) / math.pi) / 2.0 * tiles - y
    return round(column * EXTENT), round(row * EXTENT)


def _touches(ring: Sequence[tuple[int, int]]) -> bool:
    """Return whether a ring reaches into the tile and is more than a line there."""
    columns, rows = zip(*ring, strict=True)
    has_area = min(columns) < max(columns) and min(rows) < max(rows)
    return bool(has_area and max(columns) > 0 and min(columns) < EXTENT and max(rows) > 0 and min(rows) < EXTENT)
