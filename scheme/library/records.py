"""What the reserve library keeps of a project (储备项目)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from scheme.library.entry import ProjectEntry

Stage = Literal["reserve", "consultation", "formal", "closed"]
"""储备, 咨询, 正式, 关闭."""
STAGES: tuple[Stage, ...] = ("reserve", "consultation", "formal", "closed")
OPEN_STAGES: tuple[Stage, ...] = ("reserve", "consultation")
"""In these a project may be changed and converted."""
Action = Literal["create", "update", "attach", "consult", "convert", "close", "reopen"]
Missing = Literal["location", "demand"]

_ID_DIGITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One project in its last revision."""

    project_id: str
    stage: Stage
    revision_no: int
    """How often it was changed, its making included."""
    entry: ProjectEntry
    lon_deg: float | None
    """CGCS2000; ``None`` until it has a place."""
    lat_deg: float | None
    created_at: str
    changed_at: str

    @property
    def missing(self) -> tuple[Missing, ...]:
        """Facts without which the project cannot be assessed."""
        demand = self.entry.demand
        gaps: list[Missing] = [] if self.entry.location is not None else ["location"]
        if demand.installed_kw is None and demand.capacity_kva is None:
            gaps.append("demand")
        return tuple(gaps)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectChange:
    """One row of a project's history; nothing of it is ever changed."""

    revision_no: int
    at: str
    """UTC."""
    subject_id: str
    role: str
    action: Action
    reason: str
    changes: Mapping[str, Any]
    """Field -> before and after; empty where only something was added beside the record."""
    content_sha256: str
    """Digest of the record after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectDocument:
    """A document (项目资料) that came with a project."""

    name: str
    media_type: str
    sha256: str
    size_bytes: int
    added_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultationReply:
    """A preliminary reply (咨询初步答复) that was given for a project."""

    scheme_id: str
    verdict: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What a project became (一键转正式)."""

    request_id: str
    scheme_id: str
    hold_id: str
    at: str


def project_id_of(source_system: str, source_id: str) -> str:
    """Return the one identifier of a source system's project."""
    return "prj_" + hashlib.sha256(f"{source_system}\n{source_id}".encode()).hexdigest()[:_ID_DIGITS]


def content_of(entry: ProjectEntry) -> str:
    """Return the one spelling of an entry; what is not known is left out."""
    plain = entry.model_dump(mode="json", exclude_none=True)
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest_of(content: str) -> str:
    """Return the digest of an entry's spelling."""
    return hashlib.sha256(content.encode()).hexdigest()


def differences(before: ProjectEntry | None, after: ProjectEntry) -> dict[str, Any]:
    """Return what changed, by field; a field inside a record with its path (``demand.installed_kw``)."""
    old = {} if before is None else _flat(before.model_dump(mode="json", exclude_none=True))
    new = _flat(after.model_dump(mode="json", exclude_none=True))
    names = sorted(old.keys() | new.keys())
    return {n: {"before": old.get(n), "after": new.get(n)} for n in names if old.get(n) != new.get(n)}


def _flat(record: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in record.items():
        found |= _flat(value, f"{place}{name}.") if isinstance(value, dict) else {f"{place}{name}": value}
    return found
