"""Scenarios by name: every change is a version of its own, and an assessment says which one it saw."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, literal, select, tuple_, update

from gridmodel.errors import NotFoundError
from scheme.assessment_store.asked import ScenarioEntry
from scheme.assessment_store.errors import ScenarioArchivedError, ScenarioMovedError
from scheme.assessment_store.tables import SCENARIO, SCENARIO_VERSION
from scheme.ledger.audit_trail import append
from scheme.ledger.clock import database_time, to_text
from scheme.ledger.records import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedScenario:
    """A scenario in its last version."""

    scenario_id: str
    version_no: int
    entry: ScenarioEntry
    is_archived: bool
    created_by: str
    created_at: str
    changed_at: str


def create_scenario(connection: Connection, scenario_id: str, entry: ScenarioEntry, actor: Actor) -> SavedScenario:
    """Add a scenario, in the caller's transaction."""
    at = to_text(database_time(connection))
    made = SavedScenario(
        scenario_id=scenario_id,
        version_no=1,
        entry=entry,
        is_archived=False,
        created_by=actor.subject_id,
        created_at=at,
        changed_at=at,
    )
    row = {name: getattr(made, name) for name in SavedScenario.__slots__ if name != "entry"}
    connection.execute(insert(SCENARIO).values(**row, name=entry.name, content=entry.to_json()))
    _keep_version(connection, made, actor, "scenario.create", before=None)
    return made


def update_scenario(
    connection: Connection, scenario_id: str, entry: ScenarioEntry, actor: Actor, *, version_no: int | None = None
) -> SavedScenario:
    """Make a new version of a scenario; assessments of earlier ones stay what they are.

    Args:
        connection: In a write transaction.
        scenario_id: Which one.
        entry: The whole of it.
        actor: Who does it.
        version_no: Only if this is the last version; any by default.

    Raises:
        NotFoundError: There is none.
        ScenarioArchivedError: It was put away.
        ScenarioMovedError: It has another version by now.
    """
    before = get_scenario(connection, scenario_id, is_locked=True)
    if before.is_archived:
        raise ScenarioArchivedError("the scenario was put away", scenario_id=scenario_id)
    if version_no is not None and version_no != before.version_no:
        raise ScenarioMovedError("the scenario was changed meanwhile; read it again", scenario_id=scenario_id)
    after = SavedScenario(
        scenario_id=scenario_id,
        version_no=before.version_no + 1,
        entry=entry,
        is_archived=False,
        created_by=before.created_by,
        created_at=before.created_at,
        changed_at=to_text(database_time(connection)),
    )
    _move(
        connection,
        scenario_id,
        version_no=after.version_no,
        name=entry.name,
        content=entry.to_json(),
        changed_at=after.changed_at,
    )
    _keep_version(connection, after, actor, "scenario.update", before=before.entry)
    return after


def archive_scenario(connection: Connection, scenario_id: str, actor: Actor) -> SavedScenario:
    """Put a scenario away; it stays readable, with the assessments made of it. Done twice it is done once.

    Raises:
        NotFoundError: There is none.
    """
    before = get_scenario(connection, scenario_id, is_locked=True)
    if not before.is_archived:
        _move(connection, scenario_id, is_archived=True, changed_at=to_text(database_time(connection)))
        sha256 = _digest(before.entry)
        append(connection, actor, "scenario.archive", scenario_id, before_sha256=sha256, after_sha256=sha256)
    return get_scenario(connection, scenario_id)


def get_scenario(connection: Connection, scenario_id: str, *, is_locked: bool = False) -> SavedScenario:
    """Return a scenario.

    Raises:
        NotFoundError: There is none.
    """
    statement = select(SCENARIO).where(SCENARIO.c.scenario_id == scenario_id)
    row = connection.execute(statement.with_for_update() if is_locked else statement).one_or_none()
    if row is None:
        raise NotFoundError("no such scenario", scenario_id=scenario_id)
    return _saved(row)


def list_scenarios(
    connection: Connection, *, is_archived: bool | None, after: Sequence[str] | None = None, limit: int
) -> list[SavedScenario]:
    """Return scenarios, newest first.

    Args:
        connection: In a transaction.
        is_archived: Only those put away, or only the others; ``None``: all.
        after: ``created_at`` and ``scenario_id`` of the last one of the page before.
        limit: At most so many.
    """
    key = (SCENARIO.c.created_at, SCENARIO.c.scenario_id)
    statement = select(SCENARIO).order_by(*(column.desc() for column in key)).limit(limit)
    if is_archived is not None:
        statement = statement.where(SCENARIO.c.is_archived == is_archived)
    if after is not None:
        statement = statement.where(tuple_(*key) < tuple_(*map(literal, after)))
    return [_saved(row) for row in connection.execute(statement)]


def _move(connection: Connection, scenario_id: str, **values: Any) -> None:
    connection.execute(update(SCENARIO).where(SCENARIO.c.scenario_id == scenario_id).values(**values))


def _keep_version(
    connection: Connection, made: SavedScenario, actor: Actor, action: str, *, before: ScenarioEntry | None
) -> None:
    sha256 = _digest(made.entry)
    connection.execute(
        insert(SCENARIO_VERSION).values(
            scenario_id=made.scenario_id,
            version_no=made.version_no,
            at=made.changed_at,
            subject_id=actor.subject_id,
            role=actor.role,
            content=made.entry.to_json(),
            content_sha256=sha256,
        )
    )
    before_sha256 = None if before is None else _digest(before)
    append(connection, actor, action, made.scenario_id, before_sha256=before_sha256, after_sha256=sha256)


def _digest(entry: ScenarioEntry) -> str:
    return hashlib.sha256(entry.to_json().encode()).hexdigest()


def _saved(row: Row[Any]) -> SavedScenario:
    names = [name for name in SavedScenario.__slots__ if name != "entry"]
    values = {name: getattr(row, name) for name in names}
    return SavedScenario(**values, entry=ScenarioEntry.model_validate_json(row.content))
