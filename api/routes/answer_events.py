"""An answer as server-sent events: how far it is, then the answer or the problem, for who waits before a screen.

The work goes on in a thread of its own: who goes away finds the answer under the same key.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event

from api.errors import STATUS_BY_CODE, internal_problem, on_domain_error
from api.observability import write_late_fault
from api.openapi import Schema, response_of
from api.services import Answer, Progress, Stage, TellStage
from api.views import AnswerProgressView
from gridmodel.errors import DomainError

EVENTS = "text/event-stream"
_JSON = "application/json"
_LOOK_EVERY_S = 0.1
_LOOKS_BETWEEN_SIGNS_OF_LIFE = 100
_ANSWERS_WAITING = 8
"""Threads; answers are worked out one after the other, and who waits for the turn holds one."""

Work = Callable[[Progress, TellStage], Answer]


def events_response(item: Schema) -> dict[str, Any]:
    """Return the description of the second form of the answer.

    Args:
        item: What the event ``progress`` holds.
    """
    described = response_of(
        "Only for `Accept: text/event-stream`, and sent before the outcome is known: events `progress`, then one "
        "`answer` with the body of 201, or one `problem` with a problem document",
        {"type": "string"},
        EVENTS,
    )
    data = {"type": "string", "contentMediaType": _JSON, "contentSchema": item}
    event: Schema = {"enum": ["progress", "answer", "problem"]}
    properties = {"event": event, "data": data}
    described["content"][EVENTS] = {"itemSchema": {"type": "object", "properties": properties, "required": ["data"]}}
    return described


def wants_events(accept: str) -> bool:
    """Return whether a client names server-sent events and does not like JSON as well or better (RFC 9110, 12.5.1)."""
    weights = dict(reversed([_weighed(part) for part in accept.split(",")]))
    return weights.get(EVENTS, 0.0) > weights.get(_JSON, 0.0)


def _weighed(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    given = [piece[2:] for piece in parameters if piece.startswith("q=")]
    is_number = bool(given) and given[0].replace(".", "", 1).isdecimal()
    return name, float(given[0]) if is_number else 1.0


@dataclass(kw_only=True)
class _Told:
    """How far a work is; written by its thread, read by the one that sends."""

    what: Stage = "queued"
    done: int = 0
    total: int | None = None
    is_watched: bool = True

    def count(self, done: int, total: int) -> None:
        self.done, self.total = done, total

    def enter(self, stage: Stage) -> None:
        self.what, self.done, self.total = stage, 0, None

    def view(self) -> AnswerProgressView:
        return AnswerProgressView(done=self.done, total=self.total, what=self.what)


class AnswerEvents:
    """Carries out works and sends how far they are."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_ANSWERS_WAITING, thread_name_prefix="answer")

    def respond(self, request: Request, work: Work) -> EventSourceResponse:
        """Start ``work`` and return what tells of it; it ends whether somebody listens or not."""
        told = _Told()
        future = self._threads.submit(work, told.count, told.enter)
        future.add_done_callback(lambda ended: _keep_late_fault(request, told, ended))
        return EventSourceResponse(_events(request, told, future), headers={"X-Accel-Buffering": "no"})


async def _events(request: Request, told: _Told, future: Future[Answer]) -> AsyncIterator[bytes]:
    try:
        sent, looks = None, 0
        while not future.done():
            shown = told.view()
            if shown != sent:
                sent, looks = shown, 0
                yield format_sse_event(event="progress", data_str=shown.model_dump_json())
            elif looks >= _LOOKS_BETWEEN_SIGNS_OF_LIFE:
                looks = 0
                yield KEEPALIVE_COMMENT
            looks += 1
            await asyncio.sleep(_LOOK_EVERY_S)
        yield _last_event(request, future)
    finally:
        told.is_watched = False


def _last_event(request: Request, future: Future[Answer]) -> bytes:
    error = future.exception()
    if error is None:
        answer = future.result().told
        assert answer is not None, "who asks is told"
        return format_sse_event(event="answer", data_str=answer.body.decode())
    if isinstance(error, DomainError):
        response = on_domain_error(request, error)
    else:
        request.scope.setdefault("state", {})["fault"] = error
        response = internal_problem()
    return format_sse_event(event="problem", data_str=bytes(response.body).decode())


def _keep_late_fault(request: Request, told: _Told, ended: Future[Answer]) -> None:
    error = ended.exception()
    is_expected = error is None or (isinstance(error, DomainError) and error.code in STATUS_BY_CODE)
    if error is not None and not is_expected and not told.is_watched:
        write_late_fault(request.scope, error)
