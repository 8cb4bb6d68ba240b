"""Capacity tables of the current snapshot: computed once for the same inputs, on demand or in the background.

The store keeps a table in the parts the snapshot falls into, so that a change of the snapshot renews few of them; see
:mod:`api.updates`.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, is_dataclass
from functools import cache, partial
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING, Any

from api.live_grid import LiveState
from api.live_table import LiveTable
from api.services import NoSnapshotError, Progress, Services, product_version
from gridmodel.errors import DomainError
from scheme.capacity_blobs import from_blobs, to_blob

if TYPE_CHECKING:
    import pandas as pd

    from gridmodel.capacity.certificate import Confirm
    from gridmodel.snapshot import Snapshot
    from scheme.capacity_manifest import CapacityPart
    from scheme.ledger.records import LedgerHead
    from scheme.policy.parameter import PolicyView
    from scheme.store import CapacityKey, Store


GATHER_S = 0.3
"""For how long changes of the ledger are gathered before the table is brought up in the background."""
_Place = tuple[str, str]
"""Digests of an imported snapshot and of what else its table was computed from."""


class CapacityNotReadyError(DomainError):
    """The capacity table is still being computed."""

    code = "capacity.not_ready"

    def __init__(self) -> None:
        super().__init__("the capacity of the nodes is being computed; ask again in a few seconds")


class CapacityTables:
    """Finds, computes and keeps the table that belongs to the current grid and policy.

    The table of the imported grid is computed once and stored; what live holds change of it is computed again, part by
    part, whenever the ledger moved, and kept in memory (:class:`api.live_table.LiveTable`). Whoever asks gets the table
    of the ledger as it stood when he asked, or a later one: never a row that a change before his question made stale.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._ready: tuple[_Place, LiveTable] | None = None
        self._running: dict[_Place, threading.Thread] = {}
        self._failed: dict[_Place, Exception] = {}
        self._is_moved = threading.Event()
        self._refresher: threading.Thread | None = None
        self._shown: LedgerHead | None = None
        """Entry of the ledger the map of the store was last brought to."""

    def compute(self, *, confirm: Confirm = "sample", progress: Progress | None = None) -> pd.DataFrame:
        """Compute the table of the imported grid now, keep it, and return it net of the live holds.

        Args:
            confirm: As :func:`gridmodel.open_capacity` has it.
            progress: Called with nodes done and nodes in total.

        Raises:
            NoSnapshotError: Nothing has been imported.
        """
        live, policy = self._services.get_live(), self._services.load_policy()
        kept = self._compute(live.imported, policy, confirm, progress)
        return self._told(kept.bring_up(live, confirm=confirm), live, policy)

    def find(self, live: LiveState | None = None) -> pd.DataFrame | None:
        """Return the table where that of the imported grid has been computed already, else ``None``.

        Args:
            live: The grid; the current one by default.

        Raises:
            NoSnapshotError: Nothing has been imported.
        """
        live, policy = live or self._services.get_live(), self._services.load_policy()
        kept = self._find(live.imported, policy)
        if kept is None:
            return None
        if self._shown != live.head:
            self.refresh_soon()
        return self._told(kept.bring_up(live), live, policy)

    def get_for(self, live: LiveState) -> pd.DataFrame:
        """Return the table of any grid of the store, computed now where it has not been."""
        policy = self._services.load_policy()
        kept = self._find(live.imported, policy) or self._compute(live.imported, policy, "sample", None)
        return self._told(kept.bring_up(live), live, policy)

    def get(self) -> pd.DataFrame:
        """Return the table; where there is none, start computing it in the background.

        Its attributes ``ledger_seq`` and ``ledger_sha256`` say which ledger it is net of.

        Raises:
            NoSnapshotError: Nothing has been imported.
            CapacityNotReadyError: It is being computed.
            DomainError: It could not be computed.
        """
        live, policy = self._services.get_live(), self._services.load_policy()
        table = self.find(live)
        if table is not None:
            return table
        place = self._place(live.imported, policy)[0]
        with self._lock:
            if place in self._failed:
                raise self._failed[place]
            if place not in self._running:
                thread = threading.Thread(target=self._compute_in_background, args=(place, policy), daemon=True)
                self._running[place] = thread
                thread.start()
        raise CapacityNotReadyError

    def start(self) -> None:
        """Begin computing the table where there is a snapshot and no table yet."""
        with suppress(NoSnapshotError, CapacityNotReadyError):
            self.get()

    def refresh_soon(self) -> None:
        """Bring the table and the map of the store up in the background, once for all changes that come meanwhile."""
        self._is_moved.set()
        with self._lock:
            if self._refresher is None or not self._refresher.is_alive():
                self._refresher = threading.Thread(target=self._refresh, daemon=True)
                self._refresher.start()

    def wait(self) -> None:
        """Return when no table is being computed any more."""
        for thread in [*self._running.values(), *([self._refresher] if self._refresher is not None else [])]:
            thread.join()

    def _refresh(self) -> None:
        while self._is_moved.is_set():
            time.sleep(GATHER_S)
            self._is_moved.clear()
            # who asks for the table next is told what is wrong with it
            with suppress(DomainError):
                self._show()

    def _show(self) -> None:
        """Bring the table up, and the map a person may have open on the store."""
        live, policy = self._services.get_live(), self._services.load_policy()
        kept = self._find(live.imported, policy)
        if kept is not None:
            self._shown = live.head
            self._services.store.show_live(live.imported.sha256, kept.find_changed(live), ledger_seq=live.head.seq)

    def _place(self, imported: Snapshot, policy: PolicyView) -> tuple[_Place, CapacityKey]:
        key = capacity_key(imported, policy, self._services.parts.capacity_settings(policy))
        return (imported.sha256, key.parameters_sha256), key

    def _find(self, imported: Snapshot, policy: PolicyView) -> LiveTable | None:
        place, key = self._place(imported, policy)
        ready = self._ready
        if ready is not None and ready[0] == place:
            return ready[1]
        table = read_table(self._services.store, imported, key)
        return None if table is None else self._keep(place, imported, table, policy)

    def _keep(self, place: _Place, imported: Snapshot, table: pd.DataFrame, policy: PolicyView) -> LiveTable:
        settings = self._services.parts.capacity_settings(policy)
        kept = LiveTable(imported, table, partial(self._services.parts.node_capacity, **settings))
        self._ready = place, kept
        return kept

    def _told(self, table: pd.DataFrame, live: LiveState, policy: PolicyView) -> pd.DataFrame:
        if table.attrs.get("ledger_sha256") == live.head.sha256:
            return table
        key = capacity_key(live.snapshot, policy, self._services.parts.capacity_settings(policy))
        table.attrs["parameters_sha256"] = key.parameters_sha256
        table.attrs["ledger_seq"], table.attrs["ledger_sha256"] = live.head.seq, live.head.sha256
        return table

    def _compute_in_background(self, place: _Place, policy: PolicyView) -> None:
        from gridmodel.snapshot import in_force_on

        try:
            # Own copy: an answer given meanwhile solves the net of the shared snapshot.
            imported = in_force_on(self._services.store.get_snapshot(place[0]), policy.as_of)
            self._compute(imported, policy, "sample", None)
        except Exception as error:  # noqa: BLE001 - end of a thread; the next caller is given the error
            self._failed[place] = error
        finally:
            with self._lock:
                self._running.pop(place, None)

    def _compute(
        self, imported: Snapshot, policy: PolicyView, confirm: Confirm, progress: Progress | None
    ) -> LiveTable:
        services = self._services
        settings = services.parts.capacity_settings(policy)
        table = services.parts.node_capacity(imported, **settings, confirm=confirm, progress=progress)
        place, key = self._place(imported, policy)
        store_table(services.store, imported, key, table)
        return self._keep(place, imported, table, policy)


