"""What a change of a hold does to each account; no database here.

Everything the ledger books is the difference between a hold before and after: an answer (nothing before), a step to
another state, a new mapping onto accounts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from scheme.ledger.records import Hold, HoldSource, leaf_to_root
from scheme.ledger.states import Step, next_state, use_of


@dataclass(frozen=True, slots=True)
class Delta:
    """Change of the two counters of one account (VA)."""

    held_va: int = 0
    posted_va: int = 0

    @property
    def used_va(self) -> int:
        """Change of what is used."""
        return self.held_va + self.posted_va

    def __add__(self, other: Delta) -> Delta:
        return Delta(self.held_va + other.held_va, self.posted_va + other.posted_va)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldChange:
    """One hold before and after."""

    kind: str
    """The step taken, or ``remap``."""
    before: Hold | None
    """``None`` for a hold that is new."""
    after: Hold


def take_step(hold: Hold, step: Step, at: datetime) -> HoldChange:
    """Return the change a step makes.

    Raises:
        HoldStateError: The step is not allowed from the hold's state.
    """
    after = replace(hold, state=next_state(hold.state, step), changed_at=at)
    return HoldChange(kind=step, before=hold, after=after)


def amounts(sources: Iterable[HoldSource]) -> dict[str, int]:
    """Return what source points take of each account (VA); where two meet, both count in full."""
    found: dict[str, int] = defaultdict(int)
    for source in sources:
        for account_id in source.path:
            found[account_id] += source.share_va
    return dict(found)


def deltas(change: HoldChange) -> dict[str, Delta]:
    """Return what the change does to every account the hold passes through, before or after, in booking order."""
    found: dict[str, Delta] = defaultdict(Delta)
    for hold, sign in ((change.before, -1), (change.after, 1)):
        if hold is None:
            continue
        use = use_of(hold.state)
        for account_id, share_va in amounts(hold.sources).items():
            found[account_id] += Delta(sign * use.held * share_va, sign * use.posted * share_va)
    return {account_id: found[account_id] for account_id in sorted(found, key=leaf_to_root)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterChange:
    """What one transaction does to one account."""

    account_id: str
    delta: Delta
    moves_load: bool
    """Whether load comes or goes, though the sum may be the same: certificates of neighbours are then stale."""


def counter_changes(changes: Sequence[HoldChange], pinned: Iterable[str] = ()) -> list[CounterChange]:
    """Return the changes of a transaction by account, leaf to root; accounts only pinned are among them, unchanged."""
    total: dict[str, Delta] = {account_id: Delta() for account_id in pinned}
    moved: set[str] = set()
    for change in changes:
        for account_id, delta in deltas(change).items():
            total[account_id] = total.get(account_id, Delta()) + delta
            if delta.used_va != 0:
                moved.add(account_id)
    return [
        CounterChange(account_id=account_id, delta=total[account_id], moves_load=account_id in moved)
        for account_id in sorted(total, key=leaf_to_root)
    ]


def reduced_shares(sources: Sequence[HoldSource], *, capacity_va: int, was_va: int) -> tuple[HoldSource, ...]:
    """Return source points reduced as their hold is, from ``was_va`` to ``capacity_va``, each rounded up."""
    return tuple(replace(source, share_va=-(-source.share_va * capacity_va // was_va)) for source in sources)
