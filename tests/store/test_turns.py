"""Who uses one SQLite file in one process comes in the order of asking, and nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from gridmodel.snapshot import Snapshot
from scheme.store import Store, StoreError
from scheme.store.turns import Turns, turns_of
from tests.store.conftest import count_rows, make_scheme

OpenStore = Callable[[str], Store]


def test_turn_goes_to_whoever_waits_longest() -> None:
    turns, came = Turns(), []
    assert turns.take(1)

    def wait(number: int) -> None:
        assert turns.take(10)
        came.append(number)
        turns.pass_on()

    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        while len(turns._waiting) <= number:
            threading.Event().wait(0.001)
    turns.pass_on()
    for thread in threads:
        thread.join()
    assert came == [0, 1, 2, 3, 4]
    assert turns.take(0)


def test_whoever_gives_up_waiting_is_passed_over() -> None:
    turns = Turns()
    assert turns.take(0)
    assert not turns.take(0.01)
    turns.pass_on()
    assert turns.take(0)


def test_stores_on_one_file_share_the_turns(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert turns_of(tmp_path / "a.db") is turns_of(tmp_path / "link" / "a.db")
    assert turns_of(tmp_path / "a.db") is not turns_of(tmp_path / "b.db")


def test_reader_inside_a_write_of_the_same_thread_reads_what_was_before(
    tmp_path: Path, open_store: OpenStore, snapshot: Snapshot
) -> None:
    store = open_store(str(tmp_path / "a.db"))
    store.store_snapshot(snapshot)
    with store.write() as connection:
        connection.execute(text("delete from current_snapshot"))
        assert count_rows(store, "current_snapshot") == 1
    assert count_rows(store, "current_snapshot") == 0


def test_writer_that_is_kept_waiting_too_long_is_told(
    tmp_path: Path, open_store: OpenStore, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(str(tmp_path / "a.db"))
    store.store_snapshot(snapshot)
    monkeypatch.setattr("scheme.store.database.BUSY_TIMEOUT_MS", 20)
    raised: list[BaseException] = []

    def write() -> None:
        with pytest.raises(StoreError, match="busy") as caught:
            store.upgrade()
        raised.append(caught.value)

    with store.write():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert len(raised) == 1
    store.upgrade()


def test_readers_come_through_while_others_write_without_a_pause(
    tmp_path: Path, open_store: OpenStore, snapshot: Snapshot
) -> None:
    store = open_store(str(tmp_path / "a.db"))
    sha256 = store.store_snapshot(snapshot).sha256
    stop = threading.Event()

    def write(number: int) -> None:
        turn = 0
        while not stop.is_set():
            store.store_scheme(make_scheme(sha256, scheme_id=f"sch_{number}_{turn}"), [])
            turn += 1

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    counts = [count_rows(store, "scheme") for _ in range(20)]
    stop.set()
    for thread in threads:
        thread.join()
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]
