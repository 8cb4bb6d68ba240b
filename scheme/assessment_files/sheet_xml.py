"""Cells and sheets of a workbook as XML; a text is stored as a text, whatever it begins with."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from scheme.publication.spreadsheet import Cell, Sheet

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
COLUMNS_MAX = 16_384
_CHARACTERS_MAX = 32_767
"""What a cell of a spreadsheet may hold."""
_DIGITS = 6
_NOT_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
"""A spreadsheet reads ``_x0041_`` as ``A``."""
_WIDTH_MIN, _WIDTH_MAX = 8, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Styles:
    """Numbers of the cell formats."""

    head: int = 0
    text: int = 0
    number: int = 0
    count: int = 0
    fault: int = 0


def column_name(number: int) -> str:
    """Return the letters of a column, the first is 1."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def column_number(reference: str) -> int:
    """Return the column of a cell reference, the first is 1; 0 where it has no letters."""
    number = 0
    for letter in reference.upper():
        if not "A" <= letter <= "Z":
            break
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def cell_xml(row_no: int, column_no: int, value: Cell, style: int, *, prefix: str = "") -> str:
    """Return one cell; nothing where there is no value."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    at = f'r="{column_name(column_no)}{row_no}" s="{style}"'
    if isinstance(value, str):
        text = escape(_ESCAPE.sub("_x005F_", _NOT_XML.sub("", value))[:_CHARACTERS_MAX])
        inner = f'<{prefix}is><{prefix}t xml:space="preserve">{text}</{prefix}t></{prefix}is>'
        return f'<{prefix}c {at} t="inlineStr">{inner}</{prefix}c>'
    shown = repr(round(value, _DIGITS)) if isinstance(value, float) else str(int(value))
    return f"<{prefix}c {at}><{prefix}v>{shown}</{prefix}v></{prefix}c>"


def style_of(value: Cell, styles: Styles) -> int:
    """Return the format of a value of a sheet made here."""
    if isinstance(value, str):
        return styles.text
    return styles.count if isinstance(value, int) else styles.number


def sheet_xml(sheet: Sheet, styles: Styles) -> str:
    """Return a sheet with its heading held in place."""
    rows = [f'<row r="1">{"".join(cell_xml(1, n, name, styles.head) for n, name in enumerate(sheet.columns, 1))}</row>']
    for row_no, row in enumerate(sheet.rows, start=2):
        cells = "".join(cell_xml(row_no, n, value, style_of(value, styles)) for n, value in enumerate(row, 1))
        rows.append(f'<row r="{row_no}">{cells}</row>')
    widths = [width_of([name, *(row[n] for row in sheet.rows)]) for n, name in enumerate(sheet.columns)]
    columns = "".join(
        f'<col min="{n}" max="{n}" width="{width}" customWidth="1"/>' for n, width in enumerate(widths, start=1)
    )
    return (
        f'{HEAD}<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2"'
        f' activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>{columns}</cols>'
        f"<sheetData>{''.join(rows)}</sheetData></worksheet>"
    )


def width_of(values: Sequence[Cell]) -> int:
    """Return the width of a column that shows its values, within bounds."""
    texts = (str(value) for value in values if value is not None)
    widest = max((sum(2 if ord(sign) > 0xFF else 1 for sign in text) for text in texts), default=0)
    return min(max(widest + 2, _WIDTH_MIN), _WIDTH_MAX)


def plain_parts(sheet_title: str) -> Mapping[str, bytes]:
    """Return the parts of a workbook with one empty sheet, without the sheet itself (``xl/worksheets/sheet1.xml``)."""
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{office}"><sheets>'
        f'<sheet name="{escape(sheet_title)}" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><fonts count="1"><font><sz val="11"/><name val="等线"/></font>'
        '</fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill'
        ' patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/>'
        '</border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
        '</cellStyleXfs><cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
    }
    return {name: (HEAD + content).encode() for name, content in parts.items()}
