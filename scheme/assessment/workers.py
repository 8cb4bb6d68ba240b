"""Who runs the tasks of an assessment: this process, processes of this machine, or a cluster.

Whoever it is, the results come in the order of the inputs and are the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.tasks import TASKS, kept_grid

Rows = list[dict[str, Any]]
"""Plain values, one mapping a project."""

Input = tuple[int, Rows]
"""Number of a task and its rows."""

Tick = Callable[[int], None]
"""Called with the number of projects that are done; it may raise to stop."""


class Workers(Protocol):
    """What runs the tasks of a run."""

    def run(self, name: str, inputs: Sequence[Input], grid: AssessedGrid, tick: Tick) -> Iterator[Rows]:
        """Yield the results of a kind of task, in the order of its inputs.

        Args:
            name: Of :data:`scheme.assessment.tasks.TASKS`.
            inputs: Number and rows of each task.
            grid: What the tasks look at.
            tick: Told how many projects are done as the work goes on, in any order; what it raises ends the run.
        """


class ThisProcess:
    """Runs the tasks here, one after another."""

    def run(self, name: str, inputs: Sequence[Input], grid: AssessedGrid, tick: Tick) -> Iterator[Rows]:
        """Yield the results; ``tick`` is called after every project."""
        grid_id = f"this process {id(self)}"
        with kept_grid(grid_id, grid, lambda: tick(1)):
            for number, rows in inputs:
                yield TASKS[name](grid_id, number, rows)
