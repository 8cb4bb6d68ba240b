"""Many planners convert reserve projects onto one feeder at once; two services over one store."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select

from scheme.ledger.accounts import AccountBook
from scheme.ledger.records import Actor
from scheme.library.entry import ProjectEntry
from scheme.library.files import ReadEntry, ReadProjects
from scheme.library.importing import import_projects
from scheme.library.records import project_id_of
from scheme.library.tables import PROJECT, PROJECT_CONVERSION
from scheme.store import Store
from tests.harness.client import run_together
from tests.harness.journal import Journal, Line
from tests.harness.judge import find_problems
from tests.harness.quick_service import BOARD_PREFIX
from tests.harness.service import UNKNOWN_OUTCOME, Connection

PLANNER = Actor(subject_id="harness", role="planner", request_id="harness")
TRIES_MAX = 4_000
_TRY_AGAIN = frozenset({"admission.concurrent", "request.in_progress", "store.unavailable", "snapshot.moved"})
_PAUSE_S = 0.02
_OVERSOLD = 2
"""How many times the room of the feeder is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A feeder all projects want to hang on."""

    account_id: str
    boards: tuple[str, ...]
    room_va: int
    """What its boards and the feeder itself let through together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """One project."""

    project_id: str
    capacity_va: int


def find_target(book: AccountBook, boards: Sequence[str]) -> Target:
    """Return the feeder whose own limit is met first when all its boards are filled."""
    limits = {account.account_id: account.limit_va for account in book.accounts}
    below: dict[str, list[str]] = {}
    for board in boards:
        for name in book.find_path(board) or ():
            if name.startswith("feeder:") and (limits[name] or 0) > 0:
                below.setdefault(name, []).append(board)

    def open_below_va(name: str) -> int:
        leaves = {(book.find_path(board) or ("",))[0] for board in below[name]}
        return sum(max(limits[leaf] or 0, 0) for leaf in leaves)

    name = max(below, key=lambda name: (open_below_va(name) / (limits[name] or 1), name))
    return Target(account_id=name, boards=tuple(below[name]), room_va=min(limits[name] or 0, open_below_va(name)))


def prepare_projects(url: str, target: Target, count: int) -> list[Reserve]:
    """Put projects into the library that ask together for twice the room of the feeder."""
    capacity_va = max(1, _OVERSOLD * target.room_va // count)
    entries = [_entry(number, target.boards[number % len(target.boards)], capacity_va) for number in range(count)]
    rows = tuple(ReadEntry(row=row, entry=entry, columns=frozenset()) for row, entry in enumerate(entries, start=1))
    store = Store(url)
    try:
        read = ReadProjects(file="harness.csv", rows=count, entries=rows, findings=())
        import_projects(store, read, actor=PLANNER)
    finally:
        store.close()
    ids = [project_id_of(entry.source_system, entry.source_id) for entry in entries]
    return [Reserve(project_id=project_id, capacity_va=capacity_va) for project_id in ids]


def _entry(number: int, board: str, capacity_va: int) -> ProjectEntry:
    entry = {
        "source_system": "harness",
        "source_id": f"{number}",
        "name": f"{BOARD_PREFIX}{board}",
        "category": "small_micro",
        "location": {"lon_deg": 115.0, "lat_deg": 33.4, "datum": "CGCS2000"},
        "demand": {"installed_kw": 1.0, "capacity_kva": capacity_va / 1000, "power_factor": 0.95},
        "received_on": "2026-11-01",
    }
    return ProjectEntry.model_validate_json(json.dumps(entry))


def run_conversions(
    connects: Sequence[Callable[[], Connection]], reserves: Sequence[Reserve], journal: Journal, *, clients: int
) -> float:
    """Let clients convert every project, one in ten of them twice at once, and return how long that took (s)."""
    asked = [(n, one) for n, one in enumerate(reserves) for _ in range(2 if n % 10 == 0 else 1)]
    lock, left = threading.Lock(), iter(asked)

    def work(number: int) -> None:
        connection = connects[number % len(connects)]()
        while True:
            with lock:
                place, reserve = next(left, (0, None))
            if reserve is None:
                return
            _convert(connection, reserve, journal, key=f"{place}-{number}")

    return run_together([partial(work, number) for number in range(clients)])


def _convert(connection: Connection, reserve: Reserve, journal: Journal, *, key: str) -> None:
    path = f"/v1/projects/{reserve.project_id}:convert"
    began, status, told = time.monotonic(), None, dict[str, object]()
    for _ in range(TRIES_MAX):
        try:
            reply = connection.ask("POST", path, {"reason": "用电需求明确", "variant_no": 1}, key=key)
        except UNKNOWN_OUTCOME:
            time.sleep(_PAUSE_S)
            continue
        journal.count_status(reply.status)
        status, told = reply.status, reply.json
        if status in (409, 503) and told.get("code") in _TRY_AGAIN:
            time.sleep(_PAUSE_S)
            continue
        break
    hold = told.get("hold")
    journal.add(
        Line(
            name=reserve.project_id,
            scheme_id=f"sch_{reserve.project_id}",
            outcome="acknowledged" if status == 201 else "refused" if status == 409 else "fault",
            capacity_va=reserve.capacity_va,
            status=status,
            hold_id=hold["hold_id"] if isinstance(hold, Mapping) else None,
            body=json.dumps(told).encode(),
            elapsed_s=time.monotonic() - began,
        )
    )


def find_conversion_problems(url: str, journal: Journal, reserves: Sequence[Reserve]) -> list[str]:
    """Return what is wrong: holds and counters by the ledger, and whether project, application and hold agree."""
    problems = find_problems(url, journal)
    store = Store(url)
    try:
        with store.read() as connection:
            stages = dict(connection.execute(select(PROJECT.c.project_id, PROJECT.c.stage)).all())
            holds = dict(
                connection.execute(select(PROJECT_CONVERSION.c.project_id, PROJECT_CONVERSION.c.hold_id)).all()
            )
    finally:
        store.close()
    told = {line.name: line.hold_id for line in journal.acknowledged}
    return problems + list(_disagreements(reserves, stages, holds, told, journal))


def _disagreements(
    reserves: Sequence[Reserve],
    stages: Mapping[str, str],
    holds: Mapping[str, str],
    told: Mapping[str, str | None],
    journal: Journal,
) -> Iterator[str]:
    for reserve in reserves:
        name = reserve.project_id
        if (stages[name] == "formal") != (name in holds) or (name in told) != (name in holds):
            yield f"{name}: {stages[name]}, told {told.get(name)}, kept {holds.get(name)}"
    for line in journal.acknowledged:
        if line.hold_id != holds.get(line.name):
            yield f"{line.name}: two answers name different holds"
