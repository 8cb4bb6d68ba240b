"""Activity network (网络计划) on the legal calendar: earliest days, slack, and the chain that sets the end.

A duration nobody gave stays open: whatever follows has no date, and the answer is how long the chain still is once the
open activity is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from gridmodel.errors import InputError
from scheme.workdays import add_workdays, count_workdays, is_published, is_workday

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One piece of work; ``duration`` counts in ``unit``, ``None`` where nobody gave it."""

    code: str
    duration: int | None
    unit: Literal["workday", "day"] = "workday"
    predecessors: tuple[str, ...] = ()
    not_before: date | None = None
    """It does not end before this day."""
    window_anchor: date | None = None
    """With it the duration is the length of a cycle, and the activity ends on the next day a whole number of cycles
    away from this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """An activity with its dates; ``None`` where they depend on an open duration."""

    activity: Activity
    starts_on: date | None
    ends_on: date | None
    slack_workdays: int | None
    """Working days it may end later without moving the end of all."""
    is_provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The whole plan."""

    activities: tuple[Scheduled, ...]
    ends_on: date | None
    critical_path: tuple[str, ...]
    """The chain that sets the end, first activity first; it starts at an open activity where there is one."""
    waits_for: tuple[str, ...]
    """Open activities after which none is open; with one of them there is no end."""
    tail_workdays: int
    """Working days from the end of the open activity to the end of all, on the longest chain."""
    tail_days: int
    """Calendar days on the same chain."""


def solve(
    activities: Sequence[Activity], start: date, *, start_is_day_zero: bool = True, days_roll: bool = True
) -> Network:
    """Return earliest dates, slack and critical path.

    Args:
        activities: Predecessors before successors.
        start: Day on which all without predecessors may start.
        start_is_day_zero: Counting of working days starts after ``start``; otherwise ``start`` counts.
        days_roll: A limit in calendar days that ends on a day off ends on the next working day.

    Raises:
        InputError: A date would lie after the year 9999.
    """
    calendar = _Calendar(start=start, start_is_day_zero=start_is_day_zero, days_roll=days_roll)
    forward = _forward(activities, calendar)
    waits_for = _last_open(activities)
    if waits_for:
        chain, tail_workdays, tail_days = _open_chain(activities, waits_for)
        scheduled = tuple(forward[a.code].as_scheduled(a, slack_workdays=None) for a in activities)
        return Network(
            activities=scheduled,
            ends_on=None,
            critical_path=chain,
            waits_for=waits_for,
            tail_workdays=tail_workdays,
            tail_days=tail_days,
        )
    ends_on = max((span.end for span in forward.values() if span.end is not None), default=start)
    latest = _latest_ends(activities, forward, ends_on, calendar)
    return Network(
        activities=tuple(
            forward[a.code].as_scheduled(a, slack_workdays=count_workdays(_known(forward[a.code].end), latest[a.code]))
            for a in activities
        ),
        ends_on=ends_on,
        critical_path=_driving_chain(activities, forward, ends_on),
        waits_for=(),
        tail_workdays=0,
        tail_days=0,
    )


