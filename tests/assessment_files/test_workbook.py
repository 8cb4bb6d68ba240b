"""The planner's table comes back as it was, with results beside it; read again by another program (openpyxl)."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import CalamineWorkbook

from gridmodel.errors import InputError
from scheme.assessment_files import workbook_parts
from scheme.assessment_files.result_rows import COLUMNS as RESULT_COLUMNS
from scheme.assessment_files.results import Origin
from scheme.assessment_files.results_workbook import write_workbook
from scheme.assessment_files.source_table import read_source
from scheme.assessment_files.workbook_parts import WorkbookParts
from tests.assessment_files.examples import COLUMNS, HOSTILE, STAGES, grid, results, rows, source, workbook

WIDTH = len(COLUMNS)


def opened(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def told(sheet: Worksheet, row: int) -> dict[str, Any]:
    """What stands behind the planner's columns, by key."""
    return {column.key: sheet.cell(row, WIDTH + n).value for n, column in enumerate(RESULT_COLUMNS, start=1)}


def looks(cell: Any) -> str:
    return repr((cell.number_format, cell.font, cell.fill, cell.alignment))


def answered(folder: Path, content: bytes | None = None, name: str = "reserve.xlsx") -> bytes:
    table, made = source(folder, content, name)
    return write_workbook(made, grid(), table=table)


