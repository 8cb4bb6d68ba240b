"""Capacity ledger (容量台账): who holds how much of which element, until when. See ``decisions/0008-ledger.md``."""

from scheme.ledger import append_only as append_only  # the triggers come with the tables
from scheme.ledger.calls import Call
from scheme.ledger.errors import (
    CapacityExhaustedError,
    ClockJumpError,
    HoldStateError,
    KeyInProgressError,
    KeyReusedError,
    PinsMovedError,
)
from scheme.ledger.idempotency import IdempotencyClaim, InProgress, StoredAnswer
from scheme.ledger.ledger import Ledger
from scheme.ledger.records import (
    Account,
    Actor,
    Balance,
    Certificate,
    Hold,
    HoldSource,
    HoldSourceKey,
    LedgerHead,
    Pins,
    SourceShare,
    WantedHold,
)

__all__ = [
    "Account",
    "Actor",
    "Balance",
    "Call",
    "CapacityExhaustedError",
    "Certificate",
    "ClockJumpError",
    "Hold",
    "HoldSource",
    "HoldSourceKey",
    "HoldStateError",
    "IdempotencyClaim",
    "InProgress",
    "KeyInProgressError",
    "KeyReusedError",
    "Ledger",
    "LedgerHead",
    "Pins",
    "PinsMovedError",
    "SourceShare",
    "StoredAnswer",
    "WantedHold",
]
