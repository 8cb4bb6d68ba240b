"""Reservations of the ledger against the two usual ways, on both stores, 32 clients, in turns in one process.

Question: what do counters, entries, hash chains and audit rows cost, and what do the usual ways cost instead? Each way
reserves on the same tree, where every level binds: 40 transformers of 1,250 kVA, 4 feeders of 10,000 kVA, a substation
of 30,000 kVA. Peers keep holds alone, on one table: *check then insert* (sum, compare, insert at the
database's default isolation, SQLAlchemy's default transactions) gives capacity away twice, and its row says how much;
*serializable* does the same at SERIALIZABLE and sends again what the database turned away (PostgreSQL alone has it).
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, create_engine, func, insert, select
from sqlalchemy.exc import OperationalError

from scheme.ledger import (
    Account,
    Actor,
    CapacityExhaustedError,
    Certificate,
    Ledger,
    Pins,
    SourceShare,
    WantedHold,
)
from scheme.store import Database
from tests.stores import PostgresServer

CLIENTS, RESERVATIONS = 32, 640
ACTOR = Actor(subject_id="bench", role="engineer", request_id="bench")
SHA = "a" * 64
LIMIT_VA = {"transformer": 1_250_000, "feeder": 10_000_000, "substation": 30_000_000}
_PEER = MetaData()
HOLD = Table(
    "peer_hold",
    _PEER,
    Column("hold_no", Integer, primary_key=True),
    Column("transformer", String(40), index=True),
    Column("feeder", String(40), index=True),
    Column("va", Integer),
)


@dataclass(frozen=True)
class Wish:
    """One reservation."""

    number: int
    transformer_no: int
    va: int

    @property
    def path(self) -> tuple[str, ...]:
        """Accounts, leaf to root."""
        return f"transformer:T{self.transformer_no}", f"feeder:F{self.transformer_no % 4}", "substation:S"


@dataclass
class Outcome:
    """What became of a run."""

    elapsed_s: float = 0.0
    accepted: int = 0
    oversold_va: int = 0
    waits_s: list[float] = field(default_factory=list)


Reserve = Callable[[Wish], bool]


def run(*, repetitions: int = 3) -> Iterator[dict[str, Any]]:
    """Yield, per store, reservations a second and p99 of the ledger, and its time in units of each usual way."""
    with tempfile.TemporaryDirectory() as folder, _server() as server:
        for name in ("sqlite", "postgresql"):
            yield from _store_rows(name, Path(folder), server, repetitions)


def _store_rows(name: str, folder: Path, server: PostgresServer, repetitions: int) -> Iterator[dict[str, Any]]:
    runs: dict[str, list[Outcome]] = {"ledger": [], "check then insert": [], "serializable": []}
    for turn in range(repetitions):
        wishes = _wishes(turn)
        for way, outcomes in runs.items():
            if way == "serializable" and name == "sqlite":
                continue
            with _fresh_url(name, folder / f"{way} {turn}.db", server) as url:
                outcomes.append(_measure(way, url, wishes))
    ours = runs.pop("ledger")
    waits_s = [wait for outcome in ours for wait in outcome.waits_s]
    rate = median(len(outcome.waits_s) / outcome.elapsed_s for outcome in ours)
    assert all(outcome.oversold_va == 0 for outcome in ours), "the ledger gave capacity away twice"
    case = f"{name}, {CLIENTS} clients"
    yield {"id": "L-RES", "case": f"reservations a second, {case}", "value": rate, "must": ""}
    yield {
        "id": "L-P99",
        "case": f"99 of 100 wait at most (s), {case}",
        "value": quantiles(waits_s, n=100)[98],
        "must": "",
    }
    for way, peers in runs.items():
        if not peers:
            continue
        ratios = sorted(o.elapsed_s / p.elapsed_s for o, p in zip(ours, peers, strict=True))
        oversold_kva = max(p.oversold_va for p in peers) / 1000
        yield {
            "id": "L-REL",
            "case": f"time of the ledger / {way} (gave away {oversold_kva:.0f} kVA twice), {name}",
            "ratio_median": median(ratios), "ratio_min": ratios[0], "ratio_max": ratios[-1], "must": "",
            "ours_s": median(o.elapsed_s for o in ours), "peer_s": median(p.elapsed_s for p in peers),
        }  # fmt: skip


def _wishes(seed: int) -> list[Wish]:
    drawn = random.Random(seed)
    return [Wish(n, drawn.randrange(40), drawn.randrange(50_000, 630_001, 5_000)) for n in range(RESERVATIONS)]


def _measure(way: str, url: str, wishes: Sequence[Wish]) -> Outcome:
    makers = {"ledger": _ledger, "check then insert": _check_then_insert, "serializable": _serializable}
    reserve, read_used = makers[way](url)
    outcome = Outcome()

    def ask(wish: Wish) -> bool:
        began = time.perf_counter()
        is_done = reserve(wish)
        outcome.waits_s.append(time.perf_counter() - began)
        return is_done

    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        outcome.accepted = sum(pool.map(ask, wishes))
    outcome.elapsed_s = time.perf_counter() - began
    outcome.oversold_va = sum(max(0, used - LIMIT_VA[name.partition(":")[0]]) for name, used in read_used().items())
    return outcome


def _ledger(url: str) -> tuple[Reserve, Callable[[], dict[str, int]]]:
    ledger = Ledger(Database(url))
    names = {name for number in range(40) for name in Wish(0, number, 1).path}
    accounts = [Account(account_id=n, element_id=n, limit_va=LIMIT_VA[n.partition(":")[0]]) for n in sorted(names)]
    with ledger.store.write() as connection:
        ledger.open_accounts(connection, accounts)

    def reserve(wish: Wish) -> bool:
        share = SourceShare(source_no=1, node_element_id="N", share_va=wish.va, path=wish.path)
        wanted = WantedHold(
            scheme_id=f"S{wish.number}", request_id=f"R{wish.number}", owner_id="bench", capacity_va=wish.va,
            power_factor=0.95, is_low_voltage=True, sources=(share,), snapshot_sha256=SHA, policy_sha256=SHA,
            expires_on=date(2099, 12, 31),
        )  # fmt: skip
        certificate = Certificate(
            certificate_id=f"C{wish.number}",
            snapshot_sha256=SHA,
            pins=Pins(versions={}),
            engine="none",
            content_json="{}",
        )
        try:
            ledger.reserve(wanted, certificate=certificate, actor=ACTOR)
        except CapacityExhaustedError:
            return False
        return True

    def read_used() -> dict[str, int]:
        return {balance.account.account_id: balance.used_va for balance in ledger.find_accounts()}

    return reserve, read_used


def _check_then_insert(url: str) -> tuple[Reserve, Callable[[], dict[str, int]]]:
    engine = create_engine(url, pool_size=CLIENTS)
    return _peer(engine, retries_max=0)


def _serializable(url: str) -> tuple[Reserve, Callable[[], dict[str, int]]]:
    engine = create_engine(url, pool_size=CLIENTS, isolation_level="SERIALIZABLE")
    return _peer(engine, retries_max=1_000)


def _peer(engine: Engine, *, retries_max: int) -> tuple[Reserve, Callable[[], dict[str, int]]]:
    _PEER.create_all(engine)
    limits = tuple(LIMIT_VA.values())

    def reserve_once(wish: Wish) -> bool:
        transformer, feeder, _ = wish.path
        with engine.begin() as connection:
            for where, limit_va in zip(
                (HOLD.c.transformer == transformer, HOLD.c.feeder == feeder, HOLD.c.va > 0), limits, strict=True
            ):
                used_va = connection.execute(select(func.coalesce(func.sum(HOLD.c.va), 0)).where(where)).scalar_one()
                if used_va + wish.va > limit_va:
                    return False
            connection.execute(insert(HOLD).values(transformer=transformer, feeder=feeder, va=wish.va))
        return True

    def reserve(wish: Wish) -> bool:
        for attempt in range(retries_max + 1):
            try:
                return reserve_once(wish)
            except OperationalError:
                if attempt == retries_max and retries_max:
                    raise
        return False

    def read_used() -> dict[str, int]:
        used: dict[str, int] = {}
        with engine.connect() as connection:
            for row in connection.execute(select(HOLD)):
                for name in (row.transformer, row.feeder, "substation:S"):
                    used[name] = used.get(name, 0) + row.va
        engine.dispose()
        return used

    return reserve, read_used


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
def _fresh_url(name: str, file: Path, server: PostgresServer) -> Iterator[str]:
    if name == "sqlite":
        yield f"sqlite:///{file}"
        return
    with server.new_database() as database:
        yield server.url(database)
