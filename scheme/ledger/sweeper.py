"""The sweeper (到期清理): gives back what is held past its last valid day, unless the clock cannot be trusted.

A hold past its last day is dead for confirmation whether or not this ran; only this gives its capacity back. A wrong
expiry harms a customer and cannot be undone, so a clock that jumped ahead stops it until a person has looked.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, and_, select

from scheme.ledger.alarms import CLOCK_BACKWARD, CLOCK_FORWARD, open_alarms, raise_alarm, settle
from scheme.ledger.clock import ClockLimits, find_jump, from_text, to_text
from scheme.ledger.errors import ClockJumpError, HoldStateError
from scheme.ledger.expiry import civil_day
from scheme.ledger.heads import ENTRY_CHAIN, insert_if_absent, read_head
from scheme.ledger.records import Actor, Hold
from scheme.ledger.tables import HEARTBEAT, HOLD

if TYPE_CHECKING:
    from scheme.ledger.ledger import Ledger


def sweep(ledger: Ledger, *, actor: Actor, clock_limits: ClockLimits) -> list[Hold]:
    """Look at the clock, then expire every hold whose last valid day has ended, each in a transaction of its own.

    Raises:
        ClockJumpError: The clock jumped forward, now or earlier, and nobody has settled the alarm.
    """
    with ledger.store.write() as connection:
        is_stopped = _beat(connection, ledger.clock(connection), clock_limits)
    if is_stopped:
        raise ClockJumpError("the clock jumped ahead; nothing expires until a person has confirmed it")
    with ledger.store.read() as connection:
        today = civil_day(ledger.time_in(connection)).isoformat()
        due = select(HOLD.c.hold_id).where(and_(HOLD.c.state == "held", HOLD.c.expires_on < today))
        hold_ids = [row.hold_id for row in connection.execute(due.order_by(HOLD.c.hold_no))]
    expired = []
    for hold_id in hold_ids:
        try:
            expired.append(ledger.expire(hold_id, actor=actor))
        except HoldStateError:  # it was withdrawn or superseded meanwhile
            continue
    return expired


def confirm_clock(ledger: Ledger, *, by: str) -> None:
    """Settle every alarm about the clock: a person has looked, and the time is right from here on."""
    with ledger.store.write() as connection:
        clock = ledger.clock(connection)
        for alarm in open_alarms(connection):
            if alarm.kind in {CLOCK_FORWARD, CLOCK_BACKWARD} and alarm.alarm_no is not None:
                settle(connection, alarm.alarm_no, by=by, at=clock)
        _keep_heartbeat(connection, clock)


def _beat(connection: Connection, clock: datetime, limits: ClockLimits) -> bool:
    """Compare the clock with the last heartbeat and return whether sweeping is stopped."""
    kept = connection.execute(select(HEARTBEAT.c.at)).scalar_one_or_none()
    last_at = read_head(connection, ENTRY_CHAIN).last_at
    jump = find_jump(
        clock,
        heartbeat_at=None if kept is None else from_text(kept),
        last_at=from_text(last_at) if last_at else None,
        limits=limits,
    )
    content = {"clock": to_text(clock), "heartbeat_at": kept, "last_entry_at": last_at}
    if jump == "forward":
        raise_alarm(connection, CLOCK_FORWARD, clock, content)
    elif jump == "backward":
        raise_alarm(connection, CLOCK_BACKWARD, clock, content)
    is_stopped = any(alarm.kind == CLOCK_FORWARD for alarm in open_alarms(connection))
    if not is_stopped and (kept is None or to_text(clock) > kept):
        _keep_heartbeat(connection, clock)
    return is_stopped


def _keep_heartbeat(connection: Connection, clock: datetime) -> None:
    connection.execute(insert_if_absent(connection.dialect.name, HEARTBEAT).values(only_row=1, at=to_text(clock)))
    connection.execute(HEARTBEAT.update().values(at=to_text(clock)))
