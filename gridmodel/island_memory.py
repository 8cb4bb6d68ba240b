"""What was worked out of islands, each by what it was worked out from, so that what comes back is not done again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Value = TypeVar("Value")


class IslandMemory:
    """Keeps the last value under every key; threads may share it."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[Hashable, Any]] = {}

    def get(self, key: Hashable, content: Hashable, make: Callable[[], Value]) -> Value:
        """Return what is kept under a key, made anew where it was made from something else.

        Args:
            key: Island and kind of value.
            content: What the value depends on, besides the key.
            make: Makes the value.
        """
        known = self._kept.get(key)
        if known is None or known[0] != content:
            known = self._kept[key] = content, make()
        value: Value = known[1]
        return value
