"""What the store keeps and how it refuses."""

from __future__ import annotations

from dataclasses import dataclass

from gridmodel.errors import DomainError


class SnapshotMovedError(DomainError):
    """Another snapshot became current while a change of the old one was being worked out."""

    code = "snapshot.moved"


class IdempotencyConflictError(DomainError):
    """The idempotency key was used before with another request."""

    code = "request.idempotency_conflict"


class OwnerConflictError(DomainError):
    """A scheme of the same content belongs to another subject."""

    code = "scheme.owner_conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityKey:
    """What a capacity table was computed from, besides the snapshot."""

    parameters: str
    """Canonical JSON of every number and version the table depends on."""
    parameters_sha256: str
    profile: str
    policy_sha256: str
    as_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredScheme:
    """One scheme as it was answered."""

    scheme_id: str
    request_id: str
    request_sha256: str
    snapshot_sha256: str
    verdict: str
    content: bytes
    """``scheme.json`` (UTF-8)."""
    owner_id: str | None = None
    """Subject it was answered for and who may read it besides the staff; ``None`` where staff asked."""
