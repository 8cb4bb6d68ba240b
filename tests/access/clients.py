"""Clients with a key: of every role for this process, or of a named subject in a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from api.access import Access, Role, install_access
from api.access.keys import LocalKeys, StoredKeys, create_key
from api.access.limits import Limiter, Rates
from api.access.tokens import TokenVerifier
from scheme.access.keys import ApiKeys
from scheme.store import Store

__all__ = ["GENEROUS", "TestAccess", "client_of", "make_access", "make_key", "with_access"]

GENEROUS = Rates(
    anonymous_per_minute=100_000, customer_per_minute=100_000, staff_per_minute=100_000, failures_per_minute=100_000
)
FAR_DAY = date(2100, 1, 1)


@dataclass(frozen=True)
class TestAccess:
    """What a test application needs, and the keys its clients show."""

    __test__ = False

    access: Access
    keys: Mapping[Role, str]


def make_access(
    store: Store | None = None, *, rates: Rates = GENEROUS, tokens: TokenVerifier | None = None
) -> TestAccess:
    """Return access by one key for each role, by the keys of ``store`` and by tokens, where given."""
    local = LocalKeys()
    stored = None if store is None else StoredKeys(ApiKeys(store))
    access = Access(limiter=Limiter(rates), local=local, stored=stored, tokens=tokens)
    return TestAccess(access=access, keys=local.show_once())


def make_key(store: Store, subject: str, *roles: Role, expires_on: date = FAR_DAY) -> str:
    """Return a new key of a subject in the store."""
    return create_key(ApiKeys(store), subject_id=subject, roles=roles, expires_on=expires_on)[1]


def client_of(app: FastAPI, key: str | None, **given: Any) -> TestClient:
    """Return a client that shows ``key`` with every request; none without."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return TestClient(app, headers=headers, raise_server_exceptions=False, **given)


def with_access(app: FastAPI, store: Store | None = None) -> TestAccess:
    """Give ``app`` an access with generous limits and return its keys."""
    made = make_access(store)
    install_access(app, made.access)
    return made
