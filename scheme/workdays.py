"""Working days (工作日) by the legal calendar with its shifted days (调休).

The calendar of a year is published late in the year before. Beyond what is published a day counts as working from
Monday to Friday and the result is marked provisional. So is the last week of the last published year: the New Year
holiday of the next one may still turn a day of it into a make-up working day.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from gridmodel.errors import InputError

_ONE_DAY = timedelta(days=1)
_LAST_SETTLED_MONTH_DAY = (12, 24)


def add_workdays(start: date, workdays: int, *, start_is_day_zero: bool = True) -> tuple[date, bool]:
    """Return the last day of a limit of ``workdays`` and whether it is provisional.

    Args:
        start: Day of acceptance. With a limit of 0 it is the answer itself (the same day).
        workdays: Length of the limit (working days).
        start_is_day_zero: Counting starts on the working day after ``start``; otherwise ``start`` counts, if it is one.

    Raises:
        ValueError: ``workdays`` is negative.
        InputError: The limit would end after the year 9999.
    """
    if workdays < 0:
        raise ValueError("workdays must be >= 0")
    day, counted, is_provisional = start, 0, False
    if not start_is_day_zero and workdays > 0:
        counted, is_provisional = int(is_workday(start)), not is_published(start)
    while counted < workdays:
        if day == date.max:
            raise InputError("date is too late to count from", field="received_on", value=start)
        day += _ONE_DAY
        is_provisional = is_provisional or not is_published(day)
        counted += is_workday(day)
    return day, is_provisional


def count_workdays(after: date, until: date) -> int:
    """Return how many working days lie after ``after`` up to and including ``until``; 0 where it is not later."""
    if until <= after:
        return 0
    weeks, rest = divmod((until - after).days, 7)
    counted = 5 * weeks + sum((after + timedelta(days=n)).weekday() < 5 for n in range(1, rest + 1))
    constants = _calendar()
    off = sum(after < day <= until and day.weekday() < 5 for day in constants.holidays)
    made_up = sum(after < day <= until and day.weekday() >= 5 for day in constants.workdays)
    return counted - int(off) + int(made_up)


def is_workday(day: date) -> bool:
    """Return whether ``day`` is a working day; Monday to Friday where the calendar is not published."""
    constants = _calendar()
    if day.year not in published_years():
        return day.weekday() < 5
    return day in constants.workdays or (day.weekday() < 5 and day not in constants.holidays)


def is_published(day: date) -> bool:
    """Return whether the legal calendar settles ``day``."""
    years = published_years()
    return day.year in years and (day.year < years[-1] or (day.month, day.day) <= _LAST_SETTLED_MONTH_DAY)


@lru_cache(maxsize=1)
def published_years() -> range:
    """Return the years the installed calendar covers."""
    years = [day.year for day in _calendar().holidays]
    return range(min(years), max(years) + 1)


@lru_cache(maxsize=1)
def _calendar() -> Any:
    from chinese_calendar import constants

    return constants
