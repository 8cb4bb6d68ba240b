"""Publications for those who make them: draft, leak scan, release by a second person, withdrawal, list."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import FastAPI, Path, Request, Response
from pydantic import Field

from api.access import Principal, allow
from api.inputs import JSON_MEDIA_TYPE, KEY_HEADER, IdempotencyKey, JsonBody, parse_body
from api.openapi import Schema, add_schemas, reference, response_of
from api.publications import Publications, describe_publication
from api.routes.backend import Backend
from api.routes.writes import actor_of, claim_of, json_answer
from scheme.ledger.idempotency import keep
from scheme.ledger.records import Actor
from scheme.publication.records import Publication
from scheme.request import StrictRecord, Text

NEGATIVE_LIST_MAX = 5_000
_GEOJSON = "application/geo+json"
_DRAFT = "draft_publication"

Operator = Annotated[Principal, allow("operator")]
PublicationId = Annotated[
    str, Path(pattern=r"^pub_[0-9a-f]{32}$", description="as the draft named it", examples=["pub_" + "0" * 32])
]


class DraftRequest(StrictRecord):
    """What a draft is made with, besides grid and ledger as they stand."""

    negative_list: Annotated[list[Text], Field(max_length=NEGATIVE_LIST_MAX)] | None = None
    """Identifiers of transformers and feeders on the negative list (电网负面清单); null: no list is given."""


class ScanRequest(StrictRecord):
    """Nothing is chosen."""


class ReleaseRequest(StrictRecord):
    """What is released."""

    content_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Digest of the file that was looked at."""


class WithdrawRequest(StrictRecord):
    """Why it is taken back."""

    reason: Text


def add_publications(app: FastAPI, backend: Backend, publications: Publications) -> None:
    """Add the calls to ``app``."""
    models = (DraftRequest, ScanRequest, ReleaseRequest, WithdrawRequest)
    add_schemas(app, {model.__name__: _schema_of(model) for model in models})
    add_schemas(app, {"Publication": _PUBLICATION, "Publications": _PUBLICATIONS})
    call = _Call(backend)
    _add_draft(app, publications, call)
    _add_steps(app, publications, call)
    _add_reads(app, publications)


