"""Assessments of reserve projects (储备项目评估): start one, and what came out of it."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path, Query, Response
from fastapi.responses import JSONResponse

from api.assessment_views import (
    ASSESSMENT_VIEWS,
    AssessedProject,
    AssessedProjectPage,
    AssessmentLine,
    AssessmentPage,
    AssessmentView,
    ComparisonView,
)
from api.inputs import JSON_MEDIA_TYPE, PAGE_ROWS, Cursor, Limit
from api.jobs.assessing import LISTS
from api.openapi import add_schemas, reference, response_of
from api.openapi_schemas import schemas_of
from api.routes.assessment_start import add_assessment_start
from api.routes.backend import Backend
from api.routes.cursors import page_of, read_cursor, write_cursor
from api.routes.project_steps import Reader
from api.routes.projects import GEOJSON_MEDIA_TYPE
from api.uploads import XLSX_MEDIA_TYPE
from scheme.assessment.records import Verdict
from scheme.assessment_store.errors import AssessmentNotDoneError
from scheme.assessment_store.results import get_part, list_results
from scheme.assessment_store.runs import get_run, list_runs

_ID = r"^asm_[0-9a-f]{32}$"
_PDF_MEDIA_TYPE = "application/pdf"
_MEDIA_TYPES = {
    "xlsx": XLSX_MEDIA_TYPE,
    "geojson": GEOJSON_MEDIA_TYPE,
    "pdf": _PDF_MEDIA_TYPE,
    "json": JSON_MEDIA_TYPE,
}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_CONTENT = {
    XLSX_MEDIA_TYPE: _BINARY,
    _PDF_MEDIA_TYPE: _BINARY,
    **{name: {"schema": {"type": "object"}} for name in (GEOJSON_MEDIA_TYPE, JSON_MEDIA_TYPE)},
}
_VIEWS = {"conflicts": "ConflictList", "years": "YearList", "works": "WorkList", "quotas": "QuotaList"}

AssessmentId = Annotated[str, Path(pattern=_ID, description="as the list of assessments names it")]
_Other = Annotated[str, Query(pattern=_ID, description="the second assessment")]
_Form = Annotated[
    Literal["xlsx", "geojson", "pdf", "json"],
    Path(description="the table with results, features for a map, a report to print, or the whole record"),
]
_Section = Annotated[
    Literal["conflicts", "years", "works", "quotas"],
    Path(description="who competes for what, when elements run out, works to start early, materials by quarter"),
]


def add_assessments(app: FastAPI, backend: Backend) -> None:
    """Add the calls to ``app``."""
    add_schemas(app, schemas_of(ASSESSMENT_VIEWS))
    add_assessment_start(app, backend)
    _add_list(app, backend)
    _add_one(app, backend)
    _add_projects(app, backend)
    _add_section(app, backend)
    _add_file(app, backend)
    _add_compare(app, backend)


def _add_list(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/assessments",
        tags=["assessments"],
        summary="Assessments, newest first",
        responses={200: response_of("One page of assessments", reference("AssessmentPage"))},
    )
    def list_assessments(
        principal: Reader,
        scenario_id: Annotated[
            str | None, Query(pattern=r"^scn_[0-9a-f]{32}$", description="only those of this scenario, any version")
        ] = None,
        cursor: Cursor = None,
        limit: Limit = PAGE_ROWS,
    ) -> JSONResponse:
        """Everybody's; those at work with how far they are."""
        after = read_cursor(cursor, str, str)
        start = None if after is None else [str(part) for part in after]
        with backend.services.store.read() as connection:
            found = list_runs(connection, scenario_id=scenario_id, after=start, limit=limit + 1)
        rows, has_more = page_of(found, limit)
        jobs = backend.jobs.find_many([row.job_id for row in rows if row.finished_at is None])
        next_cursor = write_cursor(rows[-1].created_at, rows[-1].assessment_id) if has_more else None
        lines = [AssessmentLine.of(row, jobs.get(row.job_id)) for row in rows]
        return JSONResponse(AssessmentPage(items=lines, next_cursor=next_cursor).model_dump(mode="json"))


