"""Kinds of jobs: their arguments, who may start them, and the steps each runs.

A step that was finished before a crash is not run again; one that was interrupted is, so every step may run twice and
leaves the same behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.access.principal import Role
from api.jobs.batch import answer_one
from api.jobs.records import Steps
from gridmodel.errors import InputError

if TYPE_CHECKING:
    from api.jobs.workbench import Workbench

BATCH_REQUESTS_MAX = 2_000
FINDINGS_KEPT_MAX = 200
"""Of an import, in the record of its job; all of them come with the snapshot."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ImportArguments(_Strict):
    """Read an uploaded network and make it the current one."""

    upload_id: Annotated[str, Field(pattern=r"^upl_[0-9a-f]{32}$")]


class CheckArguments(_Strict):
    """Read an uploaded network and say what it would change; it stays an upload."""

    upload_id: Annotated[str, Field(pattern=r"^upl_[0-9a-f]{32}$")]


class CapacityArguments(_Strict):
    """Compute the open capacity of every node of the current network."""

    confirm: Literal["sample", "bulk"] = "sample"


class BatchArguments(_Strict):
    """Answer requests one after the other, each with its documents."""

    requests: Annotated[tuple[dict[str, Any], ...], Field(min_length=1, max_length=BATCH_REQUESTS_MAX, strict=False)]


class AssessmentArguments(_Strict):
    """Assess reserve projects together; what is asked is kept already."""

    assessment_id: Annotated[str, Field(pattern=r"^asm_[0-9a-f]{32}$")]


class PublicationArguments(_Strict):
    """Draft the public map of the grid as it stands and look it through for leaks; two persons release it."""

    negative_list: Annotated[tuple[str, ...], Field(max_length=100_000, strict=False)] | None = None


