"""As many processes as one likes: the same bytes."""

from __future__ import annotations

from datetime import date

from scheme.assessment.pool import ProcessPool
from tests.assessment.grids import assess, project, two_villages


def test_two_processes_give_the_bytes_of_one() -> None:
    projects = [
        project(f"P{number:02d}", kva=18, at=(40_000.0 * (number % 2), 0.0), received_on=date(2026, 1, 1 + number))
        for number in range(4)
    ]
    alone = assess(projects, two_villages())
    seen: list[int] = []
    with ProcessPool(2) as workers:
        together = assess(projects, two_villages(), workers=workers, progress=lambda done, total: seen.append(done))
    assert together.to_json() == alone.to_json()
    assert seen[-1] == 2 * len(projects)
    assert {result.queue.verdict for result in alone.projects} == {"yes", "no"}
