"""Plots of the report as SVG: verdicts as bars, the load of elements by year against their limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scheme.assessment.records import YearOfElement
from scheme.assessment_files.summary import Summary
from scheme.assessment_files.words import ELEMENT_KINDS, VERDICTS
from scheme.document.sketch_sheet import DARK, draw_text
from scheme.document.wording import number

WIDTH_MM = 257.0
PANELS_MAX = 12
_PANELS_ACROSS = 4
_PANEL_HEIGHT_MM = 47.0
_BARS_HEIGHT_MM = 31.0
_LEFT_MM, _RIGHT_MM, _TOP_MM, _BOTTOM_MM = 13.0, 4.0, 11.0, 6.0
"""Room around the curve of a panel."""
_NAME_CHARACTERS_MAX = 17
_YEARS_SHOWN_MAX = 6
_HEADROOM_RATIO = 1.12
COLORS = {"yes": "#0072b2", "partly": "#e69f00", "no": "#d55e00", "not_assessable": "#7a7a7a"}
"""Colours people with any kind of colour vision tell apart (Okabe and Ito)."""
_BLUE, _RED, _PALE = COLORS["yes"], COLORS["no"], "#dcdcdc"
_SMALL = 2.4


def frame(width_mm: float, height_mm: float, shapes: Sequence[str]) -> str:
    """Return a drawing of shapes as SVG."""
    size = f'width="{width_mm:g}mm" height="{height_mm:g}mm" viewBox="0 0 {width_mm:g} {height_mm:g}"'
    family = "font-family=\"'Noto Sans SC','Microsoft YaHei','SimHei',sans-serif\""
    sheet = f'<rect width="{width_mm:g}" height="{height_mm:g}" fill="#ffffff"/>'
    body = "\n".join(shapes)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {family} fill="{DARK}">\n{sheet}\n{body}\n</svg>\n'


def draw_verdicts(summary: Summary) -> str:
    """Return two bars: projects by verdict, each alone and in the queue."""
    shapes, total = list[str](), max(summary.projects_count, 1)
    left, room = 24.0, WIDTH_MM - 28.0
    for row, title in enumerate(("单独接入", "队列接入")):
        y = 1.0 + 11.0 * row
        shapes.append(draw_text(title, left - 2.0, y + 5.6, anchor="end", size=3.2))
        x = left
        for line in summary.verdicts:
            count = line.queue_count if row else line.alone_count
            width = room * count / total
            if count:
                pen = f'fill="{COLORS[line.verdict]}" stroke="#ffffff" stroke-width="0.4"'
                shapes.append(f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="8" {pen}/>')
                if width > 7.0:
                    shapes.append(
                        draw_text(
                            str(count), x + width / 2, y + 5.4, anchor="middle", size=3.4, extra=' fill="#ffffff"'
                        )
                    )
            x += width
    x = left
    for line in summary.verdicts:
        shapes.append(f'<rect x="{x:.2f}" y="24.5" width="4" height="4" fill="{COLORS[line.verdict]}"/>')
        shapes.append(draw_text(VERDICTS[line.verdict], x + 5.5, 27.8, size=3.2))
        x += 34.0
    return frame(WIDTH_MM, _BARS_HEIGHT_MM, shapes)


def draw_years(elements: Sequence[YearOfElement]) -> str:
    """Return a panel an element, at most ``PANELS_MAX``: load by year, its limit, the year it runs out in."""
    shown = elements[:PANELS_MAX]
    width_mm = WIDTH_MM / _PANELS_ACROSS
    shapes: list[str] = []
    for place, element in enumerate(shown):
        row, column = divmod(place, _PANELS_ACROSS)
        shapes += _panel(element, column * width_mm, row * _PANEL_HEIGHT_MM, width_mm)
    rows = (len(shown) + _PANELS_ACROSS - 1) // _PANELS_ACROSS
    return frame(WIDTH_MM, max(rows, 1) * _PANEL_HEIGHT_MM, shapes)


def _panel(element: YearOfElement, left: float, top: float, width_mm: float) -> Iterator[str]:
    x0, x1 = left + _LEFT_MM, left + width_mm - _RIGHT_MM
    y0, y1 = top + _PANEL_HEIGHT_MM - _BOTTOM_MM, top + _TOP_MM
    loads = element.load_by_year_kva
    highest = max([element.limit_kva, element.load_kva, *(kva for _, kva in loads)]) * _HEADROOM_RATIO or 1.0
    first, last = loads[0][0], loads[-1][0]

    def spot(year: int, kva: float) -> tuple[float, float]:
        share = (year - first) / (last - first) if last > first else 0.5
        return x0 + (x1 - x0) * share, y0 - (y0 - y1) * kva / highest

    name = element.name
    shown = name if len(name) <= _NAME_CHARACTERS_MAX else f"{name[: _NAME_CHARACTERS_MAX - 1]}…"
    yield draw_text(shown, left + 2.0, top + 4.0, size=3.0)
    out = "" if element.runs_out_in is None else f"，{element.runs_out_in} 年耗尽"
    yield draw_text(f"{ELEMENT_KINDS[element.element_kind]}{out}", left + 2.0, top + 7.8, size=_SMALL)
    yield f'<path d="M{x0:.2f},{y1:.2f}V{y0:.2f}H{x1:.2f}" fill="none" stroke="{DARK}" stroke-width="0.25"/>'
    limit_y = spot(first, element.limit_kva)[1]
    dashes = f'stroke="{_RED}" stroke-width="0.4" stroke-dasharray="1.6 1"'
    yield f'<path d="M{x0:.2f},{limit_y:.2f}H{x1:.2f}" fill="none" {dashes}/>'
    yield draw_text(number(element.limit_kva, 0), x0 - 1.0, limit_y + 0.8, anchor="end", size=_SMALL)
    peak = max(kva for _, kva in loads)
    peak_y = spot(first, peak)[1]
    if abs(peak_y - limit_y) > 3.0:
        yield f'<path d="M{x0 - 0.8:.2f},{peak_y:.2f}h0.8" stroke="{DARK}" stroke-width="0.25"/>'
        yield draw_text(number(peak, 0), x0 - 1.0, peak_y + 0.8, anchor="end", size=_SMALL)
    spots = [spot(year, kva) for year, kva in loads]
    path = "L".join(f"{x:.2f},{y:.2f}" for x, y in spots)
    yield f'<path d="M{path}" fill="none" stroke="{_BLUE}" stroke-width="0.6"/>'
    step = -(-len(loads) // _YEARS_SHOWN_MAX)
    for place, ((year, kva), (x, y)) in enumerate(zip(loads, spots, strict=True)):
        is_over = kva > element.limit_kva
        fill = _RED if is_over else "#ffffff"
        mark = f"M{x:.2f},{y - 1.1:.2f}l1.1,1.9h-2.2z" if is_over else ""
        pen = f'fill="{fill}" stroke="{_RED if is_over else _BLUE}" stroke-width="0.4"'
        yield f'<path d="{mark}" {pen}/>' if is_over else f'<circle cx="{x:.2f}" cy="{y:.2f}" r="0.8" {pen}/>'
        if place % step == 0:
            yield draw_text(str(year), x, y0 + 3.4, anchor="middle", size=_SMALL)
