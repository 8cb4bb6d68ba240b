"""When the store is away, or the service makes a mistake: nothing half done, nothing of the inside told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from scheme.store import StoreError
from tests.api.conftest import REQUEST
from tests.http.conftest import Office

INSIDE = re.compile(r"Traceback|\.py\b|line \d+|SELECT|INSERT|sqlite|sqlalchemy|psycopg|secret-7", re.IGNORECASE)
"""What no answer may hold: traces, statements, names of libraries, and what a fault quotes."""


def operations(office: Office) -> list[tuple[str, str]]:
    """Method and path of every operation that works on the store."""
    document = office.clients[None].get("/openapi.json").json()
    found = [(method, path) for path, item in document["paths"].items() for method in item]
    return [(method, path) for method, path in found if path not in WITHOUT_STORE and not path.startswith(ELSEWHERE)]


VALUES = {
    "scheme_id": "sch_1",
    "hold_id": "hld_1",
    "kind": "pdf",
    "collection_id": "capacity",
    "feature_id": "n0",
    "parameter_id": "validity.lv_months",
    "project_id": "prj_" + "0" * 32,
    "scenario_id": "scn_" + "0" * 32,
    "assessment_id": "asm_" + "0" * 32,
    "upload_id": "upl_" + "0" * 32,
    "publication_id": "pub_" + "0" * 32,
    "sha256": "0" * 64,
    "form": "xlsx",
    "hour": "0",
    **dict.fromkeys("zxy", "0"),
}
WITHOUT_STORE = {
    "/health",
    "/healthz",
    "/metrics",
    "/v1/status",
    "/v1/session",
    "/v1/self-check",
    "/v1/projects:template",
    "/v1/policy/parameters/{parameter_id}",
    "/v1/ogc",
    "/v1/ogc/conformance",
    "/v1/ogc/collections/{collection_id}/schema",
}
"""What is answered without looking into the store."""
ELSEWHERE = ("/v1/jobs", "/v1/public")
"""Jobs and publications have databases of their own, and tests of their own."""
BODIES: dict[str, dict[str, Any]] = {
    "/v1/schemes": REQUEST,
    "/v1/site-checks": REQUEST,
    "/v1/snapshots": {},
    "/v1/schemes/{scheme_id}:reduce": {"reason": "减容", "capacity_kva": 1.0},
    "/v1/scenarios": {"name": "扩建之后"},
    "/v1/scenarios/{scenario_id}:update": {"name": "扩建之后"},
    "/v1/projects:assess": {},
}
QUERIES = {"/v1/search": {"q": "n0"}, "/v1/assessments/{assessment_id}:compare": {"after": "asm_" + "1" * 32}}


def call(office: Office, method: str, path: str) -> Any:
    described = office.clients[None].get("/openapi.json").json()["paths"][path][method]
    roles = described.get("x-roles", ["engineer"])
    role: Any = "engineer" if "engineer" in roles else roles[-1]
    headers = {"Idempotency-Key": "k"} if method == "post" else {}
    body = BODIES.get(path, {"reason": "办理"}) if method == "post" else None
    values = {**dict.fromkeys(re.findall(r"{(\w+)}", path), "a"), **VALUES}
    return office.clients[role].request(
        method, path.format(**values), headers=headers, json=body, params=QUERIES.get(path)
    )


@contextmanager
def away(office: Office) -> Iterator[None]:
    """Have every transaction fail as one does whose database is gone."""
    store = office.utility.store

    def fail(*_: Any, **__: Any) -> Any:
        raise StoreError("the store did not answer: secret-7 SELECT", file="secret-7.db")

    kept = store.read, store.write
    store.read, store.write = fail, fail  # type: ignore[method-assign]
    try:
        yield
    finally:
        store.read, store.write = kept  # type: ignore[method-assign]


def test_every_call_says_503_and_when_to_come_again_while_the_store_is_away(calm_office: Office) -> None:
    with away(calm_office):
        for method, path in operations(calm_office):
            answer = call(calm_office, method, path)
            told = f"{method} {path}: {answer.status_code} {answer.text[:200]}"
            if answer.status_code in {415, 422} and method == "post" and path not in BODIES:
                continue  # refused before the store is asked, for want of a body that fits
            assert answer.status_code == 503, told
            assert answer.json()["code"] == "store.unavailable", told
            assert int(answer.headers["retry-after"]) > 0, told
            assert answer.headers["content-type"] == "application/problem+json", told
        assert calm_office.engineer.get("/v1/status").json()["store"] == "store.unavailable"
        assert calm_office.clients[None].get("/health").status_code == 200


def test_store_that_goes_away_in_the_middle_of_a_promise_leaves_nothing_of_it(office: Office) -> None:
    """The connection breaks at each statement of the transaction in turn; then the same call succeeds once."""
    scheme_id = office.quote()
    office.act(office.quote(), "issue")  # accounts are open, so that the next one is a single transaction
    engine = office.utility.store._engine
    broken_at, count = 0, 0

    def break_off(_c: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal count
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE")):
            count += 1
            if count == broken_at:
                raise OperationalError(statement, {}, Exception("disk I/O error secret-7"))

    event.listen(engine, "before_cursor_execute", break_off)
    statuses = []
    try:
        for number in range(1, 40):
            broken_at, count = number, 0
            answer = office.act(scheme_id, "issue", key="k")
            statuses.append(answer.status_code)
            if answer.status_code == 201:
                break
            assert answer.status_code == 503, answer.text
            assert not INSIDE.search(answer.text), answer.text
            assert len(office.utility.ledger.list_live()) == 1
            office.utility.check_ledger()
    finally:
        event.remove(engine, "before_cursor_execute", break_off)
    assert statuses[-1] == 201
    assert len(statuses) > 5, "every statement of the transaction was broken once"
    assert len(office.utility.ledger.list_live()) == 2
    office.utility.check_ledger()


def test_mistake_of_the_service_tells_nothing_of_its_inside(open_office: Callable[..., Office]) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("password=secret-7 in SELECT * FROM scheme")

    office = open_office(certify=fail, generate_scheme=fail, capacity_settings=fail)
    scheme_id = office.quote()
    asked = office.engineer.post("/v1/schemes", json=REQUEST, headers={"Idempotency-Key": "k"})
    for answer in (office.act(scheme_id, "issue"), asked, office.engineer.get("/v1/capacity")):
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert not INSIDE.search(answer.text), answer.text
        assert answer.headers["x-request-id"]
    assert office.utility.ledger.list_live() == []


def test_fault_frees_the_key(open_office: Callable[..., Office]) -> None:
    faults = [RuntimeError("once")]

    def certify(*_: Any, **__: Any) -> dict[str, Any]:
        if faults:
            raise faults.pop()
        return {"sources": {}}

    office = open_office(certify=certify)
    scheme_id = office.quote()
    assert office.act(scheme_id, "issue", key="k").status_code == 500
    assert office.act(scheme_id, "issue", key="k").status_code == 201
