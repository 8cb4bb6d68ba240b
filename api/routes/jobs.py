"""Long work over HTTP: start it, watch it (server-sent events), stop it. Only who started a job is shown it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Path, Query, Response
from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.access import Principal, allow
from api.access.errors import ForbiddenError
from api.inputs import JSON_MEDIA_TYPE, KEY_HEADER, PAGE_ROWS, IdempotencyKey, Limit, body_reader, parse_body
from api.jobs.durable import DurableJobs
from api.jobs.kinds import KINDS
from api.jobs.records import ENDED, Job
from api.openapi import reference, response_of
from scheme.request import StrictRecord

BODY_BYTES_MAX = 8 * 1024 * 1024
OFFSET_MAX = 100_000
_EVENTS_EVERY_S = 0.5

JobId = Annotated[str, Path(pattern=r"^job_[0-9a-f]{32}$", description="as the answer named it")]
_Body = Annotated[bytes, Depends(body_reader(BODY_BYTES_MAX, JSON_MEDIA_TYPE))]
_STARTERS = allow("engineer", "planner", "operator")


class JobRequest(StrictRecord):
    """What is to be done."""

    kind: Literal["import", "capacity", "schemes"]
    arguments: dict[str, Any]


def add_jobs(app: FastAPI, jobs: DurableJobs) -> None:
    """Add the calls to ``app``."""
    _add_writes(app, jobs)
    _add_reads(app, jobs)


def _add_writes(app: FastAPI, jobs: DurableJobs) -> None:
    @app.post(
        "/v1/jobs",
        status_code=202,
        summary="Start long work",
        responses={202: response_of("The job, queued", reference("Job"))},
        response_class=Response,
        openapi_extra={
            "parameters": [KEY_HEADER],
            "requestBody": {"required": True, "content": {JSON_MEDIA_TYPE: {"schema": reference("JobRequest")}}},
        },
    )
    def start_job(principal: Annotated[Principal, _STARTERS], body: _Body, key: IdempotencyKey) -> Response:
        """``import`` reads an upload, ``capacity`` computes every node, ``schemes`` answers requests one by one.

        The work goes on when the client goes away, and is taken up again after a crash.
        """
        asked = parse_body(JobRequest, body)
        _check_role(principal, asked.kind)
        job = jobs.submit(asked.kind, asked.arguments, owner_id=principal.subject_id, idempotency_key=key)
        return JSONResponse(plain(job), 202, headers={"Location": f"/v1/jobs/{job.job_id}"})

    @app.post(
        "/v1/jobs/{job_id}:cancel",
        summary="Stop a job before its next step",
        responses={200: response_of("The job", reference("Job"))},
        response_class=Response,
    )
    def cancel_job(principal: Annotated[Principal, _STARTERS], job_id: JobId) -> Response:
        """What its finished steps did stays. A job that has ended is refused with 409."""
        return JSONResponse(plain(jobs.cancel(job_id, owner_id=_owner(principal))))


def _add_reads(app: FastAPI, jobs: DurableJobs) -> None:
    def find_own(principal: Annotated[Principal, _STARTERS], job_id: JobId) -> Job:
        return jobs.get(job_id, owner_id=_owner(principal))

    @app.get(
        "/v1/jobs",
        summary="Jobs, newest first",
        responses={200: response_of("One page of jobs", reference("Jobs"))},
        response_class=Response,
    )
    def list_jobs(
        principal: Annotated[Principal, _STARTERS],
        limit: Limit = PAGE_ROWS,
        offset: Annotated[int, Query(ge=0, le=OFFSET_MAX, description="jobs to pass over")] = 0,
    ) -> Response:
        """An operator is shown everybody's, the others their own."""
        found = jobs.find(owner_id=_owner(principal), limit=limit, offset=offset)
        return JSONResponse({"jobs": [plain(job) for job in found]})

    @app.get(
        "/v1/jobs/{job_id}",
        summary="How far a job is",
        responses={200: response_of("The job", reference("Job"))},
        response_class=Response,
    )
    def get_job(principal: Annotated[Principal, _STARTERS], job_id: JobId) -> Response:
        return JSONResponse(plain(find_own(principal, job_id)))

    @app.get(
        "/v1/jobs/{job_id}/events",
        summary="Progress of a job as server-sent events",
        responses={200: {"description": "Events ``progress``, then one ``end``", "content": {"text/event-stream": {}}}},
        response_class=EventSourceResponse,
    )
    async def watch_job(
        principal: Annotated[Principal, _STARTERS], job: Annotated[Job, Depends(find_own)]
    ) -> AsyncIterator[ServerSentEvent]:
        """Each event holds the job as ``GET /v1/jobs/{job_id}`` shows it; the stream ends with the job."""
        sent: Mapping[str, Any] | None = None
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
    """Return the JSON form of a job; times in UTC (RFC 3339)."""
    times = {name: getattr(job, name).isoformat().replace("+00:00", "Z") for name in ("created_at", "updated_at")}
    return {**asdict(job), **times}


def _owner(principal: Principal) -> str | None:
    return None if "operator" in principal.roles else principal.subject_id


def _check_role(principal: Principal, kind: str) -> None:
    roles = KINDS[kind].roles
    if not principal.roles & set(roles):
        raise ForbiddenError("none of the roles of this key or token allows this", allowed=", ".join(roles))
