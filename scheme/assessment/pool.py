"""Runs the tasks of an assessment in processes of this machine.

What the processes are given is a folder with the packed grids of the run and plain rows; a net is never pickled. The
folder is removed when the pool is closed. A process that ends in the middle of a task takes the pool of the standard
library with it: the pool is built again, and whatever was at work is done again, one task at a time, so that the one
that ends its process is known.
"""

from __future__ import annotations

import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import get_context
from pathlib import Path

from gridmodel.errors import InputError
from scheme.assessment import task_host
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.orphan import end_with_parent
from scheme.assessment.parcel import content_of, pack
from scheme.assessment.task_host import TaskReport, pack_rows, project_ids_of, read_result
from scheme.assessment.workers import Input, Keep, Rows, Tick, in_order
from scheme.errors import WorkersLostError

LOSSES_MAX = 3
"""So often may a process end while a task is at work before the run gives up."""

_POLL_S = 0.2
"""How often a run that waits for tasks asks whether it was cancelled."""


def run_task(folder: str, run: int, name: str, grid_id: str, number: int, payload: bytes) -> bytes:
    """Do a task of a run in a process of the pool."""
    cancelled = _cancelled_file(Path(folder), run)
    return task_host.do_task(
        name,
        grid_id,
        number,
        payload,
        fetch=(Path(folder) / grid_id).read_bytes,
        is_cancelled=cancelled.exists,
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
        self._pool: ProcessPoolExecutor | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._runs = count(1)

    def run(
        self, name: str, inputs: Sequence[Input], grid: AssessedGrid, tick: Tick, *, keep: Keep | None = None
    ) -> Iterator[Rows]:
        """Yield the results of a kind of task, in the order of its inputs.

        Raises:
            WorkersLostError: A task ended its process again and again.
        """
        content = content_of(grid)
        file = self._shared() / content.grid_id
        if not file.exists():
            file.write_bytes(pack(content, policy_folder=self._policy_folder))
        work = _Work(name=name, inputs=inputs, grid_id=content.grid_id, run=next(self._runs))
        return in_order(self._results(work, tick, keep))

    def close(self) -> None:
        """End the processes; tasks that wait are dropped."""
        self._end_pool()
        if self._folder is not None:
            self._folder.cleanup()
        self._folder = None

    def __enter__(self) -> ProcessPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _results(self, work: _Work, tick: Tick, keep: Keep | None) -> Iterator[tuple[int, Rows]]:
        try:
            while work.is_unfinished:
                self._submit(work)
                done, _ = wait(work.running, timeout=_POLL_S, return_when=FIRST_COMPLETED)
                if not done:
                    tick(0)
                for future in done:
                    place, rows = self._finish(work, future)
                    if rows is None:
                        continue
                    if keep is not None:
                        keep(place, rows)
                    tick(len(rows))
                    yield place, rows
        finally:
            if work.running:
                _cancelled_file(self._shared(), work.run).touch()
                for future in work.running:
                    future.cancel()
            if work.is_broken:
                self._end_pool()

    def _submit(self, work: _Work) -> None:
        """Give every process a task; after a loss wait for the others, then try those that were at work one by one."""
        if work.is_broken:
            if work.running:
                return
            self._end_pool()
            work.is_broken = False
        while (place := work.following(self._processes)) is not None:
            number, rows = work.inputs[place]
            arguments = (str(self._shared()), work.run, work.name, work.grid_id, number, pack_rows(rows))
            try:
                work.running[self._started().submit(self.task, *arguments)] = place
            except BrokenProcessPool as error:  # a process ended while it had nothing to do
                work.lose(place, error)
                return

    def _finish(self, work: _Work, future: Future[bytes]) -> tuple[int, Rows | None]:
        place = work.running.pop(future)
        try:
            result = future.result()
        except BrokenProcessPool as error:
            work.lose(place, error)
            return place, None
        rows, report = read_result(result, name=work.name, number=work.inputs[place][0])
        if self._report is not None:
            self._report(report)
        return place, rows

    def _shared(self) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="assessment-")
        return Path(self._folder.name)

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # libraries start threads when they are imported: a fork of such a process may hang, also from a fork server
            context = get_context("spawn")
            self._pool = ProcessPoolExecutor(self._processes, mp_context=context, initializer=end_with_parent)
        return self._pool

    def _end_pool(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = None


@dataclass(slots=True, kw_only=True)
class _Work:
    """What is left of a run."""

    name: str
    inputs: Sequence[Input]
    grid_id: str
    run: int
    is_broken: bool = False
    running: dict[Future[bytes], int] = field(default_factory=dict)
    _waiting: deque[int] = field(init=False)
    _suspects: deque[int] = field(default_factory=deque)
    """At work when a process was lost."""
    _losses: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._waiting = deque(range(len(self.inputs)))

    @property
    def is_unfinished(self) -> bool:
        return bool(self._waiting or self._suspects or self.running)

    def following(self, processes: int) -> int | None:
        """Return the place of the task to begin now, if any."""
        if self._suspects:
            return None if self.running else self._suspects.popleft()
        return self._waiting.popleft() if self._waiting and len(self.running) < processes else None

    def lose(self, place: int, error: BrokenProcessPool) -> None:
        """Put a task aside to be tried alone.

        Raises:
            WorkersLostError: It was tried often enough.
        """
        self.is_broken = True
        self._losses[place] += 1
        self._suspects.append(place)
        if self._losses[place] >= LOSSES_MAX:
            number, rows = self.inputs[place]
            raise WorkersLostError(
                f"task {self.name} {number} ended the process that did it {LOSSES_MAX} times; "
                "memory may be short, or one of its projects is at fault",
                task=self.name,
                number=number,
                project_ids=project_ids_of(rows),
            ) from error


def _cancelled_file(folder: Path, run: int) -> Path:
    return folder / f"cancelled-{run}"
