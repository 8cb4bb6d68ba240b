"""Live holds when another snapshot becomes the current one (断面启用): every one mapped once, or on the orphan list.

All of it happens in the transaction that makes the snapshot the current one; where that fails, the old one serves on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection, select

from gridmodel.snapshot import Snapshot
from scheme.ledger import Actor, Hold, HoldSourceKey, Ledger
from scheme.ledger.accounts import AccountBook, build_accounts
from scheme.ledger.audit_trail import Change, append_rows
from scheme.ledger.clock import ledger_time
from scheme.ledger.expiry import civil_day
from scheme.ledger.heads import AUDIT_CHAIN, ENTRY_CHAIN, lock_heads
from scheme.ledger.records import HoldSource
from scheme.ledger.tables import ACCOUNT
from scheme.policy.parameter import PolicyView
from scheme.store.statements import current_sha256

_Identity = tuple[float, object, float, float]
"""Nominal voltage (kV), name, longitude and latitude (degrees) of a node."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of the live holds."""

    mapped: int = 0
    """Source points on a path of the new snapshot."""
    orphans: tuple[str, ...] = ()
    """Holds with a source point that has no place any more; a person decides."""
    closed: tuple[str, ...] = ()
    """Energised holds whose load the snapshot contains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What would become of the live holds as the ledger stands."""

    mapped: int
    """Source points that would find a path."""
    lost: tuple[tuple[Hold, HoldSource], ...]
    """Source points that would have no place any more, each with its hold."""


@dataclass(slots=True, kw_only=True)
class Settlement:
    """Called in the transaction that activates a snapshot, :data:`scheme.store.store.Activation`."""

    ledger: Ledger
    before: Snapshot | None
    """The snapshot that goes; ``None`` where there is none."""
    after: Snapshot
    policy: PolicyView
    actor: Actor
    contains_energised_until: date | None = None
    """The loads of holds energised up to this day are in the data; ``None``: nobody says so, and they count on."""
    book: AccountBook | None = None
    """Accounts of ``after``; worked out when they are needed."""
    outcome: Outcome = field(default_factory=Outcome)

    def prepare(self) -> None:
        """Work the accounts out before the transaction begins, where there is anything to settle."""
        if self.book is None:
            with self.ledger.store.read() as connection:
                is_needed = _has_accounts(connection)
            if is_needed:
                self.book = build_accounts(self.after, self.policy)

    def __call__(self, connection: Connection, snapshot: Snapshot) -> None:
        """Open the accounts of the new snapshot, close what it contains, map the rest; note who did it."""
        if _has_accounts(connection):
            self._settle(connection, snapshot)
        heads = lock_heads(connection, AUDIT_CHAIN, ENTRY_CHAIN)
        head = heads[AUDIT_CHAIN]
        change = Change(
            action="snapshot.activate",
            object_id=snapshot.sha256,
            before_sha256=current_sha256(connection),
            after_sha256=snapshot.sha256,
        )
        at = ledger_time(self.ledger.time_in(connection), head.last_at)
        append_rows(connection, self.actor, [change], at=at, after=(head.seq, head.sha256))

    def foresee(self) -> Forecast:
        """Return what making the snapshot the current one would do to the live holds; nothing is changed."""
        with self.ledger.store.read() as connection:
            live = self.ledger.list_live(connection) if _has_accounts(connection) else []
        if not live:
            return Forecast(mapped=0, lost=())
        mapping = self._map(live, self.book or build_accounts(self.after, self.policy))
        points = [(hold, source) for hold in live for source in hold.sources]
        lost = tuple((hold, source) for hold, source in points if mapping[hold.hold_id, source.source_no] is None)
        return Forecast(mapped=len(points) - len(lost), lost=lost)

    def _settle(self, connection: Connection, snapshot: Snapshot) -> None:
        book = self.book or build_accounts(self.after, self.policy)
        # The accounts first: they lock every live hold, so that the list below is whole.
        self.ledger.open_accounts(connection, book.accounts)
        live = self.ledger.list_live(connection)
        contained = [hold for hold in live if self._is_contained(hold)]
        reason = f"snapshot {snapshot.sha256} activated"
        self.ledger.close(connection, [hold.hold_id for hold in contained], actor=self.actor, reason=reason)
        left = [hold for hold in live if hold not in contained]
        mapping = self._map(left, book)
        self.ledger.remap(connection, mapping, self.actor, reason=reason)
        self.outcome = Outcome(
            mapped=sum(path is not None for path in mapping.values()),
            orphans=tuple(sorted({hold_id for (hold_id, _), path in mapping.items() if path is None})),
            closed=tuple(hold.hold_id for hold in contained),
        )

    def _is_contained(self, hold: Hold) -> bool:
        until, since = self.contains_energised_until, hold.changed_at
        return hold.state == "energised" and until is not None and since is not None and civil_day(since) <= until

    def _map(self, holds: Iterable[Hold], book: AccountBook) -> dict[HoldSourceKey, tuple[str, ...] | None]:
        before = None if self.before is None else _by_element(self.before)
        after = _by_element(self.after)
        is_numbered = self.after.source_format == "pandapower"
        mapping: dict[HoldSourceKey, tuple[str, ...] | None] = {}
        for hold in holds:
            for source in hold.sources:
                node = source.node_element_id
                is_there = node in after and (
                    before is None or _is_same_node(before.get(node), after[node], is_numbered=is_numbered)
                )
                mapping[hold.hold_id, source.source_no] = book.find_path(node) if is_there else None
        return mapping


def _has_accounts(connection: Connection) -> bool:
    return connection.execute(select(ACCOUNT.c.account_id).limit(1)).first() is not None


def _by_element(snapshot: Snapshot) -> dict[str, _Identity]:
    """Return the nodes by identifier; identifiers that stand twice name none."""
    nodes = snapshot.nodes[~snapshot.nodes.element_id.duplicated(keep=False)]
    columns = (nodes[name].tolist() for name in ("element_id", "u_nominal_kv", "name", "lon_deg", "lat_deg"))
    return {str(element_id): identity for element_id, *identity in zip(*columns, strict=True)}  # type: ignore[misc]


def _is_same_node(old: _Identity | None, new: _Identity, *, is_numbered: bool) -> bool:
    """Return whether an identifier means the same node in both snapshots.

    A utility's own identifiers do. Where nodes are only numbered (pandapower), the number may have gone to another one:
    name or place must agree. A node of another voltage is another node.
    """
    if old is None:
        return not is_numbered
    if old[0] != new[0]:
        return False
    has_name = isinstance(old[1], str) and bool(old[1])
    return not is_numbered or old[2:] == new[2:] or (has_name and old[1] == new[1])
