"""How the store opens its SQLite file: URL, locking, journal.

Python's default SQLite transactions let two writers both pass a check; here the driver is in autocommit and every write
transaction starts with ``BEGIN IMMEDIATE``.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from gridmodel.errors import InputError

ALLOWED_URLS = "sqlite:///FILE or the path of an SQLite file"
_BUSY_TIMEOUT_MS = 30_000


def sqlite_file(url: str) -> Path:
    """Return the file an SQLite URL or bare path names.

    Raises:
        InputError: It names another kind of database.
    """
    if not url.strip():
        raise InputError("no database named", field="--db", value=url, allowed=ALLOWED_URLS)
    if url == ":memory:":
        raise InputError("a database in memory keeps nothing", field="--db", value=url, allowed=ALLOWED_URLS)
    if "://" not in url:
        return Path(url)
    try:
        # A URL may hold a password, so no message repeats it.
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise InputError("not a database URL", field="--db", allowed=ALLOWED_URLS) from error
    if parsed.get_backend_name() == "postgresql":
        raise InputError("PostgreSQL is not available in this version", field="--db", allowed=ALLOWED_URLS)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise InputError("not a database this version can use", field="--db", allowed=ALLOWED_URLS)
    return Path(str(parsed.database))


def open_engine(file: Path) -> Engine:
    """Return an engine whose transactions begin with ``BEGIN IMMEDIATE``, or ``BEGIN`` with ``is_read_only``."""
    engine = create_engine(URL.create("sqlite", database=str(file)), connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000})
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(driver: sqlite3.Connection, _record: object) -> None:
    driver.isolation_level = None
    for pragma in ("foreign_keys = ON", f"busy_timeout = {_BUSY_TIMEOUT_MS}", "synchronous = FULL"):
        driver.execute(f"PRAGMA {pragma}")
    driver.execute(f"PRAGMA journal_mode = {journal_mode(sqlite3.sqlite_version_info)}")


def _on_begin(connection: Connection) -> None:
    is_read_only = connection.get_execution_options().get("is_read_only", False)
    connection.exec_driver_sql("BEGIN" if is_read_only else "BEGIN IMMEDIATE")


def journal_mode(version: tuple[int, ...]) -> str:
    """Return ``WAL`` for SQLite versions without the checkpoint fault of the write-ahead log, else ``DELETE``."""
    is_fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    return "WAL" if is_fixed else "DELETE"
