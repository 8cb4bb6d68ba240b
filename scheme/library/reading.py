"""What the library holds: one project, pages of them, their history, documents, replies and conversion."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, literal, select, tuple_

from gridmodel.errors import NotFoundError
from scheme.library.entry import ProjectEntry
from scheme.library.records import (
    ConsultationReply,
    Conversion,
    Project,
    ProjectChange,
    ProjectDocument,
)
from scheme.library.tables import (
    DOCUMENT_CONTENT,
    PROJECT,
    PROJECT_CHANGE,
    PROJECT_CONVERSION,
    PROJECT_DOCUMENT,
    PROJECT_REPLY,
    REQUEST_DOCUMENT,
)
from scheme.store.tables import SCHEME

_IDS_PER_QUERY = 500
"""SQLite takes 999 values in a statement at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFilter:
    """Which projects are listed; ``None`` does not filter."""

    stage: str | None = None
    category: str | None = None
    works_stage: str | None = None
    source_system: str | None = None
    is_placed: bool | None = None
    text: str | None = None
    """Stands in name, applicant or the source's identifier."""


def get_project(connection: Connection, project_id: str, *, is_locked: bool = False, nowait: bool = False) -> Project:
    """Return a project.

    Args:
        connection: In a transaction.
        project_id: Which one.
        is_locked: Keep others from changing it until the transaction ends.
        nowait: Rather fail than wait for whoever changes it now.

    Raises:
        NotFoundError: There is none.
    """
    statement = select(PROJECT).where(PROJECT.c.project_id == project_id)
    if is_locked:
        statement = statement.with_for_update(nowait=nowait)
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise NotFoundError("no such project", project_id=project_id)
    return _project(row)


def find_projects(connection: Connection, project_ids: Collection[str], *, is_locked: bool = False) -> list[Project]:
    """Return those projects that are there, by identifier."""
    wanted = sorted(project_ids)
    found: list[Project] = []
    for first in range(0, len(wanted), _IDS_PER_QUERY):
        is_one = PROJECT.c.project_id.in_(wanted[first : first + _IDS_PER_QUERY])
        statement = select(PROJECT).where(is_one).order_by(PROJECT.c.project_id)
        found += map(_project, connection.execute(statement.with_for_update() if is_locked else statement))
    return found


def list_projects(
    connection: Connection, wanted: ProjectFilter, *, after: tuple[str, str] | None = None, limit: int | None = None
) -> list[Project]:
    """Return projects, those received first at the top.

    Args:
        connection: In a transaction.
        wanted: Which.
        after: ``received_on`` and ``project_id`` of the last one of the page before.
        limit: At most so many; all by default.
    """
    columns = PROJECT.c
    statement = select(PROJECT).order_by(columns.received_on, columns.project_id).limit(limit)
    for condition in _conditions(wanted):
        statement = statement.where(condition)
    if after is not None:
        statement = statement.where(tuple_(columns.received_on, columns.project_id) > tuple_(*map(literal, after)))
    return [_project(row) for row in connection.execute(statement)]


def _conditions(wanted: ProjectFilter) -> Iterator[ColumnElement[bool]]:
    for name in ("stage", "category", "works_stage", "source_system"):
        value = getattr(wanted, name)
        if value is not None:
            yield PROJECT.c[name] == value
    if wanted.is_placed is not None:
        yield PROJECT.c.lon_deg.is_not(None) if wanted.is_placed else PROJECT.c.lon_deg.is_(None)
    if wanted.text is not None:
        yield PROJECT.c.search_text.contains(wanted.text.casefold(), autoescape=True)


def list_changes(connection: Connection, project_id: str) -> list[ProjectChange]:
    """Return the history of a project, oldest first."""
    of_project = PROJECT_CHANGE.c.project_id == project_id
    rows = connection.execute(select(PROJECT_CHANGE).where(of_project).order_by(PROJECT_CHANGE.c.revision_no))
    names = [name for name in ProjectChange.__slots__ if name != "changes"]
    return [ProjectChange(**{n: getattr(row, n) for n in names}, changes=json.loads(row.changes)) for row in rows]


def list_documents(connection: Connection, project_id: str) -> list[ProjectDocument]:
    """Return the documents of a project by name."""
    of_project = PROJECT_DOCUMENT.c.project_id == project_id
    return _documents(connection.execute(select(PROJECT_DOCUMENT).where(of_project)).all())


def list_request_documents(connection: Connection, request_id: str) -> list[ProjectDocument]:
    """Return the documents of an application by name."""
    of_request = REQUEST_DOCUMENT.c.request_id == request_id
    return _documents(connection.execute(select(REQUEST_DOCUMENT).where(of_request)).all())


def _documents(rows: Sequence[Row[Any]]) -> list[ProjectDocument]:
    found = [ProjectDocument(**{name: getattr(row, name) for name in ProjectDocument.__slots__}) for row in rows]
    return sorted(found, key=lambda document: document.name)


def get_document_content(connection: Connection, sha256: str) -> bytes:
    """Return the bytes of a document.

    Raises:
        NotFoundError: There are none with this digest.
    """
    of_digest = DOCUMENT_CONTENT.c.sha256 == sha256
    content = connection.execute(select(DOCUMENT_CONTENT.c.content).where(of_digest)).scalar()
    if content is None:
        raise NotFoundError("no such document", sha256=sha256)
    return bytes(content)


def list_replies(connection: Connection, project_id: str) -> list[ConsultationReply]:
    """Return the preliminary replies given for a project, oldest first."""
    statement = (
        select(PROJECT_REPLY.c.scheme_id, SCHEME.c.verdict, PROJECT_REPLY.c.at)
        .join(SCHEME, SCHEME.c.scheme_id == PROJECT_REPLY.c.scheme_id)
        .where(PROJECT_REPLY.c.project_id == project_id)
        .order_by(PROJECT_REPLY.c.at, PROJECT_REPLY.c.scheme_id)
    )
    return [ConsultationReply(**row._mapping) for row in connection.execute(statement)]


def find_conversion(connection: Connection, project_id: str) -> Conversion | None:
    """Return what a project became, ``None`` while it is in the library."""
    columns = [PROJECT_CONVERSION.c[name] for name in Conversion.__slots__]
    row = connection.execute(select(*columns).where(PROJECT_CONVERSION.c.project_id == project_id)).one_or_none()
    return None if row is None else Conversion(**row._mapping)


def _project(row: Row[Any]) -> Project:
    names = [name for name in Project.__slots__ if name != "entry"]
    values = {name: getattr(row, name) for name in names}
    return Project(**values, entry=ProjectEntry.model_validate_json(row.content))
