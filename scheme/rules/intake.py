"""What must happen after an application or a reservation arrives (受理), and by when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

from scheme.policy.parameter import PolicyView

Channel = Literal["telephone", "online", "counter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeDuty:
    """One duty of the utility; ``due_at`` is ``None`` where the profile gives no time."""

    action: str
    due_at: str | None
    """Local date and time, ISO."""
    is_round_the_clock: bool
    """The channel is open at every hour of every day."""


def plan_intake(channel: Channel, received_at: datetime, policy: PolicyView) -> IntakeDuty:
    """Return the duty that follows an application.

    Args:
        channel: How it arrived; a telephone call counts from its end.
        received_at: Local time.
        policy: Reads ``intake.*``.
    """
    is_open = policy.find("intake.telephone_is_round_the_clock") if channel == "telephone" else None
    due_at = _due_at(channel, received_at, policy)
    return IntakeDuty(
        action=policy.get("intake.texts").value[channel],
        due_at=None if due_at is None else due_at.isoformat(),
        is_round_the_clock=is_open is not None and bool(is_open.value),
    )


def _due_at(channel: Channel, received_at: datetime, policy: PolicyView) -> datetime | None:
    if channel == "telephone":
        minutes = policy.find("intake.telephone_dispatch_minutes_max")
        return None if minutes is None else received_at + timedelta(minutes=float(minutes.value))
    if channel == "online":
        hours = policy.find("intake.online_contact_hours_max")
        return None if hours is None else received_at + timedelta(hours=float(hours.value))
    days = policy.find("intake.counter_entry_days_max")
    if days is None:
        return None
    return datetime.combine(received_at.date() + timedelta(days=int(days.value)), time.max.replace(microsecond=0))
