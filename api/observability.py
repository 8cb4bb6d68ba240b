"""What the service tells of itself: one log line an exchange, metrics, and faults without their inside.

A line holds no personal data: the route's template instead of the path, the principal's id, never a body, a name or a
coordinate. Of a fault it holds the kind and the places in the source, not the message, which may quote what was sent.
"""

from __future__ import annotations

import re
import secrets
import sys
import time
import traceback
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_fastapi_instrumentator import Instrumentator
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import internal_problem

if TYPE_CHECKING:
    from fastapi import FastAPI

REQUEST_ID_HEADER = "X-Request-Id"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_NO_ROUTE = "(none)"
_PLACES_SHOWN = 8
_LOG = structlog.get_logger("gridscheme.http")


def configure_logs() -> None:
    """Write structured logs as JSON lines to stderr, unless somebody configured them already."""
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )


def instrument(app: FastAPI) -> CollectorRegistry:
    """Count and time the requests of ``app`` by route template; return where the figures are."""
    registry = CollectorRegistry()
    Instrumentator(should_group_status_codes=False, registry=registry).instrument(app)
    return registry


def metrics_text(registry: CollectorRegistry) -> bytes:
    """Return the figures in Prometheus' text format."""
    return generate_latest(registry)


class Observed:
    """ASGI middleware: gives every exchange an id, writes its log line, and answers what nobody expected with 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = request_id = _request_id(scope)
        start = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            state["fault"] = error
            if status:  # half an answer is out; the server breaks the connection
                raise
            await internal_problem()(scope, receive, send_with_id)
        finally:
            _write_line(scope, status, time.perf_counter() - start)


def write_late_fault(scope: Scope, fault: BaseException) -> None:
    """Log a fault that came after the exchange it belongs to was over."""
    facts = {"request_id": scope["state"]["request_id"], "route": getattr(scope.get("route"), "path_format", _NO_ROUTE)}
    _LOG.error("fault", **facts, fault=type(fault).__name__, code=getattr(fault, "code", None), places=_places(fault))


def _request_id(scope: Scope) -> str:
    """Return the id the client gave where it is harmless, else a new one."""
    given = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
    return given if _REQUEST_ID.fullmatch(given) else f"req_{secrets.token_hex(12)}"


def _write_line(scope: Scope, status: int, duration_s: float) -> None:
    state = scope["state"]
    principal, fault = state.get("principal"), state.get("fault")
    facts = {
        "request_id": state["request_id"],
        "method": scope["method"],
        "route": getattr(scope.get("route"), "path_format", _NO_ROUTE),
        "status": status,
        "duration_s": round(duration_s, 6),
        "principal_id": getattr(principal, "subject_id", None),
    }
    if fault is None:
        _LOG.info("exchange", **facts)
        return
    _LOG.error("fault", **facts, fault=type(fault).__name__, code=getattr(fault, "code", None), places=_places(fault))


def _places(fault: BaseException) -> list[str]:
    frames = traceback.extract_tb(fault.__traceback__)[-_PLACES_SHOWN:]
    return [f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno} {frame.name}" for frame in frames]
