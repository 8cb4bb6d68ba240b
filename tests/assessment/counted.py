"""Workers that count what they are given to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.workers import Input, Keep, Rows, ThisProcess, Tick


class Counted:
    """Does tasks here and counts their projects."""

    def __init__(self) -> None:
        self.projects_count = 0

    def run(
        self, name: str, inputs: Sequence[Input], grid: AssessedGrid, tick: Tick, *, keep: Keep | None = None
    ) -> Iterator[Rows]:
        def count(projects: int) -> None:
            self.projects_count += projects
            tick(projects)

        return ThisProcess().run(name, inputs, grid, count, keep=keep)
