"""Two scenarios side by side (情景对比)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from scheme.assessment.records import Answer, Assessment, ElementKind

_DIGITS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectDifference:
    """A project that is answered differently in the queue; ``None``: it is not part of that scenario."""

    project_id: str
    verdict_before: str | None
    verdict_after: str | None
    now_before_kva: float | None
    now_after_kva: float | None
    point_before: str | None
    point_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class YearDifference:
    """An element that runs out in another year; ``None``: not within the years told of, or it carries no project."""

    element_kind: ElementKind
    element_id: str
    runs_out_before: int | None
    runs_out_after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Differences of one assessment from another one."""

    before: str
    after: str
    served_before_kva: float
    """Connected now, all projects together."""
    served_after_kva: float
    verdicts_before: tuple[tuple[str, int], ...]
    verdicts_after: tuple[tuple[str, int], ...]
    projects: tuple[ProjectDifference, ...]
    years: tuple[YearDifference, ...]
    conflicts_gone: tuple[tuple[str, str], ...]
    conflicts_new: tuple[tuple[str, str], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return asdict(self)


def compare(before: Assessment, after: Assessment) -> Comparison:
    """Return in what ``after`` differs; projects by id, elements by kind and identifier."""
    answers = [{result.project_id: result.queue for result in of.projects} for of in (before, after)]
    conflicts = [{(c.element_kind, c.element_id) for c in of.conflicts} for of in (before, after)]
    return Comparison(
        before=before.scenario,
        after=after.scenario,
        served_before_kva=_served_kva(answers[0]),
        served_after_kva=_served_kva(answers[1]),
        verdicts_before=_verdicts(answers[0]),
        verdicts_after=_verdicts(answers[1]),
        projects=tuple(
            difference
            for project_id in sorted(answers[0].keys() | answers[1].keys())
            if (difference := _project(project_id, answers[0].get(project_id), answers[1].get(project_id)))
        ),
        years=_years(before, after),
        conflicts_gone=tuple(sorted(conflicts[0] - conflicts[1])),
        conflicts_new=tuple(sorted(conflicts[1] - conflicts[0])),
    )


def _project(project_id: str, before: Answer | None, after: Answer | None) -> ProjectDifference | None:
    shown = [
        (None, None, None)
        if answer is None
        else (
            answer.verdict,
            answer.now_kva,
            None if answer.placement is None else answer.placement.element_source_id,
        )
        for answer in (before, after)
    ]
    if shown[0] == shown[1]:
        return None
    return ProjectDifference(
        project_id=project_id,
        verdict_before=shown[0][0],
        verdict_after=shown[1][0],
        now_before_kva=shown[0][1],
        now_after_kva=shown[1][1],
        point_before=shown[0][2],
        point_after=shown[1][2],
    )


def _years(before: Assessment, after: Assessment) -> tuple[YearDifference, ...]:
    years = [{(y.element_kind, y.element_id): y.runs_out_in for y in of.years} for of in (before, after)]
    return tuple(
        YearDifference(
            element_kind=key[0],
            element_id=key[1],
            runs_out_before=years[0].get(key),
            runs_out_after=years[1].get(key),
        )
        for key in sorted(years[0].keys() | years[1].keys())
        if years[0].get(key) != years[1].get(key)
    )


def _served_kva(answers: dict[str, Answer]) -> float:
    return round(sum(answer.now_kva or 0.0 for answer in answers.values()), _DIGITS)


def _verdicts(answers: dict[str, Answer]) -> tuple[tuple[str, int], ...]:
    names = [answer.verdict for answer in answers.values()]
    return tuple((name, names.count(name)) for name in ("yes", "partly", "no", "not_assessable"))
