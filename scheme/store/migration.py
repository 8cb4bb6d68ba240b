"""Bringing a database to the revision of this version: a new one, one that is older, and none that is newer."""

from __future__ import annotations

import threading
from typing import Literal

from sqlalchemy import Connection, inspect, text

from gridmodel.errors import InputError
from scheme.store.migrations import FIRST_TABLES, REVISIONS, VERSION_TABLE
from scheme.store.schema import NOT_OURS

State = Literal["empty", "older", "current"]
_ALEMBIC = threading.Lock()
"""Alembic keeps what it works on in its module: one thread at a time."""
_ONE_AT_A_TIME = 0x6772_6964
"""Key of the lock that upgrades take on PostgreSQL; any number that is always the same."""


def find_state(connection: Connection) -> State:
    """Return how a database stands to this version.

    Raises:
        InputError: It belongs to another program, or to a newer version.
    """
    present = set(inspect(connection).get_table_names()) - NOT_OURS
    if not present:
        return "empty"
    if VERSION_TABLE not in present:
        if present >= FIRST_TABLES:
            return "older"
        raise InputError("the database belongs to another program", field="--db")
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant
    if found == REVISIONS[-1]:
        return "current"
    if found in REVISIONS:
        return "older"
    raise InputError("the database was written by a newer version of the product", field="--db")


def upgrade(connection: Connection) -> None:
    """Bring the database to the revision of this version, inside the transaction of the connection.

    Raises:
        InputError: It belongs to another program, or to a newer version.
    """
    _wait_for_others(connection)
    if find_state(connection) != "current":
        upgrade_to(connection, REVISIONS[-1])


def upgrade_to(connection: Connection, revision: str) -> None:
    """Bring the tables to a revision; those of a store from before there were revisions are at the first."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "scheme.store:migrations")
    config.attributes["connection"] = connection
    present = set(inspect(connection).get_table_names())
    with _ALEMBIC:
        if VERSION_TABLE not in present and present >= FIRST_TABLES:
            command.stamp(config, REVISIONS[0])
        command.upgrade(config, revision)


def _wait_for_others(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        statement = "SELECT set_config('lock_timeout', '60s', true), set_config('statement_timeout', '0', true)"
        connection.execute(text(statement))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
