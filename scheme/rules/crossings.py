"""Permits for what a route crosses (穿跨越)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scheme.model import CrossingPermit
from scheme.policy.parameter import PolicyView


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossedObstacle:
    """Where a route meets an obstacle."""

    kind: Literal["highway", "railway", "water_diversion_trunk", "protected_cable", "river"]
    name: str
    lon_deg: float
    lat_deg: float


def list_crossing_permits(
    crossed: Sequence[CrossedObstacle], policy: PolicyView, *, is_estimated: bool
) -> tuple[CrossingPermit, ...]:
    """Return the permit each crossing needs.

    Args:
        crossed: What the route crosses, in its order.
        policy: Reads ``crossings.permits``.
        is_estimated: The route is a straight estimate.
    """
    return tuple(
        CrossingPermit(
            kind=item.kind,
            name=item.name,
            lon_deg=item.lon_deg,
            lat_deg=item.lat_deg,
            permit=row["permit"],
            permit_name=row["permit_zh"],
            is_estimated=is_estimated,
        )
        for item in crossed
        for row in (policy.row("crossings.permits", "kind", item.kind),)
    )


def describe_crossings(
    permits: Sequence[CrossingPermit], policy: PolicyView, *, laying: Literal["overhead", "cable"]
) -> tuple[str, ...]:
    """Return the crossings in words, each once.

    Args:
        permits: What the route crosses.
        policy: Reads ``crossings.permits`` and ``crossings.texts``.
        laying: Overhead lines go over (跨越), cables under (穿越).
    """
    if not permits:
        return ()
    texts = policy.get("crossings.texts").value
    words = (
        texts["estimated" if item.is_estimated else "surveyed"].format(
            verb=texts[laying],
            kind=policy.row("crossings.permits", "kind", item.kind)["kind_zh"],
            name=item.name,
            permit=item.permit_name,
        )
        for item in permits
    )
    return tuple(dict.fromkeys(words))
