"""What must be supplied before a check can be closed."""

from __future__ import annotations

from scheme.policy.parameter import PolicyView

NEEDED = "需补充："
"""Begins the part of a note that names missing data."""


def ask_for(what: str, policy: PolicyView) -> str:
    """Return the note that asks for data; ``what`` is a key of ``power_quality.data_needed``."""
    return NEEDED + str(policy.get("power_quality.data_needed").value[what])
