"""Where a page starts, as opaque text: the key of the last row of the page before."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import TypeVar

from gridmodel.errors import InputError

_NUMBER_MAX = 2**63 - 1
Row = TypeVar("Row")


def write_cursor(*key: str | int) -> str:
    """Return a key as a cursor."""
    text = json.dumps(key, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, *kinds: type[str] | type[int]) -> tuple[str | int, ...] | None:
    """Return the key of a cursor, ``None`` for the first page.

    Args:
        cursor: As a page before gave it.
        kinds: Type of each part of the key.

    Raises:
        InputError: No page gave it.
    """
    if cursor is None:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _not_ours(cursor) from error
    if not isinstance(key, list) or [type(part) for part in key] != list(kinds) or not all(map(_is_harmless, key)):
        raise _not_ours(cursor)
    return tuple(key)


def page_of(rows: Sequence[Row], limit: int) -> tuple[Sequence[Row], bool]:
    """Return the rows of a page and whether more follow, of rows read one further than the page is long."""
    return rows[:limit], len(rows) > limit


def _is_harmless(part: str | int) -> bool:
    return abs(part) <= _NUMBER_MAX if isinstance(part, int) else part.isprintable()


def _not_ours(cursor: str) -> InputError:
    return InputError("not a cursor of this list", field="cursor", value=cursor, allowed="next_cursor of a page before")
