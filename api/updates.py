"""Change the current snapshot and keep its capacity table fresh (断面更新)."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from api.capacity_tables import as_parts, capacity_key
from api.services import NoSnapshotError, Services
from scheme.capacity_blobs import from_blobs

if TYPE_CHECKING:
    import pandas as pd

    from gridmodel.capacity.certificate import Confirm
    from gridmodel.capacity.refresh import FreshTable
    from gridmodel.changes import Change
    from gridmodel.parts import Parts
    from gridmodel.snapshot import Snapshot
    from scheme.admission.settlement import Settlement
    from scheme.capacity_manifest import CapacityManifest
    from scheme.ledger import Actor, Ledger
    from scheme.policy.parameter import PolicyView
    from scheme.store import CapacityKey

_COMMAND = "gridscheme update"


@dataclass(frozen=True, eq=False, kw_only=True)
class Update:
    """A snapshot that was changed, and what that did to its capacity table."""

    parent_sha256: str
    snapshot_sha256: str
    rows: Mapping[int, pd.DataFrame] | None = None
    """The nodes computed again, by part; None where the snapshot had no table to refresh."""
    replaced: tuple[str, ...] = ()
    """Digests of the stored parts these nodes stood in before."""


class Updates:
    """Changes the current snapshot of one store, one change after the other; what many changes need is kept.

    Live holds are mapped onto the changed snapshot in the transaction that makes it the current one. Only the table of
    the services' own profile and date is refreshed; others are computed when they are asked for.

    Args:
        services: Store and calculations.
        actor: Who changes the snapshot; the update command by default.
        ledger: The capacity ledger on the same store.
    """

    def __init__(self, services: Services, *, actor: Actor | None = None, ledger: Ledger | None = None) -> None:
        self._services = services
        self._actor, self._ledger = actor, ledger
        self._lock = threading.Lock()
        self._last: tuple[tuple[str, str], Parts] | None = None
        """Parts of the snapshot updated last, under its digest and that of what else its table depends on."""

    def apply(self, changes: Sequence[Change], *, confirm: Confirm = "sample") -> Update:
        """Change the current snapshot, compute again what is concerned of its table, and keep both, or nothing.

        Args:
            changes: What changes.
            confirm: Which of the rows computed again the reference load flow checks.

        Raises:
            NoSnapshotError: Nothing has been imported.
            InputError: A change is wrong.
            SnapshotMovedError: Another snapshot was imported meanwhile.
            EngineDisagreementError: The reference load flow does not confirm a value.
        """
        from gridmodel.changes import apply_changes
        from gridmodel.snapshot import in_force_on

        services, store = self._services, self._services.store
        with self._lock:
            sha256 = store.find_current_sha256()
            if sha256 is None:
                raise NoSnapshotError
            policy = services.load_policy()
            settings = services.parts.capacity_settings(policy)
            whole = store.get_snapshot(sha256)
            changed, touched = apply_changes(whole, changes)
            settlement = self._settle(whole, changed, policy)
            before, after = (in_force_on(snapshot, policy.as_of) for snapshot in (whole, changed))
            key = capacity_key(before, policy, settings)
            calculate = partial(services.parts.node_capacity, **settings, confirm=confirm)
            # Read every time: another process may have confirmed more of the table meanwhile.
            manifest = store.find_capacity(sha256, key)
            fresh = None if manifest is None else self._matching_table(before, key, calculate, manifest)
            if manifest is None or fresh is None:
                store.store_changed(sha256, changed, changes, also=settlement)
                return Update(parent_sha256=sha256, snapshot_sha256=changed.sha256)
            refreshed = fresh.move(after, touched)
            parts, contents = as_parts(refreshed.pieces, alone=True)
            new_key = capacity_key(after, policy, settings)
            renewed = manifest.with_parts(refreshed.gone, parts)
            capacity = (new_key, renewed, contents)
            store.store_changed(sha256, changed, changes, capacity=capacity, also=settlement)
            self._last = (changed.sha256, new_key.parameters_sha256), fresh.parts
        replaced = tuple(part.sha256 for part in manifest.parts if part.name in refreshed.gone)
        return Update(parent_sha256=sha256, snapshot_sha256=changed.sha256, rows=refreshed.pieces, replaced=replaced)

    def rows_before(self, update: Update) -> pd.DataFrame:
        """Return what the table said of the nodes that were computed again."""
        return from_blobs(self._services.store.get_capacity_parts(update.replaced))

    def _settle(self, before: Snapshot, after: Snapshot, policy: PolicyView) -> Settlement:
        from scheme.admission.settlement import Settlement
        from scheme.ledger import Actor, Ledger

        actor = self._actor or Actor(subject_id=_COMMAND, role="operator", request_id=_COMMAND)
        ledger = self._ledger or Ledger(self._services.store)
        settlement = Settlement(ledger=ledger, before=before, after=after, policy=policy, actor=actor)
        settlement.prepare()
        return settlement

    def _matching_table(
        self, snapshot: Snapshot, key: CapacityKey, calculate: Any, manifest: CapacityManifest
    ) -> FreshTable | None:
        """Return the table ready to be refreshed; None where it was kept in other parts than the snapshot has."""
        from gridmodel.capacity.refresh import FreshTable, piece_sizes
        from gridmodel.parts import Parts

        is_last = self._last is not None and self._last[0] == (snapshot.sha256, key.parameters_sha256)
        parts = self._last[1] if self._last is not None and is_last else Parts(snapshot)
        is_same = piece_sizes(parts) == {part.name: part.nodes for part in manifest.parts}
        return FreshTable(parts, calculate) if is_same else None
