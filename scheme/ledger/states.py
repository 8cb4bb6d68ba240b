"""States of a hold (占用) and the only ways between them; no database here.

A scheme that was computed is a ``quote`` and takes nothing. The answer (答复) makes it ``held``, the contract
``committed``, the connection (送电) ``energised``; once a snapshot contains the load it is ``closed``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from scheme.ledger.errors import HoldStateError

State = Literal[
    "quote",
    "held",
    "committed",
    "energised",
    "closed",
    "expired",
    "withdrawn",
    "superseded",
    "cancelled",
    "reduced",
]
Step = Literal["issue", "commit", "energise", "close", "expire", "withdraw", "supersede", "reduce", "succeed"]

TRANSITIONS: Mapping[tuple[State, Step], State] = MappingProxyType(
    {
        ("quote", "issue"): "held",
        ("held", "commit"): "committed",
        ("held", "energise"): "energised",
        ("committed", "energise"): "energised",
        ("energised", "close"): "closed",
        ("held", "expire"): "expired",
        ("held", "withdraw"): "withdrawn",
        ("committed", "withdraw"): "cancelled",
        ("held", "supersede"): "superseded",
        ("committed", "reduce"): "reduced",
        ("quote", "succeed"): "committed",  # what is left of a reduced one
    }
)
"""State and step -> next state; what is not listed is refused."""

LIVE: tuple[State, ...] = ("held", "committed", "energised")
"""States that use capacity."""

CONFIRMING: frozenset[Step] = frozenset({"commit", "energise"})
"""Steps that bind the utility: a ``held`` hold takes them on its last valid day, not after."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a hold of one VA counts for in an account."""

    held: int
    posted: int


_USE: Mapping[State, Use] = MappingProxyType({"held": Use(1, 0), "committed": Use(0, 1), "energised": Use(0, 1)})
_NO_USE = Use(0, 0)


def use_of(state: State) -> Use:
    """Return which counter a hold in this state stands in."""
    return _USE.get(state, _NO_USE)


def next_state(state: State, step: Step) -> State:
    """Return the state after a step.

    Raises:
        HoldStateError: The step is not allowed from this state.
    """
    following = TRANSITIONS.get((state, step))
    if following is None:
        raise HoldStateError(f"a hold that is {state} cannot take this step", state=state, step=step)
    return following
