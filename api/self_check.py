"""What must hold before promises are kept in a store: durability, clock, place. The start says all that does not.

Every check is one function that returns what it found, or ``None``. What is fatal keeps the service from starting: on
such a database an acknowledged promise could be lost or counted wrongly.
"""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, text

from gridmodel.errors import DomainError, InputError
from scheme.store import Store
from scheme.store.migration import find_state

CLOCK_DIFFERENCE_MAX = timedelta(seconds=2)
"""Between the database and this machine; deadlines are counted in days, ledger time in the order of entries."""
_EXPIRY_ZONE, _EXPIRY_OFFSET = "Asia/Shanghai", timedelta(hours=8)
_SQLITE_FULL = 2
_FATE_OF_WAL = "SQLite before 3.51.3 (3.50.7, 3.44.6) can damage the file"
_NETWORK_FILE_SYSTEMS = frozenset(
    {
        "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse.davfs2", "fuse.glusterfs", "fuse.s3fs",
        "fuse.sshfs", "gfs2", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "smb3", "smbfs",
    }
)  # fmt: skip
_MOUNTS = Path("/proc/self/mountinfo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found."""

    check: str
    """Name of the check."""
    problem: str
    """What is wrong, and what it should be."""
    is_fatal: bool


class SelfCheckError(DomainError):
    """The service must not start on this database."""

    code = "service.self_check"


def run_self_check(store: Store, *, public_url: str | None = None) -> list[Finding]:
    """Look at the store, its database and this machine, and return what is not as it must be.

    Args:
        store: Where promises are kept; an absent file is checked for its place only.
        public_url: Database of the publications, where there is one.

    Raises:
        InputError: The database is not a store of this version.
        StoreError: The database does not answer.
    """
    found = [check_time_zone(), check_debug(is_dev_mode=sys.flags.dev_mode)]
    if public_url is not None:
        found.append(check_public_database(store, public_url))
    if store.file is not None:
        found.append(check_file_system(store.file))
    if store.file is None or store.file.exists():
        with store.look() as connection:
            checks = _ON_SQLITE if store.dialect == "sqlite" else _ON_POSTGRESQL
            found += [check(connection) for check in checks]
            found.append(check_clock(store, connection))
    return [finding for finding in found if finding is not None]


def refuse_fatal(findings: Iterable[Finding]) -> None:
    """Keep the service from starting where a finding is fatal.

    Raises:
        SelfCheckError: Says all of them.
    """
    fatal = [f"{finding.check}: {finding.problem}" for finding in findings if finding.is_fatal]
    if fatal:
        raise SelfCheckError(f"the service does not start on this database: {'; '.join(fatal)}")


def check_journal_mode(connection: Connection) -> Finding | None:
    """The write-ahead log only where the library does not damage it; the journal never in memory or off."""
    mode = str(connection.execute(text("PRAGMA journal_mode")).scalar_one())
    version = sqlite3.sqlite_version_info
    return judge_journal_mode(mode, version)


def judge_journal_mode(mode: str, version: tuple[int, ...]) -> Finding | None:
    """Return what is wrong with a journal mode under a version of the library."""
    from scheme.store.engine import journal_mode

    if mode in {"delete", "truncate", "persist"}:
        return None
    if mode == "wal":
        return None if journal_mode(version) == "WAL" else _fatal("journal_mode", f"WAL: {_FATE_OF_WAL}")
    return _fatal("journal_mode", f"{mode}: a crash damages the file; must be delete or wal")


def check_synchronous(connection: Connection) -> Finding | None:
    """A commit waits for the disk: below FULL a power cut takes acknowledged promises away."""
    level = int(connection.execute(text("PRAGMA synchronous")).scalar_one())
    if level >= _SQLITE_FULL:
        return None
    return _fatal("synchronous", f"{('OFF', 'NORMAL')[level]}: must be FULL or EXTRA")


def check_foreign_keys(connection: Connection) -> Finding | None:
    """Rows refer to rows that exist."""
    is_on = connection.execute(text("PRAGMA foreign_keys")).scalar_one()
    return None if is_on else _fatal("foreign_keys", "off: must be on")


def check_memory_map(connection: Connection) -> Finding | None:
    """The file is not mapped into memory, where a stray write would reach it and a read error ends the process."""
    size = connection.execute(text("PRAGMA mmap_size")).scalar()
    return None if not size else _fatal("mmap_size", f"{size}: must be 0")


def check_file_system(file: Path, mounts: str | None = None) -> Finding | None:
    """The file lies on a disk of this machine: locks of network file systems do not hold.

    Args:
        file: The SQLite file; need not exist.
        mounts: Text of ``/proc/self/mountinfo``; read by default, not checked where there is none.
    """
    if mounts is None:
        if not _MOUNTS.exists():
            return None
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    place, kind = file.resolve(), ""
    longest = -1
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        point = Path(re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), before.split()[4]))
        if place.is_relative_to(point) and len(point.parts) >= longest:
            longest, kind = len(point.parts), after.split()[0]
    if kind not in _NETWORK_FILE_SYSTEMS:
        return None
    return _fatal("file_system", f"the file is on {kind}: must be on a disk of this machine, or on PostgreSQL")


