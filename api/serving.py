"""Run the web service on this machine only: without configured authentication no other address is served."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from gridmodel.errors import InputError

if TYPE_CHECKING:
    from api.services import Services

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
PORT_MAX = 65_535


def serve(services: Services, *, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve until interrupted; ``announce`` is called with lines for people once the port is bound.

    Raises:
        InputError: The host is not a loopback address, or the port is taken.
    """
    listener = bind(host, port)
    try:
        import uvicorn

        from api.app import create_app

        app = create_app(services)
        app.state.capacity_tables.start()
        config = uvicorn.Config(app, log_level="warning", server_header=False, lifespan="off")
        name, bound_port = listener.getsockname()[:2]
        if services.store.find_current_sha256() is None:
            announce("尚未导入电网数据,请先运行 gridscheme import SOURCE")
        announce(f"服务地址 http://{f'[{name}]' if ':' in name else name}:{bound_port}/ (Ctrl-C 结束)")
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        listener.close()


def parse_port(text: str) -> int:
    """Return a port number; 0 lets the system choose.

    Raises:
        InputError: Not a port.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= PORT_MAX):
        raise InputError("not a port", field="--port", value=text, allowed=f"0 to {PORT_MAX}")
    return int(text)


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to a loopback address.

    Raises:
        InputError: The host is not a loopback address, or the port is taken.
    """
    address = "127.0.0.1" if host == "localhost" else host.strip("[]")
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError as error:
        raise InputError("not an address of this machine", field="--host", value=host, allowed=_ALLOWED) from error
    if not parsed.is_loopback:
        raise InputError(
            "authentication is not configured, so only this machine is served",
            field="--host",
            value=host,
            allowed=_ALLOWED,
        )
    listener = socket.socket(socket.AF_INET6 if parsed.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((str(parsed), port))
    except OSError as error:
        listener.close()
        raise InputError(
            f"the port cannot be used: {error.strerror}", field="--port", value=port, allowed="a free port"
        ) from error
    return listener


_ALLOWED = "127.0.0.1, ::1 or localhost"
