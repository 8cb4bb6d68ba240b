"""Many clients at once, on both stores: nothing over a limit, nothing twice, no drift, no room lost."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pytest

from scheme.ledger.accounts import AccountBook
from tests.harness.client import run_clients
from tests.harness.demands import draw, store_answers
from tests.harness.duels import fill, find_rooms, run_duels
from tests.harness.journal import Journal
from tests.harness.judge import find_problems
from tests.harness.service import Nursery, Service

pytestmark = pytest.mark.timeout(1_800)
"""Minutes on a busy machine."""

RESERVATIONS, CLIENTS, VA_MAX = 5_000, 64, 1_200
DUELS, RIVALS = 300, 8


def test_thousands_of_reservations_from_many_clients_break_nothing(
    grid_url: str, nursery: Nursery, boards: Sequence[str], tmp_path: Path
) -> None:
    service, journal = Service(grid_url, tmp_path, nursery), Journal()
    demands = list(islice(draw(boards, seed=1, prefix="R", va_max=VA_MAX), RESERVATIONS))
    store_answers(grid_url, demands)
    service.start()
    try:
        run_clients(service.connection, journal, iter(demands), count=RESERVATIONS, clients=CLIENTS, is_answered=True)
    finally:
        service.kill()
    assert len(journal.lines) == RESERVATIONS
    assert len(journal.acknowledged) > RESERVATIONS // 4, "too few were granted for limits to be met often"
    assert any(line.outcome == "refused" for line in journal.lines), "no limit was ever met"
    assert find_problems(grid_url, journal) == []


def test_the_last_room_is_won_by_exactly_one_and_filled_to_the_last_va(
    grid_url: str, nursery: Nursery, book: AccountBook, boards: Sequence[str], tmp_path: Path
) -> None:
    rooms = find_rooms(grid_url, book, boards)
    service = Service(grid_url, tmp_path, nursery)
    service.start()
    try:
        assert run_duels(service, rooms[0], rounds=DUELS, clients=RIVALS, prefix="D") == []
        smallest = min(rooms[1:], key=lambda room: room.open_va)
        held_va, problems = fill(service, smallest, step_va=1_000, prefix="F")
    finally:
        service.kill()
    assert problems == []
    assert held_va == smallest.open_va
    left = {room.account_id: room.open_va for room in find_rooms(grid_url, book, [smallest.board])}
    assert left == {}, "the account that was filled still offers room"
