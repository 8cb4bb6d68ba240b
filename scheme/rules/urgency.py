"""How urgent a case of a list is (时限状态): by what is left of its time limit, in working days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from scheme.policy.parameter import PolicyView
from scheme.rules.alerts import WHOLE_PROCESS, Alert, find_alert
from scheme.workdays import count_workdays

Urgency = Literal["overdue", "due", "soon", "ok", "none"]
URGENCIES: tuple[Urgency, ...] = ("overdue", "due", "soon", "ok", "none")
"""From the most urgent on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """Where a case stands against its time limit."""

    urgency: Urgency
    """``overdue``: the last day is over; ``due``: no working day is left after today; ``soon``: warned of; ``none``: it
    has no limit."""
    left_workdays: int | None
    """Working days after today up to the last one; negative: working days since."""
    alert: Alert | None = None
    """Colour raised (预警, 告警), where the profile has colours and the utility supplied their thresholds."""


def judge_deadline(due_on: date | None, limit_workdays: int | None, today: date, policy: PolicyView) -> Deadline:
    """Return how urgent an open case is.

    Args:
        due_on: Last day of its limit; ``None``: it has none.
        limit_workdays: Length of the limit; ``None`` where it is not counted in working days.
        today: Day of the list.
        policy: Reads ``supervision.alert_levels``, ``supervision.alert_thresholds`` and, without those,
            ``supervision.queue_soon_elapsed_ratio_min``.
    """
    if due_on is None:
        return Deadline(urgency="none", left_workdays=None)
    left_workdays = -count_workdays(due_on, today) if due_on < today else count_workdays(today, due_on)
    alert, is_warned = None, False
    if limit_workdays is not None:
        elapsed_workdays = limit_workdays - left_workdays
        if policy.find("supervision.alert_thresholds") is not None:
            alert = find_alert(WHOLE_PROCESS, elapsed_workdays, limit_workdays, policy)
            is_warned = alert is not None
        elif limit_workdays > 0:
            share = policy.get("supervision.queue_soon_elapsed_ratio_min")
            is_warned = share.allows(elapsed_workdays / limit_workdays)
    if due_on < today:
        return Deadline(urgency="overdue", left_workdays=left_workdays, alert=alert)
    if left_workdays == 0:
        return Deadline(urgency="due", left_workdays=0, alert=alert)
    return Deadline(urgency="soon" if is_warned else "ok", left_workdays=left_workdays, alert=alert)
