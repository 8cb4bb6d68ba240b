"""Voltage along the supply path of every source (供电路径电压) as curves, SVG: before and after the connection."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from scheme.document.wording import fixed
from scheme.model import Scheme, Verification

WIDTH_MM, HEIGHT_MM = 170.0, 38.0
PANELS_MAX = 2
_LEFT_MM, _RIGHT_MM, _TOP_MM, _BOTTOM_MM = 12.0, 17.0, 8.0, 8.0
"""Room around the curves of a panel: axis, the figure at the customer's end, title, distances."""
_STEPS = (0.005, 0.01, 0.02, 0.05, 0.1)
_LINES_MAX = 5
_TEXT_MM, _SMALL_MM = 2.7, 2.3
_BLUE, _RED, _GREY, _PALE, _DARK = "#1f5fa8", "#c00000", "#8a8a8a", "#dcdcdc", "#333333"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One source's path: distance from the source (km) and voltages in per unit; before ``None`` where unknown."""

    title: str
    points: tuple[tuple[float, float | None, float], ...]
    """Distance, voltage before, voltage after."""


def list_profiles(scheme: Scheme) -> list[Profile]:
    """Return the paths that are drawn: of the first two sources, where their voltages were recorded."""
    if not scheme.variants:
        return []
    best = scheme.variants[0]
    checks = [best.verification, *(source.verification for source in best.further_sources)]
    titles = [f"电源{place}（其余电源退出）" for place in range(1, len(checks) + 1)] if len(checks) > 1 else [""]
    profiles = [Profile(title=title, points=_points(check)) for title, check in zip(titles, checks, strict=True)]
    return [profile for profile in profiles if len(profile.points) > 1][:PANELS_MAX]


def _points(check: Verification) -> tuple[tuple[float, float | None, float], ...]:
    found = []
    for node in check.voltage_profile:
        distance, before, after = (node.get(key) for key in ("distance_km", "u_pu_before", "u_pu_after"))
        if distance is not None and after is not None:
            found.append((float(distance), None if before is None else float(before), float(after)))
    return tuple(found)


def render_profile(scheme: Scheme) -> str:
    """Return a panel per source, side by side; an empty strip without any."""
    profiles = list_profiles(scheme)
    width_mm = WIDTH_MM / max(len(profiles), 1)
    shapes: list[str] = []
    for place, profile in enumerate(profiles):
        shapes += _panel(profile, left=place * width_mm, width_mm=width_mm)
    size = f'width="{WIDTH_MM:g}mm" height="{HEIGHT_MM:g}mm" viewBox="0 0 {WIDTH_MM:g} {HEIGHT_MM:g}"'
    family = "font-family=\"'Noto Sans SC','Microsoft YaHei','SimHei',sans-serif\""
    sheet = f'<rect width="{WIDTH_MM:g}" height="{HEIGHT_MM:g}" fill="#ffffff"/>'
    body = "\n".join(shapes)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {family}>\n{sheet}\n{body}\n</svg>\n'


def _panel(profile: Profile, *, left: float, width_mm: float) -> list[str]:
    x0, x1 = left + _LEFT_MM, left + width_mm - _RIGHT_MM
    y0, y1 = HEIGHT_MM - _BOTTOM_MM, _TOP_MM
    levels = _levels(profile)
    end_km = max(point[0] for point in profile.points) or 1.0

    def spot(distance_km: float, u_pu: float) -> str:
        x = x0 + (x1 - x0) * distance_km / end_km
        y = y0 + (y1 - y0) * (u_pu - levels[0]) / (levels[-1] - levels[0])
        return f"{x:.2f},{y:.2f}"

    shapes = [_text(profile.title, left + 1.0, 3.2), *_legend(left + width_mm - 36.0, 3.2)]
    for level in levels:
        shapes.append(f'<path d="M{spot(0, level)}L{spot(end_km, level)}" stroke="{_PALE}" stroke-width="0.2"/>')
        level_y = float(spot(0, level).split(",")[1])
        shapes.append(_text(fixed(level, 3), x0 - 1.0, level_y + 0.9, size=_SMALL_MM, anchor="end"))
    shapes += [
        _text(f"{share * end_km:.2f}", x0 + (x1 - x0) * share, y0 + 3.4, size=_SMALL_MM, anchor="middle")
        for share in (0.0, 0.5, 1.0)
    ]
    shapes.append(_text("距电源 km", (x0 + x1) / 2, y0 + 6.6, size=_SMALL_MM, anchor="middle"))
    before = [spot(distance, u) for distance, u, _ in profile.points if u is not None]
    after = [spot(distance, u) for distance, _, u in profile.points]
    shapes.append(_curve(before, f'stroke="{_GREY}" stroke-width="0.4" stroke-dasharray="1.6 1"'))
    shapes.append(_curve(after, f'stroke="{_BLUE}" stroke-width="0.6"'))
    end_x, end_y = (float(value) for value in after[-1].split(","))
    shapes.append(f'<circle cx="{end_x:.2f}" cy="{end_y:.2f}" r="0.9" fill="{_RED}"/>')
    shapes.append(
        _text(f"客户 {fixed(profile.points[-1][2], 4)}", end_x + 1.5, end_y + 0.9, size=_SMALL_MM, color=_RED)
    )
    return shapes


def _levels(profile: Profile) -> list[float]:
    """Return the grid lines: round voltages from below the lowest to above the highest."""
    voltages = [u for _, before, after in profile.points for u in (before, after) if u is not None]
    low, high = min(voltages), max(voltages)
    step = next((step for step in _STEPS if _count(low, high, step) <= _LINES_MAX), (high - low) or _STEPS[0])
    first = math.floor(low / step)
    return [(first + place) * step for place in range(max(_count(low, high, step), 2))]


def _count(low: float, high: float, step: float) -> int:
    return math.ceil(high / step) - math.floor(low / step) + 1


def _legend(x: float, y: float) -> Iterator[str]:
    for place, (name, pen) in enumerate(
        (
            ("接入前", f'stroke="{_GREY}" stroke-width="0.4" stroke-dasharray="1.6 1"'),
            ("接入后", f'stroke="{_BLUE}" stroke-width="0.6"'),
        )
    ):
        left = x + 19.0 * place
        yield f'<path d="M{left:.2f},{y - 0.9:.2f}h6" fill="none" {pen}/>'
        yield _text(name, left + 7.0, y, size=_SMALL_MM)


def _curve(spots: list[str], pen: str) -> str:
    return f'<path d="M{"L".join(spots)}" fill="none" {pen}/>' if len(spots) > 1 else ""


def _text(text: str, x: float, y: float, *, size: float = _TEXT_MM, color: str = _DARK, anchor: str = "start") -> str:
    place = f'x="{x:.2f}" y="{y:.2f}" font-size="{size:g}" fill="{color}" text-anchor="{anchor}"'
    return f"<text {place}>{escape(text)}</text>"
