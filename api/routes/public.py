"""The map anyone may read (公开地图): squares of the current publication, answered from its file and nothing else.

No call takes a parameter that chooses what is shown: whoever asks, and from wherever, gets the same bytes.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Annotated, Any

from fastapi import FastAPI, Path, Request, Response

from api.access import ROLES, Principal, allow
from api.openapi import Schema, add_schemas, reference, response_of
from api.publications import Publications
from api.routes.conditional import has_current
from gridmodel.errors import NotFoundError
from scheme.publication.document import read_legend, write_csv
from scheme.publication.public_store import PublicFile
from scheme.publication.tiles import ZOOM_MAX, cut_tile, describe_tiles

GEOJSON = "application/geo+json"
CSV = "text/csv"
TILE = "application/vnd.mapbox-vector-tile"
CACHE_S = 300
"""How long anybody may keep an answer: a withdrawal must come through."""
TILE_ADDRESS = "/v1/public/tiles/{z}/{x}/{y}.mvt"
_TILES_KEPT = 1_024
_TILE_MAX = 2**ZOOM_MAX - 1

Anyone = Annotated[Principal, allow(*ROLES)]
_Zoom = Annotated[int, Path(ge=0, le=ZOOM_MAX, description="level of the tile", examples=[10])]
_Column = Annotated[int, Path(ge=0, le=_TILE_MAX, description="column from the west", examples=[863])]
_Row = Annotated[int, Path(ge=0, le=_TILE_MAX, description="row from the north", examples=[414])]
_NOT_MODIFIED = {"description": "The client has the current publication already"}


def add_public(app: FastAPI, publications: Publications) -> None:
    """Add the calls to ``app``."""
    add_schemas(app, {"PublicCapacity": _CAPACITY, "PublicLegend": _LEGEND, "TileJson": _TILE_JSON})
    _add_map(app, publications)
    _add_tiles(app, publications)


def _add_map(app: FastAPI, publications: Publications) -> None:
    @app.get(
        "/v1/public/capacity",
        tags=["public"],
        summary="Open capacity of fixed squares, in classes",
        responses={
            200: response_of("The publication", reference("PublicCapacity"), GEOJSON),
            304: _NOT_MODIFIED,
            404: {},
        },
        response_class=Response,
    )
    def get_public_capacity(principal: Anyone, request: Request) -> Response:
        """The current publication as it was released: the same bytes for everybody; 404 while there is none for who
        asks. Figures are classes, not promises, and not additive."""
        shown = _find(publications, principal)
        return _answer(request, shown, shown.content, GEOJSON)

    @app.get(
        "/v1/public/legend",
        tags=["public"],
        summary="What the classes mean and how they are made",
        responses={200: response_of("The legend", reference("PublicLegend")), 304: _NOT_MODIFIED, 404: {}},
        response_class=Response,
    )
    def get_public_legend(principal: Anyone, request: Request) -> Response:
        """Classes in numbers, method, data month, and the digest that names what the figures were made of."""
        shown = _find(publications, principal)
        legend = json.dumps(read_legend(shown.content), ensure_ascii=False).encode()
        return _answer(request, shown, legend, "application/json")

    @app.get(
        "/v1/public/capacity.csv",
        tags=["public"],
        summary="The same squares as a table",
        responses={
            200: response_of("One row a square", {"type": "string"}, CSV),
            304: _NOT_MODIFIED,
            404: {},
        },
        response_class=Response,
    )
    def get_public_csv(principal: Anyone, request: Request) -> Response:
        """UTF-8 with a byte order mark, so that spreadsheets read it."""
        shown = _find(publications, principal)
        return _answer(request, shown, _csv(shown.content), CSV)


def _add_tiles(app: FastAPI, publications: Publications) -> None:
    @app.get(
        "/v1/public/tiles.json",
        tags=["public"],
        summary="Where the vector tiles are and how far they reach",
        responses={200: response_of("TileJSON 3.0", reference("TileJson")), 304: _NOT_MODIFIED, 404: {}},
        response_class=Response,
    )
    def get_public_tiles(principal: Anyone, request: Request) -> Response:
        """The address is one of this service, the same for everybody; the extent is that of the squares."""
        shown = _find(publications, principal)
        return _answer(request, shown, json.dumps(_described(shown.content, TILE_ADDRESS)).encode(), "application/json")

    @app.get(
        TILE_ADDRESS,
        tags=["public"],
        summary="The same squares as a vector tile",
        responses={
            200: response_of("The tile", {"type": "string", "format": "binary"}, TILE),
            204: {"description": "No square of the publication touches the tile"},
            304: _NOT_MODIFIED,
        },
        response_class=Response,
    )
    def get_public_tile(principal: Anyone, request: Request, z: _Zoom, x: _Column, y: _Row) -> Response:
        """Mapbox Vector Tile 2 in Web Mercator, layer ``open_capacity``; cut from the file of the publication."""
        shown = _find(publications, principal)
        if max(x, y) >= 2**z:
            raise NotFoundError("no such tile at this level", allowed=f"0 to {2**z - 1}")
        tile = _tile(shown.content, z, x, y)
        return _answer(request, shown, tile, TILE) if tile else Response(None, 204, headers=_headers(shown))


_csv = lru_cache(maxsize=1)(write_csv)
_described = lru_cache(maxsize=1)(describe_tiles)
_tile = lru_cache(maxsize=_TILES_KEPT)(cut_tile)


def _find(publications: Publications, principal: Principal) -> PublicFile:
    """Return what this principal may read; that it may not is not told apart from that there is nothing."""
    shown = publications.find_public()
    if shown is None or not (shown.audience == "public" or principal.is_staff):
        raise NotFoundError("no capacity is published")
    return shown


def _answer(request: Request, shown: PublicFile, content: bytes, media_type: str) -> Response:
    headers = _headers(shown)
    if has_current(request, headers["ETag"]):
        return Response(None, 304, headers=headers)
    return Response(content, headers=headers, media_type=media_type)


def _headers(shown: PublicFile) -> dict[str, str]:
    is_public = shown.audience == "public"
    kept = f"public, max-age={CACHE_S}, must-revalidate" if is_public else "private, no-store"
    return {"ETag": f'"{shown.content_sha256}"', "Cache-Control": kept}


_CODE: Schema = {
    "type": ["string", "null"],
    "description": "class of the legend; suppressed, unknown and zero are three different things",
}
_FLAG: Schema = {"type": ["boolean", "null"], "description": "on the negative list; null: not known or not published"}
_HEAD: dict[str, Schema] = {
    "format": {"const": "gridscheme-publication/1"},
    "publication_id": {"type": "string"},
    "data_month": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"},
    "basis_sha256": {"type": "string", "description": "names the frozen state of grid and ledger"},
    "note": {"type": "string"},
    "method": {"type": "array", "items": {"type": "string"}},
    "legend": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "class": {"type": "string"},
                "open_kva_min": {"type": ["number", "null"]},
                "open_kva_below": {"type": ["number", "null"]},
                "label": {"type": "string"},
            },
            "required": ["class", "open_kva_min", "open_kva_below", "label"],
        },
    },
}
_LEGEND: Schema = {"type": "object", "properties": _HEAD, "required": list(_HEAD)}
_TOLD: dict[str, Any] = {
    "class": _CODE,
    "is_restricted": _FLAG,
    "surroundings_class": _CODE,
    "surroundings_is_restricted": _FLAG,
    "block_id": {"type": "string"},
}
_SQUARE: Schema = {
    "type": "object",
    "properties": {
        "type": {"const": "Feature"},
        "id": {"type": "string"},
        "geometry": {"type": "object"},
        "properties": {"type": "object", "properties": _TOLD, "required": list(_TOLD), "additionalProperties": False},
    },
    "required": ["type", "id", "geometry", "properties"],
    "additionalProperties": False,
}
_CAPACITY: Schema = {
    "type": "object",
    "properties": {
        "type": {"const": "FeatureCollection"},
        **_HEAD,
        "features": {"type": "array", "items": _SQUARE},
    },
    "required": ["type", *_HEAD, "features"],
    "additionalProperties": False,
}
_TILE_JSON: Schema = {
    "type": "object",
    "properties": {
        "tilejson": {"const": "3.0.0"},
        "tiles": {"type": "array", "items": {"type": "string"}},
        "minzoom": {"type": "integer"},
        "maxzoom": {"type": "integer"},
        "bounds": {
            "type": "array",
            "items": {"type": "number"},
            "description": "west, south, east, north (degrees); left out where there is no square",
        },
        "vector_layers": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["tilejson", "tiles", "minzoom", "maxzoom", "vector_layers"],
    "additionalProperties": False,
}
