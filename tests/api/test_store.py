from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from gridmodel.errors import DomainError, InputError, NotFoundError, SnapshotFormatError
from gridmodel.snapshot import Snapshot
from scheme.capacity_manifest import CapacityManifest, CapacityPart, digest_of
from scheme.store import CapacityKey, IdempotencyConflictError, Store, StoredScheme
from scheme.store.engine import journal_mode


def make_scheme(snapshot_sha256: str, **changes: Any) -> StoredScheme:
    values: dict[str, Any] = {
        "scheme_id": "sch_1",
        "request_id": "R-1",
        "request_sha256": "a" * 64,
        "snapshot_sha256": snapshot_sha256,
        "verdict": "answered",
        "content": b"{}",
    }
    return StoredScheme(**{**values, **changes})


def manifest_of(*contents: bytes) -> tuple[CapacityManifest, dict[str, bytes]]:
    parts = [CapacityPart(name=n, nodes=1, sha256=digest_of(content)) for n, content in enumerate(contents)]
    manifest = CapacityManifest(parts=tuple(parts), attributes={"certificate": {"nodes_checked": 20}})
    return manifest, {digest_of(content): content for content in contents}


def test_snapshot_comes_back_with_its_digest_and_values(tmp_path: Path, snapshot: Snapshot) -> None:
    store = Store(f"sqlite:///{tmp_path / 'a.db'}")
    sealed = store.store_snapshot(snapshot)
    again = Store(str(tmp_path / "a.db"))
    assert again.find_current_sha256() == sealed.sha256
    read = again.get_snapshot(sealed.sha256)
    assert read.nodes["node_id"].tolist() == ["n0", "n1"]
    assert read.nodes["lon_deg"].isna().tolist() == [False, True]
    assert read.net.bus["vn_kv"].tolist() == [10.0, 10.0]


def test_reading_an_absent_store_creates_no_file(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "none.db"))
    assert store.find_current_sha256() is None
    with pytest.raises(NotFoundError):
        store.get_scheme("sch_1")
    assert list(tmp_path.iterdir()) == []


def test_storing_twice_keeps_one_snapshot_and_the_newest_is_current(tmp_path: Path, snapshot: Snapshot) -> None:
    from dataclasses import replace

    store = Store(str(tmp_path / "a.db"))
    first = store.store_snapshot(snapshot)
    second = store.store_snapshot(replace(snapshot, source_name="other.json"))
    assert store.find_current_sha256() == second.sha256 != first.sha256
    store.store_snapshot(snapshot)
    assert store.find_current_sha256() == first.sha256
    with sqlite3.connect(tmp_path / "a.db") as connection:
        assert connection.execute("select count(*) from snapshot").fetchone() == (2,)
        assert connection.execute("select count(*) from current_snapshot").fetchone() == (1,)


def test_write_that_fails_half_way_leaves_nothing(tmp_path: Path, snapshot: Snapshot) -> None:
    store = Store(str(tmp_path / "a.db"))
    sha256 = store.store_snapshot(snapshot).sha256
    with pytest.raises(Exception, match="UNIQUE"):
        store.store_scheme(make_scheme(sha256), [("scheme.pdf", b"1"), ("scheme.pdf", b"2")])
    with pytest.raises(NotFoundError):
        store.get_scheme("sch_1")


def test_damaged_snapshot_is_refused(tmp_path: Path, snapshot: Snapshot) -> None:
    store = Store(str(tmp_path / "a.db"))
    sha256 = store.store_snapshot(snapshot).sha256
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("update snapshot set content = x'1f8b00'")
    with pytest.raises(SnapshotFormatError):
        store.get_snapshot(sha256)


def test_capacity_is_found_only_for_the_same_inputs(tmp_path: Path, snapshot: Snapshot) -> None:
    store = Store(str(tmp_path / "a.db"))
    sha256 = store.store_snapshot(snapshot).sha256
    names = {"profile": "p", "policy_sha256": "q" * 64, "as_of": "2026-03-02"}
    key = CapacityKey(parameters="{}", parameters_sha256="1" * 64, **names)
    other = CapacityKey(parameters='{"power_factor":0.9}', parameters_sha256="2" * 64, **names)
    first, second = (manifest_of(content) for content in (b"table", b"newer"))
    store.store_capacity(sha256, key, *first)
    assert store.find_capacity(sha256, key) == first[0]
    assert store.find_capacity(sha256, other) is None
    store.store_capacity(sha256, key, *second)
    assert store.find_capacity(sha256, key) == second[0]
    assert store.get_capacity_parts([digest_of(b"newer"), digest_of(b"table")]) == [b"newer", b"table"]
    with pytest.raises(NotFoundError):
        store.get_capacity_parts(["0" * 64])


