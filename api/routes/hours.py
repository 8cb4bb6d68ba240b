"""Open capacity by hour, where the service was given load curves (负荷曲线)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Path, Request, Response

from api.capacity_files import plain
from api.grid_views import Moment
from api.openapi import reference, response_of
from api.routes.backend import Backend
from api.routes.grid import NodeId
from api.routes.grid_answers import NOT_MODIFIED, Engineer, answer_json
from gridmodel.errors import NotFoundError

HOURS_MAX = 100_000
HourNo = Annotated[
    int, Path(ge=0, lt=HOURS_MAX, description="place of the hour in ``hours`` of /v1/grid", examples=[0])
]


def add_hours(app: FastAPI, backend: Backend) -> None:
    """Add the calls to ``app``; they come before those whose path ends with the id of a node."""

    @app.get(
        "/v1/nodes/{node_id:path}/hours",
        tags=["grid"],
        summary="One node in every hour",
        responses={200: response_of("The hours", reference("NodeHours")), 304: NOT_MODIFIED, 404: {}},
        response_class=Response,
    )
    def get_node_hours(principal: Engineer, request: Request, node_id: NodeId) -> Response:
        """Each hour for itself, every live hold connected in all of them. 404 with code ``hours.none`` where there are
        no load curves, 503 while it is worked out."""
        return answer_json(request, backend, lambda moment: _node_hours(backend, moment, node_id))

    @app.get(
        "/v1/capacity/hours/{hour}",
        tags=["grid"],
        summary="Every node in one hour",
        responses={200: response_of("The hour", reference("HourCapacity")), 304: NOT_MODIFIED, 404: {}},
        response_class=Response,
    )
    def get_hour(principal: Engineer, request: Request, hour: HourNo) -> Response:
        """404 with code ``hours.none`` where there are no load curves, 503 while it is worked out."""
        return answer_json(request, backend, lambda moment: _hour(backend, moment, hour))


def _node_hours(backend: Backend, moment: Moment, node_id: str) -> dict[str, Any]:
    grid = backend.grid.grid_of(moment)
    position = grid.position_of_node.get(node_id)
    if position is None:
        raise NotFoundError("no such node", allowed="a node_id of the grid")
    found = backend.hours.of_node(moment, int(grid.layout.nodes.bus[position]))
    return {
        "hours": list(found.hours),
        "open_kva": plain(found.open_kva[:, 0]),
        "limit_kind": plain(found.limit_kind[:, 0]),
    }


def _hour(backend: Backend, moment: Moment, hour: int) -> dict[str, Any]:
    from scheme.grid_map.state import KVA_DECIMALS

    curves = backend.services.curves
    if curves is not None and hour >= len(curves.hours):
        raise NotFoundError("no such hour", allowed=f"0 to {len(curves.hours) - 1}")
    found = backend.hours.of_hour(moment, hour)
    return {
        "hour": found.hours[0],
        "bus": found.bus.tolist(),
        "open_kva": plain(found.open_kva[0].round(KVA_DECIMALS)),
    }
