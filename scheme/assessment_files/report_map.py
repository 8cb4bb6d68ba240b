"""Maps of the report as SVG: the whole area, and single feeders with who competes for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridmodel.geometry import LocalPlane, distance_m
from gridmodel.topology import LOW_VOLTAGE_KV_MAX
from scheme.assessment.records import ProjectResult
from scheme.assessment_files.grid_places import GridPlaces, Place
from scheme.assessment_files.report_chart import COLORS, WIDTH_MM, frame
from scheme.assessment_files.results import Results
from scheme.assessment_files.summary import VERDICT_ORDER
from scheme.assessment_files.words import VERDICTS
from scheme.document.sketch_sheet import DARK, Box, draw_text, find_bar_m, label_places, overlap, place_shape

HEIGHT_MM = 148.0
MAP_WIDTH_MM = 215.0
_PADDING_MM = 9.0
_SPAN_M_MIN = 200.0
_FULL_SIZE_MAX = 150
"""With more projects than this their symbols are drawn smaller."""
_SMALL_RATIO = 0.75
_REACH_RATIO = 4.0
"""A project farther off than this many times the middle one would shrink the others to a blot."""
_STATIONS_MAX = 60
_LABEL_CHARACTERS_MAX = 16
_LABEL_GAPS_MM = (2.0, 3.6, 5.5)
_LATIN_WIDTH = 0.58
_GRID, _FEEDER, _LOW = "#9aa7b4", "#222222", "#d5dade"
Floats = NDArray[np.float64]

SYMBOLS = {
    "yes": f'<circle r="1.3" fill="{COLORS["yes"]}" stroke="#ffffff" stroke-width="0.25"/>',
    "partly": f'<path d="M0,-1.7L1.6,1.1H-1.6Z" fill="{COLORS["partly"]}" stroke="#ffffff" stroke-width="0.25"/>',
    "no": f'<path d="M-1.2,-1.2L1.2,1.2M-1.2,1.2L1.2,-1.2" stroke="#ffffff" stroke-width="1.2"/>'
    f'<path d="M-1.2,-1.2L1.2,1.2M-1.2,1.2L1.2,-1.2" stroke="{COLORS["no"]}" stroke-width="0.7"/>',
    "not_assessable": f'<path d="M0,-1.5L1.5,0L0,1.5L-1.5,0Z" fill="#ffffff" stroke="{COLORS["not_assessable"]}"'
    ' stroke-width="0.45"/>',
}
"""Shape and colour say the same."""
_STATION = f'<rect x="-1.5" y="-1.5" width="3" height="3" fill="{DARK}" stroke="#ffffff" stroke-width="0.3"/>'


@dataclass(kw_only=True)
class _Sheet:
    plane: LocalPlane
    x0_m: float
    y0_m: float
    mm_per_m: float
    shapes: list[str] = field(default_factory=list)
    taken: list[Box] = field(default_factory=list)
    legend: dict[str, str] = field(default_factory=dict)

    def on_paper(self, lon_deg: Any, lat_deg: Any) -> tuple[Floats, Floats]:
        x_m, y_m = self.plane.to_metres(lon_deg, lat_deg)
        x = MAP_WIDTH_MM / 2 + (x_m - self.x0_m) * self.mm_per_m
        y = HEIGHT_MM / 2 - (y_m - self.y0_m) * self.mm_per_m
        return np.asarray(x, dtype=float), np.asarray(y, dtype=float)


def draw_area(results: Results, places: GridPlaces) -> str:
    """Return the whole area with every project by its verdict in the queue."""
    told = results.assessment.projects
    sheet = _sheet([_place(results, one.project_id) for one in told])
    _draw_lines(sheet, places, feeder_id=None)
    stations = _draw_stations(sheet, places)
    _draw_projects(sheet, results, places, told, has_numbers=False)
    for name, x, y in stations:
        _write_label(sheet, name, x, y, size=2.3, is_needed=True)
    return _finished(sheet)


def draw_feeder(results: Results, places: GridPlaces, feeder_id: str, project_ids: Sequence[str]) -> str:
    """Return one feeder with the projects that compete for it, named; the others of the area are drawn small.

    Args:
        results: What is drawn.
        places: The grid.
        feeder_id: Which feeder.
        project_ids: Who competes.
    """
    wanted = frozenset(project_ids)
    told = [one for one in results.assessment.projects if one.project_id in wanted]
    shown = _near(np.array([_place(results, one.project_id) for one in told], dtype=float))
    sheet = _sheet(shown)
    _draw_lines(sheet, places, feeder_id=feeder_id)
    stations = _draw_stations(sheet, places)
    others = [one for one in results.assessment.projects if one.project_id not in wanted]
    for one in others:
        x, y = _spot(sheet, _place(results, one.project_id))
        if _is_inside(x, y):
            sheet.shapes.append(f'<circle cx="{x:.2f}" cy="{y:.2f}" r="0.6" fill="#b5b5b5"/>')
            sheet.legend["其他项目"] = '<circle r="0.6" fill="#b5b5b5"/>'
    _draw_projects(sheet, results, places, told, has_numbers=True)
    for name, x, y in stations:
        _write_label(sheet, name, x, y, size=2.6)
    return _finished(sheet)


def _near(shown: Floats) -> list[Place]:
    """Return the places without those far from the others."""
    middle = np.median(shown, axis=0)
    far_m = distance_m(shown[:, 0], shown[:, 1], middle[0], middle[1])
    kept = shown[far_m <= max(float(np.median(far_m)) * _REACH_RATIO, _SPAN_M_MIN)]
    return [(lon, lat) for lon, lat in kept.tolist()]


def _sheet(shown: Sequence[Place]) -> _Sheet:
    """Fit places into the map's area."""
    lon, lat = (np.array([place[axis] for place in shown], dtype=float) for axis in (0, 1))
    plane = LocalPlane(float((lon.min() + lon.max()) / 2), float((lat.min() + lat.max()) / 2))
    x, y = plane.to_metres(lon, lat)
    width_m, height_m = max(float(np.ptp(x)), _SPAN_M_MIN), max(float(np.ptp(y)), _SPAN_M_MIN)
    scale = min((MAP_WIDTH_MM - 2 * _PADDING_MM) / width_m, (HEIGHT_MM - 2 * _PADDING_MM) / height_m)
    return _Sheet(
        plane=plane,
        x0_m=float((x.min() + x.max()) / 2),
        y0_m=float((y.min() + y.max()) / 2),
        mm_per_m=scale,
    )


