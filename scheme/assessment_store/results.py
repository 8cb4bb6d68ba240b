"""What came out of an assessment: written once and whole, read by rows, lists and files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, select

from gridmodel.errors import NotFoundError
from scheme.assessment_store.tables import (
    ASSESSMENT_PART,
    ASSESSMENT_PROJECT,
    ASSESSMENT_RESULT,
    ASSESSMENT_TASK,
)
from scheme.ledger.clock import database_time, to_text
from scheme.store import Database
from scheme.store.statements import insert_new

_COMPRESSION = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything that is kept of a result."""

    summary: Mapping[str, Any]
    projects: Sequence[Mapping[str, Any]]
    """In the order of the queue, each with ``queue_no`` and its answer under ``queue``."""
    parts: Mapping[str, bytes]
    """Lists as JSON and files, by name."""


def keep_result(store: Database, assessment_id: str, outcome: Outcome) -> None:
    """Keep a result and forget the tasks it was made of; where there is one already nothing happens."""
    with store.write() as connection:
        row = {
            "assessment_id": assessment_id,
            "at": to_text(database_time(connection)),
            "summary": _text(outcome.summary),
        }
        connection.execute(delete(ASSESSMENT_TASK).where(ASSESSMENT_TASK.c.assessment_id == assessment_id))
        is_there = ASSESSMENT_RESULT.c.assessment_id == assessment_id
        if connection.execute(select(ASSESSMENT_RESULT.c.at).where(is_there)).one_or_none() is not None:
            return
        insert_new(connection, ASSESSMENT_RESULT, [row])
        rows = [
            {
                "assessment_id": assessment_id,
                "queue_no": project["queue_no"],
                "verdict": project["queue"]["verdict"],
                "content": _text(project),
            }
            for project in outcome.projects
        ]
        if rows:
            connection.execute(insert(ASSESSMENT_PROJECT), rows)
        parts = [
            {
                "assessment_id": assessment_id,
                "name": name,
                "content": gzip.compress(content, compresslevel=_COMPRESSION, mtime=0),
            }
            for name, content in outcome.parts.items()
        ]
        connection.execute(insert(ASSESSMENT_PART), parts)


def find_summary(store: Database, assessment_id: str) -> dict[str, Any] | None:
    """Return the summary of a result, ``None`` where there is none yet."""
    with store.read() as connection:
        statement = select(ASSESSMENT_RESULT.c.summary).where(ASSESSMENT_RESULT.c.assessment_id == assessment_id)
        text = connection.execute(statement).scalar()
    return None if text is None else dict(json.loads(text))


def get_part(store: Database, assessment_id: str, name: str) -> bytes:
    """Return a list or file of a result.

    Raises:
        NotFoundError: There is none of this name.
    """
    is_one = (ASSESSMENT_PART.c.assessment_id == assessment_id) & (ASSESSMENT_PART.c.name == name)
    with store.read() as connection:
        content = connection.execute(select(ASSESSMENT_PART.c.content).where(is_one)).scalar()
    if content is None:
        raise NotFoundError("no such part of the assessment", assessment_id=assessment_id, part=name)
    return gzip.decompress(content)


def list_results(
    store: Database, assessment_id: str, *, verdict: str | None = None, after: int = 0, limit: int
) -> tuple[list[dict[str, Any]], int]:
    """Return projects in the order of the queue, and how many there are in all.

    Args:
        store: Where the result is.
        assessment_id: Whose.
        verdict: Only those answered so in the queue.
        after: Place in the queue of the last one of the page before.
        limit: At most so many.
    """
    wanted = ASSESSMENT_PROJECT.c.assessment_id == assessment_id
    if verdict is not None:
        wanted &= ASSESSMENT_PROJECT.c.verdict == verdict
    queue_no = ASSESSMENT_PROJECT.c.queue_no
    page = select(ASSESSMENT_PROJECT.c.content).where(wanted & (queue_no > after)).order_by(queue_no).limit(limit)
    with store.read() as connection:
        total = connection.execute(select(func.count()).where(wanted)).scalar_one()
        return [json.loads(text) for text in connection.execute(page).scalars()], int(total)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
