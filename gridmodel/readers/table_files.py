"""Open the tables of one network, a folder of CSV files or one xlsx, as text cells; limits first, meaning later."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gridmodel.errors import InputError
from gridmodel.readers.table_schema import Table, load_tables

FILE_BYTES_MAX = 100 * 2**20
ROWS_MAX = 500_000
CELL_CHARACTERS_MAX = 20_000
WORKBOOK_BYTES_MAX = 20 * 2**20
WORKBOOK_ENTRIES_MAX = 2_000
WORKBOOK_EXPANDED_BYTES_MAX = 500 * 2**20
WORKBOOK_EXPANSION_RATIO_MAX = 100
WORKBOOK_SECONDS_MAX = 90

NOTE_SHEETS = ("README", "EXAMPLES")
"""Sheets a workbook may hold beside the tables; they are not read."""

_CHUNK_BYTES = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """One table as text; every cell is stripped."""

    name: str
    file: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    """Number of the row (the first below the header is 1) and its cells; empty rows are left out."""


def read_raw_tables(path: Path) -> Mapping[str, RawTable]:
    """Return the tables found at ``path``, in the order of the schema.

    Raises:
        InputError: Not there, unreadable, too large, or a table or column is unknown, missing or stands twice.
    """
    try:
        found = _find_tables(path)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=path.name) from error
    for table in load_tables().values():
        if table.is_mandatory and table.name not in found:
            raise InputError("mandatory table is missing", file=path.name, field=table.name, allowed=_mandatory())
    return {name: found[name] for name in load_tables() if name in found}


def read_raw_table(path: Path, table: Table) -> RawTable:
    """Return one table from a CSV file of any name, or from the sheet of its name in an xlsx file.

    Raises:
        InputError: Not there, unreadable, too large, or a column is unknown, missing or stands twice.
    """
    try:
        if path.is_file() and path.suffix.lower() == ".csv":
            return _raw_table(table, path.name, _csv_rows(path))
        if path.is_file() and path.suffix.lower() == ".xlsx":
            _check_archive(path)
            sheets = _read_in_child(path, (table.name,))["sheets"]
            if table.name not in sheets:
                raise InputError("sheet is missing", file=path.name, field=table.name, allowed=table.name)
            return _raw_table(table, path.name, _trimmed(sheets[table.name]))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=path.name) from error
    raise InputError("no such table", file=path.name, allowed="one .csv or .xlsx file")


def _find_tables(path: Path) -> dict[str, RawTable]:
    if path.is_dir():
        return dict(_csv_tables(path))
    if path.is_file() and path.suffix.lower() == ".xlsx":
        return dict(_workbook_tables(path))
    raise InputError("no tables here", file=path.name, allowed="a folder of CSV files or one .xlsx; see the template")


def _mandatory() -> str:
    return "mandatory tables are " + ", ".join(t.name for t in load_tables().values() if t.is_mandatory)


def _csv_tables(folder: Path) -> Iterator[tuple[str, RawTable]]:
    seen: set[str] = set()
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() != ".csv" or not path.is_file():
            continue
        name = path.stem
        if name not in load_tables():
            raise InputError("unknown table", file=path.name, allowed=", ".join(load_tables()))
        if name in seen:
            raise InputError("table stands twice", file=path.name, field=name)
        seen.add(name)
        yield name, _raw_table(load_tables()[name], path.name, _csv_rows(path))


def _csv_rows(path: Path) -> Iterator[Sequence[str]]:
    if path.stat().st_size > FILE_BYTES_MAX:
        raise InputError("file is too large", file=path.name, allowed=f"at most {FILE_BYTES_MAX // 2**20} MiB")
    reader = csv.reader(io.StringIO(_decoded(path), newline=""), strict=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(f"not valid CSV: {error}", file=path.name, row=f"line {reader.line_num}") from error
        yield row


def _decoded(path: Path) -> str:
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError("text encoding is not known", file=path.name, allowed="UTF-8 or GB18030")


def _raw_table(table: Table, file: str, rows: Iterable[Sequence[str]]) -> RawTable:
    columns: tuple[str, ...] | None = None
    kept: list[tuple[int, tuple[str, ...]]] = []
    for number, row in enumerate(rows):
        if number > ROWS_MAX:
            raise InputError("too many rows", file=file, row=number, field=table.name, allowed=f"at most {ROWS_MAX}")
        if any(len(cell) > CELL_CHARACTERS_MAX for cell in row):
            allowed = f"at most {CELL_CHARACTERS_MAX} characters"
            raise InputError("cell is too long", file=file, row=number, field=table.name, allowed=allowed)
        cells = tuple(cell.strip() for cell in row)
        if columns is None:
            columns = _header(table, file, cells)
        elif any(cells):
            kept.append((number, cells))
    if columns is None:
        raise InputError("table has no header row", file=file, field=table.name, allowed=", ".join(table.columns))
    return RawTable(name=table.name, file=file, columns=columns, rows=tuple(kept))


def _header(table: Table, file: str, cells: tuple[str, ...]) -> tuple[str, ...]:
    while cells and not cells[-1]:
        cells = cells[:-1]
    for position, name in enumerate(cells):
        if name not in table.columns:
            raise InputError(
                "unknown column", file=file, field=table.name, value=name, allowed=", ".join(table.columns)
            )
        if name in cells[:position]:
            raise InputError("column stands twice", file=file, field=f"{table.name}.{name}")
    for column in table.columns.values():
        if column.is_required and column.name not in cells:
            required = ", ".join(c.name for c in table.columns.values() if c.is_required)
            raise InputError(
                "mandatory column is missing", file=file, field=f"{table.name}.{column.name}", allowed=required
            )
    return cells


def _workbook_tables(path: Path) -> Iterator[tuple[str, RawTable]]:
    _check_archive(path)
    content = _read_in_child(path, tuple(load_tables()))
    for name in content["names"]:
        if name in NOTE_SHEETS:
            continue
        if name not in load_tables():
            allowed = ", ".join((*load_tables(), *NOTE_SHEETS))
            raise InputError("unknown table", file=path.name, field=name, allowed=allowed)
        yield name, _raw_table(load_tables()[name], path.name, _trimmed(content["sheets"][name]))


def _trimmed(rows: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Cut every row to the width of the header: a sheet is as wide as its widest row."""
    width = None
    for row in rows:
        if width is None:
            width = max((position for position, cell in enumerate(row, start=1) if cell.strip()), default=0)
        end = len(row)
        while end > width and not row[end - 1].strip():
            end -= 1
        yield row[:end]