class _Call:
    """Carries a call of an operator out once for its key, and keeps the answer."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def __call__(
        self,
        operation: str,
        request: Request,
        principal: Principal,
        key: str,
        asked: Mapping[str, Any],
        work: Callable[[Actor], Publication],
    ) -> Response:
        actor = actor_of(principal, request, "operator")
        claim = claim_of(actor, operation, key, asked)

        def make_and_keep() -> None:
            made = work(actor)
            place = {"Location": f"/v1/publications/{made.publication_id}"} if operation == _DRAFT else {}
            answer = json_answer(201 if place else 200, _json(describe_publication(made)), **place)
            # a step is safe to see twice, so the answer may follow in a transaction of its own
            with self._backend.services.store.write() as connection:
                keep(connection, claim, *answer, object_id=made.publication_id)

        return self._backend.writes.carry_out(claim, make_and_keep)


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()


def _schema_of(model: type[StrictRecord]) -> Schema:
    return model.model_json_schema(ref_template="#/components/schemas/{model}")


def _takes(model: type[StrictRecord]) -> dict[str, Any]:
    schema = reference(model.__name__)
    return {
        "parameters": [KEY_HEADER],
        "requestBody": {"required": True, "content": {JSON_MEDIA_TYPE: {"schema": schema}}},
    }


def _add_draft(app: FastAPI, publications: Publications, call: _Call) -> None:
    @app.post(
        "/v1/publications",
        tags=["publications"],
        status_code=201,
        summary="Make a draft of the public map from grid and ledger as they stand",
        responses={201: response_of("The draft", reference("Publication"))},
        response_class=Response,
        openapi_extra=_takes(DraftRequest),
    )
    def draft_publication(principal: Operator, request: Request, body: JsonBody, key: IdempotencyKey) -> Response:
        """Nothing is public yet. Another person releases it, after the leak scan."""
        wanted = parse_body(DraftRequest, body)

        def work(actor: Actor) -> Publication:
            return publications.draft(actor, negative_list=wanted.negative_list)

        return call(_DRAFT, request, principal, key, wanted.model_dump(mode="json"), work)


def _add_steps(app: FastAPI, publications: Publications, call: _Call) -> None:
    answers: dict[int | str, Any] = {200: response_of("The publication", reference("Publication"))}

    @app.post(
        "/v1/publications/{publication_id:id}:scan",
        tags=["publications"],
        summary="Look for leaks in the file of a draft",
        responses=answers,
        response_class=Response,
        openapi_extra=_takes(ScanRequest),
    )
    def scan_publication(
        principal: Operator, request: Request, publication_id: PublicationId, body: JsonBody, key: IdempotencyKey
    ) -> Response:
        """``state`` is ``scanned`` where nothing was found, ``refused`` otherwise; ``report`` says what."""
        parse_body(ScanRequest, body)
        asked = {"publication_id": publication_id}
        return call(
            "scan_publication", request, principal, key, asked, lambda actor: publications.scan(publication_id, actor)
        )

    @app.post(
        "/v1/publications/{publication_id:id}:release",
        tags=["publications"],
        summary="Put a scanned draft into public",
        responses=answers,
        response_class=Response,
        openapi_extra=_takes(ReleaseRequest),
    )
    def release_publication(
        principal: Operator, request: Request, publication_id: PublicationId, body: JsonBody, key: IdempotencyKey
    ) -> Response:
        """Whoever made the draft may not (403); 409 where it was not scanned, holds a leak, or comes too early."""
        sha256 = parse_body(ReleaseRequest, body).content_sha256
        asked = {"publication_id": publication_id, "content_sha256": sha256}

        def work(actor: Actor) -> Publication:
            return publications.release(publication_id, content_sha256=sha256, actor=actor)

        return call("release_publication", request, principal, key, asked, work)

    @app.post(
        "/v1/publications/{publication_id:id}:withdraw",
        tags=["publications"],
        summary="Take a publication out of public, or give a draft up",
        responses=answers,
        response_class=Response,
        openapi_extra=_takes(WithdrawRequest),
    )
    def withdraw_publication(
        principal: Operator, request: Request, publication_id: PublicationId, body: JsonBody, key: IdempotencyKey
    ) -> Response:
        """At once, by one person, with a reason."""
        reason = parse_body(WithdrawRequest, body).reason
        asked = {"publication_id": publication_id, "reason": reason}

        def work(actor: Actor) -> Publication:
            return publications.withdraw(publication_id, reason=reason, actor=actor)

        return call("withdraw_publication", request, principal, key, asked, work)


def _add_reads(app: FastAPI, publications: Publications) -> None:
    @app.get(
        "/v1/publications",
        tags=["publications"],
        summary="All publications, the newest first, with their leak reports",
        responses={200: response_of("The list", reference("Publications"))},
        response_class=Response,
    )
    def list_publications(principal: Operator) -> Response:
        """There is about one a month, so there are no pages."""
        items = [describe_publication(made) for made in publications.register.list_all()]
        return Response(_json({"publications": items}), media_type=JSON_MEDIA_TYPE)

    @app.get(
        "/v1/publications/{publication_id:id}",
        tags=["publications"],
        summary="One publication with its leak report",
        responses={200: response_of("The publication", reference("Publication"))},
        response_class=Response,
    )
    def get_publication(principal: Operator, publication_id: PublicationId) -> Response:
        """Who made, scanned, released and ended it, and the frozen pair of grid and ledger behind it."""
        made = publications.register.get(publication_id)
        return Response(_json(describe_publication(made)), media_type=JSON_MEDIA_TYPE)

    @app.get(
        "/v1/publications/{publication_id:id}/file",
        tags=["publications"],
        summary="The file, to be looked at before it is released",
        responses={200: response_of("The file", reference("PublicCapacity"), _GEOJSON)},
        response_class=Response,
    )
    def get_publication_file(principal: Operator, publication_id: PublicationId) -> Response:
        """The bytes that are released, no others."""
        content = publications.register.get_content(publication_id)
        return Response(content, media_type=_GEOJSON)


_TEXT: Schema = {"type": ["string", "null"]}
_PUBLICATION: Schema = {
    "type": "object",
    "properties": {
        "publication_id": {"type": "string"},
        "state": {"enum": ["draft", "scanned", "refused", "released", "replaced", "withdrawn"]},
        "data_month": {"type": "string"},
        "content_sha256": {"type": "string"},
        "basis": {
            "type": "object",
            "properties": {
                "snapshot_sha256": {"type": "string"},
                "ledger_seq": {"type": "integer"},
                "ledger_sha256": {"type": "string"},
            },
        },
        **{name: {"type": "string"} for name in ("profile", "policy_sha256", "as_of", "made_by", "made_at")},
        **dict.fromkeys(("compared_with_id", "negative_list_sha256", "scanned_by", "scanned_at"), _TEXT),
        **dict.fromkeys(("released_by", "released_at", "ended_by", "ended_at", "ended_reason"), _TEXT),
        "release_no": {"type": ["integer", "null"]},
        "audience": {"enum": ["public", "on_application", None]},
        "report": {
            "type": ["object", "null"],
            "description": "of the leak scanner: what it found, and what it counted",
        },
    },
    "required": ["publication_id", "state", "data_month", "content_sha256", "basis", "made_by", "report"],
}
_PUBLICATIONS: Schema = {
    "type": "object",
    "properties": {"publications": {"type": "array", "items": reference("Publication")}},
    "required": ["publications"],
}
