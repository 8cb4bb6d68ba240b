"""Checks of places: missing, swapped, outside the area, or a drawing instead of a map."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmodel.findings import Finding
from gridmodel.gate.bands import threshold
from gridmodel.gate.report import ElementNames, Report
from gridmodel.geometry import distance_m

Floats = npt.NDArray[np.float64]
_LINES_NEEDED = 10
"""Fewer lines with both ends known cannot tell a drawing from a map."""


def check_places(
    places: pd.DataFrame, links: pd.DataFrame, *, file: str, element_names: ElementNames | None = None
) -> tuple[tuple[Finding, ...], pd.DataFrame]:
    """Check coordinates and return the findings and the places that can be used.

    Args:
        places: ``lon_deg`` and ``lat_deg`` (NaN = not known), index = bus. Not changed.
        links: Lines between places: ``from_bus``, ``to_bus``, ``length_km``.
        file: File name for the findings.
        element_names: Imported identifiers.

    A place that cannot be right becomes NaN; the node stays in the electrical model.
    """
    report = Report(file=file, names=element_names)
    lon, lat = (places[column].to_numpy(dtype=float).copy() for column in ("lon_deg", "lat_deg"))
    given = np.isfinite(lon) & np.isfinite(lat)
    if not given.all():
        report.add(
            "coordinates_missing",
            "bus",
            None,
            severity="info" if not given.any() else "warning",
            column="geo",
            value=f"{int((~given).sum())} / {len(given)}",
            expected="每个节点有经纬度",
            consequence="无坐标的节点不参与就近接入和地图展示,电气计算不受影响",
        )
    possible = given & (np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0) & ~((lon == 0.0) & (lat == 0.0))
    swapped_possible = given & (np.abs(lat) <= 180.0) & (np.abs(lon) <= 90.0)
    usable = _check_area(report, places.index.to_numpy(), lon, lat, given, possible, swapped_possible)
    lon[~usable], lat[~usable] = np.nan, np.nan
    cleaned = pd.DataFrame({"lon_deg": lon, "lat_deg": lat}, index=places.index)
    _check_drawing(report, cleaned, links)
    return tuple(report.findings), cleaned


def _check_area(
    report: Report,
    buses: npt.NDArray[np.int64],
    lon: Floats,
    lat: Floats,
    given: npt.NDArray[np.bool_],
    possible: npt.NDArray[np.bool_],
    swapped_possible: npt.NDArray[np.bool_],
) -> npt.NDArray[np.bool_]:
    if not possible.any():
        for position in np.flatnonzero(given)[:1]:
            _add(report, "coordinates_not_degrees", int(buses[position]), lon[position], lat[position])
        return possible
    middle = float(np.median(lon[possible])), float(np.median(lat[possible]))
    radius_m = threshold("area_radius_km_max") * 1000.0
    usable = possible.copy()
    usable[possible] = distance_m(lon[possible], lat[possible], *middle) <= radius_m
    for position in np.flatnonzero(given & ~usable).tolist():
        is_swapped = bool(swapped_possible[position]) and bool(
            distance_m(lat[position], lon[position], *middle) <= radius_m
        )
        code = (
            "coordinates_swapped"
            if is_swapped
            else "coordinates_outside_area"
            if possible[position]
            else "coordinates_not_degrees"
        )
        _add(report, code, int(buses[position]), lon[position], lat[position])
    return usable


_EXPECTED = {
    "coordinates_swapped": "经度在前、纬度在后",
    "coordinates_outside_area": "位于供电区域内",
    "coordinates_not_degrees": "经纬度(度),不是投影坐标或 0,0",
}


def _add(report: Report, code: str, bus: int, lon: float, lat: float) -> None:
    report.add(
        code,
        "bus",
        bus,
        severity="warning",
        column="geo",
        value=f"{lon:.6g}, {lat:.6g}",
        expected=_EXPECTED[code],
        consequence="该节点坐标按未知处理,不参与就近接入;电气计算不受影响",
    )


def _check_drawing(report: Report, places: pd.DataFrame, links: pd.DataFrame) -> None:
    """A line cannot be shorter than the straight line between its ends; where many are, the places are a drawing."""
    ends = [places.reindex(links[column]) for column in ("from_bus", "to_bus")]
    straight = distance_m(ends[0].lon_deg, ends[0].lat_deg, ends[1].lon_deg, ends[1].lat_deg)
    declared = links["length_km"].to_numpy(dtype=float) * 1000.0
    known = np.isfinite(straight) & (straight > 0.0) & np.isfinite(declared)
    if known.sum() < _LINES_NEEDED:
        return
    ratio = declared[known] / straight[known]
    short_share = float((ratio < threshold("length_to_distance_ratio_min")).mean())
    median = float(np.median(ratio))
    if short_share > threshold("schematic_share_max") or median > threshold("schematic_length_ratio_max"):
        report.add(
            "coordinates_schematic",
            "bus",
            None,
            severity="warning",
            column="geo",
            value=f"length/distance {median:.2f}, shorter than straight {short_share:.0%}",
            expected="线路长度与两端直线距离相符",
            consequence="坐标疑为示意图,距离和就近接入结果不可靠",
        )
