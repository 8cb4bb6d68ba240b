"""What is connected: a load (用电) or generation (分布式电源), and which limits can never stop it."""

from __future__ import annotations

from typing import Literal

from gridmodel.capacity.constraints import Constraints, Flags

Direction = Literal["load", "generation"]
LOAD, GENERATION = 1.0, -1.0
"""Signs of the extra load: generation of P + jQ is a load of -(P + jQ)."""


def sign_of(direction: Direction) -> float:
    """Return the sign of the extra load."""
    return LOAD if direction == "load" else GENERATION


def never_counts(constraints: Constraints, existed: Flags, direction: Direction) -> Flags:
    """Return the limits that no connection of this direction is answerable for, shape (limits,).

    A load is not stopped by an over-voltage that is there without it. Generation is not stopped by a lower voltage
    limit at all, so that it may be assessed in a network that waits for support.

    Args:
        constraints: The limits.
        existed: Which of them are broken without the connection.
        direction: What is connected.
    """
    if direction == "load":
        return existed & constraints.is_kind("voltage_high")
    return constraints.is_kind("voltage_low")
