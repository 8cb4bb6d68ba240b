"""The shipped township, read once for every test that needs a whole network; databases for tests of the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridmodel.snapshot import Snapshot
from tests.stores import postgres_server, postgres_url, sqlite_url, store_url

__all__ = ["postgres_server", "postgres_url", "sqlite_url", "store_url", "township"]

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture(scope="session")
def township() -> Snapshot:
    from gridmodel.readers.tables import read_tables

    return read_tables(FIXTURES / "township")
