"""Runs the tasks of an assessment in processes of this machine.

What the processes are given are two files, the sealed snapshot and the capacity table, and plain settings; a net is
never pickled. The files are removed when the run ends.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.snapshot import seal, unseal
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.tasks import TASKS, keep_grid
from scheme.assessment.workers import Input, Rows, Tick
from scheme.policy.loader import load_policy

_COLUMNS = ["open_kva", "limit_kind", "limit_element_id"]
"""What the search reads of the capacity table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridFiles:
    """Where a process finds the grid of a run."""

    folder: str
    snapshot_sha256: str
    profile: str
    as_of: str
    policy_folder: str | None


class ProcessPool:
    """Workers of one run; the pool starts with the first task and ends with :meth:`close`.

    Args:
        processes: How many.
        policy_folder: The utility's own rules, where it has any; profile and date come from the grid.
    """

    def __init__(self, processes: int, *, policy_folder: Path | None = None) -> None:
        self._processes, self._policy_folder = processes, policy_folder
        self._pool: ProcessPoolExecutor | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._grid_id = ""

    def run(self, name: str, inputs: Sequence[Input], grid: AssessedGrid, tick: Tick) -> Iterator[Rows]:
        """Yield the results of a kind of task, in the order of its inputs."""
        pool = self._started(grid)
        futures = [pool.submit(run_task, name, self._grid_id, number, rows) for number, rows in inputs]
        for future in futures:
            done = future.result()
            tick(len(done))
            yield done

    def close(self) -> None:
        """End the processes; tasks that wait are dropped."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        if self._folder is not None:
            self._folder.cleanup()
        self._pool = self._folder = None

    def __enter__(self) -> ProcessPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _started(self, grid: AssessedGrid) -> ProcessPoolExecutor:
        if self._pool is None:
            self._folder = tempfile.TemporaryDirectory(prefix="assessment-")
            files = write_grid(grid, Path(self._folder.name), policy_folder=self._policy_folder)
            self._grid_id = files.snapshot_sha256
            self._pool = ProcessPoolExecutor(
                self._processes, mp_context=get_context("spawn"), initializer=open_grid, initargs=(files,)
            )
        return self._pool


def write_grid(grid: AssessedGrid, folder: Path, *, policy_folder: Path | None = None) -> GridFiles:
    """Write what other processes need of a grid, its commitments and upgrades included."""
    snapshot, blob = seal(grid.snapshot)
    (folder / "snapshot").write_bytes(blob)
    grid.capacity[_COLUMNS].to_parquet(folder / "capacity")
    return GridFiles(
        folder=str(folder),
        snapshot_sha256=snapshot.sha256,
        profile=grid.policy.profile,
        as_of=grid.policy.as_of.isoformat(),
        policy_folder=None if policy_folder is None else str(policy_folder),
    )


def open_grid(files: GridFiles) -> None:
    """Keep the grid of the files for the tasks of this process, under the digest of its snapshot.

    Raises:
        SnapshotFormatError: The file is not the one that was written.
    """
    folder = Path(files.folder)
    policy_folder = None if files.policy_folder is None else Path(files.policy_folder)
    policy = load_policy(files.profile, date.fromisoformat(files.as_of), folder=policy_folder)
    snapshot = unseal((folder / "snapshot").read_bytes(), sha256=files.snapshot_sha256)
    capacity = pd.read_parquet(folder / "capacity")
    keep_grid(files.snapshot_sha256, AssessedGrid(snapshot, policy, load_catalogue(), capacity=capacity))


def run_task(name: str, grid_id: str, number: int, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Run a task by name in a process that keeps the grid.

    Raises:
        KeyError: There is no such task, or this process was not given the grid.
    """
    return TASKS[name](grid_id, number, rows)
