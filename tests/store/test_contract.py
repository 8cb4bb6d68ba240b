"""What every method of the store promises, on both databases."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text

from gridmodel.changes import CommitmentAdded, apply_changes, changed_sha256
from gridmodel.errors import NotFoundError, SnapshotFormatError
from gridmodel.snapshot import Snapshot
from scheme.capacity_manifest import digest_of
from scheme.store import SnapshotMovedError, Store, StoreError
from tests.store.conftest import count_rows, make_key, make_scheme, manifest_of, part

OpenStore = Callable[[str], Store]
COMMITMENT = CommitmentAdded(commitment_id="ZT-1", element_id="bus:0", capacity_kva=100.0)


def change(snapshot: Snapshot, capacity_kva: float = 100.0) -> tuple[Snapshot, tuple[CommitmentAdded, ...]]:
    changes = (replace(COMMITMENT, capacity_kva=capacity_kva),)
    return apply_changes(snapshot, changes)[0], changes


def test_snapshot_comes_back_with_its_digest_and_values(
    store: Store, store_url: str, open_store: OpenStore, snapshot: Snapshot
) -> None:
    sealed = store.store_snapshot(snapshot)
    again = open_store(store_url)
    assert again.find_current_sha256() == sealed.sha256
    read = again.get_snapshot(sealed.sha256)
    assert read.nodes["node_id"].tolist() == ["n0", "n1"]
    assert read.nodes["lon_deg"].isna().tolist() == [False, True]
    assert read.net.bus["vn_kv"].tolist() == [10.0, 10.0]


def test_empty_store_reads_as_one_without_rows(store: Store) -> None:
    assert store.find_current_sha256() is None
    assert store.find_capacity("0" * 64, make_key()) is None
    for get in (
        lambda: store.get_snapshot("0" * 64),
        lambda: store.get_scheme("sch_1"),
        lambda: store.get_document("sch_1", "scheme.pdf"),
        lambda: store.get_capacity_parts(["0" * 64]),
    ):
        with pytest.raises(NotFoundError):
            get()
    assert count_rows(store, "snapshot") == 0


def test_storing_twice_keeps_one_snapshot_and_the_newest_is_current(store: Store, snapshot: Snapshot) -> None:
    first = store.store_snapshot(snapshot)
    second = store.store_snapshot(replace(snapshot, source_name="other.json"))
    assert store.find_current_sha256() == second.sha256 != first.sha256
    store.store_snapshot(snapshot)
    assert store.find_current_sha256() == first.sha256
    assert count_rows(store, "snapshot") == 2
    assert count_rows(store, "current_snapshot") == 1


def test_changes_become_the_current_snapshot_and_are_applied_on_reading(
    store: Store, store_url: str, open_store: OpenStore, snapshot: Snapshot
) -> None:
    parent = store.store_snapshot(snapshot)
    changed, changes = change(parent)
    store.store_changed(parent.sha256, changed, changes)
    again = open_store(store_url)
    assert again.find_current_sha256() == changed.sha256 == changed_sha256(parent.sha256, changes)
    assert again.get_snapshot(changed.sha256).in_flight["capacity_kva"].tolist() == [100.0]
    assert again.get_snapshot(parent.sha256).in_flight.empty


def test_second_change_of_the_same_snapshot_is_refused_and_nothing_of_it_kept(
    store: Store, store_url: str, open_store: OpenStore, snapshot: Snapshot
) -> None:
    parent = store.store_snapshot(snapshot)
    first, second = change(parent, 100.0), change(parent, 200.0)
    open_store(store_url).store_changed(parent.sha256, *first)
    with pytest.raises(SnapshotMovedError):
        store.store_changed(parent.sha256, *second, capacity=(make_key(), *manifest_of(part(0))))
    assert store.find_current_sha256() == first[0].sha256
    assert count_rows(store, "snapshot") == 2
    assert count_rows(store, "capacity_part") == 0


def test_changed_snapshot_and_its_capacity_table_are_kept_together(store: Store, snapshot: Snapshot) -> None:
    parent = store.store_snapshot(snapshot)
    changed, changes = change(parent)
    manifest, contents = manifest_of(part(0), part(1))
    store.store_changed(parent.sha256, changed, changes, capacity=(make_key(), manifest, contents))
    assert store.find_capacity(changed.sha256, make_key()) == manifest
    assert store.find_capacity(parent.sha256, make_key()) is None


@pytest.mark.parametrize("content", [b"\x1f\x8b\x00", b"", b"[]", gzip.compress(b"{}", mtime=0)[:10] + b"\x55" * 20])
def test_damaged_snapshot_is_refused(
    store: Store, store_url: str, open_store: OpenStore, snapshot: Snapshot, content: bytes
) -> None:
    sha256 = store.store_snapshot(snapshot).sha256
    with store.write() as connection:
        connection.execute(text("update snapshot set content = :content"), {"content": content})
    with pytest.raises(SnapshotFormatError):
        open_store(store_url).get_snapshot(sha256)


def test_damaged_changes_are_refused(store: Store, store_url: str, open_store: OpenStore, snapshot: Snapshot) -> None:
    parent = store.store_snapshot(snapshot)
    changed, changes = change(parent)
    store.store_changed(parent.sha256, changed, changes)
    with store.write() as connection:
        statement = text("update snapshot set content = :content where parent_sha256 is not null")
        connection.execute(statement, {"content": b"[]"})
    with pytest.raises(SnapshotFormatError):
        open_store(store_url).get_snapshot(changed.sha256)


def test_capacity_is_found_only_for_the_same_inputs(store: Store, snapshot: Snapshot) -> None:
    sha256 = store.store_snapshot(snapshot).sha256
    key, other = make_key(), make_key('{"power_factor":0.9}')
    first, second = (manifest_of(content) for content in (part(0, 1200.0), part(0, 900.0)))
    store.store_capacity(sha256, key, *first)
    assert store.find_capacity(sha256, key) == first[0]
    assert store.find_capacity(sha256, other) is None
    store.store_capacity(sha256, key, *second)
    assert store.find_capacity(sha256, key) == second[0]
    assert store.get_capacity_parts([*second[1], *first[1]]) == [part(0, 900.0), part(0, 1200.0)]
    with pytest.raises(NotFoundError):
        store.get_capacity_parts(["0" * 64])


def test_tables_share_the_parts_they_have_in_common(store: Store, snapshot: Snapshot) -> None:
    sha256 = store.store_snapshot(snapshot).sha256
    for number, contents in enumerate([(part(0), part(1)), (part(0), part(1, 900.0))]):
        store.store_capacity(sha256, make_key(str(number)), *manifest_of(*contents))
    assert count_rows(store, "capacity_part") == 3


def test_many_parts_come_back_in_the_order_asked_for(
    store: Store, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheme.store.store._DIGESTS_PER_QUERY", 5)
    sha256 = store.store_snapshot(snapshot).sha256
    contents = [part(number) for number in range(12)]
    store.store_capacity(sha256, make_key(), *manifest_of(*contents))
    assert store.get_capacity_parts([digest_of(content) for content in reversed(contents)]) == contents[::-1]


def test_scheme_comes_back_and_a_newer_one_replaces_it_with_its_documents(store: Store, snapshot: Snapshot) -> None:
    sha256 = store.store_snapshot(snapshot).sha256
    scheme = make_scheme(sha256, content='{"站": 1}'.encode())
    store.store_scheme(scheme, [("scheme.json", b"{}"), ("map.svg", b"<svg/>")])
    assert store.get_scheme("sch_1") == scheme
    newer = make_scheme(sha256, verdict="joint_work")
    store.store_scheme(newer, [("scheme.json", b"[]")])
    assert store.get_scheme("sch_1") == newer
    assert store.get_document("sch_1", "scheme.json") == b"[]"
    with pytest.raises(NotFoundError):
        store.get_document("sch_1", "map.svg")


def test_write_that_fails_half_way_leaves_nothing(store: Store, snapshot: Snapshot) -> None:
    sha256 = store.store_snapshot(snapshot).sha256
    with pytest.raises(StoreError):
        store.store_scheme(make_scheme(sha256), [("scheme.pdf", b"1"), ("scheme.pdf", b"2")])
    for table in ("scheme", "document"):
        assert count_rows(store, table) == 0


def test_scheme_needs_a_known_snapshot(store: Store, snapshot: Snapshot) -> None:
    store.store_snapshot(snapshot)
    with pytest.raises(StoreError):
        store.store_scheme(make_scheme("0" * 64), [])
    assert count_rows(store, "scheme") == 0
