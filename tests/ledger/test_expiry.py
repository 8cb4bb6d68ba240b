"""Tables worked out by hand: months, month ends, the last second of the last day, jumps of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from scheme.ledger import ClockJumpError, HoldStateError
from scheme.ledger.alarms import find_alarms, open_alarms
from scheme.ledger.expiry import civil_day, expires_on, is_over
from scheme.ledger.sweeper import confirm_clock
from scheme.policy.loader import load_policy
from tests.ledger.cases import ENGINEER, SWEEPER, Clock, accounts, activate, open_ledger, reserve, used_kva, wanted
from tests.ledger.machine import unhurried

BEIJING = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    ("answered", "is_low_voltage", "last"),
    [
        (date(2026, 11, 30), True, date(2027, 2, 28)),
        (date(2027, 11, 30), True, date(2028, 2, 29)),
        (date(2026, 1, 31), True, date(2026, 4, 30)),  # 90 days would be 1 May
        (date(2026, 12, 31), True, date(2027, 3, 31)),
        (date(2026, 10, 1), True, date(2027, 1, 1)),
        (date(2026, 11, 23), True, date(2027, 2, 23)),
        (date(2028, 2, 29), False, date(2029, 2, 28)),
        (date(2027, 2, 28), False, date(2028, 2, 28)),  # not the 29th: the same day of the month exists
        (date(2026, 11, 30), False, date(2027, 11, 30)),
    ],
)
def test_low_voltage_is_valid_for_three_calendar_months_and_10_kv_for_a_year(
    answered: date, is_low_voltage: bool, last: date
) -> None:
    assert expires_on(answered, load_policy("shenqiu-2022", answered), is_low_voltage=is_low_voltage) == last


def test_days_are_days_of_beijing() -> None:
    last_second = datetime(2027, 2, 28, 15, 59, 59, 999_999, tzinfo=UTC)
    assert civil_day(last_second) == date(2027, 2, 28)
    assert civil_day(last_second + timedelta(microseconds=1)) == date(2027, 3, 1)
    assert not is_over(date(2027, 2, 28), last_second)
    assert is_over(date(2027, 2, 28), last_second + timedelta(microseconds=1))
    with pytest.raises(ValueError, match="zone"):
        civil_day(datetime(2027, 2, 28))


@pytest.mark.parametrize("step", ["commit", "energise"])
def test_a_hold_can_be_bound_in_the_last_second_of_its_last_day_and_not_after(store_url: str, step: str) -> None:
    clock = Clock(datetime(2026, 11, 30, 9, 0, tzinfo=BEIJING))
    ledger = open_ledger(store_url, clock=clock)
    first, second = (reserve(ledger, wanted("N1", 10, expires_on=date(2027, 2, 28))) for _ in range(2))
    clock.at = datetime(2027, 2, 28, 23, 59, 59, tzinfo=BEIJING)
    bound = getattr(ledger, step)(first.hold_id, actor=ENGINEER)
    assert bound.state in {"committed", "energised"}
    clock.at = datetime(2027, 3, 1, 0, 0, 0, tzinfo=BEIJING)
    with pytest.raises(HoldStateError):
        getattr(ledger, step)(second.hold_id, actor=ENGINEER)
    assert ledger.find_hold(second.hold_id).state == "held", "dead for confirmation, though nobody has swept"
    assert used_kva(ledger)["transformer:T1"] == 20.0


def test_a_hold_expires_after_the_end_of_its_last_day_and_not_before(store_url: str) -> None:
    clock = Clock(datetime(2027, 2, 28, 23, 59, 59, tzinfo=BEIJING))
    ledger = open_ledger(store_url, clock=clock)
    hold = reserve(ledger, wanted("N1", 10, expires_on=date(2027, 2, 28)))
    assert ledger.sweep(actor=SWEEPER) == []
    with pytest.raises(HoldStateError):
        ledger.expire(hold.hold_id, actor=SWEEPER)
    clock.at = datetime(2027, 3, 1, 0, 0, 0, tzinfo=BEIJING)
    assert [expired.hold_id for expired in ledger.sweep(actor=SWEEPER)] == [hold.hold_id]
    assert used_kva(ledger) == {}
    assert ledger.sweep(actor=SWEEPER) == []


def test_an_answer_past_its_own_last_day_is_not_given(sqlite_url: str) -> None:
    ledger = open_ledger(sqlite_url, clock=Clock(datetime(2027, 3, 1, 0, 0, tzinfo=BEIJING)))
    with pytest.raises(HoldStateError, match="has ended"):
        reserve(ledger, wanted("N1", 10, expires_on=date(2027, 2, 28)))


def test_what_is_committed_does_not_expire(sqlite_url: str) -> None:
    clock = Clock()
    ledger = open_ledger(sqlite_url, clock=clock)
    ledger.commit(reserve(ledger, wanted("N1", 10, expires_on=date(2026, 11, 23))).hold_id, actor=ENGINEER)
    clock.go(timedelta(days=800))
    assert ledger.sweep(actor=SWEEPER) == []
    assert used_kva(ledger)["transformer:T1"] == 10.0


@pytest.mark.parametrize(
    "jump", [timedelta(hours=1, seconds=1), timedelta(days=1), timedelta(days=400)], ids=["1 h 1 s", "1 d", "400 d"]
)
def test_a_jump_ahead_stops_the_sweeper_until_a_person_has_looked(sqlite_url: str, jump: timedelta) -> None:
    clock = Clock()
    ledger = open_ledger(sqlite_url, clock=clock)
    hold = reserve(ledger, wanted("N1", 10, expires_on=date(2026, 11, 23)))
    ledger.sweep(actor=SWEEPER)
    start = clock.at
    clock.go(jump)
    for _ in range(2):
        with pytest.raises(ClockJumpError):
            ledger.sweep(actor=SWEEPER)
    assert ledger.find_hold(hold.hold_id).state == "held"
    clock.at = start + timedelta(minutes=5)
    with pytest.raises(ClockJumpError):  # the clock came back, but nobody has looked
        ledger.sweep(actor=SWEEPER)
    with ledger.store.read() as connection:
        assert [alarm.kind for alarm in open_alarms(connection)] == ["clock_forward"]
    confirm_clock(ledger, by="zhao")
    assert ledger.sweep(actor=SWEEPER) == []
    with ledger.store.read() as connection:
        assert open_alarms(connection) == []


def test_after_a_person_confirmed_the_clock_what_is_due_expires(sqlite_url: str) -> None:
    clock = Clock()
    ledger = open_ledger(sqlite_url, clock=clock)
    hold = reserve(ledger, wanted("N1", 10, expires_on=date(2026, 11, 23)))
    ledger.sweep(actor=SWEEPER)
    clock.go(timedelta(days=2))  # the service was switched off over the weekend
    with pytest.raises(ClockJumpError):
        ledger.sweep(actor=SWEEPER)
    confirm_clock(ledger, by="zhao")
    assert [expired.hold_id for expired in ledger.sweep(actor=SWEEPER)] == [hold.hold_id]


@pytest.mark.parametrize(
    ("back", "alarms"),
    [
        (timedelta(seconds=1), []),
        (timedelta(seconds=5), []),
        (timedelta(seconds=5, milliseconds=1), ["clock_backward"]),
        (timedelta(days=10), ["clock_backward"]),
    ],
    ids=["1 s", "5 s", "5.001 s", "10 d"],
)
def test_a_clock_that_goes_back_raises_an_alarm_and_freezes_nothing(
    sqlite_url: str, back: timedelta, alarms: list[str]
) -> None:
    clock = Clock()
    ledger = open_ledger(sqlite_url, clock=clock)
    reserve(ledger, wanted("N1", 10))
    last_at = ledger.time()
    clock.go(-back)
    for _ in range(2):
        ledger.sweep(actor=SWEEPER)
    with ledger.store.read() as connection:
        assert [alarm.kind for alarm in open_alarms(connection)] == alarms
    second = reserve(ledger, wanted("N1", 10))
    assert second.created_at == last_at, "ledger time never goes back"


def test_expiry_counts_in_ledger_time_though_the_clock_went_back(sqlite_url: str) -> None:
    clock = Clock(datetime(2027, 3, 1, 8, 0, tzinfo=BEIJING))
    ledger = open_ledger(sqlite_url, clock=clock)
    clock.at = datetime(2027, 2, 28, 12, 0, tzinfo=BEIJING)
    with pytest.raises(HoldStateError, match="has ended"):
        reserve(ledger, wanted("N1", 10, expires_on=date(2027, 2, 28)))


def test_fifteen_months_of_holds_each_expire_on_the_day_after_their_last(sqlite_url: str) -> None:
    """One answer a week, low voltage and 10 kV in turn, over two ends of February, a leap day and a New Year."""
    clock = Clock(datetime(2027, 11, 29, 9, 0, tzinfo=BEIJING))
    ledger = open_ledger(sqlite_url, clock=clock)
    last_days: dict[str, date] = {}
    expired_on: dict[str, date] = {}
    for day in range(460):
        clock.at = datetime(2027, 11, 29, 0, 0, 0, tzinfo=BEIJING) + timedelta(days=day)
        for hold in ledger.sweep(actor=SWEEPER, clock_limits=unhurried()):
            expired_on[hold.hold_id] = civil_day(clock.at)
        if day % 7 == 0 and day < 90:
            answered = civil_day(clock.at)
            last = expires_on(answered, load_policy("shenqiu-2022", answered), is_low_voltage=day % 2 == 0)
            last_days[reserve(ledger, wanted("N1", 1, expires_on=last)).hold_id] = last
    assert date(2028, 2, 29) in last_days.values()
    assert expired_on == {hold_id: last + timedelta(days=1) for hold_id, last in last_days.items()}
    assert used_kva(ledger) == {}


def test_alarms_tell_what_a_person_has_to_look_at(sqlite_url: str) -> None:
    clock = Clock()
    ledger = open_ledger(sqlite_url, clock=clock)
    policy = load_policy("shenqiu-2022", date(2026, 11, 23))
    connected = ledger.energise(reserve(ledger, wanted("N1", 100)).hold_id, actor=ENGINEER)
    lost = reserve(ledger, wanted("N3", 50))
    activate(ledger, accounts({"feeder:F1": 60}))
    with ledger.store.write() as connection:
        ledger.remap(connection, {(lost.hold_id, 1): None}, ENGINEER)
    clock.go(timedelta(days=41))
    with ledger.store.read() as connection:
        found = find_alarms(connection, policy, ledger.time_in(connection))
    assert [(alarm.kind, dict(alarm.content)) for alarm in found] == [
        ("overcommitted", {"account_id": "feeder:F1", "open_va": -40_000}),
        ("orphan", {"hold_id": lost.hold_id, "source_no": 1, "node": "N3"}),
        ("energised_too_long", {"hold_id": connected.hold_id, "energised_on": "2026-11-23"}),
    ]
