"""What surrounds a change of the ledger, and the hold an answer makes; no database here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Required, TypedDict

from sqlalchemy import Connection

from scheme.ledger.chain import canonical_bytes
from scheme.ledger.clock import to_text
from scheme.ledger.idempotency import IdempotencyClaim
from scheme.ledger.records import Actor, Hold, HoldSource, WantedHold

_HOLD_ID_DIGITS = 32
_HTTP_OK = 200

Answer = Callable[[Hold], tuple[int, Mapping[str, str], bytes]]
"""Makes status, headers and body of what the caller is told; kept under the idempotency key in the same transaction."""
Also = Callable[[Connection], None]
"""Writes what belongs into the same transaction."""


class Call(TypedDict, total=False):
    """What surrounds one change, as keyword arguments."""

    actor: Required[Actor]
    """Who does it."""
    claim: IdempotencyClaim | None
    """Under which idempotency key; the answer is kept with it."""
    reason: str
    """Why, for the audit trail."""
    answer: Answer | None
    """What the caller is told; the hold as JSON by default."""
    also: Also | None
    """What else is written in the same transaction."""


def new_hold(wanted: WantedHold, certificate_id: str, at: datetime, claim: IdempotencyClaim | None) -> Hold:
    """Return what an answer asks for as a hold; its place in the queue comes when it is written."""
    key = "" if claim is None else f"{claim.principal_id} {claim.operation} {claim.key}"
    return Hold(
        hold_id=hold_id_of(wanted.scheme_id, wanted.owner_id, wanted.request_id, certificate_id, key, to_text(at)),
        hold_no=0,
        scheme_id=wanted.scheme_id,
        request_id=wanted.request_id,
        owner_id=wanted.owner_id,
        capacity_va=wanted.capacity_va,
        power_factor=wanted.power_factor,
        is_low_voltage=wanted.is_low_voltage,
        sources=tuple(
            HoldSource(
                source_no=source.source_no,
                node_element_id=source.node_element_id,
                share_va=source.share_va,
                path=source.path,
            )
            for source in wanted.sources
        ),
        snapshot_sha256=wanted.snapshot_sha256,
        policy_sha256=wanted.policy_sha256,
        certificate_id=certificate_id,
        state="held",
        created_at=at,
        expires_on=wanted.expires_on,
        predecessor_id=wanted.supersedes,
    )


def hold_id_of(*parts: str) -> str:
    """Return an opaque id: the same call makes the same one, and nobody can guess the next."""
    return "hld_" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_HOLD_ID_DIGITS]


def plain_answer(hold: Hold) -> tuple[int, Mapping[str, str], bytes]:
    """Return the hold as JSON, where the caller makes no answer of its own."""
    return _HTTP_OK, {"content-type": "application/json"}, canonical_bytes(hold.as_plain())
