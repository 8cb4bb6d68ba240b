"""The pages: one HTML frame each that loads its module; it holds no data, so anyone may have it.

What a page shows it asks the HTTP interface for, with the key or token of the person before it: who may not read
something is refused there, whatever page is open.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from api.errors import problem
from api.web.assets import Assets, load_assets
from api.web.basemap import Basemap

FOR_EVER_S = 31_536_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of the product."""

    path: str
    module: str
    """Below ``js/pages/``."""
    title_zh: str
    """Before the module has run; the module sets the title in the language of the reader."""
    has_map: bool = False


PAGES = (
    Page(path="/", module="public_map.js", title_zh="可开放容量地图", has_map=True),
    Page(path="/sign-in", module="sign_in.js", title_zh="登录"),
    Page(path="/apply", module="apply.js", title_zh="用电申请", has_map=True),
    Page(path="/cases", module="cases.js", title_zh="我的申请"),
    Page(path="/cases/{scheme_id}", module="case.js", title_zh="方案比选", has_map=True),
    Page(path="/console", module="console.js", title_zh="电网视图", has_map=True),
    Page(path="/console/queue", module="queue.js", title_zh="申请队列"),
    Page(path="/console/schemes/{scheme_id}", module="scheme.js", title_zh="供电方案", has_map=True),
    Page(path="/console/import", module="import.js", title_zh="导入断面"),
    Page(path="/console/projects", module="projects.js", title_zh="储备项目", has_map=True),
    Page(path="/operator", module="operator.js", title_zh="运行管理"),
)
ASSET_PATH = "/assets/{digest}/{file:path}"
PAGE_PATHS = frozenset({*(page.path for page in PAGES), ASSET_PATH})

_FRAME = """<!doctype html>
<html lang="zh-CN"{basemap}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>{title} · gridscheme</title>
<link rel="icon" href="{icon}">
{links}
<script type="module" src="{script}"></script>
</head>
<body>
<noscript>此页面需要启用 JavaScript。This page needs JavaScript.</noscript>
</body>
</html>
"""


def add_pages(app: FastAPI, basemap: Basemap | None) -> None:
    """Add every page and the files they load to ``app``."""
    assets = load_assets()
    policy = content_policy(basemap)
    for page in PAGES:
        _add_page(app, page, _frame(page, assets, basemap), policy)

    @app.get(ASSET_PATH, include_in_schema=False)
    def get_asset(request: Request, digest: str, file: str) -> Response:
        asset = assets.by_path.get(file)
        if digest != assets.digest or asset is None:
            return problem(404, code="http.404", title="no such file in this version")
        headers = {
            "Cache-Control": f"public, max-age={FOR_EVER_S}, immutable",
            "Vary": "Accept-Encoding",
            "Content-Security-Policy": policy,
        }
        coding, content = asset.choose(request.headers.get("accept-encoding", ""))
        if coding is not None:
            headers["Content-Encoding"] = coding
        return Response(content, headers=headers, media_type=asset.media_type)


def content_policy(basemap: Basemap | None) -> str:
    """Return what the browser may load: files of this service, and the base map the utility has named."""
    own = {
        "default-src": "'none'",
        "script-src": "'self'",
        "worker-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    if basemap is not None:
        own["connect-src"] += f" {basemap.origin}"
        own["img-src"] += f" {basemap.origin}"
    return "; ".join(f"{name} {value}" for name, value in own.items())


def _add_page(app: FastAPI, page: Page, html: str, policy: str) -> None:
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}

    @app.get(page.path, include_in_schema=False)
    def get_page() -> HTMLResponse:
        return HTMLResponse(html, headers=headers)


def _frame(page: Page, assets: Assets, basemap: Basemap | None) -> str:
    styles = ["css/base.css", "css/pages.css"]
    modules = []
    if page.has_map:
        styles.insert(0, "vendor/maplibre-gl/maplibre-gl.css")
        modules.append("vendor/maplibre-gl/maplibre-gl.mjs")
    links = [f'<link rel="stylesheet" href="{assets.url(path)}">' for path in styles]
    links += [f'<link rel="modulepreload" href="{assets.url(path)}">' for path in modules]
    return _FRAME.format(
        title=escape(page.title_zh),
        icon=assets.url("icon.svg"),
        links="\n".join(links),
        script=assets.url(f"js/pages/{page.module}"),
        basemap="" if basemap is None else basemap.attributes(),
    )
