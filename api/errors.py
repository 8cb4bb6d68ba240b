"""Errors as RFC 9457 problem details: one table from error code to HTTP status, one shape for every refusal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from gridmodel.errors import DomainError, InputError
from scheme.request import FieldsError

STATUS_BY_CODE: Mapping[str, int] = {
    "input.invalid": 422,
    "not_found": 404,
    "request.idempotency_conflict": 422,
    "request.idempotency_key": 400,
    "request.json": 400,
    "request.media_type": 415,
    "request.not_acceptable": 406,
    "request.too_large": 413,
    "hours.none": 404,
    "snapshot.missing": 409,
    "snapshot.moved": 409,
    "capacity.not_ready": 503,
    "grid.no_convergence": 409,
    "grid.engine_disagreement": 409,
    "scheme.policy_not_in_force": 409,
    "admission.not_issuable": 409,
    "admission.certificate_refused": 409,
    "admission.concurrent": 409,
    "publication.state": 409,
    "publication.leak": 409,
    "publication.second_person": 403,
    "store.unavailable": 503,
    "scheme.owner_conflict": 409,
    "scheme.handed_over": 409,
    "application.site_fixed": 409,
    "application.too_many": 409,
    "project.exists": 409,
    "project.stage": 409,
    "project.moved": 409,
    "project.conversion_refused": 409,
    "scenario.archived": 409,
    "scenario.moved": 409,
    "assessment.not_done": 409,
    "request.in_progress": 409,
    "ledger.capacity_exhausted": 409,
    "ledger.hold_state": 409,
    "ledger.pins_moved": 409,
    "ledger.clock_jump": 503,
    "job.ended": 409,
}
"""Codes that are not listed are faults of the service: 500."""

RETRY_CODES = frozenset({"snapshot.moved", "request.in_progress", "ledger.pins_moved", "admission.concurrent"})
"""Conflicts that pass by themselves: the same request may succeed when it is sent again."""

_OUTSIDER_TITLES: Mapping[str, str] = {
    "snapshot.missing": "the service is not ready",
    "snapshot.moved": "the service is busy; send the same request again",
    "capacity.not_ready": "the service is not ready",
    "grid.no_convergence": "the request cannot be answered now; the utility looks into it",
    "grid.engine_disagreement": "the request cannot be answered now; the utility looks into it",
    "store.unavailable": "the service is busy; send the same request again",
    "scheme.owner_conflict": "the request cannot be answered under this number; choose another request_id",
}
"""What customers are told instead of messages that may name elements, files or figures of the grid."""

OGC_TAG = "ogc"
"""Routes under this tag answer a wrong parameter with 400, as OGC API - Features Part 1, 7.5 asks."""

RETRY_AFTER_S = 5
ERRORS_MAX = 50
"""A body may have any number of wrong fields."""
PROBLEM_MEDIA_TYPE = "application/problem+json"


class IdempotencyKeyError(DomainError):
    """The idempotency key is missing or malformed."""

    code = "request.idempotency_key"


class JsonTextError(DomainError):
    """The body is not a JSON text in UTF-8 with each key once, finite numbers and a bounded depth."""

    code = "request.json"


class MediaTypeError(DomainError):
    """The body is not declared as what the operation takes."""

    code = "request.media_type"


class NotAcceptableError(DomainError):
    """The client takes none of the media types the operation answers with."""

    code = "request.not_acceptable"


class TooLargeError(DomainError):
    """The body is larger than the operation takes."""

    code = "request.too_large"


class ProblemResponse(JSONResponse):
    """One problem document. A refused value may hold what UTF-8 cannot carry (lone surrogates); it is replaced."""

    media_type = PROBLEM_MEDIA_TYPE

    def render(self, content: object) -> bytes:
        return json.dumps(content, ensure_ascii=False, default=str).encode("utf-8", "replace")


def problem(
    status: int,
    *,
    code: str,
    title: str,
    context: Mapping[str, object] | None = None,
    detail: str | None = None,
    must_retry: bool = False,
    errors: Sequence[Mapping[str, str]] = (),
) -> ProblemResponse:
    """Return an RFC 9457 response; ``must_retry`` tells the client when to come again, as every 503 does; ``errors``
    names every wrong field of a body."""
    body: dict[str, object] = {"type": f"/errors/{code}", "title": title, "status": status, "code": code}
    if detail is not None:
        body["detail"] = detail
    known = {name: value for name, value in (context or {}).items() if value is not None}
    if known:
        body["context"] = known
    if errors:
        body["errors"] = list(errors)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 or must_retry else None
    return ProblemResponse(body, status, headers=headers)


def install_error_handlers(app: FastAPI) -> None:
    """Make every error of ``app`` a problem document; faults nobody expected are :mod:`api.observability`'s."""
    app.add_exception_handler(DomainError, on_domain_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)


def on_domain_error(request: Request, error: Exception) -> ProblemResponse:
    """Return an expected error as who asked may read it; one that is not in the table is a fault."""
    assert isinstance(error, DomainError)
    if error.code not in STATUS_BY_CODE:
        request.scope.setdefault("state", {})["fault"] = error
        return internal_problem()
    principal = getattr(request.state, "principal", None)
    is_staff = principal is not None and principal.is_staff
    told = None if is_staff else _for_outsiders(error)
    return told or problem_of(error, status=_status_for(request, STATUS_BY_CODE[error.code]))


def problem_of(error: DomainError, *, status: int | None = None) -> ProblemResponse:
    """Return an expected error as a problem document."""
    return problem(
        STATUS_BY_CODE[error.code] if status is None else status,
        code=error.code,
        title=error.message,
        context=error.context,
        must_retry=error.code in RETRY_CODES,
        errors=error.faults[:ERRORS_MAX] if isinstance(error, FieldsError) else (),
    )


def _for_outsiders(error: DomainError) -> ProblemResponse | None:
    """Return what a customer may read where the error itself may tell of the grid; ``None`` where it does not."""
    title = _OUTSIDER_TITLES.get(error.code)
    context: Mapping[str, object] = {}
    if isinstance(error, InputError) and (error.context["field"] == "location" or error.context["file"] is not None):
        title, context = error.problem, {"field": error.context["field"]}
    if title is None:
        return None
    return problem(
        STATUS_BY_CODE[error.code],
        code=error.code,
        title=title,
        context=context,
        must_retry=error.code in RETRY_CODES,
    )


def internal_problem() -> ProblemResponse:
    """Return what is said of a fault of the service: nothing about its inside."""
    return problem(500, code="internal", title="the service made a mistake; nothing was stored")


def _on_http_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)
    response = problem(error.status_code, code=f"http.{error.status_code}", title=str(error.detail))
    response.headers.update(error.headers or {})
    if error.status_code == 405:
        response.headers["Allow"] = ", ".join(sorted(_methods_at(request)))
    return response


def _methods_at(request: Request) -> set[str]:
    """Return every method the path is served under; the framework names those of its first route only."""
    routes = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return {method for route in routes for method in getattr(route, "methods", None) or ()}


def _on_validation_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)
    first: Mapping[str, Any] = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return problem(
        _status_for(request, 422), code="input.invalid", title=f"{place}: {first['msg']}", context={"field": place}
    )


def _status_for(request: Request, status: int) -> int:
    is_ogc = OGC_TAG in getattr(request.scope.get("route"), "tags", ())
    return 400 if is_ogc and status == 422 else status
