"""A scheme belongs to whom it was answered for; nobody else finds it, and it never changes hands. On both stores."""

from __future__ import annotations

from typing import Any

import pytest

from gridmodel.errors import NotFoundError
from gridmodel.snapshot import Snapshot
from scheme.store import OwnerConflictError, Store, StoredScheme


def make_scheme(sha256: str, **changes: Any) -> StoredScheme:
    values: dict[str, Any] = {
        "scheme_id": "sch_1",
        "request_id": "R-1",
        "request_sha256": "a" * 64,
        "snapshot_sha256": sha256,
        "verdict": "answered",
        "content": b"{}",
        "owner_id": "ZK-1",
    }
    return StoredScheme(**{**values, **changes})


@pytest.fixture
def store(store_url: str) -> Store:
    return Store(store_url)


def test_only_owner_and_staff_find_a_scheme_and_its_documents(store: Store, snapshot: Snapshot) -> None:
    sha256 = store.store_snapshot(snapshot).sha256
    scheme = make_scheme(sha256)
    store.store_scheme(scheme, [("scheme.pdf", b"pdf")])
    for owner_id in ("ZK-1", None):
        assert store.get_scheme("sch_1", owner_id=owner_id) == scheme
        assert store.get_document("sch_1", "scheme.pdf", owner_id=owner_id) == b"pdf"
    for owner_id in ("ZK-2", "", "ZK-1 ", "%"):
        with pytest.raises(NotFoundError, match="no such scheme"):
            store.get_scheme("sch_1", owner_id=owner_id)
        with pytest.raises(NotFoundError, match="no such document"):
            store.get_document("sch_1", "scheme.pdf", owner_id=owner_id)


def test_scheme_of_staff_is_found_by_no_customer(store: Store, snapshot: Snapshot) -> None:
    sha256 = store.store_snapshot(snapshot).sha256
    store.store_scheme(make_scheme(sha256, owner_id=None), [])
    with pytest.raises(NotFoundError):
        store.get_scheme("sch_1", owner_id="ZK-1")


def test_scheme_never_changes_hands(store: Store, snapshot: Snapshot) -> None:
    sha256 = store.store_snapshot(snapshot).sha256
    store.store_scheme(make_scheme(sha256), [("scheme.pdf", b"pdf")])
    with pytest.raises(OwnerConflictError):
        store.store_scheme(make_scheme(sha256, owner_id="ZK-2", content=b"stolen"), [])
    assert store.get_scheme("sch_1").content == b"{}"
    assert store.get_document("sch_1", "scheme.pdf") == b"pdf"
    store.store_scheme(make_scheme(sha256, owner_id=None, content=b"again"), [])
    assert store.get_scheme("sch_1", owner_id="ZK-1").content == b"again"


def test_scheme_of_staff_cannot_be_claimed_by_asking_the_same(store: Store, snapshot: Snapshot) -> None:
    sha256 = store.store_snapshot(snapshot).sha256
    store.store_scheme(make_scheme(sha256, owner_id=None), [])
    with pytest.raises(OwnerConflictError):
        store.store_scheme(make_scheme(sha256), [])
    assert store.get_scheme("sch_1").owner_id is None
