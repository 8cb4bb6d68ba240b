"""Static files of the pages, served below the digest of all of them: kept by the browser for good, never stale."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
"""By ending; a file with another ending is not served."""
_DIGEST_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, as it is sent."""

    media_type: str
    content: bytes
    gzipped: bytes


@dataclass(frozen=True, slots=True)
class Assets:
    """All files by path, and the digest that stands in their addresses."""

    digest: str
    by_path: dict[str, Asset]

    def url(self, path: str) -> str:
        """Return the address of a file; modules import each other by relative addresses."""
        return f"/assets/{self.digest}/{path}"


@cache
def load_assets() -> Assets:
    """Return the files of this version, read and compressed once a process."""
    found = dict(sorted(_walk(files("api.web") / "static", "")))
    whole = hashlib.sha256()
    for path, content in found.items():
        whole.update(path.encode() + b"\0" + hashlib.sha256(content).digest())
    by_path = {
        path: Asset(MEDIA_TYPES[_ending(path)], content, gzip.compress(content, 9, mtime=0))
        for path, content in found.items()
    }
    return Assets(whole.hexdigest()[:_DIGEST_DIGITS], by_path)


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _walk(entry, f"{prefix}{entry.name}/")
        elif _ending(entry.name) in MEDIA_TYPES:
            found.append((f"{prefix}{entry.name}", entry.read_bytes()))
    return found


def _ending(name: str) -> str:
    return name[name.rfind(".") :] if "." in name else ""
