"""Puts the symbols of a plan onto the sheet of the single-line diagram (mm, origin at the lower left)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from scheme.document.single_line import Boundary, Plan, Stage, Step
from scheme.document.symbols import HALF_HEIGHT_MM, METER_TEXT_X_MM, Segment

WIDTH_MM, HEIGHT_MM = 170.0, 137.0
Align = Literal["MIDDLE_LEFT", "MIDDLE_CENTER", "MIDDLE_RIGHT"]

_MARGIN_MM = 3.0
_REACH_MM = 21.0
"""Labels keep this far from the axis: the widest symbol ends before."""
_STAGE_MM_MAX = 14.0
_TITLE_MM = 4.5
_FOOT_MM = 4.0
_LATIN_WIDTH = 0.56
"""Width of a Latin letter relative to a Chinese character."""
_LABEL_LINES_MAX = 3
_NEVER_FIRST, _NEVER_LAST = "，。、；：）》”％", "（《“"
"""Closing marks stay on the line they close, opening ones on the line they open."""
_PIECE = re.compile(r"(?:TA|TV) [!-~]+|[0-9][0-9.]* [A-Za-z]+|[!-~]+|.", re.DOTALL)
"""Ratio of an instrument transformer, figure with its unit, Latin run, or any other character."""
_HEAVY, _BOLD = 70, 35
"""Line weights (hundredths of a millimetre)."""


class Sheet(Protocol):
    """What is drawn on."""

    def draw(self, segments: Sequence[Segment], *, layer: str, weight: int = 30, linetype: str = "CONTINUOUS") -> None:
        """Draw straight lines."""

    def place(self, symbol: str, x_mm: float, y_mm: float) -> None:
        """Place a symbol with its middle at a spot."""

    def write(self, text: str, x_mm: float, y_mm: float, *, align: Align, height_mm: float) -> None:
        """Write one line, centred in height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """Where a chain stands and how it is labelled."""

    axis_mm: float
    side: Literal["both", "left", "right"]
    from_mm: float
    to_mm: float
    text_mm: float
    leading_mm: float
    boundary_ratio: float
    """Height of a boundary line relative to a stage."""


_RIGHT_EDGE_MM = WIDTH_MM - _MARGIN_MM
_ALONE = _Column(
    axis_mm=72.0,
    side="both",
    from_mm=_MARGIN_MM,
    to_mm=_RIGHT_EDGE_MM,
    text_mm=2.7,
    leading_mm=4.2,
    boundary_ratio=0.95,
)
_LEFT = _Column(
    axis_mm=64.0, side="left", from_mm=_MARGIN_MM, to_mm=83.5, text_mm=2.3, leading_mm=3.1, boundary_ratio=1.2
)
_RIGHT = replace(_LEFT, axis_mm=106.0, side="right", from_mm=86.5, to_mm=_RIGHT_EDGE_MM)
_MIDDLE = replace(_RIGHT, axis_mm=85.0, from_mm=_MARGIN_MM)
_MIDDLE_MM = _MIDDLE.axis_mm


def draw_plan(sheet: Sheet, plan: Plan) -> None:
    """Draw one chain, or two side by side that meet at the customer's busbar (a third one in short between them)."""
    note = "示意图，不按比例；图面单位 mm"
    sheet.write(note, WIDTH_MM - _MARGIN_MM, 1.8, align="MIDDLE_RIGHT", height_mm=2.1)
    if plan.busbar is None:
        steps = plan.chains[0]
        weight = _weight(steps, _ALONE)
        pitch = _pitch(weight, HEIGHT_MM - 2 * _MARGIN_MM)
        top = HEIGHT_MM - (HEIGHT_MM - pitch * weight) / 2
        _draw_chain(sheet, steps, _ALONE, top=top, pitch=pitch)
        return
    _draw_several(sheet, plan, plan.busbar)


def _weight(steps: Sequence[Step], column: _Column) -> float:
    return sum(column.boundary_ratio if isinstance(step, Boundary) else 1.0 for step in steps)


def _pitch(weight: float, room_mm: float) -> float:
    return min(room_mm / weight, _STAGE_MM_MAX)


