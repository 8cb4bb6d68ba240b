"""Errors as RFC 9457 problem details: one table from error code to HTTP status, one shape for every refusal."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gridmodel.errors import DomainError

STATUS_BY_CODE: Mapping[str, int] = {
    "input.invalid": 422,
    "not_found": 404,
    "request.idempotency_conflict": 422,
    "request.idempotency_key": 400,
    "request.media_type": 415,
    "snapshot.missing": 409,
    "capacity.not_ready": 503,
    "grid.no_convergence": 409,
    "scheme.policy_not_in_force": 409,
    "store.unavailable": 503,
}
"""Codes that are not listed are faults of the service: 500."""

RETRY_AFTER_S = 5
_LOG = logging.getLogger(__name__)


class IdempotencyKeyError(DomainError):
    """The idempotency key is missing or malformed."""

    code = "request.idempotency_key"


class MediaTypeError(DomainError):
    """The body is not declared as JSON."""

    code = "request.media_type"


def problem(
    status: int, *, code: str, title: str, context: Mapping[str, object] | None = None, detail: str | None = None
) -> JSONResponse:
    """Return an RFC 9457 response."""
    body: dict[str, object] = {"type": f"/errors/{code}", "title": title, "status": status, "code": code}
    if detail is not None:
        body["detail"] = detail
    known = {name: value for name, value in (context or {}).items() if value is not None}
    if known:
        body["context"] = known
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else None
    return JSONResponse(body, status, headers=headers, media_type="application/problem+json")


def install_error_handlers(app: FastAPI) -> None:
    """Make every error of ``app`` a problem document."""
    app.add_exception_handler(DomainError, _on_domain_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(Exception, _on_fault)


def _on_domain_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DomainError)
    status = STATUS_BY_CODE.get(error.code, 500)
    if status == 500:
        _LOG.error("request failed", extra={"code": error.code}, exc_info=error)
    return problem(status, code=error.code, title=error.message, context=error.context)


def _on_http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    response = problem(error.status_code, code=f"http.{error.status_code}", title=str(error.detail))
    response.headers.update(error.headers or {})
    return response


def _on_validation_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return problem(422, code="input.invalid", title=f"{place}: {first['msg']}", context={"field": place})


def _on_fault(_request: Request, error: Exception) -> JSONResponse:
    _LOG.error("unexpected fault", exc_info=error)
    return problem(500, code="internal", title="the service made a mistake; nothing was stored")
