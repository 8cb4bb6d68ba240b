"""Static files of the pages, served below the digest of all of them: kept by the browser for good, never stale."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import brotli

MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
"""By ending; a file with another ending is not served."""
_DIGEST_DIGITS = 16
_BROTLI_QUALITY = 9
"""A tenth smaller than gzip in a tenth of a second; the highest takes seconds for another tenth."""
_REFUSED = re.compile(r";\s*q\s*=\s*0(\.0*)?\s*$")


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, as it is sent."""

    media_type: str
    content: bytes
    packed: Mapping[str, bytes]
    """The same compressed, by content coding, the smallest first."""

    def choose(self, accepted: str) -> tuple[str | None, bytes]:
        """Return the coding and the bytes for who accepts some codings (``Accept-Encoding``)."""
        wanted = {part.partition(";")[0].strip() for part in accepted.lower().split(",") if not _REFUSED.search(part)}
        return next(
            ((coding, packed) for coding, packed in self.packed.items() if coding in wanted), (None, self.content)
        )


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
    by_path = {path: Asset(MEDIA_TYPES[_ending(path)], content, _pack(content)) for path, content in found.items()}
    return Assets(whole.hexdigest()[:_DIGEST_DIGITS], by_path)


def _pack(content: bytes) -> dict[str, bytes]:
    return {
        "br": brotli.compress(content, quality=_BROTLI_QUALITY),
        "gzip": gzip.compress(content, 9, mtime=0),
    }


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
