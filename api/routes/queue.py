"""The engineer's queue (待办申请): cases with what is left of their time limit; handing one to joint work."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter

from api.access import Principal, allow
from api.inputs import (
    JSON_MEDIA_TYPE,
    KEY_HEADER,
    PAGE_ROWS,
    Cursor,
    IdempotencyKey,
    JsonBody,
    Limit,
    SchemeId,
    parse_body,
)
from api.openapi import add_schemas, reference, response_of
from api.openapi_schemas import REF
from api.queue_views import HandOverView, QueueItem, QueuePage, UrgencyCounts
from api.routes.backend import Backend
from api.routes.cursors import page_of, read_cursor, write_cursor
from api.routes.writes import actor_of, claim_of, json_answer
from scheme.hand_over import HandOver, hand_over
from scheme.model import Verdict
from scheme.queue import Queue, QueueFilter, Sort, StateFilter, place_of
from scheme.request import StrictRecord, Text
from scheme.rules.urgency import Urgency

_Engineer = Annotated[Principal, allow("engineer")]
_HAND_OVER = "/v1/schemes/{scheme_id:id}:hand-over"
_Search = Annotated[
    str | None,
    Query(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$", description="stands in applicant, request or scheme"),
]


class HandOverStep(StrictRecord):
    """Why a case goes to joint work, and who goes on with it."""

    reason: Text
    department: Text | None = None


def add_queue(app: FastAPI, backend: Backend) -> None:
    """Add the calls about the queue to ``app``."""
    views: list[tuple[Any, Literal["validation", "serialization"]]] = [
        (QueuePage, "serialization"), (HandOverStep, "validation")
    ]  # fmt: skip
    for model, mode in views:
        schema = TypeAdapter(model).json_schema(mode=mode, ref_template=REF)
        add_schemas(app, {**schema.pop("$defs", {}), model.__name__: schema})
    _add_list(app, backend)
    _add_case(app, backend)
    _add_hand_over(app, backend)


def _queue(backend: Backend) -> Queue:
    services = backend.services
    return Queue(services.clock(), services.load_policy())


def _add_list(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/queue",
        tags=["queue"],
        summary="Cases, those whose time limit ends first at the top",
        responses={200: response_of("One page of cases", reference("QueuePage"))},
    )
    def get_queue(
        principal: _Engineer,
        state: Annotated[
            StateFilter | None, Query(description="of its last hold; ``open``: the time limit runs")
        ] = None,
        verdict: Annotated[Verdict | None, Query()] = None,
        urgency: Annotated[Urgency | None, Query()] = None,
        q: _Search = None,
        sort: Annotated[Sort, Query(description="``urgent``: by the last day of the limit")] = "urgent",
        cursor: Cursor = None,
        limit: Limit = PAGE_ROWS,
    ) -> JSONResponse:
        """A scheme that was never issued is left out once its request was answered again. ``counts`` are of all pages,
        whatever ``urgency`` is asked for; working days are those of the legal calendar."""
        after = read_cursor(cursor, int, str, str, str)
        wanted = QueueFilter(state=state, verdict=verdict, urgency=urgency, text=q)
        place = None if after is None else (int(after[0]), str(after[1]), str(after[2]), str(after[3]))
        queue = _queue(backend)
        with backend.services.store.read() as connection:
            found = queue.list_page(connection, wanted, sort=sort, after=place, limit=limit + 1)
            counts = queue.count(connection, wanted)
        rows, has_more = page_of(found, limit)
        page = QueuePage(
            as_of=backend.services.clock().isoformat(),
            counts=UrgencyCounts(**counts),
            items=[QueueItem.of(row) for row in rows],
            next_cursor=write_cursor(*place_of(rows[-1])) if has_more else None,
        )
        return JSONResponse(page.model_dump(mode="json"))


def _add_case(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/queue/{scheme_id:id}",
        tags=["queue"],
        summary="One case",
        responses={200: response_of("The case", reference("QueueItem"))},
    )
    def get_case(principal: _Engineer, scheme_id: SchemeId) -> JSONResponse:
        """State, hold, time limit and handing over of a scheme."""
        with backend.services.store.read() as connection:
            row = _queue(backend).get(connection, scheme_id)
        return JSONResponse(QueueItem.of(row).model_dump(mode="json"))


def _add_hand_over(app: FastAPI, backend: Backend) -> None:
    example = {"reason": "所在台区改造未立项", "department": "发展"}
    content = {JSON_MEDIA_TYPE: {"schema": reference("HandOverStep"), "example": example}}

    @app.post(
        _HAND_OVER,
        tags=["queue"],
        summary="Hand a case to joint work (转专业联动)",
        responses={200: response_of("The handing over", reference("HandOverView"))},
        response_class=Response,
        openapi_extra={"parameters": [KEY_HEADER], "requestBody": {"required": True, "content": content}},
    )
    def hand_over_scheme(
        principal: _Engineer, request: Request, scheme_id: SchemeId, body: JsonBody, key: IdempotencyKey
    ) -> Response:
        """409 where the scheme is issued, which has to be withdrawn first, and where it was handed over before. A case
        in joint work is not issued; its request can be answered again."""
        asked = parse_body(HandOverStep, body)
        actor = actor_of(principal, request, "engineer")
        claim = claim_of(actor, _HAND_OVER, key, {"scheme_id": scheme_id, **asked.model_dump(mode="json")})

        def work() -> None:
            hand_over(
                backend.services.store,
                scheme_id,
                reason=asked.reason,
                department=asked.department,
                actor=actor,
                claim=claim,
                answer=lambda made: json_answer(200, _json(made)),
            )

        return backend.writes.carry_out(claim, work)


def _json(made: HandOver) -> bytes:
    return HandOverView.of(made).model_dump_json().encode()
