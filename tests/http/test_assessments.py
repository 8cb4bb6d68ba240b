"""Scenarios and assessments over HTTP: asked, worked out on a grid whose answers are known, kept, shown, compared."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from api.access import Role
from api.jobs.assessing import run_assessment
from api.jobs.workbench import open_workbench
from scheme.assessment.comparison import compare
from scheme.assessment_store.restore import read_assessment
from scheme.ledger.records import Actor
from tests.admission.utility import Utility, open_utility
from tests.api.clients import make_clients
from tests.assessment.grids import two_villages
from tests.connection.grids import place
from tests.http.test_projects import post
from tests.jobs.test_http import InlineSteps

Clients = Mapping[Role | None, TestClient]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Planning:
    """A utility with two villages, of which the first has room for one small project more than it has, and clients."""

    def __init__(self, folder: Path) -> None:
        self.utility: Utility = open_utility(str(folder / "planning.db"), two_villages())
        self.clients: Clients = make_clients(self.utility.services)
        self.planner = self.clients["planner"]
        self.steps: list[tuple[int, int | None, str]] = []

    def add(self, number: int, *, kva: float = 18.0, east_m: float = 0.0, **changes: Any) -> str:
        """Put a project into the library; the later its number, the later it was received."""
        lon_deg, lat_deg = place(east_m, 0.0)
        entry = {
            "source_system": "gov",
            "source_id": f"P-{number}",
            "name": f"项目{number}",
            "category": "industrial_commercial",
            "location": {"lon_deg": lon_deg, "lat_deg": lat_deg, "datum": "CGCS2000"},
            "demand": {"installed_kw": kva * 0.95, "capacity_kva": kva, "power_factor": 0.95},
            "received_on": f"2026-01-{number:02}",
            **changes,
        }
        made = post(self.planner, "/v1/projects", entry, key=f"add-{number}")
        assert made.status_code == 201, made.text
        return str(made.json()["project_id"])

    def ask(self, key: str = "a", **asked: Any) -> Any:
        """Call ``POST /v1/projects:assess``."""
        return post(self.planner, "/v1/projects:assess", asked, key=key)

    def work(self, assessment_id: str) -> Mapping[str, Any]:
        """Do its job in this process."""
        steps = InlineSteps()
        steps.actor = Actor(subject_id="local-planner", role="planner", request_id="job")
        self.steps = steps.told
        return run_assessment(open_workbench(self.utility.services, None), steps, assessment_id)

    def assess(self, key: str = "a", **asked: Any) -> str:
        """Ask and work; return the assessment's id."""
        started = self.ask(key, **asked)
        assert started.status_code == 202, started.text
        assessment_id = str(started.json()["assessment_id"])
        self.work(assessment_id)
        return assessment_id

    def read(self, path: str, **query: Any) -> Any:
        """Return what an engineer reads."""
        answer = self.clients["engineer"].get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ledger_rows(self) -> list[tuple[Any, ...]]:
        """Every row of the ledger's tables."""
        names = ("ledger_hold", "ledger_entry", "ledger_event", "ledger_hold_source", "ledger_certificate")
        with self.utility.store.read() as connection:
            return [tuple(row) for name in names for row in connection.execute(text(f"select * from {name}"))]


@pytest.fixture(autouse=True)
def quick_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports have tests of their own; one of them takes longer than all that is done here."""
    monkeypatch.setattr("scheme.assessment_store.outcome.write_report", lambda *_: b"%PDF-1.7 report")


@pytest.fixture
def planning(tmp_path: Path) -> Planning:
    return Planning(tmp_path)


@pytest.fixture(scope="module")
def assessed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Planning, list[str], str]:
    """Three projects of 18 kVA, two of them at the first village, with works; tests that change nothing share it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scheme.assessment_store.outcome.write_report", lambda *_: b"%PDF-1.7 report")
        planning = Planning(tmp_path_factory.mktemp("assessed"))
        ids = [planning.add(1), planning.add(2), planning.add(3, east_m=40_000.0)]
        return planning, ids, planning.assess(with_works=True)


