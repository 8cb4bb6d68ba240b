"""Clients of the HTTP interface, one for each role, over services with quick calculations."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI
from starlette.testclient import TestClient

from api.access import ROLES, Role
from api.app import create_app
from api.guard import LOOPBACK_HOSTS
from api.services import Services
from tests.access.clients import client_of, with_access

TEST_HOSTS = LOOPBACK_HOSTS | {"testserver"}


def make_app(services: Services) -> FastAPI:
    """Return the application under the test client's host name."""
    return create_app(services, allowed_hosts=TEST_HOSTS)


def make_clients(services: Services) -> Mapping[Role | None, TestClient]:
    """Return a client for every role, and under ``None`` one that shows no key, of one application."""
    app = make_app(services)
    keys = with_access(app, services.store).keys
    return {None: client_of(app, None), **{role: client_of(app, keys[role]) for role in ROLES}}


def make_client(services: Services, role: Role | None = "engineer") -> TestClient:
    """Return a client with a key of one role."""
    return make_clients(services)[role]
