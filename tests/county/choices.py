"""What the county chose freely: ``choices.toml`` and the seeds of its random draws."""

from __future__ import annotations

import tomllib
import zlib
from pathlib import Path
from typing import Any

import numpy as np

CHOICES = Path(__file__).parent / "choices.toml"


def read_choices() -> dict[str, Any]:
    """Return the choices by section."""
    return tomllib.loads(CHOICES.read_text(encoding="utf-8"))


def draws(choices: dict[str, Any], purpose: str) -> np.random.Generator:
    """Return the random numbers of one purpose; a draw more for one purpose leaves every other as it was."""
    return np.random.default_rng([choices["seed"], zlib.crc32(purpose.encode())])


def pick_cumulative(table: list[list[Any]], chance: np.ndarray) -> np.ndarray:
    """Return for every chance in [0, 1) the name out of rows of name and cumulative share."""
    names = np.array([name for name, _ in table], dtype=object)
    position = np.searchsorted([share for _, share in table], chance, side="right")
    return names[np.minimum(position, len(names) - 1)]
