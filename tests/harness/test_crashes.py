"""Kills of the service and of its database while clients go on: what was acknowledged is there, once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gridmodel.snapshot import Snapshot
from tests.harness.crashes import kill_database, kill_service
from tests.harness.demands import prepare_store
from tests.harness.service import Nursery
from tests.stores import PostgresServer

pytestmark = pytest.mark.timeout(1_800)
"""Minutes on a busy machine."""

SERVICE_KILLS, DATABASE_FAULTS = 25, 15


def test_whatever_moment_the_service_is_killed_at_no_promise_is_lost_or_made_twice(
    grid_url: str, nursery: Nursery, boards: Sequence[str], tmp_path: Path
) -> None:
    run = kill_service(grid_url, boards, tmp_path, nursery, kills=SERVICE_KILLS, seed=1)
    assert run.faults.total() == SERVICE_KILLS
    assert len(run.journal.acknowledged) > SERVICE_KILLS
    assert run.problems == []


@pytest.fixture
def own_server(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """A durable server that may be killed; the shared one only says that there are programs to start."""
    del postgres_server
    server = PostgresServer(fsync="on", full_page_writes="on")
    try:
        server.start()
        server.make_template()
        yield server
    finally:
        server.remove()


def test_whatever_happens_to_the_database_no_promise_is_lost_or_made_twice(
    own_server: PostgresServer, township: Snapshot, nursery: Nursery, boards: Sequence[str], tmp_path: Path
) -> None:
    with own_server.new_database() as name:
        url = own_server.url(name)
        prepare_store(url, township)
        run = kill_database(own_server, url, boards, tmp_path, nursery, faults=DATABASE_FAULTS, seed=1)
        assert run.faults.total() == DATABASE_FAULTS
        assert len(run.journal.acknowledged) > DATABASE_FAULTS
        assert run.problems == []
