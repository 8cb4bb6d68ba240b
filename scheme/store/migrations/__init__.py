"""Revisions of the tables, oldest first; Alembic runs them, the store decides when.

A revision is never changed once a version of the product has gone out with it. To add one: change the tables, then run
``python -m tests.store.new_revision NUMBER "what it is for"``, read what was written, and name it here.
"""

REVISIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0013",
    "0014",
    "0015",
    "0016",
)
"""What the store has been through; the last one is this version's."""
VERSION_TABLE = "store_revision"
FIRST_TABLES = frozenset(
    {"snapshot", "current_snapshot", "capacity", "capacity_part", "scheme", "document", "idempotency"}
)
"""Tables of the stores that were made before there were revisions; they are at the first one."""
