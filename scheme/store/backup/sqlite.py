"""Backup of an SQLite store by SQLite's own online copy: while others write, and back in one transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gridmodel.errors import InputError
from scheme.store.engine import BUSY_TIMEOUT_MS
from scheme.store.failures import StoreError

_WAITS = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def dump(file: Path, out: Path) -> None:
    """Copy the store as it is at one moment, and check the copy.

    Raises:
        StoreError: The store is damaged or does not answer.
    """
    with _errors_translated(), closing(_open(file, "ro")) as source, closing(sqlite3.connect(out)) as target:
        _copy(source, target)
        _check(target)


def load(backup: Path, file: Path, judge: Callable[[Path], None]) -> None:
    """Put a backup in the place of the store, in one transaction that waits for other writers.

    Args:
        backup: The copy.
        file: The store; need not exist.
        judge: Called with the copy in the end state before anything is replaced; may bring it on to this version.

    Raises:
        InputError: The backup is damaged.
        StoreError: The store is busy or cannot be written.
    """
    draft = file.with_name(f".{file.name}.restore")
    try:
        with _errors_translated():
            with closing(_open(backup, "ro")) as source, closing(sqlite3.connect(draft)) as copy:
                _copy(source, copy)
            with closing(_open(draft, "ro")) as copy:
                _check(copy, file_name=backup.name)
        judge(draft)
        with _errors_translated(), closing(_open(draft, "ro")) as source, closing(_open(file, "rwc")) as target:
            target.execute("PRAGMA synchronous = EXTRA")
            _copy(source, target)
    finally:
        for ending in ("", "-journal", "-wal", "-shm"):
            draft.with_name(draft.name + ending).unlink(missing_ok=True)


def _copy(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Copy every page in one step; the standard library would wait for a lock for ever."""
    until = time.monotonic() + BUSY_TIMEOUT_MS / 1000

    def watch(status: int, _remaining: int, _total: int) -> None:
        if status in _WAITS and time.monotonic() >= until:
            raise StoreError("the store is busy; nothing is changed")

    source.backup(target, progress=watch)


def _open(file: Path, mode: str) -> sqlite3.Connection:
    uri = f"{file.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_MS / 1000)


def _check(connection: sqlite3.Connection, *, file_name: str | None = None) -> None:
    """Let SQLite look at every page, and at every reference."""
    faults = [row[0] for row in connection.execute("PRAGMA integrity_check(1)") if row[0] != "ok"]
    faults += [f"{row[0]}: reference to {row[2]}" for row in connection.execute("PRAGMA foreign_key_check")]
    if faults and file_name is not None:
        raise InputError(f"the backup is damaged: {faults[0]}", file=file_name)
    if faults:
        raise StoreError(f"the store is damaged: {faults[0]}")


@contextmanager
def _errors_translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"the store did not answer: {error}") from error
