"""Reads the ledger: holds, accounts, versions, and what was live at an earlier entry."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, select

from gridmodel.errors import NotFoundError
from scheme.ledger.clock import from_text
from scheme.ledger.heads import ENTRY_CHAIN, read_head
from scheme.ledger.records import Account, Balance, Hold, HoldSource, LedgerHead, Pins
from scheme.ledger.states import LIVE
from scheme.ledger.tables import ACCOUNT, EVENT, HOLD, HOLD_SOURCE

_IDS_PER_QUERY = 500
_NOT_OF_HOLD = frozenset({"claim_principal_id", "claim_operation", "claim_key"})
_HOLD_COLUMNS = [column for column in HOLD.columns if column.name not in _NOT_OF_HOLD]


def get_hold(connection: Connection, hold_id: str, *, is_locked: bool = False) -> Hold:
    """Return a hold.

    Args:
        connection: In a transaction.
        hold_id: Which.
        is_locked: Lock it until the transaction ends, before its source points are read.

    Raises:
        NotFoundError: There is none with this id.
    """
    statement = select(*_HOLD_COLUMNS).where(HOLD.c.hold_id == hold_id)
    row = connection.execute(statement.with_for_update() if is_locked else statement).one_or_none()
    if row is None:
        raise NotFoundError("no such hold", hold_id=hold_id)
    return _hold(row, _sources_of(connection, [hold_id])[hold_id])


def find_holds(connection: Connection, where: ColumnElement[bool]) -> list[Hold]:
    """Return the holds that meet a condition on the hold table, in the order they were answered."""
    return _holds(connection, select(*_HOLD_COLUMNS).where(where).order_by(HOLD.c.hold_no))


def list_live(connection: Connection) -> list[Hold]:
    """Return every hold that uses capacity, in the order they were answered."""
    return find_holds(connection, HOLD.c.state.in_(LIVE))


def live_at(connection: Connection, seq: int) -> list[Hold]:
    """Return the holds that used capacity after an entry, in the state and at the places they had then."""
    last = (
        select(func.max(EVENT.c.event_no).label("event_no")).where(EVENT.c.entry_seq <= seq).group_by(EVENT.c.hold_id)
    ).subquery()
    statement = (
        select(EVENT.c.hold_id, EVENT.c.to_state)
        .join(last, EVENT.c.event_no == last.c.event_no)
        .where(EVENT.c.to_state.in_(LIVE))
    )
    state_of = {row.hold_id: row.to_state for row in connection.execute(statement)}
    at_most = connection.execute(select(func.max(EVENT.c.transaction_no)).where(EVENT.c.entry_seq <= seq)).scalar()
    found: list[Hold] = []
    for hold_ids in _chunks(sorted(state_of)):
        rows = connection.execute(select(*_HOLD_COLUMNS).where(HOLD.c.hold_id.in_(hold_ids))).all()
        sources = _sources_of(connection, hold_ids, transaction_no=at_most)
        found += [_hold(row, sources[row.hold_id], state=state_of[row.hold_id]) for row in rows]
    return sorted(found, key=lambda hold: hold.hold_no)


def head(connection: Connection) -> LedgerHead:
    """Return number and digest of the last entry."""
    last = read_head(connection, ENTRY_CHAIN)
    return LedgerHead(seq=last.seq, sha256=last.sha256)


def pin(connection: Connection, account_ids: Collection[str]) -> Pins:
    """Return the versions of accounts as they stand.

    Raises:
        NotFoundError: One of them does not exist.
    """
    found: dict[str, int] = {}
    for chunk in _chunks(sorted(set(account_ids))):
        statement = select(ACCOUNT.c.account_id, ACCOUNT.c.version).where(ACCOUNT.c.account_id.in_(chunk))
        found |= {row.account_id: row.version for row in connection.execute(statement)}
    missing = sorted(set(account_ids) - set(found))
    if missing:
        raise NotFoundError("no such account", account_id=missing[0])
    return Pins(versions=found)


def find_accounts(connection: Connection, account_ids: Collection[str] | None = None) -> list[Balance]:
    """Return accounts with their counters, by level from the leaves up; all of them by default."""
    statement = select(ACCOUNT).order_by(ACCOUNT.c.level.desc(), ACCOUNT.c.account_id)
    if account_ids is None:
        return [_balance(row) for row in connection.execute(statement)]
    found: list[Balance] = []
    for chunk in _chunks(sorted(set(account_ids))):
        found += [_balance(row) for row in connection.execute(statement.where(ACCOUNT.c.account_id.in_(chunk)))]
    return sorted(found, key=lambda balance: (-balance.account.level, balance.account.account_id))


def find_overcommitted(connection: Connection) -> list[Balance]:
    """Return the accounts that use more than their limit."""
    statement = select(ACCOUNT).where(ACCOUNT.c.is_overcommitted).order_by(ACCOUNT.c.level.desc(), ACCOUNT.c.account_id)
    return [_balance(row) for row in connection.execute(statement)]


def _holds(connection: Connection, statement: Select[Any]) -> list[Hold]:
    rows = connection.execute(statement).all()
    sources = _sources_of(connection, [row.hold_id for row in rows])
    return [_hold(row, sources[row.hold_id]) for row in rows]


def _sources_of(
    connection: Connection, hold_ids: Sequence[str], *, transaction_no: int | None = None
) -> Mapping[str, tuple[HoldSource, ...]]:
    """Return the source points of holds as last mapped, or as mapped up to a transaction."""
    found: dict[str, dict[int, HoldSource]] = {hold_id: {} for hold_id in hold_ids}
    for chunk in _chunks(hold_ids):
        condition: ColumnElement[bool] = HOLD_SOURCE.c.hold_id.in_(chunk)
        if transaction_no is not None:
            condition = and_(condition, HOLD_SOURCE.c.transaction_no <= transaction_no)
        order = (HOLD_SOURCE.c.hold_id, HOLD_SOURCE.c.source_no, HOLD_SOURCE.c.mapping_no)
        for row in connection.execute(select(HOLD_SOURCE).where(condition).order_by(*order)):
            found[row.hold_id][row.source_no] = HoldSource(
                source_no=row.source_no,
                node_element_id=row.node_element_id,
                share_va=row.share_va,
                path=tuple(json.loads(row.path)),
            )
    return {hold_id: tuple(sources.values()) for hold_id, sources in found.items()}


def _hold(row: Row[Any], sources: tuple[HoldSource, ...], *, state: str | None = None) -> Hold:
    values = dict(row._mapping)
    values["state"] = state or values["state"]
    for name in ("created_at", "changed_at"):
        values[name] = from_text(values[name])
    values["expires_on"] = date.fromisoformat(values["expires_on"])
    return Hold(**values, sources=sources)


def _balance(row: Row[Any]) -> Balance:
    return Balance(
        account=Account(account_id=row.account_id, element_id=row.element_id, limit_va=row.limit_va),
        held_va=row.held_va,
        posted_va=row.posted_va,
        version=row.version,
        is_current=row.is_current,
        is_overcommitted=row.is_overcommitted,
    )


def _chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[first : first + _IDS_PER_QUERY] for first in range(0, len(ids), _IDS_PER_QUERY))
