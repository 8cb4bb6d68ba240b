"""Timeline of a supply (时间安排): the policy's limit, and the plan of all steps with promise date and critical path.

The limit counts what the policy counts. The plan also knows what it does not count: permits, materials, the customer's
own works, the outage plan. No paper splits the process into steps, so all of it comes after the works: a promise is the
day by which supply is ready if every step keeps its limit, not a forecast. See decision 0006.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from scheme.model import Timeline
from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest
from scheme.rules.time_limit import TimeLimit, find_time_limit
from scheme.supply_plan import PlanFacts, SupplyPlan, WorksTime
from scheme.workdays import add_workdays

WorksMode = Literal["tee", "overhead_line", "ring_main_unit", "cable_line", "substation_bay"]
_WORKS_IDS: dict[WorksMode, str] = {
    "tee": "time_limit.works_tee_workdays",
    "overhead_line": "time_limit.works_overhead_line_workdays",
    "ring_main_unit": "time_limit.works_ring_main_unit_workdays",
    "cable_line": "time_limit.works_cable_line_workdays",
    "substation_bay": "time_limit.works_substation_bay_workdays",
}


def find_works_workdays(policy: PolicyView, mode: WorksMode) -> int | None:
    """Return the working days of one kind of supporting works (配套工程工期), ``None`` where the policy gives none."""
    value = policy.find(_WORKS_IDS[mode])
    return None if value is None else int(value.value)


def plan_timeline(
    request: SupplyRequest,
    policy: PolicyView,
    *,
    is_low_voltage: bool,
    works_modes: Sequence[WorksMode | None] = (),
    has_supporting_works: bool | None = None,
    facts: PlanFacts | None = None,
) -> Timeline:
    """Return the limit date, the steps from acceptance on, and the promise date.

    Supporting works of several kinds are built side by side, the longest counts. Where works are added to the limit and
    the time of one kind is not known, there is neither limit date nor promise.

    Args:
        request: Accepted on ``received_on``, which is day 0 unless the policy says otherwise.
        policy: Reads ``time_limit.*`` and ``schedule.*``.
        is_low_voltage: Connected at 220 or 380 V.
        works_modes: Kinds of 10 kV supporting works (配套工程), none where nothing is built; ``None`` for works of a
            kind nobody gave a duration for.
        has_supporting_works: By default whether ``works_modes`` names any.
        facts: Permits, materials, customer's works, outage plan; by default none of them.
    """
    has_works = bool(works_modes) if has_supporting_works is None else has_supporting_works
    limit = find_time_limit(request, policy, is_low_voltage=is_low_voltage, has_supporting_works=has_works)
    works = _read_works(works_modes, limit, policy)
    plan = SupplyPlan(
        request, policy, limit=limit, works=works, facts=facts or PlanFacts(), is_low_voltage=is_low_voltage
    )
    counted = None if works.duration is None else works.duration + limit.workdays
    limit_on, is_provisional = None, False
    if counted is not None:
        is_day_zero = policy.flag("time_limit.acceptance_is_day_zero")
        day, is_provisional = add_workdays(request.received_on, counted, start_is_day_zero=is_day_zero)
        limit_on = day.isoformat()
    return plan.finish(
        Timeline(
            milestones=(),
            limit=counted,
            limit_unit=None if counted is None else "workday",
            limit_on=limit_on,
            planned_on=limit_on,
            is_provisional=is_provisional,
        )
    )


def _read_works(modes: Sequence[WorksMode | None], limit: TimeLimit, policy: PolicyView) -> WorksTime:
    if not limit.supporting_works_are_added:
        return WorksTime(are_added=False, duration=0, needs="")
    if not modes or None in modes:
        return WorksTime(are_added=True, duration=None, needs="schedule.works_modes")
    found = {mode: policy.find(_WORKS_IDS[mode]) for mode in modes if mode is not None}
    for mode, value in found.items():
        if value is None:
            return WorksTime(are_added=True, duration=None, needs=_WORKS_IDS[mode])
    return WorksTime(
        are_added=True, duration=max(int(value.value) for value in found.values() if value is not None), needs=""
    )
