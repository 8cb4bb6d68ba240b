"""What the register of publications keeps and how it refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from gridmodel.errors import DomainError
from scheme.publication.document import Basis
from scheme.publication.rules import MapAudience
from scheme.publication.scanner import LeakFinding, LeakReport

State = Literal["draft", "scanned", "refused", "released", "replaced", "withdrawn"]
"""Made; nothing found; something found; in public; another followed; taken back by a person."""


class PublicationStateError(DomainError):
    """The publication is not in a state that allows this, or another one stands in the way."""

    code = "publication.state"


class SecondPersonError(DomainError):
    """Whoever made a publication may not release it."""

    code = "publication.second_person"


class LeakFoundError(DomainError):
    """The leak scanner found something, so the file may not be released."""

    code = "publication.leak"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """What one transformer brought to a publication; internal."""

    element_id: str
    open_va: int | None
    customers: int | None
    is_restricted: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One publication as the register has it; the file itself is asked for separately."""

    publication_id: str
    state: State
    data_month: str
    content_sha256: str
    basis: Basis
    profile: str
    policy_sha256: str
    as_of: str
    compared_with_id: str | None
    negative_list_sha256: str | None
    made_by: str
    made_at: str
    report: LeakReport | None
    scanned_by: str | None
    scanned_at: str | None
    release_no: int | None
    released_by: str | None
    released_at: str | None
    audience: MapAudience | None
    ended_by: str | None
    ended_at: str | None
    ended_reason: str | None


def report_to_json(report: LeakReport) -> str:
    """Return a report as the register keeps it."""
    return json.dumps(asdict(report), ensure_ascii=False, sort_keys=True)


def read_report(text: str | None) -> LeakReport | None:
    """Return what :func:`report_to_json` wrote."""
    if text is None:
        return None
    plain: Mapping[str, Any] = json.loads(text)
    findings = tuple(LeakFinding(**finding) for finding in plain["findings"])
    return LeakReport(**{**plain, "findings": findings})
