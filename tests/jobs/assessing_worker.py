"""A worker whose assessments leave a line each task.

``python -m tests.jobs.assessing_worker STORE JOBS NAME LOG GATE``: the third task that begins waits until
the file GATE is there.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from api.jobs.durable import run_worker
from api.jobs.workbench import open_workbench
from api.services import Services
from scheme.assessment import engine
from scheme.assessment.tasks import TASKS
from scheme.assessment_store import outcome
from scheme.store import Store

WAITS_AT = 3
DAY = date(2026, 3, 2)
PROFILE = "shenqiu-2022"


def told(name: str, task: Callable[..., Any], log: Path, gate: Path, numbers: Any) -> Callable[..., Any]:
    """Return a task that writes down when it begins and when it is done, and waits if it is the third."""

    def run(grid_id: str, number: int, rows: Sequence[Any]) -> Any:
        write(log, f"begin {name} {number}")
        if next(numbers) == WAITS_AT:
            write(log, "waits")
            while not gate.exists():
                time.sleep(0.02)
        found = task(grid_id, number, rows)
        write(log, f"done {name} {number}")
        return found

    return run


def write(log: Path, line: str) -> None:
    with log.open("a") as stream:
        stream.write(line + "\n")


def main(store_url: str, url: str, name: str, log: Path, gate: Path) -> None:
    numbers = count(1)
    for task_name, task in list(TASKS.items()):
        TASKS[task_name] = told(task_name, task, log, gate, numbers)
    setattr(engine, "_CHUNK", 1)  # noqa: B010 - a project or a group is a task
    setattr(outcome, "write_report", lambda *_: b"%PDF-1.7 report")  # noqa: B010 - imported there, not exported
    services = Services(Store(store_url), profile=PROFILE, clock=lambda: DAY)
    run_worker(open_workbench(services, None), url, name=name, is_over=lambda: False)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]), Path(sys.argv[5]))
