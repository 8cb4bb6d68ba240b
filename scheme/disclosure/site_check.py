"""What a check of the own site tells (用电地址核实): yes, up to, or works first; days and money as a customer may know.

Made of the customer's view alone, so that it tells less than a reply does: no source, route or point of the grid.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from scheme.disclosure.customer_scheme import (
    CustomerFee,
    CustomerInvestment,
    CustomerReasonText,
    CustomerScheme,
    CustomerStage,
    CustomerTimeline,
)

Answer = Literal["yes", "up_to", "needs_works", "review"]
_ANSWERS: dict[str, Answer] = {
    "feasible": "yes",
    "feasible_up_to": "up_to",
    "needs_works": "needs_works",
    "needs_review": "review",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCheck:
    """The answer; ``None`` is not known or left to the utility's reply, never 0. Nothing is held or promised."""

    answer: Answer
    capacity_kva: float | None
    """Asked for, or the band reached before works."""
    text: str
    as_of: str
    verdict: str
    reasons: tuple[CustomerReasonText, ...]
    voltage: str | None
    supply_capacity_kva: float | None
    """供电容量, sized by the rules where nobody asked for one."""
    timeline: CustomerTimeline | None
    stages: tuple[CustomerStage, ...]
    customer_cost_cny10k: float | None
    rounding_note: str
    steps: tuple[str, ...]
    fees: tuple[CustomerFee, ...]
    investment_boundary: CustomerInvestment | None
    conditions: tuple[str, ...]
    data_needed: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


def site_check(view: CustomerScheme) -> SiteCheck:
    """Return what is told of a scheme that is not kept.

    Args:
        view: What its customer could read of it.
    """
    supply = view.supply
    return SiteCheck(
        answer=_ANSWERS[view.own_site.answer],
        capacity_kva=view.own_site.capacity_kva,
        text=view.own_site.text,
        as_of=view.replied_on,
        verdict=view.verdict,
        reasons=view.reasons,
        voltage=None if supply is None else supply.voltage,
        supply_capacity_kva=None if supply is None else supply.capacity_kva,
        timeline=view.timeline,
        stages=view.stages,
        customer_cost_cny10k=view.customer_cost_cny10k,
        rounding_note=view.rounding_note,
        steps=view.steps,
        fees=view.fees,
        investment_boundary=view.investment_boundary,
        conditions=view.conditions,
        data_needed=view.data_needed,
    )
