"""Stores for the ledger's tests; nothing here tests what a power cut leaves, so SQLite's file may lie in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_MEMORY = Path("/dev/shm")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> Iterator[str]:
    """An empty SQLite store."""
    if not _MEMORY.is_dir():
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    with tempfile.TemporaryDirectory(dir=_MEMORY, prefix="gridscheme-") as folder:
        yield f"sqlite:///{folder}/store.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """An empty store on each kind of database."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url
