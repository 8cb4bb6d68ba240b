"""What every HTTP exchange passes: only known host names, bounded request lines and headers, security headers."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ProblemResponse, problem

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
TARGET_BYTES_MAX = 8_192
HEADER_BYTES_MAX = 16_384
HEADERS_MAX = 100
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_STRICT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "worker-src 'self' blob:; frame-ancestors 'none'"
)
_DOCS_PATHS = ("/docs", "/redoc", "/static-offline-docs")


class Guard:
    """ASGI middleware; refuses host names that are not allowed, so that a web page elsewhere cannot reach the service
    by pointing its own name at this machine."""

    def __init__(self, app: ASGIApp, allowed_hosts: Collection[str]) -> None:
        self._app = app
        self._allowed_hosts = frozenset(allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        policy = _DOCS_POLICY if scope["path"].startswith(_DOCS_PATHS) else _STRICT_POLICY

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in {**_HEADERS, "Content-Security-Policy": policy}.items():
                    headers.setdefault(name, value)
            await send(message)

        app = self._refusal(scope) or self._app
        await app(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> ProblemResponse | None:
        if _host_name(Headers(scope=scope).get("host", "")) not in self._allowed_hosts:
            return problem(421, code="http.host", title="this service does not answer under this host name")
        if len(scope["headers"]) > HEADERS_MAX or sum(map(_size, scope["headers"])) > HEADER_BYTES_MAX:
            return problem(431, code="http.431", title="the headers are too large")
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > TARGET_BYTES_MAX:
            return problem(414, code="http.414", title="the address is too long")
        return None


def _size(header: tuple[bytes, bytes]) -> int:
    name, value = header
    return len(name) + len(value)


def _host_name(host: str) -> str:
    """Return the name in a Host header without its port."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdecimal() and not name.endswith(":") else host.lower()
