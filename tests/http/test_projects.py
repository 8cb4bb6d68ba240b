"""The reserve library over HTTP: planners write, engineers read, everything once under its key."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from scheme.model import Validity
from tests.harness.quick_service import BOARD_PREFIX, quick_documents, quick_scheme
from tests.http.conftest import Office
from tests.library.office import BOARD, BOARD_KVA
from tests.library.test_importing import GOOD, csv_of, feature, geojson_of, xlsx_of

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def entry(**changes: Any) -> dict[str, Any]:
    plain = {
        "source_system": "gov",
        "source_id": "P-1",
        "name": "食品加工项目",
        "applicant": f"{BOARD_PREFIX}{BOARD}",
        "category": "industrial_commercial",
        "location": {"lon_deg": 115.04, "lat_deg": 33.4, "datum": "CGCS2000"},
        "demand": {"installed_kw": 40.0, "capacity_kva": 50.0, "power_factor": 0.95},
        "received_on": "2026-10-08",
    }
    return {**plain, **changes}


def post(client: TestClient, path: str, body: Any, key: str = "k", **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Content-Type": "application/json", "Idempotency-Key": key, **headers}
    return client.post(path, content=content, headers=given)


def step(client: TestClient, project_id: str, name: str, key: str = "s", **body: Any) -> Any:
    return post(client, f"/v1/projects/{project_id}:{name}", {"reason": "按流程办理", **body}, key)


@pytest.fixture
def office(open_office: Callable[..., Office]) -> Office:
    """Answers stay valid: the ledger's clock is the database's."""

    def answer(request: Any, **given: Any) -> Any:
        return replace(quick_scheme(request, **given), validity=Validity(from_on="2026-03-01", to_on="2099-12-31"))

    return open_office(generate_scheme=answer, write_documents=quick_documents)


@pytest.fixture
def planner(office: Office) -> TestClient:
    return office.clients["planner"]


def add(planner: TestClient, **changes: Any) -> str:
    made = post(planner, "/v1/projects", entry(**changes), key=f"add-{changes.get('source_id', 'P-1')}")
    assert made.status_code == 201, made.text
    return str(made.json()["project_id"])


def test_a_project_is_added_read_listed_and_changed(office: Office, planner: TestClient) -> None:
    made = post(planner, "/v1/projects", entry())
    project_id = made.json()["project_id"]
    assert (made.status_code, made.headers["Location"]) == (201, f"/v1/projects/{project_id}")
    again = post(planner, "/v1/projects", entry())
    assert (again.content, again.headers["Idempotency-Replayed"]) == (made.content, "true")
    twice = post(planner, "/v1/projects", entry(), key="other")
    assert (twice.status_code, twice.json()["code"]) == (409, "project.exists")
    changed = step(planner, project_id, "update", changes={"works_stage": "approved", "note": "一"}, revision_no=1)
    assert (changed.status_code, changed.json()["revision_no"]) == (200, 2)
    stale = step(planner, project_id, "update", key="t", changes={"note": "二"}, revision_no=1)
    assert (stale.status_code, stale.json()["code"]) == (409, "project.moved")
    shown = office.engineer.get(f"/v1/projects/{project_id}").json()
    assert [(row["action"], row["role"]) for row in shown["history"]] == [("create", "planner"), ("update", "planner")]
    assert shown["place"] == {"lon_deg": 115.04, "lat_deg": 33.4}
    listed = office.engineer.get("/v1/projects", params={"works_stage": "approved", "q": "食品"}).json()
    assert [row["project_id"] for row in listed["items"]] == [project_id]
    assert office.engineer.get("/v1/projects", params={"stage": "formal"}).json()["items"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (entry(works_stage="dreaming"), "works_stage"),
        (entry(colour="red"), "colour"),
        (entry(location={"lon_deg": 115.0, "lat_deg": 33.4}), "location.datum"),
        (entry(demand={"installed_kw": 0.0}), "demand.installed_kw"),
        (entry(demand={"by_year": [{"year": 2027}]}), "demand.by_year.0"),
    ],
)
def test_a_wrong_field_is_named(planner: TestClient, body: dict[str, Any], field: str) -> None:
    answer = post(planner, "/v1/projects", body)
    assert (answer.status_code, answer.json()["context"]["field"]) == (422, field)


def test_a_wrong_change_is_named(planner: TestClient) -> None:
    project_id = add(planner)
    for changes in ({"works_stage": "dreaming"}, {"colour": "red"}, {"source_id": "X"}):
        answer = step(planner, project_id, "update", key=next(iter(changes)), changes=changes)
        assert (answer.status_code, answer.json()["context"]["field"]) == (422, next(iter(changes)))
    assert step(planner, "prj_" + "0" * 32, "update", changes={"note": "一"}).status_code == 404


def test_pages_follow_each_other(planner: TestClient) -> None:
    made = [add(planner, source_id=f"P-{n}", received_on=f"2026-10-{9 - n:02}") for n in range(5)]
    seen, cursor = [], None
    while True:
        page = planner.get("/v1/projects", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [row["project_id"] for row in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]


def test_files_of_all_three_kinds_are_taken(planner: TestClient) -> None:
    bad = {**GOOD, "source_id": "2", "datum": ""}
    bodies = {
        "text/csv": csv_of(GOOD, bad),
        XLSX: xlsx_of(tuple(GOOD), list({**GOOD, "source_id": "3"}.values())),
        "application/geo+json": geojson_of(
            feature({"type": "Point", "coordinates": [115.04, 33.4]}, source_id="4", installed_kw=5)
        ),
    }
    for media_type, content in bodies.items():
        answer = post(planner, "/v1/projects:import", content, key=media_type, **{"Content-Type": media_type})
        assert (answer.status_code, answer.json()["created"]) == (200, 1), answer.text
    told = post(planner, "/v1/projects:import", bodies["text/csv"], key="text/csv", **{"Content-Type": "text/csv"})
    assert told.headers["Idempotency-Replayed"] == "true"
    assert (told.json()["refused"], told.json()["findings_total"]) == (1, 1)
    (finding,) = told.json()["findings"]
    assert (finding["file"], finding["row"], finding["column"]) == ("projects.csv", 2, "datum")
    path = "/v1/projects:import?all_or_nothing=true&name=county"
    refused = post(planner, path, bodies["text/csv"], key="all", **{"Content-Type": "text/csv"}).json()
    assert (refused["is_taken"], refused["refused"], refused["file"]) == (False, 2, "county.csv")
    unreadable = post(planner, path, b"colour\n", key="bad", **{"Content-Type": "text/csv"})
    assert (unreadable.status_code, unreadable.json()["context"]["file"]) == (422, "county.csv")
    assert post(planner, path, b"x", key="pdf", **{"Content-Type": "application/pdf"}).status_code == 415


def test_a_trial_of_a_file_keeps_nothing(planner: TestClient) -> None:
    file, media = csv_of(GOOD), {"Content-Type": "text/csv"}
    for _ in range(2):
        seen = post(planner, "/v1/projects:import?dry_run=true", file, key="trial", **media).json()
        assert (seen["created"], seen["is_taken"], seen["lines"][0]["fate"]) == (1, False, "created")
    assert planner.get("/v1/projects").json()["items"] == []
    taken = post(planner, "/v1/projects:import", file, key="trial", **media).json()
    assert (taken["created"], taken["is_taken"], taken["lines_total"]) == (1, True, 1)


def test_the_template_is_one_the_import_takes(planner: TestClient) -> None:
    for form, media_type in (("csv", "text/csv"), ("xlsx", XLSX)):
        template = planner.get("/v1/projects:template", params={"form": form})
        assert template.headers["content-type"].startswith(media_type)
        answer = post(planner, "/v1/projects:import", template.content, key=form, **{"Content-Type": media_type})
        assert (answer.status_code, answer.json()["rows"]) == (200, 0)


def test_documents_go_along_to_the_application(office: Office, planner: TestClient) -> None:
    project_id = add(planner)
    path = f"/v1/projects/{project_id}/documents"
    added = post(planner, f"{path}?name=立项批复.pdf", b"%PDF-1.7", **{"Content-Type": "application/pdf"})
    assert (added.status_code, added.json()["revision_no"]) == (201, 2)
    assert post(planner, f"{path}?name=a.exe", b"MZ", key="exe", **{"Content-Type": "text/html"}).status_code == 415
    (document,) = planner.get(f"/v1/projects/{project_id}").json()["documents"]
    assert office.engineer.get("/v1/requests/" + project_id + "/documents").json() == {"items": []}
    converted = step(planner, project_id, "convert").json()
    listed = office.engineer.get(f"/v1/requests/{converted['request_id']}/documents").json()["items"]
    assert [(one["name"], one["sha256"]) for one in listed] == [("立项批复.pdf", document["sha256"])]
    for place in (path, f"/v1/requests/{converted['request_id']}/documents"):
        found = office.engineer.get(f"{place}/{document['sha256']}")
        assert (found.content, found.headers["content-type"]) == (b"%PDF-1.7", "application/pdf")
        assert found.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E7%AB%8B")
        assert office.engineer.get(f"{place}/{'0' * 64}").status_code == 404


def test_a_project_becomes_an_application_once(office: Office, planner: TestClient) -> None:
    project_id = add(planner)
    made = step(planner, project_id, "convert")
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["request_id"], told["is_earlier"], told["hold"]["state"]) == (project_id, False, "held")
    assert step(planner, project_id, "convert").content == made.content
    second = step(planner, project_id, "convert", key="other").json()
    assert second == {**told, "is_earlier": True}
    assert office.engineer.get(f"/v1/schemes/{told['scheme_id']}").json()["request_id"] == project_id
    (hold,) = office.engineer.get("/v1/holds").json()["items"]
    assert hold["hold_id"] == told["hold"]["hold_id"]
    shown = planner.get(f"/v1/projects/{project_id}").json()
    assert (shown["stage"], shown["conversion"]["hold_id"]) == ("formal", hold["hold_id"])
    closed = step(planner, project_id, "update", stage="closed")
    assert (closed.status_code, closed.json()["code"]) == (409, "project.stage")
    assert office.act(told["scheme_id"], "commit").status_code == 200
    office.utility.check_ledger()


def test_a_refused_conversion_says_why_and_keeps_the_project(office: Office, planner: TestClient) -> None:
    demand = {"installed_kw": 200.0, "capacity_kva": BOARD_KVA + 1.0}
    project_id = add(planner, demand=demand)
    refused = step(planner, project_id, "convert")
    assert (refused.status_code, refused.json()["code"]) == (409, "project.conversion_refused")
    (limit,) = refused.json()["context"]["limits"]
    assert (limit["account_id"], limit["open_va"]) == ("transformer:trafo:1", 280_000)
    assert step(planner, project_id, "convert").content == refused.content
    assert planner.get(f"/v1/projects/{project_id}").json()["stage"] == "reserve"
    assert office.engineer.get("/v1/schemes").json()["items"] == []
    placeless = add(planner, source_id="P-2", location=None)
    assert step(planner, placeless, "convert", key="p").json()["context"]["field"] == "location"


def test_a_preliminary_reply_is_linked_and_holds_nothing(office: Office, planner: TestClient) -> None:
    project_id = add(planner)
    made = step(planner, project_id, "consult")
    assert made.status_code == 201, made.text
    scheme_id = made.json()["scheme_id"]
    shown = planner.get(f"/v1/projects/{project_id}").json()
    assert (shown["stage"], [reply["scheme_id"] for reply in shown["replies"]]) == ("consultation", [scheme_id])
    assert step(planner, project_id, "consult").headers["Idempotency-Replayed"] == "true"
    assert office.engineer.get("/v1/holds").json()["items"] == []


def test_only_planners_write_and_engineers_read(office: Office) -> None:
    project_id = add(office.clients["planner"])
    for role, client in office.clients.items():
        reads, writes = client.get("/v1/projects").status_code, step(client, project_id, "convert", key=f"{role}")
        expected = 401 if role is None else 200 if role in ("planner", "engineer") else 403
        assert (role, reads) == (role, expected)
        assert (role, writes.status_code) == (role, 401 if role is None else 201 if role == "planner" else 403)
