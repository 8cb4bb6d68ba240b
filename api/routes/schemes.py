"""Supply schemes (供电方案): answer a request, read the answer and its documents."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Path, Response

from api.access import Principal, allow
from api.inputs import JSON_MEDIA_TYPE, KEY_HEADER, IdempotencyKey, JsonBody, SchemeId, parse_body
from api.openapi import reference, response_of
from api.routes.backend import Backend
from gridmodel.errors import NotFoundError
from scheme.request import SupplyRequest

DOCUMENTS = {
    "json": ("scheme.json", "application/json"),
    "docx": ("scheme.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "pdf": ("scheme.pdf", "application/pdf"),
    "diagram": ("diagram.svg", "image/svg+xml"),
    "diagram_dxf": ("diagram.dxf", "image/vnd.dxf"),
    "map": ("map.svg", "image/svg+xml"),
    "works_order_docx": (
        "works_order.docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    "works_order_pdf": ("works_order.pdf", "application/pdf"),
}
"""File and media type of every kind of document."""
_SCHEME = reference("Scheme")
_FILES = {
    "description": "The file",
    "content": {media_type: {"schema": {"type": "string"}} for _, media_type in DOCUMENTS.values()},
}
_Kind = Annotated[str, Path(description=f"one of {', '.join(DOCUMENTS)}", examples=["pdf"])]


def add_schemes(app: FastAPI, backend: Backend) -> None:
    """Add the calls about schemes to ``app``."""
    _add_answer(app, backend)
    _add_reads(app, backend)


def _add_answer(app: FastAPI, backend: Backend) -> None:
    @app.post(
        "/v1/schemes",
        tags=["schemes"],
        status_code=201,
        summary="Answer a request with a supply scheme",
        responses={201: response_of("The scheme", _SCHEME)},
        response_class=Response,
        openapi_extra={
            "parameters": [KEY_HEADER],
            "requestBody": {"required": True, "content": {JSON_MEDIA_TYPE: {"schema": reference("SupplyRequest")}}},
        },
    )
    def create_scheme(
        principal: Annotated[Principal, allow("engineer")], body: JsonBody, key: IdempotencyKey
    ) -> Response:
        """A refusal (``joint_work``) is an answer, too: 201. The same key with the same request returns the stored
        answer; with another request it is refused with 422, a missing or malformed key with 400."""
        request = parse_body(SupplyRequest, body)
        answer = backend.services.answer(request, find_capacity=backend.tables.find, idempotency_key=key)
        headers = {"Location": f"/v1/schemes/{answer.stored.scheme_id}"}
        if answer.is_replayed:
            headers["Idempotency-Replayed"] = "true"
        return Response(answer.stored.content, 201, headers=headers, media_type=JSON_MEDIA_TYPE)


def _add_reads(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/v1/schemes/{scheme_id:id}",
        tags=["schemes"],
        summary="Read a scheme",
        responses={200: response_of("The scheme", _SCHEME)},
        response_class=Response,
    )
    def get_scheme(principal: Annotated[Principal, allow("engineer")], scheme_id: SchemeId) -> Response:
        return Response(backend.services.store.get_scheme(scheme_id).content, media_type=JSON_MEDIA_TYPE)

    @app.get(
        "/v1/schemes/{scheme_id:id}/documents/{kind:id}",
        tags=["schemes"],
        summary="Download a document",
        responses={200: _FILES},
        response_class=Response,
    )
    def get_document(principal: Annotated[Principal, allow("engineer")], scheme_id: SchemeId, kind: _Kind) -> Response:
        if kind not in DOCUMENTS:
            raise NotFoundError("no such kind of document", allowed=", ".join(DOCUMENTS))
        file, media_type = DOCUMENTS[kind]
        content = backend.services.store.get_document(scheme_id, file)
        headers = {"Content-Disposition": f'attachment; filename="{scheme_id}-{file}"'}
        return Response(content, media_type=media_type, headers=headers)
