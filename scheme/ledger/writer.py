"""The one module that changes counters, holds and entries.

Order inside every transaction, the same for everybody, so that no two wait for each other: hold, then accounts from
leaf to root, then the ends of the two chains. The counters are changed by conditional updates: a row that would pass
its limit is not touched, and the transaction is given up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from scheme.ledger import statements
from scheme.ledger.audit_trail import Change, append_rows
from scheme.ledger.clock import ledger_time, to_text
from scheme.ledger.errors import CapacityExhaustedError, HoldStateError, PinsMovedError
from scheme.ledger.expiry import civil_day, is_over
from scheme.ledger.heads import AUDIT_CHAIN, ENTRY_CHAIN, Head, lock_heads
from scheme.ledger.idempotency import IdempotencyClaim
from scheme.ledger.movements import CounterChange, HoldChange, counter_changes
from scheme.ledger.records import Account, Actor, Certificate, Hold, Pins
from scheme.ledger.rows import (
    Row,
    Standing,
    account_row,
    certificate_row,
    chained,
    entry_rows,
    event_rows,
    hold_row,
    limit_row,
    source_row,
)
from scheme.ledger.states import CONFIRMING
from scheme.ledger.tables import ACCOUNT, HOLD_SOURCE

_NEVER = "9999-99-99"
"""After every day there is, as the table keeps days."""

_OPENING_LOCK = 0x6772_6964
"""Names the lock among those of the database; any number nobody else takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One transaction of the ledger."""

    changes: Sequence[HoldChange]
    actor: Actor
    reason: str
    decided_at: datetime
    """Ledger time at which the transaction made up its mind."""
    pins: Pins | None = None
    certificate: Certificate | None = None
    """Of a hold that is new; kept with it."""
    claim: IdempotencyClaim | None = None
    """Idempotency key of the call, kept with a hold that is new."""


def post(connection: Connection, posting: Posting) -> tuple[Hold, ...]:
    """Book the changes: states, counters, entries, events and audit rows, all or nothing; return the holds after.

    Raises:
        HoldStateError: A hold is no longer in the state it was read in, or its last valid day has ended.
        CapacityExhaustedError: An account has no room.
        PinsMovedError: An account is not the one the certificate was worked out on.
    """
    for change in posting.changes:
        if change.before is not None and change.kind != "remap":
            _change_state(connection, change, posting.decided_at)
    standing = _change_counters(connection, posting)
    heads = lock_heads(connection, AUDIT_CHAIN, ENTRY_CHAIN)
    at = ledger_time(posting.decided_at, heads[ENTRY_CHAIN].last_at)
    _check_validity(posting.changes, at)
    changes = _numbered(posting.changes, heads[ENTRY_CHAIN], at)
    transaction_no = heads[ENTRY_CHAIN].transaction_no + 1
    _insert_holds(connection, changes, posting, transaction_no)
    _append(connection, entry_rows(changes, standing), changes, heads[ENTRY_CHAIN], at)
    _append_audit(connection, posting, changes, heads[AUDIT_CHAIN], at)
    return tuple(change.after for change in changes)


def lock_opening(connection: Connection) -> None:
    """Wait until nobody else opens accounts, and keep others from it until the transaction ends.

    Accounts that are not there yet have no row to lock; on SQLite one transaction writes at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_OPENING_LOCK)))


def set_accounts(connection: Connection, accounts: Sequence[Account], *, decided_at: datetime) -> None:
    """Make the accounts those of a new snapshot: limits set, new ones added, the others no longer current.

    Every version goes up: certificates of the snapshot before are stale. An account that uses more than its new limit
    is flagged; its holds stay.
    """
    found = {row.account_id: row for row in connection.execute(_all_accounts_locked(connection))}
    wanted = {account.account_id: account for account in accounts}
    columns = ACCOUNT.c
    rows: list[Row] = []
    connection.execute(update(ACCOUNT).values(version=columns.version + 1))
    fresh = [account for account_id, account in wanted.items() if account_id not in found]
    if fresh:
        connection.execute(insert(ACCOUNT), [account_row(account) for account in fresh])
        rows += [limit_row(account.account_id, Standing(1, account.limit_va)) for account in fresh]
    for account_id, row in found.items():
        account = wanted.get(account_id)
        limit_va = row.limit_va if account is None else account.limit_va
        is_current = account is not None
        if (limit_va, is_current) == (row.limit_va, row.is_current):
            continue
        exceeds = limit_va is not None and row.held_va + row.posted_va > limit_va
        connection.execute(
            update(ACCOUNT)
            .where(columns.account_id == account_id)
            .values(limit_va=limit_va, is_current=is_current, is_overcommitted=exceeds)
        )
        if limit_va != row.limit_va:
            rows.append(limit_row(account_id, Standing(row.version + 1, limit_va)))
    if rows:
        head = lock_heads(connection, ENTRY_CHAIN)[ENTRY_CHAIN]
        _append(connection, rows, (), head, ledger_time(decided_at, head.last_at))


