"""The file of a backup: written whole or not at all, with a digest beside it that any ``sha256sum -c`` checks."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gridmodel.errors import InputError

_BLOCK_BYTES = 1 << 20
_SQLITE_BEGINS, _DUMP_BEGINS = b"SQLite format 3\0", b"PGDMP"


@contextmanager
def written_whole(out: Path) -> Iterator[Path]:
    """Yield a file to write; afterwards it stands under ``out`` with its digest beside it, or nothing does.

    Raises:
        InputError: ``out`` is there already, or cannot be written.
    """
    if out.exists() or digest_file(out).exists():
        raise InputError("a backup never replaces a file", field="--out", value=out, allowed="a new file")
    try:
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".gridscheme-backup-") as folder:
            draft = Path(folder) / out.name
            yield draft
            draft.chmod(0o600)  # it holds all the store does
            _sync(draft)
            digest = Path(folder) / digest_file(out).name
            digest.write_text(f"{sha256_of(draft)}  {out.name}\n", encoding="utf-8")
            _sync(digest)
            os.replace(digest, digest_file(out))
            os.replace(draft, out)
            _sync(out.parent)
    except OSError as error:
        with suppress(OSError):
            if not out.exists():
                digest_file(out).unlink(missing_ok=True)
        raise InputError(f"the backup cannot be written: {error.strerror}", field="--out", value=out) from error


def check_digest(file: Path) -> str:
    """Return the digest of a backup after comparing it with the one beside it.

    Raises:
        InputError: The file or its digest is missing, or they do not belong together.
    """
    try:
        found = sha256_of(file)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=str(file)) from error
    beside = digest_file(file)
    try:
        expected = beside.read_text(encoding="utf-8").split()[0]
    except (OSError, UnicodeDecodeError, IndexError) as error:
        raise InputError(
            "the digest of the backup is missing", file=str(file), allowed=f"with {beside.name}"
        ) from error
    if found != expected:
        raise InputError("the backup is damaged: its digest is another", file=str(file))
    return found


def kind_of(file: Path) -> str | None:
    """Return the kind of database a backup is of, ``None`` where it is no backup."""
    with file.open("rb") as stream:
        start = stream.read(len(_SQLITE_BEGINS))
    if start == _SQLITE_BEGINS:
        return "sqlite"
    return "postgresql" if start.startswith(_DUMP_BEGINS) else None


def digest_file(file: Path) -> Path:
    """Return where the digest of a backup stands."""
    return file.with_name(f"{file.name}.sha256")


def sha256_of(file: Path) -> str:
    """Return the digest of a file."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
