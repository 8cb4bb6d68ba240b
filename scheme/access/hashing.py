"""Secrets as salted scrypt hashes, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import secrets

_COST_LOG2, _BLOCK, _LANES = 14, 8, 1
"""16 MiB and some 40 ms a try; a secret of 256 random bits needs no more."""
_MEMORY_BYTES_MAX = 64 * 1024 * 1024
_SALT_BYTES, _HASH_BYTES = 16, 32
_NAME = "scrypt"


def hash_secret(secret: str) -> str:
    """Return a new salted hash as ``scrypt$log2 N$r$p$salt$hash``."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = _scrypt(secret, salt, _COST_LOG2, _BLOCK, _LANES)
    return "$".join((_NAME, str(_COST_LOG2), str(_BLOCK), str(_LANES), salt.hex(), digest.hex()))


def is_secret(secret: str, hashed: str) -> bool:
    """Return whether ``secret`` is what was hashed."""
    name, cost_log2, block, lanes, salt, digest = hashed.split("$")
    if name != _NAME:
        return False
    found = _scrypt(secret, bytes.fromhex(salt), int(cost_log2), int(block), int(lanes))
    return hmac.compare_digest(found, bytes.fromhex(digest))


def _scrypt(secret: str, salt: bytes, cost_log2: int, block: int, lanes: int) -> bytes:
    return hashlib.scrypt(
        secret.encode(), salt=salt, n=1 << cost_log2, r=block, p=lanes, maxmem=_MEMORY_BYTES_MAX, dklen=_HASH_BYTES
    )


NOBODYS_HASH = hash_secret(secrets.token_hex(_HASH_BYTES))
"""Compared with where there is no such key, so that the time taken does not say so."""