def read_table(store: Store, snapshot: Snapshot, key: CapacityKey) -> pd.DataFrame | None:
    """Return the stored table of a snapshot, its nodes in the snapshot's order; None where there is none."""
    from gridmodel.capacity.refresh import join_rows

    manifest = store.find_capacity(snapshot.sha256, key)
    if manifest is None:
        return None
    rows = from_blobs(store.get_capacity_parts([part.sha256 for part in manifest.parts]))
    table = join_rows(snapshot, [rows])
    table.attrs.update(manifest.told())
    return table


def store_table(store: Store, snapshot: Snapshot, key: CapacityKey, table: pd.DataFrame) -> None:
    """Keep a table of all nodes of a snapshot."""
    from gridmodel.capacity.refresh import split_rows
    from gridmodel.parts import Parts
    from scheme.capacity_manifest import CapacityManifest

    parts, contents = as_parts(split_rows(table, Parts(snapshot)))
    store.store_capacity(
        snapshot.sha256,
        key,
        CapacityManifest(parts=parts, attributes={str(name): told for name, told in table.attrs.items()}),
        contents,
    )


def as_parts(
    pieces: Mapping[int, pd.DataFrame], *, alone: bool = False
) -> tuple[tuple[CapacityPart, ...], dict[str, bytes]]:
    """Return pieces of a table, by name, as the manifest names them, and their contents by digest.

    Args:
        pieces: Rows by name.
        alone: The pieces were computed one by one, so that each has a certificate of its own.
    """
    from scheme.capacity_manifest import CapacityPart, digest_of

    parts, contents = [], {}
    for name in sorted(pieces):
        rows = pieces[name]
        blob = to_blob(rows)
        digest = digest_of(blob)
        contents[digest] = blob
        certificate = rows.attrs.get("certificate") if alone else None
        parts.append(CapacityPart(name=name, nodes=len(rows), sha256=digest, certificate=certificate))
    return tuple(parts), contents


def capacity_key(snapshot: Snapshot, policy: PolicyView, settings: Mapping[str, Any]) -> CapacityKey:
    """Return what identifies a table computed with ``settings`` by this version of the product.

    The commitments in force belong to it: they expire while the snapshot stays the same.
    """
    from scheme.store import CapacityKey

    parameters = json.dumps(
        {
            **{name: asdict(value) if _is_record(value) else value for name, value in settings.items()},
            "commitments": _commitments(snapshot),
            "version": product_version(),
            "engine": _engine_versions(),
        },
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return CapacityKey(
        parameters=parameters,
        parameters_sha256=hashlib.sha256(parameters.encode()).hexdigest(),
        profile=policy.profile,
        policy_sha256=policy.sha256,
        as_of=str(policy.as_of),
    )


def _commitments(snapshot: Snapshot) -> list[str]:
    """Return what is in flight; a live hold may stand elsewhere after a person decided so."""
    frame = snapshot.in_flight
    return sorted(f"{one} {bus}" for one, bus in zip(frame.commitment_id, frame.bus, strict=True))


@cache
def _engine_versions() -> Mapping[str, str]:
    return {name: installed_version(name) for name in ("pandapower", "power-grid-model")}


def _is_record(value: object) -> bool:
    return is_dataclass(value) and not isinstance(value, type)
