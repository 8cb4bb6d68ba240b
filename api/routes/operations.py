"""Is the service there, can it work, what does it count."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from api.access import ROLES, Principal, allow
from api.errors import problem
from api.observability import metrics_text
from api.openapi import Schema, add_schemas, reference, response_of
from api.routes.backend import Backend
from api.services import product_version
from gridmodel.errors import DomainError


def add_operations(app: FastAPI, backend: Backend) -> None:
    """Add the calls about the service itself to ``app``."""
    add_schemas(app, {"Session": _SESSION})
    _add_open(app)
    _add_session(app)
    _add_readiness(app, backend)
    _add_figures(app, backend)


def _add_open(app: FastAPI) -> None:
    alive: dict[int | str, Schema] = {200: response_of("The process is alive", reference("Alive"))}

    @app.get("/health", tags=["operations"], summary="Is the service alive", responses=alive)
    def health() -> JSONResponse:
        """Answers 200 while the process is alive; whether it can work is ``/readyz``."""
        return JSONResponse({"status": "ok"})

    @app.get("/healthz", tags=["operations"], summary="Is the service alive (for supervisors)", responses=alive)
    def healthz() -> JSONResponse:
        """The same as ``/health``."""
        return JSONResponse({"status": "ok"})


def _add_readiness(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/readyz",
        tags=["operations"],
        summary="Can the service work",
        responses={200: response_of("The store answers and a network has been imported", reference("Alive"))},
    )
    def readyz(principal: Annotated[Principal, allow("public")]) -> Response:
        """503 while the store does not answer or nothing has been imported."""
        if backend.services.store.find_current_sha256() is None:
            return problem(503, code="snapshot.missing", title="no network has been imported yet")
        return JSONResponse({"status": "ok"})


def _add_session(app: FastAPI) -> None:
    @app.get(
        "/v1/session",
        tags=["operations"],
        summary="Who is asking, and what that person may do",
        responses={200: response_of("Subject and roles", reference("Session"))},
    )
    def get_session(principal: Annotated[Principal, allow(*ROLES)]) -> JSONResponse:
        """A page asks this to know what to offer; whoever shows no key or token is ``anonymous``."""
        roles = [role for role in ROLES if role in principal.roles]
        return JSONResponse({"subject_id": principal.subject_id, "name": principal.name, "roles": roles})


def _add_figures(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/status",
        tags=["operations"],
        summary="Version, store and snapshot",
        responses={200: response_of("What the service works with", reference("Status"))},
    )
    def get_status(principal: Annotated[Principal, allow("operator", "engineer", "planner")]) -> JSONResponse:
        """Answers while the store is away, too: ``store`` says so."""
        services = backend.services
        found: dict[str, Any] = {"store": "ok", "snapshot_sha256": None}
        try:
            found["snapshot_sha256"] = services.store.find_current_sha256()
        except DomainError as error:
            found["store"] = error.code
        return JSONResponse({"status": "ok", "version": product_version(), "profile": services.profile, **found})

    @app.get(
        "/metrics",
        tags=["operations"],
        summary="Counts and times of the requests",
        responses={200: response_of("Prometheus' text format", {"type": "string"}, "text/plain")},
    )
    def get_metrics(principal: Annotated[Principal, allow("operator")]) -> Response:
        """By route template, method and status; of this process alone."""
        return Response(metrics_text(backend.metrics), headers={"Content-Type": CONTENT_TYPE_LATEST})


_SESSION: Schema = {
    "type": "object",
    "properties": {
        "subject_id": {"type": "string"},
        "name": {"type": "string", "description": "for people to read; never decides anything"},
        "roles": {"type": "array", "items": {"enum": list(ROLES)}},
    },
    "required": ["subject_id", "name", "roles"],
    "additionalProperties": False,
}