def _check_setting(connection: Connection, name: str, refused: str) -> Finding | None:
    value = str(connection.execute(text(f"SHOW {name}")).scalar_one())
    return _fatal(name, f"{value}: must be on") if value == refused else None


def check_fsync(connection: Connection) -> Finding | None:
    """PostgreSQL waits for the disk at all."""
    return _check_setting(connection, "fsync", "off")


def check_full_page_writes(connection: Connection) -> Finding | None:
    """A page torn by a power cut can be put together again."""
    return _check_setting(connection, "full_page_writes", "off")


def check_synchronous_commit(connection: Connection) -> Finding | None:
    """A commit waits for the log on the disk, for this role in this database too."""
    return _check_setting(connection, "synchronous_commit", "off")


def check_primary(connection: Connection) -> Finding | None:
    """Capacity is never judged on a copy that lags behind."""
    is_copy = connection.execute(text("SELECT pg_is_in_recovery()")).scalar_one()
    return _fatal("primary", "the server is a standby: must be the primary") if is_copy else None


def check_encoding(connection: Connection) -> Finding | None:
    """Every character of a name can be kept."""
    found = str(connection.execute(text("SHOW server_encoding")).scalar_one())
    return None if found == "UTF8" else _fatal("server_encoding", f"{found}: must be UTF8")


def check_superuser(connection: Connection) -> Finding | None:
    """The service's role cannot switch off what keeps the ledger append-only."""
    is_superuser = connection.execute(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")).scalar_one()
    if not is_superuser:
        return None
    return Finding(check="superuser", problem="the service connects as a superuser: give it a role", is_fatal=False)


def check_append_only(connection: Connection) -> Finding | None:
    """Once there are tables, the triggers that keep what was written into the ledger are there and switched on."""
    from scheme.ledger.append_only import trigger_statements

    if find_state(connection) != "current":
        return None
    wanted = {name for line in trigger_statements(connection.dialect.name) for name in _TRIGGER.findall(line)}
    missing = sorted(wanted - set(connection.execute(text(_TRIGGERS[connection.dialect.name])).scalars()))
    return _fatal("append_only", f"triggers are missing or off: {', '.join(missing)}") if missing else None


def check_clock(store: Store, connection: Connection, clock: Callable[[], datetime] | None = None) -> Finding | None:
    """The database and this machine agree on the time.

    Args:
        store: The store.
        connection: In a transaction of it.
        clock: Time of this machine, aware.
    """
    own = clock or (lambda: datetime.now(UTC))
    before = own()
    theirs = store.now(connection)
    after = own()
    difference = max(before - theirs, theirs - after, timedelta(0))
    if difference <= CLOCK_DIFFERENCE_MAX:
        return None
    seconds, limit = difference.total_seconds(), CLOCK_DIFFERENCE_MAX.total_seconds()
    return _fatal("clock", f"differs from the database's by {seconds:.1f} s: must be at most {limit:.0f} s")


def check_time_zone(load: Callable[[str], ZoneInfo] = ZoneInfo) -> Finding | None:
    """Last days are those of China's time, which this machine must know."""
    try:
        offset = datetime(2026, 1, 1, tzinfo=load(_EXPIRY_ZONE)).utcoffset()
    except ZoneInfoNotFoundError:
        return _fatal("time_zone", f"{_EXPIRY_ZONE} is not known here: install the time zone data")
    return None if offset == _EXPIRY_OFFSET else _fatal("time_zone", f"{_EXPIRY_ZONE} is {offset}: must be 8:00:00")


def check_debug(*, is_dev_mode: bool) -> Finding | None:
    """Python's development mode tells callers and logs more than they may know."""
    return _fatal("debug", "Python runs in development mode: must be off") if is_dev_mode else None


def check_public_database(store: Store, public_url: str) -> Finding | None:
    """What is published lies apart from the topology."""
    from scheme.publication.public_store import check_apart

    try:
        check_apart(store.address.render_as_string(hide_password=False), public_url)
    except InputError as error:
        return _fatal("public_database", error.problem)
    return None


def _fatal(check: str, problem: str) -> Finding:
    return Finding(check=check, problem=problem, is_fatal=True)


_TRIGGER = re.compile(r"CREATE TRIGGER (\w+)")
_TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'",
}
_ON_SQLITE = (check_journal_mode, check_synchronous, check_foreign_keys, check_memory_map, check_append_only)
_ON_POSTGRESQL = (
    check_fsync,
    check_full_page_writes,
    check_synchronous_commit,
    check_primary,
    check_encoding,
    check_superuser,
    check_append_only,
)
