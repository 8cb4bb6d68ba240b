"""Hash chain over append-only rows: each digest covers its row and the digest before it; no database here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

GENESIS = "0" * 64
"""What stands before the first row."""

Plain = Mapping[str, str | int | None]
"""One row; no floats, so that its bytes are the same everywhere."""


def canonical_bytes(row: Plain) -> bytes:
    """Return the one spelling of a row: keys sorted, no spaces, UTF-8.

    Raises:
        TypeError: A value is neither text, whole number nor nothing.
    """
    for name, value in row.items():
        if isinstance(value, bool) or not isinstance(value, str | int | None):
            raise TypeError(f"{name} is not text, a whole number or nothing")
    return json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def link(before: str, row: Plain) -> str:
    """Return the digest of ``row`` after the row whose digest is ``before``."""
    return hashlib.sha256(before.encode() + b"\n" + canonical_bytes(row)).hexdigest()


def first_break(rows: Iterable[tuple[int, str, Plain]]) -> int | None:
    """Return the number of the first row that is missing, out of order or not what was written; ``None`` if whole.

    Args:
        rows: Number, stored digest and content of each row, ascending; numbers start at 1.
    """
    before = GENESIS
    for expected, (number, digest, row) in enumerate(rows, start=1):
        if number != expected or link(before, row) != digest:
            return expected
        before = digest
    return None
