"""The shipped township, read once for every test that needs a whole network; databases for tests of the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridmodel.snapshot import Snapshot
from tests.stores import postgres_server, postgres_url, sqlite_url, store_url

__all__ = ["postgres_server", "postgres_url", "sqlite_url", "store_url", "township"]

LONG = ("tests/harness/", "tests/browser/", "tests/request_replay/", "tests/jobs/", "tests/access/")
"""Folders whose modules take minutes; first, so that one process is not left alone with them at the end."""
FIXTURES = Path(__file__).parents[1] / "fixtures"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what takes long begin first; the order within a module stays."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.fixture(scope="session")
def township() -> Snapshot:
    from gridmodel.readers.tables import read_tables

    return read_tables(FIXTURES / "township")
