"""Roles on every operation: a dependency of the route itself, never a guess from the path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Request, Security, params
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from api.access.errors import ForbiddenError
from api.access.principal import ROLES, Principal, Role
from api.web.pages import PAGE_PATHS

if TYPE_CHECKING:
    from api.access.access import Access

OPEN_PATHS = frozenset(
    {
        *PAGE_PATHS,
        "/health",
        "/healthz",
        "/openapi.json",
        "/docs",
        "/docs/oauth2-redirect",
        "/redoc",
        "/static-offline-docs",
    }
)
"""What answers without a key, and tells nothing but that the service is there, what its pages look like empty and
how it is called."""

_ROLES_OF = "gridscheme_roles"
_BEARER = HTTPBearer(auto_error=False, scheme_name="bearer", description="OIDC access token, or an API key gsk_...")
_KEY = APIKeyHeader(name="X-API-Key", auto_error=False, scheme_name="key", description="API key gsk_...")


def allow(*roles: Role) -> params.Depends:
    """Return the dependency that lets only these roles in and yields the principal.

    Written first among the parameters of an operation, so that nothing of a request is read before it is known who
    asks: ``principal: Annotated[Principal, allow("engineer")]``. ``public`` lets in anyone.

    Raises:
        ValueError: No role, or an unknown one.
    """
    if not roles or set(roles) - set(ROLES):
        raise ValueError(f"roles must be some of {', '.join(ROLES)}; got {', '.join(roles) or 'none'}")
    allowed = frozenset(roles)

    def admit(
        request: Request,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
        key: Annotated[str | None, Security(_KEY)],
    ) -> Principal:
        del bearer, key  # declared for the API's description; read by Access, which refuses what is malformed
        access: Access = request.app.state.access
        principal = access.identify(request, is_public="public" in allowed)
        if not allowed & (principal.roles | {"public"}):
            raise ForbiddenError(
                "none of the roles of this key or token allows this", allowed=", ".join(sorted(allowed))
            )
        return principal

    setattr(admit, _ROLES_OF, allowed)
    dependency: params.Depends = Security(admit)
    return dependency


def check_every_route_declares_roles(app: FastAPI) -> None:
    """Refuse an application with an operation that says nothing about who may call it.

    Raises:
        RuntimeError: Names every such route, and those that declare their roles behind another dependency.
    """
    silent = [name for name, roles in _declared(app) if roles is None]
    if silent:
        raise RuntimeError(f"routes that do not declare their roles first: {', '.join(silent)}")


def roles_by_operation(app: FastAPI) -> dict[str, frozenset[Role]]:
    """Return the roles of every operation (``GET /v1/schemes/{scheme_id}``) that needs one."""
    return {name: roles for name, roles in _declared(app) if roles is not None and roles}


def _declared(app: FastAPI) -> Iterator[tuple[str, frozenset[Role] | None]]:
    """Yield every operation with its roles: none for an open path, ``None`` where they are not declared."""
    for route in iter_route_contexts(app.routes):
        path = route.path or ""
        name = f"{','.join(sorted(route.methods or ())) or 'ANY'} {path or route.name}"
        if path in OPEN_PATHS or (path == "" and route.name == "static-offline-docs"):
            yield name, frozenset()
        elif isinstance(route.original_route, APIRoute):
            yield name, _first_roles(route.dependant)
        else:
            yield name, None  # mounts, web sockets and plain routes cannot declare roles


def _first_roles(dependant: Any) -> frozenset[Role] | None:
    for dependency in dependant.dependencies[:1]:
        roles: frozenset[Role] | None = getattr(dependency.call, _ROLES_OF, None)
        return roles
    return None
