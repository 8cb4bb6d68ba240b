"""Vector tiles of the grid by PostGIS: places and capacities from the layers, what else is shown is handed in.

Which nodes and lines a tile shows, and their voltages and loadings, follow from a load flow the store knows nothing of;
so they come as arrays beside which the layers' rows are put.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sqlalchemy import Connection, select, text

from gridmodel.topology import LOW_VOLTAGE_KV_MAX
from scheme.grid_map.mercator import EXTENT, Floats
from scheme.grid_map.selection import BUFFER, CELL_LEVELS, Selection
from scheme.grid_map.state import KVA_DECIMALS, GridState
from scheme.store.layers.tables import LAYER_STATE

_SQUARE_M = 40_075_016.685578488
"""Side of the square of Web Mercator: the equator of WGS 84."""

# CGCS2000 is WGS 84 to less than a decimetre, so places are taken as such: PROJ would look for a better way at each.
_NODES = """
SELECT ST_AsMVT(t, 'nodes', :extent, 'geom', 'bus') FROM (
  SELECT n.bus, n.node_id, n.name, n.kind, n.u_nominal_kv AS u_kv, n.feeder_id, n.status,
         round(n.open_kva::numeric, :decimals)::float8 AS open_kva,
         round(n.administrative_kva::numeric, :decimals)::float8 AS administrative_kva,
         round(n.physical_kva::numeric, :decimals)::float8 AS physical_kva,
         n.limit_kind, f.u_pu, CAST(:thinned AS boolean) AS thinned,
         ST_AsMVTGeom(ST_Transform(ST_SetSRID(n.place, 4326), 3857),
                      ST_TileEnvelope(:z, :x, :y), :extent, :buffer, true) AS geom
  FROM unnest(CAST(:bus AS integer[]), CAST(:u_pu AS float8[])) WITH ORDINALITY AS f(bus, u_pu, place_no)
  JOIN v_open_capacity n ON n.bus = f.bus
  ORDER BY f.place_no
) t WHERE t.geom IS NOT NULL"""
_LINES = """
SELECT ST_AsMVT(t, 'lines', :extent, 'geom', 'line') FROM (
  SELECT l.line, l.element_id AS line_id, l.name, l.feeder_id, l.u_nominal_kv AS u_kv, l.laying,
         f.loading_ratio, f.limit_ratio, CAST(:thinned AS boolean) AS thinned,
         ST_AsMVTGeom(ST_SnapToGrid(ST_Transform(ST_SetSRID(l.route, 4326), 3857),
                                    CAST(:west_m AS float8), CAST(:north_m AS float8),
                                    CAST(:step_m AS float8), CAST(:step_m AS float8)),
                      ST_TileEnvelope(:z, :x, :y), :extent, :buffer, true) AS geom
  FROM unnest(CAST(:line AS integer[]), CAST(:ratio AS float8[]), CAST(:limit_ratio AS float8[]))
       WITH ORDINALITY AS f(line, loading_ratio, limit_ratio, place_no)
  JOIN grid_line l ON l.line = f.line
  ORDER BY f.place_no
) t WHERE t.geom IS NOT NULL"""
_CELLS = """
SELECT ST_AsMVT(t, 'cells', :extent, 'geom', 'cell') FROM (
  SELECT (s.row_no::bigint << :level) + s.column_no AS cell, s.count, s.known_count, s.open_kva_max,
         round(s.open_kva_median::numeric, :decimals)::float8 AS open_kva_median,
         ST_AsMVTGeom(ST_TileEnvelope(:level, s.column_no, s.row_no),
                      ST_TileEnvelope(:z, :x, :y), :extent, :buffer, true) AS geom
  FROM (
    SELECT p.column_no, p.row_no, count(*)::integer AS count, count(p.kva)::integer AS known_count,
           max(p.kva) AS open_kva_max, percentile_cont(0.5) WITHIN GROUP (ORDER BY p.kva) AS open_kva_median
    FROM (
      SELECT floor(ST_X(q.place) / :step_m + 2 ^ (:level - 1))::integer AS column_no,
             floor(2 ^ (:level - 1) - ST_Y(q.place) / :step_m)::integer AS row_no, q.kva
      FROM (
        SELECT ST_Transform(ST_SetSRID(n.place, 4326), 3857) AS place,
               round(n.open_kva::numeric, :decimals)::float8 AS kva
        FROM v_open_capacity n WHERE n.u_nominal_kv > :low_voltage_kv_max AND n.place IS NOT NULL
      ) q
    ) p
    WHERE p.column_no >> :cell_levels = :x AND p.row_no >> :cell_levels = :y
    GROUP BY p.column_no, p.row_no
  ) s
  ORDER BY s.row_no, s.column_no
) t"""


def shows(connection: Connection, snapshot_sha256: str, *, parameters_sha256: str, ledger_seq: int) -> bool:
    """Return whether the layers hold a grid, a capacity table of it, and what live holds up to an entry change.

    Args:
        connection: In a transaction on PostgreSQL that sees one moment.
        snapshot_sha256: The grid.
        parameters_sha256: What else the capacity table was computed from.
        ledger_seq: The entry of the ledger.
    """
    shown = {row.layer: row for row in connection.execute(select(LAYER_STATE))}
    if not {"grid", "capacity", "live"} <= set(shown):
        return False
    is_same = all(row.snapshot_sha256 == snapshot_sha256 for row in shown.values())
    return (
        is_same and shown["capacity"].parameters_sha256 == parameters_sha256 and shown["live"].ledger_seq == ledger_seq
    )


def encode_tile_by_layers(connection: Connection, state: GridState, chosen: Selection) -> bytes:
    """Return a tile with what was chosen for it; empty where that is nothing.

    Args:
        connection: In the transaction in which the layers were found to show ``state``.
        state: The map.
        chosen: What the tile shows.
    """
    at = {"z": chosen.zoom, "x": chosen.x, "y": chosen.y, "extent": EXTENT, "buffer": BUFFER}
    content = b""
    if chosen.cells is not None:
        content += _encode(connection, _CELLS, {**at, **_cell_values(chosen)})
    if len(chosen.lines):
        content += _encode(connection, _LINES, {**at, **_line_values(state, chosen)})
    if len(chosen.nodes):
        content += _encode(connection, _NODES, {**at, **_node_values(state, chosen)})
    return content


def _encode(connection: Connection, statement: str, values: Mapping[str, Any]) -> bytes:
    return bytes(connection.execute(text(statement), values).scalar_one())


def _cell_values(chosen: Selection) -> dict[str, Any]:
    level = chosen.zoom + CELL_LEVELS
    return {
        "level": level,
        "cell_levels": CELL_LEVELS,
        "step_m": _SQUARE_M / 2.0**level,
        "low_voltage_kv_max": LOW_VOLTAGE_KV_MAX,
        "decimals": KVA_DECIMALS,
    }


def _line_values(state: GridState, chosen: Selection) -> dict[str, Any]:
    unit_m = _SQUARE_M / 2.0**chosen.zoom / EXTENT
    return {
        "west_m": -_SQUARE_M / 2.0,
        "north_m": _SQUARE_M / 2.0,
        "step_m": unit_m * chosen.line_grid if chosen.line_grid > 1 else 0.0,  # 0: as it is
        "line": state.layout.lines.line[chosen.lines].tolist(),
        "ratio": _nullable(state.lines.ratio[chosen.lines]),
        "limit_ratio": _nullable(state.lines.limit_ratio[chosen.lines]),
        "thinned": chosen.has_thinned_lines or None,
    }


def _node_values(state: GridState, chosen: Selection) -> dict[str, Any]:
    return {
        "decimals": KVA_DECIMALS,
        "bus": state.layout.nodes.bus[chosen.nodes].tolist(),
        "u_pu": _nullable(state.nodes.u_pu[chosen.nodes]),
        "thinned": chosen.has_thinned_nodes or None,
    }


def _nullable(values: Floats) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]
