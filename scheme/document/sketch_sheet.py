"""Paper of the location sketch: shapes, labels that cover nothing, texts and the sheet itself (mm)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from scheme.document.glyphs import replace_missing
from scheme.document.wording import NOT_APPLICABLE

WIDTH_MM, HEIGHT_MM = 170.0, 94.0
MAP_WIDTH_MM = 131.0
DARK = "#333333"
_LABEL_CHARACTERS_MAX = 18
_TEXT_MM = 2.8
_LATIN_WIDTH = 0.56
_BAR_MM_MAX = 26.0
_LABEL_GAPS_MM = (2.8, 5.0, 8.0)

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(kw_only=True)
class SketchSheet:
    """Shapes drawn so far, the areas labels must keep clear of, and the legend's entries in order of use."""

    shapes: list[str] = field(default_factory=list)
    taken: list[Box] = field(default_factory=list)
    crossed: list[Box] = field(default_factory=list)
    """Lines of the grid: a label stands on them only where there is no other room."""
    legend: dict[str, str] = field(default_factory=dict)


def write_label(sheet: SketchSheet, text: str, x: float, y: float) -> None:
    """Write a label beside a mark where it covers nothing; in the last resort leave it out, the table names it."""
    if len(text) > _LABEL_CHARACTERS_MAX:
        text = text[: _LABEL_CHARACTERS_MAX - 1] + "…"
    width = sum(1.0 if ord(c) > 0x2E7F else _LATIN_WIDTH for c in text) * _TEXT_MM + 0.8
    height = _TEXT_MM + 0.8
    for avoided in ([*sheet.taken, *sheet.crossed], sheet.taken):
        for left, top in label_places(x, y, width, height, gaps_mm=_LABEL_GAPS_MM):
            box = (left, top, left + width, top + height)
            inside = box[0] >= 0.5 and box[2] <= MAP_WIDTH_MM - 0.5 and box[1] >= 0.5 and box[3] <= HEIGHT_MM - 0.5
            if inside and not any(overlap(box, other) for other in avoided):
                sheet.taken.append(box)
                halo = ' stroke="#ffffff" stroke-width="0.7" paint-order="stroke" stroke-linejoin="round"'
                sheet.shapes.append(draw_text(text, left + 0.4, top + height - 1.0, extra=halo))
                return


def label_places(
    x: float, y: float, width: float, height: float, *, gaps_mm: Sequence[float]
) -> Iterator[tuple[float, float]]:
    """Yield left and top of a label around a mark, the best place first, nearest to the mark first."""
    for gap in gaps_mm:
        yield x + gap, y - height / 2
        yield x - gap - width, y - height / 2
        yield x - width / 2, y - gap - height
        yield x - width / 2, y + gap
        yield x + gap * 0.7, y - gap * 0.7 - height
        yield x + gap * 0.7, y + gap * 0.7
        yield x - gap * 0.7 - width, y - gap * 0.7 - height
        yield x - gap * 0.7 - width, y + gap * 0.7


def overlap(a: Box, b: Box) -> bool:
    """Return whether two boxes cover each other."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def place_shape(x: float, y: float, shape: str) -> str:
    """Return a shape drawn around the origin, moved to a spot."""
    return f'<g transform="translate({x:.2f},{y:.2f})">{shape}</g>'


def draw_text(text: str, x: float, y: float, *, anchor: str = "start", size: float = _TEXT_MM, extra: str = "") -> str:
    """Return a text; what no font draws is marked."""
    shown = escape(replace_missing(text)[0]) or NOT_APPLICABLE
    return f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size:g}" text-anchor="{anchor}"{extra}>{shown}</text>'


def frame_svg(shapes: list[str]) -> str:
    """Return the whole drawing as SVG."""
    size = f'width="{WIDTH_MM:g}mm" height="{HEIGHT_MM:g}mm" viewBox="0 0 {WIDTH_MM:g} {HEIGHT_MM:g}"'
    family = "font-family=\"'Noto Sans SC','Microsoft YaHei','SimHei',sans-serif\""
    sheet = f'<rect width="{WIDTH_MM:g}" height="{HEIGHT_MM:g}" fill="#ffffff"/>'
    body = "\n".join(shapes)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {family} fill="{DARK}">\n{sheet}\n{body}\n</svg>\n'


def draw_key(sheet: SketchSheet, mm_per_m: float) -> list[str]:
    """North arrow, legend and scale bar in the strip beside the map."""
    left, middle = MAP_WIDTH_MM + 3.5, (MAP_WIDTH_MM + WIDTH_MM) / 2
    arrow = f'<path d="M0,-5.5L2.2,3.5L0,1.8L-2.2,3.5Z" fill="{DARK}"/>'
    shapes = [place_shape(middle, 11.0, arrow), draw_text("北", middle, 4.6, anchor="middle")]
    pitch = min(4.7, 60.0 / max(len(sheet.legend), 1))
    for row, (name, mark) in enumerate(reversed(sheet.legend.items())):
        y = 20.0 + pitch * row
        shapes += [place_shape(left + 3.5, y, mark), draw_text(name, left + 9.0, y + 1.0)]
    bar_m = find_bar_m(mm_per_m)
    bar, y = bar_m * mm_per_m, HEIGHT_MM - 6.0
    pen = f'fill="none" stroke="{DARK}" stroke-width="0.4"'
    x = middle - bar / 2
    shapes.append(f'<path d="M{x:.2f},{y - 1.5:.2f}v1.5h{bar:.2f}v-1.5M{middle:.2f},{y - 0.9:.2f}v0.9" {pen}/>')
    shapes.append(draw_text("0", x, y - 2.3, anchor="middle"))
    length = f"{bar_m:g} m" if bar_m < 1000 else f"{bar_m / 1000:g} km"
    shapes.append(draw_text(length, x + bar, y - 2.3, anchor="middle"))
    shapes.append(draw_text("示意图，坐标CGCS2000", middle, HEIGHT_MM - 2.0, anchor="middle", size=2.3))
    return shapes


def find_bar_m(mm_per_m: float) -> float:
    """Return the longest 1, 2 or 5 times a power of ten (m) that the scale bar has room for."""
    room_m = _BAR_MM_MAX / mm_per_m
    power = 10.0 ** math.floor(math.log10(room_m))
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= room_m)
