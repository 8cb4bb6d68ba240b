"""What HTTP shows of the reserve library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from api.views import FindingView, HoldLine, View, to_rfc3339
from scheme.ledger import Hold
from scheme.library.entry import ProjectEntry
from scheme.library.importing import ImportOutcome
from scheme.library.records import (
    Action,
    ConsultationReply,
    Conversion,
    Missing,
    Project,
    ProjectChange,
    ProjectDocument,
    Stage,
)

FINDINGS_TOLD_MAX = 1_000
LINES_TOLD_MAX = 1_000


class PlaceView(View):
    """A place in CGCS2000."""

    lon_deg: float
    lat_deg: float


class ProjectLine(View):
    """A project (储备项目) in its last revision."""

    project_id: str
    stage: Stage
    revision_no: int
    entry: ProjectEntry
    place: PlaceView | None
    """CGCS2000, whatever datum it was given in; null until it has one."""
    missing: list[Missing]
    """Facts without which it cannot be assessed."""
    created_at: str
    changed_at: str

    @classmethod
    def of(cls, project: Project) -> ProjectLine:
        """Return the line of a project."""
        return cls(**_line(project))


class ProjectPage(View):
    """One page of projects."""

    items: list[ProjectLine]
    next_cursor: str | None


class ProjectChangeView(View):
    """One row of the history."""

    revision_no: int
    at: str
    subject_id: str
    role: str
    action: Action
    reason: str
    changes: dict[str, Any]
    """Field -> before and after."""
    content_sha256: str


class DocumentView(View):
    """A document that came with a project."""

    name: str
    media_type: str
    sha256: str
    size_bytes: int
    added_at: str

    @classmethod
    def of(cls, document: ProjectDocument) -> DocumentView:
        """Return a document without its content."""
        return cls(**{**asdict(document), "added_at": _moment(document.added_at)})


class DocumentList(View):
    """Documents by name."""

    items: list[DocumentView]


class ReplyView(View):
    """A preliminary reply (咨询初步答复): a scheme that binds nobody."""

    scheme_id: str
    verdict: str
    at: str


class ConversionLine(View):
    """What a project became."""

    request_id: str
    scheme_id: str
    hold_id: str
    at: str


class ProjectView(ProjectLine):
    """A project with everything that became of it."""

    history: list[ProjectChangeView]
    documents: list[DocumentView]
    replies: list[ReplyView]
    conversion: ConversionLine | None

    @classmethod
    def with_all(
        cls,
        project: Project,
        history: Sequence[ProjectChange],
        documents: Sequence[ProjectDocument],
        replies: Sequence[ConsultationReply],
        conversion: Conversion | None,
    ) -> ProjectView:
        """Return a project with its history, oldest first."""
        told = None if conversion is None else ConversionLine(**_dated(conversion))
        return cls(
            **_line(project),
            history=[ProjectChangeView(**_dated(change)) for change in history],
            documents=[DocumentView.of(document) for document in documents],
            replies=[ReplyView(**_dated(reply)) for reply in replies],
            conversion=told,
        )


class RowOutcomeView(View):
    """What a good row does to its project."""

    row: int
    project_id: str
    source_id: str
    name: str
    fate: Literal["created", "updated", "unchanged"]
    changes: dict[str, Any]
    """Field -> before and after, of a project that is changed."""


class ImportView(View):
    """What became of a file, or would; ``rows`` is the sum of the four counts after it."""

    file: str
    rows: int
    created: int
    updated: int
    unchanged: int
    refused: int
    is_taken: bool
    findings: list[FindingView]
    """The first of them."""
    findings_total: int
    lines: list[RowOutcomeView]
    """The first of the rows that were not refused."""
    lines_total: int

    @classmethod
    def of(cls, outcome: ImportOutcome) -> ImportView:
        """Return what is told of an import."""
        plain = outcome.as_dict()
        findings = plain.pop("findings")
        told = [FindingView(**finding) for finding in findings[:FINDINGS_TOLD_MAX]]
        lines = [RowOutcomeView(**asdict(line)) for line in outcome.lines[:LINES_TOLD_MAX]]
        return cls(
            **plain,
            findings=told,
            findings_total=len(findings),
            lines=lines,
            lines_total=len(outcome.lines),
        )


class ConversionView(View):
    """A project that is an application now, and the capacity held for it."""

    project_id: str
    request_id: str
    scheme_id: str
    is_earlier: bool
    """Whether it had been converted before this call."""
    hold: HoldLine

    @classmethod
    def of(cls, project_id: str, scheme_id: str, hold: Hold, is_earlier: bool) -> ConversionView:
        """Return what a conversion is answered with."""
        return cls(
            project_id=project_id,
            request_id=hold.request_id,
            scheme_id=scheme_id,
            is_earlier=is_earlier,
            hold=HoldLine.of(hold),
        )


class ConsultationView(View):
    """A preliminary reply just given."""

    project_id: str
    scheme_id: str
    verdict: str


PROJECT_VIEWS: tuple[type[View], ...] = (
    ProjectLine,
    ProjectPage,
    ProjectView,
    DocumentView,
    DocumentList,
    ImportView,
    ConversionView,
    ConsultationView,
)


def _line(project: Project) -> dict[str, Any]:
    is_placed = project.lon_deg is not None and project.lat_deg is not None
    return {
        "project_id": project.project_id,
        "stage": project.stage,
        "revision_no": project.revision_no,
        "entry": project.entry,
        "place": {"lon_deg": project.lon_deg, "lat_deg": project.lat_deg} if is_placed else None,
        "missing": list(project.missing),
        "created_at": _moment(project.created_at),
        "changed_at": _moment(project.changed_at),
    }


def _dated(record: Any) -> dict[str, Any]:
    return {**asdict(record), "at": _moment(record.at)}


def _moment(kept: str) -> str:
    return to_rfc3339(datetime.fromisoformat(kept))
