"""Reserve projects assessed together, alone and in the queue, against a scheme for each in a loop.

Questions: projects a second in this process, on one worker process and on two, and the same for several counties by
the same workers; how many times a scheme's price a project saves; how time grows with the number of projects; which
share of it is neither load flow nor rules; what spreading costs; how much memory a worker takes. Peer: the path of a
single scheme, called in a loop for a sample of the same projects in the same process, by processor time.

A full run is ``python -m tests.benchmarks assessment --projects 500`` and ``--projects 10000 --counties 16``.
"""

from __future__ import annotations

import math
import resource
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import pandas as pd

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.errors import DomainError
from gridmodel.snapshot import Snapshot
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.engine import assess_projects
from scheme.assessment.pool import ProcessPool
from scheme.assessment.project import Project, as_request
from scheme.assessment.records import Assessment
from scheme.assessment.task_host import TaskReport
from scheme.assessment.workers import Workers
from scheme.generate import generate_scheme
from scheme.policy.loader import load_policy
from tests.assessment.grids import AS_OF, PROFILE
from tests.assessment.projects import draw_from
from tests.county.build import build_county
from tests.request_replay.networks import NETWORKS

ID = "B15"
LOOP = 6
"""Schemes of the peer."""
ONE_OF = 4
"""Of several counties every fourth is done by one worker, too."""
PARTS = (4, 2)
"""The slope is taken over a quarter, a half and all of the projects."""
SAMPLE_S = 0.002
LOAD_FLOW = (
    "pandapower", "gridmodel.net", "gridmodel.capacity", "gridmodel.connection", "gridmodel.joint_connection",
    "gridmodel.quick_connection", "gridmodel.grown_net", "gridmodel.short_circuit", "gridmodel.islands",
)  # fmt: skip
RULES = ("scheme.rules", "scheme.policy", "scheme.power_quality", "scheme.limits", "scheme.voltage")


@dataclass(frozen=True, kw_only=True)
class County:
    """A county, its table and its projects."""

    snapshot: Snapshot
    capacity: pd.DataFrame
    projects: list[Project]


def run(*, repetitions: int = 1, projects: int = 48, counties: int = 1) -> Iterator[dict[str, Any]]:
    """Yield the rows; what takes minutes is done once, whatever the number of repetitions."""
    each = math.ceil(projects / counties)
    all_counties = (county_of(number, each) for number in range(counties))
    if counties == 1:
        [county] = all_counties
        yield from in_this_process(county)
        yield from spread([county])
    else:
        yield from spread(all_counties)


def county_of(number: int, projects: int) -> County:
    """Return a county with its seeded projects; the table is at hand in both paths and not part of any time."""
    snapshot = build_county(number=number)
    grid = AssessedGrid(snapshot, load_policy(PROFILE, AS_OF), load_catalogue(), capacity=None)
    drawn = draw_from(snapshot, NETWORKS["county"], range(projects), seed=number + 1)
    return County(snapshot=snapshot, capacity=grid.capacity, projects=drawn)


def assess(county: County, count: int | None = None, workers: Workers | None = None) -> Assessment:
    """Return the assessment of the first projects of a county."""
    return assess_projects(
        county.projects[:count],
        snapshot=county.snapshot,
        policy=load_policy(PROFILE, AS_OF),
        catalogue=load_catalogue(),
        capacity=county.capacity,
        as_of=AS_OF,
        workers=workers,
    )