def rezipped(content: bytes, changes: Mapping[str, Any]) -> bytes:
    """The workbook with parts changed by functions of their text."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, changes[name](part.decode()).encode() if name in changes else part)
    return target.getvalue()


def test_what_the_planner_wrote_is_untouched(tmp_path: Path) -> None:
    before, after = opened(workbook()), opened(answered(tmp_path))
    assert after.sheetnames[:2] == before.sheetnames
    for name in before.sheetnames:
        for line in before[name].iter_rows():
            for cell in line:
                same = after[name][cell.coordinate]
                assert (same.value, looks(same)) == (cell.value, looks(cell))
    old, new = before["projects"], after["projects"]
    assert new["C2"].comment is not None
    assert (new.freeze_panes, new.auto_filter.ref) == (old.freeze_panes, old.auto_filter.ref)
    assert new.column_dimensions["C"].width == 33


def test_every_part_that_nothing_was_added_to_has_its_bytes(tmp_path: Path) -> None:
    given = workbook()  # one file: a second one would say another second of making it
    with zipfile.ZipFile(io.BytesIO(given)) as old, zipfile.ZipFile(io.BytesIO(answered(tmp_path, given))) as new:
        changed = {name for name in old.namelist() if old.read(name) != new.read(name)}
    assert changed == {
        "[Content_Types].xml",
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/styles.xml",
        "xl/worksheets/sheet1.xml",
    }


def test_each_row_has_its_result_or_what_is_wrong_with_it(tmp_path: Path) -> None:
    sheet = opened(answered(tmp_path))["projects"]
    assert [sheet.cell(1, WIDTH + n).value for n in (1, 2)] == ["储备库标识", "单独接入结论"]
    lines = {row: told(sheet, row) for row in range(2, 7)}
    assert [line["verdict_queue"] for line in lines.values()] == ["可接入", "部分接入", "未评估", "不可接入", "未评估"]
    assert (lines[3]["now_queue_kva"], lines[3]["limit"], lines[3]["works_trigger"]) == (
        20,
        "变压器负载率越限",
        "暂不启动",
    )
    assert lines[5]["competitors"] == "A1、A2"
    assert lines[2]["fault"] is None
    assert "datum" in lines[4]["fault"]
    assert "capacity_kva“很多”" in lines[6]["fault"]
    assert lines[4]["project_id"] is None


def test_a_name_that_looks_like_a_formula_stays_a_text(tmp_path: Path) -> None:
    book = opened(answered(tmp_path))
    for sheet in book:
        for line in sheet.iter_rows():
            for cell in line:
                assert cell.data_type != "f" or (sheet.title, cell.coordinate) == ("README", "A2")
    assert book["projects"]["C3"].value == HOSTILE


def test_the_sheets_tell_what_the_projects_mean_together(tmp_path: Path) -> None:
    book = opened(answered(tmp_path))
    assert book.sheetnames[2:] == ["汇总", "冲突", "耗尽年份", "配套工程", "物料季度需求", "数据问题"]
    assert [cell.value for cell in book["冲突"][2]] == [
        "配电变压器", "一村配变", "T0", 20, 180, 1, "A1", 2, "A2、A4",
    ]  # fmt: skip
    years = {head.value: cell.value for head, cell in zip(book["耗尽年份"][1], book["耗尽年份"][2], strict=True)}
    assert (years["耗尽年份"], years["2027 年负荷 kVA"]) == ("2027", 242.5)
    counts = {line[0].value: line[1].value for line in book["汇总"].iter_rows()}
    assert (counts["队列：部分接入 项目数"], counts["未评估的行数"], counts["供电容量合计"]) == (1, 2, 180)
    assert {line[0].value for line in book["数据问题"].iter_rows(min_row=2)} == {3, 5}


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    content = answered(tmp_path)
    assert answered(tmp_path) == content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_csv_and_a_geojson_file_become_a_workbook_with_numbers_as_numbers(tmp_path: Path) -> None:
    lines = [",".join(COLUMNS)]
    lines += [",".join(f'"{str(cell or "").replace(chr(34), chr(34) * 2)}"' for cell in row) for row in rows()]
    sheet = opened(answered(tmp_path, "\n".join(lines).encode(), "reserve.csv"))["projects"]
    assert [cell.value for cell in sheet[1]][:WIDTH] == list(COLUMNS)
    assert (sheet["H2"].value, sheet["H6"].value, sheet["C3"].value) == (60, "很多", HOSTILE)
    assert told(sheet, 3)["verdict_queue"] == "部分接入"
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": row[4:6]},
            "properties": {
                name: str(value) if name == "received_on" else value
                for name, value in zip(COLUMNS, row, strict=True)
                if name not in ("lon_deg", "lat_deg") and value is not None
            },
        }
        for row in rows()
    ]
    document = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    sheet = opened(answered(tmp_path, document, "reserve.geojson"))["projects"]
    heads = [cell.value for cell in sheet[1]]
    assert sheet.cell(3, heads.index("name") + 1).value == HOSTILE
    assert sheet.cell(5, heads.index("队列接入结论") + 1).value == "不可接入"


def test_projects_without_a_table_get_one(tmp_path: Path) -> None:
    sheet = opened(write_workbook(results(), grid()))["projects"]
    heads = [cell.value for cell in sheet[1]]
    assert [row[heads.index("队列接入结论")].value for row in sheet.iter_rows(min_row=2)] == [
        "可接入", "部分接入", "不可接入",
    ]  # fmt: skip
    assert sheet.cell(3, heads.index("name") + 1).value == HOSTILE


def test_rows_written_without_positions_or_in_one_tag_and_with_a_prefix_are_understood(tmp_path: Path) -> None:
    """As other programs write them: no references, ``spans``, a prefix of the namespace."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    heads = "".join(f'<x:c t="inlineStr"><x:is><x:t>{name}</x:t></x:is></x:c>' for name in COLUMNS)
    cells = "".join(
        f'<x:c t="inlineStr"><x:is><x:t>{value}</x:t></x:is></x:c>'
        for value in ["gov", "A1", "面粉厂", "industrial_commercial", 115.0, 33.4, "CGCS2000", 60, "2026-01-01", "-"]
    )
    sheet = (
        f'<x:worksheet xmlns:x="{main}"><x:sheetData><x:row spans="1:10">{heads}</x:row>'
        f'<x:row r="2" spans="1:10">{cells}</x:row><x:row r="3"/></x:sheetData></x:worksheet>'
    )
    made = rezipped(workbook(), {"xl/worksheets/sheet1.xml": lambda _: sheet})
    file = tmp_path / "other.xlsx"
    file.write_bytes(made)
    table, read = read_source(file, STAGES)
    assert [one.row for one in read.entries] == [1]
    found = results()
    lone = replace(found, origins={"P1": Origin(source_id="A1", row_no=1)}, findings=())
    after = opened(write_workbook(lone, grid(), table=table))["projects"]
    assert told(after, 2)["verdict_queue"] == "可接入"
    assert b"spans" not in zipfile.ZipFile(io.BytesIO(write_workbook(lone, grid(), table=table))).read(
        "xl/worksheets/sheet1.xml"
    )


