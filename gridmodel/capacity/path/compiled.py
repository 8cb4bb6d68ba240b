"""The only module that imports numba: one decorator, so that all compiled functions share their options."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba


def _forget_outdated_code(folder: Path) -> None:
    """Delete kept machine code older than any source file: numba only looks at a function's own file."""
    newest = max(source.stat().st_mtime for source in folder.glob("*.py"))
    for kept in (folder / "__pycache__").glob("*.nb[ic]"):
        try:
            if kept.stat().st_mtime < newest:
                kept.unlink()
        except (FileNotFoundError, PermissionError):
            continue  # another process was first, or nothing may be written here


_forget_outdated_code(Path(__file__).parent)

_Function = TypeVar("_Function", bound=Callable[..., object])


def compiled(function: _Function) -> _Function:
    """Compile on first call and keep the machine code on disk; a division by zero gives inf or NaN, as in numpy.

    A product and a sum may be rounded once instead of twice, which only adds digits.
    """
    return cast("_Function", numba.njit(cache=True, error_model="numpy", fastmath={"contract"})(function))


@compiled
def magnitude(z: complex) -> float:
    """Return ``|z|`` without the guard against overflow that per-unit values do not need."""
    return math.sqrt(z.real * z.real + z.imag * z.imag)
