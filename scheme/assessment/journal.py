"""What a run has done already, so that one that is begun again after a crash does no task twice.

An entry is found by the digest of everything its result depends on: grid with commitments, capacity table, rules,
catalogue, software, kind of task and rows.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Protocol

from gridmodel.errors import InputError
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.parcel import canonical_json, content_of
from scheme.assessment.software import software_sha256
from scheme.assessment.workers import Input, Keep, Rows, Tick, Workers

FORMAT = b"gridscheme-assessment-journal/1\n"


class Journal(Protocol):
    """Results by key, kept beyond the life of a process."""

    def get(self, key: str) -> Rows | None:
        """Return the result under a key, ``None`` where there is none that is whole."""

    def put(self, key: str, rows: Rows) -> None:
        """Keep a result; when this returns it outlives the process."""


class Journalled:
    """Has done by others what is not in the journal, and writes down every result as soon as it is there.

    Args:
        inner: Does the rest.
        journal: Where results are kept; whoever began the run removes it when the run has succeeded.
    """

    def __init__(self, inner: Workers, journal: Journal) -> None:
        self._inner, self._journal = inner, journal

    def run(
        self, name: str, inputs: Sequence[Input], grid: AssessedGrid, tick: Tick, *, keep: Keep | None = None
    ) -> Iterator[Rows]:
        """Yield the results of a kind of task, in the order of its inputs."""
        keys = [key_of(name, rows, grid) for _, rows in inputs]
        known = {place: rows for place, key in enumerate(keys) if (rows := self._journal.get(key)) is not None}
        for place, rows in known.items():
            if keep is not None:
                keep(place, rows)
            tick(len(rows))
        left = [place for place in range(len(inputs)) if place not in known]

        def write(place: int, rows: Rows) -> None:
            self._journal.put(keys[left[place]], rows)
            if keep is not None:
                keep(left[place], rows)

        done = self._inner.run(name, [inputs[place] for place in left], grid, tick, keep=write)
        for place in range(len(inputs)):
            yield known.pop(place) if place in known else next(done)


def key_of(name: str, rows: Rows, grid: AssessedGrid) -> str:
    """Return the digest of everything the result of a task depends on; a task's number is none of it."""
    depends = {"grid": content_of(grid).grid_id, "software": software_sha256(), "task": name, "rows": rows}
    return hashlib.sha256(canonical_json(depends)).hexdigest()


class FileJournal:
    """A file one entry a line, each with its own digest; a line that is torn or damaged is as good as not there.

    Args:
        path: The file; made where it is not there.

    Raises:
        InputError: The file is not a journal, or another run writes it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] = path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._places = self._read()
        except OSError as error:
            self._file.close()
            raise InputError("another run writes this journal", file=path.name, field="journal") from error
        except InputError:
            self._file.close()
            raise

    def get(self, key: str) -> Rows | None:
        """Return the result under a key, ``None`` where there is none that is whole."""
        place = self._places.get(key)
        if place is None:
            return None
        self._file.seek(place)
        entry = _parse(self._file.readline())
        return None if entry is None else entry[1]()

    def put(self, key: str, rows: Rows) -> None:
        """Keep a result; when this returns it is on the disk."""
        place = self._file.seek(0, os.SEEK_END)
        self._file.write(_line(key, rows))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._places[key] = place

    def close(self) -> None:
        """Let others use the file."""
        self._file.close()

    def remove(self) -> None:
        """Remove the file: the run it was for has succeeded."""
        self._path.unlink(missing_ok=True)
        self.close()

    def __enter__(self) -> FileJournal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> dict[str, int]:
        """Return where each entry begins; a last line that is torn is closed, so that the next begins a line."""
        self._file.seek(0)
        head = self._file.readline(len(FORMAT))
        if not FORMAT.startswith(head):
            raise InputError("not a journal of an assessment", file=self._path.name, field="journal")
        if head != FORMAT:
            self._file.truncate(0)
            self._file.write(FORMAT)
            self._file.flush()
        self._file.seek(len(FORMAT))
        places: dict[str, int] = {}
        place, line = len(FORMAT), b"\n"
        for line in self._file:
            entry = _parse(line)
            if entry is not None:
                places[entry[0]] = place
            place += len(line)
        if not line.endswith(b"\n"):
            self._file.write(b"\n")
        return places


def _line(key: str, rows: Rows) -> bytes:
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()
    body = f"{key} ".encode() + b64encode(zlib.compress(text, 1))
    return hashlib.sha256(body).hexdigest().encode() + b" " + body + b"\n"


def _parse(line: bytes) -> tuple[str, Callable[[], Rows]] | None:
    """Return key and result of a line, ``None`` where the line is not whole."""
    digest, _, body = line.removesuffix(b"\n").partition(b" ")
    if not line.endswith(b"\n") or hashlib.sha256(body).hexdigest().encode() != digest:
        return None
    key, _, packed = body.partition(b" ")

    def rows() -> Rows:
        plain: Rows = json.loads(zlib.decompress(b64decode(packed)))
        return plain

    return key.decode(), rows