def _draw_lines(sheet: _Sheet, places: GridPlaces, *, feeder_id: str | None) -> None:
    lines = places.snapshot.lines
    is_low = lines.u_nominal_kv.to_numpy(dtype=float) <= LOW_VOLTAGE_KV_MAX
    own = lines.feeder_id.to_numpy(dtype=object) == feeder_id if feeder_id is not None else np.zeros(len(lines), bool)
    levels = (
        (is_low & own, "所示馈线的低压线路", _LOW, 0.25),
        (~is_low & ~own, "10千伏线路" if feeder_id is None else "其他10千伏线路", _GRID, 0.3),
        (~is_low & own, "所示馈线", _FEEDER, 0.6),
    )
    for chosen, name, color, width in levels:
        path = "".join(_pieces(sheet, places, lines.index[chosen]))
        if path:
            pen = f'fill="none" stroke="{color}" stroke-width="{width}"'
            sheet.shapes.append(f'<path d="{path}" {pen}/>')
            sheet.legend[name] = f'<path d="M-3.5,0H3.5" {pen}/>'


def _pieces(sheet: _Sheet, places: GridPlaces, lines: Iterable[Any]) -> Iterable[str]:
    """Yield the lines that meet the map; all their vertices are projected at once."""
    routes = [route for line in lines if (route := places.routes.get(int(line))) is not None]
    if not routes:
        return
    whole = np.vstack(routes)
    x, y = sheet.on_paper(whole[:, 0], whole[:, 1])
    ends = np.cumsum([len(route) for route in routes])
    for end, route in zip(ends.tolist(), routes, strict=True):
        xs, ys = x[end - len(route) : end], y[end - len(route) : end]
        if xs.max() >= 0.0 and xs.min() <= MAP_WIDTH_MM and ys.max() >= 0.0 and ys.min() <= HEIGHT_MM:
            yield "M" + "L".join(f"{a:.1f},{b:.1f}" for a, b in zip(xs.tolist(), ys.tolist(), strict=True))


def _draw_stations(sheet: _Sheet, places: GridPlaces) -> list[tuple[str, float, float]]:
    """Draw the substations and return their names with where they stand; names are written when all else is drawn."""
    nodes = places.snapshot.nodes
    stations = nodes[nodes.kind == "substation_busbar"].drop_duplicates("substation_id").head(_STATIONS_MAX)
    named = []
    columns = [stations[name].tolist() for name in ("lon_deg", "lat_deg", "name", "substation_id")]
    for lon_deg, lat_deg, name, station in zip(*columns, strict=True):
        x, y = _spot(sheet, (lon_deg, lat_deg))
        if _is_inside(x, y):
            sheet.shapes.append(place_shape(x, y, _STATION))
            sheet.taken.append((x - 1.6, y - 1.6, x + 1.6, y + 1.6))
            sheet.legend["变电站（母线）"] = _STATION
            named.append((str(name or station), x, y))
    return named


