"""Answers by idempotency key (幂等键): the same request under the same key is carried out once, and answered alike.

Answers are kept for ever, because the records they tell of are.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, insert

from scheme.ledger.clock import database_time, to_text
from scheme.ledger.errors import KeyInProgressError, KeyReusedError
from scheme.ledger.heads import insert_if_absent
from scheme.ledger.statements import FILL_ANSWER, FIND_ANSWER
from scheme.ledger.tables import ANSWERED_REQUEST


@dataclass(frozen=True, slots=True)
class IdempotencyClaim:
    """One request of one principal."""

    principal_id: str
    operation: str
    key: str
    fingerprint: str
    """SHA-256 of the canonical body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """What was answered, byte for byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    object_id: str | None = None
    """Hold or other record the request made."""


def find_answer(connection: Connection, claim: IdempotencyClaim) -> StoredAnswer | None:
    """Return the answer given under the key.

    Raises:
        KeyReusedError: The key stands for another request.
    """
    row = connection.execute(FIND_ANSWER, _is(claim)).one_or_none()
    return None if row is None else _read(row, claim)


def claim_key(connection: Connection, claim: IdempotencyClaim) -> StoredAnswer | None:
    """Take the key for this transaction, or return the answer it already has.

    Where another transaction is answering under the same key, the database makes this one wait for its end.

    Raises:
        KeyReusedError: The key stands for another request.
    """
    row = {**_key(claim), "fingerprint": claim.fingerprint, "answered_at": ""}
    is_taken = connection.execute(_take(connection.dialect.name), row).one_or_none() is not None
    return None if is_taken else find_answer(connection, claim)


def keep(
    connection: Connection,
    claim: IdempotencyClaim,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    object_id: str | None = None,
    at: datetime | None = None,
) -> None:
    """Keep the answer of a claimed key, or of one nobody has claimed.

    Raises:
        KeyReusedError: The key stands for another request.
        KeyInProgressError: Somebody else answered meanwhile; :func:`find_answer` has it.
    """
    values = {
        "status": status,
        "headers": json.dumps(dict(headers), ensure_ascii=False, sort_keys=True),
        "body": body,
        "object_id": object_id,
        "answered_at": to_text(at or database_time(connection)),
    }
    filled = connection.execute(FILL_ANSWER, {**_is(claim), **{f"new_{name}": item for name, item in values.items()}})
    if filled.rowcount == 1:
        return
    if find_answer(connection, claim) is not None:
        raise KeyInProgressError("another request under this idempotency key was faster", key=claim.key)
    connection.execute(insert(ANSWERED_REQUEST).values(**_key(claim), fingerprint=claim.fingerprint, **values))


class InProgress:
    """Keys being worked out by this process, so that a second request is told to come back rather than computed."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, str, str], str] = {}
        self._lock = threading.Lock()

    @contextmanager
    def running(self, claim: IdempotencyClaim) -> Iterator[None]:
        """Hold the key while its request is worked out.

        Raises:
            KeyInProgressError: It is being worked out already.
            KeyReusedError: Another request is, under the same key.
        """
        key = (claim.principal_id, claim.operation, claim.key)
        with self._lock:
            running = self._running.get(key)
            if running is not None and running != claim.fingerprint:
                raise KeyReusedError("the idempotency key was used for another request", key=claim.key)
            if running is not None:
                raise KeyInProgressError("a request under this idempotency key is being worked out", key=claim.key)
            self._running[key] = claim.fingerprint
        try:
            yield
        finally:
            with self._lock:
                del self._running[key]


def _key(claim: IdempotencyClaim) -> dict[str, str]:
    return {"principal_id": claim.principal_id, "operation": claim.operation, "idempotency_key": claim.key}


def _is(claim: IdempotencyClaim) -> dict[str, str]:
    return {"of_principal": claim.principal_id, "of_operation": claim.operation, "of_key": claim.key}


@cache
def _take(dialect: str) -> Any:
    return insert_if_absent(dialect, ANSWERED_REQUEST).returning(ANSWERED_REQUEST.c.operation)


def _read(row: Any, claim: IdempotencyClaim) -> StoredAnswer:
    if row.fingerprint != claim.fingerprint:
        raise KeyReusedError("the idempotency key was used for another request", key=claim.key)
    if row.status is None:
        raise KeyInProgressError("a request under this idempotency key is being worked out", key=claim.key)
    return StoredAnswer(
        status=row.status, headers=json.loads(row.headers or "{}"), body=bytes(row.body or b""), object_id=row.object_id
    )
