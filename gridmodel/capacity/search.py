"""Open capacity of every bus (stub while the engine is being written)."""

from __future__ import annotations

from typing import Any


def open_capacity(net: Any, **options: Any) -> Any:
    """Not written yet."""
    raise NotImplementedError
