"""Score and money of every variant as bars (评分构成与出资), SVG: a line per variant; parts, total, who pays."""

from __future__ import annotations

from xml.sax.saxutils import escape

from scheme.document.layout import COMPARED_MAX
from scheme.document.wording import SCORE_PARTS, fixed, number
from scheme.model import Scheme, Variant

WIDTH_MM = 170.0
_HEAD_MM, _LINE_MM, _FOOT_MM = 9.8, 5.0, 1.0
_NAME_MM = 23.0
_GAP_MM = 2.4
_BAR_MM = 3.0
_TOTAL_SHARE = 1.3
"""Width of the total's column relative to a part's."""
_MONEY_MM = 46.0
"""Width of the column of money, with the sum behind its bar."""
_SUM_MM = 13.0
_TEXT_MM, _SMALL_MM = 2.8, 2.4
_FIGURE_MM = 7.4
"""Room for the figure behind a bar."""
_BLUE, _PALE_BLUE, _RED, _GREY, _DARK = "#1f5fa8", "#9fbfe0", "#c00000", "#e6e6e6", "#333333"
_CUSTOMER = "#e0a030"


def render_scores(scheme: Scheme) -> str:
    """Return the bars of at most five variants; an empty strip without any."""
    shown = scheme.variants[:COMPARED_MAX]
    parts = sorted(shown[0].score.weights) if shown else []
    height_mm = _HEAD_MM + _LINE_MM * len(shown) + _FOOT_MM
    pitch = (WIDTH_MM - _NAME_MM - _MONEY_MM - 1.0) / (len(parts) + _TOTAL_SHARE)
    shapes: list[str] = []
    for column, key in enumerate(parts):
        x = _NAME_MM + column * pitch
        weight = number(shown[0].score.weights[key], 3)
        shapes += [_text(SCORE_PARTS.get(key, key), x, 4.0), _text(f"权重 {weight}", x, 7.6, size=_SMALL_MM)]
    if shown:
        shapes.append(_text("综合评分", _NAME_MM + len(parts) * pitch, 4.0))
        shapes += _money_head(WIDTH_MM - _MONEY_MM)
        shapes.append(f'<path d="M0,{_HEAD_MM - 1.2:g}H{WIDTH_MM:g}" stroke="{_DARK}" stroke-width="0.25"/>')
    most_cny10k = max((variant.cost.total_typical_cny10k for variant in shown), default=0.0)
    for line, variant in enumerate(shown):
        y = _HEAD_MM + _LINE_MM * (line + 0.5)
        shapes += _line(variant, parts, y=y, pitch=pitch, is_best=line == 0)
        shapes += _money(variant, most_cny10k, y=y)
    return _svg(shapes, height_mm)


def _line(variant: Variant, parts: list[str], *, y: float, pitch: float, is_best: bool) -> list[str]:
    name = f"方案{variant.rank}" + ("（推荐）" if is_best else "")
    shapes = [_text(name, 0.5, y + 1.0, color=_RED if is_best else _DARK)]
    for column, key in enumerate(parts):
        value = variant.score.parts.get(key, 0.0)
        shapes += _bar(value, _NAME_MM + column * pitch, y, pitch, _BLUE if is_best else _PALE_BLUE)
    total = _NAME_MM + len(parts) * pitch
    return shapes + _bar(variant.score.total, total, y, pitch * _TOTAL_SHARE, _RED if is_best else _DARK)


def _money_head(x: float) -> list[str]:
    """Return the title of the money column and what its two colours mean."""
    y = 5.6
    return [
        _text("估算造价（万元）", x, 4.0),
        f'<rect x="{x:.2f}" y="{y:g}" width="2" height="2" fill="{_BLUE}"/>',
        _text("供电企业投资", x + 2.6, y + 2.0, size=_SMALL_MM),
        f'<rect x="{x + 20:.2f}" y="{y:g}" width="2" height="2" fill="{_CUSTOMER}"/>',
        _text("客户投资", x + 22.6, y + 2.0, size=_SMALL_MM),
    ]


def _money(variant: Variant, most_cny10k: float, *, y: float) -> list[str]:
    """Return the estimate as one bar: the utility's part, then the customer's, and the sum behind."""
    cost, x = variant.cost, WIDTH_MM - _MONEY_MM
    mm_per_cny10k = (_MONEY_MM - _SUM_MM) / most_cny10k if most_cny10k > 0.0 else 0.0
    shapes: list[str] = []
    for amount_cny10k, color in ((cost.utility_typical_cny10k, _BLUE), (cost.customer_typical_cny10k, _CUSTOMER)):
        width_mm = amount_cny10k * mm_per_cny10k
        place = f'x="{x:.2f}" y="{y - _BAR_MM / 2:.2f}" height="{_BAR_MM:g}"'
        shapes += [f'<rect {place} width="{width_mm:.2f}" fill="{color}"/>'] if width_mm > 0.0 else []
        x += width_mm
    return [*shapes, _text(fixed(cost.total_typical_cny10k, 2), x + 0.8, y + 0.9, size=_SMALL_MM)]


def _bar(value: float, x: float, y: float, pitch: float, color: str) -> list[str]:
    """Return a bar of ``value`` (0..1) on its grey full length, and the figure behind it."""
    full_mm = pitch - _GAP_MM - _FIGURE_MM
    place = f'x="{x:.2f}" y="{y - _BAR_MM / 2:.2f}" height="{_BAR_MM:g}"'
    filled_mm = full_mm * min(max(value, 0.0), 1.0)
    return [
        f'<rect {place} width="{full_mm:.2f}" fill="{_GREY}"/>',
        f'<rect {place} width="{filled_mm:.2f}" fill="{color}"/>',
        _text(fixed(value, 3), x + full_mm + 0.8, y + 0.9, size=_SMALL_MM),
    ]


def _text(text: str, x: float, y: float, *, size: float = _TEXT_MM, color: str = _DARK) -> str:
    return f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size:g}" fill="{color}">{escape(text)}</text>'


def _svg(shapes: list[str], height_mm: float) -> str:
    size = f'width="{WIDTH_MM:g}mm" height="{height_mm:g}mm" viewBox="0 0 {WIDTH_MM:g} {height_mm:g}"'
    family = "font-family=\"'Noto Sans SC','Microsoft YaHei','SimHei',sans-serif\""
    sheet = f'<rect width="{WIDTH_MM:g}" height="{height_mm:g}" fill="#ffffff"/>'
    body = "\n".join(shapes)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {family}>\n{sheet}\n{body}\n</svg>\n'
