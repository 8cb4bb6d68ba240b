"""A two-node snapshot, and what is kept of it: records made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import text

from scheme.capacity_blobs import to_blob
from scheme.capacity_manifest import CapacityManifest, CapacityPart, digest_of
from scheme.store import CapacityKey, Store, StoredScheme
from tests.api.conftest import snapshot

__all__ = ["count_rows", "make_key", "make_scheme", "manifest_of", "open_store", "part", "snapshot", "store"]


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


def make_key(parameters: str = "{}") -> CapacityKey:
    digest = digest_of(parameters.encode())
    return CapacityKey(
        parameters=parameters, parameters_sha256=digest, profile="p", policy_sha256="q" * 64, as_of="2026-03-02"
    )


def part(bus: int, open_kva: float = 1200.0) -> bytes:
    """A part of a capacity table with one row."""
    return to_blob(pd.DataFrame({"status": ["assessed"], "open_kva": [open_kva]}, index=[bus]))


def manifest_of(*contents: bytes) -> tuple[CapacityManifest, dict[str, bytes]]:
    parts = [CapacityPart(name=n, nodes=1, sha256=digest_of(content)) for n, content in enumerate(contents)]
    manifest = CapacityManifest(parts=tuple(parts), attributes={"certificate": {"nodes_checked": 20}})
    return manifest, {digest_of(content): content for content in contents}


def count_rows(store: Store, table: str) -> int:
    with store.read() as connection:
        return int(connection.execute(text(f"select count(*) from {table}")).scalar_one())


@pytest.fixture
def open_store() -> Iterator[Callable[[str], Store]]:
    """A maker of stores that are closed after the test."""
    opened: list[Store] = []

    def make(url: str) -> Store:
        opened.append(Store(url))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(store_url: str, open_store: Callable[[str], Store]) -> Store:
    """An empty store, once on each kind of database."""
    return open_store(store_url)
