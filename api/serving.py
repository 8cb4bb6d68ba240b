"""Run the web service: for this machine alone, or for others once authentication, TLS and host names are stated."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from api.exposure import Exposure, check_certificate, decide_exposure, parse_address
from gridmodel.errors import InputError

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from api.access.keys import LocalKeys
    from api.jobs.process import WorkerProcess
    from api.services import Services
    from api.settings import Settings

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
PORT_MAX = 65_535
_WORKER_STARTS_WITHIN_S = 120
"""A process that loads the calculations answers nobody for a while; killed sooner it would never come up."""

OpenServices = Callable[[], "Services"]
"""Opens the store; with several processes each opens its own, so it must be picklable."""


def serve(
    open_services: OpenServices,
    *,
    host: str,
    port: int,
    announce: Callable[[str], None],
    settings: Settings | None = None,
    start_worker: Callable[[], WorkerProcess] | None = None,
) -> None:
    """Serve until interrupted; ``announce`` is called with lines for people once the port is bound.

    Args:
        open_services: Opens the store and its calculations.
        host: Address to listen on.
        port: 0 lets the system choose.
        announce: Writes one line for people.
        settings: Those of the environment by default.
        start_worker: Starts the process that does the jobs and ends with the service; ``None`` where somebody else
            runs it.

    Raises:
        InputError: The port is taken, or others could reach the service without what that takes.
        SelfCheckError: Promises could be lost on this store.
    """
    from api.access.opening import has_authentication
    from api.settings import load_settings

    settings = load_settings() if settings is None else settings
    services = open_services()
    _check_store(services, settings, announce)
    is_configured = has_authentication(settings, services.store)
    exposure = decide_exposure(host, settings, has_authentication=is_configured)
    check_certificate(settings)
    _check_workers(settings, services, has_authentication=is_configured)
    listener = bind(host, port)
    try:
        local = None if is_configured else _announce_local_keys(announce, _url(listener, settings))
        if services.store.find_current_sha256() is None:
            announce("尚未导入电网数据,请先运行 gridscheme import SOURCE")
        application: FastAPI | Callable[[], FastAPI]
        if settings.workers == 1:
            application = create_application(lambda: services, settings, exposure, local)
        else:
            services.store.close()
            application = partial(create_application, open_services, settings, exposure, None)
        config = configure_server(application, settings)
        announce(f"服务地址 {_url(listener, settings)} (Ctrl-C 结束)")
        with suppress(KeyboardInterrupt), _working(start_worker):
            _run(config, listener)
    finally:
        listener.close()


@contextmanager
def _working(start_worker: Callable[[], WorkerProcess] | None) -> Iterator[None]:
    """Have the jobs done while the block runs."""
    worker = None if start_worker is None else start_worker()
    try:
        yield
    finally:
        if worker is not None:
            worker.stop()


def create_application(
    open_services: OpenServices, settings: Settings, exposure: Exposure, local: LocalKeys | None
) -> FastAPI:
    """Return the web application as one process serves it; the start fails where an operation declares no roles."""
    from api.access import check_every_route_declares_roles
    from api.access.opening import open_access
    from api.access.transport import RequireTls
    from api.app import create_app

    services = open_services()
    access = open_access(settings, services.store, local=local)
    app = create_app(
        services,
        access=access,
        allowed_hosts=exposure.hosts,
        has_docs=exposure.has_docs,
        public_db=settings.public_db,
        basemap=settings.basemap,
    )
    check_every_route_declares_roles(app)
    if exposure.is_exposed:
        app.add_middleware(RequireTls)
    app.state.capacity_tables.start()
    app.state.admission.start()
    app.state.publications.mirror()
    return app


def configure_server(application: FastAPI | Callable[[], FastAPI], settings: Settings) -> uvicorn.Config:
    """Return the server's configuration: nobody's word about an address counts but that of the trusted proxies.

    Args:
        application: With several processes what makes one, called once in each.
        settings: Processes, proxies, certificate.
    """
    import uvicorn

    return uvicorn.Config(
        application,
        factory=settings.workers > 1,
        log_level="warning",
        access_log=False,  # its lines would carry queries
        server_header=False,
        lifespan="off",
        workers=settings.workers,
        timeout_worker_healthcheck=_WORKER_STARTS_WITHIN_S,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        ssl_certfile=settings.tls_certificate_file,
        ssl_keyfile=settings.tls_key_file,
    )


def parse_port(text: str) -> int:
    """Return a port number; 0 lets the system choose.

    Raises:
        InputError: Not a port.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= PORT_MAX):
        raise InputError("not a port", field="--port", value=text, allowed=f"0 to {PORT_MAX}")
    return int(text)


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address of this machine; nothing listens yet.

    Raises:
        InputError: Not such an address, or the port is taken.
    """
    address = parse_address(host)
    listener = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((str(address), port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise InputError("not an address of this machine", field="--host", value=host) from error
        raise InputError(
            f"the port cannot be used: {error.strerror}", field="--port", value=port, allowed="a free port"
        ) from error
    return listener


def _check_store(services: Services, settings: Settings, announce: Callable[[str], None]) -> None:
    """Say what is not as it must be for promises that are kept; what is fatal keeps the service from starting.

    Raises:
        SelfCheckError: A fatal finding.
    """
    from api.self_check import refuse_fatal, run_self_check

    findings = run_self_check(services.store, public_url=settings.public_db)
    refuse_fatal(findings)
    for finding in findings:
        announce(f"自检:{finding.check}:{finding.problem}")


_FIRST_PAGES = {"customer": "apply", "engineer": "console", "planner": "console/projects", "operator": "operator"}


def _announce_local_keys(announce: Callable[[str], None], url: str) -> LocalKeys:
    """Return one key for each role that lives as long as this process, after showing them once."""
    from api.access.keys import LocalKeys

    local = LocalKeys()
    announce("未配置认证,只服务本机。每种角色一个登录链接,# 之后是密钥;只显示这一次,本次运行结束即失效:")
    for role, key in local.show_once().items():
        announce(f"  {role:<9} {url}{_FIRST_PAGES.get(role, '')}#key={key}")
    return local


def _check_workers(settings: Settings, services: Services, *, has_authentication: bool) -> None:
    if settings.workers == 1:
        return
    if services.store.dialect != "postgresql":
        raise InputError(
            "an SQLite file is served by one process", field="--workers", value=settings.workers, allowed="1"
        )
    if not has_authentication:
        raise InputError(
            "keys of one process cannot be shared by several",
            field="--workers",
            value=settings.workers,
            allowed="1; or first: gridscheme key create",
        )


def _url(listener: socket.socket, settings: Settings) -> str:
    name, port = listener.getsockname()[:2]
    scheme = "http" if settings.tls_certificate_file is None else "https"
    return f"{scheme}://{f'[{name}]' if ':' in name else name}:{port}/"


def _run(config: uvicorn.Config, listener: socket.socket) -> None:
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    if config.workers == 1:
        uvicorn.Server(config).run(sockets=[listener])
    else:
        Multiprocess(config, sockets=[listener]).run()