def test_a_sheet_of_a_name_that_is_taken_is_called_otherwise(tmp_path: Path) -> None:
    book = opened(workbook())
    book.create_sheet("汇总")["A1"] = "我的"
    stream = io.BytesIO()
    book.save(stream)
    after = opened(answered(tmp_path, stream.getvalue()))
    assert after.sheetnames[2:4] == ["汇总", "汇总(2)"]
    assert after["汇总"]["A1"].value == "我的"


def test_a_document_type_is_refused_before_anything_is_assessed(tmp_path: Path) -> None:
    bomb = rezipped(
        workbook(),
        {
            "xl/worksheets/sheet1.xml": lambda text: text.replace(
                "<worksheet", "<!DOCTYPE x [<!ENTITY a 'b'>]><worksheet", 1
            )
        },
    )
    file = tmp_path / "bomb.xlsx"
    file.write_bytes(bomb)
    with pytest.raises(InputError):
        read_source(file, STAGES)


def test_a_workbook_that_is_too_large_or_of_another_kind_is_refused_before_anything_is_assessed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = "http://purl.oclc.org/ooxml/spreadsheetml/main"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    other = rezipped(workbook(), {"xl/worksheets/sheet1.xml": lambda text: text.replace(main, strict)})
    with pytest.raises(InputError, match="dialect"):
        WorkbookParts(other, "a.xlsx").check("projects")
    latin = "<?xml version='1.0' encoding='GBK'?>"
    encoded = rezipped(workbook(), {"xl/workbook.xml": lambda text: latin + text[text.index("<workbook") :]})
    with pytest.raises(InputError, match="encoding"):
        WorkbookParts(encoded, "a.xlsx")
    for part, old, new in (("worksheets/sheet1", ' r="2"', ' r="2e9"'), ("workbook", 'sheetId="1"', 'sheetId="x"')):
        odd = rezipped(workbook(), {f"xl/{part}.xml": lambda text, old=old, new=new: text.replace(old, new)})
        with pytest.raises(InputError, match="a number of the workbook is none"):
            WorkbookParts(odd, "a.xlsx").check("projects")
    with pytest.raises(InputError, match="sheet is missing"):
        WorkbookParts(workbook(), "a.xlsx").check("别的表")
    monkeypatch.setattr(workbook_parts, "EXPANDED_BYTES_MAX", 1_000)
    with pytest.raises(InputError, match="too large"):
        WorkbookParts(workbook(), "a.xlsx")


def test_a_project_the_scenario_leaves_out_says_so(tmp_path: Path) -> None:
    table, made = source(tmp_path)
    less = replace(made, assessment=replace(made.assessment, projects=made.assessment.projects[:2]))
    line = told(opened(write_workbook(less, grid(), table=table))["projects"], 5)
    assert (line["verdict_queue"], line["reason"]) == ("未评估", "本情景不计入此项目")


def test_signs_a_workbook_cannot_hold_are_left_out_and_escapes_stay_what_they_are() -> None:
    """``_x0041_`` is how a workbook writes the letter A; a reader that knows this (calamine) gets the name back."""
    content = write_workbook(results(names=("甲\x00\x1f乙", "_x0041_厂", "c")), grid())
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name("projects")
    assert [row[2] for row in sheet.to_python()][1:3] == ["甲乙", "_x0041_厂"]
