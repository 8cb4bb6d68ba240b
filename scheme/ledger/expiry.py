"""When a hold ends: calendar months, counted in days of Asia/Shanghai, the last day inclusive; no database here."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from scheme.policy.parameter import PolicyView
from scheme.rules.validity import compute_validity

CIVIL_ZONE = ZoneInfo("Asia/Shanghai")
"""Days of notices and of validity are days of Beijing time, wherever the server stands."""


def expires_on(answered_on: date, policy: PolicyView, *, is_low_voltage: bool) -> date:
    """Return the last valid day, inclusive, of a scheme answered on a day (供电方案有效期).

    Args:
        answered_on: Day of the notice.
        policy: Reads ``validity.lv_months`` or ``validity.hv_months``.
        is_low_voltage: Connected at 220 or 380 V.
    """
    return date.fromisoformat(compute_validity(answered_on, policy, is_low_voltage=is_low_voltage).to_on)


def civil_day(moment: datetime) -> date:
    """Return the day of Asia/Shanghai an instant lies in.

    Raises:
        ValueError: The instant does not say its zone.
    """
    if moment.tzinfo is None:
        raise ValueError("an instant without a zone names no day")
    return moment.astimezone(CIVIL_ZONE).date()


def is_over(last_day: date, moment: datetime) -> bool:
    """Return whether the last valid day has ended at an instant."""
    return civil_day(moment) > last_day
