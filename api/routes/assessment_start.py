"""``POST /v1/projects:assess``: what is asked is looked at and kept, then a job does the work."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, FastAPI, Query, Request, Response
from pydantic import TypeAdapter, model_validator

from api.assessment_views import AssessmentStarted
from api.errors import TooLargeError
from api.inputs import JSON_MEDIA_TYPE, KEY_HEADER, IdempotencyKey, body_reader, parse_body
from api.jobs.durable import job_id_of
from api.openapi import add_schemas, reference, response_of
from api.openapi_schemas import REF
from api.routes.backend import Backend
from api.routes.project_steps import Planner
from api.routes.projects import FILE_CONTENT, FILE_ENDINGS
from api.routes.scenarios import SCENARIO_BYTES_MAX
from api.routes.writes import actor_of, claim_of, id_of, json_answer
from api.services import NoSnapshotError
from api.uploads import UploadName
from gridmodel.errors import InputError
from scheme.assessment_store.asked import AS_IT_IS, ProjectIds, ScenarioEntry, ScenarioKey
from scheme.assessment_store.checks import check_ids_in_library, check_ids_in_table, check_upgrades, choose_projects
from scheme.assessment_store.errors import ScenarioArchivedError
from scheme.assessment_store.inputs import as_content, read_ids, read_table
from scheme.assessment_store.runs import Asked, keep_run
from scheme.assessment_store.scenarios import get_scenario
from scheme.ledger import Actor, IdempotencyClaim
from scheme.ledger.idempotency import claim_key, keep
from scheme.library.files import FILE_BYTES_MAX
from scheme.request import StrictRecord

if TYPE_CHECKING:
    from sqlalchemy import Connection

_START = "/v1/projects:assess"
_KIND = "assessment"
_QUERY = ("name", "scenario_id", "with_works")
_Body = Annotated[bytes, Depends(body_reader(FILE_BYTES_MAX, JSON_MEDIA_TYPE, *FILE_ENDINGS))]
_OfTable = "with a table as the body; in JSON it stands in the body"


class AssessmentRequest(StrictRecord):
    """Projects of the library, and under which assumptions."""

    scenario_id: ScenarioKey | None = None
    """A saved scenario."""
    scenario: ScenarioEntry | None = None
    """Or one for this time only; without both the grid and the queue as they are."""
    project_ids: ProjectIds | None = None
    """Which projects, instead of those of the scenario; all open ones by default."""
    with_works: bool = False
    """Whether supporting works are planned for those that are not served in full; takes several times as long."""

    @model_validator(mode="after")
    def _check_one(self) -> AssessmentRequest:
        if self.scenario_id is not None and self.scenario is not None:
            raise ValueError("either scenario_id or scenario")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """A call with its body looked at, whatever it is."""

    request: AssessmentRequest
    file: str | None
    content: bytes
    """The table; empty for projects of the library."""


def add_assessment_start(app: FastAPI, backend: Backend) -> None:
    """Add the call to ``app``."""
    schema = TypeAdapter(AssessmentRequest).json_schema(mode="validation", ref_template=REF)
    add_schemas(app, {**schema.pop("$defs", {}), "AssessmentRequest": schema})
    example = {"scenario": {"name": "负荷增长 5%", "growth_by_year_ratio": {"2027": 0.05}}, "with_works": False}
    content = {JSON_MEDIA_TYPE: {"schema": reference("AssessmentRequest"), "example": example}, **FILE_CONTENT}

    @app.post(
        _START,
        tags=["assessments"],
        status_code=202,
        summary="Assess reserve projects together",
        responses={202: response_of("The assessment, queued", reference("AssessmentStarted"))},
        response_class=Response,
        openapi_extra={"parameters": [KEY_HEADER], "requestBody": {"required": True, "content": content}},
    )
    def assess_projects(
        principal: Planner,
        request: Request,
        body: _Body,
        key: IdempotencyKey,
        name: UploadName = "projects",
        scenario_id: Annotated[str | None, Query(pattern=r"^scn_[0-9a-f]{32}$", description=_OfTable)] = None,
        with_works: Annotated[bool, Query(description=_OfTable)] = False,
    ) -> Response:
        """Each by itself and in the order of the queue, on the grid of today with everything promised on it; nothing
        is held. Projects of the library, or a table as the import takes it, which is not kept in the library. The
        work is a job: it goes on when the client goes away, and is taken up again after a crash. Projects without a
        place or a demand are named and left out."""
        media_type = request.headers["content-type"].partition(";")[0].strip().lower()
        if media_type == JSON_MEDIA_TYPE:
            call = _of_json(body, [one for one in _QUERY if one in request.query_params])
        else:
            asked = AssessmentRequest(scenario_id=scenario_id, with_works=with_works)
            call = _Call(request=asked, file=f"{name}{FILE_ENDINGS[media_type]}", content=body)
        return _start(backend, call, actor_of(principal, request, "planner"), key)


def _of_json(body: bytes, query: list[str]) -> _Call:
    if len(body) > SCENARIO_BYTES_MAX:
        raise TooLargeError(f"the body is larger than {SCENARIO_BYTES_MAX} bytes", bytes_max=SCENARIO_BYTES_MAX)
    if query:
        raise InputError("only with a table as the body", field=query[0], allowed="the field of the JSON body")
    return _Call(request=parse_body(AssessmentRequest, body), file=None, content=b"")


def _start(backend: Backend, call: _Call, actor: Actor, key: str) -> Response:
    """Keep what is asked, then queue its job: a job is never there before what it is about, and a call that was cut
    off between the two queues it when it is sent again."""
    digest = hashlib.sha256(call.content).hexdigest()
    asked = {**call.request.model_dump(mode="json"), "file": call.file, "sha256": digest}
    claim = claim_of(actor, _START, key, asked)
    assessment_id = id_of("asm", claim)
    answer = backend.writes.carry_out(claim, lambda: _keep(backend, call, actor, claim, assessment_id))
    if answer.status_code == 202:
        arguments = {"assessment_id": assessment_id}
        backend.jobs.submit(_KIND, arguments, owner_id=actor.subject_id, role=actor.role, idempotency_key=assessment_id)
    return answer


def _keep(backend: Backend, call: _Call, actor: Actor, claim: IdempotencyClaim, assessment_id: str) -> None:
    services = backend.services
    if services.store.find_current_sha256() is None:
        raise NoSnapshotError
    with services.store.read() as connection:
        scenario, scenario_key = _scenario_of(connection, call.request)
        projects, content = (_choose if call.file is None else _take)(connection, backend, call, scenario)
    _check_grid(backend, scenario)
    asked = Asked(
        assessment_id=assessment_id,
        job_id=job_id_of(actor.subject_id, assessment_id),
        as_of=services.clock(),
        scenario=scenario,
        scenario_key=scenario_key,
        with_works=call.request.with_works,
        file=call.file,
        projects=projects,
        content=content,
    )
    started = AssessmentStarted(assessment_id=assessment_id, job_id=asked.job_id)
    told = json_answer(202, started.model_dump_json().encode(), Location=f"/v1/assessments/{assessment_id}")
    with services.store.write() as connection:
        if claim_key(connection, claim) is None:
            keep_run(connection, asked, actor)
            keep(connection, claim, *told, object_id=assessment_id)


def _scenario_of(connection: Connection, request: AssessmentRequest) -> tuple[ScenarioEntry, tuple[str, int] | None]:
    if request.scenario_id is None:
        return request.scenario or AS_IT_IS, None
    saved = get_scenario(connection, request.scenario_id)
    if saved.is_archived:
        raise ScenarioArchivedError("the scenario was put away", scenario_id=saved.scenario_id)
    return saved.entry, (saved.scenario_id, saved.version_no)


def _choose(connection: Connection, _: Backend, call: _Call, scenario: ScenarioEntry) -> tuple[int, bytes]:
    wanted = call.request.project_ids if call.request.project_ids is not None else scenario.project_ids
    projects = choose_projects(connection, wanted)
    check_ids_in_library(connection, scenario)
    return len(projects), as_content(projects)


def _take(_: Connection, backend: Backend, call: _Call, scenario: ScenarioEntry) -> tuple[int, bytes]:
    assert call.file is not None
    read = read_table(call.content, call.file, backend.services.load_policy())[1]
    known = read_ids(read)
    if not known:
        raise InputError("no row of the table can be assessed", file=call.file, allowed="the columns of the template")
    check_ids_in_table(scenario, known)
    return read.rows, call.content


def _check_grid(backend: Backend, scenario: ScenarioEntry) -> None:
    if scenario.upgrades:
        from gridmodel.catalogue.loader import load_catalogue

        check_upgrades(scenario.upgrades, backend.services.get_live().imported, load_catalogue())
