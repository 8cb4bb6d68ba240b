"""Files named on the command line."""

from __future__ import annotations

from pathlib import Path

from gridmodel.errors import InputError


def read_file(path: Path, expected: str, bytes_max: int) -> bytes:
    """Return the content of a file.

    Args:
        path: As it was given.
        expected: What it should be, for messages.
        bytes_max: Largest size.

    Raises:
        InputError: It cannot be read or is too large.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(bytes_max + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=str(path), allowed=expected) from error
    if len(content) > bytes_max:
        raise InputError("the file is too large", file=path.name, allowed=f"at most {bytes_max} bytes")
    return content
