"""The shipped township, read once for every test that needs a whole network."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridmodel.snapshot import Snapshot

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture(scope="session")
def township() -> Snapshot:
    from gridmodel.readers.tables import read_tables

    return read_tables(FIXTURES / "township")
