"""A reserve project as a request, and what is written when it is answered or becomes an application (一键转正式).

Everything the library knows goes with it: facts that a request has into the request, the whole record as one of the
scheme's documents, the project's own documents to the application.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

from sqlalchemy import Connection, insert

from gridmodel.errors import InputError
from scheme.ledger.audit_trail import append
from scheme.ledger.clock import database_time, to_text
from scheme.ledger.reader import find_holds
from scheme.ledger.records import Actor
from scheme.ledger.tables import HOLD
from scheme.library.errors import ProjectMovedError
from scheme.library.library import check_open
from scheme.library.reading import get_project, list_documents
from scheme.library.records import Project, ProjectDocument, Stage, content_of
from scheme.library.tables import PROJECT_CONVERSION, PROJECT_REPLY, REQUEST_DOCUMENT
from scheme.library.writing import Revision, write_revisions
from scheme.policy.parameter import PolicyView
from scheme.request import Demand, SupplyRequest
from scheme.store import StoredScheme
from scheme.store.statements import insert_new
from scheme.store.store import keep_scheme

PROJECT_FILE = "project.json"
"""The project's record among the documents of its scheme."""

Documents = Sequence[tuple[str, bytes]]


def as_request(
    project: Project,
    policy: PolicyView,
    *,
    received_on: date,
    purpose: Literal["application", "consultation"] = "application",
) -> SupplyRequest:
    """Return the request a project is; its number is the project's, so the same project is always the same request.

    Args:
        project: The project.
        policy: Reads ``demand.power_factor_default`` where only the capacity is known.
        received_on: Day it is asked: the limits of an application run from then on, not from the day the project came
            into the library.
        purpose: Whether it becomes an application or is only asked about.

    Raises:
        InputError: The place or the demand is not known.
    """
    entry = project.entry
    if entry.location is None:
        raise InputError("the project has no place yet", field="location", allowed="longitude, latitude and datum")
    return SupplyRequest(
        request_id=project.project_id,
        applicant=entry.applicant_record,
        business=entry.business,
        location=entry.location,
        demand=_demand(project, policy),
        voltage=entry.voltage,
        sources=entry.sources,
        received_on=received_on,
        needed_on=entry.needed_on,
        circumstances=entry.circumstances,
        purpose=purpose,
    )


def _demand(project: Project, policy: PolicyView) -> Demand:
    asked = project.entry.demand
    installed_kw = asked.installed_kw
    if installed_kw is None:
        if asked.capacity_kva is None:
            allowed = "installed_kw or capacity_kva"
            raise InputError("the project's demand is not known", field="demand", allowed=allowed)
        power_factor = asked.power_factor
        if power_factor is None:
            voltage = "380V" if project.entry.voltage == "auto" else project.entry.voltage
            power_factor = float(policy.row("demand.power_factor_default", "voltage", voltage)["power_factor"])
        installed_kw = round(asked.capacity_kva * power_factor, 3)
    return Demand(
        installed_kw=installed_kw,
        capacity_kva=asked.capacity_kva,
        power_factor=asked.power_factor,
        single_phase=asked.single_phase,
    )


def write_conversion(
    connection: Connection, project: Project, scheme: StoredScheme, documents: Documents, *, actor: Actor, reason: str
) -> None:
    """Write scheme, documents and the project's step to ``formal`` into the transaction that made the scheme's hold.

    Args:
        connection: The ledger's transaction.
        project: As it was when the scheme was worked out.
        scheme: What is kept.
        documents: File name and content of the scheme's documents.
        actor: Who converts.
        reason: Why.

    Raises:
        ProjectMovedError: The project has another revision by now.
    """
    _take(connection, project)
    hold = find_holds(connection, HOLD.c.scheme_id == scheme.scheme_id)[-1]
    _keep_answer(connection, project, scheme, documents, actor)
    at = to_text(database_time(connection))
    carried = [
        {"request_id": scheme.request_id, **{name: getattr(document, name) for name in ProjectDocument.__slots__}}
        for document in list_documents(connection, project.project_id)
    ]
    insert_new(connection, REQUEST_DOCUMENT, carried)
    made = {"request_id": scheme.request_id, "scheme_id": scheme.scheme_id, "hold_id": hold.hold_id}
    connection.execute(insert(PROJECT_CONVERSION).values(project_id=project.project_id, at=at, **made))
    _step(connection, project, "formal", actor, reason, {"conversion": {"before": None, "after": made}})


def write_consultation(
    connection: Connection, project: Project, scheme: StoredScheme, documents: Documents, *, actor: Actor, reason: str
) -> None:
    """Write a preliminary reply (咨询初步答复) and the project's step to ``consultation``; no capacity is held.

    Raises:
        ProjectMovedError: The project has another revision by now.
    """
    _take(connection, project)
    _keep_answer(connection, project, scheme, documents, actor)
    row = {"project_id": project.project_id, "scheme_id": scheme.scheme_id, "at": to_text(database_time(connection))}
    insert_new(connection, PROJECT_REPLY, [row])
    reply = {"before": None, "after": scheme.scheme_id}
    _step(connection, project, "consultation", actor, reason, {"reply": reply})


def _take(connection: Connection, project: Project) -> None:
    """Lock the project without waiting: who waits here holds the end of the audit trail."""
    now = get_project(connection, project.project_id, is_locked=True, nowait=True)
    if now.revision_no != project.revision_no:
        raise ProjectMovedError("the project was changed meanwhile; read it again", project_id=project.project_id)
    check_open(now)


def _keep_answer(
    connection: Connection, project: Project, scheme: StoredScheme, documents: Documents, actor: Actor
) -> None:
    keep_scheme(connection, scheme, [*documents, (PROJECT_FILE, record_bytes(project))])
    append(
        connection, actor, "scheme.answer", scheme.scheme_id, after_sha256=hashlib.sha256(scheme.content).hexdigest()
    )


def _step(
    connection: Connection, project: Project, stage: Stage, actor: Actor, reason: str, note: dict[str, Any]
) -> None:
    wanted = Revision(
        before=project,
        entry=project.entry,
        stage=stage,
        action="convert" if stage == "formal" else "consult",
        reason=reason,
        note=note,
    )
    write_revisions(connection, [wanted], actor)


def record_bytes(project: Project) -> bytes:
    """Return the whole record of a project as a file."""
    record = {
        "project_id": project.project_id,
        "revision_no": project.revision_no,
        "entry": json.loads(content_of(project.entry)),
    }
    return json.dumps(record, ensure_ascii=False, sort_keys=True, indent=1).encode()
