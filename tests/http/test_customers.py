"""A customer over HTTP: the own request is answered with what a customer may read; everything else does not exist."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.services import Services
from gridmodel.errors import ConvergenceError, InputError
from gridmodel.snapshot import Snapshot
from scheme.store import Store
from tests.access.clients import client_of, make_key, with_access
from tests.api.clients import make_app
from tests.api.conftest import AS_OF, REQUEST, fake_parts


class Counter:
    """One service; clients of customers and of an engineer."""

    def __init__(self, folder: Path, snapshot: Snapshot, **changes: Any) -> None:
        self.store = Store(str(folder / "store.db"))
        self.store.store_snapshot(snapshot)
        services = Services(self.store, profile="shenqiu-2022", clock=lambda: AS_OF, parts=fake_parts(**changes))
        self._app = make_app(services)
        self.engineer = client_of(self._app, with_access(self._app, self.store).keys["engineer"])

    def customer(self, name: str) -> TestClient:
        return client_of(self._app, make_key(self.store, name, "customer"))


@pytest.fixture
def counter(tmp_path: Path, snapshot: Snapshot) -> Counter:
    return Counter(tmp_path, snapshot)


def ask(client: TestClient, *, key: str = "k", **changes: Any) -> Any:
    return client.post("/v1/schemes", json={**REQUEST, **changes}, headers={"Idempotency-Key": key})


SHOWN = {"scheme_id": "sch_R-1", "request_id": "R-1", "verdict": "answered"}
"""What :func:`tests.api.conftest.fake_customer_files` lets a customer read."""


def test_customer_is_answered_with_what_a_customer_may_read(counter: Counter) -> None:
    own = counter.customer("alice")
    answered = ask(own)
    assert (answered.status_code, answered.json()) == (201, SHOWN)
    assert own.get(answered.headers["location"]).json() == SHOWN
    assert own.get(answered.headers["location"] + "/documents/json").json() == SHOWN
    assert own.get(answered.headers["location"] + "/documents/pdf").content == b"%PDF-1.7 for the customer"
    assert counter.engineer.get(answered.headers["location"]).json()["provenance"]["engine"] == "fake"


@pytest.mark.parametrize("kind", ["diagram", "diagram_dxf", "map", "works_order_pdf", "works_order_docx"])
def test_drawings_and_works_orders_are_not_a_customers(counter: Counter, kind: str) -> None:
    own = counter.customer("alice")
    answer = own.get(f"{ask(own).headers['location']}/documents/{kind}")
    assert answer.status_code == 404
    assert kind not in answer.json()["context"]["allowed"]


def test_schemes_of_others_do_not_exist(counter: Counter) -> None:
    own, other = counter.customer("alice"), counter.customer("bob")
    place = ask(own).headers["location"]
    engineers = ask(counter.engineer, request_id="R-2").headers["location"]
    nowhere = other.get("/v1/schemes/sch_none")
    for path in (place, engineers, f"{place}/documents/pdf", f"{place}/documents/json"):
        answer = other.get(path)
        assert answer.status_code == nowhere.status_code == 404
        assert {**answer.json(), "context": 0} == {**nowhere.json(), "context": 0} or "documents" in path
    assert [row["scheme_id"] for row in own.get("/v1/schemes").json()["items"]] == ["sch_R-1"]
    assert other.get("/v1/schemes").json()["items"] == []
    assert len(counter.engineer.get("/v1/schemes").json()["items"]) == 2


def test_keys_of_two_customers_are_their_own(counter: Counter) -> None:
    assert ask(counter.customer("alice"), key="k").status_code == 201
    second = ask(counter.customer("bob"), key="k", request_id="R-2")
    assert second.status_code == 201
    assert "idempotency-replayed" not in second.headers


def test_the_same_request_of_somebody_else_is_not_taken_over(counter: Counter) -> None:
    ask(counter.customer("alice"))
    refused = ask(counter.customer("bob"))
    assert (refused.status_code, refused.json()["code"]) == (409, "scheme.owner_conflict")
    assert counter.customer("bob").get("/v1/schemes").json()["items"] == []
    assert counter.customer("alice").get("/v1/schemes/sch_R-1").status_code == 200


def test_engineer_who_answers_again_takes_nothing_from_the_customer(counter: Counter) -> None:
    own = counter.customer("alice")
    ask(own)
    assert ask(counter.engineer).status_code == 201
    assert own.get("/v1/schemes/sch_R-1").json() == SHOWN


def test_replay_gives_the_customer_the_customers_bytes(counter: Counter) -> None:
    own = counter.customer("alice")
    first, second = ask(own), ask(own)
    assert second.headers["idempotency-replayed"] == "true"
    assert second.content == first.content
    assert json.loads(first.content) == SHOWN


GRID_ERRORS: Mapping[str, Exception] = {
    "no load flow": ConvergenceError("no solution at line:secret-7", element_id="line:secret-7"),
    "outside": InputError("outside the service area", field="location", value="1,1", allowed="115.123456,secret-7"),
    "a file of the utility": InputError("wrong price", file="secret-7.csv", row=7, allowed="secret-7"),
}


@pytest.mark.parametrize("name", GRID_ERRORS)
def test_refusal_tells_a_customer_nothing_of_the_grid(tmp_path: Path, snapshot: Snapshot, name: str) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise GRID_ERRORS[name]

    counter = Counter(tmp_path, snapshot, generate_scheme=refuse)
    told, internal = ask(counter.customer("alice")), ask(counter.engineer)
    assert told.status_code == internal.status_code
    assert told.status_code in (409, 422)
    assert "secret-7" not in told.text
    assert "secret-7" in internal.text


PATHS = [
    "/v1/capacity",
    "/v1/ogc",
    "/v1/ogc/collections/capacity/items",
    "/v1/accounts",
    "/v1/holds/hld_1",
    "/v1/snapshots/current",
    "/v1/audit",
    "/v1/status",
    "/metrics",
]


@pytest.mark.parametrize("path", PATHS)
def test_the_grid_and_the_service_are_not_a_customers_business(counter: Counter, path: str) -> None:
    assert counter.customer("alice").get(path).status_code == 403
