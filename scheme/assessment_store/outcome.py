"""An assessment as it is kept and shown: rows a page can draw, lists, and every file, made once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gridmodel.snapshot import Snapshot
from scheme.assessment.early_works import as_upgrades
from scheme.assessment.records import Answer, ProjectResult, Verdict
from scheme.assessment_files.geojson import write_geojson
from scheme.assessment_files.grid_places import GridPlaces
from scheme.assessment_files.report import write_report
from scheme.assessment_files.results import Results
from scheme.assessment_files.results_workbook import write_workbook
from scheme.assessment_files.source_table import SourceTable
from scheme.assessment_store.results import Outcome

FINDINGS_TOLD_MAX = 1_000
_VERDICTS: tuple[Verdict, ...] = ("yes", "partly", "no", "not_assessable")
_DEGREE_DIGITS, _KVA_DIGITS = 7, 3
_OF_NET = ("bus", "line", "fraction_along", "node", "p_kw", "q_kvar", "materials")
"""Of a placement, what means nothing outside the net, and the bill of materials, which the record has."""


def make_outcome(
    results: Results,
    snapshot: Snapshot,
    *,
    table: SourceTable | None,
    provenance: Mapping[str, Any],
    tell: Callable[[], None],
) -> Outcome:
    """Return everything that is kept of an assessment.

    Args:
        results: The assessment with what was asked.
        snapshot: The grid that was assessed.
        table: The planner's own, ``None`` for projects of the library.
        provenance: What it was worked out from.
        tell: Called before every file, which takes a moment; it may raise to stop.
    """
    assessment = results.assessment
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
    writers: Mapping[str, Callable[[], bytes]] = {
        "xlsx": lambda: write_workbook(results, snapshot, table=table),
        "geojson": lambda: write_geojson(results, snapshot),
        "pdf": lambda: write_report(results, snapshot),
    }
    for name, write in writers.items():
        tell()
        parts[name] = write()
    return Outcome(
        summary=_summary(results, provenance),
        projects=list(_rows(results, snapshot, is_library=table is None)),
        parts=parts,
    )


def _summary(results: Results, provenance: Mapping[str, Any]) -> dict[str, Any]:
    assessed = results.assessment
    queue = [result.queue for result in assessed.projects]
    left_out = {(finding.row, finding.element_id) for finding in results.findings}
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
        "findings": [finding.as_dict() for finding in results.findings[:FINDINGS_TOLD_MAX]],
        "findings_total": len(results.findings),
    }


def _verdicts(answers: Sequence[Answer]) -> dict[str, int]:
    found = Counter(answer.verdict for answer in answers)
    return {name: found[name] for name in _VERDICTS}


def _rows(results: Results, snapshot: Snapshot, *, is_library: bool) -> Iterator[dict[str, Any]]:
    places = GridPlaces(snapshot)
    works = {one.project_id: asdict(one) for one in results.assessment.project_works}
    for result in results.assessment.projects:
        yield {**_row(result, results, places), "is_library": is_library, "works": works.get(result.project_id)}


def _row(result: ProjectResult, results: Results, places: GridPlaces) -> dict[str, Any]:
    project = results.project_of[result.project_id]
    return {
        "project_id": result.project_id,
        "source_id": results.label(result.project_id),
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


def _answer(answer: Answer, places: GridPlaces) -> dict[str, Any]:
    plain = asdict(answer)
    if answer.placement is not None:
        place = places.point(answer.placement)
        lon_deg, lat_deg = (None, None) if place is None else (round(degrees, _DEGREE_DIGITS) for degrees in place)
        kept = {name: value for name, value in plain["placement"].items() if name not in _OF_NET}
        plain["placement"] = {**kept, "lon_deg": lon_deg, "lat_deg": lat_deg}
    return plain


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
