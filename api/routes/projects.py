"""The reserve library (业扩项目储备库): add, list, read, change projects, and take files of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field, TypeAdapter

from api.inputs import (
    KEY_HEADER,
    PAGE_ROWS,
    Cursor,
    IdempotencyKey,
    JsonBody,
    Limit,
    body_reader,
    parse_body,
)
from api.openapi import add_schemas, reference, response_of
from api.openapi_schemas import REF
from api.project_views import PROJECT_VIEWS, ImportView, ProjectLine, ProjectPage, ProjectView
from api.routes.backend import Backend
from api.routes.cursors import page_of, read_cursor, write_cursor
from api.routes.project_steps import Planner, ProjectId, Reader, add_project_steps, extra
from api.routes.writes import actor_of, claim_of, json_answer
from api.uploads import XLSX_MEDIA_TYPE, UploadName
from scheme.library.entry import ProjectEntry, StageName, check_works_stage, read_works_stages
from scheme.library.files import FILE_BYTES_MAX
from scheme.library.library import Library, LibraryCall, merged
from scheme.library.reading import (
    ProjectFilter,
    find_conversion,
    get_project,
    list_changes,
    list_documents,
    list_projects,
    list_replies,
)
from scheme.library.records import Project, Stage
from scheme.request import Category, StrictRecord, Text

CSV_MEDIA_TYPE, GEOJSON_MEDIA_TYPE = "text/csv", "application/geo+json"
FILE_ENDINGS: Mapping[str, str] = {
    CSV_MEDIA_TYPE: ".csv",
    XLSX_MEDIA_TYPE: ".xlsx",
    GEOJSON_MEDIA_TYPE: ".geojson",
}
"""Ending of a file of projects by its media type."""
FILE_CONTENT = {
    CSV_MEDIA_TYPE: {"schema": {"type": "string"}},
    XLSX_MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}},
    GEOJSON_MEDIA_TYPE: {"schema": {"description": "a FeatureCollection; what it is, is found out when it is read"}},
}
_FileBody = Annotated[bytes, Depends(body_reader(FILE_BYTES_MAX, *FILE_ENDINGS))]
_CREATE, _UPDATE, _IMPORT = "/v1/projects", "/v1/projects/{project_id:id}:update", "/v1/projects:import"
_CREATED = "登记"


class ProjectUpdate(StrictRecord):
    """What changes, and why; kept in the history."""

    reason: Text
    changes: Annotated[dict[str, Any], Field(default_factory=dict)]
    """Fields of the project with their new values, whole; null takes a fact back."""
    stage: Literal["reserve", "closed"] | None = None
    revision_no: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Only if this is the last revision."""


def add_projects(app: FastAPI, backend: Backend) -> None:
    """Add the calls about the reserve library to ``app``."""
    models: list[tuple[Any, Literal["validation", "serialization"]]] = [
        *((view, "serialization") for view in PROJECT_VIEWS),
        *((asked, "validation") for asked in (ProjectEntry, ProjectUpdate)),
    ]
    for model, mode in models:
        schema = TypeAdapter(model).json_schema(mode=mode, ref_template=REF)
        add_schemas(app, {**schema.pop("$defs", {}), model.__name__: schema})
    _add_create(app, backend)
    _add_update(app, backend)
    _add_reads(app, backend)
    _add_import(app, backend)
    _add_template(app, backend)
    add_project_steps(app, backend)


def _add_create(app: FastAPI, backend: Backend) -> None:
    library = Library(backend.services.store)

    @app.post(
        _CREATE,
        tags=["projects"],
        status_code=201,
        summary="Put a project into the reserve library",
        responses={201: response_of("The project", reference("ProjectLine"))},
        response_class=Response,
        openapi_extra=extra("ProjectEntry", _EXAMPLE),
    )
    def create_project(principal: Planner, request: Request, body: JsonBody, key: IdempotencyKey) -> Response:
        """Source system and identifier name it: 409 where they do already. A project without a place or a demand is
        kept, and ``missing`` says what keeps it from being assessed."""
        entry = parse_body(ProjectEntry, body)
        check_works_stage(entry, _works_stages(backend))
        actor = actor_of(principal, request, "planner")
        claim = claim_of(actor, _CREATE, key, entry.model_dump(mode="json"))
        call = LibraryCall(actor=actor, reason=_CREATED, claim=claim, answer=lambda made: _told(201, made))
        return backend.writes.carry_out(claim, lambda: library.create(entry, call))


