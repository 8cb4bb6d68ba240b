"""OIDC tokens: what must be refused follows RFC 8725 (JWT best current practices) and RFC 7519, section 4.1."""

from __future__ import annotations

import hashlib
import hmac
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, RSAKey

from api.access.errors import AuthenticationError, KeysUnavailableError
from api.access.jwks import ASK_AGAIN_S, FRESH_S, JWKS_BYTES_MAX, STALE_S_MAX, KeyRing, fetch_file, fetch_url, read_keys
from api.access.tokens import TokenRules, TokenVerifier
from gridmodel.errors import InputError
from tests.access.identity_provider import (
    AUDIENCE,
    EC,
    NOW_S,
    OTHER_RSA,
    RSA,
    RULES,
    by_hand,
    claims,
    jwks,
    sign,
    signed_by_hand,
    verifier,
)


def test_token_of_the_provider_gives_subject_and_mapped_roles() -> None:
    for token in (sign(claims()), sign(claims(), EC, "ES256"), sign(claims(aud=["other", AUDIENCE]))):
        principal = verifier().check(token)
        assert (principal.subject_id, principal.roles) == ("oidc:u-17", frozenset({"engineer"}))


@pytest.mark.parametrize(
    ("named", "roles"),
    [
        ({"roles": ["grid-customer", "grid-engineer"]}, {"customer", "engineer"}),
        ({"roles": "grid-customer grid-unknown"}, {"customer"}),
        ({"roles": ["engineer", "operator"]}, set()),
        ({"roles": [["grid-engineer"], None, 1]}, set()),
        ({"roles": {"grid-engineer": True}}, set()),
        ({}, set()),
        ("grid-engineer", set()),
        (None, set()),
    ],
)
def test_only_names_in_the_mapping_give_roles(named: Any, roles: set[str]) -> None:
    assert verifier().check(sign(claims(realm_access=named))).roles == roles


def test_claim_whose_name_has_dots_is_found_first() -> None:
    found = verifier(roles_claim="https://grid.example/roles").check(
        sign(claims(**{"https://grid.example/roles": ["grid-engineer"], "https://grid": {"example/roles": []}}))
    )
    assert found.roles == {"engineer"}


def confused() -> dict[str, str]:
    """Tokens that a verifier trusting their header would take."""
    header, body = {"alg": "HS256", "kid": "rsa-1", "typ": "JWT"}, claims()
    unsigned = by_hand(header, body).rpartition(".")[0]
    secrets = {"pem": RSA.as_pem(private=False), "der": RSA.as_der(private=False), "jwks": jwks(RSA)}
    forged = {}
    for name, secret in secrets.items():
        signature = hmac.digest(secret, unsigned.encode(), hashlib.sha256)
        forged[f"public key as secret ({name})"] = by_hand(header, body, signature)
    other = OTHER_RSA.as_dict(private=False)
    return {
        **forged,
        "none": by_hand({"alg": "none", "kid": "rsa-1"}, body),
        "None": by_hand({"alg": "None", "kid": "rsa-1"}, body),
        "no algorithm": by_hand({"kid": "rsa-1"}, body),
        "algorithm as list": by_hand({"alg": ["RS256"], "kid": "rsa-1"}, body),
        "not pinned": sign(body, RSA, "PS256"),
        "other key under a known id": sign(body, OTHER_RSA),
        "own key in the header": sign(body, OTHER_RSA, jwk=other),
        "own key by address": sign(body, OTHER_RSA, jku="https://evil.example/jwks"),
        "key in the header, although the right one": sign(body, RSA, jwk=RSA.as_dict(private=False)),
        "unknown id": sign(body, RSA, kid="rsa-2"),
        "id as number": by_hand({"alg": "RS256", "kid": 1}, body, b"x" * 256),
        "id as path": sign(body, RSA, kid="../../rsa-1"),
        "no id although there are several keys that fit": sign(body, RSA, kid=None),
        "id of a key of another kind": sign(body, RSA, kid="ec-1"),
        "algorithm of another kind": by_hand({"alg": "ES256", "kid": "rsa-1"}, body, b"x" * 64),
        "empty signature": by_hand({"alg": "RS256", "kid": "rsa-1"}, body),
        "signature of another token": sign(body).rpartition(".")[0] + "." + sign(claims(sub="x")).rpartition(".")[2],
        "of another purpose": sign(body, RSA, typ="logout+jwt"),
        "critical extension": signed_by_hand({"alg": "RS256", "kid": "rsa-1", "crit": ["exp"], "exp": 1}, body),
    }


