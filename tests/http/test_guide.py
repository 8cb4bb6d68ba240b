"""What the rules say to anyone, by the figures of the two papers (clauses beside each), and places in other datums."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.services import Services
from gridmodel.snapshot import Snapshot
from scheme.policy.loader import load_policy
from scheme.store import Store
from tests.api.clients import make_clients
from tests.api.conftest import fake_parts

DAY = date(2026, 3, 2)
LV = {"category": "small_micro", "business": "new", "installed_kw": 80.0}
HV = {"category": "industrial_commercial", "business": "new", "installed_kw": 500.0}


def open_anyone(folder: Path, snapshot: Snapshot, profile: str) -> TestClient:
    store = Store(str(folder / f"{profile}.db"))
    store.store_snapshot(snapshot)
    parts = fake_parts(load_policy=load_policy)
    return make_clients(Services(store, profile=profile, clock=lambda: DAY, parts=parts))[None]


@pytest.fixture(scope="module")
def anyone(tmp_path_factory: pytest.TempPathFactory, snapshot: Snapshot) -> TestClient:
    """Nobody in particular, at the county's service."""
    return open_anyone(tmp_path_factory.mktemp("guide"), snapshot, "shenqiu-2022")


@pytest.fixture(scope="module")
def of_city(tmp_path_factory: pytest.TempPathFactory, snapshot: Snapshot) -> TestClient:
    return open_anyone(tmp_path_factory.mktemp("guide"), snapshot, "xinyang-2021")


def ask(client: TestClient, body: Any) -> Any:
    answer = client.post("/v1/public/guide", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def limits_of(told: Any) -> list[tuple[int, bool]]:
    """Return the limits without and with supporting works, and whether these come on top."""
    return [(limit["limit_workdays"], limit["works_are_added"]) for limit in told["limits"]]


def test_a_small_enterprise_is_told_voltage_days_steps_and_who_pays(anyone: TestClient) -> None:
    told = ask(anyone, LV)
    # 80 kW is within the 380 V range; 80 / 0.9 = 88.9 kVA
    assert (told["supply"]["voltage"], told["supply"]["capacity_kva"]) == ("380V", 88.9)
    # SQ-2022 二(二)2: 15 working days for small and micro enterprises, works or not
    assert [(limit["limit_workdays"], limit["works_are_added"]) for limit in told["limits"]] == [
        (15, False),
        (15, False),
    ]
    assert {limit["clause"] for limit in told["limits"]} == {"SQ-2022 二(二)2"}
    assert told["steps"] == ["用电申请", "装表送电"]
    assert told["investment"]["boundary"] == "客户规划红线"
    assert told["fees"] == []
    assert told["validity_months"] == 3  # 供电营业规则: low voltage three months
    assert told["required_documents"][:2] == ["客户主体证明", "用电地址产权证明"]
    assert told["missing"] == []
    read = {item["id"]: item["clause"] for item in told["policy_reads"]}
    assert read["time_limit.small_micro_workdays_max"] == "SQ-2022 二(二)2"


def test_ten_kilovolts_counts_works_on_top_and_says_which_times_nobody_gave(anyone: TestClient) -> None:
    told = ask(anyone, HV)
    assert told["supply"]["voltage"] == "10kV"
    # SQ-2022 目标三: 16 working days without supporting works
    assert [(limit["limit_workdays"], limit["works_are_added"]) for limit in told["limits"]] == [
        (16, False),
        (16, True),
    ]
    days = {works["mode"]: works["duration_workdays"] for works in told["works"]}
    # XY-2021 三(二)6 gives tee, overhead line and ring main unit; no paper gives the others
    assert days == {"tee": 4, "overhead_line": 15, "ring_main_unit": 20, "cable_line": None, "substation_bay": None}
    assert told["validity_months"] == 12


def test_the_rules_of_another_utility_answer_otherwise(of_city: TestClient) -> None:
    # XY-2021 三(二)6: small and micro enterprises 5, 10 kV with one source 12 working days
    assert ask(of_city, LV)["limits"][0]["limit_workdays"] == 5
    assert ask(of_city, HV)["limits"][0]["limit_workdays"] == 12


def test_a_second_source_costs_what_the_province_sets_and_that_is_not_known(anyone: TestClient) -> None:
    told = ask(anyone, {**HV, "sources": "dual_source"})
    [fee] = told["fees"]
    assert fee["name"] == "高可靠性供电费"
    assert fee["amount_cny"] is None
    assert told["supply"]["source_count"] == 2


def test_what_joint_work_must_decide_has_reasons_and_no_figures(anyone: TestClient) -> None:
    told = ask(anyone, {**HV, "installed_kw": 30_000.0})
    assert [reason["code"] for reason in told["reasons"]] == ["above_10kv_range"]
    assert told["supply"] is None
    assert (told["steps"], told["fees"], told["validity_months"]) == (None, None, None)
    assert told["limits"] == []


def test_a_value_nobody_gave_is_named_and_not_invented(snapshot: Snapshot, tmp_path: Path) -> None:
    # before the county's paper nobody had set the range of 380 V or any time limit
    store = Store(str(tmp_path / "early.db"))
    store.store_snapshot(snapshot)
    parts = fake_parts(load_policy=load_policy)
    services = Services(store, profile="shenqiu-2022", clock=lambda: date(2010, 1, 4), parts=parts)
    told = ask(make_clients(services)[None], LV)
    assert told["supply"] is None
    assert told["missing"]
    assert all(item["name"] for item in told["missing"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"installed_kw": 0.0}, "installed_kw"),
        ({"installed_kw": "80"}, "installed_kw"),
        ({"category": "casino"}, "category"),
        ({"location": {"lon_deg": 115.0, "lat_deg": 33.0, "datum": "CGCS2000"}}, "location"),
        ({"circumstances": {"load_class1_kw": 100.0}}, "(whole document)"),
    ],
)
def test_what_is_wrong_is_refused_by_its_field(anyone: TestClient, change: dict[str, Any], field: str) -> None:
    answer = anyone.post("/v1/public/guide", json={**LV, **change})
    assert answer.status_code == 422
    assert answer.json()["context"]["field"] == field


