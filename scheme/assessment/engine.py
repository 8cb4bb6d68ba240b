"""The assessment: every project alone, then one after another, round by round and group by group; see decision 0011.

The result depends on nothing but its inputs: neither on the order of the projects given nor on how many processes work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from gridmodel.catalogue.loader import Catalogue
from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.conflicts import find_conflicts
from scheme.assessment.exhaustion import find_years
from scheme.assessment.finder import Found
from scheme.assessment.groups import group_islands
from scheme.assessment.order import put_in_order
from scheme.assessment.project import Project
from scheme.assessment.quota import find_quotas
from scheme.assessment.records import Assessment, ProjectResult
from scheme.assessment.scenario import Scenario, with_upgrades
from scheme.assessment.tasks import found_from_row, placed_row
from scheme.assessment.workers import Input, Rows, ThisProcess, Tick, Workers
from scheme.errors import CancelledError
from scheme.policy.parameter import PolicyView

Progress = Callable[[int, int], None]
"""Called with (steps done, steps in all); a project is two steps."""

_CHUNK = 8
"""Projects of one task: so many are looked at alone, or small groups put together."""
_ROUND = 60
"""Projects of the queue whose groups are assessed side by side before anybody after them."""


def assess_projects(
    projects: Sequence[Project],
    *,
    snapshot: Snapshot,
    policy: PolicyView,
    catalogue: Catalogue,
    capacity: pd.DataFrame | None,
    as_of: date,
    scenario: Scenario | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    workers: Workers | None = None,
) -> Assessment:
    """Return what the grid says to each project alone and in the queue.

    Args:
        projects: In any order; each id once.
        snapshot: The grid with its commitments; not changed.
        policy: Rules on ``as_of``.
        catalogue: Equipment.
        capacity: ``node_capacity`` table of ``snapshot``, or ``None`` to compute it.
        as_of: Day of the assessment; years are counted from it.
        scenario: What if; default the grid and the queue as they are.
        progress: Called as the work goes on.
        cancelled: Asked after every project; where it says yes the assessment ends.
        workers: Who runs the tasks; default this process, one after another.

    Raises:
        InputError: A project stands twice, or the scenario names something that does not exist.
        CancelledError: ``cancelled`` said yes.
        PolicyNotInForceError: A number is missing that the utility must supply.
    """
    scenario, policy = scenario or Scenario(), policy.fresh()
    queue = put_in_order(_wanted(projects, scenario), policy, first_ids=scenario.first_ids)
    grid = AssessedGrid(
        with_upgrades(snapshot, scenario.upgrades, catalogue),
        policy,
        catalogue,
        capacity=None if scenario.upgrades else capacity,
    )
    run = _Run(grid, queue, progress, cancelled, workers)
    alone = run.search_alone()
    group_of = group_islands({project_id: found.islands for project_id, found in alone.items()})
    found = run.assess_queue()
    results = _as_results(queue, group_of, alone, found)
    return Assessment(
        scenario=scenario.name,
        as_of=as_of.isoformat(),
        snapshot_sha256=snapshot.sha256,
        policy_sha256=policy.sha256,
        catalogue_sha256=catalogue.sha256,
        profile=policy.profile,
        projects=results,
        conflicts=find_conflicts(results, grid),
        years=find_years(queue, results, grid, growth_by_year_ratio=scenario.growth_by_year_ratio, as_of=as_of),
        groups_count=len(set(group_of.values())),
        quotas=find_quotas(queue, results),
    )


def _wanted(projects: Sequence[Project], scenario: Scenario) -> list[Project]:
    known = {project.project_id for project in projects}
    for project_id in scenario.excluded_ids:
        if project_id not in known:
            raise InputError("no such project", field="excluded_ids", value=project_id, allowed="ids of the projects")
    return [project for project in projects if project.project_id not in scenario.excluded_ids]


class _Run:
    """One assessment at work."""

    def __init__(
        self,
        grid: AssessedGrid,
        queue: Sequence[Project],
        progress: Progress | None,
        cancelled: Callable[[], bool] | None,
        workers: Workers | None,
    ) -> None:
        self._grid, self._queue, self._workers = grid, queue, workers or ThisProcess()
        self._progress, self._cancelled = progress, cancelled
        self._done = 0
        self._alone_rows: dict[str, dict[str, Any]] = {}
        self._alone: dict[str, Found] = {}
        self._found: dict[str, Found] = {}
        self._placed: dict[str, tuple[frozenset[int], dict[str, Any]]] = {}
        """Islands and row of those placed so far."""

    def search_alone(self) -> dict[str, Found]:
        """Return what the live grid says to each project."""
        rows = [project.as_dict() for project in self._queue]
        chunks = [(first // _CHUNK, rows[first : first + _CHUNK]) for first in range(0, len(rows), _CHUNK)]
        self._alone_rows = {row["project_id"]: row for row in self._run("alone", chunks, self._tick)}
        self._alone = {project_id: found_from_row(row) for project_id, row in self._alone_rows.items()}
        return self._alone

    def assess_queue(self) -> dict[str, Found]:
        """Return what is left for each project, round by round."""
        for first in range(0, len(self._queue), _ROUND):
            own = self._queue[first : first + _ROUND]
            self._assess_groups(own)
            self._assess_rest([project for project in own if self._found[project.project_id].is_deferred])
        return self._found

    def _assess_groups(self, projects: Sequence[Project]) -> None:
        """Find what is left for the projects of a round in the islands of their groups."""
        group_of = group_islands({p.project_id: self._alone[p.project_id].islands for p in projects})
        groups: dict[int, list[Project]] = {}
        for project in projects:
            groups.setdefault(group_of[project.project_id], []).append(project)
        inputs: list[Input] = []
        for number, together in enumerate(_in_tasks(list(groups.values()))):
            islands = frozenset[int]().union(*(self._alone[p.project_id].islands for p in together))
            rows = [{**self._row(p), "group": group_of[p.project_id]} for p in together]
            inputs.append((number, [*self._placed_in(islands), *rows]))
        self._keep(self._run("groups", inputs, self._tick))

    def _assess_rest(self, deferred: Sequence[Project]) -> None:
        """Find what all islands have left for projects that go on to others than those of their group."""
        if deferred:
            rows = [*self._placed_in(None), *map(self._row, deferred)]
            self._keep(self._run("rest", [(0, rows)], lambda _: self._tick(0)))  # they are counted already

    def _row(self, project: Project) -> dict[str, Any]:
        return {"project": project.as_dict(), "alone": self._alone_rows[project.project_id]}

    def _keep(self, rows: Rows) -> None:
        for row in rows:
            project_id, found = row["project_id"], found_from_row(row)
            self._found[project_id], placement = found, found.answer.placement
            self._placed.pop(project_id, None)
            if placement is not None:
                islands = self._grid.islands_of([placement.node])
                self._placed[project_id] = islands, placed_row(project_id, placement)

    def _placed_in(self, islands: frozenset[int] | None) -> Rows:
        """Return who is placed in some islands, or anywhere, in the order placed."""
        return [row for own, row in self._placed.values() if islands is None or own <= islands]

    def _run(self, name: str, inputs: list[Input], tick: Tick) -> Rows:
        done = self._workers.run(name, inputs, self._grid, tick)
        return [row for result in done for row in result]

    def _tick(self, projects: int = 1) -> None:
        self._done += projects
        if projects and self._progress is not None:  # 0: only asks whether to go on
            self._progress(self._done, 2 * len(self._queue))
        if self._cancelled is not None and self._cancelled():
            raise CancelledError("the assessment was cancelled", done=self._done, total=2 * len(self._queue))


def _in_tasks(groups: list[list[Project]]) -> Iterator[list[Project]]:
    """Yield groups put together until a task lasts seconds; large ones first, so that nobody waits for them last."""
    task: list[Project] = []
    for group in sorted(groups, key=len, reverse=True):
        task += group
        if len(task) >= _CHUNK:
            yield task
            task = []
    if task:
        yield task


def _as_results(
    queue: Sequence[Project], group_of: Mapping[str, int], alone: Mapping[str, Found], found: Mapping[str, Found]
) -> tuple[ProjectResult, ...]:
    results: list[ProjectResult] = []
    for number, project in enumerate(queue, start=1):
        before, now = alone[project.project_id], found[project.project_id]
        results.append(
            ProjectResult(
                project_id=project.project_id,
                name=project.name,
                queue_no=number,
                group_no=group_of[project.project_id],
                alone=before.answer,
                queue=now.answer,
                competitors=_competitors(before, now, results),
            )
        )
    return tuple(results)


def _competitors(before: Found, now: Found, earlier: Sequence[ProjectResult]) -> tuple[str, ...]:
    """Return the projects before it that use the element that limits it, or what its best point hangs on."""
    alone, queue = before.answer, now.answer
    if alone.placement is None or (queue.now_kva or 0.0) >= (alone.now_kva or 0.0):
        return ()
    limiter = queue.limiter
    wanted = {limiter.contested} if limiter is not None and limiter.contested else set(alone.placement.elements)
    return tuple(
        result.project_id
        for result in earlier
        if result.queue.placement is not None and wanted & set(result.queue.placement.elements)
    )
