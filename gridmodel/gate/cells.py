"""Turn the cells of a table read from outside into typed columns, and say which cells cannot be turned."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Fault = Literal["missing_value", "not_finite", "not_a_number", "not_true_or_false", "not_an_index"]
Faults = list[tuple[int, Fault]]
"""Position of a cell and what is wrong with it."""

_INDEX_MAX = 2**31 - 1
"""pandapower keeps indices as 32-bit numbers in places."""


def is_missing(cell: object) -> bool:
    """Return whether a cell is empty: ``None``, NaN or pandas' NA."""
    return cell is None or cell is pd.NA or (isinstance(cell, float) and math.isnan(cell))


def numbers(
    cells: Sequence[object], *, is_required: bool, may_be_infinite: bool = False
) -> tuple[npt.NDArray[np.float64], Faults]:
    """Return the cells as floats (NaN where empty or faulty) and the faults. Text is never read as a number."""
    values = np.full(len(cells), np.nan)
    faults: Faults = []
    for position, cell in enumerate(cells):
        if is_missing(cell):
            if is_required:
                faults.append((position, "missing_value"))
        elif isinstance(cell, bool | np.bool_) or not isinstance(cell, int | float | np.integer | np.floating):
            faults.append((position, "not_a_number"))
        else:
            try:
                value = float(cell)
            except OverflowError:
                value = math.inf
            if math.isinf(value) and not may_be_infinite:
                faults.append((position, "not_finite"))
            else:
                values[position] = value
    return values, faults


def flags(cells: Sequence[object], *, is_required: bool) -> tuple[npt.NDArray[np.bool_], Faults]:
    """Return the cells as truth values (False where empty or faulty) and the faults; 0 and 1 are accepted."""
    values = np.zeros(len(cells), dtype=bool)
    faults: Faults = []
    for position, cell in enumerate(cells):
        if is_missing(cell):
            if is_required:
                faults.append((position, "missing_value"))
        elif isinstance(cell, bool | np.bool_ | int | float | np.integer | np.floating) and cell in (0, 1):
            values[position] = bool(cell)
        else:
            faults.append((position, "not_true_or_false"))
    return values, faults


def indices(cells: Sequence[object]) -> tuple[npt.NDArray[np.int64], Faults]:
    """Return the cells as element indices (-1 where faulty) and the faults."""
    values = np.full(len(cells), -1, dtype=np.int64)
    faults: Faults = []
    for position, cell in enumerate(cells):
        if is_missing(cell):
            faults.append((position, "missing_value"))
        elif (
            isinstance(cell, bool | np.bool_)
            or not isinstance(cell, int | float | np.integer | np.floating)
            or (isinstance(cell, float | np.floating) and not float(cell).is_integer())
            or not -1 <= int(cell) <= _INDEX_MAX
        ):
            faults.append((position, "not_an_index"))
        else:
            values[position] = int(cell)
    return values, faults


def texts(cells: Sequence[object]) -> tuple[list[str | None], list[int]]:
    """Return the cells as text without control characters, and the positions where some were taken out.

    Numbers are written out, empty cells are ``None``. Control and direction characters have no place in a name: they
    break documents and let one name pass for another.
    """
    result: list[str | None] = []
    changed: list[int] = []
    for position, cell in enumerate(cells):
        text = None if is_missing(cell) else cell if isinstance(cell, str) else str(cell)
        if text is not None and not text.isprintable():
            clean = "".join(c for c in text if unicodedata.category(c) not in _UNPRINTABLE)
            if clean != text:
                changed.append(position)
            text = clean
        result.append(text)
    return result, changed


_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
