"""The planner's own table: read once for its projects, kept as it is for its results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gridmodel.errors import InputError
from scheme.assessment_files.results import Results
from scheme.assessment_files.workbook_parts import WorkbookParts
from scheme.library.columns import TABLE, project_table
from scheme.library.files import ReadProjects, judge_rows, read_rows
from scheme.publication.spreadsheet import Cell

_NUMBERS = ("number", "integer", "coordinate")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTable:
    """A table of projects as it was handed in."""

    file: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[Cell, ...]], ...]
    """Number of the row, the first below the heading is 1, and its cells."""
    workbook: bytes | None = None
    """The file itself, where it is a workbook."""


def read_source(path: Path, works_stages: Sequence[str]) -> tuple[SourceTable, ReadProjects]:
    """Return a table of projects and what is read of it.

    Args:
        path: ``.xlsx``, ``.csv`` or ``.geojson``.
        works_stages: ``reserve.works_stages``.

    Raises:
        InputError: The file as a whole cannot be read, or is a workbook nothing can be added to.
    """
    schema = project_table(works_stages)
    raw = read_rows(path, schema)
    known = {name for row in raw for name in row.cells}
    is_geojson = path.suffix.lower() == ".geojson"
    columns = tuple(name for name in (schema.columns if is_geojson or not raw else raw[0].cells) if name in known)
    numbers = {name for name in columns if schema.columns[name].type in _NUMBERS}
    rows = tuple(
        (row.number, tuple(_cell(row.cells.get(name, ""), is_number=name in numbers) for name in columns))
        for row in raw
    )
    workbook = None
    if path.suffix.lower() == ".xlsx":
        try:
            workbook = path.read_bytes()
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", file=path.name) from error
        WorkbookParts(workbook, path.name).check(TABLE)
    table = SourceTable(file=path.name, columns=columns, rows=rows, workbook=workbook)
    return table, judge_rows(path.name, raw, schema)


def table_of(results: Results) -> tuple[SourceTable, dict[str, int]]:
    """Return a table of the projects assessed, in the order of the queue, and the row of each."""
    rows, row_of = [], {}
    for number, result in enumerate(results.assessment.projects, start=1):
        project = results.project_of[result.project_id]
        row_of[result.project_id] = number
        row: dict[str, Cell] = {
            "source_system": project.source_system,
            "source_id": results.label(result.project_id),
            "name": project.name,
            "category": project.category,
            "lon_deg": project.lon_deg,
            "lat_deg": project.lat_deg,
            "datum": "CGCS2000",
            "capacity_kva": project.demand_kva,
            "works_stage": project.works_stage,
            "likelihood_ratio": project.likelihood_ratio,
            "received_on": project.received_on.isoformat(),
            "needed_on": None if project.needed_on is None else project.needed_on.isoformat(),
        }
        columns = tuple(row)
        rows.append((number, tuple(row.values())))
    return SourceTable(file="projects", columns=columns if rows else (), rows=tuple(rows)), row_of


def _cell(text: str, *, is_number: bool) -> Cell:
    if not text:
        return None
    if is_number:
        try:
            value = float(text)
        except ValueError:
            return text
        return value if math.isfinite(value) else text
    return text
