"""Several processes behind one port: on PostgreSQL only, every one with the same keys."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from scheme.store import Store
from tests.access.clients import make_key
from tests.access.test_serving import Service, wait_for
from tests.stores import PostgresServer


@pytest.fixture
def durable_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database of a durable server, as the start wants it; the shared one only says that there are programs."""
    del postgres_server
    server = PostgresServer(fsync="on", full_page_writes="on", synchronous_commit="on")
    try:
        server.start()
        server.make_template()
        with server.new_database() as name:
            yield server.url(name)
    finally:
        server.remove()


@pytest.mark.slow
def test_two_processes_serve_one_port_under_the_same_keys(durable_url: str) -> None:
    store = Store(durable_url)
    key = make_key(store, "monitor", "operator")
    store.close()
    service = Service(durable_url, "--workers", "2")
    try:
        assert service.url, service.lines
        assert not any("gsk_" in line for line in service.lines)
        assert wait_for(f"{service.url}/health", within_s=300.0).status_code == 200
        for _ in range(20):  # a connection each, so that both processes get some
            answer = httpx2.get(f"{service.url}/v1/status", headers={"X-API-Key": key, "Connection": "close"})
            assert answer.status_code == 200
        assert httpx2.get(f"{service.url}/v1/status").status_code == 401
    finally:
        assert service.stop() == 0
