"""Rows as the ledger's tables keep them; no database here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from scheme.ledger.chain import link
from scheme.ledger.clock import to_text
from scheme.ledger.heads import Head
from scheme.ledger.idempotency import IdempotencyClaim
from scheme.ledger.movements import Delta, HoldChange, deltas
from scheme.ledger.records import Account, Certificate, Hold, HoldSource

Row = dict[str, Any]
NO_CHANGE = Delta()
_OF_HOLD = (
    "hold_id", "hold_no", "scheme_id", "request_id", "owner_id", "capacity_va", "power_factor", "is_low_voltage",
    "snapshot_sha256", "policy_sha256", "certificate_id", "state", "predecessor_id",
)  # fmt: skip


class Standing(NamedTuple):
    """An account after its counters or its limit were changed."""

    version: int
    limit_va: int | None


def account_row(account: Account) -> Row:
    """Return an account nobody uses yet."""
    return {
        "account_id": account.account_id,
        "level": account.level,
        "element_id": account.element_id,
        "limit_va": account.limit_va,
        "held_va": 0,
        "posted_va": 0,
        "version": 1,
        "is_current": True,
        "is_overcommitted": account.limit_va is not None and account.limit_va < 0,
    }


def certificate_row(certificate: Certificate) -> Row:
    """Return a certificate."""
    return {
        "certificate_id": certificate.certificate_id,
        "snapshot_sha256": certificate.snapshot_sha256,
        "pins": json.dumps(dict(sorted(certificate.pins.versions.items())), ensure_ascii=False),
        "engine": certificate.engine,
        "content": certificate.content_json,
    }


def hold_row(hold: Hold, claim: IdempotencyClaim | None) -> Row:
    """Return a hold that is new, with the key it was asked for under."""
    made_at = to_text(hold.created_at)
    return {
        **{name: getattr(hold, name) for name in _OF_HOLD},
        "created_at": made_at,
        "changed_at": made_at,
        "expires_on": hold.expires_on.isoformat(),
        "claim_principal_id": None if claim is None else claim.principal_id,
        "claim_operation": None if claim is None else claim.operation,
        "claim_key": None if claim is None else claim.key,
    }


def source_row(hold_id: str, source: HoldSource, *, mapping_no: int, transaction_no: int) -> Row:
    """Return one mapping of a source point."""
    return {
        "hold_id": hold_id,
        "source_no": source.source_no,
        "mapping_no": mapping_no,
        "transaction_no": transaction_no,
        "node_element_id": source.node_element_id,
        "share_va": source.share_va,
        "path": json.dumps(source.path, ensure_ascii=False),
    }


def limit_row(account_id: str, standing: Standing) -> Row:
    """Return the entry of a limit that was set, without its number."""
    return _entry("limit", standing, account_id, None, NO_CHANGE)


def entry_rows(changes: Sequence[HoldChange], standing: Mapping[str, Standing]) -> list[Row]:
    """Return one entry per hold and account, without numbers; a hold counted nowhere leaves one without an account."""
    rows: list[Row] = []
    for change in changes:
        hold_id = change.after.hold_id
        rows += [
            _entry(change.kind, standing[account_id], account_id, hold_id, delta)
            for account_id, delta in deltas(change).items()
        ] or [_entry(change.kind, None, None, hold_id, NO_CHANGE)]
    return rows


def _entry(kind: str, standing: Standing | None, account_id: str | None, hold_id: str | None, delta: Delta) -> Row:
    return {
        "kind": kind,
        "account_id": account_id,
        "hold_id": hold_id,
        "held_delta_va": delta.held_va,
        "posted_delta_va": delta.posted_va,
        "limit_va": None if standing is None else standing.limit_va,
        "version": None if standing is None else standing.version,
    }


def chained(rows: Sequence[Row], head: Head, at: datetime) -> list[Row]:
    """Return entries with number, transaction, time and digest, going on from the end of the chain."""
    sha256, found = head.sha256, []
    for seq, row in enumerate(rows, start=head.seq + 1):
        entry = {"seq": seq, "transaction_no": head.transaction_no + 1, "at": to_text(at), **row}
        sha256 = link(sha256, entry)
        found.append({**entry, "sha256": sha256})
    return found


def event_rows(changes: Sequence[HoldChange], head: Head, *, entry_seq: int, at: datetime) -> list[Row]:
    """Return one event per change; ``entry_seq`` is the last entry of the transaction."""
    return [
        {
            "event_no": event_no,
            "transaction_no": head.transaction_no + 1,
            "entry_seq": entry_seq,
            "at": to_text(at),
            "hold_id": change.after.hold_id,
            "step": change.kind,
            "from_state": "quote" if change.before is None else change.before.state,
            "to_state": change.after.state,
        }
        for event_no, change in enumerate(changes, start=head.event_no + 1)
    ]
