"""Alembic runs this: on the connection it is given, inside the transaction of whoever gave it."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection

from scheme.store.columns import UtcNow
from scheme.store.migrations import VERSION_TABLE
from scheme.store.schema import NOT_OURS, all_tables


def _is_included(item: Any, name: str | None, kind: str, _is_reflected: bool, _other: Any) -> bool:
    return not (kind == "table" and name in NOT_OURS)


def _render(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    if kind == "server_default" and isinstance(getattr(item, "arg", item), UtcNow):
        autogen.imports.add("from scheme.store.columns import UtcNow")
        return "UtcNow()"
    return False


def run(connection: Connection) -> None:
    """Run the migrations on a connection."""
    context.configure(
        connection=connection,
        target_metadata=list(all_tables(connection.dialect.name)),
        version_table=VERSION_TABLE,
        include_object=_is_included,
        render_item=_render,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    context.run_migrations()


run(context.config.attributes["connection"])
