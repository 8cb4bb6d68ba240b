"""Tables for spreadsheet programs (电子表格): a text stays a text, whatever it begins with, and a number a number."""

from __future__ import annotations

import csv
import io
import os
import tempfile
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gridmodel.errors import InputError

Cell = str | float | int | None
ENDINGS = (".csv", ".xlsx")
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_UNTITLED = "表"
_SHEET_TITLE_MAX = 31
_WIDTH_MAX = 40
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One table with its heading."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def harmless(text: str) -> str:
    """Return a text no spreadsheet runs as a formula: an apostrophe stands before what would begin one.

    Spaces and full-width signs in front are looked through, since programs do the same.
    """
    first = unicodedata.normalize("NFKC", text).lstrip(" \u200b\ufeff")[:1]
    return f"'{text}" if first in _STARTS and first else text


def write_sheets(sheets: Sequence[Sheet], path: Path) -> None:
    """Write tables as ``.xlsx`` (a sheet each) or ``.csv`` (one after the other, an empty line between).

    Raises:
        InputError: Another ending, or the file cannot be written.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InputError("no format has this ending", field="--out", value=path.name, allowed=", ".join(ENDINGS))
    content = to_csv(sheets) if ending == ".csv" else to_xlsx(sheets)
    try:
        with tempfile.TemporaryDirectory(dir=path.absolute().parent, prefix=".gridscheme-") as folder:
            draft = Path(folder) / path.name
            draft.write_bytes(content)
            os.replace(draft, path)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", field="--out", value=path.name) from error


def to_csv(sheets: Sequence[Sheet]) -> bytes:
    """Return tables as CSV (UTF-8 with its mark); every text is quoted."""
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    for number, sheet in enumerate(sheets):
        if number:
            stream.write("\r\n")
        writer.writerow([harmless(sheet.title)])
        writer.writerow([harmless(name) for name in sheet.columns])
        for row in sheet.rows:
            writer.writerow([harmless(cell) if isinstance(cell, str) else "" if cell is None else cell for cell in row])
    return _BYTE_ORDER_MARK + stream.getvalue().encode()


def to_xlsx(sheets: Sequence[Sheet]) -> bytes:
    """Return tables as an Excel workbook; texts are stored as texts, never as formulas."""
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    book.remove(book.worksheets[0])
    for sheet in sheets:
        page = book.create_sheet(sheet.title[:_SHEET_TITLE_MAX] or _UNTITLED)
        for row_no, row in enumerate((sheet.columns, *sheet.rows), start=1):
            for column_no, value in enumerate(row, start=1):
                if value is None:
                    continue
                cell = page.cell(row_no, column_no)
                cell.value = value
                if isinstance(value, str):
                    cell.data_type = "s"
                if row_no == 1:
                    cell.font = Font(bold=True)
        for column_no, name in enumerate(sheet.columns, start=1):
            texts = [name, *(str(row[column_no - 1]) for row in sheet.rows if row[column_no - 1] is not None)]
            width = max(sum(2 if ord(sign) > 0xFF else 1 for sign in text) for text in texts) + 2
            page.column_dimensions[get_column_letter(column_no)].width = min(width, _WIDTH_MAX)
        page.freeze_panes = "A2"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
