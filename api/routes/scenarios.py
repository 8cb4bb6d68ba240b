"""Scenarios (情景): named, saved sets of projects and assumptions that are assessed together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, FastAPI, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field, TypeAdapter
from sqlalchemy import Connection

from api.assessment_views import ScenarioPage, ScenarioView
from api.inputs import JSON_MEDIA_TYPE, KEY_HEADER, PAGE_ROWS, Cursor, IdempotencyKey, Limit, body_reader, parse_body
from api.openapi import add_schemas, reference, response_of
from api.openapi_schemas import REF
from api.routes.backend import Backend
from api.routes.cursors import page_of, read_cursor, write_cursor
from api.routes.project_steps import Planner, Reader, extra
from api.routes.writes import actor_of, claim_of, id_of, json_answer
from scheme.assessment_store.asked import ScenarioEntry
from scheme.assessment_store.scenarios import (
    SavedScenario,
    archive_scenario,
    create_scenario,
    get_scenario,
    list_scenarios,
    update_scenario,
)
from scheme.ledger import IdempotencyClaim
from scheme.ledger.idempotency import claim_key, keep

SCENARIO_BYTES_MAX = 4 * 2**20
"""Some scenarios name every project of a province's year."""
_CREATE, _UPDATE = "/v1/scenarios", "/v1/scenarios/{scenario_id:id}:update"
_ARCHIVE = "/v1/scenarios/{scenario_id:id}:archive"
_SCENARIO = reference("ScenarioView")
_EXAMPLE = {
    "name": "扩建之后",
    "growth_by_year_ratio": {"2027": 0.05},
    "upgrades": [{"table": "transformer", "element_id": "T001", "type_id": "S20-M-630/10"}],
}

ScenarioBody = Annotated[bytes, Depends(body_reader(SCENARIO_BYTES_MAX, JSON_MEDIA_TYPE))]
ScenarioId = Annotated[str, Path(pattern=r"^scn_[0-9a-f]{32}$", description="as the list of scenarios names it")]


class ScenarioUpdate(ScenarioEntry):
    """The whole of a scenario anew."""

    version_no: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Only if this is the last version."""


def add_scenarios(app: FastAPI, backend: Backend) -> None:
    """Add the calls to ``app``."""
    for asked in (ScenarioEntry, ScenarioUpdate):
        schema = TypeAdapter(asked).json_schema(mode="validation", ref_template=REF)
        add_schemas(app, {**schema.pop("$defs", {}), asked.__name__: schema})
    _add_create(app, backend)
    _add_update(app, backend)
    _add_archive(app, backend)
    _add_reads(app, backend)


def _add_create(app: FastAPI, backend: Backend) -> None:
    @app.post(
        _CREATE,
        tags=["assessments"],
        status_code=201,
        summary="Save a scenario",
        responses={201: response_of("The scenario", _SCENARIO)},
        response_class=Response,
        openapi_extra=extra("ScenarioEntry", _EXAMPLE),
    )
    def save_scenario(principal: Planner, request: Request, body: ScenarioBody, key: IdempotencyKey) -> Response:
        """Projects and elements are looked up when it is assessed, not now: both come and go."""
        entry = parse_body(ScenarioEntry, body)
        actor = actor_of(principal, request, "planner")
        claim = claim_of(actor, _CREATE, key, entry.model_dump(mode="json"))
        scenario_id = id_of("scn", claim)
        return _write(backend, claim, 201, lambda connection: create_scenario(connection, scenario_id, entry, actor))


def _add_update(app: FastAPI, backend: Backend) -> None:
    @app.post(
        _UPDATE,
        tags=["assessments"],
        summary="Make a new version of a scenario",
        responses={200: response_of("The scenario", _SCENARIO)},
        response_class=Response,
        openapi_extra=extra("ScenarioUpdate", {**_EXAMPLE, "version_no": 1}),
    )
    def change_scenario(
        principal: Planner, request: Request, scenario_id: ScenarioId, body: ScenarioBody, key: IdempotencyKey
    ) -> Response:
        """Assessments keep the version they saw. 409 where it was put away, or has another version than the one
        named."""
        asked = parse_body(ScenarioUpdate, body)
        entry = ScenarioEntry(**{name: getattr(asked, name) for name in ScenarioEntry.model_fields})
        actor = actor_of(principal, request, "planner")
        claim = claim_of(actor, _UPDATE, key, {"scenario_id": scenario_id, **asked.model_dump(mode="json")})

        def change(connection: Connection) -> SavedScenario:
            return update_scenario(connection, scenario_id, entry, actor, version_no=asked.version_no)

        return _write(backend, claim, 200, change)


def _add_archive(app: FastAPI, backend: Backend) -> None:
    @app.post(
        _ARCHIVE,
        tags=["assessments"],
        summary="Put a scenario away",
        responses={200: response_of("The scenario", _SCENARIO)},
        response_class=Response,
        openapi_extra={"parameters": [KEY_HEADER]},
    )
    def put_scenario_away(
        principal: Planner, request: Request, scenario_id: ScenarioId, key: IdempotencyKey
    ) -> Response:
        """It takes no changes and is not assessed any more; what was made of it stays readable."""
        actor = actor_of(principal, request, "planner")
        claim = claim_of(actor, _ARCHIVE, key, {"scenario_id": scenario_id})
        return _write(backend, claim, 200, lambda connection: archive_scenario(connection, scenario_id, actor))


def _add_reads(app: FastAPI, backend: Backend) -> None:
    store = backend.services.store

    @app.get(
        "/v1/scenarios",
        tags=["assessments"],
        summary="Scenarios, newest first",
        responses={200: response_of("One page of scenarios", reference("ScenarioPage"))},
    )
    def list_saved_scenarios(
        principal: Reader,
        archived: Annotated[bool, Query(description="those that were put away instead of the others")] = False,
        cursor: Cursor = None,
        limit: Limit = PAGE_ROWS,
    ) -> JSONResponse:
        """Each in its last version."""
        after = read_cursor(cursor, str, str)
        start = None if after is None else [str(part) for part in after]
        with store.read() as connection:
            found = list_scenarios(connection, is_archived=archived, after=start, limit=limit + 1)
        rows, has_more = page_of(found, limit)
        next_cursor = write_cursor(rows[-1].created_at, rows[-1].scenario_id) if has_more else None
        page = ScenarioPage(items=[ScenarioView.of(row) for row in rows], next_cursor=next_cursor)
        return JSONResponse(page.model_dump(mode="json"))

    @app.get(
        "/v1/scenarios/{scenario_id:id}",
        tags=["assessments"],
        summary="A scenario in its last version",
        responses={200: response_of("The scenario", _SCENARIO)},
    )
    def read_scenario(principal: Reader, scenario_id: ScenarioId) -> JSONResponse:
        """Earlier versions stand with the assessments that saw them."""
        with store.read() as connection:
            return JSONResponse(ScenarioView.of(get_scenario(connection, scenario_id)).model_dump(mode="json"))


def _write(
    backend: Backend, claim: IdempotencyClaim, status: int, change: Callable[[Connection], SavedScenario]
) -> Response:
    def work() -> None:
        with backend.services.store.write() as connection:
            if claim_key(connection, claim) is not None:
                return
            saved = change(connection)
            place = {"Location": f"/v1/scenarios/{saved.scenario_id}"} if status == 201 else {}
            told = json_answer(status, ScenarioView.of(saved).model_dump_json().encode(), **place)
            keep(connection, claim, *told, object_id=saved.scenario_id)

    return backend.writes.carry_out(claim, work)
