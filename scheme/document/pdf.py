"""The reply as PDF, and drawings as PNG: the only module that imports typst.

Typst draws from JSON; texts are never markup. Fonts are the bundled ones only, and the time is the scheme's own, so the
same scheme gives the same bytes on any machine.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from scheme.document.build_templates import TEMPLATES
from scheme.document.glyphs import font_folder, list_codes, replace_missing
from scheme.document.layout import FigureName, Layout
from scheme.document.tables import Payload, Row
from scheme.document.wording import NOT_APPLICABLE

_BREAK_AFTER = re.compile(r"([-/_.:@+=])(?=\S)")
_LONG_RUN = re.compile(r"[!-~]{13,}")
_RUN_CHARACTERS_MAX = 12
_ZERO_WIDTH_SPACE = "\u200b"
_NO_BREAK_SPACE = "\u00a0"
_BEFORE_UNIT = re.compile(r"(?<=[0-9]) (?=(?:kVA|kW|kvar|kV|kA|A|m|km|p\.u\.|台|元|户)(?![A-Za-z0-9]))")
_PNG_PPI = 200.0
_CODES = frozenset({"kind", "align", "picture"})
"""What of a report is read by its template, not by people."""


def render_pdf(payload: Payload, *, layout: Layout, pictures: Mapping[FigureName, str], as_of: datetime) -> bytes:
    """Return the reply as a PDF; same input, same bytes.

    Args:
        payload: Texts to print.
        layout: Form to use.
        pictures: SVG by figure name.
        as_of: Creation time written into the file.
    """
    document = json.dumps({"layout": layout.as_dict(), "values": _printable(payload)}, ensure_ascii=False)
    inputs = {"document": document, **{str(name): svg for name, svg in pictures.items()}}
    return _compile("form.typ", inputs, format="pdf", timestamp=as_of)


def render_report(document: Mapping[str, Any], *, pictures: Mapping[str, str], as_of: datetime) -> bytes:
    """Return a report of sections as a PDF; same input, same bytes.

    Args:
        document: ``title``, ``subtitle`` and ``sections`` as ``templates/report.typ`` draws them.
        pictures: SVG by the name a section has for it.
        as_of: Creation time written into the file.
    """
    missing: dict[str, None] = {}
    shown = _drawable(document, missing)
    if missing:
        note = f"字库未收的字以“〓”代替，原字编码：{list_codes(missing)}；原字见数据文件。"
        shown["sections"].append({"kind": "text", "lines": [note], "size": 8})
    inputs = {"document": json.dumps(shown, ensure_ascii=False)}
    inputs |= {f"picture-{name}": svg for name, svg in pictures.items()}
    return _compile("report.typ", inputs, format="pdf", timestamp=as_of)


def render_png(svg: str) -> bytes:
    """Return a drawing as PNG, 170 mm wide, for the Word reply."""
    return _compile("picture.typ", {"picture": svg}, format="png", ppi=_PNG_PPI)


def _compile(template: str, inputs: dict[str, str], **options: Any) -> bytes:
    result = _compiler().compile(str(TEMPLATES / template), sys_inputs=inputs, **options)
    assert isinstance(result, bytes)
    return result


@functools.cache
def _fonts() -> Any:
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(font_folder())])


def _compiler() -> Any:
    import typst

    return typst.Compiler(root=str(TEMPLATES), font_paths=_fonts())


def _printable(payload: Payload) -> dict[str, str | list[Row]]:
    """Return the payload as the PDF can show it: characters without a glyph marked, long codes breakable."""
    missing: dict[str, None] = {}

    def shown(text: str) -> str:
        drawable, lost = replace_missing(text)
        missing.update(dict.fromkeys(lost))
        return breakable(drawable)

    result = {
        key: shown(value) if isinstance(value, str) else [{k: shown(v) for k, v in row.items()} for row in value]
        for key, value in payload.items()
    }
    if missing:
        note = f"字库未收的字以“〓”代替，原字编码：{list_codes(missing)}；原字见数据文件及Word文本。"
        known = str(payload["glyph_note"])
        result["glyph_note"] = note if known == NOT_APPLICABLE else known + note
    return result


def _drawable(value: Any, missing: dict[str, None]) -> Any:
    """Return a document with every text as the PDF can show it; characters without a glyph go to ``missing``."""
    if isinstance(value, str):
        drawn, lost = replace_missing(value)
        missing.update(dict.fromkeys(lost))
        return breakable(drawn)
    if isinstance(value, Mapping):
        return {key: item if key in _CODES else _drawable(item, missing) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_drawable(item, missing) for item in value]
    return value


def breakable(text: str) -> str:
    """Return ``text`` with breaks allowed inside long codes, after ``-``, ``/`` and alike or every 12 signs, and none
    between a figure and its unit."""
    return _LONG_RUN.sub(lambda match: _split_run(match.group()), _BEFORE_UNIT.sub(_NO_BREAK_SPACE, text))


def _split_run(run: str) -> str:
    pieces = _BREAK_AFTER.sub(rf"\1{_ZERO_WIDTH_SPACE}", run).split(_ZERO_WIDTH_SPACE)
    step = _RUN_CHARACTERS_MAX
    return _ZERO_WIDTH_SPACE.join(piece[i : i + step] for piece in pieces for i in range(0, len(piece), step))
