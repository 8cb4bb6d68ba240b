"""The negative list (电网负面清单) as the utility keeps it: a CSV of feeders and transformers with the reason of each.

No paper says when something stands on it, so it is data from outside, never worked out here.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from gridmodel.errors import InputError

COLUMNS = ("element_id", "reason")
BYTES_MAX = 1_000_000
ROWS_MAX = 5_000
_TEXT_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """One row of the list."""

    element_id: str
    """Identifier of a transformer or a feeder."""
    reason: str
    """Why it stands on the list; may be empty."""


def read_negative_list(path: Path) -> tuple[Restriction, ...]:
    """Return the list in a CSV file with the columns ``element_id,reason`` (UTF-8).

    Raises:
        InputError: Not such a file; names file, row and field.
    """
    name = path.name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=name, allowed="a CSV file") from error
    if len(content) > BYTES_MAX:
        raise InputError("the file is too large", file=name, allowed=f"at most {BYTES_MAX} bytes")
    try:
        text = content.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError("not a CSV file in UTF-8", file=name, allowed=",".join(COLUMNS)) from error
    if not rows or tuple(cell.strip() for cell in rows[0]) != COLUMNS:
        found = ",".join(rows[0]) if rows else ""
        raise InputError("wrong columns", file=name, row=0, value=found, allowed=",".join(COLUMNS))
    found_rows = [row for row in enumerate(rows[1:], start=1) if any(cell.strip() for cell in row[1])]
    if len(found_rows) > ROWS_MAX:
        raise InputError("too many rows", file=name, value=len(found_rows), allowed=f"at most {ROWS_MAX}")
    restrictions: dict[str, Restriction] = {}
    for number, row in found_rows:
        restriction = _parse(row, name, number)
        if restriction.element_id in restrictions:
            raise InputError("stands twice", file=name, row=number, field="element_id", value=restriction.element_id)
        restrictions[restriction.element_id] = restriction
    return tuple(restrictions.values())


def _parse(row: list[str], file: str, number: int) -> Restriction:
    if len(row) != len(COLUMNS):
        raise InputError("wrong number of cells", file=file, row=number, value=len(row), allowed=str(len(COLUMNS)))
    element_id, reason = (cell.strip() for cell in row)
    for field, text in zip(COLUMNS, (element_id, reason), strict=True):
        if len(text) > _TEXT_MAX or any(ord(sign) < 32 for sign in text) or (field == "element_id" and not text):
            allowed = f"a text of at most {_TEXT_MAX} characters on one line"
            raise InputError("not such a text", file=file, row=number, field=field, value=text, allowed=allowed)
    return Restriction(element_id=element_id, reason=reason)
