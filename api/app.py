"""The HTTP interface put together: guards around it, calls in it, its description."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.gzip import GZipMiddleware

from api.access import Access, check_every_route_declares_roles, install_access
from api.admission import Admission
from api.capacity_tables import CapacityTables
from api.errors import install_error_handlers
from api.grid_views import GridViews
from api.guard import LOOPBACK_HOSTS, Guard
from api.hour_views import HourViews
from api.jobs.durable import DurableJobs, jobs_url
from api.observability import Observed, configure_logs, instrument
from api.openapi import describe
from api.publications import Publications
from api.routes.assessments import add_assessments
from api.routes.audit import add_audit
from api.routes.backend import Backend
from api.routes.capacity import add_capacity
from api.routes.features import add_features
from api.routes.feeders import add_feeders
from api.routes.grid import add_grid
from api.routes.guide import add_guide
from api.routes.holds import add_holds
from api.routes.hours import add_hours
from api.routes.jobs import add_jobs
from api.routes.operations import add_operations
from api.routes.oversight import add_oversight
from api.routes.policy import add_policy
from api.routes.projects import add_projects
from api.routes.public import add_public
from api.routes.publications import add_publications
from api.routes.queue import add_queue
from api.routes.scenarios import add_scenarios
from api.routes.scheme_profiles import add_scheme_profiles
from api.routes.schemes import add_schemes
from api.routes.site_checks import add_site_checks
from api.routes.snapshots import add_snapshots
from api.routes.strict import StrictRoute
from api.routes.tiles import add_tiles
from api.routes.uploads import add_uploads
from api.routes.writes import Writes
from api.services import Services, product_version
from api.web.basemap import Basemap
from api.web.pages import add_pages

_COMPRESSED_BYTES_MIN = 1_000
_COMPRESSION = 5
"""Of answers made for one question: most of the gain at a third of the time of the highest level."""


def create_app(
    services: Services,
    *,
    access: Access | None = None,
    allowed_hosts: Collection[str] = LOOPBACK_HOSTS,
    has_docs: bool = True,
    public_db: str | None = None,
    basemap: Basemap | None = None,
) -> FastAPI:
    """Return the web application over ``services``.

    Args:
        services: Store and calculations.
        access: Finds out who is asking; where it is installed later, no operation answers before.
        allowed_hosts: Host names the service answers under.
        has_docs: Whether the pages that explain the calls are there.
        public_db: Database of what is published; the file beside an SQLite store by default.
        basemap: What lies under the grid on the pages' maps; nothing by default.
    """
    configure_logs()
    told: dict[str, Any] = {
        "title": "gridscheme",
        "version": product_version(),
        "description": "配电网可开放容量、就近接入与供电方案",
        "redirect_slashes": False,
    }
    app: FastAPI = FastAPIOffline(**told) if has_docs else FastAPI(**told, docs_url=None, redoc_url=None)
    app.router.route_class = StrictRoute
    backend = _open_backend(app, services)
    install_error_handlers(app)
    if access is not None:
        install_access(app, access)
    app.add_middleware(GZipMiddleware, minimum_size=_COMPRESSED_BYTES_MIN, compresslevel=_COMPRESSION)
    app.add_middleware(Guard, allowed_hosts=allowed_hosts)
    app.add_middleware(Observed)
    add_operations(app, backend)
    add_schemes(app, backend)
    add_site_checks(app, backend)
    add_holds(app, backend)
    add_queue(app, backend)
    add_scheme_profiles(app, backend)
    add_projects(app, backend)
    add_scenarios(app, backend)
    add_assessments(app, backend)
    add_snapshots(app, backend)
    add_jobs(app, backend)
    add_uploads(app, backend)
    add_audit(app, backend)
    add_oversight(app, backend, public_db)
    add_capacity(app, backend)
    add_features(app, backend)
    add_tiles(app, backend)
    add_hours(app, backend)
    add_grid(app, backend)
    add_feeders(app, backend)
    add_policy(app, backend)
    publications = Publications(services, backend.tables, public_db)
    app.state.publications = publications
    add_public(app, publications)
    add_guide(app, backend)
    add_publications(app, backend, publications)
    add_pages(app, basemap)
    check_every_route_declares_roles(app)
    describe(app)
    return app


def _open_backend(app: FastAPI, services: Services) -> Backend:
    """Return what the calls are answered from; ``app.state`` holds what a process starts and waits for."""
    tables = CapacityTables(services)
    views = GridViews(services, tables)
    backend = Backend(
        services=services,
        tables=tables,
        grid=views,
        hours=HourViews(services, views),
        admission=Admission(services, moved=tables.refresh_soon),
        writes=Writes(services.store),
        jobs=DurableJobs(jobs_url(services.store)),
        metrics=instrument(app),
    )
    app.state.capacity_tables, app.state.admission, app.state.hours = tables, backend.admission, backend.hours
    return backend
