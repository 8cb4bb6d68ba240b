"""The results as GeoJSON (RFC 7946): the place of every project, and a line to where it meets the grid."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gridmodel.snapshot import Snapshot
from scheme.assessment.records import ProjectResult
from scheme.assessment_files.grid_places import GridPlaces, Place
from scheme.assessment_files.result_rows import COLUMNS, Value, fault_text, faults_by_row, list_rows
from scheme.assessment_files.results import Results
from scheme.assessment_files.summary import list_faulty_rows
from scheme.assessment_files.words import NOT_ADDITIVE

_DIGITS = 7
"""Decimals of a degree: a centimetre."""


def write_geojson(results: Results, snapshot: Snapshot) -> bytes:
    """Return a point a project, in the order of the queue, then the rows that are wrong, then the connections.

    Properties are the result columns of the table by their keys, with ``feature`` (``project`` | ``fault`` |
    ``connection``), the codes of the verdicts and the project number.

    Args:
        results: What to write.
        snapshot: The grid that was assessed.
    """
    places = GridPlaces(snapshot)
    rows = list(list_rows(results, places))
    features = [
        *(_project(result, row, results) for result, row in zip(results.assessment.projects, rows, strict=True)),
        *_faults(results),
        *_connections(results, places),
    ]
    assessed = results.assessment
    document = {
        "type": "FeatureCollection",
        "note": NOT_ADDITIVE,
        "scenario": assessed.scenario,
        "as_of": assessed.as_of,
        "snapshot_sha256": assessed.snapshot_sha256,
        "features": features,
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _project(result: ProjectResult, row: dict[str, Value], results: Results) -> dict[str, Any]:
    project = results.project_of[result.project_id]
    codes = {"alone_code": result.alone.verdict, "queue_code": result.queue.verdict}
    properties = {**_head("project", result), **row, **codes, "source_id": results.label(result.project_id)}
    return _feature({"type": "Point", "coordinates": _rounded((project.lon_deg, project.lat_deg))}, properties)


def _faults(results: Results) -> Iterator[dict[str, Any]]:
    by_row, empty = faults_by_row(results.findings), {column.key: None for column in COLUMNS}
    for row_no in list_faulty_rows(results):
        own = {"feature": "fault", "name": None, "fault": fault_text(by_row[row_no]), "row_no": row_no}
        yield _feature(None, {**empty, **own, "source_id": by_row[row_no][0].element_id})


def _connections(results: Results, places: GridPlaces) -> Iterator[dict[str, Any]]:
    for result in results.assessment.projects:
        placement = result.queue.placement
        end = None if placement is None else places.point(placement)
        if end is None:
            continue
        project = results.project_of[result.project_id]
        line = [_rounded((project.lon_deg, project.lat_deg)), _rounded(end)]
        yield _feature({"type": "LineString", "coordinates": line}, _head("connection", result))


def _head(kind: str, result: ProjectResult) -> dict[str, Any]:
    return {"feature": kind, "project_id": result.project_id, "name": result.name}


def _feature(geometry: dict[str, Any] | None, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _rounded(place: Place) -> list[float]:
    return [round(place[0], _DIGITS), round(place[1], _DIGITS)]