def _add_update(app: FastAPI, backend: Backend) -> None:
    library = Library(backend.services.store)

    @app.post(
        _UPDATE,
        tags=["projects"],
        summary="Change a project, close it, or open it again",
        responses={200: response_of("The project", reference("ProjectLine"))},
        response_class=Response,
        openapi_extra=extra("ProjectUpdate", {"reason": "进度更新", "changes": {"works_stage": "under_construction"}}),
    )
    def update_project(
        principal: Planner, request: Request, project_id: ProjectId, body: JsonBody, key: IdempotencyKey
    ) -> Response:
        """409 where the project is an application by now, or has another revision than the one named."""
        asked = parse_body(ProjectUpdate, body)
        _check_changes(backend, project_id, asked)
        actor = actor_of(principal, request, "planner")
        claim = claim_of(actor, _UPDATE, key, {"project_id": project_id, **asked.model_dump(mode="json")})
        call = LibraryCall(actor=actor, reason=asked.reason, claim=claim, answer=lambda made: _told(200, made))
        return backend.writes.carry_out(
            claim,
            lambda: library.update(project_id, asked.changes, call, stage=asked.stage, revision_no=asked.revision_no),
        )


def _check_changes(backend: Backend, project_id: str, asked: ProjectUpdate) -> None:
    if asked.changes.get("works_stage") is not None:
        with backend.services.store.read() as connection:
            entry = get_project(connection, project_id).entry
        check_works_stage(merged(entry, asked.changes), _works_stages(backend))


def _add_reads(app: FastAPI, backend: Backend) -> None:
    store = backend.services.store

    @app.get(
        "/v1/projects",
        tags=["projects"],
        summary="Projects, those received first at the top",
        responses={200: response_of("One page of projects", reference("ProjectPage"))},
    )
    def list_all_projects(
        principal: Reader,
        stage: Annotated[Stage | None, Query()] = None,
        category: Annotated[Category | None, Query()] = None,
        works_stage: Annotated[StageName | None, Query(description="of the customer's own works")] = None,
        source_system: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] = None,
        placed: Annotated[bool | None, Query(description="only those with a place, or the others")] = None,
        q: Annotated[
            str | None,
            Query(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$", description="stands in name, applicant or identifier"),
        ] = None,
        cursor: Cursor = None,
        limit: Limit = PAGE_ROWS,
    ) -> JSONResponse:
        """``missing`` names the facts that keep a project from being assessed."""
        after = read_cursor(cursor, str, str)
        wanted = ProjectFilter(
            stage=stage,
            category=category,
            works_stage=works_stage,
            source_system=source_system,
            is_placed=placed,
            text=q,
        )
        start = None if after is None else (str(after[0]), str(after[1]))
        with store.read() as connection:
            found = list_projects(connection, wanted, after=start, limit=limit + 1)
        rows, has_more = page_of(found, limit)
        next_cursor = write_cursor(rows[-1].entry.received_on.isoformat(), rows[-1].project_id) if has_more else None
        page = ProjectPage(items=[ProjectLine.of(row) for row in rows], next_cursor=next_cursor)
        return JSONResponse(page.model_dump(mode="json"))

    @app.get(
        "/v1/projects/{project_id:id}",
        tags=["projects"],
        summary="A project with its history",
        responses={200: response_of("The project", reference("ProjectView"))},
    )
    def read_project(principal: Reader, project_id: ProjectId) -> JSONResponse:
        """Every change with who made it and why, its documents, preliminary replies, and what it became."""
        with store.read() as connection:
            view = ProjectView.with_all(
                get_project(connection, project_id),
                list_changes(connection, project_id),
                list_documents(connection, project_id),
                list_replies(connection, project_id),
                find_conversion(connection, project_id),
            )
        return JSONResponse(view.model_dump(mode="json"))


