"""Timeline of a supply (时间安排): acceptance, supporting works, process, with the last day the policy allows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from scheme.model import Milestone, Timeline
from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest
from scheme.rules.time_limit import find_time_limit
from scheme.workdays import add_workdays

WorksMode = Literal["tee", "overhead_line", "ring_main_unit"]
_WORKS_IDS: dict[WorksMode, str] = {
    "tee": "time_limit.works_tee_workdays",
    "overhead_line": "time_limit.works_overhead_line_workdays",
    "ring_main_unit": "time_limit.works_ring_main_unit_workdays",
}


def plan_timeline(
    request: SupplyRequest,
    policy: PolicyView,
    *,
    is_low_voltage: bool,
    works_modes: Sequence[WorksMode] = (),
    has_supporting_works: bool | None = None,
) -> Timeline:
    """Return the milestones from acceptance on and the limit date.

    The planned day is the limit itself: no policy gives durations of single steps. The customer's own works are not
    counted. Supporting works of several kinds are built side by side, the longest counts. Where works are added to the
    limit and their kind is not known, there is no limit date.

    Args:
        request: Accepted on ``received_on``, which is day 0 unless the policy says otherwise.
        policy: Reads ``time_limit.*``.
        is_low_voltage: Connected at 220 or 380 V.
        works_modes: Kinds of 10 kV supporting works (配套工程), none where nothing is built.
        has_supporting_works: By default whether ``works_modes`` names any.
    """
    has_works = bool(works_modes) if has_supporting_works is None else has_supporting_works
    limit = find_time_limit(request, policy, is_low_voltage=is_low_voltage, has_supporting_works=has_works)
    stages = [("acceptance", 0)]
    if limit.supporting_works_are_added and works_modes:
        stages.append(("supporting_works", max(policy.count(_WORKS_IDS[mode]) for mode in works_modes)))
    is_known = bool(works_modes) or not limit.supporting_works_are_added
    if is_known:
        stages.append(("process" if limit.supporting_works_are_added else "whole_process", limit.workdays))
    milestones = _milestones(request.received_on, stages, policy)
    last_on = milestones[-1].ends_on if is_known else None
    return Timeline(
        milestones=milestones,
        limit=sum(workdays for _, workdays in stages) if is_known else None,
        limit_unit="workday" if is_known else None,
        limit_on=last_on,
        planned_on=last_on,
        is_provisional=any(milestone.is_provisional for milestone in milestones),
    )


def _milestones(received_on: date, stages: Sequence[tuple[str, int]], policy: PolicyView) -> tuple[Milestone, ...]:
    texts = policy.get("time_limit.texts").value
    is_day_zero = policy.flag("time_limit.acceptance_is_day_zero")
    milestones: list[Milestone] = []
    elapsed_workdays, ends_on = 0, received_on
    for stage, workdays in stages:
        starts_on = ends_on
        elapsed_workdays += workdays
        ends_on, is_provisional = add_workdays(received_on, elapsed_workdays, start_is_day_zero=is_day_zero)
        milestones.append(
            Milestone(
                code=stage,
                text=texts[stage],
                duration=workdays,
                unit="workday",
                starts_on=starts_on.isoformat(),
                ends_on=ends_on.isoformat(),
                is_provisional=is_provisional,
            )
        )
    return tuple(milestones)
