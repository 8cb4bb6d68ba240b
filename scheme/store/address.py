"""Which databases a store may be on. A URL may hold a password, so no message repeats it."""

from __future__ import annotations

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from gridmodel.errors import InputError

ALLOWED_URLS = "sqlite:///FILE, the path of an SQLite file, or postgresql+psycopg://USER@HOST/DATABASE"
_POSTGRESQL_DRIVERS = ("postgresql", "postgresql+psycopg")


def parse_address(url: str) -> URL:
    """Return the URL of an SQLite file or of a PostgreSQL database.

    Raises:
        InputError: It names another kind of database, or one that keeps nothing.
    """
    if not url.strip():
        raise InputError("no database named", field="--db", value=url, allowed=ALLOWED_URLS)
    if url == ":memory:":
        raise InputError("a database in memory keeps nothing", field="--db", value=url, allowed=ALLOWED_URLS)
    if "://" not in url:
        return URL.create("sqlite", database=url)
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise InputError("not a database URL", field="--db", allowed=ALLOWED_URLS) from error
    if parsed.drivername in _POSTGRESQL_DRIVERS:
        if not parsed.database:
            raise InputError("the URL names no database", field="--db", allowed=ALLOWED_URLS)
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise InputError("not a database this version can use", field="--db", allowed=ALLOWED_URLS)
    return URL.create("sqlite", database=parsed.database)
