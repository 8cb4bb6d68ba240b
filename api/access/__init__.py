"""Who may do what: API keys, bearer tokens, roles on every operation."""

from api.access.access import Access, install_access
from api.access.principal import ROLES, Principal, Role
from api.access.routes import allow, check_every_route_declares_roles

__all__ = ["ROLES", "Access", "Principal", "Role", "allow", "check_every_route_declares_roles", "install_access"]
