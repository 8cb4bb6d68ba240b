"""What an assessment says in a few figures: counts of the verdicts, sums of the demands, on what it stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scheme.assessment.records import Assessment, Conflict, Verdict, YearOfElement
from scheme.assessment_files.result_rows import faults_by_row
from scheme.assessment_files.results import Results

VERDICT_ORDER: tuple[Verdict, ...] = ("yes", "partly", "no", "not_assessable")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictLine:
    """Projects with one verdict."""

    verdict: Verdict
    alone_count: int
    queue_count: int
    asked_kva: float
    """Of those that have it in the queue; what is not known counts nothing."""
    now_kva: float
    """What they are connected with in the queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Figures of the title page."""

    verdicts: tuple[VerdictLine, ...]
    projects_count: int
    faulty_rows_count: int
    """Rows of the planner's table that were not assessed."""
    asked_kva: float
    now_alone_kva: float
    """Not a sum anybody can have: each project by itself."""
    now_queue_kva: float
    worse_count: int
    """Projects served in full alone and not in the queue."""
    conflicts_count: int
    run_out: Mapping[int, int]
    """Elements by the year they run out in."""
    complete_works_count: int
    without_way_count: int
    triggered_count: int


def summarize(results: Results) -> Summary:
    """Return the figures of an assessment."""
    assessed = results.assessment
    triggers = [item.trigger for item in assessed.project_works if item.is_complete]
    return Summary(
        verdicts=tuple(_line(assessed, verdict) for verdict in VERDICT_ORDER),
        projects_count=len(assessed.projects),
        faulty_rows_count=len(list_faulty_rows(results)),
        asked_kva=sum(result.queue.asked_kva or 0.0 for result in assessed.projects),
        now_alone_kva=sum(result.alone.now_kva or 0.0 for result in assessed.projects),
        now_queue_kva=sum(result.queue.now_kva or 0.0 for result in assessed.projects),
        worse_count=sum(r.alone.verdict == "yes" and r.queue.verdict != "yes" for r in assessed.projects),
        conflicts_count=len(assessed.conflicts),
        run_out=dict(sorted(Counter(y.runs_out_in for y in assessed.years if y.runs_out_in is not None).items())),
        complete_works_count=len(triggers),
        without_way_count=sum(not item.is_complete for item in assessed.project_works),
        triggered_count=sum(trigger in ("stage", "date") for trigger in triggers),
    )


def list_faulty_rows(results: Results) -> tuple[int, ...]:
    """Return the rows of the planner's table that have something wrong and were not assessed."""
    assessed = {
        results.origins[result.project_id].row_no
        for result in results.assessment.projects
        if result.project_id in results.origins
    }
    return tuple(sorted(row_no for row_no in faults_by_row(results.findings) if row_no not in assessed))


def hardest_first(conflicts: Sequence[Conflict]) -> list[Conflict]:
    """Return the conflicts with the most projects turned away first."""
    return sorted(conflicts, key=lambda c: (-len(c.refused), -c.asked_kva, c.element_kind, c.element_id))


def soonest_first(years: Sequence[YearOfElement]) -> list[YearOfElement]:
    """Return the elements that run out, the soonest and most overloaded first."""
    known = [(element.runs_out_in, element) for element in years if element.runs_out_in is not None]
    ordered = sorted(known, key=lambda pair: (pair[0], -peak_ratio(pair[1]), pair[1].element_kind, pair[1].element_id))
    return [element for _, element in ordered]


def peak_ratio(element: YearOfElement) -> float:
    """Return the highest load of the years over the limit."""
    peak = max((kva for _, kva in element.load_by_year_kva), default=element.load_kva)
    return peak / element.limit_kva if element.limit_kva > 0.0 else float("inf")


def _line(assessed: Assessment, verdict: Verdict) -> VerdictLine:
    queue = [result.queue for result in assessed.projects if result.queue.verdict == verdict]
    return VerdictLine(
        verdict=verdict,
        alone_count=sum(result.alone.verdict == verdict for result in assessed.projects),
        queue_count=len(queue),
        asked_kva=sum(answer.asked_kva or 0.0 for answer in queue),
        now_kva=sum(answer.now_kva or 0.0 for answer in queue),
    )
