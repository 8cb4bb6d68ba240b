"""The one module that changes counters, holds and entries.

Order inside every transaction, the same for everybody, so that no two wait for each other: hold, then accounts from
leaf to root, then the ends of the two chains. The counters are changed by conditional updates: a row that would pass
its limit is not touched, and the transaction is given up.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, case, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from scheme.ledger.audit_trail import Change, append_rows
from scheme.ledger.chain import link
from scheme.ledger.clock import ledger_time, to_text
from scheme.ledger.errors import CapacityExhaustedError, HoldStateError, PinsMovedError
from scheme.ledger.expiry import civil_day, is_over
from scheme.ledger.heads import AUDIT_CHAIN, ENTRY_CHAIN, Head, lock_heads
from scheme.ledger.idempotency import IdempotencyClaim
from scheme.ledger.movements import CounterChange, Delta, HoldChange, counter_changes, deltas
from scheme.ledger.records import Account, Actor, Certificate, Hold, HoldSource, Pins
from scheme.ledger.states import CONFIRMING
from scheme.ledger.tables import ACCOUNT, CERTIFICATE, CHAIN_HEAD, ENTRY, EVENT, HOLD, HOLD_SOURCE

NO_CHANGE = Delta()


class Standing(NamedTuple):
    """An account after its counters were changed."""

    version: int
    limit_va: int | None


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
    rows = _entry_rows(changes, standing)
    _append(connection, rows, changes, heads[ENTRY_CHAIN], at)
    _append_audit(connection, posting, changes, heads[AUDIT_CHAIN], at)
    return tuple(change.after for change in changes)


def set_accounts(connection: Connection, accounts: Sequence[Account], *, decided_at: datetime) -> None:
    """Make the accounts those of a new snapshot: limits set, new ones added, the others no longer current.

    Every version goes up: certificates of the snapshot before are stale. An account that uses more than its new limit
    is flagged; its holds stay.
    """
    found = {row.account_id: row for row in connection.execute(_all_accounts_locked(connection))}
    wanted = {account.account_id: account for account in accounts}
    columns = ACCOUNT.c
    rows: list[dict[str, Any]] = []
    connection.execute(update(ACCOUNT).values(version=columns.version + 1))
    fresh = [account for account_id, account in wanted.items() if account_id not in found]
    if fresh:
        connection.execute(insert(ACCOUNT), [_new_account(account) for account in fresh])
        rows += [_entry("limit", Standing(1, account.limit_va), account_id=account.account_id) for account in fresh]
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
            rows.append(_entry("limit", Standing(row.version + 1, limit_va), account_id=account_id))
    if rows:
        head = lock_heads(connection, ENTRY_CHAIN)[ENTRY_CHAIN]
        _append(connection, rows, (), head, ledger_time(decided_at, head.last_at))


def _all_accounts_locked(connection: Connection) -> Any:
    is_postgresql = connection.dialect.name == "postgresql"
    account_id = ACCOUNT.c.account_id.collate("C") if is_postgresql else ACCOUNT.c.account_id
    return select(ACCOUNT).order_by(ACCOUNT.c.level.desc(), account_id).with_for_update()


def _new_account(account: Account) -> dict[str, Any]:
    return {
        "account_id": account.account_id,
        "level": account.level,
        "element_id": account.element_id,
        "limit_va": account.limit_va,
        "held_va": 0,
        "posted_va": 0,
        "version": 1,
        "is_current": True,
        "is_overcommitted": account.limit_va is not None and account.limit_va < 0,
    }


def _entry(
    kind: str,
    standing: Standing | None,
    *,
    account_id: str | None,
    hold_id: str | None = None,
    delta: Delta = NO_CHANGE,
) -> dict[str, Any]:
    """Return one row of the entry log, without its number."""
    return {
        "kind": kind,
        "account_id": account_id,
        "hold_id": hold_id,
        "held_delta_va": delta.held_va,
        "posted_delta_va": delta.posted_va,
        "limit_va": None if standing is None else standing.limit_va,
        "version": None if standing is None else standing.version,
    }


def _change_state(connection: Connection, change: HoldChange, decided_at: datetime) -> None:
    """Take one step, exactly once: only from the state the hold was read in, and within its validity."""
    before = change.before
    if before is None:
        raise ValueError("a hold that is new has no state to leave")
    today = civil_day(decided_at).isoformat()
    conditions = [HOLD.c.hold_id == before.hold_id, HOLD.c.state == before.state]
    if before.state == "held" and change.kind in CONFIRMING:
        conditions.append(HOLD.c.expires_on >= today)
    if change.kind == "expire":
        conditions.append(HOLD.c.expires_on < today)
    statement = update(HOLD).where(*conditions).values(state=change.after.state, changed_at=to_text(decided_at))
    if connection.execute(statement).rowcount != 1:
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
    columns, delta = ACCOUNT.c, change.delta
    if not change.moves_load and delta.held_va == 0:  # only pinned, or only entered
        row = connection.execute(
            select(columns.version, columns.limit_va).where(columns.account_id == change.account_id).with_for_update()
        ).one_or_none()
        if row is None:
            raise _no_account(change.account_id)
        return Standing(row.version, row.limit_va)
    used_va = columns.held_va + columns.posted_va + delta.used_va
    statement = update(ACCOUNT).where(columns.account_id == change.account_id)
    if must_fit and delta.used_va > 0:
        statement = statement.where(columns.is_current, or_(columns.limit_va.is_(None), used_va <= columns.limit_va))
    row = connection.execute(
        statement.values(
            held_va=columns.held_va + delta.held_va,
            posted_va=columns.posted_va + delta.posted_va,
            version=columns.version + int(change.moves_load),
            is_overcommitted=case((and_(columns.limit_va.is_not(None), used_va > columns.limit_va), True), else_=False),
        ).returning(columns.version, columns.limit_va)
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
    certificate = posting.certificate
    if certificate is not None:
        pins = json.dumps(dict(sorted(certificate.pins.versions.items())), ensure_ascii=False)
        connection.execute(
            insert(CERTIFICATE).values(
                certificate_id=certificate.certificate_id,
                snapshot_sha256=certificate.snapshot_sha256,
                pins=pins,
                engine=certificate.engine,
                content=certificate.content_json,
            )
        )
    sources: list[dict[str, Any]] = []
    for change in changes:
        if change.before is None:
            _insert_hold(connection, change.after, posting.claim)
            sources += [_source_row(change.after.hold_id, s, 0, transaction_no) for s in change.after.sources]
        elif change.kind == "remap":
            sources += _moved_source_rows(connection, change.before, change.after, transaction_no)
    if sources:
        connection.execute(insert(HOLD_SOURCE), sources)


def _insert_hold(connection: Connection, hold: Hold, claim: IdempotencyClaim | None) -> None:
    if hold.changed_at is None:
        raise ValueError("a hold is written with the time it was made")
    try:
        connection.execute(
            insert(HOLD).values(
                **{name: getattr(hold, name) for name in _PLAIN_COLUMNS},
                created_at=to_text(hold.created_at),
                changed_at=to_text(hold.changed_at),
                expires_on=hold.expires_on.isoformat(),
                claim_principal_id=None if claim is None else claim.principal_id,
                claim_operation=None if claim is None else claim.operation,
                claim_key=None if claim is None else claim.key,
            )
        )
    except IntegrityError as error:
        raise HoldStateError(
            "a scheme of this request holds capacity already", scheme_id=hold.scheme_id, request_id=hold.request_id
        ) from error


_PLAIN_COLUMNS = (
    "hold_id", "hold_no", "scheme_id", "request_id", "owner_id", "capacity_va", "power_factor", "is_low_voltage",
    "snapshot_sha256", "policy_sha256", "certificate_id", "state", "predecessor_id",
)  # fmt: skip


def _source_row(hold_id: str, source: HoldSource, mapping_no: int, transaction_no: int) -> dict[str, Any]:
    return {
        "hold_id": hold_id,
        "source_no": source.source_no,
        "mapping_no": mapping_no,
        "transaction_no": transaction_no,
        "node_element_id": source.node_element_id,
        "share_va": source.share_va,
        "path": json.dumps(source.path, ensure_ascii=False),
    }


def _moved_source_rows(
    connection: Connection, before: Hold, after: Hold, transaction_no: int
) -> Iterator[dict[str, Any]]:
    known = connection.execute(
        select(HOLD_SOURCE.c.source_no, HOLD_SOURCE.c.mapping_no).where(HOLD_SOURCE.c.hold_id == after.hold_id)
    ).all()
    for was, now in zip(before.sources, after.sources, strict=True):
        if was != now:
            mapping_no = max(row.mapping_no for row in known if row.source_no == now.source_no)
            yield _source_row(after.hold_id, now, mapping_no + 1, transaction_no)


def _entry_rows(changes: Sequence[HoldChange], standing: Mapping[str, Standing]) -> list[dict[str, Any]]:
    """Return one row per hold and account; a hold counted nowhere leaves one row without an account."""
    rows: list[dict[str, Any]] = []
    for change in changes:
        hold_id, booked = change.after.hold_id, deltas(change)
        rows += [
            _entry(change.kind, standing[account_id], account_id=account_id, hold_id=hold_id, delta=delta)
            for account_id, delta in booked.items()
        ] or [_entry(change.kind, None, account_id=None, hold_id=hold_id)]
    return rows


def _append(
    connection: Connection,
    rows: Sequence[dict[str, Any]],
    changes: Sequence[HoldChange],
    head: Head,
    at: datetime,
) -> None:
    """Append entries and events after the locked end of the chain."""
    transaction_no, kept_at = head.transaction_no + 1, to_text(at)
    seq, sha256, entries = head.seq, head.sha256, []
    for row in rows:
        seq += 1
        entry = {"seq": seq, "transaction_no": transaction_no, "at": kept_at, **row}
        sha256 = link(sha256, entry)
        entries.append({**entry, "sha256": sha256})
    connection.execute(insert(ENTRY), entries)
    events = [
        {
            "event_no": head.event_no + number,
            "transaction_no": transaction_no,
            "entry_seq": seq,
            "at": kept_at,
            "hold_id": change.after.hold_id,
            "step": change.kind,
            "from_state": "quote" if change.before is None else change.before.state,
            "to_state": change.after.state,
        }
        for number, change in enumerate(changes, start=1)
    ]
    if events:
        connection.execute(insert(EVENT), events)
    connection.execute(
        update(CHAIN_HEAD)
        .where(CHAIN_HEAD.c.name == ENTRY_CHAIN)
        .values(
            seq=seq,
            sha256=sha256,
            last_at=kept_at,
            transaction_no=transaction_no,
            event_no=head.event_no + len(events),
            hold_no=head.hold_no + sum(change.before is None for change in changes),
        )
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
    append_rows(connection, posting.actor, rows, at=at, after=(head.seq, head.sha256))
