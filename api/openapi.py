"""What ``/openapi.json`` says about requests and answers, so that a client can be written from it alone.

Which problems an operation may answer with follows from what it is (who may call it, whether it has a body, places in
its path), so it is added here for all of them alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.access.routes import roles_by_operation
from api.errors import OGC_TAG, PROBLEM_MEDIA_TYPE
from api.openapi_schemas import CAPACITY_COLUMNS, Schema, components, reference

__all__ = ["CAPACITY_COLUMNS", "Schema", "add_schemas", "describe", "reference", "response_of"]

PROBLEM_TITLES: Mapping[int, str] = {
    400: "The request is not well-formed",
    401: "No key or token, or one that does not hold",
    403: "None of the roles of the key or token allows this",
    404: "No such thing, or none that the caller may know of",
    406: "The client takes none of the media types offered",
    409: "The state of things does not allow this now",
    413: "The body is too large",
    414: "The address is too long",
    415: "The body is declared as something else",
    421: "The service does not answer under this host name",
    422: "Understood and refused: a parameter, a field, or an idempotency key used for something else",
    429: "Too many requests",
    431: "The headers are too large",
    500: "The service made a mistake; nothing was stored",
    503: "The store or a table is not ready; see Retry-After",
}
_ALWAYS = (406, 414, 421, 422, 431, 500, 503)
_CONVERTOR = re.compile(r":\w+}")
_METHODS = ("get", "post", "put", "patch", "delete")


def response_of(description: str, schema: Schema, media_type: str = "application/json") -> Schema:
    """Return the description of a response."""
    return {"description": description, "content": {media_type: {"schema": schema}}}


def add_schemas(app: FastAPI, schemas: Mapping[str, Schema]) -> None:
    """Add bodies, by name, that the descriptions of ``app``'s operations refer to."""
    known: dict[str, Schema] = getattr(app.state, "schemas", {})
    app.state.schemas = {**known, **schemas}


def describe(app: FastAPI) -> None:
    """Make ``app`` answer with its own paths and the components their descriptions refer to."""

    def openapi() -> Schema:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas.update({**components(), **getattr(app.state, "schemas", {})})
            for name in ("HTTPValidationError", "ValidationError"):  # the framework's own, never answered
                schemas.pop(name, None)
            roles = {_CONVERTOR.sub("}", name): roles for name, roles in roles_by_operation(app).items()}
            for name, operation in _operations(document):
                _complete(operation, name, roles.get(name, frozenset()))
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _operations(document: Schema) -> Iterator[tuple[str, Schema]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


def _complete(operation: Schema, name: str, roles: frozenset[str]) -> None:
    """Say of an operation which roles may call it and which problems it may answer with."""
    responses = operation["responses"]
    named = {int(status) for status in responses if str(status).isdecimal() and int(status) in PROBLEM_TITLES}
    for answer in responses.values():  # the framework adds its own media type to the one that is stated
        content = answer.get("content", {})
        if len(content) > 1 and content.get("application/json") == {"schema": {}}:
            del content["application/json"]
    stated = {status: dict(responses[status]) for status in responses if not str(status).startswith(("4", "5"))}
    is_ogc = OGC_TAG in operation.get("tags", ())
    for status in sorted(_problem_statuses(operation, name, roles) | named):
        stated[str(400 if is_ogc and status == 422 else status)] = _problem(400 if is_ogc and status == 422 else status)
    operation["responses"] = stated
    if roles:
        operation["x-roles"] = sorted(roles)
    if "public" in roles:  # a key is taken and not needed
        operation["security"] = [{}, *operation.get("security", ())]


def _problem_statuses(operation: Schema, name: str, roles: frozenset[str]) -> set[int]:
    statuses = set(_ALWAYS)
    if roles:
        statuses |= {401, 409, 429}
    if roles and "public" not in roles:
        statuses.add(403)
    if "{" in name:
        statuses.add(404)
    if not name.startswith("GET "):
        statuses |= {400, 404, 409}
    if "requestBody" in operation:
        statuses |= {413, 415}
    return statuses


def _problem(status: int) -> dict[str, Any]:
    content = {PROBLEM_MEDIA_TYPE: {"schema": reference("Problem")}}
    answer: dict[str, Any] = {"description": PROBLEM_TITLES[status], "content": content}
    if status in (429, 503):
        answer["headers"] = {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}}
    return answer
