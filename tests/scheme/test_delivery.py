"""Whole answers with a stock table on the township: receiving station, supply status, promise date counted by hand."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.snapshot import Snapshot
from scheme.generate import generate_scheme
from scheme.model import Scheme
from scheme.policy.loader import load_policy
from scheme.request import parse_request
from scheme.stock import StockRow, StockTable
from scheme.stock_file import read_stock
from tests.conftest import FIXTURES

RECEIVED_ON = date(2026, 8, 3)  # a Monday; no holiday until Mid-Autumn on 25 September


def answer(
    township: Snapshot, stock: StockTable | None, *, request: str = "mv_10kv_single", business: str = "new",
    **circumstances: object,
) -> Scheme:  # fmt: skip
    plain = json.loads((FIXTURES / "requests" / f"{request}.json").read_text(encoding="utf-8"))
    plain |= {"received_on": RECEIVED_ON.isoformat(), "business": business}
    plain["circumstances"] = {**plain.get("circumstances", {}), **circumstances}
    return generate_scheme(
        parse_request(json.dumps(plain, ensure_ascii=False)),
        snapshot=township,
        policy=load_policy("xinyang-2021", RECEIVED_ON),
        catalogue=load_catalogue(),
        capacity=None,
        as_of=RECEIVED_ON,
        version="test",
        stock=stock,
    )


def lot(row: int, type_id: str, unit: str, **more: Any) -> StockRow:
    given: dict[str, Any] = {
        "name": type_id, "model": "", "status": "in_stock", "quantity": 500.0, "location": "城关仓",
        "lead_time_days": None, "order_progress": "", "as_of": RECEIVED_ON,
    }  # fmt: skip
    return StockRow(row=row, type_id=type_id, unit=unit, **(given | more))


@pytest.fixture(scope="module")
def without_stock(township: Snapshot) -> Scheme:
    return answer(township, None, in_provincial_park=True)


@pytest.fixture(scope="module")
def everything(without_stock: Scheme) -> StockTable:
    bill = {m.type_id: m.unit for v in without_stock.variants for m in v.bill_of_materials if m.side == "utility"}
    return StockTable(file="stock.csv", rows=tuple(lot(n, *item) for n, item in enumerate(bill.items(), start=1)))


@pytest.fixture(scope="module")
def with_everything(township: Snapshot, everything: StockTable) -> Scheme:
    return answer(township, everything, in_provincial_park=True)


def test_customer_at_10_kv_gets_a_station_of_his_own(without_stock: Scheme) -> None:
    """630 kVA stands in a box; 38 万元 by the price book, paid by the customer also inside a park."""
    best = without_stock.variants[0]
    [station] = [work for work in best.works if work.code == "box_station"]
    [item] = [item for item in best.cost.items if item.code == "BOX-630"]
    assert (station.side, item.typical_cny10k) == ("customer", 38.0)
    assert [m.model for m in best.bill_of_materials if m.type_id == "BOX-630"] == ["S20-630/10"]


def test_without_a_stock_table_the_promise_counts_from_the_arrival_of_materials(without_stock: Scheme) -> None:
    """Stock 3, overhead line 15, process 12 afterwards."""
    timeline = without_stock.variants[0].timeline
    assert without_stock.variants[0].route.laying == "overhead"
    assert (timeline.promise_on, timeline.promise_after) == (None, ("material_delivery",))
    assert timeline.promise_after_workdays == 30
    assert timeline.missing == ("stock",)


def test_promise_with_everything_in_stock_is_the_day_counted_by_hand(
    with_everything: Scheme, everything: StockTable
) -> None:
    """Approval 5 until 10 August; line 15 until 31 August; process 12: 1-4, 7-11, 14-16 September."""
    scheme = with_everything
    best = scheme.variants[0]
    assert {m.stock_status for m in best.bill_of_materials if m.side == "utility"} == {"in_stock"}
    assert {m.stock_status for m in best.bill_of_materials if m.side == "customer"} == {None}
    assert best.timeline.promise_on == "2026-09-16"
    assert best.timeline.critical_path == (
        "acceptance",
        "permit_project_approval",
        "supporting_works",
        "process",
    )
    assert best.timeline.is_by_needed_on
    assert scheme.provenance.stock_sha256 == everything.sha256


def test_switch_on_order_moves_the_promise(township: Snapshot, everything: StockTable) -> None:
    """It arrives on 3 August + 14 = 17 August; stock 3 until 20; line 15 until 10 September; process 12:

    11; 14-18 (6); Sunday 20 worked (7); 21-24 (11); 25-27 off; 28 September.
    """
    rows = tuple(
        row if row.type_id != "SW-VCB" else lot(row.row, "SW-VCB", row.unit, status="ordered", lead_time_days=14)
        for row in everything.rows
    )
    scheme = answer(township, StockTable(file="stock.csv", rows=rows), in_provincial_park=True)
    best = next(variant for variant in scheme.variants if variant.connection_point.kind in ("pole", "line_tee"))
    assert best.timeline.promise_on == "2026-09-28"
    [switch] = [material for material in best.bill_of_materials if material.type_id == "SW-VCB"]
    assert (switch.stock_status, switch.ready_on) == ("ordered", "2026-08-17")


def test_the_same_stock_gives_the_same_scheme_and_another_another(
    township: Snapshot, without_stock: Scheme, with_everything: Scheme, everything: StockTable
) -> None:
    assert answer(township, everything, in_provincial_park=True) == with_everything
    assert with_everything.scheme_id != without_stock.scheme_id


def test_utility_is_not_asked_for_the_customers_line(township: Snapshot) -> None:
    """Outside a park the customer builds the line; its approval comes before his works, not before the tee."""
    timeline = answer(township, None).variants[0].timeline
    steps = {milestone.code: milestone for milestone in timeline.milestones}
    assert "permit_project_approval" in steps["customer_works"].predecessors
    assert "permit_project_approval" not in steps["supporting_works"].predecessors


def test_increase_without_works_of_the_customer_keeps_his_station(township: Snapshot) -> None:
    scheme = answer(township, None, business="increase", has_external_works=False)
    codes = {work.code for work in scheme.variants[0].works}
    assert "box_station" not in codes
    assert "customer_works" not in [milestone.code for milestone in scheme.variants[0].timeline.milestones]


def test_example_stock_table_knows_the_materials_of_a_low_voltage_answer(township: Snapshot) -> None:
    stock = read_stock(FIXTURES / "stock" / "stock.csv")
    scheme = answer(township, stock, request="lv_industrial_commercial")
    own = [material for material in scheme.variants[0].bill_of_materials if material.side == "utility"]
    assert own
    assert all(material.stock_status not in (None, "not_known") for material in own)