def _draw_several(sheet: Sheet, plan: Plan, busbar: Stage) -> None:
    weights = [_weight(chain, _LEFT) for chain in plan.chains]
    room_mm = HEIGHT_MM - _MARGIN_MM - _TITLE_MM - _FOOT_MM
    pitch = _pitch(max(weights[:2]) + 1.0 + len(plan.station), room_mm)
    busbar_y = _FOOT_MM + pitch * (len(plan.station) + 0.5)
    ends = []
    for chain, weight, column, title in zip(plan.chains, weights, (_LEFT, _RIGHT), plan.titles, strict=False):
        top = busbar_y + pitch * (weight + 0.5)
        sheet.write(title, column.axis_mm, top + 2.2, align="MIDDLE_CENTER", height_mm=2.6)
        ends.append(_draw_chain(sheet, chain, column, top=top, pitch=pitch))
        sheet.draw([(column.axis_mm, ends[-1], column.axis_mm, busbar_y)], layer="wires")
    breakers = 0.5 if isinstance(plan.chains[0][-1], Stage) and plan.chains[0][-1].symbol == "breaker" else 1.5
    _draw_interlock(sheet, busbar_y + pitch * (breakers + 0.5))
    if len(plan.chains) > len(ends):
        _draw_third(sheet, plan, busbar_y, pitch)
    _draw_busbar(sheet, plan, busbar, busbar_y)
    for column in (_LEFT, _RIGHT) if plan.is_sectioned else (_MIDDLE,):
        sheet.draw([(column.axis_mm, busbar_y, column.axis_mm, busbar_y - pitch / 2)], layer="wires")
        _draw_chain(sheet, plan.station, column, top=busbar_y - pitch / 2, pitch=pitch)


def _draw_busbar(sheet: Sheet, plan: Plan, busbar: Stage, y: float) -> None:
    """Draw the customer's busbar across both axes; in sections with a tie breaker (母联) between them."""
    if plan.is_sectioned:
        sheet.draw([(46, y, 79, y), (91, y, 124, y)], layer="symbols", weight=_HEAVY)
        sheet.draw([(79, y, 82.6, y), (87.4, y, 91, y)], layer="wires")
        box = [(82.6, y - 1.5, 87.4, y - 1.5), (82.6, y + 1.5, 87.4, y + 1.5)]
        sheet.draw([*box, (82.6, y - 1.5, 82.6, y + 1.5), (87.4, y - 1.5, 87.4, y + 1.5)], layer="symbols")
        sheet.draw([(82.6, y - 1.5, 87.4, y + 1.5), (82.6, y + 1.5, 87.4, y - 1.5)], layer="symbols", weight=18)
        sheet.write("母联", _MIDDLE_MM, y - 3.4, align="MIDDLE_CENTER", height_mm=2.3)
    else:
        sheet.draw([(46, y, 124, y)], layer="symbols", weight=_HEAVY)
    _write_lines(sheet, _labels((busbar.name, *busbar.details), 40.0 / 2.3), 43.0, y, "MIDDLE_RIGHT", _LEFT)


def _draw_interlock(sheet: Sheet, y: float) -> None:
    """Join both incoming breakers: never closed together (闭锁)."""
    sheet.draw([(_LEFT.axis_mm + 1.5, y, _RIGHT.axis_mm - 1.5, y)], layer="wires", weight=18, linetype="DASHED")
    sheet.write("闭锁", _MIDDLE_MM, y + 1.9, align="MIDDLE_CENTER", height_mm=2.3)


def _draw_third(sheet: Sheet, plan: Plan, busbar_y: float, pitch: float) -> None:
    """Draw a third source in short: its name, point and an arrow into the busbar; the forms give the rest."""
    x, y = _MIDDLE_MM + 4.0, busbar_y + pitch * 0.5
    sheet.place("arrow_in", x, y)
    named = [step.name for step in plan.chains[2] if isinstance(step, Stage)]
    lines = _labels((plan.titles[2], named[0], named[3]), 26.0 / 2.3)
    _write_lines(sheet, lines, x, y + 5.0 + 3.2 * len(lines) / 2 + pitch, "MIDDLE_CENTER", _LEFT)
    sheet.draw([(x, y + 5.0, x, y + pitch + 4.0)], layer="wires")


def _draw_chain(sheet: Sheet, steps: Sequence[Step], column: _Column, *, top: float, pitch: float) -> float:
    """Draw a chain downwards from ``top`` and return where its line ends."""
    end: float | None = None
    for step in steps:
        height = pitch * (column.boundary_ratio if isinstance(step, Boundary) else 1.0)
        centre = top - height / 2
        top -= height
        if isinstance(step, Boundary):
            _draw_boundary(sheet, step, centre, column)
            continue
        if end is not None:
            sheet.draw([(column.axis_mm, end, column.axis_mm, centre + HALF_HEIGHT_MM)], layer="wires")
        _draw_stage(sheet, step, centre, column)
        end = centre - HALF_HEIGHT_MM
    return top if end is None else end


