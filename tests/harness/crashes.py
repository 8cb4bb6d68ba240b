"""Kill the service, or its database, again and again while clients go on; were they told the truth?"""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.harness.client import Client
from tests.harness.demands import draw
from tests.harness.journal import Journal
from tests.harness.judge import find_problems
from tests.harness.quick_service import KILL_POINTS
from tests.harness.service import Connection, Nursery, Service
from tests.stores import PostgresServer

CLIENTS = 8
VA_MAX = 400
BACK_WITHIN_S = 60.0
DIES_WITHIN_S = 20.0
_SERVED_POINTS = tuple(name for name in KILL_POINTS if name != "in the sweeper")


@dataclass(kw_only=True)
class CrashRun:
    """What happened in a run."""

    seed: int
    journal: Journal = field(default_factory=Journal)
    faults: Counter[str] = field(default_factory=Counter)
    starts_s: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def kill_service(url: str, boards: Sequence[str], folder: Path, nursery: Nursery, *, kills: int, seed: int) -> CrashRun:
    """Kill the service at random moments and at named points in turn, and judge the store."""
    run, service, drawn = CrashRun(seed=seed), Service(url, folder, nursery), random.Random(seed)
    crowd = _Crowd(service, boards, run.journal, seed=seed)
    try:
        for number in range(kills):
            point = _SERVED_POINTS[number // 2 % len(_SERVED_POINTS)] if number % 2 else None
            options = () if point is None else ("--kill-at", point, "--kill-count", str(drawn.randint(1, 12)))
            run.starts_s.append(service.start(*options))
            crowd.let_in()
            if point is None:
                time.sleep(drawn.uniform(0.05, 0.35))
            else:
                _wait_for_death(service, point)
            service.kill()
            run.faults[point or "at random"] += 1
        run.starts_s.append(service.start())
        crowd.finish()
    finally:
        service.kill()
    run.problems = find_problems(url, run.journal)
    return run


def kill_database(
    server: PostgresServer, url: str, boards: Sequence[str], folder: Path, nursery: Nursery, *, faults: int, seed: int
) -> CrashRun:
    """Kill PostgreSQL (its backends, its postmaster, at once) under the running service, and judge the store."""
    run, service, drawn = CrashRun(seed=seed), Service(url, folder, nursery), random.Random(seed)
    crowd = _Crowd(service, boards, run.journal, seed=seed)
    try:
        run.starts_s.append(service.start())
        crowd.let_in()
        for number in range(faults):
            time.sleep(drawn.uniform(0.3, 0.8))
            name, harm = _HARMS[number % len(_HARMS)]
            harm(server)
            run.faults[name] += 1
        crowd.finish()
    finally:
        service.kill()
    run.problems = find_problems(url, run.journal)
    return run


def _kill_backends(server: PostgresServer) -> None:
    server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gridscheme'")


def _kill_postmaster(server: PostgresServer) -> None:
    server.stop(signal.SIGKILL)
    _start_again(server)


def _stop_at_once(server: PostgresServer) -> None:
    server.stop(signal.SIGQUIT)
    _start_again(server)


def _start_again(server: PostgresServer) -> None:
    """Start as soon as the children of the killed one have let go of the shared memory."""
    end = time.monotonic() + BACK_WITHIN_S
    while True:
        try:
            server.start()
            return
        except AssertionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


_HARMS: Sequence[tuple[str, Callable[[PostgresServer], None]]] = (
    ("backends terminated", _kill_backends),
    ("postmaster killed", _kill_postmaster),
    ("stopped at once", _stop_at_once),
)


def _wait_for_death(service: Service, point: str) -> None:
    end = time.monotonic() + DIES_WITHIN_S
    while service.is_running:
        assert time.monotonic() < end, f"{point}: never passed"
        time.sleep(0.01)


class _Crowd:
    """Clients that go on until told to finish, whatever becomes of the service."""

    def __init__(self, service: Service, boards: Sequence[str], journal: Journal, *, seed: int) -> None:
        self._service, self._journal = service, journal
        self._is_over = threading.Event()
        self._is_open = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(boards, seed, number), daemon=True) for number in range(CLIENTS)
        ]
        self._faults: list[Exception] = []

    def let_in(self) -> None:
        """Let the clients begin."""
        if not self._is_open.is_set():
            self._is_open.set()
            for thread in self._threads:
                thread.start()

    def finish(self) -> None:
        """Let every client finish what it does, and wait for them."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()
        if self._faults:
            raise self._faults[0]

    def _work(self, boards: Sequence[str], seed: int, number: int) -> None:
        client = Client(self._connect, self._journal, seed=number)
        demands = draw(boards, seed=seed * 1000 + number, prefix=f"C{number}", va_max=VA_MAX)
        try:
            while not self._is_over.is_set():
                client.serve(next(demands))
        except Exception as error:  # noqa: BLE001 - raised again when the run ends
            self._faults.append(error)

    def _connect(self) -> Connection:
        return self._service.connection()