def _all_accounts_locked(connection: Connection) -> Any:
    is_postgresql = connection.dialect.name == "postgresql"
    account_id = ACCOUNT.c.account_id.collate("C") if is_postgresql else ACCOUNT.c.account_id
    return select(ACCOUNT).order_by(ACCOUNT.c.level.desc(), account_id).with_for_update()


def _change_state(connection: Connection, change: HoldChange, decided_at: datetime) -> None:
    """Take one step, exactly once: only from the state the hold was read in, and within its validity."""
    before = change.before
    if before is None:
        raise ValueError("a hold that is new has no state to leave")
    today = civil_day(decided_at)
    binds = before.state == "held" and change.kind in CONFIRMING
    taken = connection.execute(
        statements.CHANGE_STATE,
        {
            "of_hold": before.hold_id,
            "from_state": before.state,
            "to_state": change.after.state,
            "at": to_text(decided_at),
            "valid_on": (today if binds else date.min).isoformat(),
            "over_on": today.isoformat() if change.kind == "expire" else _NEVER,
        },
    )
    if taken.rowcount != 1:
        raise HoldStateError(
            "the hold has left this state, or its last valid day rules the step out",
            hold_id=before.hold_id,
            state=before.state,
            step=change.kind,
            expires_on=before.expires_on.isoformat(),
        )


def _check_validity(changes: Sequence[HoldChange], at: datetime) -> None:
    """Check again at the time that is written down: waiting for a lock may have passed the end of the last day."""
    for change in changes:
        if change.before is None:
            is_bound = change.after.state == "held"
        else:
            is_bound = change.before.state == "held" and change.kind in CONFIRMING
        if is_bound and is_over(change.after.expires_on, at):
            raise HoldStateError(
                "the last valid day has ended", hold_id=change.after.hold_id, expires_on=str(change.after.expires_on)
            )


def _change_counters(connection: Connection, posting: Posting) -> Mapping[str, Standing]:
    """Change every counter of the transaction, leaf to root; return how the accounts stand after it."""
    pinned = {} if posting.pins is None else posting.pins.versions
    must_fit = all(change.kind != "remap" for change in posting.changes)
    standing: dict[str, Standing] = {}
    for change in counter_changes(posting.changes, pinned):
        after = change_counter(connection, change, must_fit=must_fit)
        standing[change.account_id] = after
        found = after.version - int(change.moves_load)
        if change.account_id in pinned and pinned[change.account_id] != found:
            raise PinsMovedError("the ledger moved since the certificate was worked out", account_id=change.account_id)
    return standing


def change_counter(connection: Connection, change: CounterChange, *, must_fit: bool) -> Standing:
    """Change one account's counters and return how it stands; a release always fits.

    Raises:
        CapacityExhaustedError: It would use more than its limit.
        PinsMovedError: The current snapshot has no such account.
    """
    delta, account = change.delta, {"of_account": change.account_id}
    if not change.moves_load and delta.held_va == 0:  # only pinned, or only entered
        row = connection.execute(statements.LOCK_ACCOUNT, account).one_or_none()
        if row is None:
            raise _no_account(change.account_id)
        return Standing(row.version, row.limit_va)
    is_bound = must_fit and delta.used_va > 0
    row = connection.execute(
        statements.CHANGE_COUNTER_WITHIN_LIMIT if is_bound else statements.CHANGE_COUNTER,
        {
            **account,
            "held_delta_va": delta.held_va,
            "posted_delta_va": delta.posted_va,
            "used_delta_va": delta.used_va,
            "version_step": int(change.moves_load),
        },
    ).one_or_none()
    if row is None:
        raise _refusal(connection, change)
    return Standing(row.version, row.limit_va)


