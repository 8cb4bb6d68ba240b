"""The projects of an assessment: of the library as they were when it was asked, or of a table nobody keeps.

What cannot be assessed is said of each row; it costs the others nothing.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gridmodel.catalogue.loader import Catalogue
from gridmodel.errors import InputError
from gridmodel.findings import Finding
from gridmodel.geometry import to_cgcs2000
from scheme.assessment.project import Project as AssessedProject
from scheme.assessment_files.results import Origin
from scheme.assessment_files.source_table import SourceTable, read_source
from scheme.assessment_store.runs import RunInput
from scheme.library.assessing import as_assessed
from scheme.library.columns import TABLE
from scheme.library.entry import ProjectEntry, read_works_stages
from scheme.library.files import ReadProjects
from scheme.library.records import OPEN_STAGES, Missing, Project, Stage, project_id_of
from scheme.policy.parameter import PolicyView

LIBRARY = "储备项目库"
"""What findings name instead of a file."""
_LEFT_OUT = "本项目未评估"
_GAPS: dict[Missing, tuple[str, str, str]] = {
    "location": ("not_placed", "lon_deg", "经度、纬度、坐标系"),
    "demand": ("demand_unknown", "installed_kw", "用电设备总容量或用电容量"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InputProjects:
    """What is assessed, and what is not."""

    projects: tuple[AssessedProject, ...]
    origins: dict[str, Origin]
    """By project, those that are left out too."""
    findings: tuple[Finding, ...]
    """Why projects are left out."""
    table: SourceTable | None
    """As it was handed in; ``None``: the projects are those of the library."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """One project before anybody looked at it."""

    project: Project
    file: str
    row: int | None


def as_content(projects: Sequence[Project]) -> bytes:
    """Return projects of the library as they are kept with an assessment."""
    rows = [{"stage": one.stage, "entry": one.entry.model_dump(mode="json", exclude_none=True)} for one in projects]
    return json.dumps(rows, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def read_input(given: RunInput, policy: PolicyView, catalogue: Catalogue) -> InputProjects:
    """Return the projects of an assessment.

    Args:
        given: Table or projects as they were kept.
        policy: On the day of the assessment.
        catalogue: Ratings that are on the market.

    Raises:
        InputError: The table cannot be read.
    """
    series = policy.text("receiving.transformer_series")
    sizes_kva = [kind.sn_kva for kind in catalogue.find_transformer_types(series=series)]
    table, rows, findings = (_of_library if given.file is None else _of_table)(given, policy)
    projects: list[AssessedProject] = []
    for row in rows:
        answer = _assessed(row, policy, sizes_kva)
        if isinstance(answer, Finding):
            findings.append(answer)
        else:
            projects.append(answer)
    origins = {row.project.project_id: Origin(source_id=row.project.entry.source_id, row_no=row.row) for row in rows}
    return InputProjects(
        projects=tuple(projects),
        origins=origins,
        findings=tuple(sorted(findings, key=lambda finding: finding.row or 0)),
        table=table,
    )


def read_table(content: bytes, file: str, policy: PolicyView) -> tuple[SourceTable, ReadProjects]:
    """Return a table of projects and what is read of it.

    Args:
        content: The file.
        file: Its name with one of the known endings, without a folder.
        policy: Reads ``reserve.works_stages``.

    Raises:
        InputError: The file as a whole cannot be read, or is a workbook nothing can be added to.
    """
    with tempfile.TemporaryDirectory(prefix="gridscheme-") as folder:
        path = Path(folder) / file
        path.write_bytes(content)
        return read_source(path, read_works_stages(policy))


def read_ids(read: ReadProjects) -> frozenset[str]:
    """Return the identifiers of the good rows of a table."""
    return frozenset(project_id_of(one.entry.source_system, one.entry.source_id) for one in read.entries)


_Rows = tuple[SourceTable | None, list[_Given], list[Finding]]


def _of_library(given: RunInput, _: PolicyView) -> _Rows:
    rows = [
        _Given(
            project=_project(ProjectEntry.model_validate_json(json.dumps(row["entry"])), row["stage"]),
            file=LIBRARY,
            row=None,
        )
        for row in json.loads(given.content)
    ]
    refused = {row.project.project_id: list(_refused(row)) for row in rows}
    left = [row for row in rows if not refused[row.project.project_id]]
    return None, left, [said for one in refused.values() for said in one]


def _of_table(given: RunInput, policy: PolicyView) -> _Rows:
    assert given.file is not None
    table, read = read_table(given.content, given.file, policy)
    rows = [_Given(project=_project(one.entry, "reserve"), file=read.file, row=one.row) for one in read.entries]
    findings = [
        replace(one, severity="error", disposition="quarantined", consequence=_LEFT_OUT) for one in read.findings
    ]
    placed = [row for row in rows if not row.project.missing]  # of the others the reader has said what is missing
    return table, placed, findings


def _project(entry: ProjectEntry, stage: Stage) -> Project:
    place = entry.location
    lon_deg, lat_deg = (None, None) if place is None else to_cgcs2000(place.lon_deg, place.lat_deg, place.datum)
    return Project(
        project_id=project_id_of(entry.source_system, entry.source_id),
        stage=stage,
        revision_no=1,
        entry=entry,
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        created_at="",
        changed_at="",
    )


def _refused(row: _Given) -> Iterator[Finding]:
    for missing in row.project.missing:
        code, column, expected = _GAPS[missing]
        yield _finding(row, code, column, None, expected)
    if row.project.stage not in OPEN_STAGES:
        yield _finding(row, "project_not_open", None, row.project.stage, "储备或咨询阶段的项目")


def _assessed(row: _Given, policy: PolicyView, sizes_kva: Sequence[float]) -> AssessedProject | Finding:
    try:
        return as_assessed(row.project, policy, transformer_sizes_kva=sizes_kva)
    except InputError as error:
        field, value, allowed = (error.context.get(name) for name in ("field", "value", "allowed"))
        return _finding(
            row,
            "value_refused",
            None if field is None else str(field),
            None if value is None else str(value),
            str(allowed or error.problem),
        )


def _finding(row: _Given, code: str, column: str | None, value: str | None, expected: str) -> Finding:
    return Finding(
        code=code,
        severity="error",
        disposition="quarantined",
        file=row.file,
        table=TABLE,
        row=row.row,
        column=column,
        value=value,
        expected=expected,
        consequence=_LEFT_OUT,
        element_id=row.project.entry.source_id,
    )
