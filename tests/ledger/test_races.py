"""Several at once: two ledgers on one store stand for two processes, each with threads of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations_with_replacement

import pytest

from gridmodel.errors import DomainError
from scheme.ledger import (
    Account,
    CapacityExhaustedError,
    Certificate,
    Hold,
    HoldStateError,
    Ledger,
    Pins,
    PinsMovedError,
    WantedHold,
)
from scheme.ledger.auditor import audit
from scheme.store import Database, StoreError
from tests.ledger.cases import (
    ENGINEER,
    KVA,
    SHA,
    SWEEPER,
    Clock,
    accounts,
    activate,
    certificate,
    open_ledger,
    reserve,
    used_kva,
    wanted,
)

LAST_DAY = date(2026, 11, 23)
BEFORE = datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)
AFTER = BEFORE + timedelta(seconds=1)
"""The last second of the last day in Beijing, and the first of the next."""
ROUNDS = 4
STEPS = ("commit", "expire", "withdraw", "supersede")


def uncertified(hold: WantedHold) -> Certificate:
    """A certificate that pins nothing, so that the counters alone decide."""
    pins = Pins(versions={})
    return Certificate(
        certificate_id=f"C-{hold.scheme_id}", snapshot_sha256=SHA, pins=pins, engine="test", content_json="{}"
    )


def take(ledger: Ledger, hold: WantedHold) -> Hold:
    return ledger.reserve(hold, certificate=uncertified(hold), actor=ENGINEER)


def insist(work: Callable[[], Hold]) -> Hold | DomainError:
    """Ask until the store answers, as a client with a key does; return what it says."""
    while True:
        try:
            return work()
        except StoreError:
            continue
        except (HoldStateError, CapacityExhaustedError, PinsMovedError) as error:
            return error


def at_once(work: Sequence[Callable[[], Hold]]) -> list[Hold | DomainError]:
    """Start all of it together and return what each heard."""
    barrier = threading.Barrier(len(work))

    def run(one: Callable[[], Hold]) -> Hold | DomainError:
        barrier.wait()
        return insist(one)

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))


def winners(heard: Sequence[Hold | DomainError]) -> list[Hold]:
    return [answer for answer in heard if isinstance(answer, Hold)]


def assert_sound(ledger: Ledger) -> None:
    with ledger.store.read() as connection:
        report = audit(connection)
    assert report.is_clean, [f.details for f in report.findings if f.verdict == "broken"]


def stepper(ledger: Ledger, step: str, hold: Hold, request: WantedHold) -> Callable[[], Hold]:
    """What one client does to the hold."""
    if step == "supersede":
        newer = wanted("N2", 1, request_id=request.request_id, supersedes=hold.hold_id)
        return lambda: take(ledger, newer)
    return lambda: getattr(ledger, step)(hold.hold_id, actor=SWEEPER if step == "expire" else ENGINEER)


@pytest.mark.parametrize("pair", list(combinations_with_replacement(STEPS, 2)), ids="-".join)
def test_exactly_one_of_two_steps_ends_a_hold(store_url: str, pair: tuple[str, str]) -> None:
    """Two servers whose clocks stand on both sides of midnight, so that binding and expiry are both possible."""
    early_clock, late_clock = Clock(BEFORE), Clock(AFTER)
    early = open_ledger(store_url, clock=early_clock)
    late = Ledger(Database(store_url), now=late_clock)
    ledgers = {"commit": early, "expire": late}
    for n in range(ROUNDS):
        today = LAST_DAY + timedelta(days=n)
        early_clock.at, late_clock.at = BEFORE + timedelta(days=n), AFTER + timedelta(days=n)
        request = wanted("N1", 1, expires_on=today)
        hold = reserve(early, request)
        heard = at_once([stepper(ledgers.get(step, early), step, hold, request) for step in pair * 4])
        assert len(winners(heard)) == 1
        assert sum(isinstance(answer, HoldStateError) for answer in heard) == len(heard) - 1
        assert early.find_hold(hold.hold_id).state != "held"
    assert_sound(early)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("pair", list(combinations_with_replacement(STEPS, 2)), ids="-".join)
def test_exactly_one_of_two_steps_ends_a_hold_in_a_thousand_rounds(
    store_url: str, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.ROUNDS", 1_000)
    test_exactly_one_of_two_steps_ends_a_hold(store_url, pair)


@pytest.mark.parametrize("room_kva", [10, 19])
def test_the_last_kva_is_given_to_exactly_one(store_url: str, room_kva: int) -> None:
    ledger = open_ledger(store_url, limits_kva={"substation:S1": room_kva})
    ledgers = [ledger, Ledger(Database(store_url), now=Clock())]
    for _ in range(6):
        asked = [wanted(node, 10) for node in ("N1", "N2", "N3", "N4", "N1", "N3")]
        heard = at_once([lambda h=hold, n=n: take(ledgers[n % 2], h) for n, hold in enumerate(asked)])  # type: ignore[misc]
        assert len(winners(heard)) == 1
        assert used_kva(ledger)["substation:S1"] == 10.0
        ledger.withdraw(winners(heard)[0].hold_id, actor=ENGINEER)
    assert_sound(ledger)


def test_everything_there_is_can_be_given_away_and_not_a_va_more(store_url: str) -> None:
    """Small requests from four threads until nobody gets anything: what binds is full to the last VA."""
    limits = {"transformer:T1": 12, "feeder:F1": 30, "feeder:F2": 17, "main_transformer:M1": 45, "substation:S1": 41}
    ledger = open_ledger(store_url, limits_kva=limits)
    ledgers = [ledger, Ledger(Database(store_url), now=Clock())]
    barrier = threading.Barrier(4)

    def fill(place: int) -> None:
        barrier.wait()
        for node in (("N1", "N2", "N3"), ("N3", "N2", "N1"))[place // 2]:
            while isinstance(insist(lambda n=node: take(ledgers[place % 2], wanted(n, 1))), Hold):  # type: ignore[misc]
                pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fill, range(4)))
    used = used_kva(ledger)
    assert used["substation:S1"] == 41.0
    assert used["feeder:F1"] + used["feeder:F2"] == 41.0
    assert used["feeder:F2"] <= 17.0
    assert used["transformer:T1"] <= 12.0
    assert_sound(ledger)


def in_the_middle(
    first: Ledger, hold: WantedHold, meanwhile: Callable[[], Hold], made: Certificate
) -> Hold | DomainError:
    """Reserve, and start something else after the counters were changed and before the transaction ends."""
    heard: list[Hold | DomainError] = []
    other = threading.Thread(target=lambda: heard.append(insist(meanwhile)))

    def start(_: object) -> None:
        other.start()
        other.join(0.3)
        assert other.is_alive(), "it must wait for the end of the first transaction"

    first.reserve(hold, certificate=made, actor=ENGINEER, also=start)
    other.join()
    return heard[0]


def test_two_that_fit_alone_but_not_together_do_not_both_get_in(store_url: str) -> None:
    """Write skew over a parent: different transformers, different feeders, one substation."""
    first = open_ledger(store_url, limits_kva={"transformer:T1": 900, "feeder:F1": 900})
    second = Ledger(Database(store_url), now=Clock())
    hold, other = wanted("N1", 500), wanted("N4", 401)
    heard = in_the_middle(first, hold, lambda: take(second, other), uncertified(hold))
    assert isinstance(heard, CapacityExhaustedError)
    assert heard.account_id == "substation:S1"
    assert_sound(first)


def test_two_certificates_of_one_island_do_not_both_stand(store_url: str) -> None:
    """Write skew over versions: each path leads to a main transformer of its own, each certificate pins both."""
    first = open_ledger(store_url)
    activate(first, [*accounts(), Account(account_id="main_transformer:M2", element_id="M2", limit_va=1000 * KVA)])
    second = Ledger(Database(store_url), now=Clock())
    pinned = ("main_transformer:M1", "main_transformer:M2")
    hold = wanted("N1", 10)
    other = wanted("N4", 10, path=("feeder:F2", "main_transformer:M2"))
    made, other_made = (certificate(first, one, pinned) for one in (hold, other))
    heard = in_the_middle(first, hold, lambda: second.reserve(other, certificate=other_made, actor=ENGINEER), made)
    assert isinstance(heard, PinsMovedError)
    assert_sound(first)


def test_a_step_and_a_new_network_do_not_lose_each_other(store_url: str) -> None:
    """A withdrawal that waits while its hold is mapped onto another feeder gives back what it now takes."""
    first = open_ledger(store_url)
    second = Ledger(Database(store_url), now=Clock())
    hold = reserve(first, wanted("N2", 10))
    moved = ("transformer:T2", "feeder:F2", "main_transformer:M1", "substation:S1")
    heard: list[Hold | DomainError] = []
    other = threading.Thread(target=lambda: heard.append(insist(lambda: second.withdraw(hold.hold_id, actor=ENGINEER))))
    with first.store.write() as connection:
        first.open_accounts(connection, accounts())
        other.start()
        other.join(0.3)
        first.remap(connection, {(hold.hold_id, 1): moved}, ENGINEER)
    other.join()
    assert isinstance(heard[0], Hold)
    assert used_kva(first) == {}
    assert_sound(first)


def test_an_answer_that_waited_past_midnight_is_not_given(sqlite_url: str) -> None:
    """The time that counts is the one written down, not the one at which the transaction began."""
    clock = Clock(BEFORE)
    ledger = open_ledger(sqlite_url, clock=clock)
    hold = replace(wanted("N1", 10), expires_on=LAST_DAY)
    made = uncertified(hold)
    later = open_ledger_at(sqlite_url, AFTER)
    reserve(later, wanted("N2", 10))
    with pytest.raises(HoldStateError, match="has ended"):
        ledger.reserve(hold, certificate=made, actor=ENGINEER)


def open_ledger_at(url: str, at: datetime) -> Ledger:
    return Ledger(Database(url), now=Clock(at))