def _draw_projects(
    sheet: _Sheet,
    results: Results,
    places: GridPlaces,
    told: Sequence[ProjectResult],
    *,
    has_numbers: bool,
) -> None:
    for one in told:
        end = None if one.queue.placement is None else places.point(one.queue.placement)
        if end is not None:
            (x, y), (a, b) = _spot(sheet, _place(results, one.project_id)), _spot(sheet, end)
            pen = f'stroke="{COLORS[one.queue.verdict]}" stroke-width="0.3"'
            sheet.shapes.append(f'<path d="M{x:.2f},{y:.2f}L{a:.2f},{b:.2f}" fill="none" {pen}/>')
            sheet.legend["项目至接入点"] = f'<path d="M-3.5,0H3.5" stroke="{COLORS["yes"]}" stroke-width="0.3"/>'
    # the rarer a verdict, the higher it lies: else the many hide the few
    counts = Counter(one.queue.verdict for one in told)
    scale = 1.0 if len(told) <= _FULL_SIZE_MAX else _SMALL_RATIO
    spots = []
    for one in sorted(told, key=lambda one: (-counts[one.queue.verdict], one.queue.verdict)):
        x, y = _spot(sheet, _place(results, one.project_id))
        sheet.shapes.append(place_shape(x, y, f'<g transform="scale({scale:g})">{SYMBOLS[one.queue.verdict]}</g>'))
        spots.append((one, x, y))
        sheet.taken.append((x - 1.4, y - 1.4, x + 1.4, y + 1.4))
    for verdict in VERDICT_ORDER:
        if counts[verdict]:
            sheet.legend[VERDICTS[verdict]] = SYMBOLS[verdict]
    for one, x, y in reversed(spots if has_numbers else []):
        _write_label(sheet, str(one.queue_no), x, y, size=2.6)


def _write_label(sheet: _Sheet, text: str, x: float, y: float, *, size: float, is_needed: bool = False) -> None:
    """Write a label beside a mark where it covers nothing; where there is no room only one that is needed."""
    if len(text) > _LABEL_CHARACTERS_MAX:
        text = text[: _LABEL_CHARACTERS_MAX - 1] + "…"
    width = sum(1.0 if ord(c) > 0x2E7F else _LATIN_WIDTH for c in text) * size + 0.6
    height = size + 0.4
    boxes = [
        (left, top, left + width, top + height)
        for left, top in label_places(x, y, width, height, gaps_mm=_LABEL_GAPS_MM)
    ]
    on_map = [
        box
        for box in boxes
        if box[0] >= 0.5 and box[2] <= MAP_WIDTH_MM - 0.5 and box[1] >= 0.5 and box[3] <= HEIGHT_MM - 0.5
    ]
    free = (box for box in on_map if not any(overlap(box, other) for other in sheet.taken))
    box = next(free, on_map[0] if is_needed and on_map else None)
    if box is not None:
        sheet.taken.append(box)
        halo = ' stroke="#ffffff" stroke-width="0.6" paint-order="stroke" stroke-linejoin="round"'
        sheet.shapes.append(draw_text(text, box[0] + 0.3, box[3] - 0.7, size=size, extra=halo))


def _finished(sheet: _Sheet) -> str:
    clip = f'<clipPath id="area"><rect width="{MAP_WIDTH_MM:g}" height="{HEIGHT_MM:g}"/></clipPath>'
    area = ['<g clip-path="url(#area)">', *sheet.shapes, "</g>"]
    border = f'<rect x="0.15" y="0.15" width="{WIDTH_MM - 0.3:g}" height="{HEIGHT_MM - 0.3:g}" '
    border += f'fill="none" stroke="{DARK}" stroke-width="0.3"/>'
    border += f'<path d="M{MAP_WIDTH_MM:g},0V{HEIGHT_MM:g}" stroke="{DARK}" stroke-width="0.25"/>'
    return frame(WIDTH_MM, HEIGHT_MM, [clip, *area, border, *_key(sheet)])


def _key(sheet: _Sheet) -> list[str]:
    """North arrow, legend and scale bar in the strip beside the map."""
    left, middle = MAP_WIDTH_MM + 3.5, (MAP_WIDTH_MM + WIDTH_MM) / 2
    arrow = f'<path d="M0,-5.5L2.2,3.5L0,1.8L-2.2,3.5Z" fill="{DARK}"/>'
    shapes = [place_shape(middle, 12.0, arrow), draw_text("北", middle, 5.2, anchor="middle")]
    for row, (name, mark) in enumerate(reversed(sheet.legend.items())):
        y = 24.0 + 6.0 * row
        shapes += [place_shape(left + 3.5, y, mark), draw_text(name, left + 9.0, y + 1.0)]
    bar_m = find_bar_m(sheet.mm_per_m)
    bar, y = bar_m * sheet.mm_per_m, HEIGHT_MM - 7.0
    x = middle - bar / 2
    pen = f'fill="none" stroke="{DARK}" stroke-width="0.4"'
    shapes.append(f'<path d="M{x:.2f},{y - 1.5:.2f}v1.5h{bar:.2f}v-1.5" {pen}/>')
    length = f"{bar_m:g} m" if bar_m < 1000 else f"{bar_m / 1000:g} km"
    shapes.append(draw_text(length, middle, y - 2.3, anchor="middle"))
    shapes.append(draw_text("示意图，坐标CGCS2000", middle, HEIGHT_MM - 2.4, anchor="middle", size=2.3))
    return shapes


def _place(results: Results, project_id: str) -> Place:
    project = results.project_of[project_id]
    return project.lon_deg, project.lat_deg


def _spot(sheet: _Sheet, place: Place) -> tuple[float, float]:
    x, y = sheet.on_paper(*place)
    return float(x), float(y)


def _is_inside(x: float, y: float) -> bool:
    return 0.0 <= x <= MAP_WIDTH_MM and 0.0 <= y <= HEIGHT_MM
