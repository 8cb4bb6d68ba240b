"""When supporting works (配套工程) for a reserve project begin: by the customer's progress, or as time runs short."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from scheme.policy.parameter import PolicyView
from scheme.workdays import is_workday

Trigger = Literal["stage", "date", "wait", "not_known"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerDecision:
    """Whether preparation begins now."""

    trigger: Trigger
    """``stage``: the customer's works are far enough; ``date``: the last day to begin is reached; ``wait``: neither;
    ``not_known``: neither stage nor dates are known."""
    latest_start_on: str | None
    """Last day to begin so that the works end with the customer's; ``None``: a date or the duration is not known."""

    @property
    def is_triggered(self) -> bool:
        """Whether preparation begins now."""
        return self.trigger in ("stage", "date")


def decide_trigger(
    policy: PolicyView,
    *,
    works_stage: str | None,
    customer_end_on: date | None,
    works_workdays: int | None,
    today: date,
) -> TriggerDecision:
    """Return whether supporting works of a project begin now (SQ-2022 二(二)1, 二(二)4).

    The works end no later than the customer's own: their last working day is not after ``customer_end_on``.

    Args:
        policy: Reads ``reserve.trigger_stages``.
        works_stage: How far the customer's works are.
        customer_end_on: Day the customer's works end, or supply is needed.
        works_workdays: Time the works take (working days).
        today: Day of the decision.
    """
    start_on = None
    if customer_end_on is not None and works_workdays is not None:
        start_on = _first_day(customer_end_on, works_workdays)
    shown = None if start_on is None else start_on.isoformat()
    if works_stage is not None and works_stage in policy.texts("reserve.trigger_stages"):
        return TriggerDecision(trigger="stage", latest_start_on=shown)
    if start_on is not None:
        return TriggerDecision(trigger="date" if start_on <= today else "wait", latest_start_on=shown)
    return TriggerDecision(trigger="not_known" if works_stage is None else "wait", latest_start_on=None)


def _first_day(end_on: date, workdays: int) -> date:
    """Return the day on which so many working days, the last one not after ``end_on``, begin."""
    day, left = end_on, workdays
    while True:
        left -= is_workday(day)
        if left <= 0:
            return day
        day -= timedelta(days=1)