def _refusal(connection: Connection, change: CounterChange) -> CapacityExhaustedError | PinsMovedError:
    columns = ACCOUNT.c
    row = connection.execute(select(ACCOUNT).where(columns.account_id == change.account_id)).one_or_none()
    if row is None or not row.is_current:
        return _no_account(change.account_id)
    open_va = None if row.limit_va is None else row.limit_va - row.held_va - row.posted_va
    return CapacityExhaustedError(change.account_id, wanted_va=change.delta.used_va, open_va=open_va)


def _no_account(account_id: str) -> PinsMovedError:
    return PinsMovedError("the network changed: it no longer has this element", account_id=account_id)


def _numbered(changes: Sequence[HoldChange], head: Head, at: datetime) -> list[HoldChange]:
    """Give holds that are new their place in the queue and the time they are written down."""
    numbered, hold_no = [], head.hold_no
    for change in changes:
        if change.before is None:
            hold_no += 1
            after = replace(change.after, hold_no=hold_no, created_at=at, changed_at=at)
            change = replace(change, after=after)
        numbered.append(change)
    return numbered


def _insert_holds(connection: Connection, changes: Sequence[HoldChange], posting: Posting, transaction_no: int) -> None:
    if posting.certificate is not None:
        connection.execute(statements.INSERT_CERTIFICATE, certificate_row(posting.certificate))
    sources: list[Row] = []
    for change in changes:
        hold = change.after
        if change.before is None:
            try:
                connection.execute(statements.INSERT_HOLD, hold_row(hold, posting.claim))
            except IntegrityError as error:
                raise HoldStateError(
                    "a scheme of this request holds capacity already",
                    scheme_id=hold.scheme_id,
                    request_id=hold.request_id,
                ) from error
            sources += [source_row(hold.hold_id, s, mapping_no=0, transaction_no=transaction_no) for s in hold.sources]
        elif change.kind == "remap":
            sources += _moved_source_rows(connection, change.before, hold, transaction_no)
    if sources:
        connection.execute(statements.INSERT_SOURCES, sources)


def _moved_source_rows(connection: Connection, before: Hold, after: Hold, transaction_no: int) -> Iterator[Row]:
    known = connection.execute(
        select(HOLD_SOURCE.c.source_no, HOLD_SOURCE.c.mapping_no).where(HOLD_SOURCE.c.hold_id == after.hold_id)
    ).all()
    for was, now in zip(before.sources, after.sources, strict=True):
        if was != now:
            mapping_no = max(row.mapping_no for row in known if row.source_no == now.source_no)
            yield source_row(after.hold_id, now, mapping_no=mapping_no + 1, transaction_no=transaction_no)


def _append(
    connection: Connection,
    rows: Sequence[Row],
    changes: Sequence[HoldChange],
    head: Head,
    at: datetime,
) -> None:
    """Append entries and events after the locked end of the chain."""
    entries = chained(rows, head, at)
    events = event_rows(changes, head, entry_seq=entries[-1]["seq"], at=at)
    connection.execute(statements.INSERT_ENTRIES, entries)
    if events:
        connection.execute(statements.INSERT_EVENTS, events)
    connection.execute(
        statements.MOVE_ENTRY_HEAD,
        {
            "of_chain": ENTRY_CHAIN,
            "new_seq": entries[-1]["seq"],
            "new_sha256": entries[-1]["sha256"],
            "new_last_at": to_text(at),
            "new_transaction_no": head.transaction_no + 1,
            "new_event_no": head.event_no + len(events),
            "new_hold_no": head.hold_no + sum(change.before is None for change in changes),
        },
    )


def _append_audit(
    connection: Connection, posting: Posting, changes: Sequence[HoldChange], head: Head, at: datetime
) -> None:
    rows = [
        Change(
            action=f"hold.{change.kind}",
            object_id=change.after.hold_id,
            reason=posting.reason,
            before_sha256=None if change.before is None else change.before.sha256,
            after_sha256=change.after.sha256,
        )
        for change in changes
    ]
    # rows of other parts go into the same trail, written at the time of a clock read before the ledger's lock
    append_rows(connection, posting.actor, rows, at=ledger_time(at, head.last_at), after=(head.seq, head.sha256))
