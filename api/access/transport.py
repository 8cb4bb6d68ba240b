"""Refuses what did not come over TLS, where the service is reached by others."""

from __future__ import annotations

import ipaddress

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem

_REMEMBER_TLS = "max-age=31536000"


class RequireTls:
    """ASGI middleware: only https, said so by the connection itself or by a trusted proxy; this machine may do without.

    Whose word counts is decided before: the server replaces scheme and address only for trusted proxies.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_secure = scope.get("scheme") == "https"

        async def send_with_header(message: Message) -> None:
            if is_secure and message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("Strict-Transport-Security", _REMEMBER_TLS)
            await send(message)

        if is_secure or _is_this_machine(scope):
            await self._app(scope, receive, send_with_header)
            return
        refusal = problem(403, code="http.tls", title="this service answers over https only")
        await refusal(scope, receive, send)


def _is_this_machine(scope: Scope) -> bool:
    client = scope.get("client")
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False