def test_of_two_projects_with_room_for_one_the_page_can_draw_who_is_served_where(
    assessed: tuple[Planning, list[str], str],
) -> None:
    """Room for 80 - 60.9 = 19.1 kVA at the first village (tests/assessment/test_small_grids.py)."""
    planning, ids, assessment_id = assessed
    page = planning.read(f"/v1/assessments/{assessment_id}/projects")
    assert [(row["project_id"], row["queue_no"], row["queue"]["verdict"]) for row in page["items"]] == [
        (ids[0], 1, "yes"),
        (ids[1], 2, "no"),
        (ids[2], 3, "yes"),
    ]
    first, second, third = page["items"]
    board = planning.utility.services.get_live().imported.nodes.set_index("element_id").loc["N3"]
    point = first["queue"]["placement"]
    assert (point["element_source_id"], point["feeder"]) == ("N3", "F1")
    assert (point["lon_deg"], point["lat_deg"]) == pytest.approx((board.lon_deg, board.lat_deg), abs=1e-7)
    assert point["elements"][:2] == [["transformer", "T0"], ["feeder", "F1"]]
    assert (first["lon_deg"], first["lat_deg"]) == pytest.approx(place(0.0, 0.0))
    assert (second["alone"]["verdict"], second["competitors"]) == ("yes", [ids[0]])
    assert (second["queue"]["limiter"]["element_id"], second["works"]["is_complete"]) == ("T0", True)
    assert (first["source_id"], first["is_library"], third["queue"]["placement"]["feeder"]) == ("P-1", True, "F2")


def test_the_summary_counts_and_says_what_it_stands_on(assessed: tuple[Planning, list[str], str]) -> None:
    planning, _, assessment_id = assessed
    shown = planning.read(f"/v1/assessments/{assessment_id}")
    verdicts = {"yes": 2, "partly": 0, "no": 1, "not_assessable": 0}
    counts = shown["counts"]
    assert (counts["queue"], counts["alone"]["yes"], counts["projects"], counts["left_out"]) == (verdicts, 3, 3, 0)
    assert (counts["asked_kva"], counts["served_kva"]) == (54.0, 36.0)
    assert (counts["groups"], counts["conflicts"], counts["runs_out"], counts["works"]) == (2, 1, 1, 1)
    live = planning.utility.services.get_live()
    provenance = shown["provenance"]
    assert (provenance["snapshot_sha256"], provenance["ledger_seq"]) == (live.imported.sha256, live.head.seq)
    assert (shown["state"], shown["scenario_name"], shown["as_of"]) == ("done", "现状", "2026-03-02")
    assert (shown["created_by"], shown["with_works"], shown["file"]) == ("local-planner", True, None)
    [line] = planning.read("/v1/assessments")["items"]
    assert line == {name: value for name, value in shown.items() if name in line}


def test_pages_of_projects_follow_one_another_and_are_filtered(assessed: tuple[Planning, list[str], str]) -> None:
    planning, ids, assessment_id = assessed
    seen, cursor = [], None
    while True:
        query = {"limit": 2, **({} if cursor is None else {"cursor": cursor})}
        page = planning.read(f"/v1/assessments/{assessment_id}/projects", **query)
        seen += [row["project_id"] for row in page["items"]]
        assert page["total"] == 3
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == ids
    refused = planning.read(f"/v1/assessments/{assessment_id}/projects", verdict="no")
    assert ([row["project_id"] for row in refused["items"]], refused["total"]) == ([ids[1]], 1)


def test_lists_and_files_say_the_same_as_the_record(assessed: tuple[Planning, list[str], str]) -> None:
    planning, ids, assessment_id = assessed
    place_of = f"/v1/assessments/{assessment_id}"
    record = planning.read(f"{place_of}/files/json")
    for name in ("conflicts", "years", "quotas"):
        assert planning.read(f"{place_of}/{name}")["items"] == record[name]
    assert [one["work"] for one in planning.read(f"{place_of}/works")["items"]] == record["works"]
    assert record["conflicts"][0]["refused"] == [ids[1]]
    assert read_assessment(json.dumps(record)).as_dict() == record
    for form, media_type in (("xlsx", XLSX), ("pdf", "application/pdf"), ("geojson", "application/geo+json")):
        answer = planning.clients["engineer"].get(f"{place_of}/files/{form}")
        assert answer.headers["content-type"].startswith(media_type)
        assert answer.headers["content-disposition"] == f'attachment; filename="{assessment_id}.{form}"'
    book = openpyxl.load_workbook(io.BytesIO(planning.clients["engineer"].get(f"{place_of}/files/xlsx").content))
    assert "项目2" in {cell.value for row in book.worksheets[0].iter_rows() for cell in row}


