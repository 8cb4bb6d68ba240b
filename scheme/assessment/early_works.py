"""Supporting works to prepare early (超前启动配套工程): the cheapest verified measures for who is not served in full.

Every project is planned by the machinery of transition schemes (过渡方案) on the grid with all that is placed, its own
part aside. Measures of several projects at one element are one work, of the largest type any of them needs; whether all
of them fit together then is asked by assessing a scenario with the upgrades done (:func:`as_upgrades`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd

from gridmodel.catalogue.loader import Catalogue
from gridmodel.snapshot import Snapshot
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.project import Project
from scheme.assessment.records import Assessment, EarlyWork, ProjectWorks
from scheme.assessment.scenario import Scenario, Upgrade, with_upgrades
from scheme.assessment.tasks import Row, placed_row
from scheme.assessment.workers import ThisProcess, Workers
from scheme.errors import CancelledError
from scheme.model import Measure
from scheme.policy.parameter import PolicyView
from scheme.rules.early_works import TriggerDecision, decide_trigger

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
    capacity: pd.DataFrame | None = None,
    scenario: Scenario | None = None,
    project_ids: Collection[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    workers: Workers | None = None,
) -> Assessment:
    """Return the assessment with its supporting works.

    Args:
        assessment: Result of :func:`scheme.assessment.engine.assess_projects`.
        projects: What it was asked.
        snapshot: The grid assessed, before the upgrades of the scenario.
        policy: Reads ``transition.*`` and ``reserve.trigger_stages``.
        catalogue: Equipment and unit costs.
        as_of: Day of the decision what begins now.
        capacity: Table the assessment was given, so that its workers need no other grid.
        scenario: That of the assessment.
        project_ids: Projects to plan for; default all that are not served in full.
        progress: Called with (projects done, projects in all).
        cancelled: Asked after every project.
        workers: Who plans; default this process, one project after another.

    Raises:
        CancelledError: ``cancelled`` said yes.
        PolicyNotInForceError: A number is missing that the utility must supply.
    """
    upgrades, policy = () if scenario is None else scenario.upgrades, policy.fresh()
    grid = AssessedGrid(
        with_upgrades(snapshot, upgrades, catalogue), policy, catalogue, capacity=None if upgrades else capacity
    )
    by_id = {project.project_id: project for project in projects}
    placed = [
        placed_row(result.project_id, result.queue.placement)
        for result in assessment.projects
        if result.queue.placement is not None
    ]
    inputs = [(number, [*placed, row]) for number, row in enumerate(_rows(assessment, by_id, project_ids))]
    done = 0

    def tick(more: int) -> None:
        nonlocal done
        done += more
        if more and progress is not None:  # 0: only asks whether to go on
            progress(done, len(inputs))
        if cancelled is not None and cancelled():
            raise CancelledError("the planning of works was cancelled", done=done, total=len(inputs))

    found = (workers or ThisProcess()).run("works", inputs, grid, tick)
    planned = [_as_planned(row, by_id[row["project_id"]], policy, as_of) for rows in found for row in rows]
    return replace(assessment, project_works=tuple(item.works for item in planned), works=_combine(planned))


def _rows(
    assessment: Assessment, by_id: Mapping[str, Project], project_ids: Collection[str] | None
) -> Iterator[dict[str, Any]]:
    """Yield the projects to plan for, in the order of the queue."""
    for result in assessment.projects:
        is_wanted = project_ids is None or result.project_id in project_ids
        if is_wanted and result.queue.verdict in ("partly", "no"):
            yield {"project": by_id[result.project_id].as_dict(), "now_kva": result.queue.now_kva or 0.0}


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


def _as_planned(row: Row, project: Project, policy: PolicyView, as_of: date) -> _Planned:
    measures = tuple(Measure(**{**item, "element_ids": tuple(item["element_ids"])}) for item in row["measures"])
    trigger = decide_trigger(
        policy,
        works_stage=project.works_stage,
        customer_end_on=project.works_finish_on or project.needed_on,
        works_workdays=row["duration_workdays"],
        today=as_of,
    )
    code = "+".join(dict.fromkeys(measure.code for measure in measures)) or "another_point"
    works = ProjectWorks(
        project_id=project.project_id,
        is_complete=row["is_complete"],
        code=code if row["is_complete"] else None,
        text=row["text"],
        now_kva=round(row["now_kva"], 3),
        element_source_id=row["element_source_id"],
        cost_cny10k=row["cost_cny10k"],
        not_priced=tuple(row["not_priced"]),
        duration_workdays=row["duration_workdays"],
        funding=row["funding"],
        trigger=trigger.trigger,
        latest_start_on=trigger.latest_start_on,
    )
    return _Planned(project_id=project.project_id, works=works, measures=measures, trigger=trigger)


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