@dataclass(frozen=True, slots=True)
class _Span:
    start: date | None
    end: date | None
    is_provisional: bool
    is_counting: bool
    """Whether a working day has been counted on the way: the first day counts once."""

    def as_scheduled(self, activity: Activity, *, slack_workdays: int | None) -> Scheduled:
        return Scheduled(
            activity=activity,
            starts_on=self.start,
            ends_on=self.end,
            slack_workdays=slack_workdays,
            is_provisional=self.is_provisional,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Calendar:
    start: date
    start_is_day_zero: bool
    days_roll: bool

    def end(self, activity: Activity, start: date, *, counts_start: bool) -> tuple[date, bool]:
        """Return the last day of an activity with a duration, and whether it is provisional."""
        assert activity.duration is not None
        if activity.window_anchor is not None and activity.duration > 0:
            wait_days = (activity.window_anchor - start).days % activity.duration
            end, is_provisional = _plus_days(start, wait_days), False
        elif activity.unit == "workday":
            end, is_provisional = add_workdays(start, activity.duration, start_is_day_zero=not counts_start)
        else:
            end, is_provisional = self._after_days(start, activity.duration)
        if activity.not_before is not None and activity.not_before > end:
            return activity.not_before, is_provisional
        return end, is_provisional

    def _after_days(self, start: date, days: int) -> tuple[date, bool]:
        end = _plus_days(start, days)
        if days == 0 or not self.days_roll:
            return end, False
        is_provisional = not is_published(end)
        while not is_workday(end):
            end = _plus_days(end, 1)
            is_provisional = is_provisional or not is_published(end)
        return end, is_provisional


def _plus_days(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError as error:
        raise InputError("date is too late to count from", field="received_on", value=day) from error


def _forward(activities: Sequence[Activity], calendar: _Calendar) -> dict[str, _Span]:
    spans: dict[str, _Span] = {}
    for activity in activities:
        before = [spans[code] for code in activity.predecessors]
        ends = [span.end for span in before]
        if any(end is None for end in ends):
            spans[activity.code] = _Span(None, None, False, True)
            continue
        start = max((end for end in ends if end is not None), default=calendar.start)
        is_provisional = any(span.is_provisional for span in before)
        is_counting = any(span.is_counting for span in before if span.end == start)
        if activity.duration is None:
            spans[activity.code] = _Span(start, None, is_provisional, True)
            continue
        counts_start = not (calendar.start_is_day_zero or is_counting) and start == calendar.start
        end, is_own = calendar.end(activity, start, counts_start=counts_start)
        spans[activity.code] = _Span(start, end, is_provisional or is_own, is_counting or activity.duration > 0)
    return spans


def _known(day: date | None) -> date:
    assert day is not None
    return day


def _successors(activities: Sequence[Activity]) -> Mapping[str, tuple[Activity, ...]]:
    return {a.code: tuple(b for b in activities if a.code in b.predecessors) for a in activities}


def _latest_ends(
    activities: Sequence[Activity], forward: Mapping[str, _Span], ends_on: date, calendar: _Calendar
) -> dict[str, date]:
    """Return the last day each activity may end on so that ``ends_on`` is kept."""
    latest: dict[str, date] = {}
    successors = _successors(activities)
    for activity in reversed(activities):
        latest[activity.code] = min(
            (
                _latest_start(after, forward[after.code], latest[after.code], calendar)
                for after in successors[activity.code]
            ),
            default=ends_on,
        )
    return latest


def _latest_start(activity: Activity, span: _Span, latest_end: date, calendar: _Calendar) -> date:
    assert span.start is not None
    day = latest_end
    while day > span.start and calendar.end(activity, day, counts_start=False)[0] > latest_end:
        day -= _ONE_DAY
    return day


def _driving_chain(activities: Sequence[Activity], forward: Mapping[str, _Span], ends_on: date) -> tuple[str, ...]:
    """Return the chain back from the last activity; of predecessors that end on the same day the first is taken.

    A day somebody named starts a chain of its own: what comes before it does not set it.
    """
    by_code = {activity.code: activity for activity in activities}
    last = [activity for activity in activities if forward[activity.code].end == ends_on]
    chain: list[str] = []
    following = last[-1] if last else None
    while following is not None:
        chain.insert(0, following.code)
        span = forward[following.code]
        is_named = following.not_before is not None and span.end == following.not_before and span.start != span.end
        drivers = [code for code in following.predecessors if forward[code].end == span.start and not is_named]
        following = by_code[drivers[0]] if drivers else None
    return tuple(chain)


def _last_open(activities: Sequence[Activity]) -> tuple[str, ...]:
    successors = _successors(activities)
    leads_to_open: dict[str, bool] = {}
    for activity in reversed(activities):
        leads_to_open[activity.code] = any(
            after.duration is None or leads_to_open[after.code] for after in successors[activity.code]
        )
    return tuple(a.code for a in activities if a.duration is None and not leads_to_open[a.code])


def _open_chain(activities: Sequence[Activity], waits_for: Sequence[str]) -> tuple[tuple[str, ...], int, int]:
    """Return the longest chain from the end of an open activity on, and its working and calendar days."""
    successors = _successors(activities)

    def chains(code: str) -> Iterator[tuple[Activity, ...]]:
        if not successors[code]:
            yield ()
        for after in successors[code]:
            yield from ((after, *rest) for rest in chains(after.code))

    def lengths(chain: Sequence[Activity]) -> tuple[int, int]:
        workdays = sum(a.duration or 0 for a in chain if a.unit == "workday")
        return workdays, sum(a.duration or 0 for a in chain if a.unit == "day")

    found = [(code, chain) for code in waits_for for chain in chains(code)]
    code, chain = max(found, key=lambda item: lengths(item[1]))
    workdays, days = lengths(chain)
    return (code, *(activity.code for activity in chain)), workdays, days
