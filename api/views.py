"""What HTTP shows of holds, accounts, entries, audit rows, schemes and snapshots; capacities in kVA, times in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from scheme.ledger.records import VA_PER_KVA, Balance, Hold
from scheme.ledger.states import State
from scheme.listing import SchemeRow


class View(BaseModel):
    """One shape of an answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SchemeLine(View):
    """A scheme in a list."""

    scheme_id: str
    request_id: str
    verdict: Literal["answered", "transition", "joint_work"]
    state: State
    created_at: str

    @classmethod
    def of(cls, row: SchemeRow) -> SchemeLine:
        """Return the line of a scheme."""
        made_at = datetime.fromisoformat(row.created_at).replace(tzinfo=UTC)
        return cls.model_validate(
            {
                "scheme_id": row.scheme_id,
                "request_id": row.request_id,
                "verdict": row.verdict,
                "state": row.state,
                "created_at": to_rfc3339(made_at),
            }
        )


class HoldLine(View):
    """A hold (容量占用) without where it is: what its owner may read."""

    hold_id: str
    hold_no: int
    """Place in the queue of answers."""
    scheme_id: str
    request_id: str
    state: State
    capacity_kva: float
    power_factor: float
    is_low_voltage: bool
    expires_on: str
    """Last valid day, inclusive, Asia/Shanghai."""
    created_at: str
    changed_at: str | None
    predecessor_id: str | None

    @classmethod
    def of(cls, hold: Hold) -> HoldLine:
        """Return the line of a hold."""
        return cls(**_line(hold))


class HoldSourceView(View):
    """One source point of a hold."""

    source_no: int
    node_element_id: str
    share_kva: float
    path: list[str]
    """Accounts above it, leaf to root; empty where the current snapshot has no place for it."""


class EntryView(View):
    """One booking of the ledger."""

    seq: int
    at: str
    kind: str
    account_id: str | None
    held_delta_kva: float
    posted_delta_kva: float


class HoldView(HoldLine):
    """A hold with where it is and how it was booked."""

    owner_id: str
    is_orphan: bool
    sources: list[HoldSourceView]
    snapshot_sha256: str
    policy_sha256: str
    certificate_id: str
    entries: list[EntryView]

    @classmethod
    def with_entries(cls, hold: Hold, entries: list[dict[str, Any]]) -> HoldView:
        """Return a hold with its bookings."""
        return cls(
            **_line(hold),
            owner_id=hold.owner_id,
            is_orphan=hold.is_orphan,
            sources=[
                HoldSourceView(
                    source_no=source.source_no,
                    node_element_id=source.node_element_id,
                    share_kva=source.share_va / VA_PER_KVA,
                    path=list(source.path),
                )
                for source in hold.sources
            ],
            snapshot_sha256=hold.snapshot_sha256,
            policy_sha256=hold.policy_sha256,
            certificate_id=hold.certificate_id,
            entries=[_entry(row) for row in entries],
        )


class AccountView(View):
    """One limited element: what is given away of it."""

    account_id: str
    level: int
    element_id: str
    limit_kva: float | None
    held_kva: float
    posted_kva: float
    open_kva: float | None
    is_current: bool
    is_overcommitted: bool

    @classmethod
    def of(cls, balance: Balance) -> AccountView:
        """Return an account."""
        return cls(
            account_id=balance.account.account_id,
            level=balance.account.level,
            element_id=balance.account.element_id,
            limit_kva=_kva(balance.account.limit_va),
            held_kva=balance.held_va / VA_PER_KVA,
            posted_kva=balance.posted_va / VA_PER_KVA,
            open_kva=_kva(balance.open_va),
            is_current=balance.is_current,
            is_overcommitted=balance.is_overcommitted,
        )


class AuditView(View):
    """Who changed what, in which role, why."""

    seq: int
    at: str
    subject_id: str
    role: str
    request_id: str
    action: str
    object_id: str
    reason: str
    before_sha256: str | None
    after_sha256: str | None
    sha256: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> AuditView:
        """Return an audit row."""
        return cls(**{**row, "at": to_rfc3339(datetime.fromisoformat(row["at"]))})


class SchemePage(View):
    """One page of schemes."""

    items: list[SchemeLine]
    next_cursor: str | None


class HoldPage(View):
    """One page of holds."""

    items: list[HoldLine]
    next_cursor: str | None


