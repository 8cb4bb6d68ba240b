"""A small network of accounts and holds for the ledger's tests: two feeders of one main transformer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

from sqlalchemy import Connection

from scheme.ledger import Account, Actor, Certificate, Hold, IdempotencyClaim, Ledger, SourceShare, WantedHold
from scheme.ledger.records import leaf_to_root
from scheme.store import Database

KVA = 1000
ENGINEER = Actor(subject_id="li", role="engineer", request_id="call-1")
SWEEPER = Actor(subject_id="sweeper", role="operator", request_id="sweep")
START = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
FAR = date(2099, 12, 31)
SHA = "a" * 64

ROOT = ("main_transformer:M1", "substation:S1")
PATHS = {
    "N1": ("transformer:T1", "feeder:F1", *ROOT),
    "N2": ("transformer:T2", "feeder:F1", *ROOT),
    "N3": ("transformer:T3", "section:L9", "feeder:F2", *ROOT),
    "N4": ("feeder:F2", *ROOT),
}
LIMITS_KVA = {
    "transformer:T1": 400,
    "transformer:T2": 400,
    "transformer:T3": 400,
    "section:L9": 500,
    "feeder:F1": 600,
    "feeder:F2": 600,
    "main_transformer:M1": 1000,
    "substation:S1": 900,
}


class Clock:
    """The database's clock in the hand of a test."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self, _: Connection) -> datetime:
        return self.at

    def go(self, step: timedelta) -> None:
        self.at += step


def accounts(limits_kva: dict[str, int | None] | None = None) -> list[Account]:
    """The accounts, with other limits where they are given."""
    limits: dict[str, int | None] = {**LIMITS_KVA, **(limits_kva or {})}
    return [
        Account(account_id=name, element_id=name.partition(":")[2], limit_va=None if kva is None else kva * KVA)
        for name, kva in limits.items()
    ]


def open_ledger(url: str, *, clock: Clock | None = None, limits_kva: dict[str, int | None] | None = None) -> Ledger:
    """A ledger with the accounts open."""
    ledger = Ledger(Database(url), now=clock or Clock())
    activate(ledger, accounts(limits_kva))
    return ledger


def activate(ledger: Ledger, opened: Sequence[Account]) -> None:
    """Open accounts in a transaction of their own."""
    with ledger.store.write() as connection:
        ledger.open_accounts(connection, opened)


_numbers = count()


def wanted(node: str = "N1", kva: int = 100, **values: object) -> WantedHold:
    """What a scheme at one node asks for; every one of a request of its own."""
    number = next(_numbers)
    path = values.pop("path", None) or PATHS[node]
    share = SourceShare(source_no=1, node_element_id=node, share_va=kva * KVA, path=tuple(path))  # type: ignore[arg-type]
    hold = WantedHold(
        scheme_id=f"S-{number}", request_id=f"R-{number}", owner_id="zhang", capacity_va=kva * KVA, power_factor=0.95,
        is_low_voltage=node != "N4", sources=(share,), snapshot_sha256=SHA, policy_sha256=SHA, expires_on=FAR,
    )  # fmt: skip
    return replace(hold, **values)  # type: ignore[arg-type]


def certificate(ledger: Ledger, hold: WantedHold, pinned: Sequence[str] = ("main_transformer:M1",)) -> Certificate:
    """A certificate worked out on the versions as they stand."""
    name = f"C-{hold.scheme_id}-{next(_numbers)}"
    return Certificate(
        certificate_id=name, snapshot_sha256=SHA, pins=ledger.pin(pinned), engine="test", content_json="{}"
    )


def reserve(ledger: Ledger, hold: WantedHold, *, key: str | None = None, body: str = "body") -> Hold:
    """Reserve on a fresh certificate."""
    return ledger.reserve(
        hold, certificate=certificate(ledger, hold), actor=ENGINEER, claim=None if key is None else claim(key, body)
    )


def claim(key: str, body: str = "body", operation: str = "issue") -> IdempotencyClaim:
    """A claim of one principal."""
    return IdempotencyClaim(principal_id="li", operation=operation, key=key, fingerprint=body)


def used_kva(ledger: Ledger) -> dict[str, float]:
    """What each account uses, those that use something."""
    return {b.account.account_id: b.used_va / KVA for b in ledger.find_accounts() if b.used_va}


def in_order(path: Sequence[str]) -> tuple[str, ...]:
    """A path leaf to root."""
    return tuple(sorted(path, key=leaf_to_root))
