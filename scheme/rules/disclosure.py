"""What is disclosed to whom (信息公开), by the disclosure profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scheme.policy.parameter import PolicyView

Audience = Literal["public", "applicant", "on_application", "internal"]
"""Anyone; who has an order; who applied for the area's information; the utility's own staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureItem:
    """One kind of information."""

    item: str
    text: str
    refresh_months: int | None
    """Published anew every so many months; ``None``: kept current without a period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hotline:
    """One telephone line; ``number`` is ``None`` where the utility has not supplied it."""

    text: str
    number: str | None


def list_disclosure(audience: Audience, policy: PolicyView) -> tuple[DisclosureItem, ...]:
    """Return what this audience gets; a profile that names nothing discloses nothing.

    Args:
        audience: Who asks.
        policy: Reads ``disclosure.items``.
    """
    items = policy.find("disclosure.items")
    if items is None:
        return ()
    return tuple(
        DisclosureItem(item=row["item"], text=row["item_zh"], refresh_months=row["refresh_months"])
        for row in items.value
        if row["audience"] == audience
    )


def list_hotlines(policy: PolicyView) -> tuple[Hotline, ...]:
    """Return the lines published together, the utility's own supervision line last.

    Args:
        policy: Reads ``disclosure.hotlines`` and ``disclosure.internal_line``.
    """
    known = policy.find("disclosure.hotlines")
    if known is None:
        return ()
    own = policy.find("disclosure.internal_line")
    lines = [Hotline(text=row["line_zh"], number=row["number"]) for row in known.value]
    name_zh = policy.policies.parameters["disclosure.internal_line"].name_zh
    return (*lines, Hotline(text=name_zh, number=None if own is None else str(own.value)))


def get_negative_list_criteria(policy: PolicyView) -> str:
    """Return when a feeder or transformer area stands on the negative list (电网负面清单).

    Raises:
        PolicyNotInForceError: The utility has not supplied it; no paper does.
    """
    return policy.text("disclosure.negative_list_criteria")
