"""Coordinates and lengths of table rows: swapped, missing or far away; shorter or longer than the ground allows.

A node keeps its electrical meaning when its place is wrong: the coordinates then count as not known, so that it is
never offered as a connection point by distance.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridmodel.readers.table_gate import TableGate, TableRow
from gridmodel.readers.table_schema import find_bands

Floats = npt.NDArray[np.float64]

_NO_PLACE = "坐标按未知处理,不参与就近接入搜索;电气计算不受影响"
_NO_COURSE = "该行不采用;路径搜索和穿跨越检查不考虑它,电气计算不受影响"
_RANGE = "经度 -180~180°,纬度 -90~90°"


def check_places(gate: TableGate, *, datum: str) -> None:
    """Judge the coordinates of nodes and substations, and bring the good ones and all vertices to CGCS2000."""
    from gridmodel.geometry import to_cgcs2000

    for table in ("nodes", "substations"):
        rows = list(gate.accepted(table))
        placed = [row for row in rows if row["lon_deg"] is not None and row["lat_deg"] is not None]
        for row in rows:
            if row["lon_deg"] is None or row["lat_deg"] is None:
                _drop_place(row)
        for row in _find_misplaced(gate, placed):
            _drop_place(row)
        for row in placed:
            if row["lon_deg"] is not None:
                row.cells["lon_deg"], row.cells["lat_deg"] = to_cgcs2000(row["lon_deg"], row["lat_deg"], datum)
    for row in gate.accepted("line_sections", "lv_lines"):
        corners = row["vertices"] or ()
        row.cells["vertices"] = tuple(to_cgcs2000(lon, lat, datum) for lon, lat in corners)


def check_courses(gate: TableGate, *, datum: str) -> None:
    """Leave out corridors and obstacles without a course, and bring the others to CGCS2000."""
    from gridmodel.geometry import to_cgcs2000

    for row in list(gate.accepted("corridors", "obstacles")):
        places = tuple(dict.fromkeys(row["vertices"]))
        if len(places) < 2:
            expected = "至少两个不同的拐点"
            gate.quarantine(row, "too_few_vertices", column="vertices", expected=expected, consequence=_NO_COURSE)
            continue
        row.cells["vertices"] = tuple(to_cgcs2000(lon, lat, datum) for lon, lat in row["vertices"])


def _drop_place(row: TableRow) -> None:
    row.cells["lon_deg"] = row.cells["lat_deg"] = None


def _find_misplaced(gate: TableGate, rows: list[TableRow]) -> list[TableRow]:
    """Report and return the rows whose coordinates cannot be right."""
    from gridmodel.geometry import distance_m

    bands = find_bands("nodes", "distance_km")
    lon = np.array([row["lon_deg"] for row in rows], dtype=float)
    lat = np.array([row["lat_deg"] for row in rows], dtype=float)
    valid = (np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0)
    swappable = (np.abs(lat) <= 180.0) & (np.abs(lon) <= 90.0)
    misplaced = [row for row, is_valid in zip(rows, valid, strict=True) if not is_valid]
    for row, can_swap in zip(misplaced, swappable[~valid], strict=True):
        _report(gate, row, "coordinates_swapped" if can_swap else "out_of_range", _RANGE)
    if not valid.any() or not bands:
        return misplaced
    centre = (float(np.median(lon[valid])), float(np.median(lat[valid])))
    near_km = bands[0].maximum
    away = np.flatnonzero(valid)[distance_m(lon[valid], lat[valid], *centre) / 1e3 > near_km]
    for position in away.tolist():
        row = rows[position]
        is_swapped = bool(swappable[position]) and distance_m(lat[position], lon[position], *centre) / 1e3 <= near_km
        expected = f"距全部节点中位点({centre[0]:.3f}, {centre[1]:.3f})不超过 {near_km:g} km"
        _report(gate, row, "coordinates_swapped" if is_swapped else bands[0].code, expected)
        misplaced.append(row)
    return misplaced


def _report(gate: TableGate, row: TableRow, code: str, expected: str) -> None:
    column = "lat_deg" if code == "out_of_range" and abs(row["lat_deg"]) > 90.0 else "lon_deg"
    value = f"{row['lon_deg']:g}, {row['lat_deg']:g}"
    gate.warn(row, code, column=column, value=value, expected=expected, consequence=_NO_PLACE)


def check_lengths(gate: TableGate, table: str, nodes: dict[str, TableRow]) -> None:
    """Compare stated lengths with the straight line between the ends."""
    from gridmodel.geometry import distance_m

    rows = [row for row in gate.accepted(table) if all(_is_placed(nodes[row[c]]) for c in ("from_node", "to_node"))]
    if not rows:
        return
    ends: list[Floats] = [
        np.array([nodes[row[end]][axis] for row in rows], dtype=float)
        for end in ("from_node", "to_node")
        for axis in ("lon_deg", "lat_deg")
    ]
    straight_km = distance_m(*ends) / 1e3
    judged = find_bands(table, "straight_km")[0]
    for row, straight in zip(rows, straight_km.tolist(), strict=True):
        if judged.holds(straight):
            shown = f"{row['length_km']:g} km,两端直线距离 {straight:.3f} km"
            gate.judge(row, "length_km/straight", row["length_km"] / straight, shown=shown, at="length_km")


def _is_placed(node: TableRow) -> bool:
    return node["lon_deg"] is not None
