"""What of the map depends on the imported grid alone, as arrays: prepared once, cut into tiles many times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridmodel.snapshot import Snapshot
from gridmodel.topology import LOW_VOLTAGE_KV_MAX
from scheme.grid_map.mercator import Floats, project
from scheme.grid_map.routes import Route, line_routes

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]

_KIND_RANK = {
    "source": 0,
    "substation_busbar": 0,
    "switching_station": 1,
    "ring_main_unit": 1,
    "station": 2,
    "lv_board": 2,
    "branch_box": 3,
}
_KIND_RANK_LAST = 4
_SPREAD = 2654435761
"""Knuth's multiplier: neighbours in the data come far apart, so that thinning takes from everywhere alike."""


@dataclass(frozen=True, eq=False, kw_only=True)
class NodeLayout:
    """Nodes in the order of the snapshot."""

    bus: Integers
    node_id: Texts
    name: Texts
    kind: Texts
    feeder_id: Texts
    u_kv: Floats
    x: Floats
    y: Floats
    """Place in the square of the tiles; NaN = not known."""
    is_medium: Flags
    """Above low voltage."""
    rank: Integers
    """Which are shown first where there is no room for all: 0 first."""


@dataclass(frozen=True, eq=False, kw_only=True)
class LineLayout:
    """Lines in the order of the snapshot; those without a route have no vertices."""

    line: Integers
    line_id: Texts
    name: Texts
    feeder_id: Texts
    laying: Texts
    u_kv: Floats
    is_medium: Flags
    x: Floats
    y: Floats
    """Vertices of all lines, one line after the other."""
    first: Integers
    """Where the vertices of each line begin, and where the last one's end; shape (lines + 1,)."""
    box: Floats
    """West, north, east, south of each line, shape (lines, 4); NaN without a route."""


@dataclass(frozen=True, eq=False, kw_only=True)
class GridLayout:
    """Nodes and lines of one imported grid."""

    nodes: NodeLayout
    lines: LineLayout
    routes: list[Route | None]
    """Longitude and latitude of each line's vertices."""
    bounds_deg: tuple[float, float, float, float] | None
    """West, south, east, north of all known places; ``None`` where none is known."""


def lay_out(snapshot: Snapshot) -> GridLayout:
    """Return the layout of a snapshot."""
    routes = line_routes(snapshot)
    return GridLayout(
        nodes=_nodes(snapshot.nodes),
        lines=_lines(snapshot.lines, routes),
        routes=routes,
        bounds_deg=_bounds(snapshot.nodes),
    )


def texts_of(frame: pd.DataFrame, name: str) -> Texts:
    """Return a column of texts with None where it is missing or empty."""
    if name not in frame:
        return np.full(len(frame), None, dtype=object)
    found = np.empty(len(frame), dtype=object)
    found[:] = [value if isinstance(value, str) else None for value in frame[name].tolist()]
    return found


def _nodes(frame: pd.DataFrame) -> NodeLayout:
    bus = frame.index.to_numpy(dtype=np.int64)
    kind, u_kv = texts_of(frame, "kind"), _floats(frame, "u_nominal_kv")
    x, y = project(_floats(frame, "lon_deg"), _floats(frame, "lat_deg"))
    group = np.array([_KIND_RANK.get(one, _KIND_RANK_LAST) for one in kind], dtype=np.int64)
    order = np.lexsort(((bus * _SPREAD) % 2**32, group))
    rank = np.empty(len(bus), dtype=np.int64)
    rank[order] = np.arange(len(bus))
    return NodeLayout(
        bus=bus,
        node_id=texts_of(frame, "node_id"),
        name=texts_of(frame, "name"),
        kind=kind,
        feeder_id=texts_of(frame, "feeder_id"),
        u_kv=u_kv,
        x=x,
        y=y,
        is_medium=u_kv > LOW_VOLTAGE_KV_MAX,
        rank=rank,
    )


def _lines(frame: pd.DataFrame, routes: list[Route | None]) -> LineLayout:
    vertices = [np.empty((0, 2)) if route is None else route for route in routes]
    lengths = np.array([len(part) for part in vertices], dtype=np.int64)
    first = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    places = np.vstack(vertices) if vertices else np.empty((0, 2))
    x, y = project(places[:, 0], places[:, 1])
    u_kv = _floats(frame, "u_nominal_kv")
    return LineLayout(
        line=frame.index.to_numpy(dtype=np.int64),
        line_id=texts_of(frame, "element_id"),
        name=texts_of(frame, "name"),
        feeder_id=texts_of(frame, "feeder_id"),
        laying=texts_of(frame, "laying"),
        u_kv=u_kv,
        is_medium=u_kv > LOW_VOLTAGE_KV_MAX,
        x=x,
        y=y,
        first=first,
        box=_boxes(x, y, first),
    )


def _boxes(x: Floats, y: Floats, first: Integers) -> Floats:
    box = np.full((len(first) - 1, 4), np.nan)
    known = np.flatnonzero(np.diff(first))
    if len(known):
        starts = first[known]
        for column, (values, edge) in enumerate(((x, np.minimum), (y, np.minimum), (x, np.maximum), (y, np.maximum))):
            box[known, column] = edge.reduceat(values, starts)
    return box


def _bounds(frame: pd.DataFrame) -> tuple[float, float, float, float] | None:
    lon, lat = _floats(frame, "lon_deg"), _floats(frame, "lat_deg")
    known = np.isfinite(lon) & np.isfinite(lat)
    if not known.any():
        return None
    west, east = float(lon[known].min()), float(lon[known].max())
    return west, float(lat[known].min()), east, float(lat[known].max())


def _floats(frame: pd.DataFrame, name: str) -> Floats:
    values: Any = frame[name] if name in frame else np.full(len(frame), np.nan)
    return np.asarray(values, dtype=np.float64)
