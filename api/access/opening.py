"""Builds the ways in from the settings: keys of the store, an identity provider, or keys of this process alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.access.access import Access
from api.access.jwks import KeyRing, fetch_file, fetch_url
from api.access.keys import LocalKeys, StoredKeys
from api.access.limits import Limiter, Rates
from api.access.tokens import TokenRules, TokenVerifier
from scheme.access.keys import ApiKeys

if TYPE_CHECKING:
    from api.settings import Settings
    from scheme.store import Store


def has_authentication(settings: Settings, store: Store) -> bool:
    """Return whether anybody can prove who they are: by an identity provider or a key that holds today."""
    return settings.has_oidc or ApiKeys(store).has_valid()


def open_access(settings: Settings, store: Store, *, local: LocalKeys | None = None) -> Access:
    """Return the ways in.

    Args:
        settings: Identity provider and rates.
        store: Its keys are accepted.
        local: Keys of this process, where nothing else is configured.

    Raises:
        InputError: The identity provider's keys cannot be read as configured.
    """
    rates = Rates(
        anonymous_per_minute=settings.rate_anonymous_per_minute,
        customer_per_minute=settings.rate_customer_per_minute,
        staff_per_minute=settings.rate_staff_per_minute,
        failures_per_minute=settings.rate_failures_per_minute,
    )
    return Access(limiter=Limiter(rates), local=local, stored=StoredKeys(ApiKeys(store)), tokens=_open_tokens(settings))


def _open_tokens(settings: Settings) -> TokenVerifier | None:
    if settings.oidc_issuer is None or settings.oidc_audience is None:
        return None
    if settings.oidc_jwks_file is not None:
        fetch = fetch_file(settings.oidc_jwks_file)
    else:
        assert settings.oidc_jwks_url is not None  # the settings agree with each other
        fetch = fetch_url(settings.oidc_jwks_url)
    rules = TokenRules(
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        algorithms=settings.oidc_algorithms,
        roles_claim=settings.oidc_roles_claim,
        roles=settings.oidc_roles,
        clock_skew_s=settings.oidc_clock_skew_s,
        lifetime_s_max=settings.oidc_lifetime_s_max,
    )
    return TokenVerifier(rules, KeyRing(fetch))
