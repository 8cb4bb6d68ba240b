"""Finds out who is asking: reads one credential from the headers, checks it, counts the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request

from api.access.errors import AuthenticationError, install_access_errors
from api.access.keys import NOT_VALID, PREFIX, LocalKeys, StoredKeys, key_id_of
from api.access.principal import ANYONE, Principal

if TYPE_CHECKING:
    from fastapi import FastAPI

    from api.access.limits import Limiter
    from api.access.tokens import TokenVerifier

CREDENTIAL_CHARACTERS_MAX = 8_192
_UNKNOWN_ADDRESS = "unknown"


class Access:
    """The ways to say who one is that this service accepts; with none of them only public operations answer.

    Args:
        limiter: Counts requests and failures.
        local: Keys of this process.
        stored: Keys of the store.
        tokens: Tokens of the identity provider.
    """

    def __init__(
        self,
        *,
        limiter: Limiter,
        local: LocalKeys | None = None,
        stored: StoredKeys | None = None,
        tokens: TokenVerifier | None = None,
    ) -> None:
        self._limiter = limiter
        self._local = local
        self._stored = stored
        self._tokens = tokens

    def identify(self, request: Request, *, is_public: bool) -> Principal:
        """Return who asks; known for the rest of the request as ``request.state.principal``.

        Args:
            request: Only its headers and its address are looked at, never the query.
            is_public: Whether anyone may ask.

        Raises:
            AuthenticationError: No credential where one is needed, or one that does not hold.
            TooManyRequestsError: Over a limit.
            KeysUnavailableError: A token cannot be checked now.
        """
        known: Principal | None = getattr(request.state, "principal", None)
        if known is not None and not (known.is_anonymous and not is_public):
            return known
        address = _UNKNOWN_ADDRESS if request.client is None else request.client.host
        credential = read_credential(request)
        principal = ANYONE if credential is None else self._check(credential, address)
        self._limiter.count(principal, address)
        if credential is None and not is_public:
            raise AuthenticationError("an API key or a bearer token is needed", is_missing=True)
        request.state.principal = principal
        return principal

    def _check(self, credential: str, address: str) -> Principal:
        local = None if self._local is None else self._local.find(credential)
        if local is not None:
            return local
        whom = [f"address:{address}"]
        key_id = key_id_of(credential)
        if key_id is not None:
            whom.append(key_id)
        if self._stored is None or not self._stored.is_proven(credential):
            self._limiter.check_failures(*whom)
        try:
            return self._verify(credential)
        except AuthenticationError:
            self._limiter.count_failure(*whom)
            raise

    def _verify(self, credential: str) -> Principal:
        if len(credential) > CREDENTIAL_CHARACTERS_MAX:
            raise AuthenticationError("the credential is too long")
        if credential.startswith(PREFIX):
            if self._stored is None:
                raise AuthenticationError(NOT_VALID)
            return self._stored.check(credential)
        if self._tokens is None:
            raise AuthenticationError("bearer tokens are not accepted here")
        return self._tokens.check(credential)


def read_credential(request: Request) -> str | None:
    """Return the one credential in the headers, ``None`` where there is none.

    Raises:
        AuthenticationError: Several of them, or another kind than ``Bearer``.
    """
    given = request.headers.getlist("authorization")
    keys = request.headers.getlist("x-api-key")
    if len(given) + len(keys) > 1:
        raise AuthenticationError("more than one credential was given")
    if keys:
        return keys[0].strip()
    if not given:
        return None
    kind, _, credential = given[0].partition(" ")
    if kind.lower() != "bearer" or not credential.strip():
        raise AuthenticationError("the header Authorization must be of the kind Bearer")
    return credential.strip()


def install_access(app: FastAPI, access: Access) -> None:
    """Let ``access`` find out who calls the operations of ``app``."""
    app.state.access = access
    install_access_errors(app)
