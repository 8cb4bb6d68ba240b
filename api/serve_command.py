"""``gridscheme serve``: options of the command line over the settings of the environment."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.options import Shared, command

if TYPE_CHECKING:
    from api.jobs.process import WorkerProcess
    from api.services import Services
    from gridmodel.profiles import LoadProfiles


def add_serve(app: typer.Typer) -> None:
    """Register the command."""

    @command(app, "serve")
    def serve(
        shared: Shared,
        host: Annotated[str, typer.Option(help="监听地址")] = "127.0.0.1",
        port: Annotated[str, typer.Option(metavar="NUMBER", help="端口;0 由系统选择")] = "8000",
        trusted_host: Annotated[list[str] | None, typer.Option(metavar="NAME", help="对外主机名,可多次给出")] = None,
        tls_certificate: Annotated[Path | None, typer.Option(metavar="FILE", help="TLS 证书(PEM)")] = None,
        tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="TLS 私钥(PEM)")] = None,
        tls_terminated_by_proxy: Annotated[
            bool, typer.Option("--tls-terminated-by-proxy", help="TLS 由前置反向代理终止;须给出 --trusted-proxy")
        ] = False,
        trusted_proxy: Annotated[
            list[str] | None, typer.Option(metavar="ADDRESS", help="可信反向代理的地址或网段,可多次给出")
        ] = None,
        workers: Annotated[int | None, typer.Option(metavar="NUMBER", help="进程数;多于 1 只用于 PostgreSQL")] = None,
        curves: Annotated[
            Path | None, typer.Option("--curves", metavar="FILE", help="负荷曲线表(.csv),用于分时可开放容量")
        ] = None,
        no_worker: Annotated[
            bool, typer.Option("--no-worker", help="不随服务启动后台任务进程;另行运行 gridscheme worker")
        ] = False,
    ) -> int:
        """启动 HTTP 服务。未配置认证时只监听本机,并显示一次性的本机密钥;对外监听须配置认证并说明 TLS 在何处终止。"""
        from api.exposure import parse_address
        from api.report import note
        from api.serving import bind, parse_port
        from api.serving import serve as run_service
        from api.settings import load_settings

        number = parse_port(port)
        settings = load_settings(
            trusted_hosts=tuple(trusted_host) if trusted_host else None,
            tls_certificate_file=tls_certificate,
            tls_key_file=tls_key,
            tls_terminated_by_proxy=tls_terminated_by_proxy or None,
            trusted_proxies=tuple(trusted_proxy) if trusted_proxy else None,
            workers=workers,
        )
        if parse_address(host).is_loopback:
            bind(host, number).close()  # a port that is taken is said at once, before anything is opened
        read_curves(curves)  # a file that cannot be read is said at once
        worker = None if no_worker else partial(start_worker, shared)
        run_service(
            partial(open_services, shared, curves),
            host=host,
            port=number,
            announce=note,
            settings=settings,
            start_worker=worker,
        )
        return 0


def open_services(shared: Shared, curves: Path | None) -> Services:
    """Return the services of these options, with load curves where they are given."""
    services = shared.open_services()
    services.curves = read_curves(curves)
    return services


def read_curves(path: Path | None) -> LoadProfiles | None:
    """Return load curves.

    Raises:
        InputError: The file is no table of curves.
    """
    from gridmodel.profiles import read_profiles

    return None if path is None else read_profiles(path)


def start_worker(shared: Shared) -> WorkerProcess:
    """Start the worker that goes with a service of these options."""
    from api.jobs.process import WorkerProcess

    options = {"--profile": shared.profile, "--policy": shared.policy_folder, "--as-of": shared.as_of}
    given = [part for name, value in options.items() if value is not None for part in (name, str(value))]
    return WorkerProcess(given, store_url=shared.store_url())