def _add_one(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/assessments/{assessment_id:id}",
        tags=["assessments"],
        summary="An assessment: how far it is, what came out in figures, what it stands on",
        responses={200: response_of("The assessment", reference("AssessmentView"))},
    )
    def read_assessment_summary(principal: Reader, assessment_id: AssessmentId) -> JSONResponse:
        """Watch and cancel its work under ``/v1/jobs/{job_id}``."""
        with backend.services.store.read() as connection:
            run = get_run(connection, assessment_id)
        jobs = {} if run.finished_at is not None else backend.jobs.find_many([run.job_id])
        return JSONResponse(AssessmentView.with_all(run, jobs.get(run.job_id)).model_dump(mode="json"))


def _add_projects(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/assessments/{assessment_id:id}/projects",
        tags=["assessments"],
        summary="What is said of each project, in the order of the queue",
        responses={200: response_of("One page of projects", reference("AssessedProjectPage"))},
    )
    def list_assessed_projects(
        principal: Reader,
        assessment_id: AssessmentId,
        verdict: Annotated[Verdict | None, Query(description="only those answered so in the queue")] = None,
        cursor: Cursor = None,
        limit: Limit = PAGE_ROWS,
    ) -> JSONResponse:
        """By itself, and after all that come before it; with where it is and where it would be connected."""
        _check_done(backend, assessment_id)
        key = read_cursor(cursor, int)
        after = 0 if key is None else int(key[0])
        found, total = list_results(
            backend.services.store, assessment_id, verdict=verdict, after=after, limit=limit + 1
        )
        rows, has_more = page_of(found, limit)
        next_cursor = write_cursor(rows[-1]["queue_no"]) if has_more else None
        items = [AssessedProject.model_validate(row) for row in rows]
        page = AssessedProjectPage(items=items, total=total, next_cursor=next_cursor)
        return JSONResponse(page.model_dump(mode="json"))


def _add_section(app: FastAPI, backend: Backend) -> None:
    for section, view in _VIEWS.items():
        app.add_api_route(
            f"/v1/assessments/{{assessment_id:id}}/{section}",
            _reader_of(backend, section),
            methods=["GET"],
            tags=["assessments"],
            summary=LISTS[section],
            responses={200: response_of("The list", reference(view))},
            response_class=Response,
            operation_id=f"list_assessed_{section}",
        )


def _reader_of(backend: Backend, section: str) -> Any:
    def read_list(principal: Reader, assessment_id: AssessmentId) -> Response:
        """The whole list."""
        _check_done(backend, assessment_id)
        return Response(get_part(backend.services.store, assessment_id, section), media_type=JSON_MEDIA_TYPE)

    return read_list


def _add_file(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/assessments/{assessment_id:id}/files/{form:id}",
        tags=["assessments"],
        summary="An assessment as a file",
        responses={200: {"description": "The file", "content": _CONTENT}},
        response_class=Response,
    )
    def get_assessment_file(principal: Reader, assessment_id: AssessmentId, form: _Form) -> Response:
        """Made once, when the assessment was; asked again, the same bytes. 404 where it was made without this one."""
        _check_done(backend, assessment_id)
        content = get_part(backend.services.store, assessment_id, form)
        place = {"Content-Disposition": f'attachment; filename="{assessment_id}.{form}"'}
        return Response(content, headers=place, media_type=_MEDIA_TYPES[form])


def _add_compare(app: FastAPI, backend: Backend) -> None:
    store = backend.services.store

    @app.get(
        "/v1/assessments/{assessment_id:id}:compare",
        tags=["assessments"],
        summary="In what a second assessment differs from this one",
        responses={200: response_of("The differences", reference("ComparisonView"))},
    )
    def compare_assessments(principal: Reader, assessment_id: AssessmentId, after: _Other) -> JSONResponse:
        """Projects that are answered differently in the queue, elements that run out in another year, conflicts that
        go and come."""
        from scheme.assessment.comparison import compare
        from scheme.assessment_store.restore import read_assessment

        both = []
        for one in (assessment_id, after):
            _check_done(backend, one)
            both.append(read_assessment(get_part(store, one, "json")))
        view = ComparisonView(before_id=assessment_id, after_id=after, comparison=compare(*both))
        return JSONResponse(json.loads(view.model_dump_json()))


def _check_done(backend: Backend, assessment_id: str) -> None:
    """Refuse what has no result.

    Raises:
        NotFoundError: There is no such assessment.
        AssessmentNotDoneError: It is at work, or ended without a result.
    """
    with backend.services.store.read() as connection:
        run = get_run(connection, assessment_id)
    if run.finished_at is None:
        raise AssessmentNotDoneError("the assessment has no result", assessment_id=assessment_id)
