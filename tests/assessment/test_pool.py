"""However many processes work, and whatever they were given the grid by: the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest

from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.pool import ProcessPool, open_grid, run_task, write_grid
from scheme.assessment.records import Assessment
from scheme.assessment.workers import Input, Rows, Tick
from tests.assessment.grids import assess, project, two_villages

PROJECTS = [
    project(f"P{number:02d}", kva=18, at=(40_000.0 * (number % 2), 0.0), received_on=date(2026, 1, 1 + number))
    for number in range(4)
]


class FromFiles:
    """Does every task on the grid as another process would read it, the last task first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, name: str, inputs: Sequence[Input], grid: AssessedGrid, tick: Tick) -> Iterator[Rows]:
        files = write_grid(grid, self._folder)
        open_grid(files)
        done = [run_task(name, files.snapshot_sha256, number, rows) for number, rows in reversed(inputs)]
        for rows in reversed(done):
            tick(len(rows))
            yield rows


@pytest.fixture(scope="module")
def alone() -> Assessment:
    found = assess(PROJECTS, two_villages())
    assert {result.queue.verdict for result in found.projects} == {"yes", "no"}
    return found


def test_tasks_on_the_grid_read_from_its_files_give_the_same_bytes(alone: Assessment, tmp_path: Path) -> None:
    assert assess(PROJECTS, two_villages(), workers=FromFiles(tmp_path)).to_json() == alone.to_json()


@pytest.mark.slow
def test_two_processes_give_the_bytes_of_one(alone: Assessment) -> None:
    seen: list[int] = []
    with ProcessPool(2) as workers:
        together = assess(PROJECTS, two_villages(), workers=workers, progress=lambda done, total: seen.append(done))
    assert together.to_json() == alone.to_json()
    assert seen[-1] == 2 * len(PROJECTS)
