"""Jobs over HTTP: who may start and see what, events to the end, and each kind on the real calculations it wraps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.jobs.durable import jobs_url
from api.jobs.kinds import KINDS, parse_arguments
from api.jobs.workbench import open_workbench
from gridmodel.errors import NotFoundError
from scheme.jobs.uploads import get_upload
from scheme.ledger.records import Actor
from tests.api.clients import make_clients
from tests.api.conftest import REQUEST, open_services, snapshot
from tests.jobs.test_jobs import Worker

__all__ = ["open_services", "snapshot"]
NETWORK = Path(__file__).parents[2] / "fixtures/pandapower/oberrhein_schutterwald/lv_schutterwald.json"


class InlineSteps:
    """Steps carried out at once, in this process."""

    job_id = "job_" + "0" * 32
    actor = Actor(subject_id="alice", role="engineer", request_id="job")

    def __init__(self) -> None:
        self.told: list[tuple[int, int | None, str]] = []

    def run(self, name: str, work: Any) -> Any:
        return json.loads(json.dumps(work()))

    def check(self) -> None:
        """Nobody cancels it."""

    def report(self, done: int, total: int | None, text: str) -> None:
        self.told.append((done, total, text))


@pytest.fixture
def services(open_services: Any, snapshot: Any) -> Any:
    made = open_services()
    made.store.store_snapshot(snapshot)
    return made


@pytest.fixture
def clients(services: Any) -> Any:
    return make_clients(services)


@pytest.fixture
def worker(services: Any, tmp_path: Path) -> Iterator[Worker]:
    made = Worker(jobs_url(services.store), tmp_path / "answered.log")
    yield made
    made.kill()


def start(client: TestClient, kind: str, *, key: str = "k", **arguments: Any) -> Any:
    return client.post("/v1/jobs", json={"kind": kind, "arguments": arguments}, headers={"Idempotency-Key": key})


def test_a_job_is_started_watched_to_its_end_and_read(clients: Any, worker: Worker) -> None:
    started = start(clients["engineer"], "schemes", requests=[{**REQUEST, "request_id": name} for name in "ABC"])
    assert started.status_code == 202, started.text
    place = started.headers["Location"]
    worker.start()
    with clients["engineer"].stream("GET", f"{place}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in stream.iter_lines() if line]
    events = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    assert set(events[:-1]) <= {"progress"}
    assert events[-1] == "end"
    last = json.loads([line.removeprefix("data: ") for line in lines if line.startswith("data: ")][-1])
    assert last["state"] == "done"
    assert [row["verdict"] for row in last["result"]["rows"]] == ["answered"] * 3
    assert clients["engineer"].get(place).json() == last


def test_only_the_starter_and_an_operator_see_a_job(clients: Any) -> None:
    place = start(clients["engineer"], "capacity").headers["Location"]
    assert clients["planner"].get(place).status_code == 404
    assert clients["planner"].get(f"{place}/events").status_code == 404
    assert clients["planner"].post(f"{place}:cancel").status_code == 404
    assert clients["operator"].get(place).json()["owner_id"] == "local-engineer"
    assert clients["planner"].get("/v1/jobs").json()["jobs"] == []
    assert len(clients["engineer"].get("/v1/jobs").json()["jobs"]) == 1
    assert clients["customer"].get(place).status_code == 403
    assert clients["engineer"].post(f"{place}:cancel").json()["state"] == "cancelled"


@pytest.mark.parametrize(
    ("role", "kind", "status"),
    [("planner", "capacity", 403), ("engineer", "publication", 403), ("operator", "capacity", 202),
     ("planner", "import", 403), ("engineer", "mow", 422)],
)  # fmt: skip
def test_each_kind_has_its_roles(clients: Any, role: str, kind: str, status: int) -> None:
    assert start(clients[role], kind).status_code == status


def test_pages_of_jobs_follow_one_another(clients: Any) -> None:
    ids = [start(clients["engineer"], "capacity", key=f"k{n}").json()["job_id"] for n in range(5)]
    seen, cursor = [], None
    while True:
        page = clients["engineer"].get("/v1/jobs", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [job["job_id"] for job in page["jobs"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(ids)


def test_an_upload_is_read_by_the_job_of_its_owner_and_then_gone(clients: Any, services: Any) -> None:
    reply = clients["engineer"].post(
        "/v1/uploads?name=town", content=NETWORK.read_bytes(),
        headers={"Idempotency-Key": "u", "Content-Type": "application/json"},
    )  # fmt: skip
    assert reply.status_code == 201, reply.text
    upload_id = reply.json()["upload_id"]
    bench, steps = open_workbench(services, None), InlineSteps()
    with pytest.raises(NotFoundError):
        KINDS["import"].run(bench, steps, parse_arguments("import", {"upload_id": upload_id}))
    steps.actor = Actor(subject_id="local-engineer", role="engineer", request_id="job")
    result = KINDS["import"].run(bench, steps, parse_arguments("import", {"upload_id": upload_id}))
    assert result["snapshot_sha256"] == services.store.find_current_sha256()
    assert services.get_live().imported.source_name == "town.json"
    with pytest.raises(NotFoundError):
        get_upload(services.store, upload_id, owner_id="local-engineer")


def test_a_capacity_job_keeps_the_table(services: Any) -> None:
    bench, steps = open_workbench(services, None), InlineSteps()
    KINDS["capacity"].run(bench, steps, parse_arguments("capacity", {}))
    assert bench.tables.find(services.get_live()) is not None
