"""Capacity tables of the current snapshot: computed once for the same inputs, on demand or in the background.

The store keeps a table in the parts the snapshot falls into, so that a change of the snapshot renews few of them; see
:mod:`api.updates`.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, is_dataclass
from functools import cache
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING, Any

from api.services import NoSnapshotError, Progress, Services, product_version
from gridmodel.errors import DomainError
from scheme.capacity_blobs import from_blobs, to_blob

if TYPE_CHECKING:
    import pandas as pd

    from gridmodel.capacity.certificate import Confirm
    from gridmodel.snapshot import Snapshot
    from scheme.capacity_manifest import CapacityPart
    from scheme.policy.parameter import PolicyView
    from scheme.store import CapacityKey, Store


class CapacityNotReadyError(DomainError):
    """The capacity table is still being computed."""

    code = "capacity.not_ready"

    def __init__(self) -> None:
        super().__init__("the capacity of the nodes is being computed; ask again in a few seconds")


class CapacityTables:
    """Finds, computes and keeps the table that belongs to the current snapshot and policy."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._ready: dict[tuple[str, str], pd.DataFrame] = {}
        self._running: dict[tuple[str, str], threading.Thread] = {}
        self._failed: dict[tuple[str, str], Exception] = {}

    def compute(self, *, confirm: Confirm = "sample", progress: Progress | None = None) -> pd.DataFrame:
        """Compute the table now, keep it and return it; ``confirm`` as :func:`gridmodel.open_capacity` has it.

        Raises:
            NoSnapshotError: Nothing has been imported.
        """
        services = self._services
        snapshot, policy = services.get_snapshot(), services.load_policy()
        return self._compute(snapshot, policy, confirm, progress)

    def find(self) -> pd.DataFrame | None:
        """Return the table where it has been computed already, else ``None``.

        Raises:
            NoSnapshotError: Nothing has been imported.
        """
        services = self._services
        snapshot, policy = services.get_snapshot(), services.load_policy()
        return self._find(snapshot, capacity_key(snapshot, policy, services.parts.capacity_settings(policy)))

    def get_for(self, snapshot: Snapshot) -> pd.DataFrame:
        """Return the table of any snapshot of the store, computed now where it has not been."""
        policy = self._services.load_policy()
        key = capacity_key(snapshot, policy, self._services.parts.capacity_settings(policy))
        table = self._find(snapshot, key)
        return self._compute(snapshot, policy, "sample", None) if table is None else table

    def get(self) -> pd.DataFrame:
        """Return the table; where there is none, start computing it in the background.

        Raises:
            NoSnapshotError: Nothing has been imported.
            CapacityNotReadyError: It is being computed.
            DomainError: It could not be computed.
        """
        services = self._services
        snapshot, policy = services.get_snapshot(), services.load_policy()
        key = capacity_key(snapshot, policy, services.parts.capacity_settings(policy))
        table = self._find(snapshot, key)
        if table is not None:
            return table
        place = (snapshot.sha256, key.parameters_sha256)
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

    def wait(self) -> None:
        """Return when no table is being computed any more."""
        for thread in list(self._running.values()):
            thread.join()

    def _find(self, snapshot: Snapshot, key: CapacityKey) -> pd.DataFrame | None:
        place = (snapshot.sha256, key.parameters_sha256)
        if place not in self._ready:
            table = read_table(self._services.store, snapshot, key)
            if table is None:
                return None
            table.attrs["parameters_sha256"] = key.parameters_sha256
            self._ready = {place: table}
        return self._ready[place]

    def _compute_in_background(self, place: tuple[str, str], policy: PolicyView) -> None:
        from gridmodel.snapshot import in_force_on

        try:
            # Own copy: an answer given meanwhile solves the net of the shared snapshot.
            snapshot = in_force_on(self._services.store.get_snapshot(place[0]), policy.as_of)
            self._compute(snapshot, policy, "sample", None)
        except Exception as error:  # noqa: BLE001 - end of a thread; the next caller is given the error
            self._failed[place] = error
        finally:
            with self._lock:
                self._running.pop(place, None)

    def _compute(
        self, snapshot: Snapshot, policy: PolicyView, confirm: Confirm, progress: Progress | None
    ) -> pd.DataFrame:
        services = self._services
        settings = services.parts.capacity_settings(policy)
        table = services.parts.node_capacity(snapshot, **settings, confirm=confirm, progress=progress)
        key = capacity_key(snapshot, policy, settings)
        store_table(services.store, snapshot, key, table)
        table.attrs["parameters_sha256"] = key.parameters_sha256
        self._ready = {(snapshot.sha256, key.parameters_sha256): table}
        return table


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
            "commitments": sorted(map(str, snapshot.in_flight.commitment_id)),
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


@cache
def _engine_versions() -> Mapping[str, str]:
    return {name: installed_version(name) for name in ("pandapower", "power-grid-model")}


def _is_record(value: object) -> bool:
    return is_dataclass(value) and not isinstance(value, type)
