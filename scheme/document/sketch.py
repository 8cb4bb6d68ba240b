"""Location sketch (地理位置示意图) as SVG: the grid around the customer, the chosen route, the other points.

Places are put on a plane in metres around the customer; the drawing itself is in millimetres. Text stays text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from gridmodel.geometry import LocalPlane
from gridmodel.snapshot import Snapshot
from scheme.document.sketch_sheet import (
    DARK,
    HEIGHT_MM,
    MAP_WIDTH_MM,
    WIDTH_MM,
    Box,
    SketchSheet,
    draw_key,
    draw_text,
    frame_svg,
    place_shape,
    write_label,
)
from scheme.model import ConnectionPoint, Route, Scheme

_PADDING_MM = 13.0
_SPAN_M_MIN = 60.0
"""Least width or height shown, so that a customer at the pole still sees the surroundings."""
_REJECTED_MAX = 30
_REACH_RATIO = 2.0
"""Refused points farther off than this many times the middle one would shrink the others to a blot."""
_NODES_MAX = 90
"""With more symbols than this in view only the main kinds are drawn."""
_MAIN_KINDS = ("substation_busbar", "switching_station", "ring_main_unit")
_APART_MM = 5.0
"""Least distance between the customer's symbol and the mark of a point."""
_LV_KV_MAX = 1.0
_RED, _BLUE, _GREY = "#c00000", "#1f5fa8", "#8a8a8a"

Floats = NDArray[np.float64]

_NODE_NAMES = {
    "substation_busbar": "变电站",
    "switching_station": "开关站",
    "ring_main_unit": "环网柜",
    "station": "配电变压器",
    "lv_board": "配变低压侧",
    "branch_box": "低压分支箱",
    "pole": "10千伏杆塔",
    "lv_pole": "低压杆",
}


@dataclass(frozen=True, kw_only=True)
class _View:
    """Plane around the customer, and how it lies on the paper."""

    plane: LocalPlane
    x0_m: float
    y0_m: float
    mm_per_m: float

    def on_paper(self, lon_deg: Any, lat_deg: Any) -> tuple[Floats, Floats]:
        x_m, y_m = self.plane.to_metres(lon_deg, lat_deg)
        x = MAP_WIDTH_MM / 2 + (x_m - self.x0_m) * self.mm_per_m
        y = HEIGHT_MM / 2 - (y_m - self.y0_m) * self.mm_per_m
        return np.asarray(x, dtype=float), np.asarray(y, dtype=float)


def render_sketch(scheme: Scheme, snapshot: Snapshot) -> str:
    """Return the sketch as SVG, 170 mm by 94 mm; without a known place, a sheet that says so."""
    place = scheme.request.get("location_cgcs2000")
    if not isinstance(place, dict):
        return frame_svg([draw_text("申请位置未知，不绘制位置示意图。", WIDTH_MM / 2, HEIGHT_MM / 2, anchor="middle")])
    lon, lat = float(place["lon_deg"]), float(place["lat_deg"])
    view = _view(scheme, lon, lat)
    sheet = SketchSheet()
    points = [v.connection_point for v in scheme.variants] + [r.connection_point for r in scheme.rejected]
    is_low = any(point.u_nominal_kv <= _LV_KV_MAX for point in points)
    _draw_grid(sheet, view, snapshot, with_low_voltage=is_low)
    x, y = (float(value) for value in view.on_paper(lon, lat))
    _draw_candidates(sheet, view, scheme, customer=(x, y))
    _draw_customer(sheet, x, y)
    clip = f'<clipPath id="area"><rect width="{MAP_WIDTH_MM:g}" height="{HEIGHT_MM:g}"/></clipPath>'
    area = ['<g clip-path="url(#area)">', *sheet.shapes, "</g>"]
    frame = f'<path d="M{MAP_WIDTH_MM:g},0V{HEIGHT_MM:g}" stroke="{DARK}" stroke-width="0.25"/>'
    border = f'<rect x="0.15" y="0.15" width="{WIDTH_MM - 0.3:g}" height="{HEIGHT_MM - 0.3:g}" '
    border += f'fill="none" stroke="{DARK}" stroke-width="0.3"/>'
    return frame_svg([clip, *area, frame, border, *draw_key(sheet, view.mm_per_m)])


