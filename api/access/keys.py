"""API keys: what they look like, how one is made and how one is checked; local ones live as long as the process."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import date

from api.access.errors import AuthenticationError
from api.access.principal import ROLES, Principal, Role
from scheme.access.hashing import NOBODYS_HASH, hash_secret, is_secret
from scheme.access.keys import ApiKey, ApiKeys, FoundKey

PREFIX = "gsk_"
_TEXT = re.compile(r"gsk_([0-9a-f]{16})_([0-9a-f]{64})")
_ID_BYTES, _SECRET_BYTES = 8, 32
_PROVEN_MAX = 4_096
NOT_VALID = "the API key is not valid"


def new_key() -> tuple[str, str]:
    """Return the id of a new key and the key itself (``gsk_<id>_<secret>``)."""
    key_id = secrets.token_hex(_ID_BYTES)
    return f"key_{key_id}", f"{PREFIX}{key_id}_{secrets.token_hex(_SECRET_BYTES)}"


def create_key(keys: ApiKeys, *, subject_id: str, roles: Sequence[Role], expires_on: date) -> tuple[ApiKey, str]:
    """Keep a new key and return it with its text, which cannot be had again.

    Raises:
        InputError: It would never hold.
    """
    key_id, text = new_key()
    kept = keys.add(
        key_id=key_id, secret_hash=hash_secret(text), subject_id=subject_id, roles=roles, expires_on=expires_on
    )
    return kept, text


def key_id_of(text: str) -> str | None:
    """Return the id within a key, ``None`` where the text is no key."""
    match = _TEXT.fullmatch(text)
    return None if match is None else f"key_{match[1]}"


class LocalKeys:
    """One key for each role, for this process only: nothing of them is stored."""

    def __init__(self) -> None:
        self._salt = secrets.token_bytes(_SECRET_BYTES)
        self._texts: dict[Role, str] = {role: new_key()[1] for role in ROLES}
        self._principals = {
            self._digest(text): Principal(subject_id=f"local-{role}", roles=frozenset({role}), name=role)
            for role, text in self._texts.items()
        }

    def show_once(self) -> Mapping[Role, str]:
        """Return the keys by role and forget them."""
        texts, self._texts = self._texts, {}
        return texts

    def find(self, text: str) -> Principal | None:
        """Return whose key this is."""
        wanted = self._digest(text)
        found = None
        for digest, principal in self._principals.items():
            if hmac.compare_digest(digest, wanted):
                found = principal
        return found

    def _digest(self, text: str) -> bytes:
        return hmac.digest(self._salt, text.encode(), hashlib.sha256)


class StoredKeys:
    """Checks keys of the store. What scrypt has proven once is remembered; validity is read anew every time."""

    def __init__(self, keys: ApiKeys) -> None:
        self._keys = keys
        self._salt = secrets.token_bytes(_SECRET_BYTES)
        self._proven: OrderedDict[bytes, str] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, text: str) -> Principal:
        """Return whose key this is.

        Raises:
            AuthenticationError: No such key, a wrong secret, expired or revoked: not told apart.
        """
        key_id = key_id_of(text)
        found = None if key_id is None else self._keys.find(key_id)
        if not self._is_right(text, found) or found is None or not found.is_valid:
            raise AuthenticationError(NOT_VALID)
        if found.key.last_used_on is None or found.key.last_used_on < found.today:
            self._keys.note_use(found.key.key_id, found.today)
        roles = frozenset(role for role in ROLES if role in found.key.roles)
        return Principal(subject_id=found.key.subject_id, roles=roles, name=found.key.subject_id)

    def is_proven(self, text: str) -> bool:
        """Return whether the secret was found right before, so that looking at it again costs nothing."""
        with self._lock:
            return self._digest(text) in self._proven

    def _is_right(self, text: str, found: FoundKey | None) -> bool:
        secret_hash = NOBODYS_HASH if found is None else found.secret_hash
        digest = self._digest(text)
        with self._lock:
            if self._proven.get(digest) == secret_hash:
                return True
        if not is_secret(text, secret_hash):
            return False
        with self._lock:
            self._proven[digest] = secret_hash
            while len(self._proven) > _PROVEN_MAX:
                self._proven.popitem(last=False)
        return True

    def _digest(self, text: str) -> bytes:
        return hmac.digest(self._salt, text.encode(), hashlib.sha256)
