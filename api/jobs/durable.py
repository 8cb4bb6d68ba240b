"""Jobs on DBOS: the one module that knows it.

Whoever starts or watches jobs uses :class:`DurableJobs`, which only talks to the database of the jobs; the work is done
by :func:`run_worker` in a process of its own, so that load flows do not hold up the service. Arguments and results are
kept as JSON, never pickled. The database is a file beside an SQLite store, a schema of its own on PostgreSQL.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.exc import SQLAlchemyError

from api.jobs.batch import describe_error
from api.jobs.kinds import KINDS, parse_arguments
from api.jobs.records import (
    ENDED,
    Job,
    JobCancelledError,
    JobEndedError,
    JobState,
    JobsUnavailableError,
    Progress,
    Result,
)
from gridmodel.errors import DomainError, NotFoundError
from scheme.ledger.records import Actor
from scheme.store import IdempotencyConflictError

if TYPE_CHECKING:
    from dbos import DBOSClient, DBOSConfig, EnqueueOptions, WorkflowStatus

    from api.jobs.workbench import Workbench
    from scheme.store import Database

_APPLICATION = "gridscheme"
_QUEUE = "jobs"
_WORKFLOW = "run_job"
_FORMAT_VERSION = "1"
"""Raised on purpose when a job begun by an older version could not be taken up by this one."""
_PROGRESS = "progress"
_REPORT_EVERY_S = 0.5
_POLL_S = 0.25
_STATES: Mapping[str, JobState] = {
    "ENQUEUED": "queued",
    "DELAYED": "queued",
    "PENDING": "running",
    "SUCCESS": "done",
    "ERROR": "failed",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed",
    "CANCELLED": "cancelled",
}
_LOG = logging.getLogger(__name__)


def jobs_url(store: Database) -> str:
    """Return where the jobs of a store are kept: a file beside an SQLite file, else the same database."""
    if store.file is None:
        return store.address.render_as_string(hide_password=False)
    return f"sqlite:///{store.file.with_name(f'{store.file.stem}.jobs{store.file.suffix}')}"


def job_id_of(owner_id: str, idempotency_key: str) -> str:
    """Return what a job of an owner under a key is called, whether it is there yet or not."""
    return f"job_{_digest(owner_id, idempotency_key)[:32]}"


class DurableJobs:
    """Starts, shows and cancels jobs.

    Args:
        url: Database of the jobs, see :func:`jobs_url`; it is made where it does not exist.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: DBOSClient | None = None
        self._lock = threading.Lock()

    def submit(self, kind: str, arguments: Mapping[str, Any], *, owner_id: str, role: str, idempotency_key: str) -> Job:
        """Queue a job and return it; the same key of the same owner returns the job it stands for.

        Args:
            kind: One of :data:`api.jobs.kinds.KINDS`.
            arguments: Its arguments.
            owner_id: Who starts it.
            role: In which role.
            idempotency_key: Chosen by the caller.

        Raises:
            InputError: Unknown kind, or a wrong argument.
            IdempotencyConflictError: The key stands for another job.
            JobsUnavailableError: The database does not answer.
        """
        checked = parse_arguments(kind, arguments).model_dump(mode="json")
        fingerprint = _digest(kind, checked)
        job_id = job_id_of(owner_id, idempotency_key)
        options: EnqueueOptions = {
            "workflow_name": _WORKFLOW,
            "queue_name": _QUEUE,
            "workflow_id": job_id,
            "app_version": _FORMAT_VERSION,
            "authenticated_user": owner_id,
            "authenticated_roles": [role],
            "attributes": {"kind": kind, "fingerprint": fingerprint},
            "serialization_type": cast("Any", "portable"),
        }
        with self._connected() as client:
            client.enqueue(options, kind, checked)
            found = _status(client, job_id)
        if found is None or (found.attributes or {}).get("fingerprint") != fingerprint:
            raise IdempotencyConflictError("the idempotency key was used for another job", key=idempotency_key)
        return self.get(job_id, owner_id=owner_id)

    def get(self, job_id: str, *, owner_id: str | None) -> Job:
        """Return a job.

        Args:
            job_id: Its identifier.
            owner_id: Who asks; ``None`` for one who may see all.

        Raises:
            NotFoundError: There is none, or it belongs to somebody else.
            JobsUnavailableError: The database does not answer.
        """
        with self._connected() as client:
            found = _status(client, job_id)
            if found is None or owner_id not in (None, found.authenticated_user):
                raise NotFoundError("no such job", job_id=job_id)
            return _job(found, client.get_event(job_id, _PROGRESS, timeout_seconds=0))

    def find(self, *, owner_id: str | None, limit: int, offset: int = 0) -> list[Job]:
        """Return the newest jobs first, of one owner or of all."""
        with self._connected() as client:
            found = client.list_workflows(user=owner_id, limit=limit, offset=offset, sort_desc=True, name=_WORKFLOW)
            return [
                _job(status, client.get_event(status.workflow_id, _PROGRESS, timeout_seconds=0)) for status in found
            ]

    def find_many(self, job_ids: Sequence[str]) -> dict[str, Job]:
        """Return those of the jobs that are there, whoever started them.

        Raises:
            JobsUnavailableError: The database does not answer.
        """
        if not job_ids:
            return {}
        with self._connected() as client:
            found = client.list_workflows(workflow_ids=list(job_ids))
            events = {one.workflow_id: client.get_event(one.workflow_id, _PROGRESS, timeout_seconds=0) for one in found}
            return {one.workflow_id: _job(one, events[one.workflow_id]) for one in found}

    def cancel(self, job_id: str, *, owner_id: str | None) -> Job:
        """Stop a job before its next step; what its finished steps did stays.

        Raises:
            NotFoundError: There is none, or it belongs to somebody else.
            JobEndedError: It has ended.
            JobsUnavailableError: The database does not answer.
        """
        job = self.get(job_id, owner_id=owner_id)
        if job.state == "cancelled":
            return job
        if job.state in ENDED:
            raise JobEndedError("the job has ended", job_id=job_id, state=job.state)
        with self._connected() as client:
            client.cancel_workflow(job_id)
        return self.get(job_id, owner_id=owner_id)

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            if self._client is not None:
                self._client.destroy()
            self._client = None

    def _connected(self) -> _Translated:
        return _Translated(self._open)

    def _open(self) -> DBOSClient:
        from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer

        with self._lock:
            if self._client is None:
                DBOS.migrate(self._url)
                self._client = DBOSClient(
                    system_database_url=self._url,
                    serializer=DBOSPortableJSONSerializer(),
                    application_name=_APPLICATION,
                    retry_connection_errors=False,
                )
            return self._client


