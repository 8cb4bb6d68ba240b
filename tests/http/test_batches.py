"""Batches of requests: the table that is handed in, rows as they come in, feeders that are asked for too much."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest

from api.jobs.batch import answer_one, find_feeder
from api.jobs.durable import DurableJobs, jobs_url
from api.jobs.records import Job
from tests.api.clients import make_clients
from tests.api.conftest import open_services, snapshot
from tests.http.conftest import Office
from tests.jobs.test_http import REQUEST, InlineSteps, start
from tests.jobs.test_jobs import Worker
from tests.test_request_table import GOOD

__all__ = ["open_services", "snapshot"]
CSV = ",".join(GOOD) + "\n" + ",".join(GOOD.values()) + "\n"


@pytest.fixture
def services(open_services: Any, snapshot: Any) -> Any:
    made = open_services()
    made.store.store_snapshot(snapshot)
    return made


@pytest.fixture
def worker(services: Any, tmp_path: Path) -> Iterator[Worker]:
    made = Worker(jobs_url(services.store), tmp_path / "answered.log")
    yield made
    made.kill()


def read(client: Any, content: str) -> Any:
    return client.post("/v1/request-tables:read", content=content.encode(), headers={"Content-Type": "text/csv"})


def test_table_is_read_with_its_faults_and_nothing_is_kept(calm_office: Office) -> None:
    planner = calm_office.clients["planner"]
    answer = read(planner, CSV + CSV.splitlines()[1].replace("XM-1", "XM-2").replace("320", "many") + "\n")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert [row["request"] is not None for row in told["rows"]] == [True, False]
    assert [(one["row"], one["column"], one["value"]) for one in told["faults"]] == [(2, "installed_kw", "many")]
    assert read(planner, "a,b\n1,2\n").status_code == 422
    assert read(calm_office.clients["operator"], CSV).status_code == 403
    for form in ("xlsx", "csv"):
        assert planner.get(f"/v1/request-tables/template/{form}").status_code == 200


def test_rows_of_a_batch_are_told_once_each_while_it_runs(services: Any, worker: Worker) -> None:
    clients = make_clients(services)
    names = ["A", "BAD", "B", "C", "D"]
    place = start(clients["planner"], "schemes", requests=[{**REQUEST, "request_id": name} for name in names]).headers[
        "Location"
    ]
    first = clients["planner"].get(f"{place}/rows").json()
    assert (first["items"], first["total"]) == ([], 0)
    assert first["next_cursor"] is not None, "more may come"
    worker.start()
    seen: list[str] = []
    cursor = first["next_cursor"]
    while cursor is not None:
        page = clients["planner"].get(f"{place}/rows", params={"cursor": cursor, "limit": 2}).json()
        seen += [row["request_id"] for row in page["items"]]
        cursor = page["next_cursor"]
    assert seen == names
    rows = clients["planner"].get(f"{place}/rows").json()["items"]
    assert [row["number"] for row in rows] == [0, 1, 2, 3, 4]
    assert [row["verdict"] for row in rows] == ["answered", None, "answered", "answered", "answered"]
    assert rows[1]["error"]["code"] == "input.invalid"
    assert clients["engineer"].get(f"{place}/rows").status_code == 404, "somebody else's"
    [listed] = clients["planner"].get("/v1/jobs").json()["jobs"]
    assert "rows" not in listed["result"]
    other = start(clients["engineer"], "capacity", key="other").headers["Location"]
    assert clients["engineer"].get(f"{other}/rows").status_code == 404, "no batch"


def test_row_names_scheme_and_feeder_of_the_first_variant(office: Office) -> None:
    from gridmodel.snapshot import Snapshot

    grid: Snapshot = office.utility.services.get_live().imported
    feeder_id = next(one for one in grid.nodes.feeder_id if isinstance(one, str))
    element = str(grid.nodes.element_id[grid.nodes.feeder_id == feeder_id].iloc[0])
    assert find_feeder(grid, element) == feeder_id
    assert find_feeder(grid, "absent") is None
    record = {
        "request": {"location_cgcs2000": {"lon_deg": 115.0, "lat_deg": 33.4}, "demand": {}},
        "supply": {"voltage": "10kV", "capacity_kva": 630.0},
        "reasons": [{"code": "r", "text": "t"}],
        "variants": [
            {"feeder": "甲线", "connection_point": {"name": "杆", "element_source_id": element},
             "cost": {"total_typical_cny10k": 12.5}},
            {"feeder": "乙线", "connection_point": {"name": "站", "element_source_id": "absent"}, "cost": None},
        ],
    }  # fmt: skip
    stored = SimpleNamespace(scheme_id="sch_1", verdict="answered", content=json.dumps(record).encode())
    services = SimpleNamespace(
        answer=lambda *_, **__: SimpleNamespace(stored=stored), get_live=office.utility.services.get_live
    )
    bench: Any = SimpleNamespace(services=services, tables=SimpleNamespace(find=None))
    row = answer_one(bench, InlineSteps(), 3, REQUEST)
    assert (row["number"], row["feeder_id"], row["feeder"], row["point"]) == (3, feeder_id, "甲线", "杆")
    assert (row["capacity_kva"], row["cost_typical_cny10k"], row["lon_deg"]) == (630.0, 12.5, 115.0)


def a_row(**cells: Any) -> dict[str, Any]:
    empty = dict.fromkeys(
        ("scheme_id", "verdict", "voltage", "capacity_kva", "feeder", "feeder_id", "point", "lon_deg", "lat_deg",
         "cost_typical_cny10k", "error")
    )  # fmt: skip
    return {**empty, "number": 0, "request_id": "R", "name": "n", "reasons": [], **cells}


@pytest.fixture
def batch_of(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a maker of a finished batch of given rows."""

    def make(*rows: dict[str, Any]) -> str:
        now = datetime(2026, 3, 2, tzinfo=UTC)
        job = Job(
            job_id="job_" + "a" * 32, kind="schemes", state="done", owner_id="local-engineer", progress=None,
            result=None, error=None, created_at=now, updated_at=now,
        )  # fmt: skip
        monkeypatch.setattr(DurableJobs, "find_results", lambda *_, **__: (job, list(rows)))
        return f"/v1/jobs/{job.job_id}"

    return make


