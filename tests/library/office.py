"""A utility with a small grid whose answers take no time: a project asks for the node named in its applicant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from api.conversions import Conversions
from gridmodel.snapshot import Snapshot
from scheme.ledger import Hold
from scheme.ledger.idempotency import IdempotencyClaim, StoredAnswer, find_answer
from scheme.library.library import Library
from scheme.library.records import Project
from tests.admission.utility import Utility, open_utility
from tests.harness.quick_service import BOARD_PREFIX, quick_capacity, quick_documents, quick_scheme
from tests.library.examples import PLANNER, add, read

BOARD = "bus:4"
"""Low-voltage side of a transformer of 400 kVA; 0.8 of it, less 40 kVA measured, may be given away: 280 kVA."""
BOARD_KVA = 280.0


class PlanningOffice:
    """One process over a store with the library in it."""

    def __init__(self, utility: Utility) -> None:
        self.utility = utility
        self.library = Library(utility.store)
        self.conversions = Conversions(utility.services, utility.tables, utility.admission)

    def add(self, kva: float = 50.0, **changes: Any) -> Project:
        """Put a project into the library that will ask for the board."""
        demand = {"installed_kw": kva * 0.9, "capacity_kva": kva, "power_factor": 0.95}
        return add(self.library, applicant=f"{BOARD_PREFIX}{BOARD}", **{"demand": demand, **changes})

    def convert(self, project_id: str, key: str = "k") -> StoredAnswer:
        """Convert and return what was told."""
        claim = IdempotencyClaim("wang", "convert", key, project_id)
        if (told := self.find_told(claim)) is not None:
            return told
        self.conversions.convert(project_id, actor=PLANNER, reason="用电需求明确", claim=claim, answer=tell)
        told = self.find_told(claim)
        assert told is not None
        return told

    def consult(self, project_id: str, key: str = "c") -> None:
        """Answer preliminarily."""
        claim = IdempotencyClaim("wang", "consult", key, project_id)
        self.conversions.consult(
            project_id, actor=PLANNER, reason="客户咨询", claim=claim, answer=lambda *_: (201, {}, b"{}")
        )

    def find_told(self, claim: IdempotencyClaim) -> StoredAnswer | None:
        """What is kept under a key."""
        with self.utility.store.read() as connection:
            return find_answer(connection, claim)

    def read(self, project: Project) -> Project:
        """The project as it stands."""
        return read(self.library, project.project_id)


def tell(project_id: str, scheme_id: str, hold: Hold, is_earlier: bool) -> tuple[int, Mapping[str, str], bytes]:
    """Tell scheme and hold."""
    return 201, {}, f"{project_id} {scheme_id} {hold.hold_id} {is_earlier}".encode()


def open_office(url: str, grid: Snapshot | None, *, numbers: Any = None, **changes: Any) -> PlanningOffice:
    """Return a process over a store; ``grid`` is imported where it is given."""
    quick: Mapping[str, Callable[..., Any]] = {
        "generate_scheme": quick_scheme,
        "write_documents": quick_documents,
        "node_capacity": quick_capacity,
        "certify": lambda *_, **__: {"sources": {}},
    }
    return PlanningOffice(open_utility(url, grid, numbers=numbers, **{**quick, **changes}))
