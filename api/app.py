"""HTTP: answer a request, read schemes and documents, read open capacity. Loopback only, so there are no roles yet."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import FastAPI, Path, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi_offline import FastAPIOffline

from api.capacity_files import CONTRACT_COLUMNS, NOT_ADDITIVE, contract_table, features
from api.capacity_tables import CapacityTables
from api.errors import install_error_handlers
from api.guard import LOOPBACK_HOSTS, Guard
from api.inputs import KEY_HEADER, IdempotencyKey, JsonBody, parse_bbox
from api.openapi import PROBLEMS, describe, reference, response_of
from api.policy_routes import add_policy
from api.services import Services, product_version
from gridmodel.errors import DomainError, NotFoundError
from scheme.request import parse_request

if TYPE_CHECKING:
    import pandas as pd

PAGE_ROWS_MAX = 5_000
PAGE_ROWS = 1_000
OFFSET_MAX = 10_000_000
DOCUMENTS = {
    "json": ("scheme.json", "application/json"),
    "docx": ("scheme.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "pdf": ("scheme.pdf", "application/pdf"),
    "diagram": ("diagram.svg", "image/svg+xml"),
    "map": ("map.svg", "image/svg+xml"),
}
_SCHEME = reference("Scheme")
_FILES = {
    "description": "The file",
    "content": {media_type: {"schema": {"type": "string"}} for _, media_type in DOCUMENTS.values()},
}
_PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>gridscheme</title>
<style>body{font:16px/1.6 sans-serif;max-width:44em;margin:3em auto;padding:0 1em}code{background:#eee;padding:0 .3em}
</style><h1>gridscheme</h1><p>配电网可开放容量、就近接入与供电方案。</p><ul>
<li><a href="/docs">接口说明</a>(<a href="/openapi.json">OpenAPI</a>)</li>
<li><a href="/v1/capacity?limit=100">可开放容量(GeoJSON)</a>,各节点数值不可相加</li>
<li><code>POST /v1/schemes</code> 生成供电方案,须带 <code>Idempotency-Key</code></li>
<li><a href="/health">运行状态</a></li></ul></html>"""

SchemeId = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


def create_app(services: Services, *, allowed_hosts: Collection[str] = LOOPBACK_HOSTS) -> FastAPI:
    """Return the web application over ``services``.

    Args:
        services: Store and calculations.
        allowed_hosts: Host names the service answers under.
    """
    app: FastAPI = FastAPIOffline(
        title="gridscheme",
        version=product_version(),
        description="配电网可开放容量、就近接入与供电方案",
        responses=PROBLEMS,
    )
    tables = CapacityTables(services)
    app.state.capacity_tables = tables
    install_error_handlers(app)
    app.add_middleware(Guard, allowed_hosts=allowed_hosts)
    _add_pages(app, services)
    _add_schemes(app, services, tables)
    _add_capacity(app, tables)
    add_policy(app, services)
    describe(app)
    return app


def _add_pages(app: FastAPI, services: Services) -> None:
    @app.get("/", include_in_schema=False)
    def index() -> HTMLResponse:
        return HTMLResponse(_PAGE)

    @app.get("/health", summary="Is the service alive")
    def health() -> dict[str, Any]:
        """Answer 200 while the process is alive; ``store`` and ``snapshot_sha256`` say what it can do."""
        try:
            snapshot, store = services.store.find_current_sha256(), "ok"
        except DomainError as error:
            snapshot, store = None, error.code
        return {"status": "ok", "version": product_version(), "store": store, "snapshot_sha256": snapshot}


def _add_schemes(app: FastAPI, services: Services, tables: CapacityTables) -> None:
    @app.post(
        "/v1/schemes",
        status_code=201,
        summary="Answer a request with a supply scheme",
        responses={201: response_of("The scheme", _SCHEME)},
        response_class=Response,
        openapi_extra={
            "parameters": [KEY_HEADER],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": reference("SupplyRequest")}},
            },
        },
    )
    def create_scheme(body: JsonBody, key: IdempotencyKey) -> Response:
        """A refusal (``joint_work``) is an answer, too: 201. The same key with the same request returns the stored
        answer; with another request it is refused with 422, a missing or malformed key with 400."""
        answer = services.answer(parse_request(body), find_capacity=tables.find, idempotency_key=key)
        headers = {"Location": f"/v1/schemes/{answer.stored.scheme_id}"}
        if answer.is_replayed:
            headers["Idempotency-Replayed"] = "true"
        return Response(answer.stored.content, 201, headers=headers, media_type="application/json")

    @app.get(
        "/v1/schemes/{scheme_id}",
        summary="Read a scheme",
        responses={200: response_of("The scheme", _SCHEME)},
        response_class=Response,
    )
    def get_scheme(scheme_id: SchemeId) -> Response:
        return Response(services.store.get_scheme(scheme_id).content, media_type="application/json")

    @app.get(
        "/v1/schemes/{scheme_id}/documents/{kind}",
        summary="Download a document",
        responses={200: _FILES},
        response_class=Response,
    )
    def get_document(
        scheme_id: SchemeId, kind: Annotated[str, Path(description=f"one of {', '.join(DOCUMENTS)}")]
    ) -> Response:
        if kind not in DOCUMENTS:
            raise NotFoundError("no such kind of document", allowed=", ".join(DOCUMENTS))
        file, media_type = DOCUMENTS[kind]
        content = services.store.get_document(scheme_id, file)
        headers = {"Content-Disposition": f'attachment; filename="{scheme_id}-{file}"'}
        return Response(content, media_type=media_type, headers=headers)


def _add_capacity(app: FastAPI, tables: CapacityTables) -> None:
    @app.get(
        "/v1/capacity",
        summary="Open capacity of the nodes as GeoJSON",
        responses={200: response_of("One page of nodes", reference("Capacity"), "application/geo+json")},
        response_class=Response,
    )
    def get_capacity(
        bbox: Annotated[str | None, Query(max_length=200, description="minlon,minlat,maxlon,maxlat")] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = PAGE_ROWS,
        offset: Annotated[int, Query(ge=0, le=OFFSET_MAX)] = 0,
    ) -> JSONResponse:
        """Figures of different nodes are not additive. While the table is being computed the answer is 503."""
        box = None if bbox is None else parse_bbox(bbox)
        table = contract_table(tables.get())
        if box is not None:
            table = _within(table, box)
        page = table.iloc[offset : offset + limit]
        links = [{"rel": "self", "href": _page_url(bbox, limit, offset)}]
        if offset + limit < len(table):
            links.append({"rel": "next", "href": _page_url(bbox, limit, offset + limit)})
        content = {
            "type": "FeatureCollection",
            "note": NOT_ADDITIVE,
            "columns": list(CONTRACT_COLUMNS),
            "numberMatched": len(table),
            "numberReturned": len(page),
            "links": links,
            "features": features(page),
        }
        return JSONResponse(content, media_type="application/geo+json")


def _within(table: pd.DataFrame, box: tuple[float, float, float, float]) -> pd.DataFrame:
    west, south, east, north = box
    return table[table["lon_deg"].between(west, east) & table["lat_deg"].between(south, north)]


def _page_url(bbox: str | None, limit: int, offset: int) -> str:
    box = {} if bbox is None else {"bbox": bbox}
    return "/v1/capacity?" + urlencode({**box, "limit": limit, "offset": offset})
