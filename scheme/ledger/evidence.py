"""Everything the auditor looks at, read in one transaction; it shares no arithmetic with what wrote it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Table, select

from scheme.ledger.tables import (
    ACCOUNT,
    ANSWERED_REQUEST,
    AUDIT,
    CERTIFICATE,
    CHAIN_HEAD,
    ENTRY,
    EVENT,
    HOLD,
    HOLD_SOURCE,
)

Rows = Sequence[Any]
"""Rows of one table, by its key."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a source point of a hold was mapped, and in which transaction."""

    transaction_no: int
    share_va: int
    path: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The ledger's tables as they stand."""

    accounts: Mapping[str, Any]
    holds: Mapping[str, Any]
    places: Mapping[str, Mapping[int, Sequence[Place]]]
    """Hold id -> source number -> its mappings, oldest first."""
    entries: Rows
    events: Rows
    audit: Rows
    heads: Mapping[str, Any]
    certificates: Mapping[str, Any]
    answers: Rows

    @cached_property
    def events_of(self) -> Mapping[str, Rows]:
        """Events of each hold, oldest first."""
        found: dict[str, list[Any]] = defaultdict(list)
        for event in self.events:
            found[event.hold_id].append(event)
        return found

    def amounts(self, hold_id: str, *, transaction_no: int | None = None) -> Mapping[str, int]:
        """Return what a hold takes of each account (VA) by its last mapping, or by that of a transaction."""
        found: dict[str, int] = defaultdict(int)
        for mappings in self.places.get(hold_id, {}).values():
            known = [place for place in mappings if transaction_no is None or place.transaction_no <= transaction_no]
            for account_id in known[-1].path if known else ():
                found[account_id] += known[-1].share_va
        return found


def read_evidence(connection: Connection) -> Evidence:
    """Read the whole ledger."""
    places: dict[str, dict[int, list[Place]]] = defaultdict(lambda: defaultdict(list))
    for row in _rows(connection, HOLD_SOURCE):
        place = Place(transaction_no=row.transaction_no, share_va=row.share_va, path=tuple(json.loads(row.path)))
        places[row.hold_id][row.source_no].append(place)
    return Evidence(
        accounts={row.account_id: row for row in _rows(connection, ACCOUNT)},
        holds={row.hold_id: row for row in _rows(connection, HOLD)},
        places=places,
        entries=_rows(connection, ENTRY),
        events=_rows(connection, EVENT),
        audit=_rows(connection, AUDIT),
        heads={row.name: row for row in _rows(connection, CHAIN_HEAD)},
        certificates={row.certificate_id: row for row in _rows(connection, CERTIFICATE)},
        answers=_rows(connection, ANSWERED_REQUEST),
    )


def _rows(connection: Connection, table: Table) -> Rows:
    return connection.execute(select(table).order_by(*table.primary_key.columns)).all()
