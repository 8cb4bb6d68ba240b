"""Ownership boundary (产权分界点)."""

from __future__ import annotations

from scheme.model import PointKind
from scheme.policy.parameter import PolicyView


def describe_ownership(point_kind: PointKind, policy: PolicyView) -> str:
    """Return where the utility's property ends at this kind of connection point.

    Args:
        point_kind: Kind of the connection point.
        policy: Reads ``ownership.boundaries``.
    """
    return str(policy.row("ownership.boundaries", "kind", point_kind)["text"])
