"""Refusals of access as problem details: 401, 403, 429 and 503; none of them says more than the caller knows."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from api.errors import RETRY_AFTER_S, problem
from gridmodel.errors import DomainError

REALM = "gridscheme"


class AccessError(DomainError):
    """Base of the refusals of access."""

    status = 403

    def headers(self) -> Mapping[str, str]:
        """Return the headers of the refusal."""
        return {}


class AuthenticationError(AccessError):
    """No credential, or one that does not hold.

    Args:
        message: What is wrong, without saying what exists.
        is_missing: Whether no credential was given at all.
    """

    code = "access.unauthenticated"
    status = 401

    def __init__(self, message: str, *, is_missing: bool = False) -> None:
        super().__init__(message)
        self._is_missing = is_missing

    def headers(self) -> Mapping[str, str]:
        challenge = f'Bearer realm="{REALM}"'
        return {"WWW-Authenticate": challenge if self._is_missing else f'{challenge}, error="invalid_token"'}


class ForbiddenError(AccessError):
    """Known who it is, but none of its roles may do this."""

    code = "access.forbidden"


class TooManyRequestsError(AccessError):
    """More than the limit of a window.

    Args:
        retry_after_s: Whole seconds until the next try can succeed.
    """

    code = "access.too_many_requests"
    status = 429

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("too many requests; try again later")
        self._retry_after_s = retry_after_s

    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(self._retry_after_s)}


class KeysUnavailableError(AccessError):
    """The identity provider's keys cannot be had, so that no token can be checked."""

    code = "access.keys_unavailable"
    status = 503

    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(RETRY_AFTER_S)}


def install_access_errors(app: FastAPI) -> None:
    """Make every refusal of access a problem document of ``app``."""
    app.add_exception_handler(AccessError, _on_access_error)


def _on_access_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AccessError)
    response = problem(error.status, code=error.code, title=error.message)
    response.headers.update(error.headers())
    return response
