"""Bearer tokens of an identity provider (OIDC): signature, issuer, audience and times are checked, roles are mapped."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jws import JWSRegistry

from api.access.errors import AuthenticationError
from api.access.jwks import KeyRing
from api.access.principal import Principal, Role

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""What may be pinned: signatures with a public key. Neither ``none`` nor a shared secret can be configured."""
TOKEN_TYPES = (None, "JWT", "at+jwt", "application/at+jwt")
_KEYS_IN_HEADER = frozenset({"jku", "jwk", "x5u", "x5c", "crit"})
_SUBJECT_CHARACTERS_MAX = 120
_NOT_VALID = "the token is not valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """What a token must say."""

    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    roles_claim: str
    """Claim with the names of groups or roles; a dot leads into a claim."""
    roles: Mapping[str, Role]
    """Our role by the provider's name; names that are not in it give nothing."""
    clock_skew_s: int
    lifetime_s_max: int
    """From issue to end."""


class TokenVerifier:
    """Checks tokens.

    Args:
        rules: What a token must say.
        keys: The provider's keys.
        now_s: Seconds since 1970.
    """

    def __init__(self, rules: TokenRules, keys: KeyRing, *, now_s: Callable[[], float] = time.time) -> None:
        self._rules = rules
        self._keys = keys
        self._now_s = now_s
        self._registry = JWSRegistry(algorithms=list(rules.algorithms), strict_check_header=False)

    def check(self, token: str) -> Principal:
        """Return whose token this is.

        Raises:
            AuthenticationError: It does not hold.
            KeysUnavailableError: The provider's keys cannot be had.
        """
        claims = self._verified(token)
        self._check_claims(claims)
        subject = claims.get("sub")
        if not isinstance(subject, str) or not _is_plain(subject):
            raise AuthenticationError("the token names no subject")
        name = claims.get("name")
        return Principal(
            subject_id=f"oidc:{subject}",
            roles=self._roles(claims),
            name=name if isinstance(name, str) and _is_plain(name) else subject,
        )

    def _verified(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a token whose signature is right."""
        try:
            header = jws.extract_compact(token.encode("ascii"), registry=self._registry).headers()
            algorithm, key_id = header.get("alg"), header.get("kid")
            if algorithm not in self._rules.algorithms or header.get("typ") not in TOKEN_TYPES:
                raise AuthenticationError("the token is of a kind that is not accepted")
            if _KEYS_IN_HEADER & set(header) or not isinstance(key_id, str | None):
                raise AuthenticationError(_NOT_VALID)
            key = self._keys.find(key_id, algorithm)
            if key is None:
                raise AuthenticationError("the token is signed with a key the provider does not offer")
            return jwt.decode(token, key, algorithms=[algorithm], registry=self._registry).claims
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise AuthenticationError(_NOT_VALID) from error

    def _check_claims(self, claims: Mapping[str, Any]) -> None:
        rules = self._rules
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(self._now_s()),
            leeway=rules.clock_skew_s,
            iss={"essential": True, "value": rules.issuer},
            aud={"essential": True, "value": rules.audience},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            registry.validate(dict(claims))
        except ExpiredTokenError as error:
            raise AuthenticationError("the token has expired") from error
        except (JoseError, ValueError, TypeError, OverflowError) as error:
            raise AuthenticationError(_NOT_VALID) from error
        if claims["exp"] - claims["iat"] > rules.lifetime_s_max:
            raise AuthenticationError("the token lives longer than is accepted")

    def _roles(self, claims: Mapping[str, Any]) -> frozenset[Role]:
        named = _claim(claims, self._rules.roles_claim)
        names: Sequence[Any] = named.split() if isinstance(named, str) else named if isinstance(named, list) else ()
        return frozenset(
            self._rules.roles[name] for name in names if isinstance(name, str) and name in self._rules.roles
        )


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim by its name, or by a path of names with dots."""
    if name in claims:
        return claims[name]
    place: Any = claims
    for part in name.split("."):
        if not isinstance(place, Mapping):
            return None
        place = place.get(part)
    return place


def _is_plain(text: str) -> bool:
    return 0 < len(text) <= _SUBJECT_CHARACTERS_MAX and text.isprintable()
