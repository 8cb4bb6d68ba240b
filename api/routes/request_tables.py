"""Tables of requests (储备项目清单): an empty one to fill in, and one read with everything wrong with it."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path as File
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Path, Request, Response
from fastapi.responses import JSONResponse

from api.access import Principal, allow
from api.batch_views import BATCH_VIEWS, CellFaultView, RequestColumnView, RequestRowView, RequestTableView
from api.inputs import body_reader
from api.jobs.kinds import BATCH_REQUESTS_MAX
from api.openapi import add_schemas, reference, response_of
from api.openapi_schemas import schemas_of
from api.uploads import XLSX_MEDIA_TYPE

TABLE_BYTES_MAX = 8 * 2**20
CSV_MEDIA_TYPE = "text/csv"
_ENDINGS = {CSV_MEDIA_TYPE: ".csv", XLSX_MEDIA_TYPE: ".xlsx"}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_CONTENT = {XLSX_MEDIA_TYPE: _BINARY, CSV_MEDIA_TYPE: {"schema": {"type": "string"}}}

_Body = Annotated[bytes, Depends(body_reader(TABLE_BYTES_MAX, *_ENDINGS))]
_Batching = Annotated[Principal, allow("engineer", "planner")]
_Form = Annotated[Literal["xlsx", "csv"], Path(description="a workbook with the meaning of its columns, or plain text")]


def add_request_tables(app: FastAPI) -> None:
    """Add the calls to ``app``."""
    add_schemas(app, schemas_of(BATCH_VIEWS))
    _add_template(app)
    _add_read(app)


def _add_template(app: FastAPI) -> None:
    @app.get(
        "/v1/request-tables/template/{form:id}",
        tags=["requests"],
        summary="An empty table of requests with one example row",
        responses={200: {"description": "The table", "content": _CONTENT}},
        response_class=Response,
    )
    def get_request_template(principal: _Batching, form: _Form) -> Response:
        """The workbook says on a sheet of its own what each column means."""
        from scheme.publication.spreadsheet import to_xlsx
        from scheme.request_table import template_csv, template_sheets

        place = {"Content-Disposition": f'attachment; filename="requests.{form}"'}
        if form == "xlsx":
            return Response(to_xlsx(template_sheets()), headers=place, media_type=XLSX_MEDIA_TYPE)
        return Response(template_csv(), headers=place, media_type=CSV_MEDIA_TYPE)


def _add_read(app: FastAPI) -> None:
    @app.post(
        "/v1/request-tables:read",
        tags=["requests"],
        summary="Read a table of requests, every fault by row and column",
        responses={200: response_of("Rows and faults", reference("RequestTableView"))},
        response_class=Response,
        openapi_extra={"requestBody": {"required": True, "content": _CONTENT}},
    )
    def read_request_table(principal: _Batching, request: Request, body: _Body) -> Response:
        """Nothing is kept. Rows without a fault have a ``request`` as a job of the kind ``schemes`` takes it; the
        others keep their cells, so that none is lost."""
        from scheme.request_table import COLUMNS, read_requests

        media_type = request.headers["content-type"].partition(";")[0].strip().lower()
        with tempfile.TemporaryDirectory(prefix="gridscheme-") as folder:
            file = File(folder) / f"requests{_ENDINGS[media_type]}"
            file.write_bytes(body)
            found = read_requests(file, rows_max=BATCH_REQUESTS_MAX)
        view = RequestTableView(
            columns=[
                RequestColumnView(name=one.name, title=one.title, is_required=one.is_required, allowed=one.allowed)
                for one in COLUMNS
            ],
            rows=[RequestRowView.model_validate(asdict(row)) for row in found.rows],
            faults=[CellFaultView.model_validate(asdict(fault)) for fault in found.faults],
        )
        return JSONResponse(view.model_dump(mode="json"))