def _add_import(app: FastAPI, backend: Backend) -> None:
    @app.post(
        _IMPORT,
        tags=["projects"],
        summary="Take a file of projects",
        responses={200: response_of("What became of each row", reference("ImportView"))},
        response_class=Response,
        openapi_extra={"parameters": [KEY_HEADER], "requestBody": {"required": True, "content": FILE_CONTENT}},
    )
    def import_project_file(
        principal: Planner,
        request: Request,
        body: _FileBody,
        key: IdempotencyKey,
        name: UploadName = "projects",
        all_or_nothing: Annotated[bool, Query(description="take nothing where a row is refused")] = False,
        dry_run: Annotated[bool, Query(description="say what would become of each row, and take none")] = False,
    ) -> Response:
        """CSV, xlsx or GeoJSON with the columns of the template. Projects are known by source system and identifier:
        new ones are added, changed ones changed, the same left alone, in one transaction. A row that cannot be read is
        named cell by cell and left out. A column that is not in the file leaves its facts as they are."""
        from scheme.library.files import read_project_bytes
        from scheme.library.importing import import_projects, try_projects

        media_type = request.headers["content-type"].partition(";")[0].strip().lower()
        file = f"{name}{FILE_ENDINGS[media_type]}"
        if dry_run:
            read = read_project_bytes(body, file, _works_stages(backend))
            seen = try_projects(backend.services.store, read, is_all_or_nothing=all_or_nothing)
            return JSONResponse(ImportView.of(seen).model_dump(mode="json"))
        actor = actor_of(principal, request, "planner")
        digest = hashlib.sha256(body).hexdigest()
        claim = claim_of(actor, _IMPORT, key, {"file": file, "sha256": digest, "all_or_nothing": all_or_nothing})

        def work() -> None:
            import_projects(
                backend.services.store,
                read_project_bytes(body, file, _works_stages(backend)),
                actor=actor,
                is_all_or_nothing=all_or_nothing,
                claim=claim,
                answer=lambda outcome: json_answer(200, ImportView.of(outcome).model_dump_json().encode()),
            )

        return backend.writes.carry_out(claim, work)


def _add_template(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/projects:template",
        tags=["projects"],
        summary="An empty table of projects to fill in",
        responses={
            200: {
                "description": "xlsx: with the meaning of each column and an example; csv: the header alone",
                "content": {name: FILE_CONTENT[name] for name in (XLSX_MEDIA_TYPE, CSV_MEDIA_TYPE)},
            }
        },
        response_class=Response,
    )
    def get_project_template(principal: Reader, form: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx") -> Response:
        """The words a column may hold are those of the policy in force."""
        from scheme.library.template import template_bytes

        content = template_bytes(f".{form}", _works_stages(backend))
        media_type = XLSX_MEDIA_TYPE if form == "xlsx" else CSV_MEDIA_TYPE
        place = {"Content-Disposition": f'attachment; filename="projects.{form}"'}
        return Response(content, headers=place, media_type=media_type)


def _works_stages(backend: Backend) -> tuple[str, ...]:
    return read_works_stages(backend.services.load_policy())


def _told(status: int, project: Project) -> tuple[int, Mapping[str, str], bytes]:
    headers = {"Location": f"/v1/projects/{project.project_id}"} if status == 201 else {}
    return json_answer(status, ProjectLine.of(project).model_dump_json().encode(), **headers)


_EXAMPLE: dict[str, Any] = {
    "source_system": "gov-approval",
    "source_id": "2026-411602-04-01-123456",
    "name": "某某食品加工项目",
    "category": "industrial_commercial",
    "location": {"lon_deg": 115.1, "lat_deg": 33.4, "datum": "CGCS2000"},
    "demand": {"installed_kw": 1200.0, "by_year": [{"year": 2028, "capacity_kva": 2500.0}]},
    "works_stage": "approved",
    "likelihood_ratio": 0.8,
    "received_on": "2026-10-08",
    "needed_on": "2027-05-31",
}
