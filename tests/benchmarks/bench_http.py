"""Schemes over HTTP at 20 clients against the same schemes in this process, one after the other.

Question: what do sockets, access, validation, ledger and store add to a scheme, and how long does the slowest of 20
clients wait? The service is a process of its own on the township, with its documents, SQLite below; answers are worked
out one at a time there, so the wait is that of a queue. Peer: :meth:`api.services.Services.answer` here, on a store of
its own, taking turns with the clients.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import count
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx2
from fastapi import FastAPI

from api.capacity_tables import CapacityTables
from api.services import Services
from gridmodel.readers.tables import read_tables
from scheme.request import parse_request
from scheme.store import Store
from tests.access.clients import with_access
from tests.api.clients import make_app
from tests.benchmarks.turns import seconds, summary
from tests.http.serving import served

FIXTURES = Path(__file__).parents[2] / "fixtures"
REQUEST = FIXTURES / "requests" / "lv_resident.json"
AS_OF = date(2026, 11, 22)
CLIENTS = 20
REQUESTS_EACH = 1
WAIT_S_MAX = 600.0


def open_services(file: str) -> Services:
    """Return the product's services over a store."""
    return Services(Store(file), profile="shenqiu-2022", clock=lambda: AS_OF)


def make_service(file: str) -> tuple[FastAPI, str]:
    """Return the application over a store and an engineer's key; the grid is in memory."""
    services = open_services(file)
    services.get_live()
    app = make_app(services)
    return app, with_access(app).keys["engineer"]


def run(*, repetitions: int = 3) -> Iterator[dict[str, Any]]:
    """Yield time of a scheme over HTTP in units of one in this process, schemes a second, and the slowest percent."""
    asked = json.loads(REQUEST.read_text(encoding="utf-8"))
    numbers = count(1)
    with tempfile.TemporaryDirectory() as folder:
        served_file, own_file = (str(Path(folder) / name) for name in ("served.db", "own.db"))
        snapshot = read_tables(FIXTURES / "township")
        for file in (served_file, own_file):
            Store(file).store_snapshot(snapshot)
        own = open_services(own_file)
        with served(make_service, served_file) as (address, key):
            waits_s: list[float] = []
            pairs = []
            _answer(own, asked, next(numbers))
            _ask(address, key, asked, [next(numbers)])
            for _ in range(repetitions):
                one_s = seconds(lambda: _answer(own, asked, next(numbers)))
                batches = [[next(numbers) for _ in range(REQUESTS_EACH)] for _ in range(CLIENTS)]
                began_s = time.perf_counter()
                with ThreadPoolExecutor(CLIENTS) as pool:
                    waits_s += _waits(pool, address, key, asked, batches)
                whole_s = time.perf_counter() - began_s
                pairs.append((whole_s / (CLIENTS * REQUESTS_EACH), one_s))
    yield from _rows(pairs, waits_s)


def _rows(pairs: list[tuple[float, float]], waits_s: list[float]) -> Iterator[dict[str, Any]]:
    case = f"a scheme over HTTP at {CLIENTS} clients / the same in process, low voltage, township"
    told = summary(pairs)
    yield {"id": "B12", "case": case, "must": "", **told}
    yield {
        "id": "B12",
        "case": f"schemes a second over HTTP at {CLIENTS} clients",
        "must": "",
        "value": 1 / told["ours_s"],
    }
    p99_s = quantiles(waits_s, n=100, method="inclusive")[98]
    yield {"id": "B12", "case": f"p99 of the wait of one of {CLIENTS} clients (s)", "must": "", "value": p99_s}


def _answer(services: Services, asked: Mapping[str, Any], number: int) -> None:
    request = parse_request(json.dumps({**asked, "request_id": f"R-{number}"}))
    find_capacity = CapacityTables(services).find
    assert services.answer(request, find_capacity=find_capacity).stored.verdict == "answered"


def _waits(
    pool: ThreadPoolExecutor, address: str, key: str, asked: Mapping[str, Any], batches: list[list[int]]
) -> list[float]:
    """Return how long each request of all clients took (s)."""
    return [wait for found in pool.map(lambda batch: _ask(address, key, asked, batch), batches) for wait in found]


def _ask(address: str, key: str, asked: Mapping[str, Any], numbers: list[int]) -> list[float]:
    """Have one client ask once for each number, one after the other."""
    waits = []
    with httpx2.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=WAIT_S_MAX) as client:
        for number in numbers:
            body = {**asked, "request_id": f"R-{number}"}

            def send(body: Mapping[str, Any] = body, number: int = number) -> None:
                answer = client.post("/v1/schemes", json=body, headers={"Idempotency-Key": f"k-{number}"})
                assert answer.status_code == 201, answer.text

            waits.append(seconds(send))
    return waits
