"""A write under an idempotency key: carried out once, answered alike for ever, refusals by the rules included."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Request, Response

from api.access import Principal, Role
from api.errors import problem_of
from api.inputs import JSON_MEDIA_TYPE
from gridmodel.errors import DomainError
from scheme.ledger import Actor, IdempotencyClaim, InProgress, KeyInProgressError, StoredAnswer
from scheme.ledger.idempotency import find_answer, keep
from scheme.store import Store

REPLAYED_HEADER = "Idempotency-Replayed"
_ID_DIGITS = 32
REFUSALS = frozenset(
    {
        "ledger.capacity_exhausted",
        "ledger.hold_state",
        "admission.not_issuable",
        "admission.certificate_refused",
        "scheme.handed_over",
        "project.exists",
        "project.stage",
        "project.conversion_refused",
        "scenario.archived",
    }
)
"""What the rules refuse: kept under the key like any answer. Overload and faults are not, so that the same key may try
again."""


class Writes:
    """Carries out writes on one store, each once.

    Args:
        store: Where answers are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running = InProgress()

    def carry_out(self, claim: IdempotencyClaim, work: Callable[[], object]) -> Response:
        """Return the answer kept under the key, after ``work`` has made it where there is none yet.

        Args:
            claim: The key and what it stands for.
            work: Does the thing and keeps the answer in the same transaction.

        Raises:
            KeyReusedError: The key stands for another request.
            KeyInProgressError: The same request is being worked out.
        """
        told = self._find(claim)
        if told is not None:
            return as_response(told, is_replayed=True)
        with self._running.running(claim):
            try:
                work()
            except DomainError as refusal:
                if refusal.code not in REFUSALS:
                    raise
                return as_response(self._refuse(claim, refusal), is_replayed=False)
        told = self._find(claim)
        assert told is not None, "a write keeps its answer"
        return as_response(told, is_replayed=False)

    def _find(self, claim: IdempotencyClaim) -> StoredAnswer | None:
        with self._store.read() as connection:
            return find_answer(connection, claim)

    def _refuse(self, claim: IdempotencyClaim, refusal: DomainError) -> StoredAnswer:
        answer = problem_of(refusal)
        headers = {"content-type": answer.headers["content-type"]}
        try:
            with self._store.write() as connection:
                keep(connection, claim, answer.status_code, headers, bytes(answer.body))
        except KeyInProgressError:  # another process was faster; what it told counts
            told = self._find(claim)
            assert told is not None, "a key that was lost has an answer"
            return told
        return StoredAnswer(status=answer.status_code, headers=headers, body=bytes(answer.body))


def as_response(told: StoredAnswer, *, is_replayed: bool) -> Response:
    """Return a kept answer as it was."""
    headers = {**told.headers, REPLAYED_HEADER: "true"} if is_replayed else dict(told.headers)
    return Response(told.body, told.status, headers=headers)


def json_answer(status: int, body: bytes, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    """Return status, headers and body of a JSON answer as it is kept."""
    return status, {"content-type": JSON_MEDIA_TYPE, **headers}, body


def actor_of(principal: Principal, request: Request, *roles: Role) -> Actor:
    """Return who acts, in the first of ``roles`` it has."""
    role = next(role for role in roles if role in principal.roles)
    return Actor(subject_id=principal.subject_id, role=role, request_id=request.state.request_id)


def id_of(prefix: str, claim: IdempotencyClaim) -> str:
    """Return the identifier of the thing a key makes, the same however often it is asked."""
    canonical = json.dumps([claim.principal_id, claim.operation, claim.key], ensure_ascii=False)
    return f"{prefix}_{hashlib.sha256(canonical.encode()).hexdigest()[:_ID_DIGITS]}"


def claim_of(actor: Actor, operation: str, key: str, asked: Mapping[str, Any]) -> IdempotencyClaim:
    """Return the claim of a call; ``asked`` is everything that was asked, as plain values."""
    canonical = json.dumps(asked, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    fingerprint = hashlib.sha256(canonical.encode()).hexdigest()
    return IdempotencyClaim(actor.subject_id, operation, key, fingerprint)
