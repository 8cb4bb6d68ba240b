"""Empty tables to fill in, and the column reference; both rendered from the schema, so they cannot go stale."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from gridmodel.errors import InputError
from gridmodel.readers.table_schema import Band, Column, load_bands, load_tables

_REFERENCE_HEADER = ("table", "column", "required", "type", "unit", "allowed", "empty means", "example", "description")


def write_template(path: Path) -> None:
    """Write empty tables: one workbook if the name ends with ``.xlsx``, else a folder of CSV files.

    Beside the header rows stand the column reference (``README``) and one example row per table (``EXAMPLES``).

    Raises:
        InputError: The file exists, the folder is not empty, or neither can be written.
    """
    try:
        if path.suffix.lower() == ".xlsx":
            _write_workbook(path)
        else:
            _write_folder(path)
    except OSError as error:
        raise InputError(f"template cannot be written: {error.strerror}", file=path.name) from error


def render_reference() -> str:
    """Return the column reference as Markdown, the text of ``TABLES.md``."""
    parts = [_INTRODUCTION]
    for table in load_tables().values():
        need = "mandatory" if table.is_mandatory else "optional"
        parts.append(f"\n## `{table.name}` ({need})\n\n{table.description}.\n\n")
        parts.append(_markdown(_REFERENCE_HEADER[1:], (_reference_row(c)[1:] for c in table.columns.values())))
    parts.append(_BANDS_INTRODUCTION)
    header = ("table", "column", "at", "from", "to", "outside of it", "finding", "reason")
    parts.append(_markdown(header, (_band_row(band) for band in load_bands())))
    return "".join(parts)


def _write_folder(path: Path) -> None:
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError("template would overwrite something", file=path.name, allowed="a new or empty folder")
    examples = path / "EXAMPLES"
    examples.mkdir(parents=True, exist_ok=True)
    for table in load_tables().values():
        _write_csv(path / f"{table.name}.csv", [list(table.columns)])
        _write_csv(examples / f"{table.name}.csv", [list(table.columns), [c.example for c in table.columns.values()]])
    (path / "README.md").write_text(render_reference(), encoding="utf-8", newline="\n")


def _write_csv(path: Path, rows: Iterable[Sequence[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    # The byte-order mark makes spreadsheet programs read Chinese text as UTF-8.
    path.write_bytes(text.getvalue().encode("utf-8-sig"))


def _write_workbook(path: Path) -> None:
    import openpyxl

    if path.exists():
        raise InputError("template would overwrite something", file=path.name, allowed="a new file")
    workbook = openpyxl.Workbook(write_only=True)
    for table in load_tables().values():
        workbook.create_sheet(table.name).append(list(table.columns))
    readme = workbook.create_sheet("README")
    readme.append(list(_REFERENCE_HEADER))
    examples = workbook.create_sheet("EXAMPLES")
    for table in load_tables().values():
        for column in table.columns.values():
            readme.append(list(_reference_row(column)))
        examples.append([table.name])
        examples.append(list(table.columns))
        examples.append([column.example for column in table.columns.values()])
        examples.append([])
    workbook.save(path)


def _reference_row(column: Column) -> tuple[str, ...]:
    if column.is_required:
        empty = "row left out" if column.on_fault == "row" else "not known, with a finding"
    else:
        empty = column.default or "not known"
    refers = f"id in {' or '.join(column.refers_to)}" if column.refers_to else ""
    return (
        column.table,
        column.name,
        "yes" if column.is_required else "no",
        column.type.replace("_", " "),
        column.unit,
        refers or column.allowed.replace("|", ", "),
        empty,
        column.example,
        column.description,
    )


def _band_row(band: Band) -> tuple[str, ...]:
    low, high = (f"{value:g}" if math.isfinite(value) else "" for value in (band.minimum, band.maximum))
    outcome = {"quarantined": "row left out", "accepted": "row used"}[band.disposition]
    return (band.table, band.column, band.applies_to, low, high, outcome, f"`{band.code}`", band.reason)


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


_INTRODUCTION = """\
# The product's own tables (自有表格)

One network is a folder of CSV files, one per table (`nodes.csv`, …), or one `.xlsx` with a sheet per table. CSV text
is UTF-8, with or without byte-order mark, or GB18030; the first row is the header. Columns may stand in any order;
optional columns may be left out; unknown tables and columns are refused, and so is a missing mandatory one. Sheets
`README` and `EXAMPLES` are not read, nor are files in the folder that are not CSV. Numbers are written plainly
(`1250.5`, no thousands mark), dates as `2024-01-31`, words exactly as listed.

Every row is accepted, left out with a finding (file, table, row, column, value, what was expected), or merged with an
identical one; the counts add up. A faulty cell takes its row out unless the column says that it only counts as not
known. What depends on a row left out is not assessable: what it fed, and the whole feeder, because loads are missing.
Ids are text and unique in their table; node ids over the network; section ids over `line_sections` and `lv_lines`.

Every node is one bus, every line section one line, every distribution or main transformer one transformer; the name of
the element is the id. Each substation gets a high-voltage busbar `<substation_id>:HV` with an ideal source. Feeder and
transformer area of a node come from the topology in the normal switch states. In-flight capacity is kept beside the
net.
"""

_BANDS_INTRODUCTION = """
## Plausible bands (合理范围)

A value outside its band is most likely written in another unit. `a/b` is a quotient; `straight` is the straight line
between the two ends, `rating` the rating of the element, `distance_km` the distance from the middle of all nodes.

"""
