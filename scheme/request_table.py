"""Requests as one table (储备项目清单): a row each, read with every fault named by row and column; no row is lost."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from gridmodel.errors import InputError
from gridmodel.readers.table_files import RawTable, read_raw_table
from gridmodel.readers.table_schema import Column, Table
from scheme.publication.spreadsheet import Sheet
from scheme.request import SupplyRequest, find_faults

SHEET = "requests"
Kind = Literal["text", "number", "integer", "flag", "date"]
_FLAGS = {"true": True, "false": False, "是": True, "否": False, "1": True, "0": False}
_EXPECTED: Mapping[Kind, str] = {
    "number": "数值",
    "integer": "整数",
    "flag": "是 或 否",
    "date": "日期,如 2026-03-02",
    "text": "文本",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestColumn:
    """One column of the table and its place in a request."""

    name: str
    place: tuple[str, ...]
    kind: Kind
    title: str
    """Chinese."""
    allowed: str
    example: str
    is_required: bool = False
    words: Mapping[str, str] | None = None
    """What people write, for what a request says."""


_CATEGORIES = {
    "居民": "resident", "居民小区": "residential_area", "小微企业": "small_micro", "工商业": "industrial_commercial",
    "农业": "agriculture", "非居民照明": "non_residential_lighting", "充电设施": "ev_charging", "临时用电": "temporary",
    "其他": "other",
}  # fmt: skip
_BUSINESS = {"新装": "new", "增容": "increase", "临时": "temporary"}
_SOURCES = {"单电源": "single", "双回路": "dual_circuit", "双电源": "dual_source"}
_IMPORTANCE = {"特级": "special", "一级": "first", "二级": "second", "临时性": "temporary", "普通": "ordinary"}


def _column(place: str, kind: Kind, title: str, allowed: str, example: str = "", **more: Any) -> RequestColumn:
    parts = tuple(place.split("."))
    return RequestColumn(name=parts[-1], place=parts, kind=kind, title=title, allowed=allowed, example=example, **more)


def _words(words: Mapping[str, str]) -> dict[str, Any]:
    return {"words": words}


COLUMNS: tuple[RequestColumn, ...] = (
    _column(
        "request_id", "text", "申请编号", "1~64 位字母、数字、点、横线、下划线,不重复", "XM-2026-001", is_required=True
    ),
    _column("applicant.name", "text", "客户名称", "文本,不超过 200 字", "示例机械厂", is_required=True),
    _column(
        "applicant.category",
        "text",
        "用电类别",
        "、".join(_CATEGORIES),
        "工商业",
        is_required=True,
        **_words(_CATEGORIES),
    ),
    _column("business", "text", "业务类型", "、".join(_BUSINESS), "新装", is_required=True, **_words(_BUSINESS)),
    _column("location.lon_deg", "number", "经度 °", "-180~180", "115.1", is_required=True),
    _column("location.lat_deg", "number", "纬度 °", "-90~90", "33.4", is_required=True),
    _column("location.datum", "text", "坐标系", "CGCS2000、WGS84、GCJ02、BD09", "CGCS2000", is_required=True),
    _column("demand.installed_kw", "number", "用电设备总容量 kW", "大于 0", "320", is_required=True),
    _column("received_on", "date", "受理日期", "日期,如 2026-03-02", "2026-03-02", is_required=True),
    _column("demand.capacity_kva", "number", "申请容量 kVA", "大于 0;空=按规则核定"),
    _column("demand.power_factor", "number", "功率因数", "大于 0,不大于 1;空=按规则取值"),
    _column("demand.single_phase", "flag", "单相", "是、否;空=未说明"),
    _column("voltage", "text", "电压等级", "auto、220V、380V、10kV;空=auto"),
    _column("sources", "text", "电源数", "、".join(_SOURCES) + ";空=单电源", **_words(_SOURCES)),
    _column("needed_on", "date", "期望送电日期", "日期;空=未说明", "2026-12-01"),
    _column(
        "applicant.importance", "text", "重要用户等级", "、".join(_IMPORTANCE) + ";空=未认定", **_words(_IMPORTANCE)
    ),
    _column("applicant.contact", "text", "联系人", "文本;可空"),
    _column("circumstances.households", "integer", "户数", "大于 0 的整数;居民小区填写"),
    _column("circumstances.load_class1_kw", "number", "一级负荷 kW", "不小于 0;空=未说明"),
    _column("circumstances.load_class2_kw", "number", "二级负荷 kW", "不小于 0;空=未说明"),
    _column("circumstances.substitution_share", "number", "电能替代占比", "0~1 的比例;空=未说明"),
    _column("circumstances.in_provincial_park", "flag", "省级及以上园区", "是、否;空=未说明"),
    _column("circumstances.is_urgent", "flag", "急需用电", "是、否;空=未说明"),
)
_BY_NAME = {column.name: column for column in COLUMNS}
_BY_PLACE = {column.place: column for column in COLUMNS}


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFault:
    """One cell that is not as it must be."""

    row: int
    """The first below the header is 1."""
    column: str
    value: str | None
    """``None`` where it is empty."""
    expected: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """One row; ``request`` is ``None`` where it has faults."""

    row: int
    cells: Mapping[str, str]
    request: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTable:
    """All rows of a table in its order, and everything wrong with them."""

    file: str
    rows: tuple[RequestRow, ...]
    faults: tuple[CellFault, ...]


def read_requests(path: Path, *, rows_max: int) -> RequestTable:
    """Return the requests of a CSV file, or of the sheet ``requests`` of an xlsx file.

    Raises:
        InputError: Unreadable, a column is unknown, missing or stands twice, no row, or too many.
    """
    raw = read_raw_table(path, _table())
    if not 0 < len(raw.rows) <= rows_max:
        raise InputError("wrong number of rows", file=raw.file, value=len(raw.rows), allowed=f"1 to {rows_max}")
    faults: list[CellFault] = []
    rows = [_read_row(raw, number, cells, faults) for number, cells in raw.rows]
    seen: dict[str, int] = {}
    for place, row in enumerate(rows):
        name = row.cells["request_id"]
        if name and name in seen:
            problem = f"与第 {seen[name]} 行重复"
            faults.append(_fault(row.row, _BY_NAME["request_id"], name, problem))
            rows[place] = RequestRow(row=row.row, cells=row.cells, request=None)
        seen.setdefault(name, row.row)
    faults.sort(key=lambda fault: (fault.row, list(_BY_NAME).index(fault.column)))
    return RequestTable(file=raw.file, rows=tuple(rows), faults=tuple(faults))


def template_sheets() -> tuple[Sheet, ...]:
    """Return an empty table with one example row, and what its columns mean."""
    reference = tuple(
        (column.name, column.title, "是" if column.is_required else "否", column.allowed, column.example or None)
        for column in COLUMNS
    )
    return (
        Sheet(title=SHEET, columns=tuple(_BY_NAME), rows=(tuple(column.example or None for column in COLUMNS),)),
        Sheet(title="README", columns=("列", "含义", "必填", "可填内容", "示例"), rows=reference),
    )


def template_csv() -> bytes:
    """Return the empty table with one example row as CSV (UTF-8 with its mark)."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\r\n").writerows([list(_BY_NAME), [column.example for column in COLUMNS]])
    return stream.getvalue().encode("utf-8-sig")


