"""What the ledger is meant to do, as dictionaries: no database, no counters, everything added up anew each time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
LIVE = ("held", "committed", "energised")


@dataclass(frozen=True)
class ModelHold:
    state: str
    va: int
    node: str
    path: tuple[str, ...]
    last_day: date
    request: str


@dataclass
class Model:
    """The ledger's state; every method returns what the product should say, and changes the state when that is "ok"."""

    limits: dict[str, int | None]
    clock: datetime
    last_at: datetime = BEFORE_ALL
    holds: dict[str, ModelHold] = field(default_factory=dict)
    answers: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Idempotency key -> body and the hold it made."""

    @property
    def now(self) -> datetime:
        return max(self.clock, self.last_at)

    @property
    def today(self) -> date:
        return self.now.astimezone(BEIJING).date()

    def used(self, account: str) -> tuple[int, int]:
        """Held and posted."""
        through = [hold for hold in self.holds.values() if account in hold.path]
        held = sum(hold.va for hold in through if hold.state == "held")
        return held, sum(hold.va for hold in through if hold.state in ("committed", "energised"))

    def room(self, path: tuple[str, ...], without: str | None = None) -> int | None:
        """The most that fits on a path, once a hold is gone from it; None where nothing is known to bind."""
        gone = self.holds[without] if without is not None else None
        rooms = []
        for account in path:
            limit = self.limits[account]
            if limit is not None:
                freed = gone.va if gone is not None and account in gone.path else 0
                rooms.append(limit - sum(self.used(account)) + freed)
        return min(rooms) if rooms else None

    def can_reserve(self, request: str, va: int, path: tuple[str, ...], last_day: date, old: str | None) -> str:
        """Whether an answer may be given; a net addition of nothing or less always fits."""
        if last_day < self.today or (old is not None and self.holds[old].state != "held"):
            return "state"
        if any(account not in self.limits for account in path):
            return "moved"
        for account in path:
            limit, freed = self.limits[account], 0
            if old is not None and account in self.holds[old].path:
                freed = self.holds[old].va
            if limit is not None and va > freed and sum(self.used(account)) - freed + va > limit:
                return "exhausted"
        others = [h for key, h in self.holds.items() if key != old and h.state in LIVE and h.request == request]
        return "state" if others else "ok"

    def reserve(self, hold_id: str, hold: ModelHold, old: str | None) -> None:
        if old is not None:
            self._set(old, "superseded")
        self.holds[hold_id] = hold
        self.last_at = self.now

    def step(self, hold_id: str, step: str) -> str:
        """Take a step."""
        hold = self.holds[hold_id]
        following = {
            ("held", "commit"): "committed", ("held", "energise"): "energised", ("committed", "energise"): "energised",
            ("held", "withdraw"): "withdrawn", ("committed", "withdraw"): "cancelled", ("held", "expire"): "expired",
        }.get((hold.state, step))  # fmt: skip
        is_over = self.today > hold.last_day
        if following is None or (step == "expire" and not is_over):
            return "state"
        if hold.state == "held" and step in ("commit", "energise") and is_over:
            return "state"
        self._set(hold_id, following)
        return "ok"

    def reduce(self, hold_id: str, new_id: str, va: int) -> None:
        old = self.holds[hold_id]
        self._set(hold_id, "reduced")
        self.holds[new_id] = replace(old, va=va, state="committed")

    def sweep(self) -> set[str]:
        due = {key for key, hold in self.holds.items() if hold.state == "held" and self.today > hold.last_day}
        for key in due:
            self._set(key, "expired")
        return due

    def activate(self, limits: dict[str, int | None], paths: dict[str, tuple[str, ...]]) -> None:
        """A new network: live holds go to the paths of their nodes, or nowhere."""
        self.limits = limits
        for key, hold in self.holds.items():
            if hold.state in LIVE:
                self.holds[key] = replace(hold, path=paths.get(hold.node, ()))

    def _set(self, hold_id: str, state: str) -> None:
        self.holds[hold_id] = replace(self.holds[hold_id], state=state)
        self.last_at = self.now
