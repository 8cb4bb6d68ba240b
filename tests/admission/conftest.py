from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gridmodel.snapshot import Snapshot
from tests.admission.utility import Utility, open_utility, small_grid
from tests.stores import postgres_server, postgres_url, store_url

__all__ = ["postgres_server", "postgres_url", "store_url"]


@pytest.fixture(scope="session")
def grid() -> Snapshot:
    return small_grid()


@pytest.fixture
def utility(tmp_path: Path, grid: Snapshot) -> Utility:
    """One process over an SQLite file, the grid imported and its table computed."""
    found = open_utility(str(tmp_path / "store.db"), grid)
    found.tables.compute(confirm="none")
    return found


@pytest.fixture
def on_store(store_url: str, grid: Snapshot) -> Callable[..., Utility]:
    """Return a maker of processes over one store, SQLite and PostgreSQL in turn; the first one imports."""
    made: list[Utility] = []

    def make(**changes: Any) -> Utility:
        numbers = made[0]._numbers if made else None
        made.append(open_utility(store_url, None if made else grid, numbers=numbers, **changes))
        return made[-1]

    return make
