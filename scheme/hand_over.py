"""Handing a case to joint work (转专业联动) by hand: kept with its reason, and from then on it is not issued."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, and_, insert, select

from gridmodel.errors import DomainError
from scheme.admission.errors import NotIssuableError
from scheme.ledger.audit_trail import append
from scheme.ledger.clock import database_time, to_text
from scheme.ledger.errors import HoldStateError
from scheme.ledger.heads import AUDIT_CHAIN, lock_heads
from scheme.ledger.idempotency import IdempotencyClaim, claim_key, keep
from scheme.ledger.reader import find_holds
from scheme.ledger.records import Actor
from scheme.ledger.states import LIVE
from scheme.ledger.tables import HOLD
from scheme.store import Store
from scheme.store.tables import HAND_OVER


class HandedOverError(DomainError):
    """The case was handed to joint work before."""

    code = "scheme.handed_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """A case in joint work."""

    scheme_id: str
    department: str | None
    """Who goes on with it; ``None`` where nobody said."""
    reason: str
    subject_id: str
    at: str
    """UTC."""


Told = Callable[[HandOver], tuple[int, Mapping[str, str], bytes]]
"""Makes status, headers and body of what the caller is told."""


def hand_over(
    store: Store,
    scheme_id: str,
    *,
    reason: str,
    department: str | None,
    actor: Actor,
    claim: IdempotencyClaim,
    answer: Told,
) -> None:
    """Keep that a case went to joint work, its audit row, and what the caller is told: all or nothing.

    Raises:
        NotFoundError: No such scheme.
        HoldStateError: It is issued; it has to be withdrawn first.
        HandedOverError: It was handed over before.
        KeyReusedError: The key stands for another request.
    """
    content = store.get_scheme(scheme_id).content
    with store.write() as connection:
        if claim_key(connection, claim) is not None:
            return
        lock_heads(connection, AUDIT_CHAIN)  # who issues locks it too: one of the two comes first
        live = find_holds(connection, and_(HOLD.c.scheme_id == scheme_id, HOLD.c.state.in_(LIVE)))
        if live:
            raise HoldStateError(
                "the scheme is issued; withdraw it first", hold_id=live[0].hold_id, state=live[0].state
            )
        before = find_hand_over(connection, scheme_id)
        if before is not None:
            raise HandedOverError("the case was handed to joint work before", scheme_id=scheme_id, at=before.at)
        made = HandOver(
            scheme_id=scheme_id,
            department=department,
            reason=reason,
            subject_id=actor.subject_id,
            at=to_text(database_time(connection)),
        )
        connection.execute(insert(HAND_OVER).values({name: getattr(made, name) for name in HandOver.__slots__}))
        digest = hashlib.sha256(content).hexdigest()
        append(connection, actor, "scheme.hand_over", scheme_id, reason, before_sha256=digest, after_sha256=digest)
        keep(connection, claim, *answer(made), object_id=scheme_id)


def find_hand_over(connection: Connection, scheme_id: str) -> HandOver | None:
    """Return how a case went to joint work, ``None`` where nobody handed it over."""
    row = connection.execute(select(HAND_OVER).where(HAND_OVER.c.scheme_id == scheme_id)).one_or_none()
    return None if row is None else HandOver(**row._mapping)


def refuse_handed_over(connection: Connection, scheme_id: str) -> None:
    """Keep a case in joint work from being issued, in the transaction that issues.

    Raises:
        NotIssuableError: It was handed over.
    """
    if find_hand_over(connection, scheme_id) is not None:
        raise NotIssuableError("the case was handed to joint work (专业联动); answer the request again")
