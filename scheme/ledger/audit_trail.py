"""The audit trail (审计记录): who changed what, in which role, why; hash-chained, one row per state change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from scheme.ledger.chain import link
from scheme.ledger.clock import database_time, ledger_time, to_text
from scheme.ledger.heads import AUDIT_CHAIN, lock_heads
from scheme.ledger.records import Actor
from scheme.ledger.statements import INSERT_AUDIT, MOVE_AUDIT_HEAD
from scheme.ledger.tables import AUDIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One state change."""

    action: str
    object_id: str
    reason: str = ""
    before_sha256: str | None = None
    after_sha256: str | None = None


def append(
    connection: Connection,
    actor: Actor,
    action: str,
    object_id: str,
    reason: str = "",
    before_sha256: str | None = None,
    after_sha256: str | None = None,
) -> None:
    """Append one row in the caller's transaction.

    Args:
        connection: In a write transaction.
        actor: Who did it.
        action: What was done, ``part.verb`` (``key.revoke``).
        object_id: To what.
        reason: Why, where somebody said so.
        before_sha256: Digest of the object before; ``None`` where there was none.
        after_sha256: And after; ``None`` where there is none any more.
    """
    clock = database_time(connection)
    head = lock_heads(connection, AUDIT_CHAIN)[AUDIT_CHAIN]
    change = Change(
        action=action, object_id=object_id, reason=reason, before_sha256=before_sha256, after_sha256=after_sha256
    )
    append_rows(connection, actor, [change], at=ledger_time(clock, head.last_at), after=(head.seq, head.sha256))


def append_rows(
    connection: Connection, actor: Actor, changes: Sequence[Change], *, at: datetime, after: tuple[int, str]
) -> None:
    """Append rows after a head that is locked; ``after`` is its number and digest."""
    if not changes:
        return
    seq, sha256 = after
    rows = []
    for change in changes:
        seq += 1
        row = {"seq": seq, "at": to_text(at), **asdict(actor), **asdict(change)}
        sha256 = link(sha256, row)
        rows.append({**row, "sha256": sha256})
    connection.execute(INSERT_AUDIT, rows)
    new_head = {"of_chain": AUDIT_CHAIN, "new_seq": seq, "new_sha256": sha256, "new_last_at": to_text(at)}
    connection.execute(MOVE_AUDIT_HEAD, new_head)


def read_rows(connection: Connection, object_id: str) -> list[dict[str, object]]:
    """Return the rows about one object, oldest first."""
    found = connection.execute(select(AUDIT).where(AUDIT.c.object_id == object_id).order_by(AUDIT.c.seq))
    return [dict(row._mapping) for row in found]
