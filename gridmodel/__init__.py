"""What the grid is and what it can still carry: networks, quality gate, open capacity, trial connections.

The public Python call is re-exported here and loaded on first use, so that ``gridmodel.errors`` costs no numerics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridmodel.capacity.limits import Limits, VoltageBand
    from gridmodel.capacity.search import open_capacity

__all__ = ["Limits", "VoltageBand", "open_capacity"]


def __getattr__(name: str) -> Any:
    """Return a public name from the module that defines it."""
    if name in ("Limits", "VoltageBand"):
        from gridmodel.capacity import limits

        return getattr(limits, name)
    if name == "open_capacity":
        from gridmodel.capacity.search import open_capacity

        return open_capacity
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