class AccountPage(View):
    """One page of accounts."""

    items: list[AccountView]
    next_cursor: str | None


class AuditPage(View):
    """One page of audit rows."""

    items: list[AuditView]
    next_cursor: str | None


class FindingView(View):
    """What the quality gate says about a row of the imported data (数据质量)."""

    code: str
    severity: Literal["info", "warning", "error"]
    disposition: Literal["accepted", "quarantined", "merged"]
    file: str
    table: str
    row: int | None
    column: str | None
    value: str | None
    expected: str
    consequence: str
    element_id: str | None


class TableCountView(View):
    """Rows of one imported table."""

    table: str
    read: int
    accepted: int
    quarantined: int
    merged: int


class SnapshotView(View):
    """A snapshot (电网断面) and one page of what the quality gate found."""

    snapshot_sha256: str
    source_name: str
    source_format: str
    node_count: int
    nodes_by_status: dict[str, int]
    counts: list[TableCountView]
    findings_by_severity: dict[str, int]
    findings: list[FindingView]
    next_cursor: str | None


class ActivatedView(SnapshotView):
    """A snapshot that became the current one, and what became of the live holds."""

    mapped_source_count: int
    """Source points on a path of the new snapshot."""
    orphan_hold_ids: list[str]
    """Holds with a source point that has no place any more; a person decides."""
    closed_hold_ids: list[str]
    """Energised holds whose load the snapshot contains."""


class ProgressView(View):
    """How far a job is."""

    done: int
    total: int | None
    """``None`` where nobody knows how much there is."""
    text: str


class AnswerProgressView(View):
    """How far an answer is."""

    done: int
    """Load flows of the search, 0 in other stages."""
    total: int | None
    """Bound of ``done``; ``None`` where nobody knows how much there is."""
    what: Literal["queued", "grid", "search", "documents", "record"]
    """Stage: others come first, the grid as promised, points and their load flows, documents, keeping it."""


class JobErrorView(View):
    """What stopped a job."""

    code: str
    title: str
    context: dict[str, str]


class JobLine(View):
    """Long work."""

    job_id: str
    kind: Literal["check", "import", "capacity", "schemes", "assessment", "publication", "ledger_audit"]
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    owner_id: str
    """Who started it."""
    progress: ProgressView | None
    """``None`` before it began."""
    result: dict[str, Any] | None
    """Only when it is done."""
    error: JobErrorView | None
    """Only when it failed."""
    created_at: str
    updated_at: str


class JobPage(View):
    """Jobs, newest first."""

    jobs: list[JobLine]
    next_cursor: str | None


class UploadView(View):
    """A file that waits for its job."""

    upload_id: str
    sha256: str


PAGES: tuple[type[View], ...] = (
    SchemePage,
    HoldPage,
    HoldLine,
    HoldView,
    AccountPage,
    AuditPage,
    SnapshotView,
    ActivatedView,
    JobLine,
    JobPage,
    UploadView,
    AnswerProgressView,
)
"""Answers by the name of their class in the API's description."""


def to_rfc3339(moment: datetime) -> str:
    """Return an instant in UTC as RFC 3339 has it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _line(hold: Hold) -> dict[str, Any]:
    return {
        "hold_id": hold.hold_id,
        "hold_no": hold.hold_no,
        "scheme_id": hold.scheme_id,
        "request_id": hold.request_id,
        "state": hold.state,
        "capacity_kva": hold.capacity_va / VA_PER_KVA,
        "power_factor": hold.power_factor,
        "is_low_voltage": hold.is_low_voltage,
        "expires_on": hold.expires_on.isoformat(),
        "created_at": to_rfc3339(hold.created_at),
        "changed_at": None if hold.changed_at is None else to_rfc3339(hold.changed_at),
        "predecessor_id": hold.predecessor_id,
    }


def _entry(row: Mapping[str, Any]) -> EntryView:
    return EntryView(
        seq=row["seq"],
        at=to_rfc3339(datetime.fromisoformat(row["at"])),
        kind=row["kind"],
        account_id=row["account_id"],
        held_delta_kva=row["held_delta_va"] / VA_PER_KVA,
        posted_delta_kva=row["posted_delta_va"] / VA_PER_KVA,
    )


def _kva(value_va: int | None) -> float | None:
    return None if value_va is None else value_va / VA_PER_KVA