def test_feeder_asked_for_more_than_it_has_is_told(office: Office, batch_of: Any) -> None:
    office.act(office.quote(50.0), "issue")
    accounts = office.engineer.get("/v1/accounts", params={"limit": 200}).json()["items"]
    feeder = next(one for one in accounts if one["account_id"].startswith("feeder:") and one["held_kva"] == 50.0)
    feeder_id, open_kva = feeder["account_id"].removeprefix("feeder:"), feeder["open_kva"]
    made = {"scheme_id": "s", "verdict": "answered", "feeder_id": feeder_id, "feeder": "甲线"}
    half = {**made, "capacity_kva": open_kva / 2}
    place = batch_of(a_row(**half), a_row(**half), a_row(scheme_id="t", verdict="joint_work"))
    told = office.engineer.get(f"{place}/feeders").json()
    [one] = told["items"]
    assert (one["feeder_id"], one["request_count"], one["is_over"]) == (feeder_id, 2, False)
    assert (one["asked_kva"], one["open_kva"]) == (pytest.approx(open_kva), open_kva)
    assert told["elsewhere_count"] == 1
    place = batch_of(a_row(**half), a_row(**half), a_row(**{**made, "capacity_kva": 1.0}))
    assert office.engineer.get(f"{place}/feeders").json()["items"][0]["is_over"] is True
    unknown = batch_of(a_row(**{**made, "feeder_id": "absent", "capacity_kva": 5.0}))
    assert office.engineer.get(f"{unknown}/feeders").json()["items"][0]["is_over"] is None


def test_files_hold_every_row_and_say_what_they_are_not(office: Office, batch_of: Any) -> None:
    rows = [
        a_row(request_id="=1+1", verdict="answered", scheme_id="s", lon_deg=115.0, lat_deg=33.4, capacity_kva=80.0),
        a_row(request_id="R2", error={"code": "input.invalid", "title": "outside", "context": {}}),
    ]
    place = batch_of(*rows)
    book = openpyxl.load_workbook(io.BytesIO(office.engineer.get(f"{place}/rows/xlsx").content))
    cells = [[cell.value for cell in row] for row in book["批量方案"].iter_rows(min_row=2)]
    assert [(row[0], row[2]) for row in cells] == [("=1+1", "可供电"), ("R2", "未受理")]
    assert book["批量方案"]["A2"].data_type == "s"
    assert "未计相互影响" in str(book["说明"]["A2"].value)
    found = office.engineer.get(f"{place}/rows/geojson").json()
    assert [feature["geometry"] for feature in found["features"]] == [
        {"type": "Point", "coordinates": [115.0, 33.4]},
        None,
    ]
