"""Assesses many seeded projects of a network and holds all that is placed to one plain load flow.

``python -m tests.assessment --network county --count 500 --loop 10``: projects a second of processor time, against as
many schemes made one by one (``--loop``, 0 leaves it out). ``--out FILE`` keeps the assessment; with ``--same-as FILE``
another run, by ``--workers 2`` or ``--scheduler ADDRESS`` and with a process killed at work (``--kill``), is held to
its bytes.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.errors import DomainError
from scheme.assessment.cluster import DaskWorkers
from scheme.assessment.engine import assess_projects
from scheme.assessment.pool import ProcessPool
from scheme.assessment.project import Project, as_request
from scheme.assessment.records import Assessment
from scheme.assessment.task_host import TaskReport
from scheme.assessment.verify import verify_together
from scheme.assessment.workers import Workers
from scheme.generate import generate_scheme
from scheme.policy.loader import load_policy
from tests.assessment.grids import AS_OF, PROFILE
from tests.assessment.held import Killer, hold_first
from tests.assessment.plain import problems_of
from tests.assessment.projects import draw_projects
from tests.request_replay.answer import capacity_of
from tests.request_replay.networks import read_network


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="township")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--loop", type=int, default=0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--same-as", type=Path, help="assessment whose bytes this one must have")
    parser.add_argument("--workers", type=int, help="processes; default this one")
    parser.add_argument("--scheduler", help="address of a cluster")
    parser.add_argument("--kill", action="store_true", help="end a process that is at work by SIGKILL")
    given = parser.parse_args()
    projects = draw_projects(given.network, range(given.count), seed=given.seed)
    capacity_of(given.network, PROFILE)
    start, wall = time.process_time(), time.perf_counter()
    with _opened(given) as workers:
        found = _assess(given.network, projects, workers)
    cpu_s, wall_s = time.process_time() - start, time.perf_counter() - wall
    print(f"{given.count} projects, {found.groups_count} groups: {wall_s:.1f} s, {given.count / wall_s:.2f} a second,")
    print(f"  processor time of this process {cpu_s:.1f} s, {given.count / cpu_s:.2f} a second")
    _tell(found)
    if given.out is not None:
        given.out.write_text(found.to_json(), encoding="utf-8")
    if given.same_as is not None:
        is_same = given.same_as.read_text(encoding="utf-8") == found.to_json()
        print(f"the bytes of {given.same_as.name}: {'yes' if is_same else 'NO'}")
        if not is_same:
            sys.exit(1)
        return
    _verify(given.network, found)
    if given.loop:
        _loop(given.network, projects[: given.loop])
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


@contextmanager
def _opened(given: argparse.Namespace) -> Iterator[Workers | None]:
    """Give the workers asked for, and say afterwards what they took."""
    if given.workers is None and given.scheduler is None:
        yield None
        return
    reports: list[TaskReport] = []
    with ExitStack() as stack:
        workers: ProcessPool | DaskWorkers
        if given.scheduler is None:
            workers = ProcessPool(given.workers, report=reports.append)
        else:
            workers = DaskWorkers(given.scheduler, report=reports.append)
        stack.enter_context(workers)
        if given.kill:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            workers.task = partial(hold_first, folder, workers.task)
            killer = Killer(Path(folder))
            killer.start()
            stack.callback(lambda: print(f"killed at work: process {killer.killed_pid}"))
            stack.callback(killer.join)
        yield workers
    for process in sorted({report.process for report in reports}):
        own = [report for report in reports if report.process == process]
        cpu_s, opening_s = sum(report.cpu_s for report in own), sum(report.opening_s for report in own)
        peak_mb = max(report.peak_bytes for report in own) / 1e6
        print(f"  {process}: {len(own)} tasks, {cpu_s:.1f} s, opening {opening_s:.1f} s, peak memory {peak_mb:.0f} MB")


def _assess(network: str, projects: list[Project], workers: Workers | None) -> Assessment:
    def tell(done: int, total: int) -> None:
        if done % 50 == 0:
            print(f"{done} of {total} steps, {time.process_time():.0f} s", flush=True)

    return assess_projects(
        projects,
        snapshot=read_network(network),
        policy=load_policy(PROFILE, AS_OF),
        catalogue=load_catalogue(),
        capacity=capacity_of(network, PROFILE),
        as_of=AS_OF,
        progress=tell,
        workers=workers,
    )


def _tell(found: Assessment) -> None:
    verdicts = Counter((result.alone.verdict, result.queue.verdict) for result in found.projects)
    for (alone, queue), count in sorted(verdicts.items()):
        print(f"  alone {alone}, in the queue {queue}: {count}")
    sizes = Counter(result.group_no for result in found.projects)
    print(f"  largest groups: {sorted(sizes.values(), reverse=True)[:8]}")
    print(f"  {len(found.conflicts)} conflicts: {Counter(conflict.element_kind for conflict in found.conflicts)}")
    years = Counter(element.runs_out_in for element in found.years)
    print(f"  elements by the year they run out: {dict(sorted(years.items(), key=str))}", flush=True)


def _verify(network: str, found: Assessment) -> None:
    check = verify_together(
        found, read_network(network), policy=load_policy(PROFILE, AS_OF), catalogue=load_catalogue()
    )
    print(f"together: {check.projects_checked} placed on {check.islands_checked} islands, broken: {check.violations}")
    print(f"plain pandapower: {problems_of(read_network(network), found, numba=True)}", flush=True)


def _loop(network: str, projects: list[Project]) -> None:
    policy, start = load_policy(PROFILE, AS_OF), time.process_time()
    for project in projects:
        try:
            generate_scheme(
                as_request(project, policy),
                snapshot=read_network(network),
                policy=policy,
                catalogue=load_catalogue(),
                capacity=capacity_of(network, PROFILE),
                as_of=AS_OF,
                version="loop",
            )
        except DomainError as error:
            print(f"  {project.project_id}: {error}")
    seconds = time.process_time() - start
    print(f"{len(projects)} schemes one by one: {seconds:.1f} s, {len(projects) / seconds:.2f} a second", flush=True)


if __name__ == "__main__":
    main()
