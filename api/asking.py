"""Who asks for a scheme, and what is kept of the answer in the transaction that keeps the scheme."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheme.ledger.audit_trail import append
from scheme.ledger.idempotency import IdempotencyClaim, StoredAnswer, claim_key, find_answer, keep
from scheme.ledger.records import Actor

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from scheme.store import Store, StoredScheme

Tell = Callable[[str, bytes], tuple[int, Mapping[str, str], bytes]]
"""Makes status, headers and body of what the asker is told, from the scheme's id and its record."""


def tell_record(_scheme_id: str, record: bytes) -> tuple[int, Mapping[str, str], bytes]:
    """Return the record alone, for callers that are not the web."""
    return 201, {}, record


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One call for a scheme."""

    actor: Actor
    operation: str
    key: str
    """Idempotency key: the same with the same request gives the answer given before."""
    owner_id: str | None = None
    """Customer the scheme belongs to; ``None`` where staff asked."""
    tell: Tell = tell_record

    def claim(self, fingerprint: str) -> IdempotencyClaim:
        """Return the key as it stands for a request with this digest."""
        return IdempotencyClaim(self.actor.subject_id, self.operation, self.key, fingerprint)


def asking_of_service(key: str) -> Asking:
    """Return a call the service makes itself, as a job does."""
    return Asking(actor=Actor(subject_id="service", role="operator", request_id=key), operation="answer", key=key)


class _AnsweredMeanwhileError(Exception):
    """Another process answered under the same key; leaves the transaction without a trace."""

    def __init__(self, told: StoredAnswer) -> None:
        super().__init__()
        self.told = told


def find_told(store: Store, asking: Asking, fingerprint: str) -> StoredAnswer | None:
    """Return what was answered under a key.

    Raises:
        KeyReusedError: The key stands for another request.
    """
    with store.read() as connection:
        return find_answer(connection, asking.claim(fingerprint))


def keep_told(
    store: Store, stored: StoredScheme, documents: Sequence[tuple[str, bytes]], asking: Asking, record: bytes
) -> tuple[StoredAnswer, bool]:
    """Keep a scheme, its documents, what is told under its key and the audit row: all or nothing.

    Args:
        store: Where.
        stored: The scheme.
        documents: File name and content of each.
        asking: Who asks.
        record: What the asker may read of the scheme.

    Returns:
        What is told, and whether another process had told it before; then nothing is kept.

    Raises:
        KeyReusedError: The key stands for another request.
        OwnerConflictError: The same scheme belongs to another customer.
    """
    claim = asking.claim(stored.request_sha256)
    status, headers, body = asking.tell(stored.scheme_id, record)

    def also(connection: Connection) -> None:
        earlier = claim_key(connection, claim)
        if earlier is not None:
            raise _AnsweredMeanwhileError(earlier)
        keep(connection, claim, status, headers, body, object_id=stored.scheme_id)
        after_sha256 = hashlib.sha256(stored.content).hexdigest()
        append(connection, asking.actor, "scheme.answer", stored.scheme_id, after_sha256=after_sha256)

    try:
        store.store_scheme(stored, documents, also=also)
    except _AnsweredMeanwhileError as meanwhile:
        return meanwhile.told, True
    return StoredAnswer(status=status, headers=headers, body=body, object_id=stored.scheme_id), False
