"""Long work over HTTP: start it, watch it (server-sent events), stop it. Only who started a job is shown it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Path, Request, Response
from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.access import Principal, Role, allow
from api.access.errors import ForbiddenError
from api.inputs import (
    JSON_MEDIA_TYPE,
    KEY_HEADER,
    PAGE_ROWS,
    Cursor,
    IdempotencyKey,
    Limit,
    body_reader,
    parse_body,
)
from api.jobs.durable import DurableJobs
from api.jobs.kinds import KINDS
from api.jobs.records import ENDED, Job
from api.openapi import reference, response_of
from api.routes.backend import Backend
from api.routes.cursors import page_of, read_cursor, write_cursor
from api.uploads import ENDINGS, UPLOAD_CONTENT, UploadBody, UploadName
from api.views import JobLine, JobPage, UploadView, to_rfc3339
from scheme.request import StrictRecord

BODY_BYTES_MAX = 8 * 2**20
_EVENTS_EVERY_S = 0.5
_ROLES: tuple[Role, ...] = ("engineer", "planner", "operator")

JobId = Annotated[str, Path(pattern=r"^job_[0-9a-f]{32}$", description="as the answer named it")]
_Body = Annotated[bytes, Depends(body_reader(BODY_BYTES_MAX, JSON_MEDIA_TYPE))]
_Staff = Annotated[Principal, allow(*_ROLES)]
_JOB = reference("JobLine")


def _find_own(principal: _Staff, request: Request, job_id: JobId) -> Job:
    """Found before the stream begins, so that a job of somebody else is refused with its own status."""
    jobs: DurableJobs = request.app.state.jobs
    return jobs.get(job_id, owner_id=_owner(principal))


_OwnJob = Annotated[Job, Depends(_find_own)]


class JobRequest(StrictRecord):
    """What is to be done."""

    kind: Literal["check", "import", "capacity", "schemes", "publication", "ledger_audit"]
    arguments: dict[str, Any]


def add_jobs(app: FastAPI, backend: Backend) -> None:
    """Add the calls about long work to ``app``."""
    _add_upload(app, backend)
    _add_start(app, backend.jobs)
    _add_cancel(app, backend.jobs)
    _add_reads(app, backend.jobs)
    _add_events(app, backend.jobs)


def _add_upload(app: FastAPI, backend: Backend) -> None:
    @app.post(
        "/v1/uploads",
        tags=["jobs"],
        status_code=201,
        summary="Hand in a network for a job of the kind import",
        responses={201: response_of("The upload", reference("UploadView"))},
        response_class=Response,
        openapi_extra={"parameters": [KEY_HEADER], "requestBody": {"required": True, "content": UPLOAD_CONTENT}},
    )
    def create_upload(
        principal: Annotated[Principal, allow("engineer", "operator")],
        request: Request,
        body: UploadBody,
        key: IdempotencyKey,
        name: UploadName = "upload",
    ) -> Response:
        """Kept until the job has read it; read by nobody but who handed it in."""
        from scheme.jobs.uploads import keep_upload

        media_type = request.headers["content-type"].partition(";")[0].strip().lower()
        kept = keep_upload(
            backend.services.store,
            owner_id=principal.subject_id,
            name=f"{name}{ENDINGS[media_type]}",
            content=body,
            idempotency_key=key,
        )
        return JSONResponse(UploadView(upload_id=kept.upload_id, sha256=kept.sha256).model_dump(), 201)


def _add_start(app: FastAPI, jobs: DurableJobs) -> None:
    @app.post(
        "/v1/jobs",
        tags=["jobs"],
        status_code=202,
        summary="Start long work",
        responses={202: response_of("The job, queued", _JOB)},
        response_class=Response,
        openapi_extra={
            "parameters": [KEY_HEADER],
            "requestBody": {
                "required": True,
                "content": {
                    JSON_MEDIA_TYPE: {
                        "schema": reference("JobRequest"),
                        "example": {"kind": "capacity", "arguments": {"confirm": "sample"}},
                    }
                },
            },
        },
    )
    def start_job(principal: _Staff, body: _Body, key: IdempotencyKey) -> Response:
        """``check`` says what an upload would change, ``import`` makes it the current network, ``capacity`` computes
        every node, ``schemes`` answers requests one by one, ``publication`` drafts the public map, ``ledger_audit``
        looks at every promise. The work goes on when the client goes away, and is taken up again after a crash. The
        same key returns the same job."""
        asked = parse_body(JobRequest, body)
        job = jobs.submit(
            asked.kind,
            asked.arguments,
            owner_id=principal.subject_id,
            role=_role_for(principal, asked.kind),
            idempotency_key=key,
        )
        return JSONResponse(plain(job), 202, headers={"Location": f"/v1/jobs/{job.job_id}"})


def _add_cancel(app: FastAPI, jobs: DurableJobs) -> None:
    @app.post(
        "/v1/jobs/{job_id:id}:cancel",
        tags=["jobs"],
        summary="Stop a job before its next step",
        responses={200: response_of("The job", _JOB)},
        response_class=Response,
    )
    def cancel_job(principal: _Staff, job_id: JobId) -> Response:
        """What its finished steps did stays. 409 where the job has ended."""
        return JSONResponse(plain(jobs.cancel(job_id, owner_id=_owner(principal))))


def _add_reads(app: FastAPI, jobs: DurableJobs) -> None:
    @app.get(
        "/v1/jobs",
        tags=["jobs"],
        summary="Jobs, newest first",
        responses={200: response_of("One page of jobs", reference("JobPage"))},
        response_class=Response,
    )
    def list_jobs(principal: _Staff, cursor: Cursor = None, limit: Limit = PAGE_ROWS) -> Response:
        """An operator is shown everybody's, the others their own. Lists of a result are left out here: the job itself
        has them."""
        after = read_cursor(cursor, int)
        start = 0 if after is None else max(0, int(after[0]))
        rows, has_more = page_of(jobs.find(owner_id=_owner(principal), limit=limit + 1, offset=start), limit)
        page = JobPage(
            jobs=[JobLine.model_validate(_without_lists(plain(job))) for job in rows],
            next_cursor=write_cursor(start + limit) if has_more else None,
        )
        return JSONResponse(page.model_dump(mode="json"))

    @app.get(
        "/v1/jobs/{job_id:id}",
        tags=["jobs"],
        summary="How far a job is",
        responses={200: response_of("The job", _JOB)},
        response_class=Response,
    )
    def get_job(principal: _Staff, job_id: JobId) -> Response:
        return JSONResponse(plain(jobs.get(job_id, owner_id=_owner(principal))))


def _add_events(app: FastAPI, jobs: DurableJobs) -> None:
    app.state.jobs = jobs

    @app.get(
        "/v1/jobs/{job_id:id}/events",
        tags=["jobs"],
        summary="Progress of a job as server-sent events",
        response_class=EventSourceResponse,
    )
    async def watch_job(principal: _Staff, job: _OwnJob) -> AsyncIterator[ServerSentEvent]:
        """Events ``progress``, then one ``end``; each holds the job as ``GET /v1/jobs/{job_id}`` shows it."""
        sent: dict[str, Any] | None = None
        while True:
            shown = plain(job)
            if shown != sent:
                sent = shown
                yield ServerSentEvent(data=shown, event="end" if job.state in ENDED else "progress")
            if job.state in ENDED:
                return
            await asyncio.sleep(_EVENTS_EVERY_S)
            job = await asyncio.to_thread(jobs.get, job.job_id, owner_id=_owner(principal))


def plain(job: Job) -> dict[str, Any]:
    """Return the JSON form of a job."""
    times = {name: to_rfc3339(getattr(job, name)) for name in ("created_at", "updated_at")}
    return JobLine.model_validate({**asdict(job), **times}).model_dump(mode="json")


def _without_lists(job: dict[str, Any]) -> dict[str, Any]:
    result = job["result"]
    kept = None if result is None else {name: part for name, part in result.items() if not isinstance(part, list)}
    return {**job, "result": kept}


def _owner(principal: Principal) -> str | None:
    return None if "operator" in principal.roles else principal.subject_id


def _role_for(principal: Principal, kind: str) -> Role:
    """Return the role in which the principal may start this kind of job.

    Raises:
        ForbiddenError: There is none.
    """
    for role in KINDS[kind].roles:
        if role in principal.roles:
            return role
    allowed = ", ".join(KINDS[kind].roles)
    raise ForbiddenError("none of the roles of this key or token allows this", allowed=allowed)
