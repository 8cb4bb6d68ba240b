"""The answer as server-sent events: the same answer, the same rules, and it is kept whoever goes away."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.services import Services
from gridmodel.errors import ConvergenceError
from gridmodel.snapshot import Snapshot
from scheme.store import Store
from tests.access.clients import client_of, make_key, with_access
from tests.api.clients import make_app
from tests.api.conftest import AS_OF, REQUEST, fake_parts, fake_scheme

EVENTS = "text/event-stream"
WAIT_S = 20.0


class Desk:
    """One service with a key of an engineer and one of a customer."""

    def __init__(self, folder: Path, snapshot: Snapshot, **changes: Any) -> None:
        self.store = Store(str(folder / "store.db"))
        self.store.store_snapshot(snapshot)
        services = Services(self.store, profile="shenqiu-2022", clock=lambda: AS_OF, parts=fake_parts(**changes))
        self.app: FastAPI = make_app(services)
        self.engineer_key = with_access(self.app, self.store).keys["engineer"]
        self.customer_key = make_key(self.store, "alice", "customer")
        self.engineer, self.customer = client_of(self.app, self.engineer_key), client_of(self.app, self.customer_key)


OpenDesk = Callable[..., Desk]


@pytest.fixture
def open_desk(tmp_path: Path, snapshot: Snapshot) -> OpenDesk:
    return lambda **changes: Desk(tmp_path, snapshot, **changes)


def ask(client: TestClient, *, accept: str = EVENTS, key: str | None = "k", **changes: Any) -> Any:
    headers = {"Accept": accept} | ({} if key is None else {"Idempotency-Key": key})
    return client.post("/v1/schemes", json={**REQUEST, **changes}, headers=headers)


def events_of(text: str) -> list[tuple[str, Any]]:
    """Return name and data of every event, by the rules of the HTML standard, section 9.2."""
    found = []
    for block in text.split("\n\n"):
        fields = [line.partition(":")[::2] for line in block.split("\n") if line and not line.startswith(":")]
        if not fields:
            continue
        data = "\n".join(value.removeprefix(" ") for name, value in fields if name == "data")
        name = next(value.removeprefix(" ") for name, value in fields if name == "event")
        found.append((name, json.loads(data)))
    return found


def counted(request: Any, *, progress: Callable[[int, int], None], **given: Any) -> Any:
    """An answer after three load flows of a bound of five."""
    for done in (1, 2, 3):
        progress(done, 5)
    return fake_scheme(request, **given)


def test_the_last_event_is_the_answer_of_the_other_form(open_desk: OpenDesk) -> None:
    desk = open_desk()
    answer = ask(desk.engineer)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, EVENTS)
    name, data = events_of(answer.text)[-1]
    as_json = ask(desk.engineer, accept="application/json")
    assert as_json.status_code == 201
    assert as_json.headers["idempotency-replayed"] == "true"
    assert (name, data) == ("answer", as_json.json())


def test_progress_names_stage_and_load_flows(open_desk: OpenDesk) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def slow(request: Any, **given: Any) -> Any:
        scheme = counted(request, **given)
        reached.set()
        assert go_on.wait(WAIT_S)
        return scheme

    desk = open_desk(generate_scheme=slow)
    seen = asyncio.run(_talk(desk, leave_after=None, until_told=("search", 3), then=go_on.set))
    assert reached.is_set()
    assert {"done": 3, "total": 5, "what": "search"} in [data for name, data in seen if name == "progress"]
    assert seen[-1][0] == "answer"


def test_who_goes_away_finds_the_answer_under_the_key(open_desk: OpenDesk) -> None:
    go_on, written = threading.Event(), threading.Event()

    def slow(request: Any, **given: Any) -> Any:
        assert go_on.wait(WAIT_S)
        written.set()
        return fake_scheme(request, **given)

    desk = open_desk(generate_scheme=slow)
    seen = asyncio.run(_talk(desk, leave_after=1, until_told=None, then=None))
    assert [name for name, _ in seen] == ["progress"]
    assert not written.is_set()
    go_on.set()
    again = ask(desk.engineer, accept="application/json")
    assert written.is_set()
    assert (again.status_code, again.json()["scheme_id"]) == (201, "sch_R-1")
    assert again.headers["idempotency-replayed"] == "true"
    assert [row["scheme_id"] for row in desk.engineer.get("/v1/schemes").json()["items"]] == ["sch_R-1"]


async def _talk(
    desk: Desk, *, leave_after: int | None, until_told: tuple[str, int] | None, then: Callable[[], None] | None
) -> list[tuple[str, Any]]:
    """Ask the application itself; leave after so many events, or do something once a stage is told."""
    body = json.dumps(REQUEST).encode()
    left, text, is_asked = asyncio.Event(), bytearray(), False

    async def receive() -> dict[str, Any]:
        nonlocal is_asked
        if not is_asked:
            is_asked = True
            return {"type": "http.request", "body": body, "more_body": False}
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        text.extend(message.get("body", b""))
        events = events_of(text.decode())
        if leave_after is not None and len(events) >= leave_after:
            left.set()
        told = [(data["what"], data["done"]) for name, data in events if name == "progress"]
        if then is not None and until_told in told:
            then()

    headers = {
        "host": "testserver",
        "accept": EVENTS,
        "content-type": "application/json",
        "idempotency-key": "k",
        "x-api-key": desk.engineer_key,
    }
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/v1/schemes", "raw_path": b"/v1/schemes", "root_path": "", "query_string": b"", "app": desk.app,
        "client": ("127.0.0.1", 5), "server": ("testserver", 80), "state": {},
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    await asyncio.wait_for(desk.app(scope, receive, send), WAIT_S)
    return events_of(text.decode())


def test_what_is_wrong_before_the_work_has_its_own_status(open_desk: OpenDesk) -> None:
    desk = open_desk()
    assert ask(desk.engineer, key=None).status_code == 400
    wrong = ask(desk.engineer, business="lease")
    assert (wrong.status_code, wrong.json()["context"]["field"]) == (422, "business")
    assert wrong.headers["content-type"] == "application/problem+json"
    assert ask(client_of(desk.app, None)).status_code == 401
    assert ask(client_of(desk.app, make_key(desk.store, "paul", "planner"))).status_code == 403


def test_every_wrong_field_of_a_body_is_named(open_desk: OpenDesk) -> None:
    told = ask(open_desk().customer, business="lease", demand={"installed_kw": -1.0, "power_factor": 2.0}).json()
    assert [(one["field"], one["allowed"]) for one in told["errors"]] == [
        ("business", "'new', 'increase' or 'temporary'"),
        ("demand.installed_kw", "> 0.0"),
        ("demand.power_factor", "<= 1.0"),
    ]
    assert told["context"]["field"] == "business"


def test_what_is_refused_during_the_work_is_a_problem_of_the_stream(open_desk: OpenDesk) -> None:
    desk = open_desk()
    ask(desk.engineer)
    reused = ask(desk.engineer, request_id="R-2")
    name, data = events_of(reused.text)[-1]
    assert (reused.status_code, name) == (200, "problem")
    assert data == ask(desk.engineer, request_id="R-2", accept="application/json").json()


def test_problem_tells_a_customer_nothing_of_the_grid(open_desk: OpenDesk) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ConvergenceError("no solution at line:secret-7", element_id="line:secret-7")

    desk = open_desk(generate_scheme=refuse)
    told, internal = ask(desk.customer), ask(desk.engineer)
    assert events_of(told.text)[-1][1]["code"] == events_of(internal.text)[-1][1]["code"] == "grid.no_convergence"
    assert "secret-7" not in told.text
    assert "secret-7" in internal.text


def test_fault_is_told_without_its_inside(open_desk: OpenDesk) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret-7")

    answer = ask(open_desk(generate_scheme=fail).engineer)
    name, data = events_of(answer.text)[-1]
    assert (name, data["status"], data["code"]) == ("problem", 500, "internal")
    assert "secret-7" not in answer.text


def test_customer_is_told_what_a_customer_may_read(open_desk: OpenDesk) -> None:
    answer = ask(open_desk().customer)
    assert events_of(answer.text)[-1] == (
        "answer",
        {"scheme_id": "sch_R-1", "request_id": "R-1", "verdict": "answered"},
    )


@pytest.mark.parametrize(
    ("accept", "is_stream"),
    [
        ("*/*", False),
        ("application/json", False),
        ("application/json, text/event-stream", False),
        ("text/event-stream;q=0.5, application/json", False),
        ("text/event-stream, application/json;q=0.9", True),
        ("text/event-stream, application/problem+json", True),
        ("text/event-stream;q=0, */*", False),
    ],
)
def test_stream_is_for_who_asks_for_it(open_desk: OpenDesk, accept: str, is_stream: bool) -> None:
    answer = ask(open_desk().engineer, accept=accept)
    assert answer.headers["content-type"].startswith(EVENTS) is is_stream
