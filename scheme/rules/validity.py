"""Validity of a scheme (供电方案有效期) in calendar months."""

from __future__ import annotations

import calendar
from datetime import MAXYEAR, date

from gridmodel.errors import InputError
from scheme.model import Validity
from scheme.policy.parameter import PolicyView


def compute_validity(notice_on: date, policy: PolicyView, *, is_low_voltage: bool) -> Validity:
    """Return first and last day, both inclusive.

    The day of the notice is not counted; the last day is the same day of the month, or the month's last where it has
    none (民法典 第二百零一条、第二百零二条).

    Args:
        notice_on: Day of the formal notice.
        policy: Reads ``validity.*``.
        is_low_voltage: Connected at 220 or 380 V.
    """
    months = count_validity_months(policy, is_low_voltage=is_low_voltage)
    return Validity(from_on=notice_on.isoformat(), to_on=add_months(notice_on, months).isoformat())


def count_validity_months(policy: PolicyView, *, is_low_voltage: bool) -> int:
    """Return for how many months a scheme is valid.

    Args:
        policy: Reads ``validity.*``.
        is_low_voltage: Connected at 220 or 380 V.
    """
    return policy.count("validity.lv_months" if is_low_voltage else "validity.hv_months")


def add_months(day: date, months: int) -> date:
    """Return the same day ``months`` later, the last of the month where it does not exist.

    Raises:
        InputError: It would lie after the year 9999.
    """
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > MAXYEAR:
        raise InputError("date is too late to count from", field="as_of", value=day)
    return date(year, month0 + 1, min(day.day, calendar.monthrange(year, month0 + 1)[1]))
