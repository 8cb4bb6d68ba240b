"""Shapes of the answers about the map of the grid."""

from __future__ import annotations

from api.openapi_schemas import NUMBER, TEXT, Schema

_NUMBER: Schema = {"type": "number"}
_INTEGER: Schema = {"type": "integer"}
_STRING: Schema = {"type": "string"}
_GEOMETRY: Schema = {"type": ["object", "null"], "description": "GeoJSON geometry; null where no place is known"}
_BOUNDS: Schema = {
    "type": ["array", "null"],
    "items": {"type": "number"},
    "description": "west, south, east, north in degrees; null where no place is known",
}


def record(required: dict[str, Schema], **optional: Schema) -> Schema:
    """Return an object with these members and no other."""
    properties = {**required, **optional}
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def rows(of: Schema) -> Schema:
    """Return an array."""
    return {"type": "array", "items": of}


_CLASS = record({"class": _STRING, "open_kva_min": {"type": "number"}, "open_kva_below": NUMBER, "label": _STRING})
_BAND = record({name: {"type": "number"} for name in ("u_nominal_kv_min", "u_nominal_kv_max", "u_pu_min", "u_pu_max")})
_GRID = record(
    {
        "snapshot_sha256": _STRING,
        "ledger_seq": _INTEGER,
        "bounds": _BOUNDS,
        **dict.fromkeys(("node_count", "line_count", "feeder_count"), _INTEGER),
        "profile": _STRING,
        "as_of": {"type": "string", "format": "date"},
        "classes": rows(_CLASS),
        "loading_limits": record(dict.fromkeys(("line", "transformer", "main_transformer"), _NUMBER)),
        "voltage_bands": rows(_BAND),
        "has_hours": {"type": "boolean"},
        "hours": rows(_STRING),
        "note": _STRING,
    }
)
_LIMIT = record(
    {
        "kind": _STRING,
        **dict.fromkeys(("element_id", "table", "name"), TEXT),
        **dict.fromkeys(("lon_deg", "lat_deg"), NUMBER),
        "geometry": _GEOMETRY,
        "hour": TEXT,
    }
)
_ACCOUNT = record(
    {
        **dict.fromkeys(("account_id", "element_id"), _STRING),
        "name": TEXT,
        "limit_kva": {**NUMBER, "description": "null: not known; then only the load flow guards it"},
        **dict.fromkeys(("held_kva", "posted_kva"), _NUMBER),
        "open_kva": NUMBER,
    }
)
_HOLD: Schema = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("hold_id", "scheme_id", "request_id", "state", "account_id"), _STRING),
        "capacity_kva": {"type": "number"},
    },
    "required": ["hold_id", "scheme_id", "request_id", "state", "capacity_kva", "account_id"],
}
_NODE = record(
    {
        "node_id": _STRING,
        "bus": _INTEGER,
        "element_id": _STRING,
        **dict.fromkeys(("name", "kind", "feeder_id", "feeder_name", "substation_id", "area_id"), TEXT),
        **dict.fromkeys(("u_nominal_kv", "lon_deg", "lat_deg", "u_pu"), NUMBER),
        **dict.fromkeys(("status", "status_reason", "administrative_reason"), TEXT),
        **dict.fromkeys(("administrative_kva", "physical_kva", "open_kva"), NUMBER),
        "limit": {"anyOf": [_LIMIT, {"type": "null"}]},
        "path": rows(_ACCOUNT),
        "path_geometry": _GEOMETRY,
        "holds": rows(_HOLD),
        "ledger_seq": _INTEGER,
        "note": _STRING,
    }
)
_FEEDER = record(
    {
        "feeder_id": _STRING,
        **dict.fromkeys(("name", "substation_id"), TEXT),
        "length_km": NUMBER,
        "node_count": _INTEGER,
        **dict.fromkeys(("u_pu_min", "loading_ratio_max", "open_kva_max", "open_kva_median"), NUMBER),
        "promised_kva": NUMBER,
        "limit_kva": NUMBER,
        "bounds": _BOUNDS,
    }
)
_PROFILE_NODE = record(
    {
        "bus": _INTEGER,
        "node_id": _STRING,
        "name": TEXT,
        "parent_bus": {"type": ["integer", "null"]},
        "distance_km": _NUMBER,
        **dict.fromkeys(("u_pu", "open_kva"), NUMBER),
    }
)
_PROFILE_LINE = record(
    {
        "line": _INTEGER,
        "line_id": _STRING,
        "name": TEXT,
        **dict.fromkeys(("from_bus", "to_bus"), _INTEGER),
        "loading_ratio": NUMBER,
    }
)
_PROFILE = record(
    {
        "feeder_id": _STRING,
        "name": TEXT,
        "nodes": rows(_PROFILE_NODE),
        "lines": rows(_PROFILE_LINE),
        "transformers": rows(record({"element_id": _STRING, "name": TEXT, "loading_ratio": NUMBER})),
        "band": {"anyOf": [record(dict.fromkeys(("u_pu_min", "u_pu_max"), _NUMBER)), {"type": "null"}]},
    }
)
_COUNTS = record({"edges": rows(_NUMBER), "counts": rows(_INTEGER), "unknown_count": _INTEGER})
_FOUND = record(
    {
        "kind": {"enum": ["node", "feeder", "line", "transformer"]},
        "id": _STRING,
        "name": TEXT,
        **dict.fromkeys(("lon_deg", "lat_deg"), NUMBER),
    }
)
SCHEMAS: dict[str, Schema] = {
    "Grid": _GRID,
    "NodeSheet": _NODE,
    "FeederList": record({"items": rows(_FEEDER), "ledger_seq": _INTEGER, "note": _STRING}),
    "FeederProfile": _PROFILE,
    "NodeHours": record(
        {"hours": rows(_STRING), "open_kva": rows(NUMBER), "limit_kind": rows(TEXT)},
    ),
    "HourCapacity": record({"hour": _STRING, "bus": rows(_INTEGER), "open_kva": rows(NUMBER)}),
    "GridLoading": record({"lines": _COUNTS, "transformers": _COUNTS}),
    "Found": record({"items": rows(_FOUND)}),
}
