"""Supply schemes (供电方案): answer a request, list, read the answer and its documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from api.access import Principal, allow
from api.asking import Asking
from api.inputs import (
    JSON_MEDIA_TYPE,
    KEY_HEADER,
    PAGE_ROWS,
    Cursor,
    IdempotencyKey,
    JsonBody,
    Limit,
    RequestIdFilter,
    SchemeId,
    parse_body,
)
from api.openapi import reference, response_of
from api.routes.answer_events import AnswerEvents, events_response, wants_events
from api.routes.backend import Backend
from api.routes.cursors import page_of, read_cursor, write_cursor
from api.routes.writes import actor_of, as_response, json_answer
from api.services import Answer, Progress, TellStage
from api.views import SchemeLine, SchemePage
from gridmodel.errors import NotFoundError
from scheme.access.applications import Applications
from scheme.ledger.states import State
from scheme.listing import SchemeFilter, list_schemes
from scheme.request import SupplyRequest
from scheme.store import CUSTOMER_FOLDER

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
DOCUMENTS = {
    "json": ("scheme.json", "application/json"),
    "docx": ("scheme.docx", _DOCX),
    "pdf": ("scheme.pdf", "application/pdf"),
    "diagram": ("diagram.svg", "image/svg+xml"),
    "diagram_dxf": ("diagram.dxf", "image/vnd.dxf"),
    "map": ("map.svg", "image/svg+xml"),
    "works_order_docx": ("works_order.docx", _DOCX),
    "works_order_pdf": ("works_order.pdf", "application/pdf"),
}
"""File and media type of every kind of document."""
CUSTOMER_DOCUMENTS = ("json", "docx", "pdf")
"""Kinds a customer may download, made from what a customer may read."""

_OPERATION = "POST /v1/schemes"
_SCHEME = {"anyOf": [reference("Scheme"), reference("CustomerScheme")]}
_FILES = {
    "description": "The file",
    "content": {media_type: {"schema": {"type": "string"}} for _, media_type in DOCUMENTS.values()},
}
_FILES["content"]["application/json"] = {"schema": _SCHEME}  # type: ignore[index]
_Kind = Annotated[str, Path(pattern=r"^[a-z_]{1,32}$", description=f"one of {', '.join(DOCUMENTS)}", examples=["pdf"])]
_Owner = Annotated[Principal, allow("engineer", "customer")]


def add_schemes(app: FastAPI, backend: Backend) -> None:
    """Add the calls about schemes to ``app``."""
    _add_answer(app, backend)
    _add_list(app, backend)
    _add_reads(app, backend)


def _add_answer(app: FastAPI, backend: Backend) -> None:
    events = AnswerEvents()

    @app.post(
        "/v1/schemes",
        tags=["schemes"],
        status_code=201,
        summary="Answer a request with a supply scheme",
        responses={201: response_of("The scheme", _SCHEME), 200: events_response(reference("AnswerProgressView"))},
        response_class=Response,
        openapi_extra={
            "parameters": [KEY_HEADER],
            "requestBody": {"required": True, "content": {JSON_MEDIA_TYPE: {"schema": reference("SupplyRequest")}}},
        },
    )
    def create_scheme(principal: _Owner, request: Request, body: JsonBody, key: IdempotencyKey) -> Response:
        """A refusal (``joint_work``) is an answer, too: 201. The same key with the same request returns the stored
        answer; with another request it is refused with 422, a missing or malformed key with 400. A customer is
        answered with what a customer may read, and owns the scheme. For ``Accept: text/event-stream`` the same answer
        comes as the last of server-sent events that tell how far it is; a client that goes away finds it under the
        same key. What is refused before the work begins is refused with its own status."""
        asked = parse_body(SupplyRequest, body)
        if principal.owner_id is not None:
            services = backend.services
            limits = services.parts.application_limits(services.load_policy())
            Applications(services.store).admit(principal.owner_id, asked, limits)
        asking = Asking(
            actor=actor_of(principal, request, "engineer", "customer"),
            operation=_OPERATION,
            key=key,
            owner_id=principal.owner_id,
            tell=_tell,
        )

        def work(progress: Progress | None = None, tell_stage: TellStage = lambda _: None) -> Answer:
            return backend.services.answer(
                asked,
                find_capacity=backend.tables.find,
                asking=asking,
                progress=progress,
                tell_stage=tell_stage,
            )

        if wants_events(request.headers.get("accept", "*/*")):
            return events.respond(request, work)
        answer = work()
        assert answer.told is not None, "who asks is told"
        return as_response(answer.told, is_replayed=answer.is_replayed)


def _tell(scheme_id: str, record: bytes) -> tuple[int, Mapping[str, str], bytes]:
    return json_answer(201, record, Location=f"/v1/schemes/{scheme_id}")


def _add_list(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/schemes",
        tags=["schemes"],
        summary="Schemes, newest first",
        responses={200: response_of("One page of schemes", reference("SchemePage"))},
    )
    def get_schemes(
        principal: _Owner,
        verdict: Annotated[Literal["answered", "transition", "joint_work"] | None, Query()] = None,
        state: Annotated[State | None, Query(description="of its last hold; ``quote``: never issued")] = None,
        request_id: RequestIdFilter = None,
        cursor: Cursor = None,
        limit: Limit = PAGE_ROWS,
    ) -> JSONResponse:
        """A customer is shown the own ones."""
        after = read_cursor(cursor, str, str)
        wanted = SchemeFilter(owner_id=principal.owner_id, verdict=verdict, state=state, request_id=request_id)
        start = None if after is None else (str(after[0]), str(after[1]))
        with backend.services.store.read() as connection:
            found = list_schemes(connection, wanted, after=start, limit=limit + 1)
        rows, has_more = page_of(found, limit)
        next_cursor = write_cursor(rows[-1].created_at, rows[-1].scheme_id) if has_more else None
        page = SchemePage(items=[SchemeLine.of(row) for row in rows], next_cursor=next_cursor)
        return JSONResponse(page.model_dump(mode="json"))


def _add_reads(app: FastAPI, backend: Backend) -> None:
    store = backend.services.store

    @app.get(
        "/v1/schemes/{scheme_id:id}",
        tags=["schemes"],
        summary="Read a scheme",
        responses={200: response_of("The scheme", _SCHEME)},
        response_class=Response,
    )
    def get_scheme(principal: _Owner, scheme_id: SchemeId) -> Response:
        """A customer is shown the own ones, as far as a customer may read them."""
        if principal.owner_id is None:
            return Response(store.get_scheme(scheme_id).content, media_type=JSON_MEDIA_TYPE)
        content = store.get_document(scheme_id, f"{CUSTOMER_FOLDER}scheme.json", owner_id=principal.owner_id)
        return Response(content, media_type=JSON_MEDIA_TYPE)

    @app.get(
        "/v1/schemes/{scheme_id:id}/documents/{kind:id}",
        tags=["schemes"],
        summary="Download a document",
        responses={200: _FILES},
        response_class=Response,
    )
    def get_document(principal: _Owner, scheme_id: SchemeId, kind: _Kind) -> Response:
        """Record, reply, drawings and works order; for a customer the reply and what a customer may read."""
        kinds = tuple(DOCUMENTS) if principal.owner_id is None else CUSTOMER_DOCUMENTS
        if kind not in kinds:
            raise NotFoundError("no such kind of document", allowed=", ".join(kinds))
        file, media_type = DOCUMENTS[kind]
        place = file if principal.owner_id is None else f"{CUSTOMER_FOLDER}{file}"
        content = store.get_document(scheme_id, place, owner_id=principal.owner_id)
        headers = {"Content-Disposition": f'attachment; filename="{scheme_id}-{file}"'}
        return Response(content, media_type=media_type, headers=headers)
