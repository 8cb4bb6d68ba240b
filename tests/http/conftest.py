"""Services behind the interface's tests: two nodes with calculations that answer at once, and a small utility."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.access import Role
from gridmodel.snapshot import Snapshot
from tests.admission.utility import Utility, open_utility, small_grid
from tests.api.clients import make_clients
from tests.api.conftest import open_services, snapshot

__all__ = ["Office", "open_services", "snapshot"]

Clients = Mapping[Role | None, TestClient]
IN_FORCE = {"validity": {"from": "2026-03-01", "to": "2099-12-31"}}
"""The ledger's clock is the database's, so schemes that are to be issued are valid for long."""


class Office:
    """A utility whose ledger is real and whose certificates are granted at once, with a client of every role."""

    def __init__(self, utility: Utility) -> None:
        self.utility = utility
        self.clients = make_clients(utility.services)
        self.engineer = self.clients["engineer"]

    def quote(self, kva: float = 50.0, **more: Any) -> str:
        """Keep a scheme that can be issued at the low-voltage board of 400 kVA; return its id."""
        return self.utility.quote("bus:4", kva, voltage="380V", length_m=10.0, **{**IN_FORCE, **more})

    def act(
        self, scheme_id: str, step: str, *, key: str | None = None, role: Role | None = "engineer", **body: Any
    ) -> Any:
        """Call ``POST /v1/schemes/{scheme_id}:{step}``."""
        headers = {"Idempotency-Key": key or f"{scheme_id}-{step}"}
        return self.clients[role].post(
            f"/v1/schemes/{scheme_id}:{step}", json={"reason": "按流程办理", **body}, headers=headers
        )


@pytest.fixture(scope="session")
def grid_of_utility() -> Snapshot:
    return small_grid()


def make_office(folder: Path, grid: Snapshot, **changes: Any) -> Office:
    """Return a utility with calculations replaced; certificates are granted unless ``changes`` say otherwise."""
    quick: dict[str, Any] = {"certify": lambda *_, **__: {"sources": {}}}
    return Office(open_utility(str(folder / "office.db"), grid, **{**quick, **changes}))


@pytest.fixture
def open_office(tmp_path: Path, grid_of_utility: Snapshot) -> Callable[..., Office]:
    """Return a maker of a utility with calculations replaced."""
    return partial(make_office, tmp_path, grid_of_utility)


@pytest.fixture
def office(open_office: Callable[..., Office]) -> Office:
    return open_office()


@pytest.fixture(scope="module")
def calm_office(tmp_path_factory: pytest.TempPathFactory, grid_of_utility: Snapshot) -> Office:
    """A utility shared by tests that are refused and change nothing."""
    return make_office(tmp_path_factory.mktemp("office"), grid_of_utility)
