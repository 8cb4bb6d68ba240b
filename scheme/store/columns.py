"""Column defaults that say the same on both databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement


class UtcNow(ColumnElement[str]):
    """The database's time in UTC as text, ``2026-03-02 08:00:00``; whatever time zone the server is set to."""

    inherit_cache = True


@compiles(UtcNow, "sqlite")
def _on_sqlite(_element: UtcNow, _compiler: Any, **_: Any) -> str:
    return "CURRENT_TIMESTAMP"


@compiles(UtcNow, "postgresql")
def _on_postgresql(_element: UtcNow, _compiler: Any, **_: Any) -> str:
    return "to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"
