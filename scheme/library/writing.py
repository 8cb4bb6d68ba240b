"""Changes of the library: record, history row and audit row in one transaction.

A writer locks what it changes, then appends to the audit trail, whose end is locked last; a conversion, which holds
that end already, takes its project without waiting, so that the two never wait for each other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from gridmodel.geometry import to_cgcs2000
from scheme.ledger.audit_trail import Change, append_rows
from scheme.ledger.clock import database_time, ledger_time, to_text
from scheme.ledger.heads import AUDIT_CHAIN, lock_heads
from scheme.ledger.records import Actor
from scheme.library.entry import ProjectEntry
from scheme.library.records import Action, Project, Stage, content_of, differences, digest_of, project_id_of
from scheme.library.tables import PROJECT, PROJECT_CHANGE

_MOVING = (
    "stage", "revision_no", "name", "category", "works_stage", "received_on", "needed_on", "lon_deg", "lat_deg",
    "search_text", "content", "content_sha256", "changed_at",
)  # fmt: skip
_UPDATE = (
    update(PROJECT)
    .where(PROJECT.c.project_id == bindparam("of_project"))
    .values({name: bindparam(f"new_{name}") for name in _MOVING})
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One change of one project."""

    before: Project | None
    entry: ProjectEntry
    stage: Stage
    action: Action
    reason: str
    note: dict[str, Any] | None = None
    """What was added beside the record, for the history."""


def lock_library(connection: Connection) -> None:
    """Let those who add projects wait for each other; SQLite has one writer anyhow."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("project library"))))


def write_revisions(connection: Connection, revisions: Sequence[Revision], actor: Actor) -> list[Project]:
    """Write changes, all of them in the caller's transaction; return the projects after.

    Args:
        connection: In a write transaction that has locked the projects, or added them first.
        revisions: One for each project.
        actor: Who does it.
    """
    if not revisions:
        return []
    at = to_text(database_time(connection))
    after = [_after(revision, at) for revision in revisions]
    rows = [_row(project) for project in after]
    fresh = [row for row, revision in zip(rows, revisions, strict=True) if revision.before is None]
    moved = [row for row, revision in zip(rows, revisions, strict=True) if revision.before is not None]
    if fresh:
        connection.execute(insert(PROJECT), fresh)
    if moved:
        connection.execute(
            _UPDATE, [{"of_project": row["project_id"], **{f"new_{n}": row[n] for n in _MOVING}} for row in moved]
        )
    history = [_history_row(one, r, row, actor) for one, r, row in zip(after, revisions, rows, strict=True)]
    connection.execute(insert(PROJECT_CHANGE), history)
    _append_audit(connection, revisions, after, actor)
    return after


def _append_audit(
    connection: Connection, revisions: Sequence[Revision], after: Sequence[Project], actor: Actor
) -> None:
    clock = database_time(connection)
    head = lock_heads(connection, AUDIT_CHAIN)[AUDIT_CHAIN]
    changes = [
        Change(
            action=f"project.{revision.action}",
            object_id=project.project_id,
            reason=revision.reason,
            before_sha256=None if revision.before is None else digest_of(content_of(revision.before.entry)),
            after_sha256=digest_of(content_of(project.entry)),
        )
        for revision, project in zip(revisions, after, strict=True)
    ]
    append_rows(connection, actor, changes, at=ledger_time(clock, head.last_at), after=(head.seq, head.sha256))


def _after(revision: Revision, at: str) -> Project:
    before, entry = revision.before, revision.entry
    place = entry.location
    lon_deg, lat_deg = (None, None) if place is None else to_cgcs2000(place.lon_deg, place.lat_deg, place.datum)
    return Project(
        project_id=project_id_of(entry.source_system, entry.source_id),
        stage=revision.stage,
        revision_no=1 if before is None else before.revision_no + 1,
        entry=entry,
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        created_at=at if before is None else before.created_at,
        changed_at=at,
    )


def _row(project: Project) -> dict[str, Any]:
    entry = project.entry
    content = content_of(entry)
    return {
        "project_id": project.project_id,
        "source_system": entry.source_system,
        "source_id": entry.source_id,
        "stage": project.stage,
        "revision_no": project.revision_no,
        "name": entry.name,
        "category": entry.category,
        "works_stage": entry.works_stage,
        "received_on": entry.received_on.isoformat(),
        "needed_on": None if entry.needed_on is None else entry.needed_on.isoformat(),
        "lon_deg": project.lon_deg,
        "lat_deg": project.lat_deg,
        "search_text": "\n".join((entry.name, entry.applicant or "", entry.source_id)).casefold(),
        "content": content,
        "content_sha256": digest_of(content),
        "created_at": project.created_at,
        "changed_at": project.changed_at,
    }


def _history_row(project: Project, revision: Revision, row: dict[str, Any], actor: Actor) -> dict[str, Any]:
    before = revision.before
    changes = differences(None if before is None else before.entry, project.entry)
    if before is not None and before.stage != project.stage:
        changes["stage"] = {"before": before.stage, "after": project.stage}
    return {
        "project_id": project.project_id,
        "revision_no": project.revision_no,
        "at": project.changed_at,
        "subject_id": actor.subject_id,
        "role": actor.role,
        "action": revision.action,
        "reason": revision.reason,
        "changes": json.dumps({**changes, **(revision.note or {})}, ensure_ascii=False, sort_keys=True),
        "content_sha256": row["content_sha256"],
    }
