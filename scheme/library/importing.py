"""Takes a file of projects into the library in one transaction: new ones are added, changed ones changed.

A row that cannot be read is named and left out; nothing that was in the library before is lost by a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeVar

from pydantic import BaseModel
from sqlalchemy import Connection

from gridmodel.findings import Finding
from scheme.ledger.idempotency import IdempotencyClaim, claim_key, keep
from scheme.ledger.records import Actor
from scheme.library.columns import DEMAND_BY_YEAR, TABLE
from scheme.library.entry import Area, ProjectEntry
from scheme.library.files import ReadEntry, ReadProjects
from scheme.library.reading import find_projects
from scheme.library.records import OPEN_STAGES, Project, differences, project_id_of
from scheme.library.writing import Revision, lock_library, write_revisions
from scheme.store import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOutcome:
    """What a good row does to its project."""

    row: int
    project_id: str
    source_id: str
    name: str
    fate: Literal["created", "updated", "unchanged"]
    changes: Mapping[str, Any]
    """Field -> before and after, of a project that is changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOutcome:
    """What became of a file; ``rows`` is the sum of the four counts below."""

    file: str
    rows: int
    created: int
    updated: int
    unchanged: int
    refused: int
    is_taken: bool
    """False where a bad row kept the whole file out, as asked."""
    findings: tuple[Finding, ...]
    lines: tuple[RowOutcome, ...] = ()
    """Rows that were not refused, in the order of the file."""

    def as_dict(self) -> dict[str, Any]:
        """Return counts and findings as a JSON-ready mapping; what changed is in the history of each project."""
        plain = asdict(replace(self, lines=()))
        del plain["lines"]
        return plain


Part = TypeVar("Part", bound=BaseModel)
_COMPOSED = frozenset({"location", "area", "demand", "circumstances"})
"""Fields of an entry that several columns make."""
Told = Callable[[ImportOutcome], tuple[int, Mapping[str, str], bytes]]
Also = Callable[[Connection, ImportOutcome], None]


def import_projects(
    store: Database,
    read: ReadProjects,
    *,
    actor: Actor,
    is_all_or_nothing: bool = False,
    claim: IdempotencyClaim | None = None,
    answer: Told | None = None,
    also: Also | None = None,
) -> ImportOutcome | None:
    """Take the good rows of a file in one transaction; ``None`` where the key was used before.

    Args:
        store: Where the library is.
        read: What the file says.
        actor: Who hands it in.
        is_all_or_nothing: Take nothing where a row is refused.
        claim: Idempotency key of the call.
        answer: What the caller is told, kept under the key.
        also: What else is written in the same transaction, last.
    """
    with store.write() as connection:
        if claim is not None and claim_key(connection, claim) is not None:
            return None
        lock_library(connection)
        outcome, revisions = _plan(connection, read, is_all_or_nothing=is_all_or_nothing, is_locked=True)
        write_revisions(connection, revisions, actor)
        if also is not None:
            also(connection, outcome)
        if claim is not None:
            assert answer is not None, "who shows a key is told"
            keep(connection, claim, *answer(outcome))
    return outcome


def try_projects(store: Database, read: ReadProjects, *, is_all_or_nothing: bool = False) -> ImportOutcome:
    """Return what taking a file would do now, and do none of it; ``is_taken`` is false.

    Args:
        store: Where the library is.
        read: What the file says.
        is_all_or_nothing: As :func:`import_projects`.
    """
    with store.read() as connection:
        outcome, _ = _plan(connection, read, is_all_or_nothing=is_all_or_nothing, is_locked=False)
    return replace(outcome, is_taken=False)


def _plan(
    connection: Connection, read: ReadProjects, *, is_all_or_nothing: bool, is_locked: bool
) -> tuple[ImportOutcome, list[Revision]]:
    ids = {project_id_of(one.entry.source_system, one.entry.source_id) for one in read.entries}
    known = {project.project_id: project for project in find_projects(connection, ids, is_locked=is_locked)}
    reason, revisions, fixed, lines = f"import {read.file}", list[Revision](), list[Finding](), list[RowOutcome]()
    for one in read.entries:
        before = known.get(project_id_of(one.entry.source_system, one.entry.source_id))
        if before is None:
            revisions.append(Revision(before=None, entry=one.entry, stage="reserve", action="create", reason=reason))
            lines.append(_line(one.row, "created", None, one.entry))
            continue
        entry = beside(before.entry, one)
        if entry == before.entry:
            lines.append(_line(one.row, "unchanged", entry, entry))
        elif before.stage not in OPEN_STAGES:
            fixed.append(_fixed(read.file, one.row, before))
        else:
            revisions.append(Revision(before=before, entry=entry, stage=before.stage, action="update", reason=reason))
            lines.append(_line(one.row, "updated", before.entry, entry))
    findings = (*read.findings, *fixed)
    refused = read.rows - len(read.entries) + len(fixed)
    is_taken = not (is_all_or_nothing and refused)
    outcome = ImportOutcome(
        file=read.file,
        rows=read.rows,
        created=sum(revision.before is None for revision in revisions),
        updated=sum(revision.before is not None for revision in revisions),
        unchanged=sum(line.fate == "unchanged" for line in lines),
        refused=refused,
        is_taken=is_taken,
        findings=tuple(sorted(findings, key=lambda finding: finding.row or 0)),
        lines=tuple(sorted(lines, key=lambda line: line.row)),
    )
    if is_taken:
        return outcome, revisions
    return replace(outcome, created=0, updated=0, unchanged=0, refused=read.rows, lines=()), []


def _line(
    row: int, fate: Literal["created", "updated", "unchanged"], before: ProjectEntry | None, entry: ProjectEntry
) -> RowOutcome:
    return RowOutcome(
        row=row,
        project_id=project_id_of(entry.source_system, entry.source_id),
        source_id=entry.source_id,
        name=entry.name,
        fate=fate,
        changes={} if fate != "updated" else differences(before, entry),
    )


def beside(before: ProjectEntry, said: ReadEntry) -> ProjectEntry:
    """Return what a row says of a project, beside what it says nothing about."""
    entry, columns = said.entry, said.columns
    old_area, area = before.area or Area(), entry.area or Area()
    area = area.model_copy(
        update={
            **({} if "area_text" in columns else {"text": old_area.text}),
            **({} if "geometry" in columns else {"polygon": old_area.polygon, "datum": old_area.datum}),
        }
    )
    values: dict[str, Any] = {
        name: getattr(before, name) for name in ProjectEntry.model_fields if name not in {*columns, *_COMPOSED}
    }
    values["location"] = entry.location if "lon_deg" in columns else before.location
    values["area"] = None if area == Area() else area
    values["demand"] = _mixed(before.demand, entry.demand, columns, by_year=DEMAND_BY_YEAR)
    values["circumstances"] = _mixed(before.circumstances, entry.circumstances, columns)
    return entry.model_copy(update=values)


def _mixed(before: Part, after: Part, columns: frozenset[str], **called: str) -> Part:
    """Return a part of an entry with the fields of columns that are not there as they were."""
    names = [name for name in type(before).model_fields if called.get(name, name) not in columns]
    return after.model_copy(update={name: getattr(before, name) for name in names})


def _fixed(file: str, row: int, project: Project) -> Finding:
    return Finding(
        code="project_fixed",
        severity="error",
        disposition="quarantined",
        file=file,
        table=TABLE,
        row=row,
        column=None,
        value=project.stage,
        expected="库内储备或咨询阶段的项目",
        consequence="项目已转正式或已关闭,本行未更新",
        element_id=project.entry.source_id,
    )
