"""The reserve library of one store: projects added, changed, closed, given documents."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert

from gridmodel.errors import InputError
from scheme.ledger.clock import database_time, to_text
from scheme.ledger.idempotency import IdempotencyClaim, claim_key, keep
from scheme.ledger.records import Actor
from scheme.library.entry import ProjectEntry
from scheme.library.errors import ProjectExistsError, ProjectMovedError, ProjectStageError
from scheme.library.reading import find_projects, get_project, list_documents
from scheme.library.records import OPEN_STAGES, Action, Project, ProjectDocument, Stage, project_id_of
from scheme.library.tables import DOCUMENT_CONTENT, PROJECT_DOCUMENT
from scheme.library.writing import Revision, lock_library, write_revisions
from scheme.request import parse_record
from scheme.store import Database
from scheme.store.statements import insert_new

DOCUMENTS_MAX = 50
DOCUMENT_BYTES_MAX = 20 * 2**20
_KEY_FIELDS = ("source_system", "source_id")
_MOVES: Mapping[tuple[Stage, Stage], Action] = {
    ("reserve", "closed"): "close",
    ("consultation", "closed"): "close",
    ("closed", "reserve"): "reopen",
}
"""Stages a person may set; ``consultation`` comes with a reply, ``formal`` with a conversion."""

Told = Callable[[Project], tuple[int, Mapping[str, str], bytes]]
"""Makes status, headers and body of what the caller is told, kept under the idempotency key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryCall:
    """What surrounds one change."""

    actor: Actor
    reason: str
    claim: IdempotencyClaim | None = None
    answer: Told | None = None
    """``None`` with no claim only."""


class Library:
    """The projects of one store.

    Args:
        store: Where they are kept.

    A call whose idempotency key was used before changes nothing; what was told then is
    :func:`scheme.ledger.idempotency.find_answer`'s.
    """

    def __init__(self, store: Database) -> None:
        self.store = store

    def create(self, entry: ProjectEntry, call: LibraryCall) -> None:
        """Add a project.

        Raises:
            ProjectExistsError: Its source system's identifier stands for one already.
            InputError: Its place is none of the datum named.
        """
        project_id = project_id_of(entry.source_system, entry.source_id)
        with self._change(call) as connection:
            if connection is None:
                return
            lock_library(connection)
            if find_projects(connection, [project_id]):
                raise ProjectExistsError("the source's identifier stands for a project already", project_id=project_id)
            made = Revision(before=None, entry=entry, stage="reserve", action="create", reason=call.reason)
            self._tell(connection, write_revisions(connection, [made], call.actor)[0], call)

    def update(
        self,
        project_id: str,
        changes: Mapping[str, Any],
        call: LibraryCall,
        *,
        stage: Stage | None = None,
        revision_no: int | None = None,
    ) -> None:
        """Change fields of a project, or its stage.

        Args:
            project_id: Which one.
            changes: New values of fields; ``None`` takes a fact back.
            call: Who does it and why.
            stage: ``closed``, or ``reserve`` to open it again.
            revision_no: Only if this is the last revision; any by default.

        Raises:
            NotFoundError: No such project.
            ProjectStageError: Its stage does not allow this.
            ProjectMovedError: It has another revision by now.
            InputError: A field is wrong, or nothing would change.
        """
        with self._change(call) as connection:
            if connection is None:
                return
            before = get_project(connection, project_id, is_locked=True)
            if revision_no is not None and revision_no != before.revision_no:
                raise ProjectMovedError("the project was changed meanwhile; read it again", project_id=project_id)
            action = _action(before, stage)
            after = merged(before.entry, changes)
            if action == "update" and after == before.entry:
                raise InputError("nothing would change", field="changes", allowed="a field with another value")
            wanted = Revision(
                before=before, entry=after, stage=stage or before.stage, action=action, reason=call.reason
            )
            self._tell(connection, write_revisions(connection, [wanted], call.actor)[0], call)

    def attach(self, project_id: str, name: str, media_type: str, content: bytes, call: LibraryCall) -> None:
        """Add a document to a project, or replace the one of this name.

        Raises:
            NotFoundError: No such project.
            ProjectStageError: It is closed, or an application by now.
            InputError: Too large, empty, or too many documents.
        """
        if not 0 < len(content) <= DOCUMENT_BYTES_MAX:
            raise InputError("a document of a wrong size", field=name, allowed=f"1 to {DOCUMENT_BYTES_MAX} bytes")
        sha256 = hashlib.sha256(content).hexdigest()
        with self._change(call) as connection:
            if connection is None:
                return
            before = get_project(connection, project_id, is_locked=True)
            check_open(before)
            known = {document.name: document for document in list_documents(connection, project_id)}
            if name not in known and len(known) >= DOCUMENTS_MAX:
                raise InputError("too many documents", field="name", allowed=f"at most {DOCUMENTS_MAX}")
            insert_new(connection, DOCUMENT_CONTENT, [{"sha256": sha256, "content": content}])
            document = ProjectDocument(
                name=name,
                media_type=media_type,
                sha256=sha256,
                size_bytes=len(content),
                added_at=to_text(database_time(connection)),
            )
            _put_document(connection, project_id, document)
            old = known.get(name)
            note = {f"documents/{name}": {"before": None if old is None else old.sha256, "after": sha256}}
            wanted = Revision(
                before=before, entry=before.entry, stage=before.stage, action="attach", reason=call.reason, note=note
            )
            self._tell(connection, write_revisions(connection, [wanted], call.actor)[0], call)

    @contextmanager
    def _change(self, call: LibraryCall) -> Iterator[Connection | None]:
        """Yield a write transaction; ``None`` where the key was used before."""
        with self.store.write() as connection:
            is_done = call.claim is not None and claim_key(connection, call.claim) is not None
            yield None if is_done else connection

    def _tell(self, connection: Connection, project: Project, call: LibraryCall) -> None:
        if call.claim is not None:
            assert call.answer is not None, "who shows a key is told"
            keep(connection, call.claim, *call.answer(project), object_id=project.project_id)


