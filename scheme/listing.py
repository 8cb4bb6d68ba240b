"""Pages of what the store keeps: schemes, holds, entries, audit rows. A page starts after a key, never at a number of
rows, so that what is added meanwhile moves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, func, literal, select, tuple_

from scheme.ledger.reader import find_holds
from scheme.ledger.records import Hold
from scheme.ledger.tables import AUDIT, ENTRY, HOLD
from scheme.store.tables import SCHEME

QUOTE = "quote"
"""State of a scheme that was answered and never issued."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeRow:
    """A scheme in a list."""

    scheme_id: str
    request_id: str
    verdict: str
    state: str
    """Of its last hold; ``quote`` where it has none."""
    created_at: str
    """UTC, to the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeFilter:
    """Which schemes are listed; ``None`` does not filter."""

    owner_id: str | None = None
    verdict: str | None = None
    state: str | None = None
    request_id: str | None = None


def list_schemes(
    connection: Connection, wanted: SchemeFilter, *, after: tuple[str, str] | None, limit: int
) -> list[SchemeRow]:
    """Return schemes, newest first.

    Args:
        connection: In a transaction.
        wanted: Which.
        after: ``created_at`` and ``scheme_id`` of the last row of the page before.
        limit: At most so many.
    """
    last = select(HOLD.c.scheme_id, func.max(HOLD.c.hold_no).label("hold_no")).group_by(HOLD.c.scheme_id).subquery()
    state = func.coalesce(HOLD.c.state, literal(QUOTE)).label("state")
    statement = (
        select(SCHEME.c.scheme_id, SCHEME.c.request_id, SCHEME.c.verdict, state, SCHEME.c.created_at)
        .select_from(SCHEME)
        .outerjoin(last, last.c.scheme_id == SCHEME.c.scheme_id)
        .outerjoin(HOLD, HOLD.c.hold_no == last.c.hold_no)
        .order_by(SCHEME.c.created_at.desc(), SCHEME.c.scheme_id.desc())
        .limit(limit)
    )
    conditions: Sequence[tuple[ColumnElement[str], str | None]] = (
        (SCHEME.c.owner_id, wanted.owner_id),
        (SCHEME.c.verdict, wanted.verdict),
        (state, wanted.state),
        (SCHEME.c.request_id, wanted.request_id),
    )
    for column, value in conditions:
        if value is not None:
            statement = statement.where(column == value)
    if after is not None:
        statement = statement.where(tuple_(SCHEME.c.created_at, SCHEME.c.scheme_id) < tuple_(*map(literal, after)))
    return [SchemeRow(**row._mapping) for row in connection.execute(statement)]


def list_holds(
    connection: Connection,
    *,
    owner_id: str | None,
    states: Sequence[str] | None,
    request_id: str | None,
    after_no: int,
    limit: int,
) -> list[Hold]:
    """Return holds in the order they were answered.

    Args:
        connection: In a transaction.
        owner_id: Only those of this customer.
        states: Only those in one of these states.
        request_id: Only those of this request.
        after_no: ``hold_no`` of the last one of the page before.
        limit: At most so many.
    """
    statement: Select[tuple[int]] = select(HOLD.c.hold_no).where(HOLD.c.hold_no > after_no)
    if owner_id is not None:
        statement = statement.where(HOLD.c.owner_id == owner_id)
    if states is not None:
        statement = statement.where(HOLD.c.state.in_(states))
    if request_id is not None:
        statement = statement.where(HOLD.c.request_id == request_id)
    numbers = connection.execute(statement.order_by(HOLD.c.hold_no).limit(limit)).scalars().all()
    return find_holds(connection, HOLD.c.hold_no.in_(numbers))


def list_entries(connection: Connection, hold_id: str) -> list[dict[str, object]]:
    """Return what a hold was booked as, oldest first: number, time, step, account and change of its counters (VA)."""
    columns = (
        ENTRY.c.seq, ENTRY.c.at, ENTRY.c.kind, ENTRY.c.account_id, ENTRY.c.held_delta_va, ENTRY.c.posted_delta_va
    )  # fmt: skip
    found = connection.execute(select(*columns).where(ENTRY.c.hold_id == hold_id).order_by(ENTRY.c.seq))
    return [dict(row._mapping) for row in found]


def list_audit_rows(
    connection: Connection, *, object_id: str | None, subject_id: str | None, before_seq: int | None, limit: int
) -> list[dict[str, object]]:
    """Return audit rows, newest first.

    Args:
        connection: In a transaction.
        object_id: Only those about one object.
        subject_id: Only those of one subject.
        before_seq: Number of the last row of the page before.
        limit: At most so many.
    """
    statement = select(AUDIT).order_by(AUDIT.c.seq.desc()).limit(limit)
    if object_id is not None:
        statement = statement.where(AUDIT.c.object_id == object_id)
    if subject_id is not None:
        statement = statement.where(AUDIT.c.subject_id == subject_id)
    if before_seq is not None:
        statement = statement.where(AUDIT.c.seq < before_seq)
    return [dict(row._mapping) for row in connection.execute(statement)]
