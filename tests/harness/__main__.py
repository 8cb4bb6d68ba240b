"""The long runs: ``python -m tests.harness KIND [--store ...] [--count N] [--seed N]``.

Kinds: ``concurrency``, ``duels``, ``conversions``, ``crashes``, ``power-loss``.

Prints seed, what was asked, what was told and what is wrong; exit status 1 when anything is, or nothing was harmed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import partial
from pathlib import Path

from gridmodel.readers.tables import read_tables
from gridmodel.snapshot import Snapshot
from scheme.ledger.accounts import build_accounts
from scheme.policy.loader import load_policy
from tests.conftest import FIXTURES
from tests.harness.client import run_clients
from tests.harness.conversions import (
    find_conversion_problems,
    find_target,
    prepare_projects,
    run_conversions,
)
from tests.harness.crashes import kill_database, kill_service
from tests.harness.demands import boards_of, draw, prepare_store
from tests.harness.duels import find_rooms, run_duels
from tests.harness.journal import Journal
from tests.harness.judge import find_problems
from tests.harness.power_loss import build_disk, lose_power
from tests.harness.service import Nursery, Service
from tests.stores import PostgresServer

COUNTS = {"concurrency": 100_000, "duels": 10_000, "conversions": 1_000, "crashes": 500, "power-loss": 200}
CLIENTS, RIVALS = 64, 16
_VA_OF_ALL = 6_000_000
"""What is asked for in all, so that limits are met however many ask."""


def main(arguments: list[str]) -> int:
    """Run one kind on one store."""
    parser = argparse.ArgumentParser(prog="python -m tests.harness", description=__doc__)
    parser.add_argument("kind", choices=list(COUNTS))
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--count", type=int, default=None)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    count = options.count or COUNTS[options.kind]
    grid = read_tables(FIXTURES / "township")
    runs: dict[str, Callable[[Path, Snapshot, int, int, str], list[str]]] = {
        "concurrency": _concurrency,
        "duels": _duels,
        "conversions": _conversions,
        "crashes": _crashes,
        "power-loss": _power_loss,
    }
    with tempfile.TemporaryDirectory() as folder:
        problems = runs[options.kind](Path(folder), grid, count, options.seed, options.store)
    for problem in problems[:50]:
        print(f"WRONG {problem}")
    print(f"{options.kind} on {options.store}: count {count}, seed {options.seed}, wrong {len(problems)}")
    return 1 if problems else 0


def _concurrency(folder: Path, grid: Snapshot, count: int, seed: int, store: str) -> list[str]:
    with _grid_url(folder, grid, store) as url, _service(url, folder) as service:
        journal = Journal()
        demands = draw(boards_of(grid), seed=seed, prefix="R", va_max=max(1, 2 * _VA_OF_ALL // count))
        elapsed_s = run_clients(service.connection, journal, demands, count=count, clients=CLIENTS)
        told = Counter(line.outcome for line in journal.lines)
        print(f"{dict(told)}, {count / elapsed_s:.1f} a second, p99 {journal.percentile_s(0.99):.2f} s")
        return find_problems(url, journal)


def _duels(folder: Path, grid: Snapshot, count: int, seed: int, store: str) -> list[str]:
    book = build_accounts(grid, load_policy("shenqiu-2022", date.today()))
    with _grid_url(folder, grid, store) as url, _service(url, folder) as service:
        rooms = find_rooms(url, book, boards_of(grid))
        room = rooms[seed % len(rooms)]
        return run_duels(service, room, rounds=count, clients=RIVALS, prefix="D")


def _conversions(folder: Path, grid: Snapshot, count: int, seed: int, store: str) -> list[str]:
    """The seed decides nothing here: all that is random is who comes first."""
    target = find_target(build_accounts(grid, load_policy("shenqiu-2022", date.today())), boards_of(grid))
    with _grid_url(folder, grid, store) as url, ExitStack() as running:
        reserves, journal = prepare_projects(url, target, count), Journal()
        places = [folder / name for name in ("one", "two")]
        for place in places:
            place.mkdir()
        services = [running.enter_context(_service(url, place)) for place in places]
        connects = [partial(service.connection, "planner") for service in services]
        elapsed_s = run_conversions(connects, reserves, journal, clients=CLIENTS)
        told = Counter(line.outcome for line in journal.lines)
        print(f"{target.account_id} with room for {target.room_va} VA: {dict(told)}, {count / elapsed_s:.1f} a second")
        return find_conversion_problems(url, journal, reserves)


def _crashes(folder: Path, grid: Snapshot, count: int, seed: int, store: str) -> list[str]:
    nursery = Nursery()
    try:
        with _grid_url(folder, grid, store) as url:
            run = kill_service(url, boards_of(grid), folder, nursery, kills=count, seed=seed)
        acknowledged = len(run.journal.acknowledged)
        print(f"service: {dict(run.faults)}, acknowledged {acknowledged}, slowest start {max(run.starts_s):.1f} s")
        problems = run.problems
        if store == "postgresql":
            with _server() as server, server.new_database() as name:
                prepare_store(server.url(name), grid)
                run = kill_database(server, server.url(name), boards_of(grid), folder, nursery, faults=count, seed=seed)
            print(f"database: {dict(run.faults)}, acknowledged {len(run.journal.acknowledged)}")
            problems = problems + run.problems
        return problems
    finally:
        nursery.close()


def _power_loss(folder: Path, grid: Snapshot, count: int, seed: int, store: str) -> list[str]:
    if store != "sqlite":
        return ["the disk that forgets is built for SQLite's files; PostgreSQL is killed by: crashes"]
    problems = []
    disk = build_disk(folder)
    for synchronous in (None, "OFF", "NORMAL"):
        place = folder / str(synchronous)
        file = place / "store" / "grid.db"
        file.parent.mkdir(parents=True)
        prepare_store(f"sqlite:///{file}", grid)
        found = lose_power(file, boards_of(grid), disk, place, issues=count, seed=seed, synchronous=synchronous)
        lost = sum("acknowledged and lost" in problem for problem in found.problems)
        print(f"synchronous {synchronous or 'as in the product'}: {lost} of {found.acknowledged} lost")
        if synchronous is None:
            problems += found.problems
        elif not lost:
            problems.append(f"with synchronous {synchronous} nothing was lost: the run cannot tell")
    return problems


@contextmanager
def _service(url: str, folder: Path) -> Iterator[Service]:
    nursery = Nursery()
    service = Service(url, folder, nursery)
    try:
        service.start()
        yield service
    finally:
        service.kill()
        nursery.close()


@contextmanager
def _server() -> Iterator[PostgresServer]:
    server = PostgresServer(fsync="on", full_page_writes="on")
    try:
        server.start()
        server.make_template()
        yield server
    finally:
        server.remove()


@contextmanager
def _grid_url(folder: Path, grid: Snapshot, store: str) -> Iterator[str]:
    if store == "sqlite":
        url = f"sqlite:///{folder / 'grid.db'}"
        prepare_store(url, grid)
        yield url
        return
    with _server() as server, server.new_database() as name:
        url = server.url(name)
        prepare_store(url, grid)
        yield url


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
