"""What was asked of an assessment, kept before the work begins and never changed."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, insert, literal, select, tuple_

from gridmodel.errors import NotFoundError
from scheme.assessment_store.asked import ScenarioEntry
from scheme.assessment_store.tables import ASSESSMENT, ASSESSMENT_RESULT
from scheme.ledger.audit_trail import append
from scheme.ledger.clock import database_time, to_text
from scheme.ledger.records import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One assessment, asked."""

    assessment_id: str
    job_id: str
    subject_id: str
    """Who asked."""
    created_at: str
    as_of: date
    """Day it is worked out for, however long it waits."""
    scenario_id: str | None
    """``None``: the assumptions were given with the call."""
    scenario_version_no: int | None
    scenario: ScenarioEntry
    """As it was then."""
    with_works: bool
    file: str | None
    """Name of the table handed in, ``None`` for projects of the library."""
    projects: int
    """Rows of the table, or projects of the library."""
    finished_at: str | None
    """``None``: there is no result."""
    summary: str | None
    """JSON; together with ``finished_at``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInput:
    """What is assessed."""

    file: str | None
    content: bytes
    """The table as it was handed in, or the projects as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What comes with a call."""

    assessment_id: str
    job_id: str
    as_of: date
    scenario: ScenarioEntry
    scenario_key: tuple[str, int] | None
    """Identifier and version where it is a saved one."""
    with_works: bool
    file: str | None
    projects: int
    content: bytes


def keep_run(connection: Connection, asked: Asked, actor: Actor) -> None:
    """Keep what was asked, in the caller's transaction."""
    sha256 = hashlib.sha256(asked.content).hexdigest()
    scenario_id, version_no = asked.scenario_key or (None, None)
    connection.execute(
        insert(ASSESSMENT).values(
            assessment_id=asked.assessment_id,
            job_id=asked.job_id,
            subject_id=actor.subject_id,
            role=actor.role,
            created_at=to_text(database_time(connection)),
            as_of=asked.as_of.isoformat(),
            scenario_id=scenario_id,
            scenario_version_no=version_no,
            scenario=asked.scenario.to_json(),
            with_works=asked.with_works,
            file=asked.file,
            projects=asked.projects,
            input=asked.content if asked.file is not None else gzip.compress(asked.content, compresslevel=5, mtime=0),
            input_sha256=sha256,
        )
    )
    append(connection, actor, "assessment.start", asked.assessment_id, after_sha256=sha256)


def get_run(connection: Connection, assessment_id: str) -> Run:
    """Return an assessment.

    Raises:
        NotFoundError: There is none.
    """
    row = connection.execute(_runs().where(ASSESSMENT.c.assessment_id == assessment_id)).one_or_none()
    if row is None:
        raise NotFoundError("no such assessment", assessment_id=assessment_id)
    return _run(row)


def get_input(connection: Connection, assessment_id: str) -> RunInput:
    """Return what an assessment is of.

    Raises:
        NotFoundError: There is none.
    """
    statement = select(ASSESSMENT.c.file, ASSESSMENT.c.input).where(ASSESSMENT.c.assessment_id == assessment_id)
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise NotFoundError("no such assessment", assessment_id=assessment_id)
    return RunInput(file=row.file, content=row.input if row.file is not None else gzip.decompress(row.input))


def list_runs(
    connection: Connection, *, scenario_id: str | None = None, after: Sequence[str] | None = None, limit: int
) -> list[Run]:
    """Return assessments, newest first.

    Args:
        connection: In a transaction.
        scenario_id: Only those of this scenario, whatever its version.
        after: ``created_at`` and ``assessment_id`` of the last one of the page before.
        limit: At most so many.
    """
    key = (ASSESSMENT.c.created_at, ASSESSMENT.c.assessment_id)
    statement = _runs().order_by(*(column.desc() for column in key)).limit(limit)
    if scenario_id is not None:
        statement = statement.where(ASSESSMENT.c.scenario_id == scenario_id)
    if after is not None:
        statement = statement.where(tuple_(*key) < tuple_(*map(literal, after)))
    return [_run(row) for row in connection.execute(statement)]


def _runs() -> Any:
    names = [name for name in Run.__slots__ if name in ASSESSMENT.c]
    result = ASSESSMENT_RESULT.c
    both = ASSESSMENT.outerjoin(ASSESSMENT_RESULT, ASSESSMENT.c.assessment_id == result.assessment_id)
    columns = [ASSESSMENT.c[name] for name in names]
    return select(*columns, result.at.label("finished_at"), result.summary).select_from(both)


def _run(row: Row[Any]) -> Run:
    values = dict(row._mapping)
    values["as_of"] = date.fromisoformat(row.as_of)
    values["scenario"] = ScenarioEntry.model_validate_json(row.scenario)
    return Run(**values)
