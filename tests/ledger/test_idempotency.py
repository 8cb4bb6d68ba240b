"""Same key, same answer: once carried out, however often and from wherever it is asked."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from scheme.ledger import (
    CapacityExhaustedError,
    Hold,
    HoldStateError,
    IdempotencyClaim,
    InProgress,
    KeyInProgressError,
    KeyReusedError,
    Ledger,
    StoredAnswer,
    WantedHold,
)
from scheme.ledger.auditor import audit
from scheme.ledger.idempotency import find_answer, keep
from scheme.store import Database
from tests.ledger.cases import (
    ENGINEER,
    SWEEPER,
    Clock,
    certificate,
    claim,
    open_ledger,
    used_kva,
    wanted,
)


def answered(hold: Hold) -> tuple[int, Mapping[str, str], bytes]:
    """An answer that no second computation gives again."""
    return 201, {"Location": f"/v1/holds/{hold.hold_id}"}, f"{hold.hold_id} {hold.created_at} 已答复".encode()


def issue(ledger: Ledger, hold: WantedHold, asked: IdempotencyClaim) -> Hold:
    return ledger.reserve(hold, certificate=certificate(ledger, hold), actor=ENGINEER, claim=asked, answer=answered)


def stored(ledger: Ledger, asked: IdempotencyClaim) -> StoredAnswer | None:
    with ledger.store.read() as connection:
        return find_answer(connection, asked)


def test_the_same_key_gives_the_same_bytes_and_no_second_hold(store_url: str) -> None:
    ledger = open_ledger(store_url)
    hold, asked = wanted("N1", 100), claim("k")
    first = issue(ledger, hold, asked)
    answer = stored(ledger, asked)
    assert answer is not None
    assert answer.body == answered(first)[2]
    assert (answer.status, answer.headers, answer.object_id) == (201, answered(first)[1], first.hold_id)
    for _ in range(3):
        assert issue(ledger, hold, asked) == first
        assert stored(ledger, asked) == answer
    assert used_kva(ledger)["transformer:T1"] == 100.0


def test_the_same_key_with_another_body_is_refused(store_url: str) -> None:
    ledger = open_ledger(store_url)
    issue(ledger, wanted("N1", 100), claim("k"))
    with pytest.raises(KeyReusedError):
        issue(ledger, wanted("N2", 100), claim("k", "other body"))
    with pytest.raises(KeyReusedError):
        stored(ledger, claim("k", "other body"))
    assert set(used_kva(ledger).values()) == {100.0}


def test_a_key_belongs_to_its_principal_and_operation(sqlite_url: str) -> None:
    ledger = open_ledger(sqlite_url)
    hold = issue(ledger, wanted("N1", 10), claim("k"))
    other = IdempotencyClaim(principal_id="wang", operation="issue", key="k", fingerprint="body")
    assert issue(ledger, wanted("N1", 10), other) != hold
    committed = ledger.commit(hold.hold_id, actor=ENGINEER, claim=claim("k", operation="commit"))
    assert ledger.commit(hold.hold_id, actor=ENGINEER, claim=claim("k", operation="commit")) == committed


def test_the_key_of_an_expired_hold_still_gives_the_old_answer(store_url: str) -> None:
    clock = Clock()
    ledger = open_ledger(store_url, clock=clock)
    hold, asked = wanted("N1", 100, expires_on=date(2026, 11, 23)), claim("k")
    first = issue(ledger, hold, asked)
    answer = stored(ledger, asked)
    clock.go(timedelta(days=400))
    ledger.expire(first.hold_id, actor=SWEEPER)
    again = issue(ledger, hold, asked)
    assert (again.hold_id, again.state) == (first.hold_id, "expired")
    assert stored(ledger, asked) == answer
    assert used_kva(ledger) == {}


def test_the_answer_outlives_the_process(sqlite_url: str) -> None:
    ledger = open_ledger(sqlite_url)
    hold, asked = wanted("N1", 100), claim("k")
    first = issue(ledger, hold, asked)
    ledger.store.close()
    restarted = Ledger(Database(sqlite_url), now=Clock())
    assert issue(restarted, hold, asked) == first
    assert used_kva(restarted)["transformer:T1"] == 100.0


def test_a_refusal_for_want_of_room_leaves_the_key_free_unless_it_is_kept(sqlite_url: str) -> None:
    ledger = open_ledger(sqlite_url)
    asked = claim("k")
    with pytest.raises(CapacityExhaustedError):
        issue(ledger, wanted("N1", 401), asked)
    assert stored(ledger, asked) is None
    with ledger.store.write() as connection:
        keep(connection, asked, 409, {"content-type": "application/problem+json"}, b'{"status":409}')
    answer = stored(ledger, asked)
    assert answer is not None
    assert (answer.status, answer.body, answer.object_id) == (409, b'{"status":409}', None)
    with pytest.raises(HoldStateError, match="new idempotency key"):
        issue(ledger, wanted("N1", 1), asked)
    with pytest.raises(KeyInProgressError), ledger.store.write() as connection:
        keep(connection, asked, 201, {}, b"another")


def test_one_process_works_a_key_out_once_at_a_time() -> None:
    running = InProgress()
    with running.running(claim("k")):
        with pytest.raises(KeyInProgressError), running.running(claim("k")):
            pass
        with pytest.raises(KeyReusedError), running.running(claim("k", "other body")):
            pass
        with running.running(claim("k2")):
            pass
    with pytest.raises(ZeroDivisionError), running.running(claim("k")):
        raise ZeroDivisionError
    with running.running(claim("k")):
        pass


def test_retries_at_the_same_time_make_one_hold_a_key(store_url: str) -> None:
    """40 requests, each sent three times from 8 threads over two ledgers, as two processes would."""
    ledger = open_ledger(store_url)
    ledgers = [ledger, Ledger(Database(store_url), now=Clock())]
    asked = [(wanted("N4", 1), claim(f"k{n}")) for n in range(40)]
    barrier = threading.Barrier(8)

    def send(place: int) -> list[Hold]:
        barrier.wait()
        return [_until_answered(ledgers[place % 2], hold, key) for hold, key in asked[place % 3 :: 3]]

    with ThreadPoolExecutor(8) as pool:
        answers = [hold for found in pool.map(send, range(8)) for hold in found]
    assert len({hold.hold_id for hold in answers}) == 40
    assert len(ledger.list_live()) == 40
    assert used_kva(ledger)["feeder:F2"] == 40.0
    with ledger.store.read() as connection:
        assert audit(connection).is_clean


def _until_answered(ledger: Ledger, hold: WantedHold, asked: IdempotencyClaim) -> Hold:
    while True:
        try:
            return ledger.reserve(hold, certificate=certificate(ledger, hold, ()), actor=ENGINEER, claim=asked)
        except KeyInProgressError:
            continue
