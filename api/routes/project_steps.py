"""What becomes of a reserve project: documents, preliminary reply (咨询), conversion (一键转正式)."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, FastAPI, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from api.access import Principal, allow
from api.conversions import Conversions
from api.inputs import JSON_MEDIA_TYPE, KEY_HEADER, IdempotencyKey, JsonBody, body_reader, parse_body
from api.openapi import reference, response_of
from api.project_views import ConsultationView, ConversionView, DocumentList, DocumentView, ProjectLine
from api.routes.backend import Backend
from api.routes.holds import IssueStep, Step
from api.routes.writes import actor_of, claim_of, json_answer
from api.services import Draft
from api.uploads import XLSX_MEDIA_TYPE
from gridmodel.errors import NotFoundError
from scheme.ledger import Hold
from scheme.library.library import DOCUMENT_BYTES_MAX, Library, LibraryCall
from scheme.library.reading import (
    get_document_content,
    get_project,
    list_documents,
    list_request_documents,
)
from scheme.library.records import Project, ProjectDocument

DOCUMENT_MEDIA_TYPES = (
    "application/pdf",
    "image/png",
    "image/jpeg",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    XLSX_MEDIA_TYPE,
)
_BINARY = {name: {"schema": {"type": "string", "format": "binary"}} for name in DOCUMENT_MEDIA_TYPES}
_DocumentBody = Annotated[bytes, Depends(body_reader(DOCUMENT_BYTES_MAX, *DOCUMENT_MEDIA_TYPES, has_charset=False))]
_DocumentName = Annotated[
    str, Query(pattern=r"^[\w][\w.() -]{0,99}$", description="how the document is called", examples=["立项批复.pdf"])
]
ProjectId = Annotated[str, Path(pattern=r"^prj_[0-9a-f]{32}$", description="as the list of projects names it")]
_RequestId = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", examples=["R-2026-0001"])]
_Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="as the list of documents names it")]
Planner = Annotated[Principal, allow("planner")]
Reader = Annotated[Principal, allow("planner", "engineer")]
_ATTACH = "/v1/projects/{project_id:id}/documents"
_CONSULT = "/v1/projects/{project_id:id}:consult"
_CONVERT = "/v1/projects/{project_id:id}:convert"
_ATTACHED = "补充资料"


def add_project_steps(app: FastAPI, backend: Backend) -> None:
    """Add the calls that move a project on to ``app``."""
    conversions = Conversions(backend.services, backend.tables, backend.admission)
    _add_attach(app, backend)
    _add_documents(app, backend)
    _add_consult(app, backend, conversions)
    _add_convert(app, backend, conversions)


def extra(body: str, example: dict[str, Any]) -> dict[str, Any]:
    """Return what the description says of a JSON body under a key."""
    content = {JSON_MEDIA_TYPE: {"schema": reference(body), "example": example}}
    return {"parameters": [KEY_HEADER], "requestBody": {"required": True, "content": content}}


def _add_attach(app: FastAPI, backend: Backend) -> None:
    library = Library(backend.services.store)

    @app.post(
        _ATTACH,
        tags=["projects"],
        status_code=201,
        summary="Add a document to a project",
        responses={201: response_of("The project", reference("ProjectLine"))},
        response_class=Response,
        openapi_extra={"parameters": [KEY_HEADER], "requestBody": {"required": True, "content": _BINARY}},
    )
    def attach_document(
        principal: Planner,
        request: Request,
        project_id: ProjectId,
        name: _DocumentName,
        body: _DocumentBody,
        key: IdempotencyKey,
    ) -> Response:
        """One of the same name is replaced; the history keeps the digest of both."""
        media_type = request.headers["content-type"].strip().lower()
        digest = hashlib.sha256(body).hexdigest()
        actor = actor_of(principal, request, "planner")
        asked = {"project_id": project_id, "name": name, "media_type": media_type, "sha256": digest}
        claim = claim_of(actor, _ATTACH, key, asked)
        call = LibraryCall(actor=actor, reason=_ATTACHED, claim=claim, answer=_told)
        return backend.writes.carry_out(claim, lambda: library.attach(project_id, name, media_type, body, call))


def _told(project: Project) -> Any:
    return json_answer(201, ProjectLine.of(project).model_dump_json().encode())


def _add_documents(app: FastAPI, backend: Backend) -> None:
    store = backend.services.store
    content = {"description": "The file", "content": _BINARY}

    @app.get(
        "/v1/projects/{project_id:id}/documents/{sha256:id}",
        tags=["projects"],
        summary="Download a document of a project",
        responses={200: content},
        response_class=Response,
    )
    def get_project_document(principal: Reader, project_id: ProjectId, sha256: _Digest) -> Response:
        """As it was handed in."""
        with store.read() as connection:
            get_project(connection, project_id)
            document = _one(list_documents(connection, project_id), sha256)
            return _file(document, get_document_content(connection, sha256))

    @app.get(
        "/v1/requests/{request_id:id}/documents",
        tags=["projects"],
        summary="Documents of an application that came with its project",
        responses={200: response_of("The list", reference("DocumentList"))},
    )
    def list_documents_of_request(principal: Reader, request_id: _RequestId) -> JSONResponse:
        """None where the application was no project."""
        with store.read() as connection:
            found = list_request_documents(connection, request_id)
        return JSONResponse(DocumentList(items=[DocumentView.of(one) for one in found]).model_dump(mode="json"))

    @app.get(
        "/v1/requests/{request_id:id}/documents/{sha256:id}",
        tags=["projects"],
        summary="Download a document of an application",
        responses={200: content},
        response_class=Response,
    )
    def get_request_document(principal: Reader, request_id: _RequestId, sha256: _Digest) -> Response:
        """The same bytes as those of the project."""
        with store.read() as connection:
            document = _one(list_request_documents(connection, request_id), sha256)
            return _file(document, get_document_content(connection, sha256))


def _one(documents: list[ProjectDocument], sha256: str) -> ProjectDocument:
    found = [document for document in documents if document.sha256 == sha256]
    if not found:
        raise NotFoundError("no such document", sha256=sha256)
    return found[0]


def _file(document: ProjectDocument, content: bytes) -> Response:
    place = f"attachment; filename*=UTF-8''{quote(document.name)}"
    return Response(content, headers={"Content-Disposition": place}, media_type=document.media_type)


def _add_consult(app: FastAPI, backend: Backend, conversions: Conversions) -> None:
    @app.post(
        _CONSULT,
        tags=["projects"],
        status_code=201,
        summary="Answer a project preliminarily (咨询初步答复)",
        responses={201: response_of("The reply", reference("ConsultationView"))},
        response_class=Response,
        openapi_extra=extra("Step", {"reason": "客户咨询"}),
    )
    def consult_project(
        principal: Planner, request: Request, project_id: ProjectId, body: JsonBody, key: IdempotencyKey
    ) -> Response:
        """A scheme that binds nobody and holds nothing; the project's documents and history show it from then on."""
        asked = parse_body(Step, body)
        actor = actor_of(principal, request, "planner")
        claim = claim_of(actor, _CONSULT, key, {"project_id": project_id, **asked.model_dump(mode="json")})

        def answer(project_id: str, draft: Draft) -> Any:
            stored = draft.stored
            view = ConsultationView(project_id=project_id, scheme_id=stored.scheme_id, verdict=stored.verdict)
            return json_answer(201, view.model_dump_json().encode(), Location=f"/v1/schemes/{stored.scheme_id}")

        return backend.writes.carry_out(
            claim,
            lambda: conversions.consult(project_id, actor=actor, reason=asked.reason, claim=claim, answer=answer),
        )


