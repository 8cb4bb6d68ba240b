"""The SQLite file: what is refused and left as it was, and how it is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gridmodel.errors import InputError, NotFoundError
from gridmodel.snapshot import Snapshot
from scheme.store import Store
from scheme.store.engine import journal_mode


def test_reading_an_absent_store_creates_no_file(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "none.db"))
    assert store.find_current_sha256() is None
    with pytest.raises(NotFoundError):
        store.get_scheme("sch_1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg2://user:secret@host/db",
        "postgresql://user:secret@host",
        "mysql://x/y",
        "sqlite://",
        "sqlite:///:memory:",
        ":memory:",
        "",
        "a://b:c",
    ],
)
def test_other_databases_are_refused_without_repeating_a_password(url: str) -> None:
    with pytest.raises(InputError) as caught:
        Store(url)
    assert "secret" not in str(caught.value)
    assert "sqlite:///" in str(caught.value)


def test_file_that_is_no_database_is_refused_and_kept(tmp_path: Path, snapshot: Snapshot) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"these are not the bytes of a database" * 100)
    before = path.read_bytes()
    with pytest.raises(InputError, match="not an SQLite database"):
        Store(str(path)).find_current_sha256()
    with pytest.raises(InputError, match="not an SQLite database"):
        Store(str(path)).store_snapshot(snapshot)
    assert path.read_bytes() == before


def test_database_of_another_program_is_refused_and_kept(tmp_path: Path, snapshot: Snapshot) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table accounts (id integer)")
    before = path.read_bytes()
    with pytest.raises(InputError, match="another program"):
        Store(str(path)).store_snapshot(snapshot)
    assert path.read_bytes() == before


def test_folder_that_does_not_exist_is_refused(tmp_path: Path, snapshot: Snapshot) -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        Store(str(tmp_path / "no" / "a.db")).store_snapshot(snapshot)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        # The fault of the write-ahead log is in 3.7.0 to 3.51.2, except the back-ports 3.50.7 and 3.44.6 (SQLite news).
        ((3, 40, 1), "DELETE"),
        ((3, 44, 5), "DELETE"),
        ((3, 44, 6), "WAL"),
        ((3, 45, 0), "DELETE"),
        ((3, 50, 6), "DELETE"),
        ((3, 50, 7), "WAL"),
        ((3, 51, 2), "DELETE"),
        ((3, 51, 3), "WAL"),
        ((3, 52, 0), "WAL"),
    ],
)
def test_write_ahead_log_only_where_its_fault_is_fixed(version: tuple[int, ...], expected: str) -> None:
    assert journal_mode(version) == expected


def test_commit_waits_until_everything_is_on_the_disk(tmp_path: Path, snapshot: Snapshot) -> None:
    """2 is FULL, 3 is EXTRA (SQLite, pragma synchronous): only EXTRA also waits until a rollback journal is gone."""
    store = Store(str(tmp_path / "a.db"))
    store.store_snapshot(snapshot)
    with store.write() as connection:
        mode, level = (
            connection.exec_driver_sql(f"pragma {name}").scalar() for name in ("journal_mode", "synchronous")
        )
    assert (mode, level) in {("wal", 2), ("delete", 3)}
