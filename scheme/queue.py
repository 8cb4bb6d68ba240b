"""The queue of cases (待办申请): schemes with what is left of their time limit, most urgent first."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from gridmodel.errors import NotFoundError
from scheme.ledger.states import State
from scheme.ledger.tables import HOLD
from scheme.listing import QUOTE
from scheme.policy.parameter import PolicyView
from scheme.rules.urgency import URGENCIES, Deadline, Urgency, judge_deadline
from scheme.store.cases import fold
from scheme.store.tables import HAND_OVER, SCHEME_CASE

OPEN: tuple[State, ...] = ("quote", "held", "committed")
"""States of a case whose time limit runs."""
Sort = Literal["urgent", "newest"]
StateFilter = State | Literal["open", "handed_over"]
_NO_LENGTH = -1
"""Stands for a limit that is not counted in working days, where the database compares."""
Place = tuple[int, str, str, str]
"""Where a row stands: 0 with a limit that runs, else 1; last day; made at; scheme id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFilter:
    """Which cases are listed; ``None`` does not filter."""

    state: StateFilter | None = None
    verdict: str | None = None
    urgency: Urgency | None = None
    text: str | None = None
    """Stands somewhere in applicant, request or scheme."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """One case."""

    facts: Mapping[str, Any]
    """Columns of the scheme, its case, its last hold and its handing over, by name."""
    deadline: Deadline

    @property
    def reasons(self) -> list[dict[str, str]]:
        """Code and text of each reason."""
        return list(json.loads(self.facts["reasons"]))


class Queue:
    """The cases of one store on one day.

    Args:
        today: Day of the list.
        policy: Decides what is urgent.
    """

    def __init__(self, today: date, policy: PolicyView) -> None:
        self._today = today
        self._policy = policy

    def list_page(
        self, connection: Connection, wanted: QueueFilter, *, sort: Sort, after: Place | None, limit: int
    ) -> list[QueueRow]:
        """Return cases, those whose limit ends first (or the newest) first.

        Args:
            connection: In a transaction.
            wanted: Which.
            sort: ``urgent``: by the last day, those without a running limit last, newest first.
            after: Place of the last row of the page before.
            limit: At most so many.
        """
        rows = _rows()
        statement = select(rows).where(*self._conditions(connection, rows, wanted)).limit(limit)
        newest = tuple_(rows.c.created_at, rows.c.scheme_id)
        if sort == "newest":
            if after is not None:
                statement = statement.where(newest < tuple_(literal(after[2]), literal(after[3])))
            statement = statement.order_by(rows.c.created_at.desc(), rows.c.scheme_id.desc())
        else:
            if after is not None:
                statement = statement.where(_follows(rows, newest, after))
            statement = statement.order_by(
                rows.c.place, rows.c.due_key, rows.c.created_at.desc(), rows.c.scheme_id.desc()
            )
        return [self._row(dict(row._mapping)) for row in connection.execute(statement)]

    def get(self, connection: Connection, scheme_id: str) -> QueueRow:
        """Return one case, also where the request was answered again since.

        Raises:
            NotFoundError: No such scheme.
        """
        rows = _rows(has_replaced=True)
        found = connection.execute(select(rows).where(rows.c.scheme_id == scheme_id)).one_or_none()
        if found is None:
            raise NotFoundError("no such scheme", scheme_id=scheme_id)
        return self._row(dict(found._mapping))

    def count(self, connection: Connection, wanted: QueueFilter) -> dict[Urgency, int]:
        """Return how many cases there are of every urgency, whatever urgency is asked for."""
        rows = _rows()
        everything = QueueFilter(state=wanted.state, verdict=wanted.verdict, text=wanted.text)
        statement = (
            select(rows.c.place, rows.c.due_on, rows.c.limit_workdays, func.count().label("cases"))
            .where(*self._conditions(connection, rows, everything))
            .group_by(rows.c.place, rows.c.due_on, rows.c.limit_workdays)
        )
        found: Counter[Urgency] = Counter()
        for row in connection.execute(statement):
            found[self._judge(row.place, row.due_on, row.limit_workdays).urgency] += row.cases
        return {urgency: found[urgency] for urgency in URGENCIES}

    def _row(self, facts: Mapping[str, Any]) -> QueueRow:
        return QueueRow(facts=facts, deadline=self._judge(facts["place"], facts["due_on"], facts["limit_workdays"]))

    def _judge(self, place: int, due_on: str | None, limit_workdays: int | None) -> Deadline:
        last = date.fromisoformat(due_on) if due_on and place == 0 else None
        return judge_deadline(last, limit_workdays, self._today, self._policy)

    def _conditions(self, connection: Connection, rows: FromClause, wanted: QueueFilter) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if wanted.state == "open":
            found.append(rows.c.state.in_(OPEN))
        elif wanted.state == "handed_over":
            found.append(rows.c.handed_over_at.is_not(None))
        elif wanted.state is not None:
            found.append(rows.c.state == wanted.state)
        if wanted.verdict is not None:
            found.append(rows.c.verdict == wanted.verdict)
        if wanted.text:
            found.append(rows.c.search_text.contains(fold(wanted.text), autoescape=True))
        if wanted.urgency == "none":
            found.append(rows.c.place == 1)
        elif wanted.urgency is not None:
            found.append(self._is_urgent(connection, rows, wanted.urgency))
        return found

    def _is_urgent(self, connection: Connection, rows: FromClause, urgency: Urgency) -> ColumnElement[bool]:
        """Return the condition on rows for an urgency: by the few pairs of last day and length there are."""
        pairs = connection.execute(
            select(SCHEME_CASE.c.due_on, SCHEME_CASE.c.limit_workdays)
            .where(SCHEME_CASE.c.due_on.is_not(None))
            .distinct()
        ).all()
        chosen = [pair for pair in pairs if self._judge(0, pair.due_on, pair.limit_workdays).urgency == urgency]
        length = func.coalesce(rows.c.limit_workdays, _NO_LENGTH)
        keys = [(pair.due_on, _NO_LENGTH if pair.limit_workdays is None else pair.limit_workdays) for pair in chosen]
        return and_(rows.c.place == 0, tuple_(rows.c.due_on, length).in_(keys))


def place_of(row: QueueRow) -> Place:
    """Return where a row stands, for the page after it."""
    facts = row.facts
    return int(facts["place"]), str(facts["due_key"]), str(facts["created_at"]), str(facts["scheme_id"])


def _follows(rows: FromClause, newest: Any, after: Place) -> ColumnElement[bool]:
    place, due_key, created_at, scheme_id = after
    is_same = and_(rows.c.place == place, rows.c.due_key == due_key)
    return or_(
        rows.c.place > place,
        and_(rows.c.place == place, rows.c.due_key > due_key),
        and_(is_same, newest < tuple_(literal(created_at), literal(scheme_id))),
    )


def _rows(*, has_replaced: bool = False) -> Any:
    """Return the cases, those that were never issued and answered again since only where they are wanted."""
    last = select(HOLD.c.scheme_id, func.max(HOLD.c.hold_no).label("hold_no")).group_by(HOLD.c.scheme_id).subquery()
    state = func.coalesce(HOLD.c.state, literal(QUOTE))
    is_open = and_(state.in_(OPEN), SCHEME_CASE.c.due_on.is_not(None))
    later = SCHEME_CASE.alias()
    is_same_request = and_(
        later.c.request_id == SCHEME_CASE.c.request_id,
        func.coalesce(later.c.owner_id, "") == func.coalesce(SCHEME_CASE.c.owner_id, ""),
        tuple_(later.c.created_at, later.c.scheme_id) > tuple_(SCHEME_CASE.c.created_at, SCHEME_CASE.c.scheme_id),
    )
    columns: Sequence[Any] = (
        *SCHEME_CASE.c,
        state.label("state"),
        HOLD.c.hold_id,
        func.coalesce(HOLD.c.expires_on, SCHEME_CASE.c.valid_to).label("expires_on"),
        HAND_OVER.c.at.label("handed_over_at"),
        HAND_OVER.c.department.label("handed_over_department"),
        HAND_OVER.c.reason.label("handed_over_reason"),
        case((is_open, 0), else_=1).label("place"),
        case((is_open, SCHEME_CASE.c.due_on), else_="").label("due_key"),
    )
    statement: Select[Any] = (
        select(*columns)
        .select_from(SCHEME_CASE)
        .outerjoin(last, last.c.scheme_id == SCHEME_CASE.c.scheme_id)
        .outerjoin(HOLD, HOLD.c.hold_no == last.c.hold_no)
        .outerjoin(HAND_OVER, HAND_OVER.c.scheme_id == SCHEME_CASE.c.scheme_id)
    )
    if not has_replaced:
        statement = statement.where(or_(HOLD.c.hold_id.is_not(None), ~exists().where(is_same_request)))
    return statement.subquery()
