"""Both databases, and a frozen township whose open capacity is drawn: what is published is under test, not computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridmodel.snapshot import Snapshot, seal
from scheme.publication.document import Basis
from scheme.publication.drafting import FrozenGrid
from scheme.store import Store
from tests.stores import postgres_server, postgres_url, store_url

__all__ = ["postgres_server", "postgres_url", "store_url"]


@pytest.fixture(scope="session")
def sealed(township: Snapshot) -> Snapshot:
    """The township with its digest."""
    return seal(township)[0]


@pytest.fixture(scope="session")
def grid_file(sealed: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite store with the township imported; tests work on copies."""
    file = tmp_path_factory.mktemp("grid") / "grid.db"
    store = Store(str(file))
    store.store_snapshot(sealed)
    store.close()
    return file


@pytest.fixture(scope="session")
def frozen(sealed: Snapshot) -> FrozenGrid:
    """The township and an empty ledger."""
    boards = sealed.nodes.index
    open_kva = np.random.default_rng(5).lognormal(4.0, 0.6, len(boards))
    table = pd.DataFrame({"status": "assessed", "open_kva": open_kva}, index=boards)
    basis = Basis(snapshot_sha256=sealed.sha256, ledger_seq=0, ledger_sha256="0" * 64)
    return FrozenGrid(snapshot=sealed, table=table, basis=basis)
