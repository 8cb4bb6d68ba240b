"""Vector tiles (矢量瓦片) of the grid from memory: Mapbox Vector Tile 2, Web Mercator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gridmodel.geometry import clip_lines, points_wkb
from scheme.grid_map.mercator import EXTENT, Floats
from scheme.grid_map.selection import BUFFER, CELL_LEVELS, Cells, Selection
from scheme.grid_map.state import KVA_DECIMALS, GridState

LAYERS = ("cells", "lines", "nodes")
Feature = dict[str, Any]


def encode_tile(state: GridState, chosen: Selection) -> bytes:
    """Return a tile with what was chosen for it; empty where that is nothing."""
    import mapbox_vector_tile

    cells = [] if chosen.cells is None else list(_cells(chosen.cells, chosen))
    features = (cells, list(_lines(state, chosen)), list(_nodes(state, chosen)))
    layers = [{"name": name, "features": own} for name, own in zip(LAYERS, features, strict=True) if own]
    if not layers:
        return b""
    options = {"y_coord_down": True, "extents": EXTENT, "check_winding_order": False}
    encoded: bytes = mapbox_vector_tile.encode(layers, default_options=options)
    return encoded


def on_tile(x: Floats, y: Floats, chosen: Selection, grid: int = 1) -> Floats:
    """Return places of the square in units of a tile, shape (n, 2); on multiples of ``grid`` where it is above 1."""
    units = 2.0**chosen.zoom * EXTENT
    places: Floats = np.column_stack((x * units, y * units))
    if grid > 1:
        places = np.floor(places / grid + 0.5) * grid
    return np.asarray(places - np.array([chosen.x * EXTENT, chosen.y * EXTENT]), dtype=np.float64)


def _cells(cells: Cells, chosen: Selection) -> Iterator[Feature]:
    side = EXTENT // 2**CELL_LEVELS
    median = np.round(cells.open_kva_median, KVA_DECIMALS)
    for at in range(len(cells.count)):
        column, row = int(cells.column[at]), int(cells.row[at])
        west, north = (column - (chosen.x << CELL_LEVELS)) * side, (row - (chosen.y << CELL_LEVELS)) * side
        ring = [(west, north), (west + side, north), (west + side, north + side), (west, north + side), (west, north)]
        yield {
            "id": (row << cells.zoom) + column,
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": _known(
                count=int(cells.count[at]),
                known_count=int(cells.known_count[at]),
                open_kva_max=_number(cells.open_kva_max[at]),
                open_kva_median=_number(median[at]),
            ),
        }


def _lines(state: GridState, chosen: Selection) -> Iterator[Feature]:
    lines, at = state.layout.lines, chosen.lines
    routes = []
    for position in at.tolist():
        own = slice(lines.first[position], lines.first[position + 1])
        routes.append(on_tile(lines.x[own], lines.y[own], chosen, chosen.line_grid))
    for position, geometry in zip(at.tolist(), clip_lines(routes, -BUFFER, EXTENT + BUFFER), strict=True):
        if geometry is not None:
            yield {
                "id": int(lines.line[position]),
                "geometry": geometry,
                "properties": _known(
                    line_id=lines.line_id[position],
                    name=lines.name[position],
                    feeder_id=lines.feeder_id[position],
                    u_kv=_number(lines.u_kv[position]),
                    laying=lines.laying[position],
                    loading_ratio=_number(state.lines.ratio[position]),
                    limit_ratio=_number(state.lines.limit_ratio[position]),
                    thinned=chosen.has_thinned_lines or None,
                ),
            }


def _nodes(state: GridState, chosen: Selection) -> Iterator[Feature]:
    nodes, figures, at = state.layout.nodes, state.nodes, chosen.nodes
    places = on_tile(nodes.x[at], nodes.y[at], chosen)
    for position, geometry in zip(at.tolist(), points_wkb(places[:, 0], places[:, 1]), strict=True):
        yield {
            "id": int(nodes.bus[position]),
            "geometry": geometry,
            "properties": _known(
                node_id=nodes.node_id[position],
                name=nodes.name[position],
                kind=nodes.kind[position],
                u_kv=_number(nodes.u_kv[position]),
                feeder_id=nodes.feeder_id[position],
                status=figures.status[position],
                open_kva=_number(figures.open_kva[position]),
                administrative_kva=_number(figures.administrative_kva[position]),
                physical_kva=_number(figures.physical_kva[position]),
                limit_kind=figures.limit_kind[position],
                u_pu=_number(figures.u_pu[position]),
                thinned=chosen.has_thinned_nodes or None,
            ),
        }


def _known(**properties: Any) -> dict[str, Any]:
    """Return what is known: a tile has no null, and unknown is not zero."""
    return {name: value for name, value in properties.items() if value is not None}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