def check_open(project: Project) -> None:
    """Refuse to change what is closed or an application by now.

    Raises:
        ProjectStageError: It is.
    """
    if project.stage not in OPEN_STAGES:
        raise ProjectStageError(
            "the project is in a stage that does not allow this", project_id=project.project_id, stage=project.stage
        )


def merged(entry: ProjectEntry, changes: Mapping[str, Any]) -> ProjectEntry:
    """Return the entry with the changes; whole fields are replaced, ``None`` takes one back.

    Raises:
        InputError: A field is unknown, names the project, or has a wrong value.
    """
    fixed = [name for name in _KEY_FIELDS if name in changes]
    if fixed:
        raise InputError("this names the project and stays", field=fixed[0], allowed="every other field")
    kept = entry.model_dump(mode="json", exclude_none=True)
    both = {**kept, **changes}
    given = {name: value for name, value in both.items() if value is not None}
    return parse_record(ProjectEntry, json.dumps(given, ensure_ascii=False))


def _action(before: Project, stage: Stage | None) -> Action:
    if stage is None or stage == before.stage:
        check_open(before)
        return "update"
    action = _MOVES.get((before.stage, stage))
    if action is None:
        raise ProjectStageError(
            "a project does not come from one stage into the other like this",
            project_id=before.project_id,
            stage=before.stage,
            wanted=stage,
        )
    return action


def _put_document(connection: Connection, project_id: str, document: ProjectDocument) -> None:
    of_name = (PROJECT_DOCUMENT.c.project_id == project_id) & (PROJECT_DOCUMENT.c.name == document.name)
    connection.execute(PROJECT_DOCUMENT.delete().where(of_name))
    values = {name: getattr(document, name) for name in ProjectDocument.__slots__}
    connection.execute(insert(PROJECT_DOCUMENT).values(project_id=project_id, **values))