@pytest.mark.parametrize("name", confused())
def test_header_of_a_token_is_never_trusted(name: str) -> None:
    keys = (RSA, EC, RSAKey.generate_key(2048, {"kid": "rsa-3"})) if "several" in name else (RSA, EC)
    with pytest.raises(AuthenticationError):
        verifier(*keys).check(confused()[name])


def test_token_without_an_id_is_taken_where_only_one_key_fits() -> None:
    assert verifier(RSA, EC).check(sign(claims(), RSA, kid=None)).subject_id == "oidc:u-17"


WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"exp": NOW_S - 31},
    "no end": {"exp": None},
    "end as text": {"exp": str(NOW_S + 600)},
    "end beyond all numbers": {"exp": 1e400},
    "lives too long": {"exp": NOW_S + 3_601},
    "issued in the future": {"iat": NOW_S + 31},
    "no issue time": {"iat": None},
    "not yet valid": {"nbf": NOW_S + 31},
    "other audience": {"aud": "another-service"},
    "audiences without ours": {"aud": ["another-service", "gridscheme2"]},
    "audience as part of a name": {"aud": "gridscheme-admin"},
    "no audience": {"aud": None},
    "empty audience": {"aud": []},
    "other issuer": {"iss": "https://idp.example/realms/other"},
    "issuer with a slash more": {"iss": RULES["issuer"] + "/"},
    "no issuer": {"iss": None},
    "no subject": {"sub": None},
    "empty subject": {"sub": ""},
    "subject as number": {"sub": 17},
    "subject with a line break": {"sub": "u\n17"},
    "long subject": {"sub": "u" * 121},
}


@pytest.mark.parametrize("name", WRONG_CLAIMS)
def test_claims_are_checked(name: str) -> None:
    body = claims(**WRONG_CLAIMS[name])
    if name == "end beyond all numbers":
        body["exp"] = 10**400
    with pytest.raises(AuthenticationError):
        verifier().check(sign(body))


@pytest.mark.parametrize("within", [{"exp": NOW_S - 29}, {"iat": NOW_S + 29}, {"nbf": NOW_S + 29}])
def test_clocks_may_differ_by_the_skew_and_no_more(within: dict[str, int]) -> None:
    token = sign(claims(**within))
    assert verifier().check(token).subject_id == "oidc:u-17"
    with pytest.raises(AuthenticationError):
        verifier(clock_skew_s=0).check(token)


def test_expired_token_is_told_so() -> None:
    with pytest.raises(AuthenticationError, match="expired"):
        verifier(now_s=NOW_S + 631).check(sign(claims()))


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=300), st.from_regex(r"[\w=-]{0,40}\.[\w=-]{0,40}\.[\w=-]{0,40}", fullmatch=True)))
def test_no_text_is_a_fault(text: str) -> None:
    with pytest.raises(AuthenticationError):
        verifier().check(text)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_token_with_one_character_changed_is_no_token(data: st.DataObject) -> None:
    token = sign(claims())
    place = data.draw(st.integers(0, len(token) - 3))  # the last character of a signature may carry unused bits
    other = data.draw(st.sampled_from("Aa0_-.=").filter(lambda character: character != token[place]))
    with pytest.raises(AuthenticationError):
        verifier().check(token[:place] + other + token[place + 1 :])


class Provider:
    """A JWKS that can change, fail and counts how often it was asked."""

    def __init__(self, *keys: Any) -> None:
        self.content: bytes | None = jwks(*keys)
        self.asked = 0
        self.now_s = 1_000.0
        self.ring = KeyRing(self.fetch, clock_s=lambda: self.now_s)

    def fetch(self) -> bytes:
        self.asked += 1
        if self.content is None:
            raise KeysUnavailableError("away")
        return self.content

    def check(self, token: str) -> str:
        return TokenVerifier(TokenRules(**RULES), self.ring, now_s=lambda: NOW_S).check(token).subject_id


def test_new_key_of_the_provider_is_taken_and_an_old_one_let_go() -> None:
    provider, new = Provider(RSA), RSAKey.generate_key(2048, {"kid": "rsa-2"})
    provider.check(sign(claims()))
    provider.content = jwks(new)
    provider.now_s += ASK_AGAIN_S
    assert provider.check(sign(claims(), new)) == "oidc:u-17"
    with pytest.raises(AuthenticationError):
        provider.check(sign(claims()))


