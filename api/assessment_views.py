"""What HTTP shows of scenarios and assessments (情景, 储备项目评估)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from api.jobs.records import Job
from api.views import FindingView, JobErrorView, ProgressView, View, to_rfc3339
from scheme.assessment.comparison import Comparison
from scheme.assessment.records import Conflict, EarlyWork, Limiter, MaterialQuota, ProjectWorks, Verdict, YearOfElement
from scheme.assessment_store.asked import ScenarioEntry, UpgradeEntry
from scheme.assessment_store.runs import Run
from scheme.assessment_store.scenarios import SavedScenario

AssessmentState = Literal["queued", "running", "done", "failed", "cancelled"]


class ScenarioView(View):
    """A saved scenario (情景) in its last version."""

    scenario_id: str
    version_no: int
    """Grows with every change; assessments say which one they saw."""
    is_archived: bool
    name: str
    first_ids: list[str]
    excluded_ids: list[str]
    project_ids: list[str] | None
    growth_by_year_ratio: dict[str, float]
    upgrades: list[UpgradeEntry]
    created_by: str
    created_at: str
    changed_at: str

    @classmethod
    def of(cls, saved: SavedScenario) -> ScenarioView:
        """Return a scenario as it is shown."""
        return cls(
            scenario_id=saved.scenario_id,
            version_no=saved.version_no,
            is_archived=saved.is_archived,
            created_by=saved.created_by,
            created_at=_moment(saved.created_at),
            changed_at=_moment(saved.changed_at),
            **saved.entry.model_dump(mode="json", exclude={"upgrades"}),
            upgrades=list(saved.entry.upgrades),
        )


class ScenarioPage(View):
    """One page of scenarios."""

    items: list[ScenarioView]
    next_cursor: str | None


class AssessmentStarted(View):
    """An assessment that waits for its job."""

    assessment_id: str
    job_id: str
    """Watch and cancel it there."""


class AssessmentCounts(View):
    """The whole of a result in a few figures."""

    projects: int
    """Projects assessed."""
    left_out: int
    """Rows or projects that could not be."""
    alone: dict[Verdict, int]
    """Answers to each project by itself."""
    queue: dict[Verdict, int]
    """Answers in the order of the queue."""
    asked_kva: float
    served_kva: float
    """Connected now, all projects together."""
    groups: int
    """Groups of projects that have to do with each other."""
    conflicts: int
    runs_out: int
    """Elements that run out within the years told of."""
    works: int


class AssessmentProvenance(View):
    """What a result was worked out from."""

    snapshot_sha256: str
    ledger_seq: int
    """Last entry of the ledger whose live holds stand in the grid."""
    ledger_sha256: str
    policy_sha256: str
    catalogue_sha256: str
    profile: str
    version: str


class AssessmentLine(View):
    """An assessment in a list."""

    assessment_id: str
    job_id: str
    state: AssessmentState
    progress: ProgressView | None
    """While it is at work."""
    error: JobErrorView | None
    """What stopped it; only when it failed."""
    scenario_id: str | None
    """``None``: its assumptions were given with the call."""
    scenario_version_no: int | None
    scenario_name: str
    with_works: bool
    file: str | None
    """Table that was handed in; ``None``: projects of the library."""
    as_of: str
    created_by: str
    created_at: str
    finished_at: str | None
    counts: AssessmentCounts | None
    """Only when it is done."""

    @classmethod
    def of(cls, run: Run, job: Job | None) -> AssessmentLine:
        """Return the line of an assessment.

        Args:
            run: What was asked.
            job: Its work; ``None`` where there is a result, or where nobody has begun.
        """
        return cls(**_line(run, job))


class AssessmentPage(View):
    """One page of assessments."""

    items: list[AssessmentLine]
    next_cursor: str | None


class AssessmentView(AssessmentLine):
    """An assessment with what it stands on."""

    scenario: ScenarioEntry
    """As it was assessed."""
    provenance: AssessmentProvenance | None
    findings: list[FindingView]
    """Why rows or projects are left out; the first of them, all are in the workbook."""
    findings_total: int

    @classmethod
    def with_all(cls, run: Run, job: Job | None) -> AssessmentView:
        """Return an assessment as it is shown by itself."""
        summary = {} if run.summary is None else json.loads(run.summary)
        findings = summary.get("findings", ())
        return cls(
            **_line(run, job),
            scenario=run.scenario,
            provenance=summary.get("provenance"),
            findings=[FindingView(**finding) for finding in findings],
            findings_total=summary.get("findings_total", 0),
        )


class AssessedPoint(View):
    """Where and how a project is connected."""

    point_kind: str
    element_source_id: str
    point_name: str
    lon_deg: float | None
    """CGCS2000; ``None``: the grid has no place for it."""
    lat_deg: float | None
    u_nominal_kv: float
    distance_m: float
    route_length_m: float
    line_type_id: str
    circuits: int
    is_single_phase: bool
    capacity_kva: float
    connection_mode: str
    substation: str | None
    main_transformer: str | None
    feeder: str | None
    transformer_area: str | None
    elements: list[tuple[Literal["transformer", "feeder", "main_transformer"], str]]
    """Kind and imported identifier of what carries it."""
    u_pu_customer: float
    line_loading_ratio_max: float
    transformer_loading_ratio_max: float | None


class AssessedAnswer(View):
    """Answer to a project in one state of the grid."""

    verdict: Verdict
    voltage: str | None
    asked_kva: float | None
    now_kva: float | None
    """What can be connected without works; ``None``: not known."""
    reason_code: str | None
    reason: str | None
    limiter: Limiter | None
    placement: AssessedPoint | None


class AssessedProject(View):
    """What is said of one project."""

    project_id: str
    source_id: str
    """Project number in its source system."""
    source_system: str | None
    is_library: bool
    """Whether the library holds it, so that it can be opened and converted."""
    name: str
    category: str
    lon_deg: float
    """CGCS2000."""
    lat_deg: float
    demand_kva: float
    likelihood_ratio: float | None
    works_stage: str | None
    received_on: str
    needed_on: str | None
    queue_no: int
    group_no: int
    alone: AssessedAnswer
    queue: AssessedAnswer
    competitors: list[str]
    """Projects before it that use what it would have needed."""
    works: ProjectWorks | None
    """How it can be served in full; ``None`` where it is, or where nobody asked for works."""


class AssessedProjectPage(View):
    """One page of projects, in the order of the queue."""

    items: list[AssessedProject]
    total: int
    """What the filter lets through."""
    next_cursor: str | None


class ConflictList(View):
    """Projects that cannot all be served by one element."""

    items: list[Conflict]


class YearList(View):
    """When elements run out."""

    items: list[YearOfElement]


class EarlyWorkView(View):
    """Supporting works (配套工程) at one element."""

    work: EarlyWork
    upgrade: UpgradeEntry | None
    """The same for a scenario that takes it as done; ``None`` for new equipment, which a scenario does not know."""


class WorkList(View):
    """Works to start early."""

    items: list[EarlyWorkView]


class QuotaList(View):
    """Materials by quarter (按季定额)."""

    items: list[MaterialQuota]


class ComparisonView(View):
    """In what a second assessment differs from a first one."""

    before_id: str
    after_id: str
    comparison: Comparison


ASSESSMENT_VIEWS: tuple[type[View], ...] = (
    ScenarioView,
    ScenarioPage,
    AssessmentStarted,
    AssessmentPage,
    AssessmentView,
    AssessedProjectPage,
    ConflictList,
    YearList,
    WorkList,
    QuotaList,
    ComparisonView,
)


def _line(run: Run, job: Job | None) -> dict[str, Any]:
    summary: Mapping[str, Any] = {} if run.summary is None else json.loads(run.summary)
    state: AssessmentState = "done" if run.finished_at is not None else "queued" if job is None else job.state
    is_open = job is not None and state in ("queued", "running")
    progress = job.progress if job is not None and is_open else None
    error = job.error if job is not None and state == "failed" else None
    return {
        "assessment_id": run.assessment_id,
        "job_id": run.job_id,
        "state": state,
        "progress": None
        if progress is None
        else {"done": progress.done, "total": progress.total, "text": progress.text},
        "error": error,
        "scenario_id": run.scenario_id,
        "scenario_version_no": run.scenario_version_no,
        "scenario_name": run.scenario.name,
        "with_works": run.with_works,
        "file": run.file,
        "as_of": run.as_of.isoformat(),
        "created_by": run.subject_id,
        "created_at": _moment(run.created_at),
        "finished_at": None if run.finished_at is None else _moment(run.finished_at),
        "counts": summary.get("counts"),
    }


def _moment(kept: str) -> str:
    return to_rfc3339(datetime.fromisoformat(kept))
