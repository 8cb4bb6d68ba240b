"""How the tables of a database are compared with those of the product."""

from __future__ import annotations

from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection

from scheme.store.columns import UtcNow
from scheme.store.migrations import VERSION_TABLE
from scheme.store.schema import NOT_OURS, all_tables


def options(connection: Connection) -> dict[str, Any]:
    """Return what Alembic is configured with for a connection."""
    return {
        "target_metadata": list(all_tables(connection.dialect.name)),
        "version_table": VERSION_TABLE,
        "include_object": _is_included,
        "render_item": _render,
        "render_as_batch": True,  # SQLite alters a table by making it anew
        "compare_type": True,
    }


def _is_included(_item: Any, name: str | None, kind: str, _is_reflected: bool, _other: Any) -> bool:
    return not (kind == "table" and name in NOT_OURS)


def _render(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    if kind == "server_default" and isinstance(getattr(item, "arg", item), UtcNow):
        autogen.imports.add("from scheme.store.columns import UtcNow")
        return "UtcNow()"
    return False
