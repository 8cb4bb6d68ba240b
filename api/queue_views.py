"""What HTTP shows of the queue of cases: one line a case, and how many there are of every urgency."""

from __future__ import annotations

from datetime import UTC, datetime

from api.views import View, to_rfc3339
from scheme.hand_over import HandOver
from scheme.ledger.states import State
from scheme.model import Verdict
from scheme.queue import QueueRow
from scheme.rules.alerts import Alert
from scheme.rules.urgency import Urgency


class CaseReason(View):
    """Why the verdict is what it is."""

    code: str
    text: str


class CaseAlert(View):
    """Colour raised (预警, 告警) by the utility's thresholds."""

    colour: str
    text: str
    receiver: str

    @classmethod
    def of(cls, alert: Alert) -> CaseAlert:
        """Return a colour."""
        return cls(colour=alert.colour, text=alert.text, receiver=alert.receiver)


class HandOverView(View):
    """A case a person handed to joint work (转专业联动)."""

    scheme_id: str
    department: str | None
    reason: str
    at: str

    @classmethod
    def of(cls, made: HandOver) -> HandOverView:
        """Return a handing over."""
        return cls(
            scheme_id=made.scheme_id,
            department=made.department,
            reason=made.reason,
            at=to_rfc3339(datetime.fromisoformat(made.at)),
        )


class QueueItem(View):
    """One case; ``None`` is not known or does not apply."""

    scheme_id: str
    request_id: str
    applicant_name: str | None
    category: str | None
    business: str | None
    capacity_kva: float | None
    installed_kw: float | None
    voltage: str | None
    verdict: Verdict
    reasons: list[CaseReason]
    created_at: str
    received_on: str | None
    reply_due_on: str | None
    """Last day of the time limit (办电时限)."""
    limit_workdays: int | None
    left_workdays: int | None
    """Working days after today up to the last one, negative: since; ``None`` where no limit runs."""
    urgency: Urgency
    alert: CaseAlert | None
    state: State
    hold_id: str | None
    expires_on: str | None
    """Last valid day of the promise, or of the scheme before it is issued."""
    is_handed_over: bool
    hand_over: HandOverView | None

    @classmethod
    def of(cls, row: QueueRow) -> QueueItem:
        """Return the line of a case."""
        facts, alert = row.facts, row.deadline.alert
        made_at = datetime.fromisoformat(facts["created_at"]).replace(tzinfo=UTC)
        same = ("scheme_id", "request_id", "applicant_name", "category", "business", "capacity_kva", "installed_kw",
                "voltage", "verdict", "received_on", "limit_workdays", "state", "hold_id", "expires_on")  # fmt: skip
        return cls(
            **{name: facts[name] for name in same},
            reasons=[CaseReason(**reason) for reason in row.reasons],
            created_at=to_rfc3339(made_at),
            reply_due_on=facts["due_on"],
            left_workdays=row.deadline.left_workdays,
            urgency=row.deadline.urgency,
            alert=None if alert is None else CaseAlert.of(alert),
            is_handed_over=facts["handed_over_at"] is not None,
            hand_over=_hand_over(row),
        )


class UrgencyCounts(View):
    """How many cases there are of every urgency."""

    overdue: int
    due: int
    soon: int
    ok: int
    none: int


class QueuePage(View):
    """One page of cases, and the counts of all pages."""

    as_of: str
    """Day the urgency is counted from."""
    counts: UrgencyCounts
    items: list[QueueItem]
    next_cursor: str | None


def _hand_over(row: QueueRow) -> HandOverView | None:
    facts = row.facts
    if facts["handed_over_at"] is None:
        return None
    return HandOverView(
        scheme_id=facts["scheme_id"],
        department=facts["handed_over_department"],
        reason=facts["handed_over_reason"],
        at=to_rfc3339(datetime.fromisoformat(facts["handed_over_at"])),
    )
