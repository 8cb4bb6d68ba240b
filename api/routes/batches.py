"""Results of a batch while they come in: rows, what they take of each feeder, and files to keep."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path, Response
from fastapi.responses import JSONResponse

from api.access import Principal, allow
from api.batch_views import BatchPage, BatchRowView, FeederDemands, FeederDemandView
from api.inputs import PAGE_ROWS, Cursor, Limit
from api.jobs.batch import STEP
from api.jobs.records import ENDED, Job
from api.openapi import reference, response_of
from api.routes.backend import Backend
from api.routes.cursors import read_cursor, write_cursor
from api.routes.jobs import JobId
from api.uploads import XLSX_MEDIA_TYPE
from gridmodel.errors import NotFoundError
from scheme.ledger.records import VA_PER_KVA

_GEOJSON = "application/geo+json"
_CSV = "text/csv"
_KIND = "schemes"
_Staff = Annotated[Principal, allow("engineer", "planner", "operator")]
_Form = Annotated[Literal["xlsx", "csv", "geojson"], Path(description="a table, or points for a map")]
Rows = Sequence[Mapping[str, Any]]


def add_batches(app: FastAPI, backend: Backend) -> None:
    """Add the calls to ``app``."""
    _add_rows(app, backend)
    _add_feeders(app, backend)
    _add_files(app, backend)


def _add_rows(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/jobs/{job_id:id}/rows",
        tags=["jobs"],
        summary="Rows of a batch that are there by now",
        responses={200: response_of("The next rows", reference("BatchPage"))},
    )
    def get_batch_rows(
        principal: _Staff, job_id: JobId, cursor: Cursor = None, limit: Limit = PAGE_ROWS
    ) -> JSONResponse:
        """In the order of the requests, also while the job runs: ask again with ``next_cursor`` until it is null."""
        after = read_cursor(cursor, int)
        start = 0 if after is None else max(0, int(after[0]))
        job, rows = _find(backend, principal, job_id)
        end = min(start + limit, max(start, len(rows)))
        is_all = job.state in ENDED and end >= len(rows)
        page = BatchPage(
            items=[BatchRowView.model_validate(row) for row in rows[start:end]],
            total=len(rows),
            next_cursor=None if is_all else write_cursor(end),
        )
        return JSONResponse(page.model_dump(mode="json"))


def _add_feeders(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/jobs/{job_id:id}/feeders",
        tags=["jobs"],
        summary="What a batch takes of each feeder, against what is open there",
        responses={200: response_of("The feeders", reference("FeederDemands"))},
    )
    def get_batch_feeders(principal: _Staff, job_id: JobId) -> JSONResponse:
        """First variants added up, each answered as if it came alone; what is open is the ledger's account of the
        feeder as it stands now, without the requests of the batch."""
        _, rows = _find(backend, principal, job_id)
        placed = [row for row in rows if row["feeder_id"] is not None and row["capacity_kva"] is not None]
        open_va = backend.admission.find_open({_account_of(row["feeder_id"]) for row in placed})
        demands = FeederDemands(
            items=_demands(placed, open_va),
            elsewhere_count=sum(row["scheme_id"] is not None and row["feeder_id"] is None for row in rows),
        )
        return JSONResponse(demands.model_dump(mode="json"))


def _add_files(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/jobs/{job_id:id}/rows/{form:id}",
        tags=["jobs"],
        summary="Rows of a batch as a file",
        responses={
            200: {
                "description": "The file",
                "content": {
                    XLSX_MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}},
                    _CSV: {"schema": {"type": "string"}},
                    _GEOJSON: {"schema": {"type": "object"}},
                },
            }
        },
        response_class=Response,
    )
    def get_batch_file(principal: _Staff, job_id: JobId, form: _Form) -> Response:
        """Rows without a place stand in the tables and have no geometry on the map."""
        from api.batch_report import batch_features, batch_sheets
        from scheme.publication.spreadsheet import to_csv, to_xlsx

        _, rows = _find(backend, principal, job_id)
        if form == "geojson":
            content, media_type = json.dumps(batch_features(rows), ensure_ascii=False).encode(), _GEOJSON
        elif form == "xlsx":
            content, media_type = to_xlsx(batch_sheets(rows)), XLSX_MEDIA_TYPE
        else:
            content, media_type = to_csv(batch_sheets(rows)), _CSV
        place = {"Content-Disposition": f'attachment; filename="{job_id}.{form}"'}
        return Response(content, headers=place, media_type=media_type)


def _find(backend: Backend, principal: Principal, job_id: str) -> tuple[Job, Rows]:
    owner_id = None if "operator" in principal.roles else principal.subject_id
    job, rows = backend.jobs.find_results(job_id, owner_id=owner_id, step=STEP)
    if job.kind != _KIND:
        raise NotFoundError("this job is no batch", job_id=job_id)
    return job, rows


def _account_of(feeder_id: str) -> str:
    return f"feeder:{feeder_id}"


def _demands(rows: Rows, open_va: Mapping[str, int | None]) -> list[FeederDemandView]:
    by_feeder: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_feeder[row["feeder_id"]].append(row)
    found = []
    for feeder_id, own in by_feeder.items():
        asked_kva = sum(row["capacity_kva"] for row in own)
        left_va = open_va.get(_account_of(feeder_id))
        open_kva = None if left_va is None else left_va / VA_PER_KVA
        found.append(
            FeederDemandView(
                feeder_id=feeder_id,
                name=own[0]["feeder"],
                request_count=len(own),
                asked_kva=asked_kva,
                open_kva=open_kva,
                is_over=None if open_kva is None else asked_kva > open_kva,
            )
        )
    return sorted(found, key=lambda one: (-one.asked_kva, one.feeder_id))
