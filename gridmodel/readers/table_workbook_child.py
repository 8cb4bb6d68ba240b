"""Program that turns one spreadsheet into JSON on stdout; run as a process of its own, never imported by the product.

The spreadsheet library allocates every cell between the first and the last one and aborts the whole process when memory
ends: a file of 5 kB with a value in the last cell of a sheet does it. Memory and time are therefore bounded here.
"""

from __future__ import annotations

import datetime
import json
import resource
import sys
from collections.abc import Sequence
from typing import Any

import python_calamine

MEMORY_BYTES_MAX = 1_500 * 2**20
CPU_S_MAX = 60
CHARACTERS_MAX = 200_000_000
EXIT_REFUSED = 3


class _TooMuchTextError(Exception):
    pass


def main(arguments: Sequence[str]) -> int:
    """Read the workbook named first, only the sheets named after it; missing sheets are left out."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S_MAX, CPU_S_MAX))
    path, *wanted = arguments
    try:
        json.dump(_read(path, frozenset(wanted)), sys.stdout, ensure_ascii=True)
    except (python_calamine.CalamineError, _TooMuchTextError, OSError, ValueError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}"[:300])
        return EXIT_REFUSED
    return 0


def _read(path: str, wanted: frozenset[str]) -> dict[str, Any]:
    workbook = python_calamine.CalamineWorkbook.from_path(path)
    names = list(workbook.sheet_names)
    characters = 0
    sheets = {}
    for name in names:
        if name not in wanted:
            continue
        rows = []
        for cells in workbook.get_sheet_by_name(name).to_python(skip_empty_area=False):
            row = [_text(cell) for cell in cells]
            characters += sum(map(len, row))
            if characters > CHARACTERS_MAX:
                raise _TooMuchTextError("more text than a network can need")
            rows.append(row)
        sheets[name] = rows
    return {"names": names, "sheets": sheets}


def _text(cell: Any) -> str:
    """Return a cell as it would stand in a CSV file."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    return str(cell)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