def test_a_work_taken_as_done_serves_who_was_refused_and_the_comparison_says_so(planning: Planning) -> None:
    ids = [planning.add(1), planning.add(2)]
    before = planning.assess("before", with_works=True)
    [work] = planning.read(f"/v1/assessments/{before}/works")["items"]
    scenario = {"name": "扩建之后", "upgrades": [work["upgrade"]]}
    saved = post(planning.planner, "/v1/scenarios", scenario, key="s").json()
    after = planning.assess("after", scenario_id=saved["scenario_id"])
    told = planning.read(f"/v1/assessments/{before}:compare", after=after)
    records = [
        read_assessment(json.dumps(planning.read(f"/v1/assessments/{one}/files/json"))) for one in (before, after)
    ]
    assert told["comparison"] == json.loads(json.dumps(compare(*records).as_dict()))
    assert (told["comparison"]["served_before_kva"], told["comparison"]["served_after_kva"]) == (18.0, 36.0)
    assert [one["project_id"] for one in told["comparison"]["projects"]] == [ids[1]]
    assert told["comparison"]["conflicts_gone"] == [["transformer", "T0"]]
    [line] = planning.read("/v1/assessments", scenario_id=saved["scenario_id"])["items"]
    assert (line["assessment_id"], line["scenario_version_no"], line["scenario_name"]) == (after, 1, "扩建之后")


def test_an_assessment_holds_nothing_and_sees_what_is_held(planning: Planning) -> None:
    project_id = planning.add(1)
    untouched = planning.ledger_rows()
    free = planning.assess("free")
    assert planning.ledger_rows() == untouched == []
    planning.utility.issue("N3", 18.0, voltage="380V", length_m=10.0)
    held = planning.ledger_rows()
    assert held
    taken = planning.assess("taken")
    assert planning.ledger_rows() == held
    verdicts = [
        planning.read(f"/v1/assessments/{one}/projects")["items"][0]["queue"]["verdict"] for one in (free, taken)
    ]
    assert (project_id.startswith("prj_"), verdicts) == (True, ["yes", "no"])
    assert planning.read(f"/v1/assessments/{taken}")["provenance"]["ledger_seq"] > 0


def test_a_table_is_assessed_row_by_row_and_not_kept(planning: Planning) -> None:
    lon_deg, lat_deg = place(0.0, 0.0)
    head = "source_system,source_id,name,category,lon_deg,lat_deg,datum,capacity_kva,power_factor,received_on"
    good = f"gov,T-1,村东加工,industrial_commercial,{lon_deg},{lat_deg},CGCS2000,18,0.95,2026-01-05"
    bad = f"gov,T-2,村西加工,industrial_commercial,{lon_deg},{lat_deg},CGCS2000,many,0.95,2026-01-05"
    body = "\n".join((head, good, bad, good.replace("T-1", "T-3").replace(f"{lon_deg},{lat_deg},CGCS2000", ",,")))
    path = "/v1/projects:assess?name=county&with_works=true"
    started = post(planning.planner, path, body.encode(), **{"Content-Type": "text/csv"})
    assert started.status_code == 202, started.text
    assessment_id = started.json()["assessment_id"]
    planning.work(assessment_id)
    shown = planning.read(f"/v1/assessments/{assessment_id}")
    assert (shown["file"], shown["counts"]["projects"], shown["counts"]["left_out"]) == ("county.csv", 1, 2)
    assert [(one["row"], one["column"], one["severity"]) for one in shown["findings"]] == [
        (2, "capacity_kva", "error"),
        (3, "lon_deg", "error"),
    ]
    [row] = planning.read(f"/v1/assessments/{assessment_id}/projects")["items"]
    assert (row["source_id"], row["is_library"], row["queue"]["verdict"]) == ("T-1", False, "yes")
    assert planning.read("/v1/projects")["items"] == []
    content = planning.clients["engineer"].get(f"/v1/assessments/{assessment_id}/files/xlsx").content
    cells = {cell.value for row in openpyxl.load_workbook(io.BytesIO(content)).worksheets[0] for cell in row}
    assert {"T-1", "T-2", "T-3"} <= cells