def test_a_red_line_is_a_place_and_refused(anyone: TestClient) -> None:
    ring = [[115.0, 33.0], [115.1, 33.0], [115.1, 33.1], [115.0, 33.0]]
    facts = {"red_line": {"type": "Polygon", "coordinates": [ring]}}
    assert anyone.post("/v1/public/guide", json={**LV, "circumstances": facts}).status_code == 422


def test_a_place_of_another_datum_is_where_an_application_would_have_it(anyone: TestClient) -> None:
    def place(**given: Any) -> Any:
        answer = anyone.post("/v1/public/place", json=given)
        assert answer.status_code == 200, answer.text
        return answer.json()

    same = place(lon_deg=115.02, lat_deg=33.41, datum="WGS84")
    assert same == {"lon_deg": 115.02, "lat_deg": 33.41, "datum": "CGCS2000"}
    # GCJ-02 lies some 500 m to the south-east here; BD-09 a further 0.0065 and 0.006 degrees, by its own definition
    moved = place(lon_deg=115.02, lat_deg=33.41, datum="GCJ02")
    assert 0.004 < 115.02 - moved["lon_deg"] < 0.007
    assert -0.003 < 33.41 - moved["lat_deg"] < 0.003
    further = place(lon_deg=115.02, lat_deg=33.41, datum="BD09")
    assert math.isclose(moved["lon_deg"] - further["lon_deg"], 0.0065, abs_tol=0.0005)
    assert math.isclose(moved["lat_deg"] - further["lat_deg"], 0.006, abs_tol=0.0008)


@pytest.mark.parametrize(
    "body",
    [
        {"lon_deg": 115.0, "lat_deg": 33.0},
        {"lon_deg": 115.0, "lat_deg": 91.0, "datum": "WGS84"},
        {"lon_deg": 115.0, "lat_deg": 33.0, "datum": "Beijing54"},
        {"lon_deg": "115", "lat_deg": 33.0, "datum": "WGS84"},
    ],
)
def test_a_place_without_its_datum_or_off_the_earth_is_refused(anyone: TestClient, body: dict[str, Any]) -> None:
    assert anyone.post("/v1/public/place", json=body).status_code == 422
