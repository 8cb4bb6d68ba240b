"""The grid in full detail as vector tiles (矢量瓦片)."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Path, Request, Response

from api.openapi import response_of
from api.routes.backend import Backend
from api.routes.grid_answers import NOT_MODIFIED, Engineer, answer
from gridmodel.errors import NotFoundError
from scheme.grid_map.mercator import ZOOM_MAX

TILE = "application/vnd.mapbox-vector-tile"
_TILE_MAX = 2**ZOOM_MAX - 1
_Zoom = Annotated[int, Path(ge=0, le=ZOOM_MAX, description="level of the tile", examples=[12])]
_Column = Annotated[int, Path(ge=0, le=_TILE_MAX, description="column from the west", examples=[3355])]
_Row = Annotated[int, Path(ge=0, le=_TILE_MAX, description="row from the north", examples=[1647])]


def add_tiles(app: FastAPI, backend: Backend) -> None:
    """Add the call to ``app``."""

    @app.get(
        "/v1/tiles/{z}/{x}/{y}.mvt",
        tags=["grid"],
        summary="Nodes and lines as a vector tile",
        responses={
            200: response_of("The tile", {"type": "string", "format": "binary"}, TILE),
            204: {"description": "Nothing of the grid is there"},
            304: NOT_MODIFIED,
        },
        response_class=Response,
    )
    def get_tile(principal: Engineer, request: Request, z: _Zoom, x: _Column, y: _Row) -> Response:
        """Mapbox Vector Tile 2 in Web Mercator: layers ``lines``, ``nodes`` (from level 11; low voltage from level 14)
        and, below level 11, ``cells``. Figures are net of every live hold and not additive; what is not known is left
        out. A layer whose features say ``thinned`` does not show all there is at this level."""
        if max(x, y) >= 2**z:
            raise NotFoundError("no such tile at this level", allowed=f"0 to {2**z - 1}")
        return answer(request, backend, lambda moment: backend.grid.tile(moment, z, x, y), TILE)
