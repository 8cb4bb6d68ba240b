"""The kinds of work an assessment is made of, as named functions over plain rows: each may run in another process.

A process finds the grid by the id its run gave it (:func:`kept_grid`); what comes back are plain mappings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from scheme.assessment.asked import Asked, find_asked
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.finder import Finder, Found
from scheme.assessment.grid_state import GridState, Placed, placed_of, trial_of_placed
from scheme.assessment.project import project_from_dict
from scheme.assessment.records import Answer, Placement, answer_from_dict
from scheme.assessment.works_planning import plan_works

Row = Mapping[str, Any]
Task = Callable[[str, int, Sequence[Row]], list[dict[str, Any]]]
Tick = Callable[[], None]
"""Called after every project; it may raise to stop."""

_GRIDS: dict[str, AssessedGrid] = {}
_TICKS: dict[str, Tick] = {}


@contextmanager
def kept_grid(grid_id: str, grid: AssessedGrid, tick: Tick | None = None) -> Iterator[None]:
    """Keep a grid for the tasks of a run in this process."""
    keep_grid(grid_id, grid)
    if tick is not None:
        _TICKS[grid_id] = tick
    try:
        yield
    finally:
        _GRIDS.pop(grid_id)
        _TICKS.pop(grid_id, None)


def keep_grid(grid_id: str, grid: AssessedGrid) -> None:
    """Keep a grid for the tasks of this process until it ends."""
    _GRIDS[grid_id] = grid


def search_alone(grid_id: str, number: int, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return what the live grid alone says to each project.

    Args:
        grid_id: Grid of the run.
        number: Number of the chunk; the answers do not depend on it.
        rows: Projects, by :meth:`scheme.assessment.project.Project.as_dict`.

    Raises:
        KeyError: This process was not given the grid.
    """
    grid = _GRIDS[grid_id]
    finder, found = Finder(GridState(grid), is_alone=True), []
    for row in rows:
        asked = _asked(grid, row)
        if isinstance(asked, Answer):
            result = Found(answer=asked, points=(), farthest_m=0.0, islands=frozenset(), looked_at=frozenset())
        else:
            result = finder.find(asked)
        found.append(_as_row(row, result))
        _tick(grid_id)
    return found


