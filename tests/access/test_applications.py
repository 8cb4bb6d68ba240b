"""A customer asks for one site per application and for few applications at a time. On both stores."""

from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Connection

from gridmodel.errors import DomainError
from scheme.access.applications import Applications, SiteFixedError, TooManyApplicationsError
from scheme.disclosure.rules import ApplicationLimits, read_application_limits
from scheme.policy.loader import load_policy
from scheme.request import SupplyRequest, parse_request
from scheme.store import Store
from tests.api.conftest import REQUEST


class ClockedStore(Store):
    """A store whose clock says what the test wants."""

    time = datetime(2026, 11, 1, 4, tzinfo=UTC)

    def now(self, connection: Connection) -> datetime:
        return self.time


@pytest.fixture
def store(store_url: str) -> ClockedStore:
    return ClockedStore(store_url)


def limits() -> ApplicationLimits:
    return read_application_limits(load_policy("shenqiu-2022", date(2026, 11, 1)))


def request(request_id: str, *, lon_deg: float = 115.1, installed_kw: float = 50.0) -> SupplyRequest:
    asked = parse_request(json.dumps({**REQUEST, "request_id": request_id}).encode())
    place = asked.location.model_copy(update={"lon_deg": lon_deg})
    demand = asked.demand.model_copy(update={"installed_kw": installed_kw})
    return asked.model_copy(update={"location": place, "demand": demand})


def test_fourth_application_is_not_answered_but_the_first_three_go_on(store: ClockedStore) -> None:
    applications = Applications(store)
    for number in (1, 2, 3):
        applications.admit("ZK-1", request(f"R-{number}", lon_deg=115.0 + number), limits())
    with pytest.raises(TooManyApplicationsError):
        applications.admit("ZK-1", request("R-4"), limits())
    applications.admit("ZK-1", request("R-1", lon_deg=116.0, installed_kw=80.0), limits())
    applications.admit("ZK-2", request("R-4"), limits())


@pytest.mark.parametrize("lon_deg", [115.1000001, 115.10001, 116.0])
def test_application_keeps_its_site(store: ClockedStore, lon_deg: float) -> None:
    applications = Applications(store)
    applications.admit("ZK-1", request("R-1"), limits())
    with pytest.raises(SiteFixedError):
        applications.admit("ZK-1", request("R-1", lon_deg=lon_deg), limits())
    applications.admit("ZK-2", request("R-1", lon_deg=lon_deg), limits())


@pytest.mark.parametrize(
    ("moment", "is_answered"),
    [
        ("2026-11-30T15:59:59+00:00", False),  # thirtieth day in Shanghai
        ("2026-11-30T16:00:00+00:00", True),
    ],
)
def test_application_counts_for_thirty_days(store: ClockedStore, moment: str, is_answered: bool) -> None:
    applications = Applications(store)
    for number in (1, 2, 3):
        applications.admit("ZK-1", request(f"R-{number}"), limits())
    store.time = datetime.fromisoformat(moment)
    if is_answered:
        applications.admit("ZK-1", request("R-4"), limits())
    else:
        with pytest.raises(TooManyApplicationsError):
            applications.admit("ZK-1", request("R-4"), limits())


def test_applications_at_the_same_time_are_counted_one_by_one(store: ClockedStore) -> None:
    refused: list[type[DomainError]] = []

    def apply(number: int) -> None:
        try:
            Applications(store).admit("ZK-1", request(f"R-{number}"), limits())
        except TooManyApplicationsError as error:
            refused.append(type(error))

    store.upgrade()
    threads = [threading.Thread(target=apply, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 5
