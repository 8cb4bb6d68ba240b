"""Supervision of orders (督办): how often, how many are called back, and what was finished implausibly fast."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from scheme.policy.parameter import PolicyView
from scheme.rules.validity import add_months
from scheme.workdays import add_workdays

OrderKind = Literal["hv_new", "hv_increase", "lv_new", "lv_generation"]
_PERIOD_DAYS = {"continuous": 0, "day": 1, "week": 7}


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionDuty:
    """One recurring duty; a continuous one is due on the day itself."""

    activity: str
    text: str
    period: str
    next_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBackPlan:
    """Orders watched and customers called back; ``None`` where the profile says nothing."""

    monitored_count: int | None
    hv_call_back_count: int | None
    lv_call_back_count: int | None


def list_duties(last_on: date, policy: PolicyView) -> tuple[SupervisionDuty, ...]:
    """Return the recurring duties and when each is due next.

    Args:
        last_on: Day all of them were done last.
        policy: Reads ``supervision.cycles``.
    """
    cycles = policy.find("supervision.cycles")
    if cycles is None:
        return ()
    return tuple(
        SupervisionDuty(
            activity=row["activity"],
            text=row["activity_zh"],
            period=row["period"],
            next_on=_next_on(last_on, row["period"]).isoformat(),
        )
        for row in cycles.value
    )


def plan_call_backs(
    policy: PolicyView, *, open_order_count: int, hv_order_count: int, lv_order_count: int
) -> CallBackPlan:
    """Return how many orders are watched and called back, shares rounded up.

    Args:
        policy: Reads ``supervision.monitored_ratio`` and the call-back ratios.
        open_order_count: Orders not finished.
        hv_order_count: Finished orders at 10 kV.
        lv_order_count: Finished orders at low voltage.
    """
    return CallBackPlan(
        monitored_count=_share("supervision.monitored_ratio", open_order_count, policy),
        hv_call_back_count=_share("supervision.hv_call_back_ratio", hv_order_count, policy),
        lv_call_back_count=_share("supervision.lv_call_back_ratio", lv_order_count, policy),
    )


def is_too_short(kind: OrderKind, elapsed_workdays: int, policy: PolicyView) -> bool:
    """Return whether an order was finished implausibly fast, which is a fault like being late.

    Args:
        kind: Kind of order.
        elapsed_workdays: From acceptance to energising.
        policy: Reads ``supervision.too_short_*``.

    Raises:
        PolicyNotInForceError: The profile checks this kind, and the utility has not said below how many days.
    """
    kinds = policy.find("supervision.too_short_kinds")
    if kinds is None or kind not in kinds.value:
        return False
    return bool(elapsed_workdays < policy.row("supervision.too_short_limits", "kind", kind)["workdays_min"])


def find_closure_on(warned_on: date, policy: PolicyView) -> date | None:
    """Return the last day to close a warned order; ``None`` where the profile sets none.

    Args:
        warned_on: Day of the warning.
        policy: Reads ``supervision.closure_workdays_max``.
    """
    limit = policy.find("supervision.closure_workdays_max")
    return None if limit is None else add_workdays(warned_on, int(limit.value))[0]


def _share(parameter_id: str, count: int, policy: PolicyView) -> int | None:
    ratio = policy.find(parameter_id)
    return None if ratio is None else math.ceil(Decimal(str(ratio.value)) * count)


def _next_on(last_on: date, period: str) -> date:
    if period == "month":
        return add_months(last_on, 1)
    return last_on + timedelta(days=_PERIOD_DAYS[period])
