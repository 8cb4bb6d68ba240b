"""The identity provider's public keys (JWKS) from a file or a URL, kept for a while and asked for anew when unknown."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from api.access.errors import KeysUnavailableError
from gridmodel.errors import InputError

JWKS_BYTES_MAX = 1_048_576
FETCH_S_MAX = 5.0
FRESH_S = 600.0
"""After this the keys are asked for again."""
STALE_S_MAX = 86_400.0
"""So long they are used when the provider does not answer."""
ASK_AGAIN_S = 10.0
"""Not asked more often than this, whatever ids tokens name."""
RSA_BITS_MIN = 2_048
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}

Key = RSAKey | ECKey
Fetch = Callable[[], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keys:
    keys: tuple[Key, ...]
    read_at_s: float


class KeyRing:
    """The keys tokens may be signed with.

    Args:
        fetch: Returns the JWKS document.
        clock_s: Monotonic seconds.
    """

    def __init__(self, fetch: Fetch, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._known: _Keys | None = None
        self._asked_at_s: float | None = None

    def find(self, key_id: str | None, algorithm: str) -> Key | None:
        """Return the key of this id that fits the algorithm; without an id the only one that fits.

        Raises:
            KeysUnavailableError: The keys cannot be had.
        """
        found = _choose(self._current(), key_id, algorithm)
        if found is None and self._may_ask():
            found = _choose(self._refreshed(), key_id, algorithm)
        return found

    def _current(self) -> tuple[Key, ...]:
        known = self._known
        if known is not None and self._clock_s() - known.read_at_s < FRESH_S:
            return known.keys
        return self._refreshed()

    def _may_ask(self) -> bool:
        return self._asked_at_s is None or self._clock_s() - self._asked_at_s >= ASK_AGAIN_S

    def _refreshed(self) -> tuple[Key, ...]:
        with self._lock:
            if self._may_ask():
                self._asked_at_s = self._clock_s()
                try:
                    self._known = _Keys(keys=read_keys(self._fetch()), read_at_s=self._clock_s())
                except KeysUnavailableError:
                    if self._known is None:
                        raise
            known = self._known
            if known is None or self._clock_s() - known.read_at_s >= STALE_S_MAX:
                raise KeysUnavailableError("the identity provider's keys cannot be read now")
            return known.keys


def read_keys(content: bytes) -> tuple[Key, ...]:
    """Return the public signature keys of a JWKS document; others are left out.

    Raises:
        KeysUnavailableError: Not such a document, or none of its keys can be used.
    """
    try:
        document = json.loads(content)
        entries = [dict(entry) for entry in document["keys"]]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise KeysUnavailableError("the identity provider's keys cannot be read now") from error
    keys = tuple(key for key in map(_read_key, entries) if key is not None)
    if not keys:
        raise KeysUnavailableError("the identity provider offers no key that can be used")
    return keys


def fetch_file(path: Path) -> Fetch:
    """Return a reader of a JWKS file.

    Raises:
        InputError: The file cannot be read now.
    """

    def fetch() -> bytes:
        try:
            with path.open("rb") as stream:
                return _bounded(stream.read(JWKS_BYTES_MAX + 1))
        except OSError as error:
            raise KeysUnavailableError("the identity provider's keys cannot be read now") from error

    try:
        read_keys(fetch())
    except KeysUnavailableError as error:
        raise InputError("not a JWKS file with RSA or EC keys", file=path.name, field="oidc_jwks_file") from error
    return fetch


def fetch_url(url: str) -> Fetch:
    """Return a reader of a JWKS URL: no redirects, bounded in time and size, TLS except on this machine.

    Raises:
        InputError: Not such a URL.
    """
    parts = urlsplit(url)
    is_local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not parts.hostname or not (parts.scheme == "https" or is_local) or parts.username is not None:
        raise InputError("not a URL keys can be had from", field="oidc_jwks_url", allowed="https://...")

    def fetch() -> bytes:
        import httpx2

        end_s = time.monotonic() + FETCH_S_MAX
        content = bytearray()
        try:
            with (
                httpx2.Client(timeout=FETCH_S_MAX, follow_redirects=False, trust_env=False) as client,
                client.stream("GET", url, headers={"Accept": "application/json"}) as response,
            ):
                if response.status_code != 200:
                    raise KeysUnavailableError("the identity provider did not hand out its keys")
                for chunk in response.iter_bytes():
                    content += chunk
                    if time.monotonic() > end_s:
                        raise KeysUnavailableError("the identity provider takes too long")
                    _bounded(content)
        except httpx2.HTTPError as error:
            raise KeysUnavailableError("the identity provider's keys cannot be read now") from error
        return bytes(content)

    return fetch


def _bounded(content: bytes | bytearray) -> bytes:
    if len(content) > JWKS_BYTES_MAX:
        raise KeysUnavailableError("the identity provider's keys are too large to be keys")
    return bytes(content)


def _read_key(entry: dict[str, Any]) -> Key | None:
    """Return a public key for signatures; ``None`` for any other, a secret one above all."""
    if entry.get("kty") not in ("RSA", "EC") or entry.get("use", "sig") != "sig":
        return None
    try:
        key = JWKRegistry.import_key(entry)
        if isinstance(key, RSAKey):
            return key if key.public_key.key_size >= RSA_BITS_MIN else None
    except (JoseError, ValueError, TypeError):
        return None
    return key if isinstance(key, ECKey) else None


def _choose(keys: Sequence[Key], key_id: str | None, algorithm: str) -> Key | None:
    fitting = [key for key in keys if _fits(key, algorithm)]
    if key_id is None:
        return fitting[0] if len(fitting) == 1 else None
    return next((key for key in fitting if key.get("kid") == key_id), None)


def _fits(key: Key, algorithm: str) -> bool:
    if key.get("alg") not in (None, algorithm):
        return False
    if isinstance(key, ECKey):
        return key.get("crv") == CURVES.get(algorithm)
    return algorithm.startswith(("RS", "PS"))
