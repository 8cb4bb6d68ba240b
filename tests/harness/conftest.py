"""A grid in a store for the harness, and the process its services are forked from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import pytest

from gridmodel.snapshot import Snapshot
from scheme.ledger.accounts import AccountBook, build_accounts
from scheme.policy.loader import load_policy
from tests.harness.demands import boards_of, prepare_store
from tests.harness.service import Nursery


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.close()


@pytest.fixture(scope="session")
def boards(township: Snapshot) -> Sequence[str]:
    return boards_of(township)


@pytest.fixture(scope="session")
def book(township: Snapshot) -> AccountBook:
    return build_accounts(township, load_policy("shenqiu-2022", date.today()))


@pytest.fixture
def grid_url(store_url: str, township: Snapshot) -> str:
    """A store of each kind with the township in it."""
    prepare_store(store_url, township)
    return store_url