class LedgerAuditArguments(_Strict):
    """Recompute the capacity ledger and compare; nothing is chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """One kind of job."""

    name: str
    roles: tuple[Role, ...]
    """Who may start it."""
    arguments: type[BaseModel]
    run: Callable[[Workbench, Steps, Any], Mapping[str, Any]]


def import_network(bench: Workbench, steps: Steps, arguments: ImportArguments) -> Mapping[str, Any]:
    """Return the digest of the snapshot, what the quality gate counted, and what became of the live holds."""

    def read_and_activate() -> dict[str, Any]:
        from api.report import has_error_findings, snapshot_summary
        from api.uploads import read_upload
        from scheme.jobs.uploads import get_upload

        upload = get_upload(bench.services.store, arguments.upload_id, owner_id=steps.actor.subject_id)
        done = bench.admission.activate(read_upload(upload.content, upload.name), actor=steps.actor)
        return {
            "snapshot_sha256": done.snapshot.sha256,
            "has_error_findings": has_error_findings(done.snapshot),
            "mapped_source_count": done.outcome.mapped,
            "orphan_hold_ids": list(done.outcome.orphans),
            "closed_hold_ids": list(done.outcome.closed),
            **snapshot_summary(done.snapshot),
            "findings": [finding.as_dict() for finding in done.snapshot.findings[:FINDINGS_KEPT_MAX]],
        }

    def drop() -> None:
        from scheme.jobs.uploads import drop_upload

        drop_upload(bench.services.store, arguments.upload_id)

    steps.report(0, 1, "读入并检查电网数据")
    result = steps.run("import", read_and_activate)
    steps.run("drop the upload", drop)
    steps.report(1, 1, "已存为当前断面")
    return result


def check_upload(bench: Workbench, steps: Steps, arguments: CheckArguments) -> Mapping[str, Any]:
    """Return what :func:`api.jobs.checking.check_network` counts."""
    from api.jobs.checking import check_network

    return check_network(bench, steps, arguments.upload_id)


def refresh_capacity(bench: Workbench, steps: Steps, arguments: CapacityArguments) -> Mapping[str, Any]:
    """Return the summary of the table."""

    def compute() -> dict[str, Any]:
        from api.report import capacity_summary

        def report(done: int, total: int) -> None:
            steps.report(done, total, "计算可开放容量")

        table = bench.tables.compute(confirm=arguments.confirm, progress=report)
        return {"snapshot_sha256": bench.services.store.find_current_sha256(), **capacity_summary(table)}

    return steps.run("capacity", compute)


def answer_batch(bench: Workbench, steps: Steps, arguments: BatchArguments) -> Mapping[str, Any]:
    """Return one row for each request, in their order: its scheme and verdict, or its error."""
    total = len(arguments.requests)
    rows = []
    for number, request in enumerate(arguments.requests):
        steps.report(number, total, "生成供电方案")
        rows.append(steps.run(f"request {number}", partial(answer_one, bench, steps, number, request)))
    steps.report(total, total, "生成供电方案")
    return {"rows": rows}


def assess_projects(bench: Workbench, steps: Steps, arguments: AssessmentArguments) -> Mapping[str, Any]:
    """Return what :func:`api.jobs.assessing.run_assessment` counts."""
    from api.jobs.assessing import run_assessment

    return run_assessment(bench, steps, arguments.assessment_id)


def draft_publication(bench: Workbench, steps: Steps, arguments: PublicationArguments) -> Mapping[str, Any]:
    """Return the draft with its leak report."""
    from api.publications import describe_publication

    publications, actor = bench.publications, steps.actor
    publication_id = f"pub_{steps.job_id.removeprefix('job_')}"

    def draft() -> str:
        def report(done: int, total: int) -> None:
            steps.report(done, total, "绘制公开图草稿")

        if not publications.has(publication_id):
            publications.draft(
                actor, negative_list=arguments.negative_list, publication_id=publication_id, progress=report
            )
        return publication_id

    def scan() -> dict[str, Any]:
        return describe_publication(publications.scan(publication_id, actor))

    steps.report(0, 2, "绘制公开图草稿")
    steps.run("draft", draft)
    steps.report(1, 2, "泄漏检查")
    result = steps.run("scan", scan)
    steps.report(2, 2, "泄漏检查")
    return result


def audit_ledger(bench: Workbench, steps: Steps, arguments: LedgerAuditArguments) -> Mapping[str, Any]:
    """Return every invariant with its verdict, as ``gridscheme audit`` tells them."""

    def look() -> dict[str, Any]:
        from scheme.ledger.auditor import audit

        with bench.services.store.read() as connection:
            report = audit(connection).as_plain()
        findings = [{**finding, "details": list(finding["details"])} for finding in report["findings"]]
        return {**report, "findings": findings}

    steps.report(0, 1, "核对容量台账")
    result = steps.run("audit", look)
    steps.report(1, 1, "核对容量台账")
    return result


KINDS: Mapping[str, JobKind] = {
    kind.name: kind
    for kind in (
        JobKind(name="check", roles=("engineer", "operator"), arguments=CheckArguments, run=check_upload),
        JobKind(name="import", roles=("engineer", "operator"), arguments=ImportArguments, run=import_network),
        JobKind(name="capacity", roles=("engineer", "operator"), arguments=CapacityArguments, run=refresh_capacity),
        JobKind(name="schemes", roles=("engineer", "planner"), arguments=BatchArguments, run=answer_batch),
        JobKind(name="assessment", roles=("planner",), arguments=AssessmentArguments, run=assess_projects),
        JobKind(name="publication", roles=("operator",), arguments=PublicationArguments, run=draft_publication),
        JobKind(name="ledger_audit", roles=("operator",), arguments=LedgerAuditArguments, run=audit_ledger),
    )
}


def parse_arguments(kind: str, arguments: Mapping[str, Any]) -> BaseModel:
    """Return the arguments of a job, checked.

    Raises:
        InputError: Unknown kind, or a wrong argument.
    """
    if kind not in KINDS:
        raise InputError("no such kind of job", field="kind", value=kind, allowed=", ".join(KINDS))
    try:
        return KINDS[kind].arguments.model_validate(dict(arguments))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in ("arguments", *first["loc"]))
        raise InputError(str(first["msg"]), field=place, value=first.get("input")) from error