def _view(scheme: Scheme, lon_deg: float, lat_deg: float) -> _View:
    """Fit customer, routes and variants (or, without any, the nearest refused points) into the map's area."""
    plane = LocalPlane(lon_deg, lat_deg)
    shown = [(lon_deg, lat_deg)]
    for variant in scheme.variants:
        shown.append((variant.connection_point.lon_deg, variant.connection_point.lat_deg))
    if scheme.variants:
        shown += _path(scheme.variants[0].route.geometry)
        for source in scheme.variants[0].further_sources:
            shown += [(source.connection_point.lon_deg, source.connection_point.lat_deg), *_path(source.route.geometry)]
    else:
        near = _nearest_rejected(scheme)
        reach_m = near[len(near) // 2].distance_m * _REACH_RATIO if near else 0.0
        places = [item.connection_point for item in near if item.distance_m <= reach_m]
        shown += [(point.lon_deg, point.lat_deg) for point in places]
    x, y = plane.to_metres([place[0] for place in shown], [place[1] for place in shown])
    x, y = x[np.isfinite(x)], y[np.isfinite(y)]
    width_m, height_m = max(float(np.ptp(x)), _SPAN_M_MIN), max(float(np.ptp(y)), _SPAN_M_MIN)
    scale = min((MAP_WIDTH_MM - 2 * _PADDING_MM) / width_m, (HEIGHT_MM - 2 * _PADDING_MM) / height_m)
    return _View(
        plane=plane,
        x0_m=float((x.min() + x.max()) / 2),
        y0_m=float((y.min() + y.max()) / 2),
        mm_per_m=scale,
    )


def _nearest_rejected(scheme: Scheme) -> list[Any]:
    return sorted(scheme.rejected, key=lambda item: item.distance_m)[:_REJECTED_MAX]


def _path(geometry: dict[str, Any]) -> list[tuple[float, float]]:
    """Return the places of a GeoJSON LineString."""
    return [(float(place[0]), float(place[1])) for place in geometry.get("coordinates", ())]


def _draw_grid(sheet: SketchSheet, view: _View, snapshot: Snapshot, *, with_low_voltage: bool) -> None:
    nodes, lines = snapshot.nodes, snapshot.net.line
    if not len(nodes):
        return
    x, y = view.on_paper(nodes["lon_deg"].to_numpy(dtype=float), nodes["lat_deg"].to_numpy(dtype=float))
    is_low = nodes["u_nominal_kv"].to_numpy(dtype=float) <= _LV_KV_MAX
    start = nodes.index.get_indexer(lines["from_bus"]) if len(lines) else np.array([], dtype=int)
    end = nodes.index.get_indexer(lines["to_bus"]) if len(lines) else np.array([], dtype=int)
    levels = ((True, "低压线路", "#b3b3b3", 0.25), (False, "10千伏线路", _BLUE, 0.4))
    for low, name, color, width in levels if with_low_voltage else levels[1:]:
        pieces = [
            f"M{x[a]:.2f},{y[a]:.2f}L{x[b]:.2f},{y[b]:.2f}"
            for a, b in zip(start, end, strict=True)
            if a >= 0 and b >= 0 and bool(is_low[a]) == low and _touches_map(x[[a, b]], y[[a, b]])
        ]
        for a, b in zip(start, end, strict=True):
            if a >= 0 and b >= 0 and bool(is_low[a]) == low and _touches_map(x[[a, b]], y[[a, b]]):
                sheet.crossed += _on_map(_along(x[[a, b]], y[[a, b]]))
        if pieces:
            pen = f'fill="none" stroke="{color}" stroke-width="{width}"'
            sheet.shapes.append(f'<path d="{"".join(pieces)}" {pen}/>')
            sheet.legend[name] = f'<path d="M-3.5,0H3.5" {pen}/>'
    inside = (x >= 0) & (x <= MAP_WIDTH_MM) & (y >= 0) & (y <= HEIGHT_MM)
    drawn = inside & nodes["kind"].isin(list(_NODE_NAMES)).to_numpy() & (with_low_voltage | ~is_low)
    if drawn.sum() > _NODES_MAX:
        drawn &= nodes["kind"].isin(_MAIN_KINDS).to_numpy()
    for node in np.flatnonzero(drawn):
        kind = str(nodes["kind"].iloc[node])
        sheet.shapes.append(place_shape(float(x[node]), float(y[node]), _node_symbol(kind)))
        sheet.legend.setdefault(_NODE_NAMES[kind], _node_symbol(kind))
        box = (float(x[node]) - 1.7, float(y[node]) - 1.5, float(x[node]) + 1.7, float(y[node]) + 1.5)
        (sheet.crossed if is_low[node] else sheet.taken).append(box)


def _touches_map(x: Floats, y: Floats) -> bool:
    """Tell whether the box around a section meets the map's area; NaN never does."""
    return bool(x.max() >= 0 and x.min() <= MAP_WIDTH_MM and y.max() >= 0 and y.min() <= HEIGHT_MM)


def _on_map(boxes: list[Box]) -> list[Box]:
    return [b for b in boxes if b[2] >= 0 and b[0] <= MAP_WIDTH_MM and b[3] >= 0 and b[1] <= HEIGHT_MM]


def _node_symbol(kind: str) -> str:
    pen = f'fill="#ffffff" stroke="{_BLUE}" stroke-width="0.3"'
    grey = f'fill="#ffffff" stroke="{_GREY}" stroke-width="0.25"'
    return {
        "substation_busbar": f'<rect x="-2" y="-2" width="4" height="4" fill="{_BLUE}"/>',
        "switching_station": f'<rect x="-1.6" y="-1.6" width="3.2" height="3.2" {pen}/>',
        "ring_main_unit": f'<rect x="-1.6" y="-1" width="3.2" height="2" {pen}/>',
        "station": f'<path d="M0,-1.3L1.2,0.9H-1.2Z" {pen}/>',
        "lv_board": f'<path d="M0,-1L0.95,0.7H-0.95Z" {grey}/>',
        "branch_box": f'<rect x="-0.8" y="-0.8" width="1.6" height="1.6" {grey}/>',
        "pole": f'<circle r="0.7" {pen}/>',
        "lv_pole": f'<circle r="0.5" {grey}/>',
    }[kind]


def _draw_candidates(sheet: SketchSheet, view: _View, scheme: Scheme, *, customer: tuple[float, float]) -> None:
    cross = f'<path d="M-1.1,-1.1L1.1,1.1M-1.1,1.1L1.1,-1.1" stroke="{DARK}" stroke-width="0.4"/>'
    for item in _nearest_rejected(scheme):
        x, y = _spot(view, item.connection_point)
        if 0 <= x <= MAP_WIDTH_MM and 0 <= y <= HEIGHT_MM:
            sheet.shapes.append(place_shape(x, y, cross))
            sheet.taken.append((x - 1.2, y - 1.2, x + 1.2, y + 1.2))
            sheet.legend["未采用的接入点"] = cross
    for variant in reversed(scheme.variants):
        is_best = variant is scheme.variants[0]
        _draw_route(sheet, view, variant.route, is_best=is_best)
        for source in variant.further_sources if is_best else ():
            _draw_route(sheet, view, source.route, is_best=True)
    spots = [(mark, is_best, point, *_beside(_spot(view, point), customer)) for mark, is_best, point in _marked(scheme)]
    for text, is_best, point, x, y in reversed(spots):
        color = _RED if is_best else _GREY
        mark = _numbered(text, color)
        if (x, y) != _spot(view, point):
            true_x, true_y = _spot(view, point)
            sheet.shapes.append(
                f'<path d="M{true_x:.2f},{true_y:.2f}L{x:.2f},{y:.2f}" stroke="{color}" stroke-width="0.3"/>'
            )
        sheet.shapes.append(place_shape(x, y, mark))
        sheet.taken.append((x - 2.2, y - 2.2, x + 2.2, y + 2.2))
        sheet.legend["推荐接入点" if is_best else "备选接入点（序号）"] = mark
    labelled: set[str] = set()
    for _, _, point, x, y in spots:
        name = point.name or point.element_source_id
        if name not in labelled:
            labelled.add(name)
            write_label(sheet, name, x, y)


def _marked(scheme: Scheme) -> list[tuple[str, bool, ConnectionPoint]]:
    """Return mark, whether recommended, and point of every variant; sources of the recommended one are 1A, 1B, …"""
    marked: list[tuple[str, bool, ConnectionPoint]] = []
    for variant in scheme.variants:
        is_best = variant is scheme.variants[0]
        points = [variant.connection_point]
        points += [source.connection_point for source in variant.further_sources] if is_best else []
        for place, point in enumerate(points):
            letter = chr(ord("A") + place) if len(points) > 1 else ""
            marked.append((f"{variant.rank}{letter}", is_best, point))
    return marked


def _draw_route(sheet: SketchSheet, view: _View, route: Route, *, is_best: bool) -> None:
    color, dashes = (_RED, "") if is_best else (_GREY, ' stroke-dasharray="1.5 1"')
    places = _path(route.geometry)
    if len(places) < 2:
        return
    xs, ys = view.on_paper([p[0] for p in places], [p[1] for p in places])
    path = "M" + "L".join(f"{a:.2f},{b:.2f}" for a, b in zip(xs, ys, strict=True))
    pen = f'fill="none" stroke="{color}" stroke-width="{0.8 if is_best else 0.4}"{dashes}'
    sheet.shapes.append(f'<path d="{path}" {pen}/>')
    if is_best:
        sheet.taken += _along(xs, ys)
    sheet.legend["推荐接入线路" if is_best else "备选接入线路"] = f'<path d="M-3.5,0H3.5" {pen}/>'


def _along(xs: Floats, ys: Floats) -> list[Box]:
    """Return small boxes along a path, about 1 mm apart, for labels to keep clear of."""
    boxes = []
    for start in range(len(xs) - 1):
        count = max(int(math.hypot(xs[start + 1] - xs[start], ys[start + 1] - ys[start])), 1)
        x = np.linspace(xs[start], xs[start + 1], count)
        y = np.linspace(ys[start], ys[start + 1], count)
        boxes += [(a - 0.6, b - 0.6, a + 0.6, b + 0.6) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    return boxes


def _spot(view: _View, point: ConnectionPoint) -> tuple[float, float]:
    x, y = view.on_paper(point.lon_deg, point.lat_deg)
    return float(x), float(y)


def _beside(spot: tuple[float, float], customer: tuple[float, float]) -> tuple[float, float]:
    """Return where a mark is drawn: on its spot, or moved off the customer's symbol where that would cover it."""
    dx, dy = spot[0] - customer[0], spot[1] - customer[1]
    apart = math.hypot(dx, dy)
    if apart >= _APART_MM:
        return spot
    if apart == 0.0:
        dx, dy, apart = -1.0, -1.0, math.sqrt(2.0)
    return customer[0] + dx / apart * _APART_MM, customer[1] + dy / apart * _APART_MM


def _draw_customer(sheet: SketchSheet, x: float, y: float) -> None:
    mark = f'<path d="M0,-2.4L2.2,-0.5V2H-2.2V-0.5Z" fill="{_RED}" stroke="#ffffff" stroke-width="0.25"/>'
    sheet.shapes.append(place_shape(x, y, mark))
    sheet.taken.append((x - 2.4, y - 2.6, x + 2.4, y + 2.2))
    sheet.legend["客户用电点"] = mark
    write_label(sheet, "客户用电点", x, y)


def _numbered(number: str, color: str) -> str:
    digit = f'<text y="0.95" font-size="2.6" fill="#ffffff" text-anchor="middle">{escape(number)}</text>'
    return f'<circle r="2" fill="{color}" stroke="#ffffff" stroke-width="0.25"/>{digit}'
