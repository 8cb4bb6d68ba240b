"""Which tables a store has: those of every part, and on PostgreSQL the layers of the map."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from sqlalchemy import MetaData

from scheme.store.layers.tables import LAYERS
from scheme.store.tables import METADATA

PARTS = (
    "scheme.ledger.tables",
    "scheme.access.tables",
    "scheme.publication.tables",
    "scheme.jobs.tables",
    "scheme.library.tables",
    "scheme.assessment_store.tables",
)
"""Modules of the other parts that put their tables on the metadata."""
NOT_OURS = frozenset({"spatial_ref_sys"})
"""Tables that come with PostGIS."""


def all_tables(dialect: str) -> tuple[MetaData, ...]:
    """Return the tables of a store on a kind of database.

    Args:
        dialect: ``sqlite`` or ``postgresql``.
    """
    for name in PARTS:
        if find_spec(name.rpartition(".")[0]) is not None and find_spec(name) is not None:
            import_module(name)
    return (METADATA, LAYERS) if dialect == "postgresql" else (METADATA,)
