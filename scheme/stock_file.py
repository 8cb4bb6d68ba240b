"""Reads a stock table (物资库存表): a CSV file or the sheet ``stock`` of an xlsx file; a bad cell refuses the file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gridmodel.errors import InputError
from gridmodel.readers.table_cells import CellFault, parse_cell
from gridmodel.readers.table_files import RawTable, read_raw_table
from gridmodel.readers.table_schema import Column, ColumnType, Table
from scheme.stock import StockRow, StockTable

LEAD_TIME_DAYS_MAX = 3_650
_COLUMNS: tuple[tuple[str, bool, ColumnType, str, str, str], ...] = (
    ("type_id", True, "id", "", "", "Line type of the catalogue, else code of the unit cost or of the work"),
    ("name", True, "text", "", "", "物资名称"),
    ("model", False, "text", "", "", "型号"),
    ("status", True, "word", "", "in_stock|ordered", "状态: in_stock 在库, ordered 已订货"),
    ("quantity", True, "number", "", "[0, 1e9]", "数量, in unit"),
    ("unit", True, "text", "", "", "Unit the bill of materials counts in"),
    ("location", False, "text", "", "", "存储点"),
    (
        "lead_time_days",
        False,
        "integer",
        "day",
        f"[0, {LEAD_TIME_DAYS_MAX}]",
        "Days from as_of to arrival; ordered only",
    ),
    ("order_progress", False, "text", "", "", "订单进度"),
    ("as_of", True, "date", "", "", "Date the row was true"),
)
STOCK_TABLE = Table(
    name="stock",
    is_mandatory=False,
    description="Stock of materials (物资库存)",
    columns=MappingProxyType(
        {
            name: Column(
                table="stock",
                name=name,
                is_required=is_required,
                type=kind,
                unit=unit,
                allowed=allowed,
                default="",
                refers_to=(),
                on_fault="row",
                example="",
                description=description,
            )
            for name, is_required, kind, unit, allowed, description in _COLUMNS
        }
    ),
    key=(),
)


def read_stock(path: Path) -> StockTable:
    """Return the lots of a stock table.

    Raises:
        InputError: The file cannot be read, a column is unknown or missing, or a cell is not what its column allows.
    """
    raw = read_raw_table(path, STOCK_TABLE)
    return StockTable(file=raw.file, rows=tuple(_row(raw, number, cells) for number, cells in raw.rows))


def _row(raw: RawTable, number: int, cells: tuple[str, ...]) -> StockRow:
    if len(cells) > len(raw.columns):
        raise InputError("more cells than columns", file=raw.file, row=number, allowed=f"{len(raw.columns)} cells")
    given = dict(zip(raw.columns, cells, strict=False))
    values = {name: _cell(raw, number, column, given.get(name, "")) for name, column in STOCK_TABLE.columns.items()}
    if values["status"] == "in_stock" and values["lead_time_days"]:
        raise InputError(
            "what is in stock has no lead time",
            file=raw.file,
            row=number,
            field="lead_time_days",
            value=values["lead_time_days"],
            allowed="empty or 0",
        )
    texts = {name: values[name] or "" for name in ("model", "location", "order_progress")}
    row = StockRow(row=number, **(values | texts))
    _check_arrival(raw, row)
    return row


def _cell(raw: RawTable, number: int, column: Column, text: str) -> Any:
    value = parse_cell(text, column)
    if isinstance(value, CellFault):
        raise InputError(
            value.code, file=raw.file, row=number, field=column.name, value=text or None, allowed=value.expected
        )
    return value


def _check_arrival(raw: RawTable, row: StockRow) -> None:
    try:
        row.as_of + timedelta(days=row.lead_time_days or 0)
    except OverflowError as error:
        raise InputError(
            "arrives after the year 9999", file=raw.file, row=row.row, field="as_of", value=row.as_of
        ) from error
