"""Plan of one supply (进度计划): its steps as an activity network, promise, what is still open, contract check.

See decision 0006 for the order of the steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from scheme.critical_path import Activity, Network, Scheduled, solve
from scheme.model import Milestone, Timeline
from scheme.model_variant import ContractCheck
from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest
from scheme.rules.outage import ConnectionPlan
from scheme.rules.permits import Permit
from scheme.rules.supporting_works import check_contract
from scheme.rules.time_limit import TimeLimit
from scheme.stock import MaterialSupply


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    """What the plan knows of the connection beyond its works."""

    permits: tuple[Permit, ...] = ()
    builds_route: bool = False
    """The utility builds the route: its works wait for the permits, otherwise the customer's do."""
    supply: MaterialSupply | None = None
    """``None``: materials are not looked at."""
    has_customer_works: bool = False
    """客户外部工程; their end is the customer's own date (``needed_on``), else open."""
    connection_plan: ConnectionPlan | Literal["none", "not_known"] = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorksTime:
    """Supporting works that come on top of the limit."""

    are_added: bool
    duration: int | None
    """Working days; 0 where none are added."""
    needs: str


class SupplyPlan:
    """The activities of one supply and what each still needs."""

    def __init__(
        self,
        request: SupplyRequest,
        policy: PolicyView,
        *,
        limit: TimeLimit,
        works: WorksTime,
        facts: PlanFacts,
        is_low_voltage: bool,
    ) -> None:
        self._request, self._policy, self._limit, self._works, self._facts = request, policy, limit, works, facts
        self._texts: dict[str, Any] = policy.get("time_limit.texts").value | policy.get("schedule.texts").value
        self._activities: list[Activity] = []
        self._labels: dict[str, str] = {}
        self._needs: dict[str, str] = {}
        self._is_low_voltage = is_low_voltage
        self._compile()

    def finish(self, timeline: Timeline) -> Timeline:
        """Return the timeline with steps, promise and contract check."""
        network = self._solve(self._activities)
        return replace(
            timeline,
            milestones=tuple(self._milestone(item, network) for item in network.activities),
            is_provisional=timeline.is_provisional or any(item.is_provisional for item in network.activities),
            promise_on=_iso(network.ends_on),
            critical_path=network.critical_path,
            missing=tuple(dict.fromkeys(self._needs.values())),
            contract=self._contract(network),
            **(self._dated(network) if network.ends_on is not None else self._open(network)),
        )

    def _add(self, code: str, label: str, duration: int | None, *, needs: str = "", **more: Any) -> None:
        self._activities.append(Activity(code=code, duration=duration, **more))
        self._labels[code] = label
        if needs:
            self._needs[code] = needs

    def _compile(self) -> None:
        self._add("acceptance", self._texts["acceptance"], 0)
        permits = tuple(f"permit_{permit.code}" for permit in self._facts.permits)
        for code, permit in zip(permits, self._facts.permits, strict=True):
            needs = "" if permit.duration is not None else f"time_limit.permits:{permit.code}"
            before = ("acceptance",)
            self._add(code, permit.text, permit.duration, needs=needs, unit=permit.unit, predecessors=before)
        material = self._add_material()
        has_own = self._facts.has_customer_works
        is_utility_permit = self._facts.builds_route or not has_own
        before = ("acceptance",)
        if self._works.are_added:
            earlier = (*(permits if is_utility_permit else ()), *material) or before
            duration, needs = self._works.duration, self._works.needs
            self._add("supporting_works", self._texts["supporting_works"], duration, needs=needs, predecessors=earlier)
            material, permits, before = (), () if is_utility_permit else permits, ("supporting_works",)
        if has_own:
            self._add_customer_works(() if is_utility_permit else permits)
            permits = permits if is_utility_permit else ()
            before = (*(() if before == ("acceptance",) else before), "customer_works")
        waits = (*permits, *material)
        before = (*(() if waits and before == ("acceptance",) else before), *waits)
        code = "process" if self._limit.supporting_works_are_added else "whole_process"
        self._add(code, self._texts[code], self._limit.workdays, predecessors=before)
        self._add_connection(code)

    def _add_material(self) -> tuple[str, ...]:
        """Add delivery and drawing of materials; return what the works wait for.

        Limits of the whole process hold the drawing of what is in stock; only a known delivery comes before them.
        """
        supply = self._facts.supply
        if supply is None or (self._is_low_voltage and self._are_drawn_as_needed()):
            return ()
        before = ("acceptance",)
        is_delivered = supply.ready_on is not None
        if is_delivered:
            self._add("material_delivery", self._texts["material_delivery"], 0, predecessors=before,
                      not_before=supply.ready_on)  # fmt: skip
            before = ("material_delivery",)
        if not self._works.are_added:
            return before if is_delivered else ()
        if supply.not_known:
            label = self._texts["material_delivery"]
            self._add("material_delivery", label, None, needs="stock", predecessors=before)
            before = ("material_delivery",)
        days = self._policy.find("time_limit.stock_ready_workdays")
        duration, needs = (None, "time_limit.stock_ready_workdays") if days is None else (int(days.value), "")
        self._add("material_ready", self._texts["material_ready"], duration, needs=needs, predecessors=before)
        return ("material_ready",)

    def _are_drawn_as_needed(self) -> bool:
        value = self._policy.find("schedule.lv_material_is_drawn_as_needed")
        return value is not None and bool(value.value)

    def _add_customer_works(self, permits: tuple[str, ...]) -> None:
        own_on, before = self._request.needed_on, permits or ("acceptance",)
        duration, needs = (None, "request.needed_on") if own_on is None else (0, "")
        label = self._texts["customer_works"]
        self._add("customer_works", label, duration, needs=needs, predecessors=before, not_before=own_on)

    def _add_connection(self, process: str) -> None:
        plan = self._facts.connection_plan
        if plan == "none" or (isinstance(plan, ConnectionPlan) and plan.cycle_days == 0):
            return
        if isinstance(plan, ConnectionPlan):
            self._add("connection_plan", self._texts["connection_plan"].format(plan=plan.plan), plan.cycle_days,
                      unit="day", predecessors=(process,), window_anchor=plan.anchor_on)  # fmt: skip
        else:
            label = self._texts["after_connection_plan"]
            self._add("connection_plan", label, None, needs="outage.plans", unit="day", predecessors=(process,))

    def _solve(self, activities: Sequence[Activity]) -> Network:
        return solve(
            activities,
            self._request.received_on,
            start_is_day_zero=self._policy.flag("time_limit.acceptance_is_day_zero"),
            days_roll=self._policy.flag("time_limit.day_limit_rolls_to_workday"),
        )

    def _milestone(self, item: Scheduled, network: Network) -> Milestone:
        activity = item.activity
        return Milestone(
            code=activity.code,
            text=self._labels[activity.code],
            duration=None if activity.not_before is not None else activity.duration,
            unit=activity.unit,
            starts_on=_iso(item.starts_on),
            ends_on=_iso(item.ends_on),
            is_provisional=item.is_provisional,
            predecessors=activity.predecessors,
            slack_workdays=item.slack_workdays,
            is_critical=item.slack_workdays == 0 if network.ends_on is not None
            else activity.code in network.critical_path,
            needs=self._needs.get(activity.code, ""),
            needs_text=self._needs_text(activity.code),
        )  # fmt: skip

    def _needs_text(self, code: str) -> str:
        needs = self._needs.get(code, "")
        if not needs:
            return ""
        if needs.startswith("time_limit.permits:"):
            return str(self._texts["needs_permit"])
        known = self._policy.policies.parameters.get(needs)
        return str(self._texts[f"needs_{needs.removeprefix('request.')}"]) if known is None else known.name_zh

    def _dated(self, network: Network) -> dict[str, Any]:
        assert network.ends_on is not None
        needed_on, texts = self._request.needed_on, self._texts
        if not self._facts.has_customer_works or needed_on is None:
            return {
                "promise_text": texts["promise"].format(day=_day(network.ends_on)),
                "is_by_needed_on": None if needed_on is None else network.ends_on <= needed_on,
            }
        text = str(texts["promise_with_customer"]).format(own=_day(needed_on), day=_day(network.ends_on))
        by_on = self._customer_works_by(needed_on)
        if by_on is not None and by_on < needed_on:
            text += str(texts["customer_works_by"]).format(own=_day(needed_on), by=_day(by_on))
        return {"promise_text": text, "customer_works_by_on": _iso(by_on)}

    def _customer_works_by(self, needed_on: date) -> date | None:
        """Return the last end of the customer's works with which all is done on ``needed_on``."""
        day = needed_on
        if self._end_with_customer_on(self._request.received_on) > needed_on:
            return None
        while self._end_with_customer_on(day) > needed_on:
            day -= timedelta(days=1)
        return day

    def _end_with_customer_on(self, day: date) -> date:
        moved = [replace(a, not_before=day) if a.code == "customer_works" else a for a in self._activities]
        ends_on = self._solve(moved).ends_on
        assert ends_on is not None
        return ends_on

    def _open(self, network: Network) -> dict[str, Any]:
        """Return how the promise counts from the end of the open steps."""
        closed = [replace(a, duration=0) if a.duration is None else a for a in self._activities]
        earliest = self._solve(closed).ends_on
        assert earliest is not None
        texts, workdays, days = self._texts, network.tail_workdays, network.tail_days
        length = "workdays_and_days" if workdays and days else "workdays" if workdays else "days" if days else "at_once"
        steps = texts["joiner"].join(self._after(code) for code in network.waits_for)
        return {
            "promise_after": network.waits_for,
            "promise_after_workdays": workdays,
            "promise_after_days": days,
            "promise_not_before_on": earliest.isoformat(),
            "promise_text": texts["promise_after"].format(
                steps=steps,
                length=texts[length].format(count=workdays or days, workdays=workdays, days=days),
                day=_day(earliest),
            ),
        }

    def _after(self, code: str) -> str:
        if code.startswith("permit_"):
            return str(self._texts["after_permit"].format(text=self._labels[code]))
        return str(self._texts[f"after_{code}"])

    def _contract(self, network: Network) -> ContractCheck | None:
        if not self._works.are_added:
            return None
        ends = {item.activity.code: item.ends_on for item in network.activities}
        return check_contract(
            self._policy,
            works_end_on=ends["supporting_works"],
            customer_end_on=self._request.needed_on,
            works_workdays=self._works.duration,
            limit_workdays=self._works.duration,
        )


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
