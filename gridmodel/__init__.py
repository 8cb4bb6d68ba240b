"""What the grid is and what it can still carry: networks, quality gate, open capacity, trial connections.

The public Python calls are re-exported here and loaded on first use, so that ``gridmodel.errors`` costs no numerics.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridmodel.capacity.flexible import capacity_for_shape, flexible_capacity
    from gridmodel.capacity.hours import capacity_over_hours
    from gridmodel.capacity.limits import Limits, VoltageBand
    from gridmodel.capacity.n_minus_one import feeder_transfer_summary, n_minus_one_capacity
    from gridmodel.capacity.search import open_capacity
    from gridmodel.capacity.tap_control import open_capacity_with_tap_control
    from gridmodel.capacity.transfer import transfers
    from gridmodel.profiles import LoadProfiles, read_profiles

__all__ = [
    "Limits",
    "LoadProfiles",
    "VoltageBand",
    "capacity_for_shape",
    "capacity_over_hours",
    "feeder_transfer_summary",
    "flexible_capacity",
    "n_minus_one_capacity",
    "open_capacity",
    "open_capacity_with_tap_control",
    "read_profiles",
    "transfers",
]

_MODULES = {
    "Limits": "capacity.limits",
    "LoadProfiles": "profiles",
    "VoltageBand": "capacity.limits",
    "capacity_for_shape": "capacity.flexible",
    "capacity_over_hours": "capacity.hours",
    "feeder_transfer_summary": "capacity.n_minus_one",
    "flexible_capacity": "capacity.flexible",
    "n_minus_one_capacity": "capacity.n_minus_one",
    "open_capacity": "capacity.search",
    "open_capacity_with_tap_control": "capacity.tap_control",
    "read_profiles": "profiles",
    "transfers": "capacity.transfer",
}


def __getattr__(name: str) -> Any:
    """Return a public name from the module that defines it."""
    if name in _MODULES:
        return getattr(import_module(f"gridmodel.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
