"""Where snapshots, capacity tables, schemes and documents are kept.

A snapshot is kept whole, or as its parent's digest and the changes that made it; a capacity table as a manifest of
parts, which tables share.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, delete, insert, select

from gridmodel.change_file import parse_changes
from gridmodel.changes import Change, apply_changes, changed_sha256, to_json
from gridmodel.errors import InputError, NotFoundError, SnapshotFormatError
from gridmodel.snapshot import Snapshot, seal, unseal
from scheme.capacity_manifest import CapacityManifest
from scheme.store.database import Database
from scheme.store.records import CapacityKey, SnapshotMovedError, StoredScheme
from scheme.store.statements import (
    current_sha256,
    insert_capacity,
    insert_snapshot,
    owned_by,
    point_to,
    put_scheme,
)
from scheme.store.tables import CAPACITY, CAPACITY_PART, CURRENT_SNAPSHOT, DOCUMENT, SCHEME, SNAPSHOT

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_FILE = "gridscheme.db"
Activation = Callable[[Connection, Snapshot], None]
"""Called in the transaction that makes a snapshot the current one."""
CUSTOMER_FOLDER = "customer/"
"""What a customer may read of an own scheme stands beside the full documents under this prefix."""
_DIGESTS_PER_QUERY = 500
"""SQLite takes 999 values in a statement at least."""


class Store(Database):
    """A store on one database.

    Args:
        url: ``sqlite:///FILE`` or a bare path, or ``postgresql+psycopg://...`` (also plain ``postgresql://``).

    Raises:
        InputError: The URL names another kind of database.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._loaded: tuple[Snapshot, ...] = ()
        """Snapshots read last: the one that stands alone, and the newest that came out of it."""

    def store_snapshot(self, snapshot: Snapshot, *, also: Activation | None = None) -> Snapshot:
        """Keep ``snapshot`` and make it the current one, in one transaction; return it with its digest.

        Args:
            snapshot: What was imported.
            also: What belongs to the change of the snapshot and is done in the same transaction, before it.
        """
        sealed, content = seal(snapshot)
        with self.write() as connection:
            # Locked first, so that nobody works out anything on the snapshot that is going while it goes.
            current_sha256(connection, is_locked=True)
            insert_snapshot(connection, sealed, None, content)
            if also is not None:
                also(connection, sealed)
            point_to(connection, sealed.sha256)
        self._show_grid(sealed)
        return sealed

    def store_changed(
        self,
        parent_sha256: str,
        changed: Snapshot,
        changes: Sequence[Change],
        *,
        capacity: tuple[CapacityKey, CapacityManifest, Mapping[str, bytes]] | None = None,
        also: Activation | None = None,
    ) -> None:
        """Keep a snapshot as the changes that made it from the current one, and make it the current one.

        Args:
            parent_sha256: Digest of the snapshot that was changed.
            changed: What came out, with its digest.
            changes: What was applied.
            capacity: Its capacity table: key, manifest, and the contents of the parts that are new.
            also: What belongs to the change of the snapshot and is done in the same transaction, before it.

        Raises:
            SnapshotMovedError: Another snapshot has become current; nothing is kept.
        """
        with self.write() as connection:
            # Locked, so that of two changes of the same snapshot the second finds it moved.
            if current_sha256(connection, is_locked=True) != parent_sha256:
                raise SnapshotMovedError("the snapshot was replaced meanwhile; nothing is changed; try again")
            insert_snapshot(connection, changed, parent_sha256, to_json(changes).encode())
            if capacity is not None:
                insert_capacity(connection, changed.sha256, *capacity)
            if also is not None:
                also(connection, changed)
            point_to(connection, changed.sha256)
        self._loaded = (*self._loaded[:1], changed)
        self._show_grid(changed, parent_sha256=parent_sha256)
        if capacity is not None:
            self._show_capacity(changed.sha256, *capacity)

    def find_current_sha256(self) -> str | None:
        """Return the digest of the current snapshot, ``None`` before the first import."""
        row = self._find(select(CURRENT_SNAPSHOT.c.snapshot_sha256))
        return None if row is None else str(row[0])

    def get_snapshot(self, sha256: str) -> Snapshot:
        """Return the snapshot with this digest; a net of its own, whose tables others may share.

        Raises:
            NotFoundError: There is none.
            SnapshotFormatError: What is stored is damaged.
        """
        loaded = {snapshot.sha256: snapshot for snapshot in self._loaded}
        steps: list[tuple[Change, ...]] = []
        at, alone = sha256, self._loaded[:1]
        while at not in loaded:
            parent, content = self._find_content(at, missing="no such snapshot" if at == sha256 else "parent missing")
            if parent is None:
                loaded[at] = unseal(content, sha256=at)
                alone = (loaded[at],)
            else:
                steps.append(_read_changes(content, parent, at))
                at = parent
        snapshot = loaded[at]
        for changes in reversed(steps):
            snapshot, _ = apply_changes(snapshot, changes)
        self._loaded = (*alone, snapshot)
        return replace(snapshot, net=copy.copy(snapshot.net))

    def _find_content(self, sha256: str, *, missing: str) -> tuple[str | None, bytes]:
        row = self._find(select(SNAPSHOT.c.parent_sha256, SNAPSHOT.c.content).where(SNAPSHOT.c.sha256 == sha256))
        if row is None:
            raise NotFoundError(missing, sha256=sha256)
        if not isinstance(row.content, bytes):
            raise SnapshotFormatError("stored snapshot cannot be read", sha256=sha256)
        return row.parent_sha256, row.content

    def store_capacity(
        self, snapshot_sha256: str, key: CapacityKey, manifest: CapacityManifest, contents: Mapping[str, bytes]
    ) -> None:
        """Keep a capacity table; one with the same key is replaced.

        Args:
            snapshot_sha256: What it was computed from.
            key: What else it was computed from.
            manifest: The parts it consists of.
            contents: Contents of the parts by digest; those the store has already may be left out.
        """
        with self.write() as connection:
            insert_capacity(connection, snapshot_sha256, key, manifest, contents)
        self._show_capacity(snapshot_sha256, key, manifest, contents)

    def find_capacity(self, snapshot_sha256: str, key: CapacityKey) -> CapacityManifest | None:
        """Return the manifest of the capacity table computed from exactly these inputs."""
        row = self._find(
            select(CAPACITY.c.manifest).where(
                CAPACITY.c.snapshot_sha256 == snapshot_sha256,
                CAPACITY.c.parameters_sha256 == key.parameters_sha256,
            )
        )
        return None if row is None else CapacityManifest.read(row[0])

    def get_capacity_parts(self, digests: Sequence[str]) -> list[bytes]:
        """Return the contents of parts, in the order asked for.

        Raises:
            NotFoundError: There is no such part.
        """
        found: dict[str, bytes] = {}
        for first in range(0, len(digests), _DIGESTS_PER_QUERY):
            wanted = digests[first : first + _DIGESTS_PER_QUERY]
            rows = self._find_all(select(CAPACITY_PART).where(CAPACITY_PART.c.sha256.in_(wanted)))
            found |= {row.sha256: bytes(row.content) for row in rows}
        missing = [digest for digest in digests if digest not in found]
        if missing:
            raise NotFoundError("no such part of a capacity table", sha256=missing[0])
        return [found[digest] for digest in digests]

    def store_scheme(
        self,
        scheme: StoredScheme,
        documents: Sequence[tuple[str, bytes]],
        *,
        also: Callable[[Connection], None] | None = None,
    ) -> None:
        """Keep a scheme with its documents (file name, content): all or nothing.

        Args:
            scheme: The scheme.
            documents: File name and content of each.
            also: What is done in the same transaction, first.

        Raises:
            OwnerConflictError: The same scheme belongs to somebody else.
        """
        with self.write() as connection:
            if also is not None:
                also(connection)
            keep_scheme(connection, scheme, documents)

    def get_scheme(self, scheme_id: str, *, owner_id: str | None = None) -> StoredScheme:
        """Return a stored scheme.

        Args:
            scheme_id: Which one.
            owner_id: Only if it belongs to this subject; ``None`` looks at all.

        Raises:
            NotFoundError: There is none with this id, or it belongs to somebody else.
        """
        columns = [SCHEME.c[name] for name in StoredScheme.__slots__]
        row = self._find(select(*columns).where(SCHEME.c.scheme_id == scheme_id, owned_by(owner_id)))
        if row is None:
            raise NotFoundError("no such scheme", scheme_id=scheme_id)
        return StoredScheme(**row._mapping)

    def get_document(self, scheme_id: str, file: str, *, owner_id: str | None = None) -> bytes:
        """Return one document of a scheme.

        Args:
            scheme_id: Whose document.
            file: Its name.
            owner_id: Only if the scheme belongs to this subject; ``None`` looks at all.

        Raises:
            NotFoundError: The scheme, or this document of it, does not exist, or belongs to somebody else.
        """
        statement = select(DOCUMENT.c.content).join(SCHEME, SCHEME.c.scheme_id == DOCUMENT.c.scheme_id)
        row = self._find(
            statement.where(DOCUMENT.c.scheme_id == scheme_id, DOCUMENT.c.file == file, owned_by(owner_id))
        )
        if row is None:
            raise NotFoundError("no such document", scheme_id=scheme_id, file=file)
        return bytes(row[0])

    def _show_grid(self, snapshot: Snapshot, *, parent_sha256: str | None = None) -> None:
        if self.dialect == "postgresql":
            from scheme.store.layers.fill import fill_grid

            with self.write() as connection:
                fill_grid(connection, snapshot, parent_sha256=parent_sha256)

    def _show_capacity(
        self, snapshot_sha256: str, key: CapacityKey, manifest: CapacityManifest, contents: Mapping[str, bytes]
    ) -> None:
        if self.dialect == "postgresql":
            from scheme.store.layers.fill import fill_capacity

            with self.write() as connection:
                fill_capacity(connection, snapshot_sha256, key, manifest, contents)

    def show_live(self, snapshot_sha256: str, pieces: Sequence[pd.DataFrame], *, ledger_seq: int) -> None:
        """Lay the rows that live holds change over the capacity layer of the map; SQLite has none.

        Args:
            snapshot_sha256: The grid the holds are on.
            pieces: Rows of each part of the grid with a live hold.
            ledger_seq: Last entry of the ledger the rows are net of.
        """
        if self.dialect == "postgresql":
            from scheme.store.layers.fill import fill_live

            with self.write() as connection:
                fill_live(connection, snapshot_sha256, pieces, ledger_seq=ledger_seq)

    def show_layers(self) -> None:
        """Bring the layers of the map up to what is stored; SQLite has none.

        Raises:
            NotFoundError: A part of the newest capacity table is missing.
            SnapshotFormatError: What is stored is damaged.
        """
        sha256 = self.find_current_sha256()
        if sha256 is None or self.dialect != "postgresql":
            return
        self._show_grid(self.get_snapshot(sha256))
        newest = select(CAPACITY).where(CAPACITY.c.snapshot_sha256 == sha256).order_by(CAPACITY.c.created_at.desc())
        row = self._find(newest.limit(1))
        if row is not None:
            key = CapacityKey(**{name: getattr(row, name) for name in CapacityKey.__slots__})
            self._show_capacity(sha256, key, CapacityManifest.read(row.manifest), {})

    def _find(self, statement: Any) -> Row[Any] | None:
        rows = self._find_all(statement)
        return rows[0] if rows else None

    def _find_all(self, statement: Any) -> Sequence[Row[Any]]:
        with self.read() as connection:
            return connection.execute(statement).all()


def keep_scheme(connection: Connection, scheme: StoredScheme, documents: Sequence[tuple[str, bytes]]) -> None:
    """Keep a scheme with its documents in the caller's transaction; see :meth:`Store.store_scheme`."""
    put_scheme(connection, scheme)
    is_gone = DOCUMENT.c.scheme_id == scheme.scheme_id
    if scheme.owner_id is None:  # staff answered again: what a customer was shown stays
        is_gone &= ~DOCUMENT.c.file.startswith(CUSTOMER_FOLDER)
    connection.execute(delete(DOCUMENT).where(is_gone))
    for file, content in documents:
        connection.execute(insert(DOCUMENT).values(scheme_id=scheme.scheme_id, file=file, content=content))


def _read_changes(content: bytes, parent_sha256: str, sha256: str) -> tuple[Change, ...]:
    try:
        changes = parse_changes(content)
    except InputError as error:
        raise SnapshotFormatError("stored changes cannot be read", sha256=sha256) from error
    found = changed_sha256(parent_sha256, changes)
    if found != sha256:
        raise SnapshotFormatError("stored changes do not match their digest", expected=sha256, found=found)
    return changes
