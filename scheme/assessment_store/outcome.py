"""An assessment as it is kept and shown: rows a page can draw, lists, and the whole record."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gridmodel.snapshot import Snapshot
from scheme.assessment.early_works import as_upgrades
from scheme.assessment.project import Project
from scheme.assessment.records import Answer, Assessment, ProjectResult, Verdict
from scheme.assessment_store.inputs import InputProjects
from scheme.assessment_store.point_places import PointPlaces
from scheme.assessment_store.results import Outcome

FINDINGS_TOLD_MAX = 1_000
_VERDICTS: tuple[Verdict, ...] = ("yes", "partly", "no", "not_assessable")
_DEGREE_DIGITS, _KVA_DIGITS = 7, 3
_OF_NET = ("bus", "line", "fraction_along", "node", "p_kw", "q_kvar", "materials")
"""Of a placement, what means nothing outside the net, and the bill of materials, which the record has."""


def make_outcome(
    assessment: Assessment, asked: InputProjects, snapshot: Snapshot, *, provenance: Mapping[str, Any]
) -> Outcome:
    """Return everything that is kept of an assessment.

    Args:
        assessment: What came out.
        asked: What was asked.
        snapshot: The grid that was assessed.
        provenance: What it was worked out from.
    """
    works = [
        {"work": asdict(work), "upgrade": next((asdict(one) for one in as_upgrades([work])), None)}
        for work in assessment.works
    ]
    lists = {
        "conflicts": [asdict(conflict) for conflict in assessment.conflicts],
        "years": [asdict(element) for element in assessment.years],
        "works": works,
        "quotas": [asdict(quota) for quota in assessment.quotas],
    }
    parts = {name: _json({"items": items}) for name, items in lists.items()}
    parts["json"] = assessment.to_json().encode()
    return Outcome(
        summary=_summary(assessment, asked, provenance),
        projects=list(_rows(assessment, asked, snapshot)),
        parts=parts,
    )


def _summary(assessed: Assessment, asked: InputProjects, provenance: Mapping[str, Any]) -> dict[str, Any]:
    queue = [result.queue for result in assessed.projects]
    left_out = {(finding.row, finding.element_id) for finding in asked.findings}
    counts = {
        "projects": len(assessed.projects),
        "left_out": len(left_out),
        "alone": _verdicts([result.alone for result in assessed.projects]),
        "queue": _verdicts(queue),
        "asked_kva": round(sum(answer.asked_kva or 0.0 for answer in queue), _KVA_DIGITS),
        "served_kva": round(sum(answer.now_kva or 0.0 for answer in queue), _KVA_DIGITS),
        "groups": assessed.groups_count,
        "conflicts": len(assessed.conflicts),
        "runs_out": sum(element.runs_out_in is not None for element in assessed.years),
        "works": len(assessed.works),
    }
    return {
        "counts": counts,
        "provenance": dict(provenance),
        "findings": [finding.as_dict() for finding in asked.findings[:FINDINGS_TOLD_MAX]],
        "findings_total": len(asked.findings),
    }


def _verdicts(answers: Sequence[Answer]) -> dict[str, int]:
    found = Counter(answer.verdict for answer in answers)
    return {name: found[name] for name in _VERDICTS}


def _rows(assessment: Assessment, asked: InputProjects, snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    places = PointPlaces(snapshot)
    projects = {project.project_id: project for project in asked.projects}
    works = {one.project_id: asdict(one) for one in assessment.project_works}
    for result in assessment.projects:
        project_id = result.project_id
        yield {
            **_row(result, projects[project_id], places),
            "source_id": asked.source_ids[project_id],
            "is_library": asked.is_library,
            "works": works.get(project_id),
        }


def _row(result: ProjectResult, project: Project, places: PointPlaces) -> dict[str, Any]:
    return {
        "project_id": result.project_id,
        "source_system": project.source_system,
        "name": project.name,
        "category": project.category,
        "lon_deg": project.lon_deg,
        "lat_deg": project.lat_deg,
        "demand_kva": project.demand_kva,
        "likelihood_ratio": project.likelihood_ratio,
        "works_stage": project.works_stage,
        "received_on": project.received_on.isoformat(),
        "needed_on": None if project.needed_on is None else project.needed_on.isoformat(),
        "queue_no": result.queue_no,
        "group_no": result.group_no,
        "alone": _answer(result.alone, places),
        "queue": _answer(result.queue, places),
        "competitors": list(result.competitors),
    }


def _answer(answer: Answer, places: PointPlaces) -> dict[str, Any]:
    plain = asdict(answer)
    if answer.placement is not None:
        place = places.point(answer.placement)
        lon_deg, lat_deg = (None, None) if place is None else (round(degrees, _DEGREE_DIGITS) for degrees in place)
        kept = {name: value for name, value in plain["placement"].items() if name not in _OF_NET}
        plain["placement"] = {**kept, "lon_deg": lon_deg, "lat_deg": lat_deg}
    return plain


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
