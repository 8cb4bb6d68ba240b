"""What the capacity ledger (容量台账) keeps and is asked for. Capacities are whole VA: sums of them are exact."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from scheme.ledger.chain import Plain, canonical_bytes
from scheme.ledger.states import State

VA_PER_KVA = 1000

LEVELS: Mapping[str, int] = {
    "transformer": 5,
    "section": 4,
    "feeder": 3,
    "main_transformer": 2,
    "substation": 1,
    "source": 1,
}
"""First part of an account's id and its level; counters are updated from the highest level (the leaf) to the root."""


def level_of(account_id: str) -> int:
    """Return the level an account id names.

    Raises:
        ValueError: It names none.
    """
    level = LEVELS.get(account_id.partition(":")[0])
    if level is None or not account_id.partition(":")[2]:
        raise ValueError(f"not the id of an account: {account_id!r}")
    return level


def leaf_to_root(account_id: str) -> tuple[int, str]:
    """Sort key of the one order in which accounts are locked and changed."""
    return -level_of(account_id), account_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something, in which role, by which call."""

    subject_id: str
    role: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One element whose capacity is limited (配变, 线路分段, 馈线, 主变, 变电站)."""

    account_id: str
    element_id: str
    limit_va: int | None
    """``None`` where it is not known: then only the certificate guards this level."""

    @property
    def level(self) -> int:
        """5 transformer, 4 section, 3 feeder, 2 main transformer, 1 substation or source."""
        return level_of(self.account_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """An account as the ledger has it."""

    account: Account
    held_va: int
    posted_va: int
    version: int
    """Goes up whenever the use or the limit changes, and with every snapshot."""
    is_current: bool
    """Whether the current snapshot has the element."""
    is_overcommitted: bool
    """Uses more than its limit, because the limit fell or holds were mapped onto it; no new holds."""

    @property
    def used_va(self) -> int:
        """What live holds take."""
        return self.held_va + self.posted_va

    @property
    def open_va(self) -> int | None:
        """What is left; negative only where overcommitted, ``None`` where the limit is not known."""
        limit_va = self.account.limit_va
        return None if limit_va is None else limit_va - self.used_va


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceShare:
    """What one source point of a customer takes, and through which accounts."""

    source_no: int
    node_element_id: str
    share_va: int
    path: tuple[str, ...]
    """Account ids, leaf to root."""

    def __post_init__(self) -> None:
        if self.share_va <= 0:
            raise ValueError("share_va must be > 0")
        if not self.path:
            raise ValueError("a source point without an account would never be counted")
        if len(set(self.path)) != len(self.path) or list(self.path) != sorted(self.path, key=leaf_to_root):
            raise ValueError("a path names each account once, leaf to root")


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedHold:
    """What an answer (答复) asks the ledger to keep free."""

    scheme_id: str
    request_id: str
    owner_id: str
    capacity_va: int
    power_factor: float
    is_low_voltage: bool
    sources: tuple[SourceShare, ...]
    snapshot_sha256: str
    policy_sha256: str
    expires_on: date
    """Last valid day, inclusive."""
    supersedes: str | None = None
    """Hold of an earlier scheme of the same request."""

    def __post_init__(self) -> None:
        if self.capacity_va <= 0:
            raise ValueError("capacity_va must be > 0")
        if not self.sources:
            raise ValueError("a hold has at least one source point")
        if len({source.source_no for source in self.sources}) != len(self.sources):
            raise ValueError("source points are numbered once each")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """Versions of accounts on which a certificate was worked out."""

    versions: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Trial load flow (潮流校核) that shows the hold breaks no limit, and what it was worked out on."""

    certificate_id: str
    snapshot_sha256: str
    pins: Pins
    engine: str
    content_json: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldSource:
    """A source point of a hold as it is counted now."""

    source_no: int
    node_element_id: str
    share_va: int
    path: tuple[str, ...]
    """Empty on the orphan list."""

    @property
    def is_orphan(self) -> bool:
        """Whether the current snapshot has no place for it; a person decides."""
        return not self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Capacity kept for one scheme."""

    hold_id: str
    hold_no: int
    """Place in the queue of answers."""
    scheme_id: str
    request_id: str
    owner_id: str
    capacity_va: int
    power_factor: float
    is_low_voltage: bool
    sources: tuple[HoldSource, ...]
    snapshot_sha256: str
    policy_sha256: str
    certificate_id: str
    state: State
    created_at: datetime
    expires_on: date
    predecessor_id: str | None = None
    """The hold this one follows: superseded by it, or reduced to it."""
    changed_at: datetime | None = field(default=None, compare=False)
    """When it came into its state."""

    @property
    def is_orphan(self) -> bool:
        """Whether a source point of it is on the orphan list."""
        return any(source.is_orphan for source in self.sources)

    def as_plain(self) -> Plain:
        """Return what its digest covers."""
        return {
            "hold_id": self.hold_id,
            "scheme_id": self.scheme_id,
            "capacity_va": self.capacity_va,
            "state": self.state,
            "expires_on": self.expires_on.isoformat(),
            "sources": " ".join(
                f"{s.source_no}={s.node_element_id}:{s.share_va}@{'>'.join(s.path)}" for s in self.sources
            ),
        }

    @property
    def sha256(self) -> str:
        """Digest of what a state change may change, for the audit trail."""
        return hashlib.sha256(canonical_bytes(self.as_plain())).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerHead:
    """Last entry of the ledger: its number and the digest of all entries up to it."""

    seq: int
    sha256: str


HoldSourceKey = tuple[str, int]
"""Hold id and source number."""
