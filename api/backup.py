"""Backup and restore of a store: what is written can be read back, and what is put back agrees with itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gridmodel.errors import InputError
from scheme.ledger.auditor import audit
from scheme.ledger.reader import head
from scheme.store import Store
from scheme.store.backup import postgresql, sqlite
from scheme.store.backup.files import check_digest, kind_of, sha256_of, written_whole
from scheme.store.migration import find_state, upgrade

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from scheme.ledger.records import LedgerHead

_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup and the head of the ledger in it."""

    file: str
    dialect: str
    sha256: str
    ledger_seq: int
    """Last entry of the ledger when the backup began, or in what was put back; 0 without any."""
    ledger_sha256: str


def make_backup(store: Store, out: Path) -> Backup:
    """Write the store as it is at one moment, others writing meanwhile; the digest stands beside it.

    Raises:
        InputError: There is nothing to back up, ``out`` is there already or cannot be written, or a program is missing.
        StoreError: The store is damaged or does not answer.
    """
    with store.look() as connection:
        if find_state(connection) == "empty":
            raise InputError("the store is empty; there is nothing to back up", field="--db")
    with store.read() as connection:
        last = head(connection)
    with written_whole(out) as draft:
        if store.file is not None:
            sqlite.dump(store.file, draft)
        else:
            postgresql.dump(store.address, draft)
    return _told(out, store, sha256_of(out), last)


def restore_backup(store: Store, file: Path, *, is_replacing: bool) -> Backup:
    """Put a backup in the place of the store, all or nothing; an older one is brought on to this version.

    Args:
        store: Where to.
        file: A backup, its digest beside it.
        is_replacing: What is in the store now may be given up.

    Raises:
        InputError: The backup is damaged, of another kind of database or newer, or its ledger does not agree with
            itself; or the store is not empty.
        StoreError: The store is busy or cannot be written.
    """
    digest = check_digest(file)
    kind = kind_of(file)
    if kind is None:
        raise InputError("not a backup of a store", file=str(file))
    if kind != store.dialect:
        needed = f"a store on {_NAMES[kind]}"
        raise InputError(f"the backup is of {_NAMES[kind]}", file=str(file), field="--db", allowed=needed)
    if not is_replacing and not _is_empty(store):
        raise InputError("the store is not empty", field="--replace", allowed="an empty store, or --replace")
    found: list[LedgerHead] = []
    store.close()
    if store.file is None:
        postgresql.load(store.address, file, lambda connection: found.append(_judge(connection, file)))
    else:
        sqlite.load(file, store.file, lambda draft: found.append(_judge_file(draft, file)))
    return _told(file, store, digest, found[0])


def _is_empty(store: Store) -> bool:
    if store.file is not None and not store.file.exists():
        return True
    with store.look() as connection:
        return find_state(connection) == "empty"


def _judge(connection: Connection, file: Path) -> LedgerHead:
    """Bring what was put back on to this version, and let the auditor look at its ledger."""
    _refuse_empty(connection, file)
    upgrade(connection)
    return _sound_head(connection, file)


def _judge_file(draft: Path, file: Path) -> LedgerHead:
    copy = Store(str(draft))
    try:
        with copy.look() as connection:
            _refuse_empty(connection, file)
        copy.upgrade()
        with copy.read() as connection:
            return _sound_head(connection, file)
    finally:
        copy.close()


def _refuse_empty(connection: Connection, file: Path) -> None:
    if find_state(connection) == "empty":
        raise InputError("not a backup of a store", file=str(file))


def _sound_head(connection: Connection, file: Path) -> LedgerHead:
    report = audit(connection)
    broken = [f"{finding.invariant} {finding.details[0]}" for finding in report.findings if finding.verdict == "broken"]
    if broken:
        raise InputError(f"the ledger in the backup does not agree with itself: {broken[0]}", file=str(file))
    return head(connection)


def _told(file: Path, store: Store, sha256: str, last: LedgerHead) -> Backup:
    return Backup(file=str(file), dialect=store.dialect, sha256=sha256, ledger_seq=last.seq, ledger_sha256=last.sha256)
