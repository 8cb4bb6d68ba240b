"""The worker sweeps by itself, goes on after what stood in its way, and stops for a clock that jumped."""

from __future__ import annotations

import logging
import threading
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.services import Services
from api.sweeping import Sweeping
from scheme.ledger import Hold, Ledger
from scheme.policy.loader import load_policy
from scheme.store import StoreError
from tests.ledger.cases import Clock, open_ledger, reserve, used_kva, wanted


def services_of(ledger: Ledger, *, sha256: str | None = "a" * 64) -> Services:
    """As much of the services as sweeping needs."""
    store = SimpleNamespace(find_current_sha256=lambda: sha256)
    policy = load_policy("shenqiu-2022", date(2026, 11, 23))
    return cast(Services, SimpleNamespace(store=store, load_policy=lambda: policy))


def test_capacity_comes_back_by_itself_once_the_last_day_is_over(sqlite_url: str) -> None:
    clock = Clock()
    ledger = open_ledger(sqlite_url, clock=clock)
    reserve(ledger, wanted("N1", 10, expires_on=date(2026, 11, 23)))
    sweeping = Sweeping(services_of(ledger), ledger)
    for _ in range(20):
        clock.go(timedelta(hours=1))
        sweeping.sweep_once()
    assert used_kva(ledger) == {}


def test_it_sweeps_again_and_again_while_it_runs(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = open_ledger(sqlite_url)
    times, enough = [0], threading.Event()

    def sweep(**_: Any) -> list[Hold]:
        times[0] += 1
        if times[0] >= 3:
            enough.set()
        raise StoreError("busy")

    monkeypatch.setattr(ledger, "sweep", sweep)
    with Sweeping(services_of(ledger), ledger, every_s=0.0).running():
        assert enough.wait(10.0)
    assert not any(thread.name == "sweeper" for thread in threading.enumerate())


def test_a_clock_that_jumped_is_told_and_nothing_expires(sqlite_url: str, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    ledger = open_ledger(sqlite_url, clock=clock)
    reserve(ledger, wanted("N1", 10, expires_on=date(2026, 11, 23)))
    sweeping = Sweeping(services_of(ledger), ledger)
    assert sweeping.sweep_once() == []
    clock.go(timedelta(days=2))
    with caplog.at_level(logging.WARNING):
        assert sweeping.sweep_once() == []
    assert "clock-confirmed-by" in caplog.text
    assert used_kva(ledger)["transformer:T1"] == 10.0


def test_a_store_without_a_network_is_left_alone(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = open_ledger(sqlite_url)

    def refuse(**_: Any) -> list[Hold]:
        pytest.fail("there is nothing to sweep")

    monkeypatch.setattr(ledger, "sweep", refuse)
    assert Sweeping(services_of(ledger, sha256=None), ledger).sweep_once() == []
