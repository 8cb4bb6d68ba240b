"""An identity provider of the tests: keys of its own, tokens as asked for, and the time it is."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from api.access.jwks import KeyRing
from api.access.tokens import TokenRules, TokenVerifier

ISSUER, AUDIENCE = "https://idp.example/realms/grid", "gridscheme"
NOW_S = 1_800_000_000
RULES: dict[str, Any] = {
    "issuer": ISSUER,
    "audience": AUDIENCE,
    "algorithms": ("RS256", "ES256"),
    "roles_claim": "realm_access.roles",
    "roles": {"grid-engineer": "engineer", "grid-customer": "customer"},
    "clock_skew_s": 30,
    "lifetime_s_max": 3_600,
}
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig"})
OTHER_RSA = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"})
"""A key the provider never had, under an id it has."""

Key = RSAKey | ECKey


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of an engineer's token that was issued now; ``None`` leaves a claim out."""
    given = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "u-17",
        "iat": NOW_S,
        "exp": NOW_S + 600,
        "realm_access": {"roles": ["grid-engineer", "offline_access"]},
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def sign(given: dict[str, Any], key: Key = RSA, algorithm: str = "RS256", **header: Any) -> str:
    """Return a token."""
    full = {"alg": algorithm, "kid": key.get("kid"), "typ": "JWT", **header}
    kept = {name: value for name, value in full.items() if value is not None}
    return jwt.encode(kept, given, key, algorithms=[algorithm])


def by_hand(header: dict[str, Any], given: dict[str, Any], signature: bytes = b"") -> str:
    """Return a token put together without any library."""
    parts = [json.dumps(header).encode(), json.dumps(given).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def signed_by_hand(header: dict[str, Any], given: dict[str, Any]) -> str:
    """Return a token whose signature (RS256) is right, whatever its header says."""
    unsigned = by_hand(header, given).rpartition(".")[0]
    return by_hand(header, given, RSA.private_key.sign(unsigned.encode(), PKCS1v15(), SHA256()))


def jwks(*keys: Key) -> bytes:
    """Return a JWKS document with the public halves."""
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


def verifier(*keys: Key, now_s: float = NOW_S, **changes: Any) -> TokenVerifier:
    """Return what checks tokens against a provider with these keys."""
    content = jwks(*(keys or (RSA, EC)))
    return TokenVerifier(TokenRules(**{**RULES, **changes}), KeyRing(lambda: content), now_s=lambda: now_s)
