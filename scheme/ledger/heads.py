"""The last row of each hash chain; whoever appends locks it, so that numbers have no gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table
from sqlalchemy.dialects import postgresql, sqlite

from scheme.ledger.chain import GENESIS
from scheme.ledger.statements import LOCK_HEADS, READ_HEAD
from scheme.ledger.tables import CHAIN_HEAD

AUDIT_CHAIN, ENTRY_CHAIN = "audit", "entries"
"""Locked in this order where both are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where a chain ends."""

    seq: int = 0
    sha256: str = GENESIS
    last_at: str = ""
    transaction_no: int = 0
    event_no: int = 0
    hold_no: int = 0


def read_head(connection: Connection, name: str) -> Head:
    """Return the end of a chain as this transaction sees it, without a lock."""
    row = connection.execute(READ_HEAD, {"of_chain": name}).one_or_none()
    return Head() if row is None else _head(row)


def lock_heads(connection: Connection, *names: str) -> dict[str, Head]:
    """Return the ends of chains, locked until the transaction ends."""
    wanted = {"names": sorted(names)}
    found = {row.name: _head(row) for row in connection.execute(LOCK_HEADS, wanted)}
    if len(found) == len(names):
        return found
    empty = Head()
    fresh = {name: getattr(empty, name) for name in Head.__slots__}
    both = [{"name": name, **fresh} for name in (AUDIT_CHAIN, ENTRY_CHAIN)]
    connection.execute(insert_if_absent(connection.dialect.name, CHAIN_HEAD), both)
    return {row.name: _head(row) for row in connection.execute(LOCK_HEADS, wanted)}


def insert_if_absent(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an insert that leaves a row with the same key as it is."""
    if dialect == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def _head(row: Row[Any]) -> Head:
    return Head(**{name: getattr(row, name) for name in Head.__slots__})
