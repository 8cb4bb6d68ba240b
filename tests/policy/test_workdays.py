"""Dates by hand from the published 2026 calendar.

Off: 1-3 January, 15-23 February, 1-5 May, 19-21 June, 1-7 October. Worked: 4 January, 14 and 28 February, 9 May,
20 September, 10 October.
"""

from __future__ import annotations

from datetime import date

import pytest

from gridmodel.errors import InputError
from scheme.rules.validity import add_months
from scheme.workdays import add_workdays, count_workdays, published_years


@pytest.mark.parametrize(
    ("start", "workdays", "end"),
    [
        ("2026-06-15", 0, "2026-06-15"),  # the same day
        ("2026-06-20", 0, "2026-06-20"),  # also on a Saturday
        ("2026-06-15", 1, "2026-06-16"),  # Monday to Tuesday
        ("2026-06-12", 1, "2026-06-15"),  # Friday to Monday
        ("2026-06-18", 1, "2026-06-22"),  # Thursday, Dragon Boat on Friday 19
        ("2026-02-13", 1, "2026-02-14"),  # Friday to the worked Saturday before Spring Festival
        ("2026-02-14", 1, "2026-02-24"),  # from the worked Saturday over nine days off
        ("2026-02-27", 1, "2026-02-28"),  # Friday to the worked Saturday after it
        ("2026-02-10", 10, "2026-03-02"),  # 11 12 13 14 | 24 25 26 27 28 | 2 March
        ("2026-09-18", 1, "2026-09-20"),  # Friday to the worked Sunday before National Day
        ("2026-09-30", 2, "2026-10-09"),  # 8, 9 October
        ("2026-09-30", 3, "2026-10-10"),  # and the worked Saturday
        ("2026-09-30", 4, "2026-10-12"),
        ("2026-04-30", 4, "2026-05-09"),  # 6 7 8 May, worked Saturday 9
        ("2025-12-31", 1, "2026-01-04"),  # worked Sunday after New Year
        ("2026-10-03", 1, "2026-10-08"),  # accepted on a holiday
    ],
)
def test_limit_ends_on_the_day_counted_by_hand(start: str, workdays: int, end: str) -> None:
    assert add_workdays(date.fromisoformat(start), workdays) == (date.fromisoformat(end), False)


def test_acceptance_may_count_as_the_first_day() -> None:
    monday, saturday = date(2026, 6, 15), date(2026, 6, 13)
    assert add_workdays(monday, 2, start_is_day_zero=False) == (date(2026, 6, 16), False)
    assert add_workdays(saturday, 1, start_is_day_zero=False) == (monday, False)
    assert add_workdays(monday, 0, start_is_day_zero=False) == (monday, False)


def test_unpublished_year_counts_monday_to_friday_and_is_provisional() -> None:
    # The calendar runs to 2026; a Friday in 2035 plus one is the Monday.
    assert add_workdays(date(2035, 6, 15), 1) == (date(2035, 6, 18), True)


def test_last_week_of_the_last_published_year_is_provisional() -> None:
    last = published_years()[-1]
    assert add_workdays(date(last, 12, 24), 1)[1]
    assert not add_workdays(date(last - 1, 12, 24), 1)[1]


@pytest.mark.parametrize(
    ("after", "until", "workdays"),
    [
        ("2026-02-13", "2026-02-13", 0),
        ("2026-02-13", "2026-02-12", 0),
        ("2026-02-13", "2026-02-24", 2),  # worked Saturday 14, Tuesday 24
        ("2026-06-22", "2026-09-30", 72),  # June 6, July 23, August 21, September 22 (25 off, Sunday 20 worked)
        ("2035-06-15", "2035-06-18", 1),  # no calendar: Monday to Friday
    ],
)
def test_working_days_between_two_days_are_counted_by_hand(after: str, until: str, workdays: int) -> None:
    assert count_workdays(date.fromisoformat(after), date.fromisoformat(until)) == workdays


@pytest.mark.parametrize("workdays", [1, 5, 16, 40, 250])
def test_counting_undoes_adding(workdays: int) -> None:
    for start in (date(2023, 1, 16), date(2024, 9, 29), date(2026, 2, 15), date(2026, 12, 28)):
        assert count_workdays(start, add_workdays(start, workdays)[0]) == workdays


def test_negative_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="workdays"):
        add_workdays(date(2026, 6, 15), -1)


def test_dates_beyond_the_calendar_are_bad_input() -> None:
    with pytest.raises(InputError, match="too late"):
        add_workdays(date(9999, 12, 30), 5)
    with pytest.raises(InputError, match="too late"):
        add_months(date(9999, 12, 1), 3)
