"""Who runs the tasks of an assessment: this process, processes of this machine, or a cluster.

Whoever it is, the results come in the order of the inputs and are the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.tasks import TASKS, kept_grid

Rows = list[dict[str, Any]]
"""Plain values, one mapping a project."""

Input = tuple[int, Rows]
"""Number of a task and its rows."""

Tick = Callable[[int], None]
"""Called with the number of projects that are done; it may raise to stop."""

Keep = Callable[[int, Rows], None]
"""Called with the place of a task among the inputs and its result."""


class Workers(Protocol):
    """What runs the tasks of a run."""

    def run(
        self, name: str, inputs: Sequence[Input], grid: AssessedGrid, tick: Tick, *, keep: Keep | None = None
    ) -> Iterator[Rows]:
        """Yield the results of a kind of task, in the order of its inputs.

        Args:
            name: Of :data:`scheme.assessment.tasks.TASKS`.
            inputs: Number and rows of each task.
            grid: What the tasks look at.
            tick: Told how many projects are done as the work goes on, in any order, and 0 every now and then while
                nothing is; what it raises ends the run.
            keep: Told every result as soon as it is there, in any order.
        """


class ThisProcess:
    """Runs the tasks here, one after another."""

    def run(
        self, name: str, inputs: Sequence[Input], grid: AssessedGrid, tick: Tick, *, keep: Keep | None = None
    ) -> Iterator[Rows]:
        """Yield the results; ``tick`` is called after every project."""
        grid_id = f"this process {id(self)}"
        with kept_grid(grid_id, grid, lambda: tick(1)):
            for place, (number, rows) in enumerate(inputs):
                done = TASKS[name](grid_id, number, rows)
                if keep is not None:
                    keep(place, done)
                yield done


def in_order(results: Iterable[tuple[int, Rows]]) -> Iterator[Rows]:
    """Yield results by their place, however they come."""
    early: dict[int, Rows] = {}
    following = 0
    for place, rows in results:
        early[place] = rows
        while following in early:
            yield early.pop(following)
            following += 1