def test_provider_is_not_asked_for_every_id_somebody_makes_up() -> None:
    provider = Provider(RSA)
    for number in range(50):
        with pytest.raises(AuthenticationError):
            provider.check(sign(claims(), OTHER_RSA, kid=f"made-up-{number}"))
    assert provider.asked == 1
    assert provider.check(sign(claims())) == "oidc:u-17"


def test_known_keys_bridge_an_outage_but_not_for_ever() -> None:
    provider = Provider(RSA)
    provider.check(sign(claims()))
    provider.content = None
    provider.now_s += FRESH_S
    assert provider.check(sign(claims())) == "oidc:u-17"
    assert provider.asked == 2
    provider.now_s += STALE_S_MAX
    with pytest.raises(KeysUnavailableError):
        provider.check(sign(claims()))


def test_without_keys_it_is_the_service_that_fails_and_it_is_not_asked_at_once_again() -> None:
    provider = Provider(RSA)
    provider.content = None
    for _ in range(5):
        with pytest.raises(KeysUnavailableError):
            provider.check(sign(claims()))
    assert provider.asked == 1


BAD_JWKS: dict[str, bytes] = {
    "empty": b"",
    "not json": b"{",
    "list": b"[]",
    "no keys": b'{"keys": []}',
    "keys as text": b'{"keys": "abc"}',
    "deep": b'{"keys": ' + b"[" * 100_000,
    "secret key": json.dumps({"keys": [OctKey.generate_key(256).as_dict()]}).encode(),
    "short key": jwks(RSAKey.generate_key(1024, auto_kid=True)),
    "for encryption": jwks(RSAKey.generate_key(2048, {"use": "enc"})),
    "point off the curve": json.dumps({"keys": [{**EC.as_dict(private=False), "x": "AAAA"}]}).encode(),
}


@pytest.mark.parametrize("name", BAD_JWKS)
def test_documents_without_a_usable_key_are_refused(name: str) -> None:
    with pytest.raises(KeysUnavailableError):
        read_keys(BAD_JWKS[name])


def test_keys_that_cannot_be_used_do_not_spoil_the_others() -> None:
    strange = {"kty": "ML-DSA", "kid": "pq"}
    document = {"keys": [strange, RSA.as_dict(private=False), OctKey.generate_key(256).as_dict()]}
    assert [key.get("kid") for key in read_keys(json.dumps(document).encode())] == ["rsa-1"]


def test_curve_must_fit_the_algorithm() -> None:
    other = ECKey.generate_key("P-384", {"kid": "ec-1"})
    with pytest.raises(AuthenticationError):
        verifier(other).check(sign(claims(), EC, "ES256"))


def test_keys_are_read_from_a_file_and_anew_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_bytes(jwks(RSA))
    fetch = fetch_file(file)
    file.write_bytes(jwks(EC))
    assert [key.get("kid") for key in read_keys(fetch())] == ["ec-1"]
    with pytest.raises(InputError, match=r"absent\.json"):
        fetch_file(tmp_path / "absent.json")


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example/jwks",
        "file:///etc/passwd",
        "https://",
        "ftp://idp.example/",
        "https://me:secret@idp.example/",
    ],
)
def test_keys_are_fetched_over_tls_only(url: str) -> None:
    with pytest.raises(InputError) as refused:
        fetch_url(url)
    assert "secret" not in str(refused.value)


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        bodies = {"/good": jwks(RSA), "/large": b" " * (JWKS_BYTES_MAX + 1) + jwks(RSA)}
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/good")
        else:
            self.send_response(200 if self.path in bodies else 500)
        self.end_headers()
        self.wfile.write(bodies.get(self.path, b""))

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture(scope="module")
def provider_url() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_keys_are_fetched_from_a_url(provider_url: str) -> None:
    assert [key.get("kid") for key in read_keys(fetch_url(f"{provider_url}/good")())] == ["rsa-1"]


@pytest.mark.parametrize("path", ["/large", "/redirect", "/broken"])
def test_answers_that_are_no_keys_are_refused(provider_url: str, path: str) -> None:
    with pytest.raises(KeysUnavailableError):
        fetch_url(provider_url + path)()
