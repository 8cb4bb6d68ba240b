"""A publication and the ledger: figures are net of every promise up to the head it names, and of nothing after it."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from api.capacity_tables import CapacityTables
from api.publications import Publications
from api.services import Services, product_parts
from gridmodel.snapshot import Snapshot
from scheme.ledger import Hold, Ledger
from scheme.ledger.accounts import build_accounts
from scheme.ledger.records import Actor
from scheme.publication.records import PublicationStateError
from scheme.store import Store
from tests.ledger.cases import certificate, wanted
from tests.publication.examples import write_public_policy

ZHANG = Actor(subject_id="zhang", role="operator", request_id="r")


def capacity_less_promises(snapshot: Snapshot, **_: Any) -> pd.DataFrame:
    """20 to 219 kVA by the node's name, less what is in flight at the node itself."""
    nodes = snapshot.nodes
    taken = snapshot.in_flight.groupby("bus").capacity_kva.sum() if len(snapshot.in_flight) else pd.Series(dtype=float)
    open_kva = [20.0 + zlib.crc32(str(name).encode()) % 200 for name in nodes.node_id]
    left = pd.Series(open_kva, index=nodes.index) - taken.reindex(nodes.index).fillna(0.0)
    return pd.DataFrame({"node_id": nodes.node_id, "status": "assessed", "open_kva": left}, index=nodes.index)


@dataclass
class Desk:
    publications: Publications
    services: Services
    ledger: Ledger

    def promise(self, node: str, kva: int) -> Hold:
        policy = self.services.load_policy()
        book = build_accounts(self.services.get_live().imported, policy)
        with self.services.store.write() as connection:
            self.ledger.open_accounts(connection, book.accounts)
        hold = replace(wanted(node, kva, path=book.path_of(node)), owner_id="某纺织厂")
        shown = certificate(self.ledger, hold, pinned=book.roots[node])
        return self.ledger.reserve(hold, certificate=shown, actor=ZHANG, claim=None)

    def open_va(self, publication_id: str) -> dict[str, int | None]:
        return {item.element_id: item.open_va for item in self.publications.register.get_behind(publication_id)}


@pytest.fixture
def desk(tmp_path: Path, grid_file: Path) -> Iterator[Desk]:
    shutil.copy(grid_file, tmp_path / "grid.db")
    store = Store(str(tmp_path / "grid.db"))
    parts = replace(product_parts(write_public_policy(tmp_path / "policy")), node_capacity=capacity_less_promises)
    services = Services(store, profile="our-county", clock=lambda: date(2026, 11, 20), parts=parts)
    publications = Publications(services, CapacityTables(services))
    yield Desk(publications=publications, services=services, ledger=Ledger(store))
    publications.close()
    store.close()


def test_figures_are_net_of_the_promises_up_to_the_head_the_file_names(desk: Desk) -> None:
    before = desk.publications.draft(ZHANG)
    desk.promise("B001", 15)
    after = desk.publications.draft(ZHANG)
    head = desk.ledger.head()
    assert before.basis.ledger_seq == 0
    assert (after.basis.ledger_seq, after.basis.ledger_sha256) == (head.seq, head.sha256)
    first, second = desk.open_va(before.publication_id), desk.open_va(after.publication_id)
    moved = {name: (second[name] or 0) - (first[name] or 0) for name in first if first[name] != second[name]}
    assert moved == {"T001": -15_000}
    assert (
        json.loads(desk.publications.register.get_content(after.publication_id))["basis_sha256"] == after.basis.sha256
    )


def test_a_promise_after_the_draft_changes_nothing_of_it(desk: Desk) -> None:
    desk.promise("B001", 15)
    made = desk.publications.draft(ZHANG)
    desk.promise("B002", 12)
    assert desk.publications.is_reproduced(made.publication_id)
    scanned = desk.publications.scan(made.publication_id, ZHANG)
    assert scanned.state == "scanned"
    assert scanned.basis == made.basis


def test_identifiers_of_promises_and_customers_are_looked_for(desk: Desk) -> None:
    hold = desk.promise("B001", 15)
    texts = desk.publications._ledger_texts(desk.ledger.head().seq)
    assert {hold.hold_id, hold.scheme_id, hold.request_id, "某纺织厂"} <= texts


def test_nothing_is_published_while_a_promise_has_no_place(desk: Desk) -> None:
    hold = desk.promise("B001", 15)
    with desk.services.store.write() as connection:
        desk.ledger.remap(connection, {(hold.hold_id, 1): None}, ZHANG)
    with pytest.raises(PublicationStateError, match="without a place"):
        desk.publications.draft(ZHANG)


def test_another_day_cannot_make_a_file_again(desk: Desk) -> None:
    made = desk.publications.draft(ZHANG)
    desk.services.clock = lambda: date(2026, 11, 21)
    with pytest.raises(PublicationStateError, match="own day and profile"):
        desk.publications.is_reproduced(made.publication_id)
