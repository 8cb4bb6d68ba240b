"""One hold after another: what each step books, and what it refuses."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from gridmodel.errors import InputError, NotFoundError
from scheme.ledger import CapacityExhaustedError, HoldStateError, Ledger, PinsMovedError, SourceShare, WantedHold
from scheme.ledger.records import Balance
from tests.ledger.cases import (
    ENGINEER,
    KVA,
    LIMITS_KVA,
    PATHS,
    ROOT,
    START,
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


def balance(ledger: Ledger, account_id: str) -> Balance:
    [found] = ledger.find_accounts([account_id])
    return found


def counters(ledger: Ledger, account_id: str = "substation:S1") -> tuple[int, int]:
    found = balance(ledger, account_id)
    return found.held_va // KVA, found.posted_va // KVA


def test_a_hold_counts_at_every_level_of_its_path(store_url: str) -> None:
    ledger = open_ledger(store_url)
    hold = reserve(ledger, wanted("N3", 120))
    assert used_kva(ledger) == dict.fromkeys(PATHS["N3"], 120.0)
    assert (hold.state, hold.hold_no, hold.created_at) == ("held", 1, START)
    assert ledger.find_hold(hold.hold_id) == hold
    assert ledger.find_by_scheme(hold.scheme_id) == hold
    assert ledger.list_live() == [hold]


@pytest.mark.parametrize("steps", [("commit",), ("commit", "energise"), ("energise",)])
def test_what_is_bound_is_posted_and_counts_on(sqlite_url: str, steps: tuple[str, ...]) -> None:
    ledger = open_ledger(sqlite_url)
    hold = reserve(ledger, wanted("N1", 100))
    assert counters(ledger) == (100, 0)
    for step in steps:
        hold = getattr(ledger, step)(hold.hold_id, actor=ENGINEER)
    assert counters(ledger) == (0, 100)
    assert hold.state == {"commit": "committed", "energise": "energised"}[steps[-1]]


@pytest.mark.parametrize(("before", "after"), [((), "withdrawn"), (("commit",), "cancelled")])
def test_a_withdrawal_gives_everything_back(store_url: str, before: tuple[str, ...], after: str) -> None:
    ledger = open_ledger(store_url)
    hold = reserve(ledger, wanted("N1", 100))
    for step in before:
        getattr(ledger, step)(hold.hold_id, actor=ENGINEER)
    assert ledger.withdraw(hold.hold_id, actor=ENGINEER).state == after
    assert used_kva(ledger) == {}
    with pytest.raises(HoldStateError):
        ledger.withdraw(hold.hold_id, actor=ENGINEER)
    assert used_kva(ledger) == {}


def test_the_level_that_binds_is_named_and_nothing_is_taken_anywhere(store_url: str) -> None:
    ledger = open_ledger(store_url)
    reserve(ledger, wanted("N1", 400))
    with pytest.raises(CapacityExhaustedError) as caught:
        reserve(ledger, wanted("N2", 201))
    assert caught.value.account_id == "feeder:F1"
    assert used_kva(ledger) == dict.fromkeys(PATHS["N1"], 400.0)
    reserve(ledger, wanted("N2", 200))
    assert balance(ledger, "feeder:F1").open_va == 0


@pytest.mark.parametrize("account_id", PATHS["N3"])
def test_one_va_more_than_the_room_is_refused_at_every_level(sqlite_url: str, account_id: str) -> None:
    others = dict.fromkeys(LIMITS_KVA, None)
    ledger = open_ledger(sqlite_url, limits_kva={**others, account_id: 100})
    reserve(ledger, wanted("N3", 99))
    with pytest.raises(CapacityExhaustedError) as caught:
        reserve(ledger, exactly("N3", 1001))
    assert (caught.value.account_id, caught.value.context["open_va"]) == (account_id, 1000)
    reserve(ledger, exactly("N3", 1000))
    assert balance(ledger, account_id).open_va == 0


def exactly(node: str, va: int) -> WantedHold:
    share = SourceShare(source_no=1, node_element_id=node, share_va=va, path=PATHS[node])
    return wanted(node, 1, capacity_va=va, sources=(share,))


def test_a_level_whose_limit_is_not_known_refuses_nothing_and_still_counts(store_url: str) -> None:
    ledger = open_ledger(store_url, limits_kva={"section:L9": None, "transformer:T3": None, "feeder:F2": None})
    reserve(ledger, wanted("N3", 550))
    assert balance(ledger, "section:L9").open_va is None
    assert counters(ledger, "section:L9") == (550, 0)
    with pytest.raises(CapacityExhaustedError) as caught:
        reserve(ledger, wanted("N3", 351))
    assert caught.value.account_id == "substation:S1"


def test_two_source_points_both_count_where_they_meet(sqlite_url: str) -> None:
    ledger = open_ledger(sqlite_url)
    shares = tuple(
        SourceShare(source_no=n, node_element_id=node, share_va=kva * KVA, path=PATHS[node])
        for n, node, kva in ((1, "N4", 300), (2, "N2", 100))
    )
    reserve(ledger, wanted("N4", 300, sources=shares))
    assert used_kva(ledger) == {
        "feeder:F2": 300.0, "transformer:T2": 100.0, "feeder:F1": 100.0, **dict.fromkeys(ROOT, 400.0)
    }  # fmt: skip


def test_a_reduction_gives_back_exactly_what_is_no_longer_wanted(store_url: str) -> None:
    ledger = open_ledger(store_url)
    hold = ledger.commit(reserve(ledger, wanted("N1", 100)).hold_id, actor=ENGINEER)
    smaller = ledger.reduce(hold.hold_id, capacity_va=60 * KVA, actor=ENGINEER)
    assert (smaller.state, smaller.capacity_va, smaller.predecessor_id) == ("committed", 60 * KVA, hold.hold_id)
    assert ledger.find_hold(hold.hold_id).state == "reduced"
    assert ledger.find_by_scheme(hold.scheme_id) == smaller
    assert counters(ledger) == (0, 60)


@pytest.mark.parametrize("capacity_va", [0, -1, 100 * KVA, 101 * KVA])
def test_a_reduction_to_no_less_is_refused(sqlite_url: str, capacity_va: int) -> None:
    ledger = open_ledger(sqlite_url)
    hold = ledger.commit(reserve(ledger, wanted("N1", 100)).hold_id, actor=ENGINEER)
    with pytest.raises(InputError, match="less than before"):
        ledger.reduce(hold.hold_id, capacity_va=capacity_va, actor=ENGINEER)
    assert counters(ledger) == (0, 100)


def test_what_was_only_held_cannot_be_reduced(sqlite_url: str) -> None:
    ledger = open_ledger(sqlite_url)
    hold = reserve(ledger, wanted("N1", 100))
    with pytest.raises(HoldStateError):
        ledger.reduce(hold.hold_id, capacity_va=KVA, actor=ENGINEER)


def test_a_newer_scheme_of_the_request_takes_the_place_of_the_earlier_one(store_url: str) -> None:
    ledger = open_ledger(store_url)
    first = wanted("N1", 400)
    old = reserve(ledger, first)
    new = reserve(ledger, wanted("N2", 390, request_id=first.request_id, supersedes=old.hold_id))
    assert ledger.find_hold(old.hold_id).state == "superseded"
    assert new.predecessor_id == old.hold_id
    assert used_kva(ledger) == dict.fromkeys(PATHS["N2"], 390.0)


def test_an_earlier_scheme_stays_where_the_newer_one_does_not_fit(sqlite_url: str) -> None:
    ledger = open_ledger(sqlite_url)
    first = wanted("N1", 400)
    old = reserve(ledger, first)
    with pytest.raises(CapacityExhaustedError):
        reserve(ledger, wanted("N2", 401, request_id=first.request_id, supersedes=old.hold_id))
    assert ledger.find_hold(old.hold_id) == old
    assert used_kva(ledger) == dict.fromkeys(PATHS["N1"], 400.0)


def test_one_request_holds_capacity_once(store_url: str) -> None:
    ledger = open_ledger(store_url)
    first = wanted("N1", 10)
    reserve(ledger, first)
    with pytest.raises(HoldStateError, match="holds capacity already"):
        reserve(ledger, wanted("N2", 10, request_id=first.request_id))
    with pytest.raises(HoldStateError, match="holds capacity already"):
        reserve(ledger, wanted("N2", 10, scheme_id=first.scheme_id))
    assert used_kva(ledger) == dict.fromkeys(PATHS["N1"], 10.0)


def test_the_same_name_of_a_request_with_another_owner_is_another_request(sqlite_url: str) -> None:
    ledger = open_ledger(sqlite_url)
    first = wanted("N1", 10)
    old = reserve(ledger, first)
    reserve(ledger, wanted("N2", 10, request_id=first.request_id, owner_id="wang"))
    stranger = wanted("N2", 10, request_id=first.request_id, owner_id="chen", supersedes=old.hold_id)
    with pytest.raises(HoldStateError, match="own request"):
        reserve(ledger, stranger)


def test_a_certificate_is_stale_once_load_came_anywhere_in_its_island(store_url: str) -> None:
    ledger = open_ledger(store_url)
    hold = wanted("N1", 10)
    made = certificate(ledger, hold)
    reserve(ledger, wanted("N3", 10))
    with pytest.raises(PinsMovedError):
        ledger.reserve(hold, certificate=made, actor=ENGINEER)
    assert used_kva(ledger) == dict.fromkeys(PATHS["N3"], 10.0)
    reserve(ledger, hold)


def test_a_certificate_stays_good_when_only_the_state_of_a_hold_changes(sqlite_url: str) -> None:
    ledger = open_ledger(sqlite_url)
    other = reserve(ledger, wanted("N3", 10))
    hold = wanted("N1", 10)
    made = certificate(ledger, hold)
    ledger.commit(other.hold_id, actor=ENGINEER)
    ledger.energise(other.hold_id, actor=ENGINEER)
    ledger.reserve(hold, certificate=made, actor=ENGINEER)


def test_a_certificate_of_the_snapshot_before_is_stale(store_url: str) -> None:
    ledger = open_ledger(store_url)
    hold = wanted("N1", 10)
    made = certificate(ledger, hold)
    activate(ledger, accounts())
    with pytest.raises(PinsMovedError):
        ledger.reserve(hold, certificate=made, actor=ENGINEER)


def test_a_path_the_network_no_longer_has_is_refused(sqlite_url: str) -> None:
    ledger = open_ledger(sqlite_url)
    activate(ledger, [account for account in accounts() if account.account_id != "transformer:T1"])
    with pytest.raises(PinsMovedError, match="no longer has"):
        reserve(ledger, wanted("N1", 10))


def test_what_does_not_exist_is_said_not_to(sqlite_url: str) -> None:
    ledger = open_ledger(sqlite_url)
    with pytest.raises(NotFoundError):
        ledger.commit("hld_none", actor=ENGINEER)
    with pytest.raises(NotFoundError):
        ledger.find_hold("hld_none")
    with pytest.raises(NotFoundError):
        ledger.pin(["feeder:none"])
    assert ledger.find_by_scheme("none") is None


def test_the_sweeper_gives_back_what_nobody_confirmed(store_url: str) -> None:
    clock = Clock()
    ledger = open_ledger(store_url, clock=clock)
    short = reserve(ledger, wanted("N1", 100, expires_on=date(2026, 11, 23)))
    reserve(ledger, wanted("N2", 50))
    assert ledger.sweep(actor=SWEEPER) == []
    for _ in range(14):
        clock.go(timedelta(hours=1))
        expired = ledger.sweep(actor=SWEEPER)
    assert [(hold.hold_id, hold.state) for hold in expired] == []
    assert ledger.find_hold(short.hold_id).state == "expired"
    assert counters(ledger) == (50, 0)


def test_a_closed_hold_frees_its_capacity_in_the_transaction_that_brings_the_load(store_url: str) -> None:
    ledger = open_ledger(store_url)
    hold = ledger.energise(reserve(ledger, wanted("N1", 100)).hold_id, actor=ENGINEER)
    with ledger.store.write() as connection:
        ledger.open_accounts(connection, accounts({"transformer:T1": 300}))
        [closed] = ledger.close(connection, [hold.hold_id], actor=ENGINEER)
    assert closed.state == "closed"
    assert used_kva(ledger) == {}


def test_a_failure_of_what_is_written_with_it_undoes_the_hold(sqlite_url: str) -> None:
    ledger = open_ledger(sqlite_url)
    hold = wanted("N1", 100)

    def fail(_: object) -> None:
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError):
        ledger.reserve(hold, certificate=certificate(ledger, hold), actor=ENGINEER, also=fail)
    assert used_kva(ledger) == {}
    assert ledger.list_live() == []


def test_what_was_live_at_an_earlier_entry_is_found_as_it_was(store_url: str) -> None:
    ledger = open_ledger(store_url)
    first = reserve(ledger, wanted("N1", 100))
    after_first = ledger.head().seq
    second = reserve(ledger, wanted("N2", 50))
    ledger.commit(first.hold_id, actor=ENGINEER)
    ledger.withdraw(second.hold_id, actor=ENGINEER)
    assert ledger.live_at(after_first) == [first]
    assert [hold.state for hold in ledger.live_at(ledger.head().seq)] == ["committed"]
    assert ledger.live_at(0) == []


def test_limits_that_fall_flag_the_account_and_let_only_releases_through(store_url: str) -> None:
    ledger = open_ledger(store_url)
    hold = reserve(ledger, wanted("N1", 300))
    reserve(ledger, wanted("N1", 50))
    activate(ledger, accounts({"transformer:T1": 200}))
    assert balance(ledger, "transformer:T1").is_overcommitted
    assert balance(ledger, "transformer:T1").open_va == -150 * KVA
    with pytest.raises(CapacityExhaustedError):
        reserve(ledger, wanted("N1", 1))
    ledger.withdraw(hold.hold_id, actor=ENGINEER)
    assert not balance(ledger, "transformer:T1").is_overcommitted
    reserve(ledger, wanted("N1", 150))
    assert LIMITS_KVA["transformer:T1"] == 400