def in_this_process(county: County) -> Iterator[dict[str, Any]]:
    """Yield what one process does: price of a project, slope, shares."""
    count = len(county.projects)
    assess(county, 1)
    times_s = {part: cpu_seconds(lambda part=part: assess(county, part)) for part in (count // n for n in PARTS)}
    where = Where()
    times_s[count] = cpu_seconds(lambda: where.watch(lambda: assess(county)))
    scheme_s = seconds_a_scheme(county)
    project_s = times_s[count] / count
    yield row(
        f"county, {count} projects: one scheme in a loop / one project assessed, by processor time",
        ratio_median=scheme_s / project_s, ours_s=project_s, peer_s=scheme_s,
    )  # fmt: skip
    yield row(
        f"county: time grows with the number of projects ({count // PARTS[0]} to {count}) to the power of",
        slope(times_s),
    )
    for kind in ("load flow", "rules", "neither"):
        yield row(f"county, {count} projects: share of the time in {kind}", where.share(kind))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    yield row("county: peak memory of this process, which also built it, MB", peak_mb)


@dataclass(kw_only=True)
class Side:
    """So many worker processes, and what they did with counties."""

    processes: int
    projects: dict[int, int] = field(default_factory=dict)
    wall_s: dict[int, float] = field(default_factory=dict)
    reports: list[TaskReport] = field(default_factory=list)

    def do(self, number: int, county: County, pool: ProcessPool) -> str:
        """Assess a county; return the bytes."""
        start = time.perf_counter()
        found = assess(county, workers=pool).to_json()
        self.wall_s[number], self.projects[number] = time.perf_counter() - start, len(county.projects)
        told = f"county {number + 1}, {self.processes} at work: {self.projects[number]} projects"
        print(f"{told} in {self.wall_s[number]:.0f} s", file=sys.stderr, flush=True)
        return found

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield what all of it took."""
        wall_s, total, count = sum(self.wall_s.values()), sum(self.projects.values()), len(self.projects)
        counties = "county" if count == 1 else f"{count} counties"
        said = f"{counties}, {total} projects, {self.processes} worker{'s' if self.processes > 1 else ''}"
        own, all_s = self.reports, self.processes * wall_s
        used_s = sum(report.cpu_s for report in own)
        yield row(f"{said}: projects a second", total / wall_s, ours_s=wall_s / total)
        yield row(f"{said}: share of the workers' time outside tasks", 1.0 - used_s / all_s)
        yield row(f"{said}: share spent opening grids", sum(report.opening_s for report in own) / all_s)
        yield row(f"{said}: peak memory of a worker, MB", max(report.peak_bytes for report in own) / 2**20)
        yield row(f"{said}: largest share of one task in the time of all", max(r.cpu_s for r in own) / used_s)


def spread(counties: Iterator[County] | list[County]) -> Iterator[dict[str, Any]]:
    """Yield what two worker processes do with counties, one after another, and one with every fourth of them."""
    one, two = Side(processes=1), Side(processes=2)
    scheme_s: list[float] = []
    with ProcessPool(1, report=one.reports.append) as alone, ProcessPool(2, report=two.reports.append) as pair:
        for number, county in enumerate(counties):
            if number == 0:  # starts the processes
                for side, pool in ((one, alone), (two, pair)):
                    assess(county, 2 * side.processes, pool)
                    side.reports.clear()
            found = two.do(number, county, pair)
            if number % ONE_OF == 0:
                assert one.do(number, county, alone) == found
                scheme_s.append(seconds_a_scheme(county))
    for side in (one, two):
        yield from side.rows()
    ratios = sorted(one.wall_s[number] / two.wall_s[number] for number in one.wall_s)
    yield row(
        f"2 workers / 1 worker, projects a second, {len(ratios)} of {len(two.wall_s)} done by both",
        ratio_median=statistics.median(ratios), ratio_min=ratios[0], ratio_max=ratios[-1],
    )  # fmt: skip
    ours_s = sum(one.wall_s.values()) / sum(one.projects.values())
    yield row(
        "one scheme in a loop / one project assessed by 1 worker, same counties",
        ratio_median=statistics.fmean(scheme_s) / ours_s, ours_s=ours_s, peer_s=statistics.fmean(scheme_s),
    )  # fmt: skip


def seconds_a_scheme(county: County) -> float:
    """Return the processor time of one scheme in a loop (s), without what is made once for a county."""
    schemes(county, 1)
    return cpu_seconds(lambda: schemes(county, LOOP)) / LOOP


def schemes(county: County, count: int) -> None:
    """Make a scheme for the first projects, as for applications."""
    policy = load_policy(PROFILE, AS_OF)
    for project in county.projects[:count]:
        try:
            generate_scheme(
                as_request(project, policy),
                snapshot=county.snapshot,
                policy=policy,
                catalogue=load_catalogue(),
                capacity=county.capacity,
                as_of=AS_OF,
                version="benchmark",
            )
        except DomainError:
            continue


def cpu_seconds(work: Callable[[], Any]) -> float:
    """Return the processor time of one call (s)."""
    start = time.process_time()
    work()
    return time.process_time() - start


def slope(times_s: dict[int, float]) -> float:
    """Return the exponent of the time in the number, by least squares on logarithms."""
    points = [(math.log(count), math.log(time_s)) for count, time_s in times_s.items()]
    x_mean, y_mean = (sum(values) / len(points) for values in zip(*points, strict=True))
    return sum((x - x_mean) * (y - y_mean) for x, y in points) / sum((x - x_mean) ** 2 for x, _ in points)


class Where:
    """Looks every few milliseconds of processor time where the program is."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def watch(self, work: Callable[[], Any]) -> None:
        """Do the work and look."""
        before = signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_S, SAMPLE_S)
        try:
            work()
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0.0)
            signal.signal(signal.SIGPROF, before)

    def share(self, kind: str) -> float:
        """Return the share of a kind."""
        return self._seen[kind] / max(self._seen.total(), 1)

    def _look(self, _: int, frame: FrameType | None) -> None:
        names = set()
        while frame is not None:
            names.add(frame.f_globals.get("__name__", ""))
            frame = frame.f_back
        if any(name.startswith(LOAD_FLOW) for name in names):
            self._seen["load flow"] += 1
        elif any(name.startswith(RULES) for name in names):
            self._seen["rules"] += 1
        else:
            self._seen["neither"] += 1


def row(case: str, value: float | None = None, **more: float) -> dict[str, Any]:
    """Return one row of the table."""
    return {"id": ID, "case": case, "must": "", **({} if value is None else {"value": value}), **more}
