"""Where snapshots, capacity tables, schemes and documents are kept: SQLAlchemy Core on SQLite.

Python's default SQLite transactions let two writers both pass a check; here the driver is in autocommit and every write
transaction starts with ``BEGIN IMMEDIATE``. A file that does not exist is an empty store until the first write.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Row, create_engine, delete, event, insert, inspect, select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from gridmodel.errors import DomainError, InputError, NotFoundError, SnapshotFormatError
from gridmodel.snapshot import Snapshot, seal, unseal
from scheme.store_tables import CAPACITY, CURRENT_SNAPSHOT, DOCUMENT, IDEMPOTENCY, METADATA, SCHEME, SNAPSHOT

DEFAULT_FILE = "gridscheme.db"
_ALLOWED = "sqlite:///FILE or the path of an SQLite file"
_BUSY_TIMEOUT_MS = 30_000


class StoreError(DomainError):
    """The store is busy, damaged or cannot be written."""

    code = "store.unavailable"


class IdempotencyConflictError(DomainError):
    """The idempotency key was used before with another request."""

    code = "request.idempotency_conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityKey:
    """What a capacity table was computed from, besides the snapshot."""

    parameters: str
    """Canonical JSON of every number and version the table depends on."""
    parameters_sha256: str
    profile: str
    policy_sha256: str
    as_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredScheme:
    """One scheme as it was answered."""

    scheme_id: str
    request_id: str
    request_sha256: str
    snapshot_sha256: str
    verdict: str
    content: bytes
    """``scheme.json`` (UTF-8)."""


class Store:
    """A store on one SQLite file.

    Args:
        url: ``sqlite:///FILE`` or a bare path.

    Raises:
        InputError: The URL names another kind of database.
    """

    def __init__(self, url: str) -> None:
        self.file = _sqlite_file(url)
        self._engine = _create_engine(self.file)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def store_snapshot(self, snapshot: Snapshot) -> Snapshot:
        """Keep ``snapshot`` and make it the current one, in one transaction; return it with its digest."""
        sealed, content = seal(snapshot)
        row = {"sha256": sealed.sha256, "source_name": sealed.source_name, "source_format": sealed.source_format}
        with self._write() as connection:
            connection.execute(upsert(SNAPSHOT).values(**row, content=content).on_conflict_do_nothing())
            statement = upsert(CURRENT_SNAPSHOT).values(only_row=1, snapshot_sha256=sealed.sha256)
            pointer = {"snapshot_sha256": sealed.sha256}
            connection.execute(statement.on_conflict_do_update(index_elements=["only_row"], set_=pointer))
        return sealed

    def find_current_sha256(self) -> str | None:
        """Return the digest of the current snapshot, ``None`` before the first import."""
        row = self._find(select(CURRENT_SNAPSHOT.c.snapshot_sha256))
        return None if row is None else str(row[0])

    def get_snapshot(self, sha256: str) -> Snapshot:
        """Return the snapshot with this digest.

        Raises:
            NotFoundError: There is none.
            SnapshotFormatError: What is stored is damaged.
        """
        row = self._find(select(SNAPSHOT.c.content).where(SNAPSHOT.c.sha256 == sha256))
        if row is None:
            raise NotFoundError("no such snapshot", sha256=sha256)
        if not isinstance(row[0], bytes):
            raise SnapshotFormatError("stored snapshot cannot be read", sha256=sha256)
        return unseal(row[0], sha256=sha256)

    def store_capacity(self, snapshot_sha256: str, key: CapacityKey, content: bytes) -> None:
        """Keep a capacity table (Parquet bytes); one with the same key is replaced."""
        where = {"snapshot_sha256": snapshot_sha256, "parameters_sha256": key.parameters_sha256}
        values = {
            "parameters": key.parameters,
            "profile": key.profile,
            "policy_sha256": key.policy_sha256,
            "as_of": key.as_of,
            "content": content,
        }
        with self._write() as connection:
            statement = upsert(CAPACITY).values(**where, **values)
            connection.execute(statement.on_conflict_do_update(index_elements=list(where), set_=values))

    def find_capacity(self, snapshot_sha256: str, key: CapacityKey) -> bytes | None:
        """Return the capacity table (Parquet bytes) computed from exactly these inputs."""
        row = self._find(
            select(CAPACITY.c.content).where(
                CAPACITY.c.snapshot_sha256 == snapshot_sha256,
                CAPACITY.c.parameters_sha256 == key.parameters_sha256,
            )
        )
        return None if row is None else bytes(row[0])

    def store_scheme(
        self, scheme: StoredScheme, documents: Sequence[tuple[str, bytes]], *, idempotency_key: str | None = None
    ) -> None:
        """Keep a scheme with its documents (file name, content) and, where given, its idempotency key: all or nothing.

        Raises:
            IdempotencyConflictError: The key already stands for another request.
        """
        values = {name: getattr(scheme, name) for name in StoredScheme.__slots__}
        with self._write() as connection:
            connection.execute(upsert(SCHEME).values(**values).on_conflict_do_update(["scheme_id"], set_=values))
            connection.execute(delete(DOCUMENT).where(DOCUMENT.c.scheme_id == scheme.scheme_id))
            for file, content in documents:
                connection.execute(insert(DOCUMENT).values(scheme_id=scheme.scheme_id, file=file, content=content))
            if idempotency_key is not None:
                _claim_key(connection, idempotency_key, scheme)

    def find_answer(self, idempotency_key: str, request_sha256: str) -> StoredScheme | None:
        """Return the scheme already answered under this key.

        Raises:
            IdempotencyConflictError: The key stands for another request.
        """
        row = self._find(
            select(IDEMPOTENCY.c.request_sha256, IDEMPOTENCY.c.scheme_id).where(
                IDEMPOTENCY.c.idempotency_key == idempotency_key
            )
        )
        if row is None:
            return None
        if row.request_sha256 != request_sha256:
            raise IdempotencyConflictError("the idempotency key was used for another request", key=idempotency_key)
        return self.get_scheme(row.scheme_id)

    def get_scheme(self, scheme_id: str) -> StoredScheme:
        """Return a stored scheme.

        Raises:
            NotFoundError: There is none with this id.
        """
        columns = [SCHEME.c[name] for name in StoredScheme.__slots__]
        row = self._find(select(*columns).where(SCHEME.c.scheme_id == scheme_id))
        if row is None:
            raise NotFoundError("no such scheme", scheme_id=scheme_id)
        return StoredScheme(**row._mapping)

    def get_document(self, scheme_id: str, file: str) -> bytes:
        """Return one document of a scheme.

        Raises:
            NotFoundError: The scheme, or this document of it, does not exist.
        """
        row = self._find(select(DOCUMENT.c.content).where(DOCUMENT.c.scheme_id == scheme_id, DOCUMENT.c.file == file))
        if row is None:
            raise NotFoundError("no such document", scheme_id=scheme_id, file=file)
        return bytes(row[0])

    def _find(self, statement: Any) -> Row[Any] | None:
        if not self.file.exists() or self.file.stat().st_size == 0:
            return None
        with self._translated(), self._engine.connect().execution_options(is_read_only=True) as connection:
            _check_tables(connection, self.file)
            return connection.execute(statement).first()

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._translated(), self._engine.begin() as connection:
            if _check_tables(connection, self.file):
                METADATA.create_all(connection)
            yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            if "unable to open" in str(error.orig) or "readonly" in str(error.orig):
                raise InputError(
                    "the database file cannot be opened for writing", file=self.file.name, field="--db"
                ) from error
            raise StoreError(f"the store did not answer: {error.orig}", file=self.file.name) from error
        except DatabaseError as error:
            if "not a database" in str(error.orig):
                raise InputError(
                    "not an SQLite database", file=self.file.name, field="--db", allowed=_ALLOWED
                ) from error
            raise StoreError(f"the store failed: {error.orig}", file=self.file.name) from error


def _claim_key(connection: Connection, key: str, scheme: StoredScheme) -> None:
    statement = upsert(IDEMPOTENCY).values(
        idempotency_key=key, request_sha256=scheme.request_sha256, scheme_id=scheme.scheme_id
    )
    connection.execute(statement.on_conflict_do_nothing())
    claimed = connection.execute(
        select(IDEMPOTENCY.c.request_sha256).where(IDEMPOTENCY.c.idempotency_key == key)
    ).scalar_one()
    if claimed != scheme.request_sha256:
        raise IdempotencyConflictError("the idempotency key was used for another request", key=key)


def _check_tables(connection: Connection, file: Path) -> bool:
    """Return whether the database is still empty; refuse one that is not ours."""
    present = set(inspect(connection).get_table_names())
    if present and not set(METADATA.tables) <= present:
        raise InputError("the database belongs to another program or version", file=file.name, field="--db")
    return not present


def _sqlite_file(url: str) -> Path:
    if not url.strip():
        raise InputError("no database named", field="--db", value=url, allowed=_ALLOWED)
    if url == ":memory:":
        raise InputError("a database in memory keeps nothing", field="--db", value=url, allowed=_ALLOWED)
    if "://" not in url:
        return Path(url)
    try:
        # A URL may hold a password, so no message repeats it.
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise InputError("not a database URL", field="--db", allowed=_ALLOWED) from error
    if parsed.get_backend_name() == "postgresql":
        raise InputError("PostgreSQL is not available in this version", field="--db", allowed=_ALLOWED)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise InputError("not a database this version can use", field="--db", allowed=_ALLOWED)
    return Path(str(parsed.database))


def _create_engine(file: Path) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(file)), connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000})
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(driver: sqlite3.Connection, _record: object) -> None:
    driver.isolation_level = None
    for pragma in ("foreign_keys = ON", f"busy_timeout = {_BUSY_TIMEOUT_MS}", "synchronous = FULL"):
        driver.execute(f"PRAGMA {pragma}")
    driver.execute(f"PRAGMA journal_mode = {journal_mode(sqlite3.sqlite_version_info)}")


def _on_begin(connection: Connection) -> None:
    is_read_only = connection.get_execution_options().get("is_read_only", False)
    connection.exec_driver_sql("BEGIN" if is_read_only else "BEGIN IMMEDIATE")


def journal_mode(version: tuple[int, ...]) -> str:
    """Return ``WAL`` for SQLite versions without the checkpoint fault of the write-ahead log, else ``DELETE``."""
    is_fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    return "WAL" if is_fixed else "DELETE"