def assess_groups(grid_id: str, number: int, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return what is left for each project of some groups in the order of the queue.

    Args:
        grid_id: Grid of the run.
        number: Number of the task; the answers depend neither on it nor on which other groups stand in it.
        rows: ``placed`` for every project before that is placed in the groups' islands, then, in the order of the
            queue, ``project``, ``alone`` (a row of :func:`search_alone`) and ``group``.

    Returns:
        Rows as :func:`search_alone` gives them; ``is_deferred`` marks projects that find nothing left in their group
        but have looked at other islands.

    Raises:
        KeyError: This process was not given the grid.
    """
    placed, rows = _with_placed(rows)
    alone = [found_from_row(row["alone"]) for row in rows]
    allowed: dict[int, frozenset[int]] = {}
    for row, before in zip(rows, alone, strict=True):
        allowed[row["group"]] = allowed.get(row["group"], frozenset()) | before.islands
    state, results = GridState(_GRIDS[grid_id], placed), []
    finders = {group: Finder(state, allowed=islands) for group, islands in allowed.items()}
    for row, before in zip(rows, alone, strict=True):
        project_id, result = row["project"]["project_id"], before
        if before.answer.verdict != "not_assessable" and not _still_holds(project_id, before, state):
            result = _found_again(finders[row["group"]], row, before, is_deferrable=True)
        if result.answer.placement is not None:
            state.place(placed_of(project_id, result.answer.placement))
        results.append(_as_row(row["project"], result))
        _tick(grid_id)
    return results


def assess_rest(grid_id: str, number: int, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return what all islands have left for each project that found too little in its group, in the queue's order.

    The part a project was given in its group is its own to give up, so it gets no less.

    Args:
        grid_id: Grid of the run.
        number: Number of the task.
        rows: As for :func:`assess_groups`, ``placed`` for everybody placed.

    Raises:
        KeyError: This process was not given the grid.
    """
    before, rows = _with_placed(rows)
    placed, results = {item.project_id: item for item in before}, []
    for row in rows:
        project_id = row["project"]["project_id"]
        placed.pop(project_id, None)  # the part it was given in its group
        finder = Finder(GridState(_GRIDS[grid_id], list(placed.values())))
        result = _found_again(finder, row, found_from_row(row["alone"]), is_deferrable=False)
        if result.answer.placement is not None:
            placed[project_id] = placed_of(project_id, result.answer.placement)
        results.append(_as_row(row["project"], result))
        _tick(grid_id)
    return results


def plan_for_each(grid_id: str, number: int, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the works each project needs where the others are placed.

    Args:
        grid_id: Grid of the run.
        number: Number of the task.
        rows: ``placed`` for everybody placed, then as :func:`scheme.assessment.works_planning.plan_works` takes them.

    Raises:
        KeyError: This process was not given the grid.
    """
    placed, rows = _with_placed(rows)
    planned = []
    for row in rows:
        planned.append(plan_works(_GRIDS[grid_id], row, placed))
        _tick(grid_id)
    return planned


def placed_row(project_id: str, placement: Placement) -> dict[str, Any]:
    """Return what a task must know of a project that is placed before its own."""
    return {"placed": asdict(placed_of(project_id, placement))}


TASKS: dict[str, Task] = {
    "alone": search_alone,
    "groups": assess_groups,
    "rest": assess_rest,
    "works": plan_for_each,
}


def found_from_row(row: Row) -> Found:
    """Return the finding of a row."""
    return Found(
        answer=answer_from_dict(row["answer"]),
        points=tuple((kind, element_id) for kind, element_id in row["points"]),
        farthest_m=row["farthest_m"],
        islands=frozenset(row["islands"]),
        looked_at=frozenset(row["looked_at"]),
        is_deferred=row["is_deferred"],
    )


def _still_holds(project_id: str, before: Found, state: GridState) -> bool:
    """Return whether the answer of the live grid stands: nobody came before where it is, and nothing newly breaks.

    What others took elsewhere makes no other point better. The trial of a scheme lets pass what a connection hardly
    moves off its path; of many connections none may.
    """
    placement = before.answer.placement
    if placement is None:
        return True
    if state.grid.islands_of([placement.node]) & state.occupied:
        return False
    return state.check_together(project_id, trial_of_placed(placed_of(project_id, placement), state.grid)) is None


def _found_again(finder: Finder, row: Row, before: Found, *, is_deferrable: bool) -> Found:
    asked = _asked(finder.grid, row["project"])
    assert isinstance(asked, Asked)
    return finder.find(asked, before=before, is_deferrable=is_deferrable)


def _with_placed(rows: Sequence[Row]) -> tuple[list[Placed], list[Row]]:
    """Return the projects placed before, and the rows of those asked for."""
    placed = [Placed(**row["placed"]) for row in rows if "placed" in row]
    return placed, [row for row in rows if "placed" not in row]


def _as_row(project: Row, found: Found) -> dict[str, Any]:
    return {
        "project_id": project["project_id"],
        "answer": asdict(found.answer),
        "points": [list(point) for point in found.points],
        "farthest_m": found.farthest_m,
        "islands": sorted(found.islands),
        "looked_at": sorted(found.looked_at),
        "is_deferred": found.is_deferred,
    }


def _asked(grid: AssessedGrid, row: Row) -> Asked | Answer:
    return find_asked(project_from_dict(row), grid.snapshot, grid.policy, grid.catalogue)


def _tick(grid_id: str) -> None:
    if grid_id in _TICKS:
        _TICKS[grid_id]()
