"""What the map says of one node: its three numbers, what limits it, and where its supply comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from scheme.grid_map.grid import MapGrid
from scheme.grid_map.state import GridState

Geometry = dict[str, Any]
_BETWEEN = "+"
"""Between transformers that feed in parallel and count together."""
_TABLES = {
    "line_loading": ("line",),
    "transformer_loading": ("trafo",),
    "voltage_low": ("bus",),
    "voltage_high": ("bus",),
}
_ANY_TABLE = ("line", "trafo", "feeder", "bus")


def node_sheet(state: GridState, position: int) -> dict[str, Any]:
    """Return what is known of a node.

    Args:
        state: The map.
        position: Of the node in the layout.
    """
    grid, nodes = state.grid, state.layout.nodes
    bus = int(nodes.bus[position])
    of_grid: pd.Series = grid.snapshot.nodes.iloc[position]
    row = state.table.loc[[bus]].iloc[0]
    feeder_id = nodes.feeder_id[position]
    return {
        "node_id": nodes.node_id[position],
        "bus": bus,
        "element_id": str(of_grid["element_id"]),
        "name": nodes.name[position],
        "kind": nodes.kind[position],
        "u_nominal_kv": number_of(nodes.u_kv[position]),
        "lon_deg": number_of(of_grid["lon_deg"]),
        "lat_deg": number_of(of_grid["lat_deg"]),
        "feeder_id": feeder_id,
        "feeder_name": grid.name_of_feeder(feeder_id),
        "substation_id": text_of(of_grid.get("substation_id")),
        "area_id": text_of(of_grid.get("area_id")),
        "status": text_of(row["status"]),
        "status_reason": text_of(row.get("reason")),
        **{name: number_of(row[name]) for name in ("administrative_kva", "physical_kva", "open_kva")},
        "administrative_reason": text_of(row.get("administrative_reason")),
        "limit": _limit(grid, row),
        "u_pu": number_of(state.nodes.u_pu[position]),
        "path_geometry": path_geometry(grid, bus),
    }


def path_geometry(grid: MapGrid, bus: int) -> Geometry | None:
    """Return the lines of the supply path of a bus (供电路径), nearest first; ``None`` where no route is known."""
    places = [grid.position_of_line.get(line) for line in grid.topology.path(bus).lines]
    routes = [grid.layout.routes[at] for at in places if at is not None]
    known = [route.tolist() for route in routes if route is not None]
    return {"type": "MultiLineString", "coordinates": known} if known else None


def name_of_account(grid: MapGrid, account_id: str) -> str | None:
    """Return how people call the element of an account; ``None`` where the data have no name for it."""
    kind, _, element_ids = account_id.partition(":")
    tables = {"feeder": ("feeder",), "section": ("line",), "source": ("bus",), "substation": ()}.get(kind, ("trafo",))
    names = [found[2] for one in element_ids.split(_BETWEEN) if (found := find_element(grid, one, tables)) and found[2]]
    return _BETWEEN.join(names) or None


def find_element(grid: MapGrid, element_id: str, tables: Sequence[str]) -> tuple[str, Any, str | None] | None:
    """Return table, index and name of an element by its imported identifier, in the first table that has it."""
    frames = {"line": grid.snapshot.lines, "trafo": grid.snapshot.transformers, "bus": grid.snapshot.nodes}
    for table in tables:
        if table == "feeder":
            if element_id in grid.snapshot.feeders.index:
                return table, element_id, grid.name_of_feeder(element_id)
        elif (index := grid.index_of_element(table).get(element_id)) is not None:
            return table, index, text_of(frames[table].at[index, "name"]) if "name" in frames[table] else None
    return None


def element_geometry(grid: MapGrid, table: str, index: Any) -> Geometry | None:
    """Return where an element is: a line by its route, anything else by the place of its bus."""
    if table == "line":
        route = grid.layout.routes[grid.position_of_line[index]]
        return None if route is None else {"type": "LineString", "coordinates": route.tolist()}
    if table == "feeder":
        feeder = grid.snapshot.feeders.loc[index]
        line = feeder.get("head_line")
        at = None if pd.isna(line) else grid.position_of_line.get(int(line))
        return None if at is None else element_geometry(grid, "line", int(line))
    net = grid.snapshot.net
    buses = [index] if table == "bus" else [net.trafo.at[index, name] for name in ("lv_bus", "hv_bus")]
    for bus in buses:
        place = grid.place_of_bus(int(bus))
        if place is not None:
            return {"type": "Point", "coordinates": list(place)}
    return None


def middle_of(geometry: Geometry | None) -> tuple[float | None, float | None]:
    """Return a place on a geometry to put a mark at."""
    if geometry is None:
        return None, None
    places = geometry["coordinates"]
    lon, lat = places if geometry["type"] == "Point" else places[len(places) // 2]
    return lon, lat


def _limit(grid: MapGrid, row: pd.Series) -> dict[str, Any] | None:
    kind, element_id = text_of(row["limit_kind"]), text_of(row["limit_element_id"])
    if kind is None:
        return None
    found = None if element_id is None else find_element(grid, element_id, _TABLES.get(kind, _ANY_TABLE))
    if found is None and element_id is not None:  # several that count together: the first one stands for them
        found = find_element(grid, element_id.split(" ")[0], _ANY_TABLE)
    table, index, name = found or (None, None, None)
    geometry = None if table is None else element_geometry(grid, table, index)
    lon_deg, lat_deg = middle_of(geometry)
    return {
        "kind": kind,
        "element_id": element_id,
        "table": table,
        "name": name,
        "lon_deg": lon_deg,
        "lat_deg": lat_deg,
        "geometry": geometry,
        "hour": text_of(row.get("limit_hour")),
    }


def number_of(value: Any) -> float | None:
    """Return a number, ``None`` where it is not known."""
    return None if value is None or np.isnan(value) else float(value)


def text_of(value: Any) -> str | None:
    """Return a text, ``None`` where it is empty or not known."""
    return value if isinstance(value, str) and value else None
