"""What a person has to look at: jumps of the clock, accounts over their limit, orphans, loads no snapshot shows yet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, insert, select, update

from gridmodel.errors import NotFoundError
from scheme.ledger import reader
from scheme.ledger.clock import from_text, to_text
from scheme.ledger.expiry import civil_day
from scheme.ledger.tables import ALARM, HOLD
from scheme.policy.parameter import PolicyView

CLOCK_FORWARD, CLOCK_BACKWARD = "clock_forward", "clock_backward"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One matter; ``alarm_no`` is ``None`` for one that settles itself when its cause goes."""

    kind: str
    """``clock_forward`` | ``clock_backward`` | ``overcommitted`` | ``orphan`` | ``energised_too_long``."""
    at: datetime
    content: Mapping[str, str | int | None]
    alarm_no: int | None = None


def raise_alarm(connection: Connection, kind: str, at: datetime, content: Mapping[str, str | int | None]) -> None:
    """Keep an alarm, unless one of its kind is open already."""
    if not any(alarm.kind == kind for alarm in open_alarms(connection)):
        text = json.dumps(dict(content), ensure_ascii=False, sort_keys=True)
        connection.execute(insert(ALARM).values(at=to_text(at), kind=kind, content=text))


def open_alarms(connection: Connection) -> list[Alarm]:
    """Return the kept alarms nobody has settled."""
    rows = connection.execute(select(ALARM).where(ALARM.c.settled_at.is_(None)).order_by(ALARM.c.alarm_no))
    return [
        Alarm(kind=row.kind, at=from_text(row.at), content=json.loads(row.content), alarm_no=row.alarm_no)
        for row in rows
    ]


def settle(connection: Connection, alarm_no: int, *, by: str, at: datetime) -> None:
    """Note that a person has looked at an alarm.

    Raises:
        NotFoundError: No such open alarm.
    """
    statement = update(ALARM).where(ALARM.c.alarm_no == alarm_no, ALARM.c.settled_at.is_(None))
    if connection.execute(statement.values(settled_at=to_text(at), settled_by=by)).rowcount != 1:
        raise NotFoundError("no such open alarm", alarm_no=alarm_no)


def find_alarms(connection: Connection, policy: PolicyView, at: datetime) -> list[Alarm]:
    """Return every matter as it stands: the kept alarms, and what the ledger itself shows.

    Args:
        connection: In a transaction.
        policy: Reads ``holds.energised_days_max``.
        at: Ledger time.
    """
    found = open_alarms(connection)
    for balance in reader.find_overcommitted(connection):
        account: dict[str, str | int | None] = {"account_id": balance.account.account_id, "open_va": balance.open_va}
        found.append(Alarm(kind="overcommitted", at=at, content=account))
    for hold in reader.list_live(connection):
        for source in hold.sources:
            if source.is_orphan:
                place: dict[str, str | int | None] = {
                    "hold_id": hold.hold_id,
                    "source_no": source.source_no,
                    "node": source.node_element_id,
                }
                found.append(Alarm(kind="orphan", at=at, content=place))
    for hold in reader.find_holds(connection, HOLD.c.state == "energised"):
        if hold.changed_at is not None and is_overdue(civil_day(hold.changed_at), civil_day(at), policy):
            since = {"hold_id": hold.hold_id, "energised_on": civil_day(hold.changed_at).isoformat()}
            found.append(Alarm(kind="energised_too_long", at=at, content=since))
    return found


def is_overdue(energised_on: date, today: date, policy: PolicyView) -> bool:
    """Return whether a snapshot should show a load by now (reads ``holds.energised_days_max``)."""
    return not policy.get("holds.energised_days_max").allows((today - energised_on).days)
