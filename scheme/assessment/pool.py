"""Runs the tasks of an assessment in processes of this machine.

What the processes are given is a folder with the packed grids of the run and plain rows; a net is never pickled. The
folder is removed when the pool is closed. A task whose process dies is done again by another one, three times at most.
"""

from __future__ import annotations

import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import wait
from pathlib import Path

from gridmodel.errors import InputError
from scheme.assessment import task_host
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.helper_process import HelperProcess
from scheme.assessment.parcel import content_of, pack
from scheme.assessment.task_host import TaskReport, pack_rows, project_ids_of, read_result
from scheme.assessment.workers import Input, Keep, Rows, Tick, in_order
from scheme.errors import WorkersLostError

LOSSES_MAX = 3
"""So often may a process end while a task is at work before the run gives up."""

_POLL_S = 0.2
"""How often a run that waits for tasks asks whether it was cancelled."""


def run_task(folder: str, name: str, grid_id: str, number: int, payload: bytes) -> bytes:
    """Do a task of a run in a process of the pool."""
    return task_host.do_task(
        name,
        grid_id,
        number,
        payload,
        fetch=(Path(folder) / grid_id).read_bytes,
        is_cancelled=lambda: False,  # the process is ended instead
    )


class ProcessPool:
    """Workers of one run or many; the processes start with the first task and end with :meth:`close`.

    Args:
        processes: How many.
        policy_folder: The utility's own rules, where it has any; profile and date come from the grid.
        report: Told what every task took.

    Raises:
        InputError: There is to be no process.
    """

    task = staticmethod(run_task)
    """What a process is asked to do."""

    def __init__(
        self,
        processes: int,
        *,
        policy_folder: Path | None = None,
        report: Callable[[TaskReport], None] | None = None,
    ) -> None:
        if processes < 1:
            raise InputError("no processes", field="workers", value=processes, allowed="1 or more")
        self._processes, self._policy_folder, self._report = processes, policy_folder, report
        self._helpers: list[HelperProcess] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def run(
        self, name: str, inputs: Sequence[Input], grid: AssessedGrid, tick: Tick, *, keep: Keep | None = None
    ) -> Iterator[Rows]:
        """Yield the results of a kind of task, in the order of its inputs.

        Raises:
            WorkersLostError: A task ended its process again and again, or by an error of the program.
        """
        content = content_of(grid)
        file = self._shared() / content.grid_id
        if not file.exists():
            file.write_bytes(pack(content, policy_folder=self._policy_folder))
        return in_order(self._results(name, inputs, content.grid_id, tick, keep))

    def close(self) -> None:
        """End the processes, whatever they are at."""
        while self._helpers:
            self._helpers.pop().end()
        if self._folder is not None:
            self._folder.cleanup()
        self._folder = None

    def __enter__(self) -> ProcessPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _results(
        self, name: str, inputs: Sequence[Input], grid_id: str, tick: Tick, keep: Keep | None
    ) -> Iterator[tuple[int, Rows]]:
        waiting, losses = deque(range(len(inputs))), Counter[int]()
        busy: dict[HelperProcess, int] = {}
        try:
            while waiting or busy:
                while waiting and (helper := self._idle(busy)) is not None:
                    number, rows = inputs[waiting[0]]
                    if helper.begin(self.task, str(self._shared()), name, grid_id, number, pack_rows(rows)):
                        busy[helper] = waiting.popleft()
                    else:  # it died while it had nothing to do
                        self._lose(helper, name, *inputs[waiting[0]], losses=losses)
                ready = wait([helper.connection for helper in busy], timeout=_POLL_S)
                if not ready:
                    tick(0)
                for helper in [helper for helper in busy if helper.connection in ready]:
                    place = busy.pop(helper)
                    result = helper.finish()
                    if result is None:
                        self._lose(helper, name, *inputs[place], losses=losses)
                        waiting.appendleft(place)
                        continue
                    found, report = read_result(result, name=name, number=inputs[place][0])
                    if self._report is not None:
                        self._report(report)
                    if keep is not None:
                        keep(place, found)
                    tick(len(found))
                    yield place, found
        finally:
            for helper in busy:
                self._helpers.remove(helper)
                helper.end()

    def _idle(self, busy: dict[HelperProcess, int]) -> HelperProcess | None:
        """Return a process with nothing to do; a new one where there may be one more."""
        for helper in self._helpers:
            if helper not in busy:
                return helper
        if len(self._helpers) == self._processes:
            return None
        self._helpers.append(HelperProcess())
        return self._helpers[-1]

    def _lose(self, helper: HelperProcess, name: str, number: int, rows: Rows, *, losses: Counter[int]) -> None:
        """Give up a process that died, and the run where that helps nothing."""
        self._helpers.remove(helper)
        exit_code = helper.exit_code()
        losses[number] += 1
        is_error = exit_code is not None and exit_code > 0
        if is_error or losses[number] >= LOSSES_MAX:
            reason = "by the error printed above" if is_error else f"{losses[number]} times; memory may be short"
            raise WorkersLostError(
                f"task {name} {number} ended the process that did it {reason}",
                task=name,
                number=number,
                exit_code=exit_code,
                project_ids=project_ids_of(rows),
            )

    def _shared(self) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="assessment-")
        return Path(self._folder.name)
