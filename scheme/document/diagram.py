"""Single-line diagram (电气接线示意图) of the chosen variant as SVG: the only module that imports ezdxf.

A vertical chain of symbols, source on top and customer below, each with its name on the left and its data on the right.
Text is outlined, so a viewer needs no Chinese font.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any
from xml.sax.saxutils import escape

from scheme.document.glyphs import SANS_FILE, font_folder, replace_missing
from scheme.document.single_line import Boundary, Stage, Step, plan_steps
from scheme.document.symbols import HALF_HEIGHT_MM, METER_TEXT_X_MM, SYMBOLS, draw_lines
from scheme.model import Scheme

WIDTH_MM, HEIGHT_MM = 170.0, 137.0
_AXIS_MM = 72.0
_MARGIN_MM = 3.0
_LEFT_EDGE_MM, _RIGHT_EDGE_MM = _AXIS_MM - 21.0, _AXIS_MM + 21.0
_BOUNDARY_SHARE = 0.95
"""Height of the boundary line relative to a stage."""
_STAGE_MM_MAX = 14.0
_TEXT_MM = 2.7
_LEADING_MM = 4.2
_LATIN_WIDTH = 0.56
"""Width of a Latin letter relative to a Chinese character."""
_LABEL_LINES_MAX = 3
_NEVER_FIRST = "，。、；：）》”％"
"""Closing marks stay on the line they close."""
_STYLE = "hei"
_DASHES = {"CONTINUOUS": "", "DASHED": ' stroke-dasharray="1.6 1.2"', "DASHDOT": ' stroke-dasharray="5 1.6 0.6 1.6"'}


def render_diagram(scheme: Scheme) -> str:
    """Return the diagram as SVG, 170 mm by 137 mm; a scheme without variant gives a sheet that says so."""
    from ezdxf.filemanagement import new

    _use_bundled_font()
    drawing = new("R2010", setup=["linetypes"])
    drawing.styles.add(_STYLE, font=SANS_FILE)
    for name, draw in SYMBOLS.items():
        draw(drawing.blocks.new(name))
    space = drawing.modelspace()
    if scheme.variants and scheme.supply is not None:
        _draw_chain(space, plan_steps(scheme, scheme.variants[0]))
    else:
        middle = (WIDTH_MM / 2, HEIGHT_MM / 2)
        _write(space, ["无可直接接入的方案，不绘制接线示意图。"], at=middle, align="MIDDLE_CENTER")
    return _as_svg(space)


@functools.cache
def _use_bundled_font() -> None:
    """Let ezdxf know the bundled fonts only: what a machine has installed must not change a drawing."""
    from ezdxf.fonts import fonts

    fonts.font_manager.clear()
    fonts.font_manager.build([str(font_folder())], support_dirs=False)


def _draw_chain(space: Any, steps: list[Step]) -> None:
    heights = [_BOUNDARY_SHARE if isinstance(step, Boundary) else 1.0 for step in steps]
    pitch = min((HEIGHT_MM - 2 * _MARGIN_MM) / sum(heights), _STAGE_MM_MAX)
    top = HEIGHT_MM - (HEIGHT_MM - pitch * sum(heights)) / 2
    end: float | None = None
    for step, height in zip(steps, heights, strict=True):
        centre = top - pitch * height / 2
        top -= pitch * height
        if isinstance(step, Boundary):
            _draw_boundary(space, step, centre)
            continue
        if end is not None:
            draw_lines(space, [(_AXIS_MM, end, _AXIS_MM, centre + HALF_HEIGHT_MM)])
        _draw_stage(space, step, centre)
        end = centre - HALF_HEIGHT_MM


def _draw_stage(space: Any, stage: Stage, y: float) -> None:
    offsets = [7.0 * (copy - (stage.copies - 1) / 2) for copy in range(stage.copies)]
    for offset in offsets:
        space.add_blockref(stage.symbol, (_AXIS_MM + offset, y))
    if stage.copies > 1:
        for edge in (y + HALF_HEIGHT_MM, y - HALF_HEIGHT_MM):
            draw_lines(space, [(_AXIS_MM + offsets[0] - 3, edge, _AXIS_MM + offsets[-1] + 3, edge)], weight=50)
    if stage.symbol in METER_TEXT_X_MM:
        _write(space, ["Wh"], at=(_AXIS_MM + METER_TEXT_X_MM[stage.symbol], y), align="MIDDLE_CENTER", height=2.1)
    left = _wrapped(stage.name, (_LEFT_EDGE_MM - _MARGIN_MM) / _TEXT_MM)
    _write(space, left, at=(_LEFT_EDGE_MM, y), align="MIDDLE_RIGHT")
    width = (WIDTH_MM - _MARGIN_MM - _RIGHT_EDGE_MM) / _TEXT_MM
    right = [line for detail in stage.details for line in _wrapped(detail, width)]
    _write(space, right[:_LABEL_LINES_MAX], at=(_RIGHT_EDGE_MM, y), align="MIDDLE_LEFT")


def _draw_boundary(space: Any, boundary: Boundary, y: float) -> None:
    draw_lines(space, [(_MARGIN_MM, y, WIDTH_MM - _MARGIN_MM, y)], weight=35, linetype="DASHDOT")
    _write(space, ["供电企业侧 ▲"], at=(_MARGIN_MM, y + 2.6), align="MIDDLE_LEFT", height=2.4)
    _write(space, ["客户侧 ▼"], at=(_MARGIN_MM, y - 2.6), align="MIDDLE_LEFT", height=2.4)
    width = (WIDTH_MM - _MARGIN_MM - _AXIS_MM - 4.0) / _TEXT_MM
    lines = _wrapped(f"产权分界点：{boundary.text}", width)[:_LABEL_LINES_MAX]
    middle = y - 1.0 - _LEADING_MM * len(lines) / 2 if len(lines) > 1 else y - 3.1
    _write(space, lines, at=(_AXIS_MM + 4.0, middle), align="MIDDLE_LEFT")


def _write(space: Any, lines: list[str], *, at: tuple[float, float], align: str, height: float = _TEXT_MM) -> None:
    """Write lines of text centred in height on ``at``; ``height`` is that of a Chinese character (mm)."""
    from ezdxf.enums import TextEntityAlignment

    x, y = at
    top = y + _LEADING_MM * (len(lines) - 1) / 2
    for number, line in enumerate(lines):
        text = space.add_text(replace_missing(line)[0], height=height * 0.74, dxfattribs={"style": _STYLE})
        text.set_placement((x, top - number * _LEADING_MM), align=TextEntityAlignment[align])


def _wrapped(text: str, width: float) -> list[str]:
    """Return ``text`` in lines of at most ``width`` Chinese characters; a label cut at its last line ends in ``…``."""
    lines, line, used = [], "", 0.0
    for character in text:
        size = 1.0 if ord(character) > 0x2E7F else _LATIN_WIDTH
        if used + size > width and not (character in _NEVER_FIRST and used <= width):
            lines.append(line)
            line, used = "", 0.0
            if character == " ":
                continue
        line, used = line + character, used + size
    lines.append(line)
    if len(lines) > _LABEL_LINES_MAX:
        lines = [*lines[: _LABEL_LINES_MAX - 1], lines[_LABEL_LINES_MAX - 1][:-1] + "…"]
    return lines


def _as_svg(entities: Iterable[Any]) -> str:
    """Return lines, circles, texts and block references as SVG.

    ezdxf's own SVG export needs an imaging library for pictures no diagram of ours has; these four kinds do not.
    """
    size = f'width="{WIDTH_MM:g}mm" height="{HEIGHT_MM:g}mm" viewBox="0 0 {WIDTH_MM:g} {HEIGHT_MM:g}"'
    shapes = "\n".join(_shape(entity) for entity in _exploded(entities))
    sheet = f'<rect width="{WIDTH_MM:g}" height="{HEIGHT_MM:g}" fill="#ffffff"/>'
    pen = 'fill="none" stroke="#000000" stroke-linecap="round"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n{sheet}\n<g {pen}>\n{shapes}\n</g>\n</svg>\n'


def _exploded(entities: Iterable[Any]) -> Iterator[Any]:
    for entity in entities:
        if entity.dxftype() == "INSERT":
            yield from entity.virtual_entities()
        else:
            yield entity


def _shape(entity: Any) -> str:
    kind, dxf = entity.dxftype(), entity.dxf
    if kind == "TEXT":
        return _outlined(entity)
    pen = f'stroke-width="{dxf.lineweight / 100:g}"{_DASHES[dxf.linetype]}'
    if kind == "CIRCLE":
        return f'<circle cx="{dxf.center.x:.2f}" cy="{HEIGHT_MM - dxf.center.y:.2f}" r="{dxf.radius:.2f}" {pen}/>'
    assert kind == "LINE", kind
    return f'<path d="{_move("M", dxf.start)}{_move("L", dxf.end)}" {pen}/>'


def _outlined(entity: Any) -> str:
    """Return a text as filled outlines, with the text itself as the title a screen reader finds."""
    from ezdxf.addons import text2path
    from ezdxf.path import Curve3To, Curve4To

    steps: list[str] = []
    for path in text2path.make_paths_from_entity(entity):
        for part in path.sub_paths():
            steps.append(_move("M", part.start))
            for command in part.commands():
                if isinstance(command, Curve3To):
                    steps.append(_move("Q", command.ctrl, command.end))
                elif isinstance(command, Curve4To):
                    steps.append(_move("C", command.ctrl1, command.ctrl2, command.end))
                else:
                    steps.append(_move("L", command.end))
            steps.append("Z")
    title = f"<title>{escape(entity.dxf.text)}</title>"
    return f'<g fill="#000000" stroke="none">{title}<path d="{"".join(steps)}"/></g>'


def _move(letter: str, *points: Any) -> str:
    return letter + " ".join(f"{point.x:.2f},{HEIGHT_MM - point.y:.2f}" for point in points)
