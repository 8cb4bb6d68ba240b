"""What is done of an assessment at work, kept in its store, so that a crash costs one task at most."""

from __future__ import annotations

import gzip
import json

from sqlalchemy import select

from scheme.assessment.workers import Rows
from scheme.assessment_store.tables import ASSESSMENT_TASK
from scheme.store import Database
from scheme.store.statements import insert_new


class StoreJournal:
    """Results of the tasks of one assessment.

    Args:
        store: Where they are kept.
        assessment_id: Whose.
    """

    def __init__(self, store: Database, assessment_id: str) -> None:
        self._store, self._assessment_id = store, assessment_id

    def get(self, key: str) -> Rows | None:
        """Return the result under a key, ``None`` where there is none."""
        is_one = (ASSESSMENT_TASK.c.assessment_id == self._assessment_id) & (ASSESSMENT_TASK.c.task_key == key)
        with self._store.read() as connection:
            content = connection.execute(select(ASSESSMENT_TASK.c.content).where(is_one)).scalar()
        return None if content is None else list(json.loads(gzip.decompress(content)))

    def put(self, key: str, rows: Rows) -> None:
        """Keep a result; when this returns it outlives the process. Kept twice it is kept once."""
        text = json.dumps(rows, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        content = gzip.compress(text.encode(), compresslevel=5, mtime=0)
        with self._store.write() as connection:
            insert_new(
                connection,
                ASSESSMENT_TASK,
                [{"assessment_id": self._assessment_id, "task_key": key, "content": content}],
            )
