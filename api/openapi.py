"""What ``/openapi.json`` says about requests and answers, so that a client can be written from it alone."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from api.capacity_files import CONTRACT_COLUMNS
from scheme.model import Scheme
from scheme.request import SupplyRequest

Schema = dict[str, Any]
_REF = "#/components/schemas/{model}"
_NUMBER: Schema = {"type": ["number", "null"]}
_TEXT: Schema = {"type": ["string", "null"]}
_KNOWN_COLUMNS: dict[str, Schema] = {
    "node_id": {"type": "string"},
    "status": {"enum": ["assessed", "not_assessable", "unsupplied"]},
    **dict.fromkeys(("u_nominal_kv", "lon_deg", "lat_deg"), _NUMBER),
    **dict.fromkeys(("administrative_kva", "physical_kva", "open_kva", "limit_hour"), _NUMBER),
}


def reference(model: str) -> Schema:
    """Return a reference to a component."""
    return {"$ref": _REF.format(model=model)}


def response_of(description: str, schema: Schema, media_type: str = "application/json") -> Schema:
    """Return the description of a response."""
    return {"description": description, "content": {media_type: {"schema": schema}}}


PROBLEM = response_of("Problem details (RFC 9457)", reference("Problem"), "application/problem+json")
PROBLEMS: dict[int | str, Schema] = {"4XX": PROBLEM, "5XX": PROBLEM}


def describe(app: FastAPI) -> None:
    """Make ``app`` answer with its own paths and the components their descriptions refer to."""

    def openapi() -> Schema:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            document.setdefault("components", {}).setdefault("schemas", {}).update(components())
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def components() -> dict[str, Schema]:
    """Return the schema of every body by name."""
    request = SupplyRequest.model_json_schema(ref_template=_REF)
    scheme = TypeAdapter(Scheme).json_schema(mode="serialization", ref_template=_REF)
    parts = {**request.pop("$defs"), **scheme.pop("$defs")}
    # The JSON form has the contract's keys, which Python does not allow as names.
    days = {"from": {"type": "string", "format": "date"}, "to": {"type": "string", "format": "date"}}
    parts["Validity"] = {"type": "object", "properties": days, "required": ["from", "to"]}
    return {
        **parts,
        "SupplyRequest": request,
        "Scheme": scheme,
        "Capacity": _capacity(),
        "Problem": _PROBLEM,
        **_POLICY,
    }


_PROBLEM: Schema = {
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "context": {"type": "object"},
    },
}


_POLICY: dict[str, Schema] = {
    "PolicyParameter": {
        "type": "object",
        "properties": {
            **{name: {"type": "string"} for name in ("id", "name", "description", "unit", "profile", "as_of")},
            **{name: {"type": "string"} for name in ("given_by_profile", "effective_from", "document", "clause")},
            "policy_sha256": {"type": "string"},
            "op": {"enum": ["lt", "le", "ge", "gt", None]},
            "value": {"description": "Number, text, flag, list, record or table, as unit says"},
            "next_change_on": _TEXT,
            "confidence": {"enum": ["high", "medium", "low", None]},
        },
        "required": ["id", "unit", "op", "value", "profile", "as_of", "effective_from", "document", "clause"],
    }
}


def _capacity() -> Schema:
    columns = {name: _KNOWN_COLUMNS.get(name, _TEXT) for name in CONTRACT_COLUMNS}
    feature = {
        "type": "object",
        "properties": {
            "type": {"const": "Feature"},
            "id": {"type": "string"},
            "geometry": {"type": ["object", "null"]},
            "properties": {"type": "object", "properties": columns, "required": list(CONTRACT_COLUMNS)},
        },
    }
    link = {"type": "object", "properties": {"rel": {"type": "string"}, "href": {"type": "string"}}}
    members: dict[str, Schema] = {
        "type": {"const": "FeatureCollection"},
        "note": {"type": "string"},
        "columns": {"type": "array", "items": {"type": "string"}},
        "numberMatched": {"type": "integer"},
        "numberReturned": {"type": "integer"},
        "links": {"type": "array", "items": link},
        "features": {"type": "array", "items": feature},
    }
    return {"type": "object", "properties": members, "required": list(members)}
