"""Tables of requests: every row kept, every fault named by row and column, what is fine is what a file would say."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gridmodel.errors import InputError
from scheme.publication.spreadsheet import to_xlsx
from scheme.request import parse_request
from scheme.request_table import COLUMNS, SHEET, read_requests, template_csv, template_sheets

GOOD = {
    "request_id": "XM-1", "name": "示例机械厂", "category": "工商业", "business": "新装", "lon_deg": "115.1",
    "lat_deg": "33.4", "datum": "CGCS2000", "installed_kw": "320", "received_on": "2026-03-02",
}  # fmt: skip


def write_csv(path: Path, *rows: dict[str, Any]) -> Path:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def read(path: Path) -> Any:
    return read_requests(path, rows_max=10)


def faults(table: Any) -> list[tuple[int, str, str | None]]:
    return [(fault.row, fault.column, fault.value) for fault in table.faults]


def test_row_says_what_the_file_of_one_request_says(tmp_path: Path) -> None:
    cells = {**GOOD, "needed_on": "2026-12-01", "single_phase": "否", "importance": "二级", "households": "40"}
    [row] = read(write_csv(tmp_path / "r.csv", cells)).rows
    expected = {
        "request_id": "XM-1",
        "applicant": {"name": "示例机械厂", "category": "industrial_commercial", "importance": "second"},
        "business": "new",
        "location": {"lon_deg": 115.1, "lat_deg": 33.4, "datum": "CGCS2000"},
        "demand": {"installed_kw": 320.0, "single_phase": False},
        "received_on": "2026-03-02",
        "needed_on": "2026-12-01",
        "circumstances": {"households": 40},
    }
    assert row.request == expected
    assert parse_request(json.dumps(row.request)).applicant.importance == "second"


def test_workbook_and_text_are_read_alike(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = SHEET
    sheet.append(list(GOOD))
    sheet.append(["XM-1", "示例机械厂", "工商业", "新装", 115.1, 33.4, "CGCS2000", 320, "2026-03-02"])
    book.save(tmp_path / "r.xlsx")
    assert read(tmp_path / "r.xlsx").rows[0].request == read(write_csv(tmp_path / "r.csv", GOOD)).rows[0].request


@pytest.mark.parametrize(
    ("cells", "column", "value"),
    [
        ({"category": "商业"}, "category", "商业"),
        ({"installed_kw": "三百"}, "installed_kw", "三百"),
        ({"installed_kw": "0"}, "installed_kw", "0"),
        ({"lon_deg": "nan"}, "lon_deg", "nan"),
        ({"lat_deg": "95"}, "lat_deg", "95"),
        ({"datum": ""}, "datum", None),
        ({"received_on": "2026-02-30"}, "received_on", "2026-02-30"),
        ({"households": "2.5"}, "households", "2.5"),
        ({"is_urgent": "也许"}, "is_urgent", "也许"),
        ({"request_id": "有 空格"}, "request_id", "有 空格"),
        ({"power_factor": "1.2"}, "power_factor", "1.2"),
    ],
)
def test_wrong_cell_is_named_and_its_row_kept(
    tmp_path: Path, cells: dict[str, str], column: str, value: str | None
) -> None:
    table = read(write_csv(tmp_path / "r.csv", {**GOOD, "request_id": "XM-0"}, {**GOOD, **cells}))
    assert faults(table) == [(2, column, value)]
    assert [row.request is None for row in table.rows] == [False, True]
    assert table.rows[1].cells == {**dict.fromkeys((one.name for one in COLUMNS), ""), **GOOD, **cells}


def test_every_fault_of_a_row_is_told_and_rows_are_independent(tmp_path: Path) -> None:
    bad = {**GOOD, "request_id": "XM-2", "name": "", "installed_kw": "x", "datum": "北京54"}
    table = read(write_csv(tmp_path / "r.csv", GOOD, bad, {**GOOD, "request_id": "XM-3"}))
    assert faults(table) == [(2, "name", None), (2, "datum", "北京54"), (2, "installed_kw", "x")]
    assert len(table.rows) == 3


def test_a_request_that_stands_twice_is_taken_once(tmp_path: Path) -> None:
    table = read(write_csv(tmp_path / "r.csv", GOOD, {**GOOD, "name": "另一家"}))
    assert faults(table) == [(2, "request_id", "XM-1")]
    assert [row.request is not None for row in table.rows] == [True, False]


def test_classes_of_load_that_exceed_the_whole_are_found(tmp_path: Path) -> None:
    table = read(write_csv(tmp_path / "r.csv", {**GOOD, "load_class1_kw": "400"}))
    assert [fault.row for fault in table.faults] == [1]


@pytest.mark.parametrize("rows", [[], [GOOD] * 11])
def test_a_table_without_rows_or_with_too_many_is_refused(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    path = write_csv(tmp_path / "r.csv", *(rows or [GOOD]))
    if not rows:
        path.write_text(path.read_text(encoding="utf-8").splitlines()[0], encoding="utf-8")
    with pytest.raises(InputError):
        read(path)


def test_unknown_column_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read(write_csv(tmp_path / "r.csv", {**GOOD, "phone": "1"}))
    assert refused.value.context["value"] == "phone"


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_template_filled_with_its_example_is_fine(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"requests.{form}"
    path.write_bytes(template_csv() if form == "csv" else to_xlsx(template_sheets()))
    table = read(path)
    assert table.faults == ()
    assert table.rows[0].request is not None
