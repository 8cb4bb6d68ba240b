"""One write at a time or one after the other, all or nothing, and what a reader sees; on both databases."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from gridmodel.changes import CommitmentAdded, apply_changes
from gridmodel.errors import DomainError
from gridmodel.snapshot import Snapshot
from scheme.store import SnapshotMovedError, Store, StoreError
from tests.store.conftest import count_rows, make_key, make_scheme, manifest_of, part

OpenStore = Callable[[str], Store]
ROUNDS = 10


def at_once(*actions: Callable[[], Any]) -> list[DomainError | None]:
    """Run the actions in threads that start together; return what each raised."""
    barrier = threading.Barrier(len(actions))
    raised: list[DomainError | None] = [None] * len(actions)

    def run(number: int) -> None:
        barrier.wait()
        try:
            actions[number]()
        except DomainError as error:
            raised[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_error_inside_a_write_passes_and_nothing_is_kept(store: Store, snapshot: Snapshot) -> None:
    store.store_snapshot(snapshot)
    with pytest.raises(ZeroDivisionError), store.write() as connection:
        assert connection.execute(text("delete from current_snapshot")).rowcount / 0
    assert count_rows(store, "current_snapshot") == 1


def test_first_write_that_fails_leaves_no_table(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.write():
        raise ZeroDivisionError
    assert store.find_current_sha256() is None
    store.upgrade()
    assert count_rows(store, "scheme") == 0


def test_reader_writes_nothing(store: Store, snapshot: Snapshot) -> None:
    store.store_snapshot(snapshot)
    with pytest.raises(StoreError), store.read() as connection:
        connection.execute(text("delete from current_snapshot"))
    assert count_rows(store, "current_snapshot") == 1
    store.store_snapshot(snapshot)


def test_reader_sees_one_moment(store: Store, snapshot: Snapshot) -> None:
    sha256 = store.store_snapshot(snapshot).sha256
    count = text("select count(*) from scheme")
    with store.read() as connection:
        before = connection.execute(count).scalar_one()
        writer = threading.Thread(target=store.store_scheme, args=(make_scheme(sha256), []))
        writer.start()
        writer.join(0.3)
        after = connection.execute(count).scalar_one()
    writer.join()
    assert (before, after, count_rows(store, "scheme")) == (0, 0, 1)


def test_clock_is_the_databases_in_utc_and_moves_inside_a_transaction(store: Store, snapshot: Snapshot) -> None:
    store.store_snapshot(snapshot)
    with store.write() as connection:
        first = store.now(connection)
        threading.Event().wait(0.02)
        second = store.now(connection)
    assert first.utcoffset() == timedelta(0)
    assert second - first >= timedelta(milliseconds=19)
    assert abs(first - datetime.now(UTC)) < timedelta(minutes=5)
    assert count_rows(store, "snapshot") == 1


def test_rows_are_dated_in_utc(store: Store, snapshot: Snapshot) -> None:
    store.store_snapshot(snapshot)
    with store.read() as connection:
        written = connection.execute(text("select created_at from snapshot")).scalar_one()
        clock = store.now(connection)
    assert abs(datetime.fromisoformat(written).replace(tzinfo=UTC) - clock) < timedelta(minutes=5)


def test_writers_at_the_same_time_wait_for_each_other(
    store: Store, store_url: str, open_store: OpenStore, snapshot: Snapshot
) -> None:
    sha256 = store.store_snapshot(snapshot).sha256

    def write(number: int) -> Callable[[], None]:
        own = open_store(store_url)

        def run() -> None:
            for turn in range(ROUNDS):
                scheme = make_scheme(sha256, scheme_id=f"sch_{number}_{turn}")
                own.store_scheme(scheme, [("scheme.json", b"{}")])

        return run

    assert at_once(*(write(number) for number in range(4))) == [None] * 4
    assert count_rows(store, "document") == 4 * ROUNDS


def test_writers_of_one_store_wait_for_each_other(store: Store, snapshot: Snapshot) -> None:
    """A counter that each reads and then writes: a lost update would leave it below the number of turns."""
    store.store_snapshot(snapshot)
    with store.write() as connection:
        connection.execute(text("create table turns (count integer)"))
        connection.execute(text("insert into turns values (0)"))

    def count_up() -> None:
        for _ in range(ROUNDS):
            with store.write() as connection:
                # On PostgreSQL the row must be locked by hand; SQLite has one writer, and does not know the words.
                lock = " for update" if store.dialect == "postgresql" else ""
                found = connection.execute(text(f"select count from turns{lock}")).scalar_one()
                connection.execute(text("update turns set count = :count"), {"count": found + 1})

    assert at_once(*[count_up] * 4) == [None] * 4
    with store.read() as connection:
        assert connection.execute(text("select count from turns")).scalar_one() == 4 * ROUNDS


def test_of_two_changes_of_one_snapshot_at_once_one_is_kept(
    store: Store, store_url: str, open_store: OpenStore, snapshot: Snapshot
) -> None:
    stores = [store, open_store(store_url)]
    current = store.store_snapshot(snapshot)
    for turn in range(ROUNDS):
        tried = []
        for number in range(2):
            name = f"ZT-{turn}-{number}"
            changes = (CommitmentAdded(commitment_id=name, element_id="bus:0", capacity_kva=10.0),)
            tried.append((apply_changes(current, changes)[0], changes))

        def keep(number: int, at: str = current.sha256, tried: Sequence[Any] = tried) -> Callable[[], None]:
            return lambda: stores[number].store_changed(at, *tried[number])

        raised = at_once(keep(0), keep(1))
        assert sorted(type(error).__name__ for error in raised) == ["NoneType", SnapshotMovedError.__name__]
        current = tried[raised.index(None)][0]
        assert store.find_current_sha256() == current.sha256


def test_capacity_tables_that_share_parts_are_kept_at_once(
    store: Store, store_url: str, open_store: OpenStore, snapshot: Snapshot
) -> None:
    sha256 = store.store_snapshot(snapshot).sha256
    for turn in range(ROUNDS):
        contents = [part(number, turn) for number in range(10)]

        def keep(number: int, turn: int = turn, contents: list[bytes] = contents) -> Callable[[], None]:
            ordered = contents if number else contents[::-1]
            own = store if number else open_store(store_url)
            return lambda: own.store_capacity(sha256, make_key(f"{turn} {number}"), *manifest_of(*ordered))

        assert at_once(keep(0), keep(1)) == [None, None]
    assert count_rows(store, "capacity_part") == 10 * ROUNDS


_WRITER = """
import sys
from sqlalchemy import text
from scheme.store import Store, StoredScheme
url, sha256, name = sys.argv[1:]
store = Store(url)
with store.write() as connection:
    values = {"sha256": sha256, "content": b"{}"}
    connection.execute(text("insert into snapshot (sha256, source_name, source_format, content)"
                            " values (:sha256, '0', '', :content) on conflict do nothing"), values)
lock = " for update" if store.dialect == "postgresql" else ""
for turn in range(15):
    with store.write() as connection:
        found = int(connection.execute(text("select source_name from snapshot" + lock)).scalar_one())
        connection.execute(text("update snapshot set source_name = :next"), {"next": str(found + 1)})
    store.store_scheme(
        StoredScheme(scheme_id=f"sch_{name}_{turn}", request_id="R-1", request_sha256="a" * 64,
                     snapshot_sha256=sha256, verdict="answered", content=b"{}"),
        [("scheme.json", b"{}")])
    store.get_scheme(f"sch_{name}_{turn}")
"""


def test_processes_on_one_database_lose_nothing_and_make_its_tables_once(store: Store, store_url: str) -> None:
    started = [subprocess.Popen([sys.executable, "-c", _WRITER, store_url, "0" * 64, name]) for name in "ab"]
    assert [process.wait(300) for process in started] == [0, 0]
    with store.read() as connection:
        assert connection.execute(text("select source_name from snapshot")).scalars().all() == ["30"]
    assert count_rows(store, "scheme") == 30
    assert count_rows(store, "document") == 30
