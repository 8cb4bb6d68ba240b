"""Many planners convert projects onto one feeder at once, on both stores: it is filled and never passed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from scheme.ledger import Ledger
from scheme.ledger.accounts import AccountBook
from scheme.store import Store
from tests.harness.conversions import find_conversion_problems, find_target, prepare_projects, run_conversions
from tests.harness.journal import Journal
from tests.harness.service import Nursery, Service

pytestmark = pytest.mark.timeout(1_800)
"""Minutes on a busy machine."""

PROJECTS, CLIENTS = 40, 8


def test_conversions_from_two_services_fill_a_feeder_and_never_pass_it(
    grid_url: str, nursery: Nursery, book: AccountBook, boards: Sequence[str], tmp_path: Path
) -> None:
    target, journal, services = find_target(book, boards), Journal(), []
    reserves = prepare_projects(grid_url, target, PROJECTS)
    try:
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            services.append(Service(grid_url, tmp_path / name, nursery))
            services[-1].start()
        connects = [lambda service=service: service.connection("planner") for service in services]
        run_conversions(connects, reserves, journal, clients=CLIENTS)
    finally:
        for service in services:
            service.kill()
    assert find_conversion_problems(grid_url, journal, reserves) == []
    refused = [line for line in journal.lines if line.outcome == "refused"]
    assert refused, "the limit was never met"
    assert all(b"project.conversion_refused" in line.body for line in refused)
    store = Store(grid_url)
    (balance,) = Ledger(store).find_accounts([target.account_id])
    store.close()
    assert balance.open_va is not None
    assert balance.open_va >= 0
    won = {line.name for line in journal.acknowledged}
    assert balance.used_va == sum(one.capacity_va for one in reserves if one.project_id in won) > 0
