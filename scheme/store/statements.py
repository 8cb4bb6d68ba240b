"""What one transaction of the store writes, table by table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from gridmodel.snapshot import Snapshot
from scheme.capacity_manifest import CapacityManifest
from scheme.store.cases import case_of
from scheme.store.records import CapacityKey, OwnerConflictError, StoredScheme
from scheme.store.tables import CAPACITY, CAPACITY_PART, CURRENT_SNAPSHOT, SCHEME, SCHEME_CASE, SNAPSHOT


def upsert(connection: Connection, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Insert a row, or give the one with this key the values."""
    statement = _insert(connection, table).values(**{**key, **values})
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=dict(values)))


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose key is not there yet."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), list(rows))


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def insert_snapshot(connection: Connection, snapshot: Snapshot, parent_sha256: str | None, content: bytes) -> None:
    """Keep a snapshot; where its digest is there already, so is its content."""
    row = {"sha256": snapshot.sha256, "source_name": snapshot.source_name, "source_format": snapshot.source_format}
    insert_new(connection, SNAPSHOT, [{**row, "parent_sha256": parent_sha256, "content": content}])


def current_sha256(connection: Connection, *, is_locked: bool = False) -> str | None:
    """Return the digest of the current snapshot, ``None`` before the first import.

    Args:
        connection: In a transaction.
        is_locked: Keep others from making another snapshot the current one until the transaction ends.
    """
    statement = select(CURRENT_SNAPSHOT.c.snapshot_sha256)
    return connection.execute(statement.with_for_update() if is_locked else statement).scalar()


def point_to(connection: Connection, sha256: str) -> None:
    """Make a snapshot the current one."""
    upsert(connection, CURRENT_SNAPSHOT, {"only_row": 1}, {"snapshot_sha256": sha256})


def insert_capacity(
    connection: Connection,
    snapshot_sha256: str,
    key: CapacityKey,
    manifest: CapacityManifest,
    contents: Mapping[str, bytes],
) -> None:
    """Keep a capacity table and those of its parts that are new."""
    # Sorted: two writers that share parts wait for each other in one order.
    parts = [{"sha256": digest, "content": content} for digest, content in sorted(contents.items())]
    insert_new(connection, CAPACITY_PART, parts)
    where = {"snapshot_sha256": snapshot_sha256, "parameters_sha256": key.parameters_sha256}
    values = {
        "parameters": key.parameters,
        "profile": key.profile,
        "policy_sha256": key.policy_sha256,
        "as_of": key.as_of,
        "manifest": manifest.to_json(),
    }
    upsert(connection, CAPACITY, where, values)


def owned_by(owner_id: str | None) -> ColumnElement[bool]:
    """Return the condition that a scheme belongs to a subject; always true for ``None``."""
    return true() if owner_id is None else SCHEME.c.owner_id == owner_id


def put_scheme(connection: Connection, scheme: StoredScheme) -> None:
    """Keep a scheme; the same one once more replaces it and never changes hands.

    Raises:
        OwnerConflictError: The same scheme belongs to somebody else.
    """
    values = {name: getattr(scheme, name) for name in StoredScheme.__slots__}
    insert_new(connection, SCHEME, [values])
    is_this = SCHEME.c.scheme_id == scheme.scheme_id
    owner_id, created_at = connection.execute(select(SCHEME.c.owner_id, SCHEME.c.created_at).where(is_this)).one()
    if scheme.owner_id not in (None, owner_id):
        raise OwnerConflictError("the same request was answered for somebody else", field="request_id")
    connection.execute(update(SCHEME).where(is_this).values({**values, "owner_id": owner_id}))
    case = {**case_of(scheme), "owner_id": owner_id, "created_at": created_at}
    upsert(connection, SCHEME_CASE, {"scheme_id": scheme.scheme_id}, case)
