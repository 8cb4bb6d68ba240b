"""What a stock table covers of a bill of materials; days counted by hand from the dates in the rows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pytest

from gridmodel.errors import InputError
from scheme.model import Material
from scheme.stock import StockTable, fill_stock, merge_materials, summarize_supply
from scheme.stock_file import read_stock

HEADER = "type_id,name,model,status,quantity,unit,location,lead_time_days,order_progress,as_of"
SWITCH = "SW-VCB,柱上真空断路器,ZW32,in_stock,2,台,城关仓,,,2026-06-01"


def table(folder: Path, *rows: str, header: str = HEADER) -> StockTable:
    path = folder / "stock.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return read_stock(path)


def material(type_id: str = "SW-VCB", quantity: float = 1.0, unit: str = "台", side: str = "utility") -> Material:
    return Material(type_id=type_id, name=type_id, quantity=quantity, unit=unit, side=side)  # type: ignore[arg-type]


def test_material_in_stock_is_told_with_its_place(tmp_path: Path) -> None:
    (line,) = fill_stock([material(quantity=2.0)], table(tmp_path, SWITCH))
    assert (line.stock_status, line.stock_quantity, line.stock_location) == ("in_stock", 2.0, "城关仓")
    assert (line.stock_as_of, line.ready_on) == ("2026-06-01", None)
    supply = summarize_supply([line])
    assert (supply.is_complete, supply.ready_on, supply.not_known) == (True, None, ())


def test_rest_comes_from_the_order_that_arrives_first(tmp_path: Path) -> None:
    """3 wanted, 2 in stock, 1 from the order of 1 June + 20 days = 21 June, not from the one of 30 days."""
    late = "SW-VCB,断路器,,ordered,5,台,,30,排产,2026-06-01"
    soon = "SW-VCB,断路器,,ordered,1,台,,20,已发货,2026-06-01"
    (line,) = fill_stock([material(quantity=3.0)], table(tmp_path, late, SWITCH, soon))
    assert (line.stock_status, line.stock_quantity, line.ready_on) == ("ordered", 2.0, "2026-06-21")
    assert line.stock_order == "已发货"  # only of the order that is used
    assert summarize_supply([line]).ready_on == date(2026, 6, 21)


def test_lots_are_given_out_once(tmp_path: Path) -> None:
    first, second = fill_stock([material(quantity=2.0), material(quantity=1.0)], table(tmp_path, SWITCH))
    assert (first.stock_status, second.stock_status) == ("in_stock", "short")
    assert second.stock_quantity == 0.0


def test_order_without_a_day_leaves_the_material_open(tmp_path: Path) -> None:
    (line,) = fill_stock([material()], table(tmp_path, "SW-VCB,断路器,,ordered,5,台,,,已下单,2026-06-01"))
    assert (line.stock_status, line.ready_on, line.stock_order) == ("ordered", None, "已下单")
    assert summarize_supply([line]).not_known == ("SW-VCB",)


def test_too_little_in_stock_and_nothing_ordered_is_short(tmp_path: Path) -> None:
    (line,) = fill_stock([material(quantity=3.0)], table(tmp_path, SWITCH))
    assert (line.stock_status, line.ready_on) == ("short", None)


def test_material_without_a_row_is_not_known_and_the_customers_is_not_asked_for(tmp_path: Path) -> None:
    own, customers = fill_stock([material("RMU-BAY"), material(side="customer")], table(tmp_path, SWITCH))
    assert own.stock_status == "not_known"
    assert customers.stock_status is None
    assert summarize_supply([own, customers]).not_known == ("RMU-BAY",)


def test_without_a_table_nothing_is_known() -> None:
    bill = (material(),)
    assert fill_stock(bill, None) == bill
    assert summarize_supply(bill).not_known == ("SW-VCB",)
    assert summarize_supply((material(side="customer"),)).is_complete


def test_another_unit_than_the_bill_is_refused_with_its_row(tmp_path: Path) -> None:
    stock = table(tmp_path, SWITCH, "JKLYJ-10 1x70,导线,,in_stock,500,m,城关仓,,,2026-06-01")
    with pytest.raises(InputError) as caught:
        fill_stock([material("JKLYJ-10 1x70", 0.3, "km")], stock)
    assert dict(caught.value.context) == {
        "file": "stock.csv", "row": 2, "field": "unit", "value": "m", "allowed": "km",
    }  # fmt: skip


def test_equal_lines_are_merged_and_sides_kept_apart() -> None:
    lines = merge_materials([material(quantity=0.1), material(side="customer"), material(quantity=0.2)])
    assert [(line.quantity, line.side) for line in lines] == [(0.3, "utility"), (1.0, "customer")]


@pytest.mark.parametrize(
    ("row", "field", "value"),
    [
        (",断路器,,in_stock,2,台,,,,2026-06-01", "type_id", None),
        ("SW-VCB,断路器,,reserved,2,台,,,,2026-06-01", "status", "reserved"),
        ("SW-VCB,断路器,,in_stock,two,台,,,,2026-06-01", "quantity", "two"),
        ("SW-VCB,断路器,,in_stock,-1,台,,,,2026-06-01", "quantity", "-1"),
        ("SW-VCB,断路器,,in_stock,nan,台,,,,2026-06-01", "quantity", "nan"),
        ("SW-VCB,断路器,,in_stock,2,,,,,2026-06-01", "unit", None),
        ("SW-VCB,断路器,,ordered,2,台,,1.5,,2026-06-01", "lead_time_days", "1.5"),
        ("SW-VCB,断路器,,in_stock,2,台,,5,,2026-06-01", "lead_time_days", "5"),
        ("SW-VCB,断路器,,ordered,2,台,,9999,,2026-06-01", "lead_time_days", "9999"),
        ("SW-VCB,断路器,,in_stock,2,台,,,,1 June", "as_of", "1 June"),
        ("SW-VCB,断路器,,ordered,2,台,,300,,9999-12-01", "as_of", "9999-12-01"),
        ("SW-VCB,断\x07路器,,in_stock,2,台,,,,2026-06-01", "name", "断\x07路器"),
    ],
)
def test_bad_cell_is_refused_with_file_row_field_and_value(
    tmp_path: Path, row: str, field: str, value: str | None
) -> None:
    with pytest.raises(InputError) as caught:
        table(tmp_path, SWITCH, row)
    found = dict(caught.value.context)
    assert (found["file"], found["row"], found["field"], found["value"]) == ("stock.csv", 2, field, value)
    assert found["allowed"] or field == "as_of"


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (HEADER.replace("unit,", ""), "mandatory column"),
        (HEADER.replace("model", "modell"), "unknown column"),
        (HEADER.replace("model", "name"), "twice"),
    ],
)
def test_bad_header_is_refused(tmp_path: Path, header: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        table(tmp_path, header=header)


def test_optional_columns_may_be_left_out_and_gb18030_is_read(tmp_path: Path) -> None:
    path = tmp_path / "stock.csv"
    text = "type_id,name,status,quantity,unit,as_of\nSW-VCB,断路器,in_stock,2,台,2026-06-01\n"
    path.write_bytes(text.encode("gb18030"))
    (lot,) = read_stock(path).rows
    assert (lot.name, lot.location, lot.lead_time_days) == ("断路器", "", None)


def test_workbook_gives_the_same_lots_and_digest(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "stock"
    sheet.append(HEADER.split(","))
    sheet.append(["SW-VCB", "柱上真空断路器", "ZW32", "in_stock", 2, "台", "城关仓", None, None, date(2026, 6, 1)])
    book.save(tmp_path / "stock.xlsx")
    assert read_stock(tmp_path / "stock.xlsx").sha256 == table(tmp_path, SWITCH).sha256
    sheet.title = "Sheet1"
    book.save(tmp_path / "stock.xlsx")
    with pytest.raises(InputError, match="sheet is missing"):
        read_stock(tmp_path / "stock.xlsx")


def test_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(InputError, match=r"one \.csv or \.xlsx"):
            read_stock(path)


def test_digest_follows_the_rows(tmp_path: Path) -> None:
    one = table(tmp_path, SWITCH).sha256
    assert one == table(tmp_path, SWITCH, header=HEADER + ",").sha256
    assert one != table(tmp_path, SWITCH.replace(",2,", ",3,")).sha256