def _draw_stage(sheet: Sheet, stage: Stage, y: float, column: _Column) -> None:
    axis_mm = column.axis_mm
    offsets = [7.0 * (copy - (stage.copies - 1) / 2) for copy in range(stage.copies)]
    for offset in offsets:
        sheet.place(stage.symbol, axis_mm + offset, y)
    if stage.copies > 1:
        for edge in (y + HALF_HEIGHT_MM, y - HALF_HEIGHT_MM):
            rail = (axis_mm + offsets[0] - 3, edge, axis_mm + offsets[-1] + 3, edge)
            sheet.draw([rail], layer="symbols", weight=50)
    if stage.symbol in METER_TEXT_X_MM:
        sheet.write("Wh", axis_mm + METER_TEXT_X_MM[stage.symbol], y, align="MIDDLE_CENTER", height_mm=2.1)
    left, right = axis_mm - _REACH_MM, axis_mm + _REACH_MM
    if column.side == "both":
        names = _wrapped(stage.name, (left - column.from_mm) / column.text_mm)
        _write_lines(sheet, names, left, y, "MIDDLE_RIGHT", column)
        details = _labels(stage.details, (column.to_mm - right) / column.text_mm)
        _write_lines(sheet, details, right, y, "MIDDLE_LEFT", column)
    elif column.side == "left":
        lines = _labels((stage.name, *stage.details), (left - column.from_mm) / column.text_mm)
        _write_lines(sheet, lines, left, y, "MIDDLE_RIGHT", column)
    else:
        lines = _labels((stage.name, *stage.details), (column.to_mm - right) / column.text_mm)
        _write_lines(sheet, lines, right, y, "MIDDLE_LEFT", column)


def _draw_boundary(sheet: Sheet, boundary: Boundary, y: float, column: _Column) -> None:
    line_y = y if column.side == "both" else y + 3.0
    sheet.draw([(column.from_mm, line_y, column.to_mm, line_y)], layer="boundary", weight=_BOLD, linetype="DASHDOT")
    text = f"产权分界点：{boundary.text}"
    if column.side == "both":
        sheet.write("供电企业侧 ▲", column.from_mm, y + 2.6, align="MIDDLE_LEFT", height_mm=2.4)
        sheet.write("客户侧 ▼", column.from_mm, y - 2.6, align="MIDDLE_LEFT", height_mm=2.4)
        left = column.axis_mm + 4.0
        lines = _wrapped(text, (column.to_mm - left) / column.text_mm)
        middle = y - 1.0 - column.leading_mm * len(lines) / 2 if len(lines) > 1 else y - 3.1
        _write_lines(sheet, lines, left, middle, "MIDDLE_LEFT", column)
        return
    is_left = column.side == "left"
    edge = column.axis_mm - 3.0 if is_left else column.axis_mm + 3.0
    room_mm = edge - column.from_mm if is_left else column.to_mm - edge
    lines = _wrapped(text, room_mm / column.text_mm)[:2]
    middle = y + 2.2 - column.leading_mm * len(lines) / 2
    _write_lines(sheet, lines, edge, middle, "MIDDLE_RIGHT" if is_left else "MIDDLE_LEFT", column)


def _write_lines(sheet: Sheet, lines: Sequence[str], x: float, y: float, align: Align, column: _Column) -> None:
    """Write lines of text centred in height on ``y``."""
    top = y + column.leading_mm * (len(lines) - 1) / 2
    for place, line in enumerate(lines):
        sheet.write(line, x, top - place * column.leading_mm, align=align, height_mm=column.text_mm)


def _labels(texts: Sequence[str], width: float) -> list[str]:
    """Return texts in lines, a new one for each text, at most as many as a stage has room for."""
    return [line for text in texts for line in _wrapped(text, width)][:_LABEL_LINES_MAX]


def _wrapped(text: str, width: float) -> list[str]:
    """Return ``text`` in lines of at most ``width`` Chinese characters; a label cut at its last line ends in ``…``.

    A code, a ratio, or a figure with its unit is parted only where it is longer than a line.
    """
    lines, line = [], ""
    for piece in _pieces(text, width):
        if _width(line + piece) > width and not (piece in _NEVER_FIRST and _width(line) <= width):
            opened = line[-1:] if line[-1:] in _NEVER_LAST else ""
            lines.append(line.removesuffix(opened).rstrip(" "))
            line = opened + piece.lstrip(" ")
        else:
            line += piece
    lines.append(line)
    lines = [line for line in lines if line]
    if len(lines) > _LABEL_LINES_MAX:
        lines = [*lines[: _LABEL_LINES_MAX - 1], lines[_LABEL_LINES_MAX - 1][:-1] + "…"]
    return lines


def _pieces(text: str, width: float) -> list[str]:
    """Return what stays on one line each: Chinese characters one by one, Latin runs as far as a line holds them."""
    found: list[str] = _PIECE.findall(text)
    return [part for piece in found for part in ([piece] if _width(piece) <= width else list(piece))]


def _width(text: str) -> float:
    """Return the width of a text in Chinese characters."""
    return sum(1.0 if ord(character) > 0x2E7F else _LATIN_WIDTH for character in text)
