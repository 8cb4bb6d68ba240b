"""Kinds of jobs: their arguments, who may start them, and the steps each runs.

A step that was finished before a crash is not run again; one that was interrupted is, so every step may run twice and
leaves the same behind.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.jobs.records import Steps
from gridmodel.errors import DomainError, InputError

if TYPE_CHECKING:
    from api.services import Services

BATCH_REQUESTS_MAX = 2_000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ImportArguments(_Strict):
    """Read an uploaded source and make it the current snapshot."""

    upload_id: Annotated[str, Field(pattern=r"^upl_[0-9a-f]{32}$")]
    source_format: Literal["auto", "pandapower", "tables"] = "auto"


class CapacityArguments(_Strict):
    """Compute the open capacity of every node of the current snapshot."""

    confirm: Literal["sample", "bulk"] = "sample"


class BatchArguments(_Strict):
    """Answer requests one after the other, each with its documents."""

    requests: Annotated[tuple[dict[str, Any], ...], Field(min_length=1, max_length=BATCH_REQUESTS_MAX, strict=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """One kind of job."""

    name: str
    roles: tuple[str, ...]
    """Who may start it."""
    arguments: type[BaseModel]
    run: Callable[[Services, Steps, Any], Mapping[str, Any]]


def import_source(services: Services, steps: Steps, arguments: ImportArguments) -> Mapping[str, Any]:
    """Return the digest of the snapshot and what the quality gate counted."""

    def read_and_store() -> dict[str, Any]:
        from api.admission import Admission
        from api.report import has_error_findings, snapshot_summary
        from gridmodel.readers.select import read_source
        from scheme.jobs.uploads import get_upload
        from scheme.ledger import Actor

        upload = get_upload(services.store, arguments.upload_id)
        with tempfile.TemporaryDirectory(prefix="gridscheme-") as folder:
            source = Path(folder) / upload.name
            source.write_bytes(upload.content)
            snapshot = read_source(source, source_format=arguments.source_format)
        actor = Actor(subject_id=f"job {steps.job_id}", role="operator", request_id=steps.job_id)
        sealed = Admission(services).activate(snapshot, actor=actor).snapshot
        return {
            "snapshot_sha256": sealed.sha256,
            "has_error_findings": has_error_findings(sealed),
            **snapshot_summary(sealed),
        }

    steps.report(0, 1, "读入并检查电网数据")
    result = steps.run("import", read_and_store)
    steps.report(1, 1, "已存为当前断面")
    return result


def refresh_capacity(services: Services, steps: Steps, arguments: CapacityArguments) -> Mapping[str, Any]:
    """Return the summary of the table."""

    def compute() -> dict[str, Any]:
        from api.capacity_tables import CapacityTables
        from api.report import capacity_summary

        def report(done: int, total: int) -> None:
            steps.report(done, total, "计算可开放容量")

        table = CapacityTables(services).compute(confirm=arguments.confirm, progress=report)
        return {"snapshot_sha256": services.store.find_current_sha256(), **capacity_summary(table)}

    return steps.run("capacity", compute)


def answer_batch(services: Services, steps: Steps, arguments: BatchArguments) -> Mapping[str, Any]:
    """Return one row for each request, in their order: its scheme and verdict, or its error."""
    total = len(arguments.requests)
    rows = []
    for number, request in enumerate(arguments.requests):
        steps.report(number, total, "生成供电方案")
        rows.append(steps.run(f"request {number}", partial(_answer, services, steps, number, request)))
    steps.report(total, total, "生成供电方案")
    return {"rows": rows}


def _answer(services: Services, steps: Steps, number: int, asked: Mapping[str, Any]) -> dict[str, Any]:
    import json

    from api.capacity_tables import CapacityTables
    from scheme.request import parse_request

    name = str(asked.get("request_id"))
    try:
        request = parse_request(json.dumps(asked))
        answer = services.answer(
            request, find_capacity=CapacityTables(services).find, idempotency_key=f"{steps.job_id}:{number}"
        )
    except DomainError as error:
        return {"request_id": name, "error": describe_error(error)}
    return {"request_id": name, "scheme_id": answer.stored.scheme_id, "verdict": answer.stored.verdict}


def describe_error(error: DomainError) -> dict[str, Any]:
    """Return an error as plain values: code, title, and where."""
    known = {name: value for name, value in error.context.items() if value is not None}
    return {"code": error.code, "title": error.message, "context": {name: str(value) for name, value in known.items()}}


KINDS: Mapping[str, JobKind] = {
    kind.name: kind
    for kind in (
        JobKind(name="import", roles=("engineer", "operator"), arguments=ImportArguments, run=import_source),
        JobKind(name="capacity", roles=("engineer", "operator"), arguments=CapacityArguments, run=refresh_capacity),
        JobKind(name="schemes", roles=("engineer", "planner"), arguments=BatchArguments, run=answer_batch),
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
