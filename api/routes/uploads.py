"""What a check found in an uploaded network (导入预检): counts, findings, changes, holds without a place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path, Query, Response
from fastapi.responses import JSONResponse

from api.access import Principal, allow
from api.check_views import (
    CHECK_VIEWS,
    ChangeFate,
    ChangePage,
    ChangeTable,
    CheckedFindingPage,
    CheckView,
    LostHoldPage,
    Severity,
)
from api.inputs import PAGE_ROWS, Cursor, Limit
from api.openapi import add_schemas, reference, response_of
from api.openapi_schemas import schemas_of
from api.routes.backend import Backend
from api.routes.cursors import read_cursor, write_cursor
from api.uploads import XLSX_MEDIA_TYPE
from api.views import View
from scheme.jobs.checks import KeptCheck, get_check

_CSV_MEDIA_TYPE = "text/csv"
_NAME = r"^[A-Za-z0-9_.:-]{1,64}$"

UploadId = Annotated[str, Path(pattern=r"^upl_[0-9a-f]{32}$", description="as the answer named it")]
Handing = Annotated[Principal, allow("engineer", "operator")]
"""Who may hand in networks; each sees the own ones."""


def add_uploads(app: FastAPI, backend: Backend) -> None:
    """Add the calls about uploads that were checked to ``app``."""
    add_schemas(app, schemas_of(CHECK_VIEWS))
    _add_summary(app, backend)
    _add_findings(app, backend)
    _add_changes(app, backend)
    _add_holds(app, backend)
    _add_report(app, backend)
    _add_discard(app, backend)


def _add_summary(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/uploads/{upload_id:id}/check",
        tags=["uploads"],
        summary="What a check found in an upload, counted",
        responses={200: response_of("The counts", reference("CheckView"))},
    )
    def get_upload_check(principal: Handing, upload_id: UploadId) -> JSONResponse:
        """Made by a job of the kind ``check``; 404 before it is done, and once the upload was activated or given up.
        ``is_stale`` says that another network has become the current one since."""
        kept = _find(backend, principal, upload_id)
        summary = kept.content["summary"]
        view = CheckView(
            upload_id=upload_id,
            file=kept.name,
            is_stale=summary["compared_with_sha256"] != backend.services.store.find_current_sha256(),
            **summary,
        )
        return JSONResponse(view.model_dump(mode="json"))


def _add_findings(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/uploads/{upload_id:id}/findings",
        tags=["uploads"],
        summary="What the quality gate says of each row of an upload",
        responses={200: response_of("One page of findings", reference("CheckedFindingPage"))},
    )
    def get_upload_findings(
        principal: Handing,
        upload_id: UploadId,
        severity: Annotated[Severity | None, Query(description="only these")] = None,
        table: Annotated[str | None, Query(pattern=_NAME, description="only those of this table")] = None,
        code: Annotated[str | None, Query(pattern=_NAME, description="only those of this fault")] = None,
        cursor: Cursor = None,
        limit: Limit = PAGE_ROWS,
    ) -> JSONResponse:
        """Errors first, in the order of the file; ``total`` counts what the filter lets through."""
        kept = _find(backend, principal, upload_id)
        rows = _filtered(kept.content["findings"], severity=severity, table=table, code=code)
        return _page(CheckedFindingPage, rows, cursor, limit)


def _add_changes(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/uploads/{upload_id:id}/changes",
        tags=["uploads"],
        summary="What an upload would change in the current network",
        responses={200: response_of("One page of elements", reference("ChangePage"))},
    )
    def get_upload_changes(
        principal: Handing,
        upload_id: UploadId,
        table: Annotated[ChangeTable | None, Query(description="only these elements")] = None,
        fate: Annotated[ChangeFate | None, Query(description="only those that come, go, or change")] = None,
        column: Annotated[str | None, Query(pattern=_NAME, description="only those where it changes")] = None,
        cursor: Cursor = None,
        limit: Limit = PAGE_ROWS,
    ) -> JSONResponse:
        """Elements are the same where their identifiers are; numbered ones (pandapower) where their number is."""
        kept = _find(backend, principal, upload_id)
        rows = _filtered(kept.content["changes"], table=table, fate=fate)
        if column is not None:
            rows = [row for row in rows if any(cell["column"] == column for cell in row["columns"])]
        return _page(ChangePage, rows, cursor, limit)


def _add_holds(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/uploads/{upload_id:id}/holds",
        tags=["uploads"],
        summary="Live holds that would lose their place",
        responses={200: response_of("One page of holds", reference("LostHoldPage"))},
    )
    def get_upload_holds(
        principal: Handing, upload_id: UploadId, cursor: Cursor = None, limit: Limit = PAGE_ROWS
    ) -> JSONResponse:
        """As the ledger stood when the upload was checked; after the activation a person decides about each."""
        return _page(LostHoldPage, _find(backend, principal, upload_id).content["holds"], cursor, limit)


def _add_report(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/uploads/{upload_id:id}/report/{form:id}",
        tags=["uploads"],
        summary="Everything a check found, as a table to keep",
        responses={
            200: {
                "description": "Findings, changes and holds",
                "content": {
                    XLSX_MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}},
                    _CSV_MEDIA_TYPE: {"schema": {"type": "string"}},
                },
            }
        },
        response_class=Response,
    )
    def get_upload_report(
        principal: Handing,
        upload_id: UploadId,
        form: Annotated[Literal["xlsx", "csv"], Path(description="a sheet each, or one table under the other")],
    ) -> Response:
        """All rows; texts stay texts, whatever they begin with."""
        from api.check_report import report_sheets
        from scheme.publication.spreadsheet import to_csv, to_xlsx

        sheets = report_sheets(_find(backend, principal, upload_id).content)
        content, media_type = (
            (to_xlsx(sheets), XLSX_MEDIA_TYPE) if form == "xlsx" else (to_csv(sheets), _CSV_MEDIA_TYPE)
        )
        place = {"Content-Disposition": f'attachment; filename="{upload_id}.{form}"'}
        return Response(content, headers=place, media_type=media_type)


def _add_discard(app: FastAPI, backend: Backend) -> None:
    @app.post(
        "/v1/uploads/{upload_id:id}:discard",
        tags=["uploads"],
        summary="Give an upload up",
        status_code=204,
        responses={204: {"description": "It is gone, with what was found in it"}},
        response_class=Response,
    )
    def discard_upload(principal: Handing, upload_id: UploadId) -> Response:
        """A job that has begun to read it goes on."""
        from scheme.jobs.uploads import drop_upload, get_upload

        get_upload(backend.services.store, upload_id, owner_id=principal.subject_id)
        drop_upload(backend.services.store, upload_id)
        return Response(status_code=204)


def _find(backend: Backend, principal: Principal, upload_id: str) -> KeptCheck:
    return get_check(backend.services.store, upload_id, owner_id=principal.subject_id)


def _filtered(rows: Sequence[Mapping[str, Any]], **wanted: str | None) -> Sequence[Mapping[str, Any]]:
    asked = {name: value for name, value in wanted.items() if value is not None}
    return [row for row in rows if all(row[name] == value for name, value in asked.items())] if asked else rows


def _page(view: Callable[..., View], rows: Sequence[Mapping[str, Any]], cursor: str | None, limit: int) -> JSONResponse:
    after = read_cursor(cursor, int)
    start = 0 if after is None else max(0, int(after[0]))
    end = start + limit
    page = view(items=rows[start:end], total=len(rows), next_cursor=write_cursor(end) if end < len(rows) else None)
    return JSONResponse(page.model_dump(mode="json"))
