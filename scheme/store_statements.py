"""What one transaction of the store writes, table by table."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert as upsert

from gridmodel.snapshot import Snapshot
from scheme.capacity_manifest import CapacityManifest
from scheme.store_records import CapacityKey, IdempotencyConflictError, StoredScheme
from scheme.store_tables import CAPACITY, CAPACITY_PART, CURRENT_SNAPSHOT, IDEMPOTENCY, SNAPSHOT


def insert_snapshot(connection: Connection, snapshot: Snapshot, parent_sha256: str | None, content: bytes) -> None:
    """Keep a snapshot; where its digest is there already, so is its content."""
    row = {"sha256": snapshot.sha256, "source_name": snapshot.source_name, "source_format": snapshot.source_format}
    values = {**row, "parent_sha256": parent_sha256, "content": content}
    connection.execute(upsert(SNAPSHOT).values(**values).on_conflict_do_nothing())


def point_to(connection: Connection, sha256: str) -> None:
    """Make a snapshot the current one."""
    statement = upsert(CURRENT_SNAPSHOT).values(only_row=1, snapshot_sha256=sha256)
    pointer = {"snapshot_sha256": sha256}
    connection.execute(statement.on_conflict_do_update(index_elements=["only_row"], set_=pointer))


def insert_capacity(
    connection: Connection,
    snapshot_sha256: str,
    key: CapacityKey,
    manifest: CapacityManifest,
    contents: Mapping[str, bytes],
) -> None:
    """Keep a capacity table and those of its parts that are new."""
    parts = [{"sha256": digest, "content": content} for digest, content in contents.items()]
    if parts:
        connection.execute(upsert(CAPACITY_PART).on_conflict_do_nothing(), parts)
    where = {"snapshot_sha256": snapshot_sha256, "parameters_sha256": key.parameters_sha256}
    values = {
        "parameters": key.parameters,
        "profile": key.profile,
        "policy_sha256": key.policy_sha256,
        "as_of": key.as_of,
        "manifest": manifest.to_json(),
    }
    statement = upsert(CAPACITY).values(**where, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=list(where), set_=values))


def claim_key(connection: Connection, key: str, scheme: StoredScheme) -> None:
    """Let an idempotency key stand for a request.

    Raises:
        IdempotencyConflictError: It stands for another one.
    """
    statement = upsert(IDEMPOTENCY).values(
        idempotency_key=key, request_sha256=scheme.request_sha256, scheme_id=scheme.scheme_id
    )
    connection.execute(statement.on_conflict_do_nothing())
    claimed = connection.execute(
        select(IDEMPOTENCY.c.request_sha256).where(IDEMPOTENCY.c.idempotency_key == key)
    ).scalar_one()
    if claimed != scheme.request_sha256:
        raise IdempotencyConflictError("the idempotency key was used for another request", key=key)