def _add_convert(app: FastAPI, backend: Backend, conversions: Conversions) -> None:
    @app.post(
        _CONVERT,
        tags=["projects"],
        status_code=201,
        summary="Make an application of a project and hold its capacity (一键转正式)",
        responses={201: response_of("The application and its hold", reference("ConversionView"))},
        response_class=Response,
        openapi_extra=extra("IssueStep", {"reason": "用电需求明确", "variant_no": 1}),
    )
    def convert_project(
        principal: Planner, request: Request, project_id: ProjectId, body: JsonBody, key: IdempotencyKey
    ) -> Response:
        """Answered on what is promised today; scheme, hold and the project's step are kept together or not at all. A
        project converts once: asked again, it is told what it became. 409 where the grid does not take it: ``reasons``
        and ``limits`` say why, and the project stays as it was."""
        asked = parse_body(IssueStep, body)
        actor = actor_of(principal, request, "planner")
        claim = claim_of(actor, _CONVERT, key, {"project_id": project_id, **asked.model_dump(mode="json")})

        def answer(project_id: str, scheme_id: str, hold: Hold, is_earlier: bool) -> Any:
            view = ConversionView.of(project_id, scheme_id, hold, is_earlier)
            return json_answer(201, view.model_dump_json().encode(), Location=f"/v1/schemes/{scheme_id}")

        return backend.writes.carry_out(
            claim,
            lambda: conversions.convert(
                project_id,
                actor=actor,
                reason=asked.reason,
                claim=claim,
                answer=answer,
                variant_no=asked.variant_no,
            ),
        )
