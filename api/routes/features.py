"""OGC API - Features (Part 1: Core, GeoJSON): the open capacity of every node as a layer for QGIS and GDAL.

Links are absolute under the name the client used, which the guard has checked. Places are longitude and latitude
(CRS84); nodes without a known place have no geometry and are in no box.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import FastAPI, Path, Query, Request
from fastapi.responses import JSONResponse

from api.access import Principal, allow
from api.capacity_files import CONTRACT_COLUMNS, NOT_ADDITIVE, contract_table, features
from api.errors import OGC_TAG
from api.inputs import Bbox, parse_bbox
from api.openapi import CAPACITY_COLUMNS, reference, response_of
from api.routes.backend import Backend
from api.routes.boxes import within
from gridmodel.errors import NotFoundError

PREFIX = "/v1/ogc"
COLLECTION = "capacity"
ITEMS_MAX = 10_000
ITEMS = 1_000
OFFSET_MAX = 10_000_000
GEOJSON = "application/geo+json"
SCHEMA_JSON = "application/schema+json"
OPENAPI_JSON = "application/vnd.oai.openapi+json;version=3.1"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
CONFORMS_TO = (
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
)
_COLUMNS = (*CONTRACT_COLUMNS, "is_additive")
_TITLE = "可开放容量"

Reader = Annotated[Principal, allow("engineer", "planner")]
Collection = Annotated[
    str, Path(pattern=r"^[a-z_]{1,64}$", description=f"name of the layer: {COLLECTION}", examples=[COLLECTION])
]
FeatureId = Annotated[str, Path(min_length=1, max_length=200, description="``node_id`` of the node", examples=["n0"])]
Moment = Annotated[
    str | None,
    Query(
        alias="datetime",
        max_length=64,
        pattern=r"^[0-9TZ:./+-]+$",
        description="the layer has no times, so that every moment holds it",
    ),
]


def add_features(app: FastAPI, backend: Backend) -> None:
    """Add the calls of the layer to ``app``."""
    _add_description(app)
    _add_collections(app, backend)
    _add_items(app, backend)


def _add_description(app: FastAPI) -> None:
    @app.get(
        PREFIX,
        tags=[OGC_TAG],
        summary="OGC API: landing page",
        responses={200: response_of("Links", reference("Links"))},
    )
    def get_landing(principal: Reader, request: Request) -> JSONResponse:
        """Where everything else of the layer is found."""
        links = [
            _link(request, "self", PREFIX, "application/json"),
            _link(request, "service-desc", "/openapi.json", OPENAPI_JSON),
            _link(request, "service-doc", "/docs", "text/html"),
            _link(request, "conformance", f"{PREFIX}/conformance", "application/json"),
            _link(request, "data", f"{PREFIX}/collections", "application/json"),
        ]
        return JSONResponse({"title": _TITLE, "description": NOT_ADDITIVE, "links": links})

    @app.get(
        f"{PREFIX}/conformance",
        tags=[OGC_TAG],
        summary="OGC API: what is implemented",
        responses={200: response_of("Conformance classes", reference("Conformance"))},
    )
    def get_conformance(principal: Reader) -> JSONResponse:
        """The parts of the standard this layer keeps to."""
        return JSONResponse({"conformsTo": list(CONFORMS_TO)})


def _add_collections(app: FastAPI, backend: Backend) -> None:
    @app.get(
        f"{PREFIX}/collections",
        tags=[OGC_TAG],
        summary="OGC API: the layers",
        responses={200: response_of("Layers", reference("Collections"))},
    )
    def get_collections(principal: Reader, request: Request) -> JSONResponse:
        """One layer: the open capacity of every node."""
        links = [_link(request, "self", f"{PREFIX}/collections", "application/json")]
        return JSONResponse({"links": links, "collections": [_collection(request, backend)]})

    @app.get(
        PREFIX + "/collections/{collection_id:id}",
        tags=[OGC_TAG],
        summary="OGC API: one layer",
        responses={200: response_of("Layer", reference("Collection"))},
    )
    def get_collection(principal: Reader, request: Request, collection_id: Collection) -> JSONResponse:
        """Title, extent and links of a layer."""
        _check_collection(collection_id)
        return JSONResponse(_collection(request, backend))

    @app.get(
        PREFIX + "/collections/{collection_id:id}/schema",
        tags=[OGC_TAG],
        summary="OGC API: columns of a layer",
        responses={200: response_of("JSON Schema of a feature", {"type": "object"}, SCHEMA_JSON)},
    )
    def get_schema(principal: Reader, request: Request, collection_id: Collection) -> JSONResponse:
        """Types of the columns, so that a client need not guess them from the first features."""
        _check_collection(collection_id)
        content = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": _href(request, f"{_place()}/schema"),
            "title": _TITLE,
            "type": "object",
            "required": ["type", "geometry", "properties"],
            "properties": {
                "type": {"const": "Feature"},
                "id": {"type": "string"},
                "geometry": {"$ref": "https://geojson.org/schema/Point.json"},
                "properties": {"type": "object", "properties": {name: _column(name) for name in _COLUMNS}},
            },
        }
        return JSONResponse(content, media_type=SCHEMA_JSON)


def _add_items(app: FastAPI, backend: Backend) -> None:
    @app.get(
        PREFIX + "/collections/{collection_id:id}/items",
        tags=[OGC_TAG],
        summary="OGC API: features of a layer",
        responses={200: response_of("One page of features", reference("Features"), GEOJSON)},
    )
    def get_items(
        principal: Reader,
        request: Request,
        collection_id: Collection,
        bbox: Bbox = None,
        moment: Moment = None,
        limit: Annotated[int, Query(ge=1, le=ITEMS_MAX)] = ITEMS,
        offset: Annotated[int, Query(ge=0, le=OFFSET_MAX)] = 0,
    ) -> JSONResponse:
        """Figures of different nodes are not additive. While the table is being computed the answer is 503."""
        _check_collection(collection_id)
        table = contract_table(backend.tables.get())[list(_COLUMNS)]
        if bbox is not None:
            table = within(table, parse_bbox(bbox))
        page = table.iloc[offset : offset + limit]
        items, here = f"{_place()}/items", _asked(bbox, moment)
        links = [_link(request, "self", items, GEOJSON, limit=limit, offset=offset, **here)]
        if offset + limit < len(table):
            links.append(_link(request, "next", items, GEOJSON, limit=limit, offset=offset + limit, **here))
        if offset > 0:
            links.append(_link(request, "prev", items, GEOJSON, limit=limit, offset=max(0, offset - limit), **here))
        content = {
            "type": "FeatureCollection",
            "timeStamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "numberMatched": len(table),
            "numberReturned": len(page),
            "links": links,
            "features": features(page),
        }
        return JSONResponse(content, media_type=GEOJSON, headers={"Content-Crs": f"<{CRS84}>"})

    @app.get(
        PREFIX + "/collections/{collection_id:id}/items/{feature_id:path}",
        tags=[OGC_TAG],
        summary="OGC API: one feature",
        responses={200: response_of("The feature", reference("Feature"), GEOJSON)},
    )
    def get_item(principal: Reader, request: Request, collection_id: Collection, feature_id: FeatureId) -> JSONResponse:
        """One node by its ``node_id``."""
        _check_collection(collection_id)
        table = contract_table(backend.tables.get())[list(_COLUMNS)]
        found = features(table[table["node_id"] == feature_id])
        if not found:
            raise NotFoundError("no such feature", allowed="a node_id of the layer")
        links = [
            _link(request, "self", f"{_place()}/items/{quote(feature_id, safe='')}", GEOJSON),
            _link(request, "collection", _place(), "application/json"),
        ]
        return JSONResponse({**found[0], "links": links}, media_type=GEOJSON, headers={"Content-Crs": f"<{CRS84}>"})


def _check_collection(collection_id: str) -> None:
    if collection_id != COLLECTION:
        raise NotFoundError("no such layer", allowed=COLLECTION)


def _collection(request: Request, backend: Backend) -> dict[str, Any]:
    nodes = backend.services.get_snapshot().nodes
    placed = nodes[["lon_deg", "lat_deg"]].dropna()
    content: dict[str, Any] = {
        "id": COLLECTION,
        "title": _TITLE,
        "description": NOT_ADDITIVE,
        "itemType": "feature",
        "crs": [CRS84],
        "links": [
            _link(request, "self", _place(), "application/json"),
            _link(request, "items", f"{_place()}/items", GEOJSON),
            _link(request, "describedby", f"{_place()}/schema", SCHEMA_JSON),
        ],
    }
    if len(placed):
        low, high = placed.min(), placed.max()
        box = [float(low.lon_deg), float(low.lat_deg), float(high.lon_deg), float(high.lat_deg)]
        content["extent"] = {"spatial": {"bbox": [box], "crs": CRS84}}
    return content


def _column(name: str) -> dict[str, Any]:
    if name == "is_additive":
        return {"type": "boolean"}
    return {"type": "number"} if CAPACITY_COLUMNS[name].get("type") == ["number", "null"] else {"type": "string"}


def _asked(bbox: str | None, moment: str | None) -> dict[str, str]:
    given = {"bbox": bbox, "datetime": moment}
    return {name: value for name, value in given.items() if value is not None}


def _place() -> str:
    return f"{PREFIX}/collections/{COLLECTION}"


def _href(request: Request, path: str, **query: object) -> str:
    url = request.base_url.replace(path=path)
    return str(url.include_query_params(**query) if query else url)


def _link(request: Request, rel: str, path: str, media_type: str, **query: object) -> dict[str, str]:
    return {"rel": rel, "type": media_type, "href": _href(request, path, **query)}
