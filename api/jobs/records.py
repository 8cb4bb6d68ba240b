"""What a job is, as everybody outside the worker sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar

from gridmodel.errors import DomainError
from scheme.ledger.records import Actor

Result = TypeVar("Result")
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED: frozenset[JobState] = frozenset({"done", "failed", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job is."""

    done: int
    total: int | None
    """``None`` where nobody knows how much there is."""
    text: str
    """What is being done, Chinese."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job."""

    job_id: str
    kind: str
    state: JobState
    owner_id: str
    """Who started it; nobody else is shown it."""
    progress: Progress | None
    """``None`` before it began."""
    result: Mapping[str, Any] | None
    """Only when it is done."""
    error: Mapping[str, Any] | None
    """``code``, ``title`` and ``context`` of what stopped it; only when it failed."""
    created_at: datetime
    updated_at: datetime


class JobCancelledError(DomainError):
    """The job was cancelled while it ran; what its finished steps did stays."""

    code = "job.cancelled"


class JobsUnavailableError(DomainError):
    """The database of the jobs does not answer."""

    code = "store.unavailable"


class JobEndedError(DomainError):
    """A job that has ended cannot be cancelled."""

    code = "job.ended"


class Steps(Protocol):
    """What a job is given to do its work with."""

    @property
    def job_id(self) -> str:
        """Identifier of the job, the same after a crash."""
        ...

    @property
    def actor(self) -> Actor:
        """Who started the job, as the ledger and the audit trail name them."""
        ...

    def run(self, name: str, work: Callable[[], Result]) -> Result:
        """Return what ``work`` returned, from the record where it was done before a crash; plain JSON values only."""
        ...

    def check(self) -> None:
        """Look whether the job is still wanted, before something is kept for good.

        Raises:
            JobCancelledError: Somebody cancelled it.
        """
        ...

    def report(self, done: int, total: int | None, text: str) -> None:
        """Say how far the job is.

        Raises:
            JobCancelledError: Somebody cancelled it.
        """
        ...
