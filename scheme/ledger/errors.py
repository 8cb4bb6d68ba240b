"""How the capacity ledger refuses."""

from __future__ import annotations

from gridmodel.errors import DomainError
from scheme.store.records import IdempotencyConflictError


class CapacityExhaustedError(DomainError):
    """An account on the path has no room for what is wanted; nothing is taken anywhere."""

    code = "ledger.capacity_exhausted"

    def __init__(self, account_id: str, *, wanted_va: int, open_va: int | None) -> None:
        super().__init__(
            "there is no capacity left for this hold", account_id=account_id, wanted_va=wanted_va, open_va=open_va
        )
        self.account_id = account_id
        """Which level binds; for internal roles only."""


class PinsMovedError(DomainError):
    """The ledger moved under a certificate while it was worked out; compute it again."""

    code = "ledger.pins_moved"


class HoldStateError(DomainError):
    """The hold is not in a state, or no longer in its validity, that allows this step."""

    code = "ledger.hold_state"


class KeyReusedError(IdempotencyConflictError):
    """The idempotency key stands for another request."""


class KeyInProgressError(DomainError):
    """A request under this idempotency key is being worked out; ask again shortly."""

    code = "request.in_progress"


class ClockJumpError(DomainError):
    """The clock jumped forward since the last heartbeat; nothing expires until a person has looked at it."""

    code = "ledger.clock_jump"
