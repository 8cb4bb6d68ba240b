"""The planner's table with the results beside each row, and sheets of what the projects mean together."""

from __future__ import annotations

from collections.abc import Mapping

from gridmodel.snapshot import Snapshot
from scheme.assessment_files.grid_places import GridPlaces
from scheme.assessment_files.result_rows import COLUMNS, Value, fault_text, faults_by_row, list_rows
from scheme.assessment_files.result_sheets import list_sheets
from scheme.assessment_files.results import Results
from scheme.assessment_files.sheet_xml import Styles, plain_parts, sheet_xml
from scheme.assessment_files.source_table import SourceTable, table_of
from scheme.assessment_files.words import LEFT_OUT, NOT_ASSESSED
from scheme.assessment_files.workbook_parts import WorkbookParts, pack
from scheme.library.columns import TABLE
from scheme.publication.spreadsheet import Cell, Sheet

_HEAD_ROWS = 1


def write_workbook(results: Results, snapshot: Snapshot, *, table: SourceTable | None = None) -> bytes:
    """Return an xlsx file: the planner's sheet with result columns behind its own, then the sheets of the whole.

    Nothing of a workbook that was handed in is changed. A row that was not assessed says why in its last column.
    Texts are stored as texts, never as formulas; the same input gives the same bytes.

    Args:
        results: What to write.
        snapshot: The grid that was assessed: names its elements.
        table: The planner's table; without one, a table of the projects in the order of the queue.

    Raises:
        InputError: The workbook handed in has no room for the columns.
    """
    places, row_of = GridPlaces(snapshot), None
    if table is None:
        table, row_of = table_of(results)
    book = WorkbookParts(_blank(table) if table.workbook is None else table.workbook, table.file)
    styles = book.add_styles()
    rows = _result_rows(results, places, row_of)
    cells: dict[int, list[tuple[Cell, int]]] = {1: [(column.title, styles.head) for column in COLUMNS]}
    for row_no in rows:
        cells[row_no + _HEAD_ROWS] = _cells(rows[row_no], styles)
    book.append_columns(TABLE, cells, [column.width for column in COLUMNS])
    for sheet in list_sheets(results, places):
        book.add_sheet(sheet, styles)
    return book.to_bytes()


def _result_rows(results: Results, places: GridPlaces, row_of: Mapping[str, int] | None) -> dict[int, dict[str, Value]]:
    """Return what is said of each row of the planner's table."""
    rows: dict[int, dict[str, Value]] = {}
    for row in list_rows(results, places):
        project_id = str(row["project_id"])
        origin = results.origins.get(project_id)
        row_no = row_of[project_id] if row_of is not None else None if origin is None else origin.row_no
        if row_no is not None:
            rows[row_no] = row
    if row_of is not None:
        return rows
    for origin in results.origins.values():
        if origin.row_no is not None and origin.row_no not in rows:
            rows[origin.row_no] = {"verdict_queue": NOT_ASSESSED, "verdict_alone": NOT_ASSESSED, "reason": LEFT_OUT}
    for row_no, findings in faults_by_row(results.findings).items():
        row = rows.setdefault(row_no, {"verdict_queue": NOT_ASSESSED, "verdict_alone": NOT_ASSESSED})
        row |= {"fault": fault_text(findings), "reason": None if row.get("reason") == LEFT_OUT else row.get("reason")}
    return rows


def _cells(row: Mapping[str, Value], styles: Styles) -> list[tuple[Cell, int]]:
    formats = {"text": styles.text, "number": styles.number, "count": styles.count}
    return [
        (row.get(column.key), styles.fault if column.key == "fault" else formats[column.kind]) for column in COLUMNS
    ]


def _blank(table: SourceTable) -> bytes:
    """Return a workbook with the planner's table and nothing else; its rows stand where they stood in the file."""
    last = table.rows[-1][0] if table.rows else 0
    by_number = dict(table.rows)
    rows = tuple(by_number.get(number, ()) for number in range(1, last + 1))
    padded = tuple((*row, *[None] * (len(table.columns) - len(row))) for row in rows)
    sheet = sheet_xml(Sheet(title=TABLE, columns=table.columns, rows=padded), Styles())
    return pack({**plain_parts(TABLE), "xl/worksheets/sheet1.xml": sheet.encode()})