def test_what_cannot_be_assessed_is_named_and_costs_the_others_nothing(planning: Planning) -> None:
    good, placeless, closed = planning.add(1), planning.add(2, location=None), planning.add(3)
    step = post(planning.planner, f"/v1/projects/{closed}:update", {"reason": "撤销", "stage": "closed"}, key="close")
    assert step.status_code == 200, step.text
    scenario = {"name": "S", "first_ids": [closed, good], "excluded_ids": [placeless]}
    shown = planning.read(f"/v1/assessments/{planning.assess('all', scenario=scenario)}")
    assert (shown["counts"]["projects"], shown["counts"]["left_out"]) == (1, 1), "closed ones are not part of it"
    named = planning.assess("named", project_ids=[good, placeless, closed])
    found = {one["element_id"]: one["code"] for one in planning.read(f"/v1/assessments/{named}")["findings"]}
    assert found == {"P-2": "not_placed", "P-3": "project_not_open"}


NOBODY = "prj_" + "0" * 32


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"project_ids": [NOBODY]}, "project_ids"),
        ({"project_ids": []}, "project_ids"),
        ({"scenario": {"name": "S", "first_ids": [NOBODY]}}, "first_ids"),
        ({"scenario": {"name": "S", "excluded_ids": [NOBODY]}}, "excluded_ids"),
        ({"scenario": {"name": "S", "excluded_ids": [NOBODY, NOBODY]}}, "scenario.excluded_ids"),
        ({"scenario": {"name": "S", "first_ids": [NOBODY], "excluded_ids": [NOBODY]}}, "scenario"),
        ({"scenario": {"name": "S", "growth_by_year_ratio": {"27": 0.1}}}, "scenario.growth_by_year_ratio.27.[key]"),
        ({"scenario": {"name": "S", "growth_by_year_ratio": {"2027": 50.0}}}, "scenario.growth_by_year_ratio.2027"),
        ({"scenario": {"name": "S", "upgrades": [{"table": "line", "element_id": "T0"}]}}, "scenario.upgrades.0"),
        (
            {"scenario": {"name": "S", "upgrades": [{"table": "line", "element_id": "T0", "type_id": "X"}]}},
            "upgrades.0.element_id",
        ),
        (
            {"scenario": {"name": "S", "upgrades": [{"table": "transformer", "element_id": "T0", "type_id": "X"}]}},
            "upgrades.0.type_id",
        ),
        ({"scenario": {"name": "S"}, "scenario_id": "scn_" + "0" * 32}, "(whole document)"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_does_not_exist_or_fit_is_refused_by_name(
    assessed: tuple[Planning, list[str], str], asked: dict[str, Any], field: str
) -> None:
    answer = assessed[0].ask(json.dumps(asked)[:100].replace(" ", "").encode("ascii", "ignore").decode(), **asked)
    assert (answer.status_code, answer.json()["context"]["field"]) == (422, field), answer.text


def test_a_call_that_cannot_be_is_refused(planning: Planning) -> None:
    assert planning.ask("empty").json()["context"]["field"] == "project_ids"
    both = post(planning.planner, "/v1/projects:assess?with_works=true", {}, key="both")
    assert (both.status_code, both.json()["context"]["field"]) == (422, "with_works")
    planning.add(1)
    absent = planning.ask("absent", scenario_id="scn_" + "0" * 32)
    assert (absent.status_code, absent.json()["code"]) == (404, "not_found")
    empty = post(planning.planner, "/v1/projects:assess", b"source_id\n", key="t", **{"Content-Type": "text/csv"})
    assert empty.status_code == 422
    pdf = post(planning.planner, "/v1/projects:assess", b"x", key="p", **{"Content-Type": "application/pdf"})
    assert pdf.status_code == 415


def test_nothing_is_shown_of_an_assessment_that_is_not_done_and_it_can_be_cancelled(planning: Planning) -> None:
    planning.add(1)
    first = planning.ask()
    assert planning.ask().content == first.content
    told = first.json()
    assert first.headers["Location"] == f"/v1/assessments/{told['assessment_id']}"
    other = planning.ask(with_works=True)
    assert (other.status_code, other.json()["code"]) == (422, "request.idempotency_conflict")
    place_of = f"/v1/assessments/{told['assessment_id']}"
    assert planning.read(place_of)["state"] == "queued"
    for path in ("/projects", "/conflicts", "/files/pdf"):
        answer = planning.planner.get(place_of + path)
        assert (answer.status_code, answer.json()["code"]) == (409, "assessment.not_done")
    job = planning.planner.get(f"/v1/jobs/{told['job_id']}").json()
    assert (job["kind"], job["state"]) == ("assessment", "queued")
    assert planning.planner.post(f"/v1/jobs/{told['job_id']}:cancel").json()["state"] == "cancelled"
    assert planning.read("/v1/assessments")["items"][0]["state"] == "cancelled"
    started = post(planning.planner, "/v1/jobs", {"kind": "assessment", "arguments": {}}, key="j")
    assert started.status_code == 422, "only with what is assessed"


def test_a_call_cut_off_before_its_job_queues_it_when_it_is_sent_again(
    planning: Planning, monkeypatch: pytest.MonkeyPatch
) -> None:
    planning.add(1)
    with monkeypatch.context() as patch:
        patch.setattr("api.jobs.durable.DurableJobs.submit", lambda *_, **__: pytest.raises(ZeroDivisionError))
        told = planning.ask().json()
    assert planning.planner.get(f"/v1/jobs/{told['job_id']}").status_code == 404
    assert planning.ask().json() == told
    assert planning.planner.get(f"/v1/jobs/{told['job_id']}").json()["state"] == "queued"


def test_a_job_done_twice_leaves_one_result(planning: Planning) -> None:
    planning.add(1)
    assessment_id = planning.assess()
    before = planning.read(f"/v1/assessments/{assessment_id}")
    planning.work(assessment_id)
    assert planning.read(f"/v1/assessments/{assessment_id}") == before
    phases = list(dict.fromkeys(told for _, _, told in planning.steps))
    assert phases == ["读入项目与电网", "评估完成"]


def test_an_assessment_keeps_the_version_of_its_scenario(planning: Planning) -> None:
    planning.add(1)
    scenario = {"name": "甲", "growth_by_year_ratio": {"2027": 0.05}}
    scenario_id = post(planning.planner, "/v1/scenarios", scenario, key="s").json()["scenario_id"]
    first = planning.assess("first", scenario_id=scenario_id)
    changed = post(planning.planner, f"/v1/scenarios/{scenario_id}:update", {"name": "乙"}, key="u")
    assert (changed.status_code, changed.json()["version_no"]) == (200, 2)
    shown = planning.read(f"/v1/assessments/{first}")
    assert (shown["scenario_version_no"], shown["scenario"]["name"]) == (1, "甲")
    assert shown["scenario"]["growth_by_year_ratio"] == {"2027": 0.05}
    planning.planner.post(f"/v1/scenarios/{scenario_id}:archive", headers={"Idempotency-Key": "x"})
    refused = planning.ask("late", scenario_id=scenario_id)
    assert (refused.status_code, refused.json()["code"]) == (409, "scenario.archived")


def test_pages_of_assessments_follow_one_another(planning: Planning) -> None:
    planning.add(1)
    asked = [planning.ask(f"a{n}").json()["assessment_id"] for n in range(5)]
    seen, cursor = [], None
    while True:
        page = planning.read("/v1/assessments", limit=2, **({} if cursor is None else {"cursor": cursor}))
        seen += [row["assessment_id"] for row in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == asked[::-1]
