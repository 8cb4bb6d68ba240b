"""Who is asking: a subject with roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["public", "customer", "engineer", "planner", "operator"]
"""``public`` is anyone, known or not; the others are given by a key or a token."""

ROLES: tuple[Role, ...] = get_args(Role)
STAFF_ROLES: frozenset[Role] = frozenset({"engineer", "planner", "operator"})
ANONYMOUS_SUBJECT = "anonymous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A subject that was authenticated, or anyone."""

    subject_id: str
    roles: frozenset[Role]
    name: str
    """For people to read; never decides anything."""

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody said who is asking."""
        return self.subject_id == ANONYMOUS_SUBJECT

    @property
    def is_staff(self) -> bool:
        """Whether it belongs to the utility; everybody else gets the customer's view."""
        return bool(self.roles & STAFF_ROLES)

    @property
    def owner_id(self) -> str | None:
        """What owned objects are filtered by: the own subject, ``None`` (no filter) for staff."""
        return None if self.is_staff else self.subject_id


ANYONE = Principal(subject_id=ANONYMOUS_SUBJECT, roles=frozenset({"public"}), name="")
