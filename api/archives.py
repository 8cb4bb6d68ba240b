"""A zip of CSV tables from outside, unpacked within limits; what it declares of itself is counted, not believed."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from gridmodel.errors import InputError

ENTRIES_MAX = 200
EXPANDED_BYTES_MAX = 500 * 2**20
EXPANSION_RATIO_MAX = 100
_CHUNK_BYTES = 2**20
_ALLOWED = "a zip of CSV tables, all in one folder or in none"


def unpack_tables(content: bytes, folder: Path, *, file: str) -> None:
    """Write the CSV files of a zip into ``folder``; whatever folder they stand in there is left away.

    Args:
        content: The zip.
        folder: Exists and is empty.
        file: Name for messages.

    Raises:
        InputError: Not a zip, encrypted, too large when unpacked, or it holds something else.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _check_names(entries, file)
            left_bytes = min(EXPANDED_BYTES_MAX, max(len(content), _CHUNK_BYTES) * EXPANSION_RATIO_MAX)
            for entry in entries:
                target = folder / PurePosixPath(entry.filename).name
                left_bytes = _unpack(archive, entry, target, left_bytes, file)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputError("not a zip that can be read", file=file, allowed=_ALLOWED) from error


def _check_names(entries: list[zipfile.ZipInfo], file: str) -> None:
    if not 0 < len(entries) <= ENTRIES_MAX:
        raise InputError("wrong number of files", file=file, value=len(entries), allowed=f"1 to {ENTRIES_MAX}")
    paths = [PurePosixPath(entry.filename) for entry in entries]
    for path in paths:
        is_plain = path.suffix.lower() == ".csv" and len(path.parts) <= 2 and ".." not in path.parts
        if not is_plain or path.is_absolute() or "\\" in str(path) or not str(path).isprintable():
            raise InputError("a file does not belong here", file=file, value=path, allowed=_ALLOWED)
    if len({path.parent for path in paths}) > 1 or len({path.name.lower() for path in paths}) < len(paths):
        raise InputError("tables stand in several folders or twice", file=file, allowed=_ALLOWED)


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left_bytes: int, file: str) -> int:
    """Write one file and return how many bytes the others may have."""
    with archive.open(entry) as source, target.open("wb") as stream:
        while chunk := source.read(_CHUNK_BYTES):
            left_bytes -= len(chunk)
            if left_bytes < 0:
                raise InputError(
                    "too large when unpacked",
                    file=file,
                    allowed=f"at most {EXPANDED_BYTES_MAX // 2**20} MiB and {EXPANSION_RATIO_MAX} times its size",
                )
            stream.write(chunk)
    return left_bytes
