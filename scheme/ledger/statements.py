"""Statements of the write path, built once: making them anew takes longer than the database does."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, case, insert, or_, select, update

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

_account, _hold, _answer = ACCOUNT.c, HOLD.c, ANSWERED_REQUEST.c
_used_va = _account.held_va + _account.posted_va + bindparam("used_delta_va")

CHANGE_COUNTER = (
    update(ACCOUNT)
    .where(_account.account_id == bindparam("of_account"))
    .values(
        held_va=_account.held_va + bindparam("held_delta_va"),
        posted_va=_account.posted_va + bindparam("posted_delta_va"),
        version=_account.version + bindparam("version_step"),
        is_overcommitted=case((and_(_account.limit_va.is_not(None), _used_va > _account.limit_va), True), else_=False),
    )
    .returning(_account.version, _account.limit_va)
)
"""Changes one account whatever its limit: releases, and holds that a new network puts there."""

CHANGE_COUNTER_WITHIN_LIMIT = CHANGE_COUNTER.where(
    _account.is_current, or_(_account.limit_va.is_(None), _used_va <= _account.limit_va)
)
"""Touches the row only where the sum stays within the limit."""

LOCK_ACCOUNT = (
    select(_account.version, _account.limit_va).where(_account.account_id == bindparam("of_account")).with_for_update()
)
CHANGE_STATE = (
    update(HOLD)
    .where(
        _hold.hold_id == bindparam("of_hold"),
        _hold.state == bindparam("from_state"),
        _hold.expires_on >= bindparam("valid_on"),
        _hold.expires_on < bindparam("over_on"),
    )
    .values(state=bindparam("to_state"), changed_at=bindparam("at"))
)
"""``valid_on`` and ``over_on`` bound the last valid day; the least and the greatest text leave it open."""

INSERT_CERTIFICATE = insert(CERTIFICATE)
INSERT_HOLD = insert(HOLD)
INSERT_SOURCES = insert(HOLD_SOURCE)
INSERT_ENTRIES = insert(ENTRY)
INSERT_EVENTS = insert(EVENT)
INSERT_AUDIT = insert(AUDIT)
LOCK_HEADS = (
    select(CHAIN_HEAD)
    .where(CHAIN_HEAD.c.name.in_(bindparam("names", expanding=True)))
    .order_by(CHAIN_HEAD.c.name)
    .with_for_update()
)
READ_HEAD = select(CHAIN_HEAD).where(CHAIN_HEAD.c.name == bindparam("of_chain"))
MOVE_AUDIT_HEAD = (
    update(CHAIN_HEAD)
    .where(CHAIN_HEAD.c.name == bindparam("of_chain"))
    .values({name: bindparam(f"new_{name}") for name in ("seq", "sha256", "last_at")})
)
MOVE_ENTRY_HEAD = MOVE_AUDIT_HEAD.values(
    {name: bindparam(f"new_{name}") for name in ("transaction_no", "event_no", "hold_no")}
)
IS_CLAIM = and_(
    _answer.principal_id == bindparam("of_principal"),
    _answer.operation == bindparam("of_operation"),
    _answer.idempotency_key == bindparam("of_key"),
)
FIND_ANSWER = select(_answer.fingerprint, _answer.status, _answer.headers, _answer.body, _answer.object_id).where(
    IS_CLAIM
)
FILL_ANSWER = (
    update(ANSWERED_REQUEST)
    .where(IS_CLAIM, _answer.status.is_(None))
    .values({name: bindparam(f"new_{name}") for name in ("status", "headers", "body", "object_id", "answered_at")})
)
