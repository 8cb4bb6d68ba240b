"""A site is checked without a trace but the audit's, and no town can be searched with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.services import Services
from gridmodel.snapshot import Snapshot
from scheme.access.tables import APPLICATION
from scheme.disclosure.rules import read_application_limits
from scheme.ledger.tables import AUDIT
from scheme.policy.loader import load_policy
from scheme.store import Store
from tests.access.clients import client_of, make_key, with_access
from tests.api.clients import make_app
from tests.api.conftest import AS_OF, REQUEST, fake_parts

LIMITS = read_application_limits(load_policy("shenqiu-2022", AS_OF))


class Counter:
    """A service that counts applications by the county's rules."""

    def __init__(self, folder: Path, snapshot: Snapshot) -> None:
        self.store = Store(str(folder / "store.db"))
        self.store.store_snapshot(snapshot)
        parts = fake_parts(application_limits=lambda _: LIMITS)
        self._app = make_app(Services(self.store, profile="shenqiu-2022", clock=lambda: AS_OF, parts=parts))
        keys = with_access(self._app, self.store).keys
        self.clients = {role: client_of(self._app, key) for role, key in keys.items()}
        self.customer = client_of(self._app, make_key(self.store, "alice", "customer"))
        self.anyone = client_of(self._app, None)

    def rows(self, table: Any) -> list[dict[str, Any]]:
        with self.store.read() as connection:
            return [dict(row._mapping) for row in connection.execute(table.select())]


@pytest.fixture
def counter(tmp_path: Path, snapshot: Snapshot) -> Counter:
    return Counter(tmp_path, snapshot)


def check(client: TestClient, **changes: Any) -> Any:
    return client.post("/v1/site-checks", json={**REQUEST, **changes})


def place(lon_deg: float) -> dict[str, Any]:
    return {"lon_deg": lon_deg, "lat_deg": 33.4, "datum": "CGCS2000"}


def test_a_check_is_answered_and_leaves_no_scheme_but_a_row_of_the_audit(counter: Counter) -> None:
    answer = check(counter.customer)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["answer"], answer.json()["verdict"]) == ("yes", "answered")
    assert counter.clients["engineer"].get("/v1/schemes").json()["items"] == []
    assert counter.clients["engineer"].get("/v1/holds").json()["items"] == []
    rows = [row for row in counter.rows(AUDIT) if row["action"] == "scheme.check"]
    assert [(row["subject_id"], row["role"], row["object_id"]) for row in rows] == [("alice", "customer", "sch_R-1")]


def test_customer_and_engineer_are_told_the_same(counter: Counter) -> None:
    assert check(counter.customer).json() == check(counter.clients["engineer"]).json()


@pytest.mark.parametrize("role", ["public", "planner", "operator"])
def test_others_may_not_ask(counter: Counter, role: Any) -> None:
    assert check(counter.clients[role]).status_code == 403
    assert check(counter.anyone).status_code == 401


def test_checks_count_as_applications_for_one_site_each(counter: Counter) -> None:
    allowed = next(number for number in range(1, 100) if not LIMITS.allows(number)) - 1
    for number in range(allowed):
        assert check(counter.customer, request_id=f"R-{number}", location=place(115.1 + number)).status_code == 200
    again = check(counter.customer, request_id="R-0", location=place(115.1), demand={"installed_kw": 75.0})
    assert again.status_code == 200, "the same site may be asked about again"
    moved = check(counter.customer, request_id="R-0", location=place(115.2))
    assert moved.json()["code"] == "application.site_fixed"
    refused = check(counter.customer, request_id="R-more", location=place(119.0))
    assert refused.json()["code"] == "application.too_many"
    applied = counter.customer.post(
        "/v1/schemes", json={**REQUEST, "request_id": "R-other"}, headers={"Idempotency-Key": "k"}
    )
    assert applied.json()["code"] == "application.too_many", "checks and applications are counted together"
    assert len(counter.rows(APPLICATION)) == allowed


def test_an_application_after_a_check_of_its_site_is_the_same_application(counter: Counter) -> None:
    assert check(counter.customer).status_code == 200
    applied = counter.customer.post("/v1/schemes", json=REQUEST, headers={"Idempotency-Key": "k"})
    assert applied.status_code == 201
    assert len(counter.rows(APPLICATION)) == 1


def test_what_is_not_a_request_is_refused_and_not_counted(counter: Counter) -> None:
    assert check(counter.customer, demand={"installed_kw": -1.0}).status_code == 422
    assert check(counter.customer, owner_id="bob").status_code == 422
    assert counter.rows(APPLICATION) == []
