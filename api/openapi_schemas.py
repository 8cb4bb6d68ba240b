"""The schema of every body of the HTTP interface by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter

from api.capacity_files import CONTRACT_COLUMNS
from api.views import PAGES
from scheme.model import Scheme
from scheme.request import SupplyRequest

Schema = dict[str, Any]
REF = "#/components/schemas/{model}"
NUMBER: Schema = {"type": ["number", "null"]}
TEXT: Schema = {"type": ["string", "null"]}
_KNOWN_COLUMNS: dict[str, Schema] = {
    "node_id": {"type": "string"},
    "status": {"enum": ["assessed", "not_assessable", "unsupplied"]},
    **dict.fromkeys(("u_nominal_kv", "lon_deg", "lat_deg"), NUMBER),
    **dict.fromkeys(("administrative_kva", "physical_kva", "open_kva", "limit_hour"), NUMBER),
}
CAPACITY_COLUMNS: dict[str, Schema] = {name: _KNOWN_COLUMNS.get(name, TEXT) for name in CONTRACT_COLUMNS}
"""Type of every column of the contract."""

REQUEST_EXAMPLE: Schema = {
    "request_id": "R-2026-0001",
    "applicant": {"name": "示例机械厂", "category": "industrial_commercial"},
    "business": "new",
    "location": {"lon_deg": 115.1, "lat_deg": 33.4, "datum": "CGCS2000"},
    "demand": {"installed_kw": 80.0},
    "received_on": "2026-03-02",
}


def reference(model: str) -> Schema:
    """Return a reference to a component."""
    return {"$ref": REF.format(model=model)}


def components() -> dict[str, Schema]:
    """Return the schema of every body by name."""
    request = SupplyRequest.model_json_schema(ref_template=REF)
    scheme = TypeAdapter(Scheme).json_schema(mode="serialization", ref_template=REF)
    parts = {**request.pop("$defs"), **scheme.pop("$defs")}
    # The JSON form has the contract's keys, which Python does not allow as names.
    days = {"from": {"type": "string", "format": "date"}, "to": {"type": "string", "format": "date"}}
    parts["Validity"] = {"type": "object", "properties": days, "required": ["from", "to"]}
    return {
        **parts,
        "SupplyRequest": {**request, "example": REQUEST_EXAMPLE},
        "Scheme": scheme,
        "Problem": _PROBLEM,
        **_POLICY,
        **_features(),
        **_OGC,
        **_OPERATIONS,
        **_views(),
    }


def schemas_of(models: Iterable[type[BaseModel]]) -> dict[str, Schema]:
    """Return the schema of every answer by name, with those of its parts."""
    found: dict[str, Schema] = {}
    for model in models:
        schema = model.model_json_schema(mode="serialization", ref_template=REF)
        found |= schema.pop("$defs", {})
        found[model.__name__] = schema
    return found


def _views() -> dict[str, Schema]:
    """Return the answers and the bodies that are written as models."""
    from api.routes.holds import IssueStep, ReduceStep, Step
    from api.routes.jobs import JobRequest
    from scheme.disclosure.customer_scheme import CustomerScheme

    found: dict[str, Schema] = {}
    models: list[tuple[Any, Literal["validation", "serialization"]]] = [
        *((view, "serialization") for view in PAGES),
        *((asked, "validation") for asked in (Step, IssueStep, ReduceStep, JobRequest)),
        (CustomerScheme, "serialization"),
    ]
    for model, mode in models:
        schema = TypeAdapter(model).json_schema(mode=mode, ref_template=REF)
        found |= schema.pop("$defs", {})
        found[model.__name__] = schema
    return found


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
        "errors": {
            "type": "array",
            "description": "every wrong field of a body",
            "items": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("field", "message", "allowed")},
                "required": ["field", "message", "allowed"],
            },
        },
    },
    "example": {
        "type": "/errors/input.invalid",
        "title": "field limit: out of range (value '0'); allowed: >= 1",
        "status": 422,
        "code": "input.invalid",
        "context": {"field": "limit", "value": "0", "allowed": ">= 1"},
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
            "next_change_on": TEXT,
            "confidence": {"enum": ["high", "medium", "low", None]},
        },
        "required": ["id", "unit", "op", "value", "profile", "as_of", "effective_from", "document", "clause"],
    }
}

_OPERATIONS: dict[str, Schema] = {
    "Alive": {"type": "object", "properties": {"status": {"const": "ok"}}, "required": ["status"]},
    "Status": {
        "type": "object",
        "properties": {
            "status": {"const": "ok"},
            **{name: {"type": "string"} for name in ("version", "profile", "store")},
            "snapshot_sha256": TEXT,
        },
        "required": ["status", "version", "profile", "store", "snapshot_sha256"],
    },
}

_LINK: Schema = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("rel", "href", "type")},
    "required": ["rel", "href"],
}
_LINKS: Schema = {"type": "array", "items": _LINK}


def _features() -> dict[str, Schema]:
    feature: Schema = {
        "type": "object",
        "properties": {
            "type": {"const": "Feature"},
            "id": {"type": "string"},
            "geometry": {"type": ["object", "null"]},
            "properties": {"type": "object", "properties": CAPACITY_COLUMNS, "required": list(CONTRACT_COLUMNS)},
        },
        "required": ["type", "id", "geometry", "properties"],
    }
    counted: Schema = {
        "type": {"const": "FeatureCollection"},
        "numberMatched": {"type": "integer"},
        "numberReturned": {"type": "integer"},
        "links": _LINKS,
        "features": {"type": "array", "items": reference("Feature")},
    }
    capacity = {
        **counted,
        "note": {"type": "string"},
        "columns": {"type": "array", "items": {"type": "string"}},
        "ledger_seq": {"type": "integer", "description": "Last entry of the ledger whose live holds are taken off"},
        "ledger_sha256": {"type": "string", "description": "Digest of the ledger up to it"},
    }
    page = {**counted, "timeStamp": {"type": "string", "format": "date-time"}}
    return {
        "Feature": feature,
        "Capacity": {"type": "object", "properties": capacity, "required": list(capacity)},
        "Features": {"type": "object", "properties": page, "required": list(page)},
    }


_OGC: dict[str, Schema] = {
    "Links": {
        "type": "object",
        "properties": {"title": {"type": "string"}, "description": {"type": "string"}, "links": _LINKS},
        "required": ["links"],
    },
    "Conformance": {
        "type": "object",
        "properties": {"conformsTo": {"type": "array", "items": {"type": "string"}}},
        "required": ["conformsTo"],
    },
    "Collection": {
        "type": "object",
        "properties": {
            **{name: {"type": "string"} for name in ("id", "title", "description", "itemType")},
            "crs": {"type": "array", "items": {"type": "string"}},
            "extent": {"type": "object"},
            "links": _LINKS,
        },
        "required": ["id", "links"],
    },
    "Collections": {
        "type": "object",
        "properties": {"links": _LINKS, "collections": {"type": "array", "items": reference("Collection")}},
        "required": ["links", "collections"],
    },
}