class _Translated:
    """Opens the client and translates what its driver raises."""

    def __init__(self, open_client: Callable[[], DBOSClient]) -> None:
        self._open_client = open_client

    def __enter__(self) -> DBOSClient:
        try:
            return self._open_client()
        except SQLAlchemyError as error:
            raise JobsUnavailableError("the database of the jobs does not answer") from error

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        if isinstance(error, SQLAlchemyError):
            raise JobsUnavailableError("the database of the jobs does not answer") from error


def run_worker(bench: Workbench, url: str, *, name: str, is_over: Callable[[], bool]) -> None:
    """Do the jobs of a database one after the other until ``is_over`` says so; take up what a crash interrupted.

    Args:
        bench: What the jobs work on.
        url: Database of the jobs.
        name: Of this worker; two of the same name must not run at a time, so that only its own jobs are taken up.
        is_over: Asked several times a second.

    Raises:
        JobsUnavailableError: The database does not answer.
    """
    from dbos import DBOS, DBOSPortableJSONSerializer

    configuration: DBOSConfig = {
        "name": _APPLICATION,
        "system_database_url": url,
        "application_version": _FORMAT_VERSION,
        "executor_id": name,
        "log_level": "CRITICAL",
        "serializer": DBOSPortableJSONSerializer(),
    }
    try:
        DBOS(config=configuration)
        DBOS.workflow(name=_WORKFLOW)(_workflow(bench))
        DBOS.launch()
        DBOS.register_queue(_QUEUE, worker_concurrency=1, polling_interval_sec=_POLL_S)
    except SQLAlchemyError as error:
        raise JobsUnavailableError("the database of the jobs does not answer") from error
    try:
        while not is_over():
            time.sleep(_POLL_S)
    finally:
        DBOS.destroy(destroy_registry=True)