def _check_archive(path: Path) -> None:
    """Refuse an archive that is or may become too large; declared sizes are not believed but counted."""
    size = path.stat().st_size
    if size > WORKBOOK_BYTES_MAX:
        raise InputError("workbook is too large", file=path.name, allowed=f"at most {WORKBOOK_BYTES_MAX // 2**20} MiB")
    expanded_max = min(WORKBOOK_EXPANDED_BYTES_MAX, max(size, _CHUNK_BYTES) * WORKBOOK_EXPANSION_RATIO_MAX)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > WORKBOOK_ENTRIES_MAX:
                allowed = f"at most {WORKBOOK_ENTRIES_MAX}"
                raise InputError("workbook has too many parts", file=path.name, value=len(entries), allowed=allowed)
            expanded = 0
            for entry in entries:
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise InputError("workbook is compressed in an unknown way", file=path.name, field=entry.filename)
                with archive.open(entry) as part:
                    while chunk := part.read(_CHUNK_BYTES):
                        expanded += len(chunk)
                        if expanded > expanded_max:
                            allowed = f"at most {expanded_max // 2**20} MiB expanded"
                            raise InputError("workbook expands too far", file=path.name, allowed=allowed)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise InputError(f"not a readable workbook: {error}", file=path.name, allowed="an xlsx file") from error


def _read_in_child(path: Path, sheets: Sequence[str]) -> dict[str, dict[str, list[list[str]]]]:
    program = Path(__file__).with_name("table_workbook_child.py")
    command = [sys.executable, "-P", str(program), str(path.resolve()), *sheets]
    try:
        done = subprocess.run(command, capture_output=True, timeout=WORKBOOK_SECONDS_MAX, check=False)  # noqa: S603 - own program, no shell
    except subprocess.TimeoutExpired as error:
        raise InputError("workbook takes too long to read", file=path.name, allowed="fewer cells") from error
    if done.returncode != 0:
        message = done.stderr.decode("utf-8", "replace") if done.returncode > 0 else "it needs too much memory or time"
        raise InputError(f"workbook cannot be read: {message[:200]}", file=path.name, allowed="an xlsx file")
    content: dict[str, dict[str, list[list[str]]]] = json.loads(done.stdout)
    return content
