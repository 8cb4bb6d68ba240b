"""Assessments by a real worker process: killed in the middle and begun again, and told to stop."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from api.jobs.durable import DurableJobs, jobs_url
from api.jobs.records import ENDED, Job
from scheme.assessment_store.asked import AS_IT_IS
from scheme.assessment_store.inputs import as_content
from scheme.assessment_store.results import find_summary, get_part
from scheme.assessment_store.runs import Asked, keep_run
from scheme.assessment_store.tables import ASSESSMENT_TASK
from scheme.ledger.records import Actor
from scheme.library.library import Library
from scheme.library.reading import ProjectFilter, list_projects
from scheme.store import Store
from tests.assessment.grids import two_villages
from tests.connection.grids import place
from tests.jobs.assessing_worker import DAY
from tests.jobs.test_jobs import wait_until
from tests.library.examples import add

PLANNER = Actor(subject_id="wang", role="planner", request_id="call")
PROJECTS_ON_EACH_SIDE = 2
WITHIN_S = 300.0
"""A worker reads the grid and computes its capacity before its first task."""


class Desk:
    """A store with two villages and projects at both, and a worker that can be killed."""

    def __init__(self, store_url: str, folder: Path) -> None:
        self.store, self._url = Store(store_url), store_url
        self.jobs = DurableJobs(jobs_url(self.store))
        self.log, self.gate = folder / "tasks.log", folder / "gate"
        self._process: subprocess.Popen[bytes] | None = None
        self.store.store_snapshot(two_villages())
        library = Library(self.store)
        for number in range(2 * PROJECTS_ON_EACH_SIDE):
            lon_deg, lat_deg = place(40_000.0 * (number % 2), 0.0)
            add(
                library,
                source_id=f"P-{number}",
                location={"lon_deg": lon_deg, "lat_deg": lat_deg, "datum": "CGCS2000"},
                demand={"installed_kw": 17.1, "capacity_kva": 18.0, "power_factor": 0.95},
                received_on=f"2026-01-{number + 1:02}",
            )

    def ask(self, digit: str) -> Job:
        """Ask for an assessment of all projects and queue its job."""
        assessment_id = f"asm_{digit * 32}"
        with self.store.write() as connection:
            projects = list_projects(connection, ProjectFilter())
            asked = Asked(
                assessment_id=assessment_id,
                job_id="job",
                as_of=DAY,
                scenario=AS_IT_IS,
                scenario_key=None,
                with_works=False,
                file=None,
                projects=len(projects),
                content=as_content(projects),
            )
            keep_run(connection, asked, PLANNER)
        return self.jobs.submit(
            "assessment", {"assessment_id": assessment_id}, owner_id="wang", role="planner", idempotency_key=digit
        )

    def start(self) -> None:
        """Start the worker."""
        given = (self._url, jobs_url(self.store), "worker", str(self.log), str(self.gate))
        self._process = subprocess.Popen([sys.executable, "-m", "tests.jobs.assessing_worker", *given])

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def wait(self, job: Job) -> Job:
        """Return a job that has ended."""
        return wait_until(self.jobs, job, lambda found: found.state in ENDED, within_s=WITHIN_S)

    def wait_for_task(self) -> None:
        """Return when a task waits in the middle of the assessment."""
        end = time.monotonic() + WITHIN_S
        while "waits" not in self.lines():
            assert time.monotonic() < end, self.lines()
            time.sleep(0.05)

    def lines(self) -> list[str]:
        """What the tasks have told."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    def tasks_kept(self) -> int:
        """How many results of tasks are in the store."""
        with self.store.read() as connection:
            return int(connection.execute(select(func.count()).select_from(ASSESSMENT_TASK)).scalar_one())


@pytest.fixture
def desk(store_url: str, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(store_url, tmp_path)
    yield made
    made.kill()
    made.jobs.close()
    made.store.close()


def test_a_killed_worker_goes_on_where_it_was_and_comes_to_the_bytes_of_a_run_in_one_go(desk: Desk) -> None:
    job = desk.ask("a")
    desk.start()
    desk.wait_for_task()
    desk.kill()
    assert desk.tasks_kept() == 2
    desk.gate.touch()
    desk.start()
    done = desk.wait(job)
    assert done.state == "done", done.error
    told = Counter(line for line in desk.lines() if line != "waits")
    ended = {line: number for line, number in told.items() if line.startswith("done ")}
    assert len(ended) >= 3
    assert set(ended.values()) == {1}, "no task is done twice"
    assert sum(told.values()) - sum(ended.values()) == len(ended) + 1, "the one that was cut off began twice"
    assert desk.tasks_kept() == 0
    summary = find_summary(desk.store, "asm_" + "a" * 32)
    assert summary is not None
    assert done.result == {"assessment_id": "asm_" + "a" * 32, "counts": summary["counts"]}
    again = desk.ask("b")
    assert desk.wait(again).state == "done"
    files = [get_part(desk.store, f"asm_{digit * 32}", "json") for digit in "ab"]
    assert files[0] == files[1]


def test_a_cancelled_assessment_stops_leaves_nothing_and_the_next_one_is_done(desk: Desk) -> None:
    job = desk.ask("a")
    desk.start()
    desk.wait_for_task()
    assert desk.jobs.cancel(job.job_id, owner_id="wang").state == "cancelled"
    next_job = desk.ask("b")
    desk.gate.touch()
    assert desk.wait(next_job).state == "done"
    assert desk.jobs.get(job.job_id, owner_id="wang").state == "cancelled"
    assert find_summary(desk.store, "asm_" + "a" * 32) is None
    assert find_summary(desk.store, "asm_" + "b" * 32) is not None