def _workflow(bench: Workbench) -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    def run_job(kind: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return ``result`` or ``error``: an expected error is an answer, not a fault of the worker."""
        steps = _DurableSteps()
        try:
            checked = parse_arguments(kind, arguments)
            return {"result": dict(KINDS[kind].run(bench, steps, checked))}
        except JobCancelledError:
            raise
        except DomainError as error:
            return {"error": describe_error(error)}
        except Exception as error:
            if _is_control_flow(error):
                raise
            _LOG.error("job failed", exc_info=error)
            return {
                "error": {"code": "internal", "title": "the service made a mistake; the job stopped", "context": {}}
            }

    return run_job


def _is_control_flow(error: Exception) -> bool:
    """Return whether the engine itself stops the job (cancelled, taken over by another worker)."""
    from dbos import error as engine

    return isinstance(error, engine.DBOSException)


class _DurableSteps:
    """Steps of the job this thread runs.

    What happens between steps is done again after a crash and must come in the same order, so it is always recorded;
    within a step reports are thinned out.
    """

    def __init__(self) -> None:
        from dbos import DBOS

        self._dbos = DBOS
        self._is_within_step = False
        self._reported_at = 0.0

    @property
    def job_id(self) -> str:
        return str(self._dbos.workflow_id)

    @property
    def actor(self) -> Actor:
        roles = self._dbos.authenticated_roles or [""]
        return Actor(subject_id=str(self._dbos.authenticated_user), role=roles[0], request_id=self.job_id)

    def run(self, name: str, work: Callable[[], Result]) -> Result:
        def within() -> Result:
            self._is_within_step = True
            try:
                return work()
            finally:
                self._is_within_step = False

        return self._dbos.run_step({"name": name}, within)

    def check(self) -> None:
        status = self._dbos.get_workflow_status(self.job_id)
        if status is not None and status.status == "CANCELLED":
            raise JobCancelledError("the job was cancelled", job_id=self.job_id)

    def report(self, done: int, total: int | None, text: str) -> None:
        if self._is_within_step:
            now = time.monotonic()
            if now - self._reported_at < _REPORT_EVERY_S:
                return
            self._reported_at = now
            self.check()
        self._dbos.set_event(_PROGRESS, asdict(Progress(done=done, total=total, text=text)))


def _status(client: DBOSClient, job_id: str) -> WorkflowStatus | None:
    found: Sequence[WorkflowStatus] = client.list_workflows(workflow_ids=[job_id])
    return found[0] if found else None


def _job(status: WorkflowStatus, progress: Mapping[str, Any] | None) -> Job:
    state, output = _STATES[status.status], status.output if isinstance(status.output, dict) else {}
    error = output.get("error")
    if state == "failed" and error is None:
        error = {"code": "internal", "title": "the job could not be finished", "context": {}}
    return Job(
        job_id=status.workflow_id,
        kind=str((status.attributes or {}).get("kind")),
        state="failed" if error is not None else state,
        owner_id=str(status.authenticated_user),
        progress=None if progress is None else Progress(**progress),
        result=output.get("result"),
        error=error,
        created_at=_time(status.created_at),
        updated_at=_time(status.updated_at),
    )


def _time(milliseconds: int | None) -> datetime:
    return datetime.fromtimestamp((milliseconds or 0) / 1000, tz=UTC)


def _digest(*parts: object) -> str:
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