def test_tables_share_the_parts_they_have_in_common(tmp_path: Path, snapshot: Snapshot) -> None:
    store = Store(str(tmp_path / "a.db"))
    sha256 = store.store_snapshot(snapshot).sha256
    for number, contents in enumerate([(b"north", b"south"), (b"north", b"changed")]):
        key = CapacityKey(parameters="{}", parameters_sha256=str(number) * 64, profile="p", policy_sha256="", as_of="")
        store.store_capacity(sha256, key, *manifest_of(*contents))
    with sqlite3.connect(tmp_path / "a.db") as connection:
        assert connection.execute("select count(*) from capacity_part").fetchone() == (3,)


def test_idempotency_key_answers_again_and_refuses_another_request(tmp_path: Path, snapshot: Snapshot) -> None:
    store = Store(str(tmp_path / "a.db"))
    sha256 = store.store_snapshot(snapshot).sha256
    scheme = make_scheme(sha256)
    store.store_scheme(scheme, [("scheme.pdf", b"pdf")], idempotency_key="k")
    assert store.find_answer("k", "a" * 64) == scheme
    assert store.find_answer("other", "a" * 64) is None
    with pytest.raises(IdempotencyConflictError):
        store.find_answer("k", "b" * 64)
    with pytest.raises(IdempotencyConflictError):
        store.store_scheme(make_scheme(sha256, scheme_id="sch_2", request_sha256="b" * 64), [], idempotency_key="k")
    with pytest.raises(NotFoundError):
        store.get_scheme("sch_2")
    assert store.get_document("sch_1", "scheme.pdf") == b"pdf"


def test_scheme_needs_a_known_snapshot(tmp_path: Path, snapshot: Snapshot) -> None:
    store = Store(str(tmp_path / "a.db"))
    store.store_snapshot(snapshot)
    with pytest.raises(Exception, match="FOREIGN KEY"):
        store.store_scheme(make_scheme("0" * 64), [])


def test_writers_at_the_same_time_wait_for_each_other(tmp_path: Path, snapshot: Snapshot) -> None:
    stores = [Store(str(tmp_path / "a.db")) for _ in range(4)]
    sha256 = stores[0].store_snapshot(snapshot).sha256
    failures: list[DomainError] = []

    def write(no: int) -> None:
        try:
            for turn in range(10):
                scheme = make_scheme(sha256, scheme_id=f"sch_{no}_{turn}")
                stores[no].store_scheme(scheme, [("scheme.json", b"{}")], idempotency_key=f"{no}-{turn}")
        except DomainError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(no,)) for no in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with sqlite3.connect(tmp_path / "a.db") as connection:
        assert connection.execute("select count(*) from idempotency").fetchone() == (40,)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg2://user:secret@host/db",
        "postgresql://user:secret@host",
        "mysql://x/y",
        "sqlite://",
        "sqlite:///:memory:",
        ":memory:",
        "",
        "a://b:c",
    ],
)
def test_other_databases_are_refused_without_repeating_a_password(url: str) -> None:
    with pytest.raises(InputError) as caught:
        Store(url)
    assert "secret" not in str(caught.value)
    assert "sqlite:///" in str(caught.value)


def test_file_that_is_no_database_is_refused_and_kept(tmp_path: Path, snapshot: Snapshot) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"these are not the bytes of a database" * 100)
    before = path.read_bytes()
    with pytest.raises(InputError, match="not an SQLite database"):
        Store(str(path)).find_current_sha256()
    with pytest.raises(InputError, match="not an SQLite database"):
        Store(str(path)).store_snapshot(snapshot)
    assert path.read_bytes() == before


def test_database_of_another_program_is_refused_and_kept(tmp_path: Path, snapshot: Snapshot) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table accounts (id integer)")
    before = path.read_bytes()
    with pytest.raises(InputError, match="another program"):
        Store(str(path)).store_snapshot(snapshot)
    assert path.read_bytes() == before


def test_folder_that_does_not_exist_is_refused(tmp_path: Path, snapshot: Snapshot) -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        Store(str(tmp_path / "no" / "a.db")).store_snapshot(snapshot)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        # The fault of the write-ahead log is in 3.7.0 to 3.51.2, except the back-ports 3.50.7 and 3.44.6 (SQLite news).
        ((3, 40, 1), "DELETE"),
        ((3, 44, 5), "DELETE"),
        ((3, 44, 6), "WAL"),
        ((3, 45, 0), "DELETE"),
        ((3, 50, 6), "DELETE"),
        ((3, 50, 7), "WAL"),
        ((3, 51, 2), "DELETE"),
        ((3, 51, 3), "WAL"),
        ((3, 52, 0), "WAL"),
    ],
)
def test_write_ahead_log_only_where_its_fault_is_fixed(version: tuple[int, ...], expected: str) -> None:
    assert journal_mode(version) == expected
