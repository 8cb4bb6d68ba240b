"""Jobs over a real worker process that is killed, restarted and told to stop."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.jobs.durable import DurableJobs, jobs_url
from api.jobs.process import WorkerRunningError, only_one
from api.jobs.records import ENDED, Job, JobEndedError, JobsUnavailableError
from gridmodel.errors import InputError, NotFoundError
from scheme.store import Database, IdempotencyConflictError
from tests.conftest import FIXTURES

WITHIN_S = 60.0


def request(name: str) -> dict[str, object]:
    asked: dict[str, object] = json.loads((FIXTURES / "requests" / "lv_small_micro.json").read_text(encoding="utf-8"))
    return {**asked, "request_id": name}


class Worker:
    """Worker processes of one database, one at a time."""

    def __init__(self, url: str, log: Path) -> None:
        self._command = [sys.executable, "-m", "tests.jobs.quick_worker", url, "worker", str(log)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command)

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        self._process = None


@pytest.fixture
def url(store_url: str, tmp_path: Path) -> str:
    return jobs_url(Database(store_url))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "answered.log"


@pytest.fixture
def jobs(url: str) -> Iterator[DurableJobs]:
    opened = DurableJobs(url)
    yield opened
    opened.close()


@pytest.fixture
def worker(url: str, jobs: DurableJobs, log: Path) -> Iterator[Worker]:
    made = Worker(url, log)
    yield made
    made.kill()


def wait_until(jobs: DurableJobs, job: Job, is_so: Callable[[Job], bool], *, within_s: float = WITHIN_S) -> Job:
    """Ask again until it is so."""
    end = time.monotonic() + within_s
    while not is_so(found := jobs.get(job.job_id, owner_id=job.owner_id)):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def submit(jobs: DurableJobs, names: list[str], *, key: str = "k1", owner_id: str = "alice") -> Job:
    arguments = {"requests": [request(name) for name in names]}
    return jobs.submit("schemes", arguments, owner_id=owner_id, role="engineer", idempotency_key=key)


def test_a_job_is_queued_done_and_tells_its_result(jobs: DurableJobs, worker: Worker) -> None:
    job = submit(jobs, ["A", "BAD", "B"])
    assert (job.state, job.progress, job.result) == ("queued", None, None)
    worker.start()
    done = wait_until(jobs, job, lambda found: found.state in ENDED)
    assert done.state == "done", done.error
    assert done.result is not None
    assert [row["request_id"] for row in done.result["rows"]] == ["A", "BAD", "B"]
    assert done.result["rows"][1]["error"]["code"] == "input.invalid"
    assert done.progress is not None
    assert (done.progress.done, done.progress.total) == (3, 3)


def test_a_killed_worker_goes_on_where_it_was_and_does_nothing_twice(
    jobs: DurableJobs, worker: Worker, log: Path
) -> None:
    names = [f"N{number}" for number in range(12)]
    job = submit(jobs, names)
    for reached in (2, 6):
        worker.start()
        wait_until(jobs, job, lambda found, r=reached: found.progress is not None and found.progress.done >= r)
        worker.kill()
    worker.start()
    done = wait_until(jobs, job, lambda found: found.state in ENDED)
    assert done.state == "done"
    lines = log.read_text().splitlines()
    # a kill between an answer and its record repeats that one step, under the same idempotency key
    assert [line.split()[1] for line in dict.fromkeys(lines)] == names
    assert len(lines) <= len(names) + 2


def test_a_cancelled_job_stops_before_its_next_step(jobs: DurableJobs, worker: Worker, log: Path) -> None:
    job = submit(jobs, [f"N{number}" for number in range(40)])
    worker.start()
    wait_until(jobs, job, lambda found: found.progress is not None and found.progress.done >= 2)
    assert jobs.cancel(job.job_id, owner_id="alice").state == "cancelled"
    next_job = submit(jobs, ["LAST"], key="k2")
    wait_until(jobs, next_job, lambda found: found.state == "done")
    assert len(log.read_text().splitlines()) < 40
    assert jobs.get(job.job_id, owner_id="alice").state == "cancelled"
    with pytest.raises(JobEndedError):
        jobs.cancel(next_job.job_id, owner_id="alice")


def test_a_mistake_of_the_service_fails_the_job_and_not_the_worker(jobs: DurableJobs, worker: Worker) -> None:
    failing, next_job = submit(jobs, ["FAULT"]), submit(jobs, ["A"], key="k2")
    worker.start()
    failed = wait_until(jobs, failing, lambda found: found.state in ENDED)
    assert failed.state == "failed"
    assert failed.error is not None
    assert failed.error["code"] == "internal"
    assert "division" not in json.dumps(failed.error)
    assert wait_until(jobs, next_job, lambda found: found.state in ENDED).state == "done"


def test_the_same_key_is_the_same_job_and_another_request_is_refused(jobs: DurableJobs) -> None:
    first = submit(jobs, ["A"])
    assert submit(jobs, ["A"]).job_id == first.job_id
    with pytest.raises(IdempotencyConflictError):
        submit(jobs, ["B"])
    assert submit(jobs, ["B"], owner_id="bob").job_id != first.job_id


def test_nobody_sees_the_job_of_another(jobs: DurableJobs) -> None:
    job = submit(jobs, ["A"])
    for ask in (jobs.get, jobs.cancel):
        with pytest.raises(NotFoundError):
            ask(job.job_id, owner_id="bob")
    assert [found.job_id for found in jobs.find(owner_id="alice", limit=10)] == [job.job_id]
    assert jobs.find(owner_id="bob", limit=10) == []
    assert jobs.get(job.job_id, owner_id=None).owner_id == "alice"


@pytest.mark.parametrize(
    ("kind", "arguments", "place"),
    [
        ("mow", {}, "kind"),
        ("schemes", {"requests": []}, "arguments.requests"),
        ("schemes", {"requests": [{}], "more": 1}, "arguments.more"),
        ("capacity", {"confirm": "all"}, "arguments.confirm"),
        ("import", {"upload_id": "../etc/passwd"}, "arguments.upload_id"),
    ],
)
def test_wrong_arguments_are_refused_by_name(
    jobs: DurableJobs, kind: str, arguments: dict[str, object], place: str
) -> None:
    with pytest.raises(InputError) as refused:
        jobs.submit(kind, arguments, owner_id="alice", role="engineer", idempotency_key="k")
    assert refused.value.context["field"] == place


def test_only_one_worker_of_a_name_runs(url: str) -> None:
    with only_one(url, "worker"):
        with pytest.raises(WorkerRunningError), only_one(url, "worker"):
            pytest.fail("a second one runs")
        with only_one(url, "another"):
            pass
    with only_one(url, "worker"):
        pass


def test_a_database_that_cannot_be_reached_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(JobsUnavailableError):
        submit(DurableJobs(f"sqlite:///{tmp_path}/absent/jobs.db"), ["A"])


def test_jobs_lie_beside_the_file_of_the_store_or_in_its_database() -> None:
    assert jobs_url(Database("data/grid.db")) == "sqlite:///data/grid.jobs.db"
    assert jobs_url(Database("sqlite:////srv/grid.db")) == "sqlite:////srv/grid.jobs.db"
    assert jobs_url(Database("postgresql://u:p@h/d")) == "postgresql+psycopg://u:p@h/d"
