"""Ledger time: the database's clock, but never earlier than the last entry; and what a jump of it means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, text

from scheme.policy.parameter import PolicyValue, PolicyView

_CLOCK = {
    "sqlite": text("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')"),
    "postgresql": text("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"),
}


def database_time(connection: Connection) -> datetime:
    """Return the database's time (aware, UTC)."""
    found = connection.execute(_CLOCK[connection.dialect.name]).scalar_one()
    return datetime.fromisoformat(found).replace(tzinfo=UTC)


def to_text(moment: datetime) -> str:
    """Return an instant as the tables keep it; such texts sort like the instants.

    Raises:
        ValueError: The instant does not say its zone.
    """
    if moment.tzinfo is None:
        raise ValueError("an instant without a zone cannot be kept")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def from_text(kept: str) -> datetime:
    """Return the instant :func:`to_text` kept."""
    return datetime.fromisoformat(kept)


def ledger_time(clock: datetime, last_at: str) -> datetime:
    """Return the later one of the clock and the last entry.

    Args:
        clock: What the database's clock says.
        last_at: Time of the last entry as kept; empty before the first.
    """
    return clock if not last_at else max(clock, from_text(last_at))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockLimits:
    """How far the clock may move before somebody is called."""

    forward: PolicyValue
    """Hours since the last heartbeat; beyond it nothing expires until a person says the clock is right."""
    backward: PolicyValue
    """Seconds behind the last heartbeat or entry; beyond it an alarm is raised."""

    @classmethod
    def read(cls, policy: PolicyView) -> ClockLimits:
        """Read ``holds.clock_forward_h_max`` and ``holds.clock_backward_s_max``."""
        return cls(forward=policy.get("holds.clock_forward_h_max"), backward=policy.get("holds.clock_backward_s_max"))


Jump = Literal["none", "forward", "backward"]


def find_jump(clock: datetime, *, heartbeat_at: datetime | None, last_at: datetime | None, limits: ClockLimits) -> Jump:
    """Return whether the clock jumped.

    Args:
        clock: What it says now.
        heartbeat_at: When it was looked at last; ``None`` before the first time.
        last_at: Time of the last entry; ``None`` before the first.
        limits: What is tolerated.
    """
    known = [moment for moment in (heartbeat_at, last_at) if moment is not None]
    if known and not limits.backward.allows((max(known) - clock) / timedelta(seconds=1)):
        return "backward"
    if heartbeat_at is not None and not limits.forward.allows((clock - heartbeat_at) / timedelta(hours=1)):
        return "forward"
    return "none"
