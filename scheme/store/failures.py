"""Errors of a database driver as errors of the product. Messages hold no address, no password and no value."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from gridmodel.errors import DomainError, InputError
from scheme.store.address import ALLOWED_URLS

RETRY_AFTER_S = 5
"""When a caller may try again after the store did not answer."""


class StoreError(DomainError):
    """The store is busy, away, full, damaged or cannot be written. Nothing of the transaction is kept."""

    code = "store.unavailable"
    retry_after_s = RETRY_AFTER_S


_SQLSTATE_CLASSES: Mapping[str, str] = {
    "08": "the database cannot be reached",
    "28": "the database does not accept the user or the password",
    "3D": "the database does not exist",
    "40": "another writer was faster; nothing is changed",
    "42": "the database refuses the statement; its tables or rights are not those of this version",
    "53": "the database has no room or no connection left",
    "55": "another writer holds what is needed; nothing is changed",
    "57": "the database is stopping, or took too long",
    "58": "the database cannot read or write its files",
    "23": "the database refuses the rows: they break a rule of the tables",
}
"""Class of the SQLSTATE (PostgreSQL, appendix A) and what it means here."""


@contextmanager
def translated(file_name: str | None, *, is_opening: bool) -> Iterator[None]:
    """Turn errors of a database driver into errors of the product.

    Args:
        file_name: Name of the SQLite file, ``None`` on PostgreSQL.
        is_opening: Nothing was read or written yet, so that a wrong file name is the caller's fault.

    Raises:
        InputError: The file is no store or cannot be opened, or a text cannot be kept.
        StoreError: Everything else.
    """
    try:
        yield
    except PoolTimeoutError as error:
        raise StoreError("the store has no connection left", file=file_name) from error
    except DataError as error:
        raise InputError("a value cannot be kept in the database") from error
    except DBAPIError as error:
        raise _as_ours(error, file_name, is_opening) from error


def _as_ours(error: DBAPIError, file_name: str | None, is_opening: bool) -> DomainError:
    if isinstance(error.orig, sqlite3.Error):
        return _of_sqlite(str(error.orig), file_name, is_opening)
    return StoreError(_SQLSTATE_CLASSES["08"]) if error.connection_invalidated else of_driver(error.orig)


def of_driver(error: BaseException | None) -> StoreError:
    """Return what an error of the PostgreSQL driver means; without a SQLSTATE no server answered."""
    sqlstate = getattr(error, "sqlstate", None)
    if sqlstate is None:
        return StoreError(_SQLSTATE_CLASSES["08"])
    meaning = _SQLSTATE_CLASSES.get(sqlstate[:2], "the database failed")
    return StoreError(meaning, sqlstate=sqlstate)


def _of_sqlite(problem: str, file_name: str | None, is_opening: bool) -> DomainError:
    if "not a database" in problem and is_opening:
        return InputError("not an SQLite database", file=file_name, field="--db", allowed=ALLOWED_URLS)
    if is_opening and ("unable to open" in problem or "readonly" in problem):
        return InputError("the database file cannot be opened for writing", file=file_name, field="--db")
    return StoreError(f"the store did not answer: {problem}", file=file_name)
