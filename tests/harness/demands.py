"""What the clients ask for: seeded boards and sizes of one grid."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from api.admission import Admission
from api.services import Services
from gridmodel.snapshot import Snapshot
from scheme.ledger import Actor
from scheme.store import Store
from tests.harness.quick_service import BOARD_PREFIX, quick_parts

ACTOR = Actor(subject_id="harness", role="engineer", request_id="harness")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One customer."""

    name: str
    board: str
    capacity_va: int

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


def draw(boards: Sequence[str], *, seed: int, prefix: str, va_max: int) -> Iterator[Demand]:
    """Yield demands without end; one board in ten is asked for by half of the customers."""
    drawn = random.Random(seed)
    hot = drawn.sample(list(boards), max(1, len(boards) // 10))
    number = 0
    while True:
        number += 1
        board = drawn.choice(hot if drawn.random() < 0.5 else boards)
        yield Demand(name=f"{prefix}-{number}", board=board, capacity_va=drawn.randint(1, va_max))