def _read_row(raw: RawTable, number: int, cells: Sequence[str], faults: list[CellFault]) -> RequestRow:
    given = dict(zip(raw.columns, cells, strict=False))
    texts = {name: given.get(name, "") for name in _BY_NAME}
    found: list[CellFault] = []
    if len(cells) > len(raw.columns) and any(cells[len(raw.columns) :]):
        found.append(_fault(number, COLUMNS[0], ",".join(cells[len(raw.columns) :]), "比表头多出的单元格"))
    record: dict[str, Any] = {}
    for column in COLUMNS:
        if texts[column.name]:
            _put(record, column, texts[column.name], number, found)
    place_known = {fault.column for fault in found}
    text = json.dumps(record, ensure_ascii=False)
    found += [fault for fault in _faults_of(number, texts, text) if fault.column not in place_known]
    faults += found
    return RequestRow(row=number, cells=texts, request=None if found else record)


def _put(record: dict[str, Any], column: RequestColumn, text: str, number: int, found: list[CellFault]) -> None:
    """Put a cell into its place in the request, or say what is wrong with it."""
    value = _value_of(column, text)
    if value is None:
        found.append(_fault(number, column, text, f"不是{_EXPECTED[column.kind]}"))
        return
    part = record
    for name in column.place[:-1]:
        part = part.setdefault(name, {})
    part[column.place[-1]] = value


def _value_of(column: RequestColumn, text: str) -> Any:
    """Return what a cell says, ``None`` where it cannot be read."""
    if column.kind in ("number", "integer"):
        return _number_of(text, is_whole=column.kind == "integer")
    if column.kind == "flag":
        return _FLAGS.get(text.lower())
    if column.kind == "date":
        try:
            return date.fromisoformat(text.split(" ")[0].split("T")[0].replace("/", "-")).isoformat()
        except ValueError:
            return None
    return (column.words or {}).get(text, text)


def _number_of(text: str, *, is_whole: bool) -> float | int | None:
    try:
        value = float(text)
    except ValueError:
        return None
    if not math.isfinite(value) or (is_whole and not value.is_integer()):
        return None
    return int(value) if is_whole else value


def _faults_of(number: int, texts: Mapping[str, str], text: str) -> Iterator[CellFault]:
    """Yield what the request itself refuses, by column; a fault between columns stands at the first of its part."""
    for fault in find_faults(SupplyRequest, text):
        column = _BY_PLACE.get(fault.place) or next(
            (column for column in COLUMNS if column.place[: len(fault.place)] == fault.place), COLUMNS[0]
        )
        is_empty = not texts[column.name]
        problem = "必填项为空" if is_empty and column.is_required else f"不符合要求({fault.problem})"
        yield _fault(number, column, texts[column.name], problem)


def _fault(number: int, column: RequestColumn, value: str, problem: str) -> CellFault:
    return CellFault(row=number, column=column.name, value=value or None, expected=column.allowed, problem=problem)


def _table() -> Table:
    """Return the table as the reader of tables knows one."""
    columns = {
        column.name: Column(
            table=SHEET,
            name=column.name,
            is_required=column.is_required,
            type="text",
            unit="",
            allowed="",
            default="",
            refers_to=(),
            on_fault="row",
            example=column.example,
            description=column.title,
        )
        for column in COLUMNS
    }
    return Table(name=SHEET, is_mandatory=True, description="requests", columns=columns, key=("request_id",))
