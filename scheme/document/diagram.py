"""Single-line diagram (电气接线示意图) of the chosen variant as SVG and DXF: the only module that imports ezdxf.

Symbols hang on vertical chains, source on top and customer below. In the SVG texts are outlined, so a viewer needs no
Chinese font; in the DXF they are texts in 黑体, which the computers that open it have. Layers are named, units are mm.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Any
from xml.sax.saxutils import escape

from scheme.document.chains import HEIGHT_MM, WIDTH_MM, Align, draw_plan
from scheme.document.glyphs import SANS_FILE, font_folder, replace_directions, replace_missing
from scheme.document.single_line import plan_diagram
from scheme.document.symbols import SYMBOLS, Segment, draw_lines
from scheme.model import Scheme

LAYERS = {"symbols": "设备符号", "wires": "导线", "boundary": "产权分界", "texts": "文字", "frame": "图框"}
_CAP_SHARE = 0.74
"""Height of a capital letter relative to a Chinese character."""
_STYLE = "黑体"
_CAD_FONT, _CAD_FAMILY = "simhei.ttf", "SimHei"
_MILLIMETRES, _METRIC = 4, 1
"""Codes of the header variables $INSUNITS and $MEASUREMENT."""
_COMMAND_SIGNS = (("%%", "％％"), ("^", "＾"), ("\\U+", "＼U+"), ("\\M+", "＼M+"))
"""What a CAD program reads as a command inside a text, and how it is written instead."""
_DASHES = {"CONTINUOUS": "", "DASHED": ' stroke-dasharray="1.6 1.2"', "DASHDOT": ' stroke-dasharray="5 1.6 0.6 1.6"'}


def render_diagram(scheme: Scheme) -> str:
    """Return the diagram as SVG, 170 mm by 137 mm; a scheme without variant gives a sheet that says so."""
    return _as_svg(_draw(scheme, font=SANS_FILE).modelspace())


def render_dxf(scheme: Scheme) -> bytes:
    """Return the diagram as DXF (R2010, UTF-8) in millimetres, framed; same scheme, same bytes.

    Creation time and identifiers in the file are constants: a clock would change the bytes.
    """
    drawing = _draw(scheme, font=_CAD_FONT)
    drawing.styles.get(_STYLE).set_extended_font_data(_CAD_FAMILY)
    drawing.header["$INSUNITS"], drawing.header["$MEASUREMENT"] = _MILLIMETRES, _METRIC
    drawing.header["$LWDISPLAY"] = 1
    sheet = _Sheet(drawing.modelspace())
    edges: list[Segment] = [(0, 0, WIDTH_MM, 0), (0, HEIGHT_MM, WIDTH_MM, HEIGHT_MM)]
    sheet.draw([*edges, (0, 0, 0, HEIGHT_MM), (WIDTH_MM, 0, WIDTH_MM, HEIGHT_MM)], layer="frame")
    title = f"电气接线示意图　方案编号：{scheme.scheme_id}"
    sheet.write(title, 0.0, -3.5, align="MIDDLE_LEFT", height_mm=3.0)
    drawing.classes.add_required_classes(drawing.dxfversion)
    drawing.classes.classes = dict(sorted(drawing.classes.classes.items()))  # the library keeps them in a set
    target = StringIO(newline="\n")
    drawing.write(target)
    return target.getvalue().encode()


def _draw(scheme: Scheme, *, font: str) -> Any:
    from ezdxf.filemanagement import new

    _set_up()
    drawing = new("R2010", setup=["linetypes"])
    drawing.styles.add(_STYLE, font=font)
    for name in LAYERS.values():
        drawing.layers.add(name)
    for name, draw in SYMBOLS.items():
        draw(drawing.blocks.new(name))
    sheet = _Sheet(drawing.modelspace())
    if scheme.variants and scheme.supply is not None:
        draw_plan(sheet, plan_diagram(scheme, scheme.variants[0]))
    else:
        text = "无可直接接入的方案，不绘制接线示意图。"
        sheet.write(text, WIDTH_MM / 2, HEIGHT_MM / 2, align="MIDDLE_CENTER", height_mm=2.7)
    return drawing


@functools.cache
def _set_up() -> None:
    """Let ezdxf know the bundled fonts only, and write no clock: neither machine nor time may change a drawing."""
    from ezdxf._options import options
    from ezdxf.fonts import fonts

    options.write_fixed_meta_data_for_testing = True
    fonts.font_manager.clear()
    fonts.font_manager.build([str(font_folder())], support_dirs=False)


class _Sheet:
    """A model space as the chains draw on it."""

    def __init__(self, space: Any) -> None:
        self._space = space

    def draw(self, segments: Sequence[Segment], *, layer: str, weight: int = 30, linetype: str = "CONTINUOUS") -> None:
        draw_lines(self._space, segments, weight=weight, linetype=linetype, layer=LAYERS[layer])

    def place(self, symbol: str, x_mm: float, y_mm: float) -> None:
        self._space.add_blockref(symbol, (x_mm, y_mm), dxfattribs={"layer": LAYERS["symbols"]})

    def write(self, text: str, x_mm: float, y_mm: float, *, align: Align, height_mm: float) -> None:
        from ezdxf.enums import TextEntityAlignment

        attributes = {"style": _STYLE, "layer": LAYERS["texts"]}
        entity = self._space.add_text(cad_text(text), height=height_mm * _CAP_SHARE, dxfattribs=attributes)
        entity.set_placement((x_mm, y_mm), align=TextEntityAlignment[align])


def cad_text(text: str) -> str:
    """Return ``text`` as one line no CAD program takes a command from: such signs are written full width."""
    line = "".join(" " if c.isspace() and c != "\u3000" else c for c in replace_directions(text)[0])
    line = "".join(c for c in line if unicodedata.category(c) not in {"Cc", "Cs"})
    for sign, written in _COMMAND_SIGNS:
        line = line.replace(sign, written)
    return line


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

    text = entity.dxf.text
    drawn = entity.copy()
    drawn.dxf.text = replace_missing(text)[0]
    steps: list[str] = []
    for path in text2path.make_paths_from_entity(drawn):
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
    title = f"<title>{escape(text)}</title>"
    return f'<g fill="#000000" stroke="none">{title}<path d="{"".join(steps)}"/></g>'


def _move(letter: str, *points: Any) -> str:
    return letter + " ".join(f"{point.x:.2f},{HEIGHT_MM - point.y:.2f}" for point in points)
