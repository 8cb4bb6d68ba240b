"""Everything a deployment may set, from ``GRIDSCHEME_...``; a name nobody knows is refused, secrets are never shown."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from api.access.principal import Role
from api.access.tokens import ALGORITHMS
from api.web.basemap import Basemap
from gridmodel.errors import InputError

PREFIX = "GRIDSCHEME_"
NOT_SETTINGS = frozenset({"GRIDSCHEME_REQUIRE_PROGRAMS", "GRIDSCHEME_INSTALL_PROGRAMS"})
"""Names with the prefix that the test suite reads, not the service."""

Names = Annotated[tuple[str, ...], NoDecode]
"""Several values separated by commas."""


class Settings(BaseSettings):
    """Settings of the service; the command line's options come before them."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True)

    db: str | None = Field(default=None, repr=False)
    """Store; its URL may carry a password."""
    public_db: str | None = Field(default=None, repr=False)
    """Where publications are kept, apart from the store."""
    policy: Path | None = None
    """The utility's own policy folder."""
    trusted_hosts: Names = ()
    """Host names the service answers under, besides those of this machine."""
    docs: bool | None = None
    """Whether ``/docs`` is there; by default only when this machine alone is served."""
    basemap_url: str | None = None
    """Template of the map tiles under the grid; its host is the only one besides this service a page may load from."""
    basemap_attribution: str = ""
    workers: int = Field(default=1, ge=1, le=64)
    """Processes; more than one only on PostgreSQL."""

    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None
    tls_terminated_by_proxy: bool = False
    """TLS ends at a reverse proxy in front."""
    trusted_proxies: Names = ()
    """Addresses or networks of that proxy: the only ones whose word about the caller's address counts."""

    assessment_workers: int | None = Field(default=None, ge=1, le=64)
    """Processes of this machine an assessment is spread over; one by default, that of the worker."""
    assessment_scheduler: str | None = None
    """Address of a cluster it is spread over instead."""
    cluster_tls_ca_file: Path | None = None
    """Authority of the cluster's own certificates; whoever has one may have code executed on every worker."""
    cluster_tls_certificate_file: Path | None = None
    cluster_tls_key_file: Path | None = None

    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    oidc_jwks_url: str | None = None
    oidc_jwks_file: Path | None = None
    oidc_algorithms: Names = ("RS256", "PS256", "ES256")
    oidc_roles_claim: str = "roles"
    oidc_roles: dict[str, Role] = {}
    """JSON object: our role by the provider's name."""
    oidc_clock_skew_s: int = Field(default=30, ge=0, le=300)
    oidc_lifetime_s_max: int = Field(default=86_400, ge=60)

    rate_anonymous_per_minute: int = Field(default=600, ge=1)
    rate_customer_per_minute: int = Field(default=600, ge=1)
    """A page with a map asks for some twenty tiles a view; how many sites one may ask about is limited elsewhere."""
    rate_staff_per_minute: int = Field(default=30_000, ge=1)
    rate_failures_per_minute: int = Field(default=20, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _split_names(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {
            name: tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str) and cls.model_fields[name].annotation == tuple[str, ...]
            else value
            for name, value in values.items()
        }

    @model_validator(mode="after")
    def _agree(self) -> Settings:
        given = [self.oidc_issuer is not None, self.oidc_audience is not None]
        keys = [self.oidc_jwks_url is not None, self.oidc_jwks_file is not None]
        if any(given + keys) and not (all(given) and sum(keys) == 1):
            raise ValueError("OIDC needs oidc_issuer, oidc_audience and one of oidc_jwks_url and oidc_jwks_file")
        if not self.oidc_algorithms or set(self.oidc_algorithms) - set(ALGORITHMS):
            raise ValueError(f"oidc_algorithms must be some of {', '.join(ALGORITHMS)}")
        if (self.tls_certificate_file is None) != (self.tls_key_file is None):
            raise ValueError("tls_certificate_file and tls_key_file belong together")
        cluster = (self.cluster_tls_ca_file, self.cluster_tls_certificate_file, self.cluster_tls_key_file)
        if any(cluster) and not all(cluster):
            raise ValueError(
                "cluster_tls_ca_file, cluster_tls_certificate_file and cluster_tls_key_file belong together"
            )
        if self.tls_terminated_by_proxy and not self.trusted_proxies:
            raise ValueError("tls_terminated_by_proxy needs trusted_proxies")
        return self

    @property
    def basemap(self) -> Basemap | None:
        """What lies under the grid on the pages.

        Raises:
            InputError: The template or its source does not fit.
        """
        if self.basemap_url is None:
            return None
        return Basemap(url=self.basemap_url, attribution=self.basemap_attribution)

    @property
    def has_oidc(self) -> bool:
        """Whether tokens of an identity provider are accepted."""
        return self.oidc_issuer is not None

    @property
    def has_tls(self) -> bool:
        """Whether it is stated where TLS ends."""
        return self.tls_terminated_by_proxy or self.tls_certificate_file is not None


def load_settings(**given: Any) -> Settings:
    """Return the settings of the environment; what is ``given`` comes before it.

    Raises:
        InputError: A name nobody knows, or a value that does not fit; the value is not repeated.
    """
    _refuse_unknown(os.environ)
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = PREFIX + str(first["loc"][0]).upper() if first["loc"] else None
        raise InputError(first["msg"], field=name) from error
    except ValueError as error:  # a JSON value that cannot be read
        raise InputError("a setting cannot be read", allowed="see the list of settings") from error


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | NOT_SETTINGS
    unknown = sorted(name for name in environment if name.upper().startswith(PREFIX) and name.upper() not in known)
    if unknown:
        raise InputError("no such setting", field=unknown[0], allowed=", ".join(sorted(known - NOT_SETTINGS)))
