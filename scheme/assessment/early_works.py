"""Supporting works to prepare early (超前启动配套工程): the cheapest verified measures for who is not served in full.

Every project is planned by the machinery of transition schemes (过渡方案) on the grid with all that is placed, its own
part aside. Measures of several projects at one element are one work, of the largest type any of them needs; whether all
of them fit together then is asked by assessing a scenario with the upgrades done (:func:`as_upgrades`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from gridmodel.catalogue.loader import Catalogue
from gridmodel.snapshot import Snapshot
from scheme.assessment.asked import Asked, find_asked
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.grid_state import GridState, trial_of_placement
from scheme.assessment.project import Project
from scheme.assessment.records import Assessment, EarlyWork, ProjectResult, ProjectWorks
from scheme.assessment.scenario import Scenario, Upgrade, with_upgrades
from scheme.errors import CancelledError
from scheme.model import Measure
from scheme.policy.parameter import PolicyView
from scheme.rules.early_works import TriggerDecision, decide_trigger
from scheme.transition.plan import TransitionPlan, plan_transition

_REPLACEMENTS = {
    "larger_transformer": "transformer",
    "larger_main_transformer": "transformer",
    "reconductoring": "line",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    project_id: str
    works: ProjectWorks
    measures: tuple[Measure, ...]
    trigger: TriggerDecision


def plan_early_works(
    assessment: Assessment,
    projects: Sequence[Project],
    *,
    snapshot: Snapshot,
    policy: PolicyView,
    catalogue: Catalogue,
    as_of: date,
    scenario: Scenario | None = None,
    project_ids: Collection[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Assessment:
    """Return the assessment with its supporting works.

    Args:
        assessment: Result of :func:`scheme.assessment.engine.assess_projects`.
        projects: What it was asked.
        snapshot: The grid assessed, before the upgrades of the scenario.
        policy: Reads ``transition.*`` and ``reserve.trigger_stages``.
        catalogue: Equipment and unit costs.
        as_of: Day of the decision what begins now.
        scenario: That of the assessment.
        project_ids: Projects to plan for; default all that are not served in full.
        progress: Called with (projects done, projects in all).
        cancelled: Asked after every project.

    Raises:
        CancelledError: ``cancelled`` said yes.
        PolicyNotInForceError: A number is missing that the utility must supply.
    """
    upgrades = () if scenario is None else scenario.upgrades
    policy = policy.fresh()
    grid = AssessedGrid(with_upgrades(snapshot, upgrades, catalogue), policy, catalogue, capacity=None)
    state, by_id = GridState(grid), {project.project_id: project for project in projects}
    for result in assessment.projects:
        placement = result.queue.placement
        if placement is not None:
            state.place(result.project_id, placement, trial_of_placement(placement, grid))
    wanted = [
        result
        for result in assessment.projects
        if result.queue.verdict in ("partly", "no") and (project_ids is None or result.project_id in project_ids)
    ]
    planned: list[_Planned] = []
    for number, result in enumerate(wanted, start=1):
        planned.append(_plan(by_id[result.project_id], result, state, as_of))
        if progress is not None:
            progress(number, len(wanted))
        if cancelled is not None and cancelled():
            raise CancelledError("the planning of works was cancelled", done=number, total=len(wanted))
    return replace(assessment, project_works=tuple(item.works for item in planned), works=_combine(planned))


def as_upgrades(works: Sequence[EarlyWork]) -> tuple[Upgrade, ...]:
    """Return the works that replace a transformer or a line, as upgrades of a scenario; new equipment is left out."""
    found = []
    for work in works:
        table = _REPLACEMENTS.get(work.code)
        if table is None:
            continue
        found.append(
            Upgrade(
                table="transformer" if table == "transformer" else "line",
                element_id=work.element_ids[0],
                type_id=work.type_id,
                sn_kva=work.sn_kva if work.type_id is None else None,
            )
        )
    return tuple(found)


def _plan(project: Project, result: ProjectResult, state: GridState, as_of: date) -> _Planned:
    grid = state.grid
    asked = find_asked(project, grid.snapshot, grid.policy, grid.catalogue)
    assert isinstance(asked, Asked)
    plan = _transition(asked, state)
    stages = () if plan is None else plan.transition.stages
    is_complete = plan is not None and plan.transition.is_complete
    last = stages[-1] if stages else None
    measures = last.measures if last is not None and is_complete else ()
    duration = last.duration_workdays if last is not None and is_complete else None
    trigger = decide_trigger(
        grid.policy,
        works_stage=project.works_stage,
        customer_end_on=project.works_finish_on or project.needed_on,
        works_workdays=duration,
        today=as_of,
    )
    now_kva = stages[0].capacity_kva if stages else result.queue.now_kva or 0.0
    works = ProjectWorks(
        project_id=project.project_id,
        is_complete=is_complete,
        code=("+".join(dict.fromkeys(measure.code for measure in measures)) or "another_point")
        if is_complete
        else None,
        text=("；".join(measure.text for measure in measures) or last.text)
        if last is not None and is_complete
        else None,
        now_kva=round(now_kva, 3),
        element_source_id=None
        if last is None or last.connection_point is None
        else last.connection_point.element_source_id,
        cost_cny10k=None if last is None or last.cost is None else last.cost.total_typical_cny10k,
        not_priced=() if last is None or last.cost is None else last.cost.not_priced,
        duration_workdays=duration,
        funding=None if plan is None else plan.transition.funding,
        trigger=trigger.trigger,
        latest_start_on=trigger.latest_start_on,
    )
    return _Planned(project_id=project.project_id, works=works, measures=measures, trigger=trigger)


def _transition(asked: Asked, state: GridState) -> TransitionPlan | None:
    grid = state.grid
    snapshot, study = state.without(asked.project.project_id)
    return plan_transition(
        asked.request,
        asked.place_deg,
        supply=asked.supply,
        snapshot=snapshot,
        policy=grid.policy,
        catalogue=grid.catalogue,
        limits=grid.limits,
        utility_segments=asked.utility_segments,
        study=study,
        places=state.places,
        rejected=(),
    )


def _combine(planned: Sequence[_Planned]) -> tuple[EarlyWork, ...]:
    """Return the works by kind and element; what is built anew, at a point of its own, belongs to one project."""
    users: dict[tuple[str, tuple[str, ...], str], list[tuple[_Planned, Measure]]] = {}
    for item, measure in _measures(planned):
        owner = "" if measure.code in _REPLACEMENTS else item.project_id
        users.setdefault((measure.code, measure.element_ids, owner), []).append((item, measure))
    return tuple(_combined(users[key]) for key in sorted(users))


def _measures(planned: Sequence[_Planned]) -> Iterator[tuple[_Planned, Measure]]:
    for item in planned:
        for measure in item.measures:
            yield item, measure


def _combined(users: Sequence[tuple[_Planned, Measure]]) -> EarlyWork:
    largest = max((measure for _, measure in users), key=lambda m: (m.sn_kva or 0.0, m.quantity, m.type_id or ""))
    items = [item for item, _ in users]
    durations = [item.works.duration_workdays for item in items]
    known = [workdays for workdays in durations if workdays is not None]
    starts = [item.trigger.latest_start_on for item in items if item.trigger.latest_start_on is not None]
    return EarlyWork(
        code=largest.code,
        text=largest.text,
        element_ids=largest.element_ids,
        quantity=largest.quantity,
        unit=largest.unit,
        type_id=largest.type_id,
        sn_kva=largest.sn_kva,
        project_ids=tuple(item.project_id for item in items),
        is_shared=len(items) > 1,
        duration_workdays=max(known) if len(known) == len(durations) else None,
        latest_start_on=min(starts, default=None),
        triggers=tuple(item.trigger.trigger for item in items),
        is_triggered=any(item.trigger.is_triggered for item in items),
    )
