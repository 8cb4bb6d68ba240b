"""What the clients ask for: seeded boards and sizes of one grid."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from api.admission import Admission
from api.services import Services
from gridmodel.snapshot import Snapshot
from scheme.ledger import Actor
from scheme.request import SupplyRequest
from scheme.store import Store, StoredScheme
from tests.harness.quick_service import BOARD_PREFIX, quick_parts, quick_scheme

ACTOR = Actor(subject_id="harness", role="engineer", request_id="harness")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One customer."""

    name: str
    board: str
    capacity_va: int

    @property
    def scheme_id(self) -> str:
        """Identifier of the scheme the quick service answers."""
        return f"sch_{self.name}"

    def request(self) -> dict[str, Any]:
        """Return the request as sent; power factor and place do not matter to the quick answer."""
        return {
            "request_id": self.name,
            "applicant": {"name": f"{BOARD_PREFIX}{self.board}", "category": "small_micro"},
            "business": "new",
            "location": {"lon_deg": 115.0, "lat_deg": 33.4, "datum": "CGCS2000"},
            "demand": {"installed_kw": 1.0, "capacity_kva": self.capacity_va / 1000, "power_factor": 0.95},
            "received_on": "2026-11-01",
        }


def boards_of(snapshot: Snapshot) -> Sequence[str]:
    """Return the low-voltage boards of a grid."""
    return tuple(map(str, snapshot.nodes.element_id[snapshot.nodes.kind == "lv_board"]))


def prepare_store(url: str, snapshot: Snapshot) -> None:
    """Make the snapshot the current one of an empty store, with its accounts."""
    store = Store(url)
    services = Services(store, profile="shenqiu-2022", clock=date.today, parts=quick_parts())
    Admission(services).activate(snapshot, actor=ACTOR)
    store.close()


def store_answers(url: str, demands: Iterable[Demand]) -> None:
    """Keep the scheme of each demand as if it had been asked for, so that clients only issue."""
    store = Store(url)
    try:
        snapshot = store.get_snapshot(str(store.find_current_sha256()))
        for demand in demands:
            asked = SupplyRequest.model_validate_json(json.dumps(demand.request()))
            record = quick_scheme(asked, snapshot=snapshot, as_of=date.today()).as_dict()
            store.store_scheme(
                StoredScheme(
                    scheme_id=record["scheme_id"],
                    request_id=demand.name,
                    request_sha256="0" * 64,
                    snapshot_sha256=snapshot.sha256,
                    verdict=record["verdict"],
                    content=json.dumps(record, ensure_ascii=False).encode(),
                ),
                (),
            )
    finally:
        store.close()


def draw(boards: Sequence[str], *, seed: int, prefix: str, va_max: int) -> Iterator[Demand]:
    """Yield demands without end; one board in ten is asked for by half of the customers."""
    drawn = random.Random(seed)
    hot = drawn.sample(list(boards), max(1, len(boards) // 10))
    number = 0
    while True:
        number += 1
        board = drawn.choice(hot if drawn.random() < 0.5 else boards)
        yield Demand(name=f"{prefix}-{number}", board=board, capacity_va=drawn.randint(1, va_max))
