"""How the two databases are opened: locking, durability, limits of time.

Python's default SQLite transactions let two writers both pass a check; here the driver is in autocommit and every write
transaction starts with ``BEGIN IMMEDIATE``. On PostgreSQL the limits are set in each transaction, not in the session:
between two of them a pooler may hand the connection to somebody else.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy import URL, Connection, Engine, create_engine, event

BUSY_TIMEOUT_MS = 5_000
"""How long a writer waits for another on SQLite."""
_CONNECT_TIMEOUT_S = 5
_POOL_WAIT_S = 10
_POOL_SIZE, _POOL_OVERFLOW = 8, 16
_POOL_RECYCLE_S = 1_800
_TRANSACTION_LIMITS = {
    "lock_timeout": "1s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
}
"""PostgreSQL gives up by itself: waiting for a row, one statement, a client that went away inside a transaction."""


def open_engine(url: URL) -> Engine:
    """Return an engine on the database; transactions with the option ``is_read_only`` take no lock of a writer."""
    return _open_sqlite(url) if url.get_backend_name() == "sqlite" else _open_postgresql(url)


def _open_sqlite(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}, hide_parameters=True)
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def _on_sqlite_connect(driver: sqlite3.Connection, _record: object) -> None:
    driver.isolation_level = None
    mode = journal_mode(sqlite3.sqlite_version_info)
    for pragma in ("foreign_keys = ON", f"busy_timeout = {BUSY_TIMEOUT_MS}", f"synchronous = {synchronous(mode)}"):
        driver.execute(f"PRAGMA {pragma}")
    driver.execute(f"PRAGMA journal_mode = {mode}")


def _on_sqlite_begin(connection: Connection) -> None:
    is_read_only = connection.get_execution_options().get("is_read_only", False)
    connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if is_read_only else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if is_read_only else "BEGIN IMMEDIATE")


def journal_mode(version: tuple[int, ...]) -> str:
    """Return ``WAL`` for SQLite versions without the checkpoint fault of the write-ahead log, else ``DELETE``."""
    is_fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    return "WAL" if is_fixed else "DELETE"


def synchronous(mode: str) -> str:
    """Return how far a commit waits for the disk.

    A commit with a rollback journal is the removal of a file; only ``EXTRA`` waits until that is on the disk too.
    """
    return "FULL" if mode == "WAL" else "EXTRA"


def _open_postgresql(url: URL) -> Engine:
    engine = create_engine(
        url,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_size=_POOL_SIZE,
        max_overflow=_POOL_OVERFLOW,
        pool_timeout=_POOL_WAIT_S,
        pool_recycle=_POOL_RECYCLE_S,
        hide_parameters=True,
        connect_args={
            "connect_timeout": _CONNECT_TIMEOUT_S,
            "application_name": "gridscheme",
            "prepare_threshold": None,  # a prepared statement belongs to a session
        },
    )
    event.listen(engine, "begin", _on_postgresql_begin)
    return engine


def _on_postgresql_begin(connection: Connection) -> None:
    limits = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in _TRANSACTION_LIMITS.items())
    connection.exec_driver_sql(f"SELECT {limits}")
