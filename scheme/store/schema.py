"""Which tables a store has, and whether a database is one."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from sqlalchemy import Connection, MetaData, inspect

from gridmodel.errors import InputError
from scheme.store.tables import METADATA

PARTS = ("scheme.ledger.tables", "scheme.access.tables", "scheme.publication.tables", "scheme.jobs.tables")
"""Modules of the other parts that put their tables on the metadata."""
_NOT_OURS = frozenset({"spatial_ref_sys"})
"""Tables that come with PostGIS."""


def all_tables() -> MetaData:
    """Return the metadata with the tables of every part on it."""
    for name in PARTS:
        if find_spec(name.rpartition(".")[0]) is not None and find_spec(name) is not None:
            import_module(name)
    return METADATA


def is_empty(connection: Connection) -> bool:
    """Return whether the database has no table of anybody."""
    return not _present(connection)


def prepare(connection: Connection) -> None:
    """Make the tables of an empty database.

    Raises:
        InputError: The database belongs to another program or version.
    """
    present = _present(connection)
    if present and "current_snapshot" not in present:
        raise InputError("the database belongs to another program or version", field="--db")
    all_tables().create_all(connection)


def _present(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) - _NOT_OURS
