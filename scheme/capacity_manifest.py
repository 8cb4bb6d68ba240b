"""What a stored capacity table consists of: its parts by digest, what is told of it, and its certificate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gridmodel.errors import SnapshotFormatError


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityPart:
    """Rows of a capacity table that are computed, and kept, together."""

    name: int
    """Smallest bus of the part."""
    nodes: int
    sha256: str
    certificate: Mapping[str, Any] | None = None
    """What the reference load flow was asked when these rows were computed alone; None = with the whole table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityManifest:
    """One capacity table."""

    parts: tuple[CapacityPart, ...]
    attributes: Mapping[str, Any]
    """What was told of the whole table when it was computed, its certificate among it; JSON-ready."""

    def to_json(self) -> str:
        """Return the manifest as JSON."""
        # not dataclasses.asdict, which copies the certificates member by member
        parts = [{name: getattr(part, name) for name in CapacityPart.__slots__} for part in self.parts]
        plain = {"parts": parts, "attributes": self.attributes}
        return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> CapacityManifest:
        """Return the manifest in :meth:`to_json`'s text.

        Raises:
            SnapshotFormatError: It is damaged.
        """
        try:
            plain = json.loads(text)
            parts = tuple(CapacityPart(**part) for part in plain["parts"])
            return cls(parts=parts, attributes=plain["attributes"])
        except (ValueError, KeyError, TypeError) as error:
            raise SnapshotFormatError("stored capacity table is damaged") from error

    def with_parts(self, gone: Iterable[int], come: Iterable[CapacityPart]) -> CapacityManifest:
        """Return the manifest with some parts, by name, replaced by others."""
        left = set(gone)
        kept = (part for part in self.parts if part.name not in left)
        parts = sorted([*kept, *come], key=lambda part: part.name)
        return CapacityManifest(parts=tuple(parts), attributes=self.attributes)

    def told(self) -> dict[str, Any]:
        """Return the attributes of the table, with the certificates of the parts computed later put together."""
        later = [part.certificate for part in self.parts if part.certificate is not None]
        if not later:
            return dict(self.attributes)
        differences = [each["difference_kw_max"] for each in later if each.get("difference_kw_max") is not None]
        refreshed = {
            "parts": len(later),
            "nodes_checked": sum(int(each.get("nodes_checked", 0)) for each in later),
            "difference_kw_max": max(differences, default=None),
        }
        return {**self.attributes, "certificate_refreshed": refreshed}


def digest_of(content: bytes) -> str:
    """Return the name of a part's content."""
    return hashlib.sha256(content).hexdigest()
