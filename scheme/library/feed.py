"""Feeds of projects from other systems, such as the government's project approvals (政府项目审批系统), file by file.

A file is taken once: what was taken is written with its projects, and a file that stands there still after a crash is
put away with the report of then, not taken again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Row, func, insert, select, update

from gridmodel.errors import InputError
from gridmodel.findings import Finding
from scheme.ledger.clock import database_time, to_text
from scheme.ledger.records import Actor
from scheme.library.files import ENDINGS, FILE_BYTES_MAX, ReadProjects, read_project_bytes
from scheme.library.importing import ImportOutcome, import_projects
from scheme.library.reports import findings_csv, unreadable
from scheme.library.tables import PROJECT_TAKE
from scheme.store import Database

_TAKEN = "taken"
_LOCK = ".lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFile:
    """One file a feed holds ready."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Digest of the content."""
        return hashlib.sha256(self.content).hexdigest()


class ProjectFeed(Protocol):
    """Where files of projects come from."""

    name: str
    """One word; the same feed has the same name for ever."""

    def turn(self) -> AbstractContextManager[None]:
        """Keep other processes from taking from the same feed."""
        ...

    def waiting(self) -> Sequence[FeedFile]:
        """Return what is to be taken, oldest first."""
        ...

    def put_away(self, file: FeedFile, take_no: int, findings: bytes) -> None:
        """Put a file that was taken away, its findings beside it; doing so twice does no harm."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """What became of one file."""

    take_no: int
    file: str
    report: dict[str, Any]
    """An :class:`scheme.library.importing.ImportOutcome` as plain values."""


class FolderFeed:
    """A folder the other system drops files into; it writes under a name that begins with a dot, then renames.

    Args:
        folder: Where the files come; those taken go to ``taken`` below it.
        name: Name of the feed.

    Raises:
        InputError: There is no such folder.
    """

    def __init__(self, folder: Path, *, name: str = "folder") -> None:
        if not folder.is_dir():
            raise InputError("no such folder", file=folder.name, allowed="a folder that exists")
        self.name = name
        self._folder = folder

    @contextmanager
    def turn(self) -> Iterator[None]:
        """See :class:`ProjectFeed`.

        Raises:
            InputError: Another process takes from the folder, or it cannot be written.
        """
        with self._writing(), (self._folder / _LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InputError("another process takes from the folder", file=self._folder.name) from error
            yield

    def waiting(self) -> Sequence[FeedFile]:
        """See :class:`ProjectFeed`; a file that is too large comes one byte too long, so that it is refused as such."""
        with self._writing():
            found = [path for path in self._folder.iterdir() if _is_ready(path)]
            return [_read(path) for path in sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))]

    def put_away(self, file: FeedFile, take_no: int, findings: bytes) -> None:
        """See :class:`ProjectFeed`."""
        taken = self._folder / _TAKEN
        place = taken / f"{take_no:06}-{file.name}"
        with self._writing():
            taken.mkdir(exist_ok=True)
            draft = taken / f".{place.name}.findings"
            draft.write_bytes(findings)
            os.replace(draft, taken / f"{place.name}.findings.csv")
            source = self._folder / file.name
            if source.is_file() and _read(source).sha256 == file.sha256:
                os.replace(source, place)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(f"the folder cannot be used: {error.strerror}", file=self._folder.name) from error


def _is_ready(path: Path) -> bool:
    is_file = path.is_file() and not path.is_symlink()
    return is_file and not path.name.startswith(".") and path.suffix.lower() in ENDINGS


def _read(path: Path) -> FeedFile:
    with path.open("rb") as stream:
        return FeedFile(name=path.name, content=stream.read(FILE_BYTES_MAX + 1))


def take_files(store: Database, feed: ProjectFeed, works_stages: Sequence[str], *, actor: Actor) -> list[Take]:
    """Take every file that waits into the library, each in a transaction of its own; return what became of them.

    Args:
        store: Where the library is.
        feed: Where the files come from.
        works_stages: ``reserve.works_stages``.
        actor: On whose behalf.
    """
    takes = []
    with feed.turn():
        for file in feed.waiting():
            take = _find_open(store, feed, file) or _take(store, feed, file, works_stages, actor)
            findings = [Finding(**finding) for finding in take.report["findings"]]
            feed.put_away(file, take.take_no, findings_csv(findings))
            _close(store, feed, take)
            takes.append(take)
        _close_all(store, feed)  # put away just before a crash
    return takes


def _take(store: Database, feed: ProjectFeed, file: FeedFile, works_stages: Sequence[str], actor: Actor) -> Take:
    try:
        read = read_project_bytes(file.content, file.name, works_stages)
    except InputError as error:
        read = ReadProjects(file=file.name, rows=0, entries=(), findings=(unreadable(file.name, error),))
    made: list[Take] = []

    def also(connection: Connection, outcome: ImportOutcome) -> None:
        numbers = select(func.max(PROJECT_TAKE.c.take_no)).where(PROJECT_TAKE.c.feed == feed.name)
        take_no = (connection.execute(numbers).scalar() or 0) + 1
        made.append(Take(take_no=take_no, file=file.name, report=outcome.as_dict()))
        row = {
            "feed": feed.name,
            "take_no": take_no,
            "file": file.name,
            "sha256": file.sha256,
            "report": json.dumps(outcome.as_dict(), ensure_ascii=False),
            "is_put_away": False,
            "at": to_text(database_time(connection)),
        }
        connection.execute(insert(PROJECT_TAKE).values(row))

    import_projects(store, read, actor=actor, also=also)
    return made[-1]


def _find_open(store: Database, feed: ProjectFeed, file: FeedFile) -> Take | None:
    """Return what was taken of this very file before a crash kept it from being put away."""
    columns = PROJECT_TAKE.c
    statement = select(PROJECT_TAKE).where(
        columns.feed == feed.name,
        columns.file == file.name,
        columns.sha256 == file.sha256,
        columns.is_put_away.is_(False),
    )
    with store.read() as connection:
        row: Row[Any] | None = connection.execute(statement).first()
    return None if row is None else Take(take_no=row.take_no, file=row.file, report=json.loads(row.report))


def _close(store: Database, feed: ProjectFeed, take: Take) -> None:
    is_this = (PROJECT_TAKE.c.feed == feed.name) & (PROJECT_TAKE.c.take_no == take.take_no)
    with store.write() as connection:
        connection.execute(update(PROJECT_TAKE).where(is_this).values(is_put_away=True))


def _close_all(store: Database, feed: ProjectFeed) -> None:
    is_open = (PROJECT_TAKE.c.feed == feed.name) & PROJECT_TAKE.c.is_put_away.is_(False)
    with store.read() as connection:
        if connection.execute(select(func.count()).select_from(PROJECT_TAKE).where(is_open)).scalar_one() == 0:
            return
    with store.write() as connection:
        connection.execute(update(PROJECT_TAKE).where(is_open).values(is_put_away=True))
