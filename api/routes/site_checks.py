"""Whether the grid carries a wish at a site (用电地址核实), asked before applying: answered like one, but not kept.

An answer says as much about a place as an application's does, so it counts as one: the same limits, the same site for
the same ``request_id``, a row in the audit trail. Nothing is made, so there is no key: asked twice, it is worked out
twice.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter

from api.access import Principal, allow
from api.inputs import JSON_MEDIA_TYPE, JsonBody, parse_body
from api.openapi import Schema, add_schemas, reference, response_of
from api.openapi_schemas import REF
from api.routes.backend import Backend
from api.routes.writes import actor_of
from scheme.access.applications import Applications
from scheme.disclosure.site_check import SiteCheck
from scheme.ledger.audit_trail import append
from scheme.request import SupplyRequest

_Owner = Annotated[Principal, allow("engineer", "customer")]


def add_site_checks(app: FastAPI, backend: Backend) -> None:
    """Add the call to ``app``."""
    told = TypeAdapter(SiteCheck).json_schema(mode="serialization", ref_template=REF)
    add_schemas(app, {**_parts(told), "SiteCheck": told})
    body = {"required": True, "content": {JSON_MEDIA_TYPE: {"schema": reference("SupplyRequest")}}}

    @app.post(
        "/v1/site-checks",
        tags=["schemes"],
        summary="Whether the grid carries a wish at a site, as it stands",
        responses={200: response_of("Yes, up to, or works first", reference("SiteCheck"))},
        openapi_extra={"requestBody": body},
    )
    def check_site(principal: _Owner, request: Request, body: JsonBody) -> JSONResponse:
        """Worked out like a scheme and told as far as a customer may know; nothing of the grid, whoever asks. No
        scheme, hold or document is made, and the answer holds only until somebody else is promised something. For a
        customer it counts as the application ``request_id``, for its one site: ``POST /v1/schemes`` with the same id
        is the same application."""
        asked = parse_body(SupplyRequest, body)
        services = backend.services
        if principal.owner_id is not None:
            limits = services.parts.application_limits(services.load_policy())
            Applications(services.store).admit(principal.owner_id, asked, limits)
        scheme = services.draft_answer(asked, find_capacity=backend.tables.find)
        told = services.parts.check_site(scheme, services.load_policy())
        actor = actor_of(principal, request, "engineer", "customer")
        with services.store.write() as connection:
            append(connection, actor, "scheme.check", scheme.scheme_id)
        return JSONResponse(told)


def _parts(told: Schema) -> dict[str, Any]:
    """Take the parts out of a schema; they are the customer's scheme's."""
    parts: dict[str, Any] = told.pop("$defs")
    return parts
