"""Open capacity (可开放容量) of the nodes, in full detail."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import FastAPI, Query
from fastapi.responses import JSONResponse

from api.access import Principal, allow
from api.capacity_files import CONTRACT_COLUMNS, NOT_ADDITIVE, contract_table, features
from api.inputs import Bbox, parse_bbox
from api.openapi import reference, response_of
from api.routes.backend import Backend
from api.routes.boxes import within

NODES_MAX = 5_000
NODES = 1_000
OFFSET_MAX = 10_000_000


def add_capacity(app: FastAPI, backend: Backend) -> None:
    """Add the calls about open capacity to ``app``."""

    @app.get(
        "/v1/capacity",
        tags=["capacity"],
        summary="Open capacity of the nodes as GeoJSON",
        responses={200: response_of("One page of nodes", reference("Capacity"), "application/geo+json")},
    )
    def get_capacity(
        principal: Annotated[Principal, allow("engineer", "planner")],
        bbox: Bbox = None,
        limit: Annotated[int, Query(ge=1, le=NODES_MAX)] = NODES,
        offset: Annotated[int, Query(ge=0, le=OFFSET_MAX)] = 0,
    ) -> JSONResponse:
        """Figures of different nodes are not additive. While the table of a new grid is computed the answer is 503.

        Rows are net of every live hold up to entry ``ledger_seq`` of the ledger, which is not older than the question:
        what a change before it made stale is computed again first.
        """
        box = None if bbox is None else parse_bbox(bbox)
        found = backend.tables.get()
        table = contract_table(found)
        if box is not None:
            table = within(table, box)
        page = table.iloc[offset : offset + limit]
        links = [{"rel": "self", "href": _page_url(bbox, limit, offset)}]
        if offset + limit < len(table):
            links.append({"rel": "next", "href": _page_url(bbox, limit, offset + limit)})
        content = {
            "type": "FeatureCollection",
            "note": NOT_ADDITIVE,
            "ledger_seq": found.attrs["ledger_seq"],
            "ledger_sha256": found.attrs["ledger_sha256"],
            "columns": list(CONTRACT_COLUMNS),
            "numberMatched": len(table),
            "numberReturned": len(page),
            "links": links,
            "features": features(page),
        }
        return JSONResponse(content, media_type="application/geo+json")


def _page_url(bbox: str | None, limit: int, offset: int) -> str:
    box = {} if bbox is None else {"bbox": bbox}
    return "/v1/capacity?" + urlencode({**box, "limit": limit, "offset": offset})
