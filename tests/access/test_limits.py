"""How often one may ask, and how often one may be wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import FastAPI

from api.access import Principal, allow, install_access
from api.access.errors import TooManyRequestsError
from api.access.limits import Limiter, Rates
from scheme.store import Store
from tests.access.clients import TestAccess, client_of, make_access, make_key

RATES = Rates(anonymous_per_minute=2, customer_per_minute=3, staff_per_minute=5, failures_per_minute=4)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store.db"))


def make_app(store: Store) -> tuple[FastAPI, TestAccess]:
    app = FastAPI()

    @app.get("/all")
    def all_(principal: Annotated[Principal, allow("customer", "engineer")]) -> dict[str, Any]:
        return {"subject": principal.subject_id}

    @app.get("/public")
    def public(principal: Annotated[Principal, allow("public")]) -> dict[str, Any]:
        return {"subject": principal.subject_id}

    made = make_access(store, rates=RATES)
    install_access(app, made.access)
    return app, made


def statuses(app: FastAPI, key: str | None, times: int, *, address: str = "10.0.0.1", path: str = "/all") -> list[int]:
    client = client_of(app, key, client=(address, 40_000))
    return [client.get(path).status_code for _ in range(times)]


def test_each_kind_of_caller_has_its_own_rate(store: Store) -> None:
    app, made = make_app(store)
    assert statuses(app, made.keys["customer"], 5) == [200] * 3 + [429] * 2
    assert statuses(app, made.keys["engineer"], 6) == [200] * 5 + [429]
    assert statuses(app, None, 4, path="/public") == [200] * 2 + [429] * 2


def test_subjects_are_counted_one_by_one_whatever_their_address(store: Store) -> None:
    app, _ = make_app(store)
    first, second = make_key(store, "ZK-1", "customer"), make_key(store, "ZK-1", "customer")
    other = make_key(store, "ZK-2", "customer")
    assert statuses(app, first, 2) == [200] * 2
    assert statuses(app, second, 2, address="10.0.0.2") == [200, 429]
    assert statuses(app, other, 1) == [200]


def test_addresses_without_a_key_are_counted_one_by_one(store: Store) -> None:
    app, _ = make_app(store)
    assert statuses(app, None, 3, path="/public") == [200, 200, 429]
    assert statuses(app, None, 1, path="/public", address="10.0.0.2") == [200]


def test_refusal_is_a_problem_that_says_when_to_come_again(store: Store) -> None:
    app, made = make_app(store)
    statuses(app, made.keys["customer"], 3)
    refused = client_of(app, made.keys["customer"]).get("/all")
    assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
    assert refused.json()["code"] == "access.too_many_requests"
    assert 1 <= int(refused.headers["retry-after"]) <= 60


def test_guessing_is_stopped_by_address_while_a_key_in_use_goes_on(store: Store) -> None:
    app, _ = make_app(store)
    key = make_key(store, "ZK-1", "engineer")
    assert statuses(app, key, 1) == [200]
    assert statuses(app, "gsk_wrong", 6) == [401] * 4 + [429] * 2
    assert statuses(app, key, 1) == [200]
    assert statuses(app, "gsk_wrong", 1, address="10.0.0.2") == [401]


def test_guessing_at_one_key_is_stopped_from_all_addresses(store: Store) -> None:
    app, _ = make_app(store)
    key = make_key(store, "ZK-1", "engineer")
    wrong = key[:-4] + "beef"
    tried = [statuses(app, wrong, 1, address=f"10.0.1.{number}")[0] for number in range(6)]
    assert tried == [401] * 4 + [429] * 2


def test_window_moves_on(monkeypatch: pytest.MonkeyPatch) -> None:
    import limits.storage.memory

    seconds = [1_000.0]
    monkeypatch.setattr(limits.storage.memory.time, "time", lambda: seconds[0])
    limiter = Limiter(RATES)
    customer = Principal(subject_id="ZK-1", roles=frozenset({"customer"}), name="")
    passed = []
    for moment in (1_000.0, 1_030.0, 1_040.0, 1_050.0, 1_061.0, 1_062.0, 1_091.0):
        seconds[0] = moment
        try:
            limiter.count(customer, "10.0.0.1")
            passed.append(True)
        except TooManyRequestsError:
            passed.append(False)
    # Three within any minute: 1000, 1030, 1040; 1061 after the first has left, 1091 after the second.
    assert passed == [True, True, True, False, True, False, True]
