"""Policy values (政策参数) with unit, comparison, date and clause, and the view that records what was read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from gridmodel.errors import NotFoundError
from scheme.errors import PolicyNotInForceError
from scheme.model import PolicyRead

Op = Literal["lt", "le", "ge", "gt", "none"]

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "lt": lambda observed, limit: observed < limit,
    "le": lambda observed, limit: observed <= limit,
    "ge": lambda observed, limit: observed >= limit,
    "gt": lambda observed, limit: observed > limit,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyValue:
    """One value in force from a date on, for one profile."""

    id: str
    value: Any
    """A number, text, flag, list of numbers or texts, record or table, as ``unit`` says."""
    unit: str
    op: Op
    """How an observed number is compared: allowed when ``observed op value``; ``none`` where nothing is compared."""
    clause: str
    document: str
    profile: str
    """The profile that gave the value; an ancestor of the one asked for when the value is inherited."""
    effective_from: date
    confidence: str | None = None
    """``high`` | ``medium`` | ``low`` where the source text itself was not at hand."""

    def allows(self, observed: float) -> bool:
        """Return whether ``observed`` (same unit) keeps this limit.

        Raises:
            TypeError: The parameter is not a limit (``op`` is ``none``).
        """
        if self.op == "none":
            raise TypeError(f"{self.id} is not a limit: its op is none")
        return COMPARISONS[self.op](observed, float(self.value))

    def as_read(self, name: str) -> PolicyRead:
        """Return the record a scheme lists, under the parameter's Chinese name."""
        return PolicyRead(
            id=self.id,
            value=self.value,
            unit=self.unit,
            op=None if self.op == "none" else self.op,
            clause=self.clause,
            document=self.document,
            profile=self.profile,
            effective_from=self.effective_from.isoformat(),
            name=name,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyParameter:
    """One parameter and every value anybody gave it; ``values`` may be empty (the utility must supply one)."""

    id: str
    description: str
    name_zh: str
    unit: str
    op: Op
    inherits: Mapping[str, str]
    """Profile -> profile it takes this one parameter from, where it is silent itself."""
    values: tuple[PolicyValue, ...]
    """By profile, and within a profile by date."""
    fields: tuple[str, ...] = ()
    """Fields of a record or columns of a table, where the shipped files hold no value that shows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A utility's set of rules; ``inherits`` is ``None`` for ``base`` only."""

    id: str
    title: str
    inherits: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySet:
    """All parameters and profiles, checked at load; ``sha256`` covers their content, not the files' form."""

    parameters: Mapping[str, PolicyParameter]
    profiles: Mapping[str, Profile]
    sha256: str

    def chain(self, parameter: PolicyParameter, profile: str) -> tuple[str, ...]:
        """Return the profiles asked for a value of ``parameter``, in order."""
        asked: list[str] = []
        following: str | None = profile
        while following is not None and following not in asked:
            asked.append(following)
            following = parameter.inherits.get(following, self.profiles[following].inherits)
        return tuple(asked)

    def find(self, parameter_id: str, *, profile: str, as_of: date) -> PolicyValue | None:
        """Return the value in force, or ``None`` where nobody gave one.

        Raises:
            NotFoundError: No such parameter.
        """
        parameter = self.parameters.get(parameter_id)
        if parameter is None:
            raise NotFoundError(f"no policy parameter {parameter_id}", parameter_id=parameter_id)
        for asked in self.chain(parameter, profile):
            in_force = [v for v in parameter.values if v.profile == asked and v.effective_from <= as_of]
            if in_force:
                return max(in_force, key=lambda value: value.effective_from)
        return None


@dataclass(slots=True, kw_only=True)
class PolicyView:
    """The policy of one profile on one date. It records what is read; take a ``fresh()`` one for every scheme."""

    policies: PolicySet
    profile: str
    as_of: date
    _read: dict[str, PolicyValue] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Hash of the whole policy set."""
        return self.policies.sha256

    @property
    def reads(self) -> tuple[PolicyRead, ...]:
        """Every value read so far, once each, sorted by id."""
        names = {key: self.policies.parameters[key].name_zh for key in self._read}
        return tuple(self._read[key].as_read(names[key]) for key in sorted(self._read))

    def fresh(self) -> PolicyView:
        """Return a view of the same policy that has read nothing yet."""
        return PolicyView(policies=self.policies, profile=self.profile, as_of=self.as_of)

    def find(self, parameter_id: str) -> PolicyValue | None:
        """Return the value in force, ``None`` where nobody gave one.

        Raises:
            NotFoundError: No such parameter.
        """
        value = self.policies.find(parameter_id, profile=self.profile, as_of=self.as_of)
        if value is not None:
            self._read[parameter_id] = value
        return value

    def get(self, parameter_id: str) -> PolicyValue:
        """Return the value in force.

        Raises:
            NotFoundError: No such parameter.
            PolicyNotInForceError: Nobody gave a value for this profile and date.
        """
        value = self.find(parameter_id)
        if value is None:
            raise PolicyNotInForceError(parameter_id, profile=self.profile, as_of=self.as_of)
        return value

    def number(self, parameter_id: str) -> float:
        """Return a number in the parameter's unit."""
        value = self.get(parameter_id).value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"{parameter_id} is not a number")
        return float(value)

    def count(self, parameter_id: str) -> int:
        """Return a whole number (days, months, pieces)."""
        number = self.number(parameter_id)
        if not number.is_integer():
            raise TypeError(f"{parameter_id} is not a whole number")
        return int(number)

    def text(self, parameter_id: str) -> str:
        """Return a text."""
        value = self.get(parameter_id).value
        if not isinstance(value, str):
            raise TypeError(f"{parameter_id} is not a text")
        return value

    def flag(self, parameter_id: str) -> bool:
        """Return yes or no."""
        value = self.get(parameter_id).value
        if not isinstance(value, bool):
            raise TypeError(f"{parameter_id} is not a flag")
        return value

    def numbers(self, parameter_id: str) -> tuple[float, ...]:
        """Return a list of numbers in the parameter's unit."""
        return tuple(float(item) for item in self._sequence(parameter_id, int | float))

    def texts(self, parameter_id: str) -> tuple[str, ...]:
        """Return a list of texts."""
        return tuple(self._sequence(parameter_id, str))

    def rows(self, parameter_id: str) -> tuple[Mapping[str, Any], ...]:
        """Return the rows of a table; all rows have the same keys."""
        return tuple(self._sequence(parameter_id, dict))

    def row(self, parameter_id: str, key: str, wanted: object) -> Mapping[str, Any]:
        """Return the one row of a table whose ``key`` equals ``wanted``.

        Raises:
            NotFoundError: No row has it.
        """
        for row in self.rows(parameter_id):
            if row[key] == wanted:
                return row
        raise NotFoundError(f"{parameter_id} has no row with {key} = {wanted}", parameter_id=parameter_id)

    def _sequence(self, parameter_id: str, kind: Any) -> Sequence[Any]:
        value = self.get(parameter_id).value
        if not isinstance(value, tuple) or not all(isinstance(item, kind) for item in value):
            raise TypeError(f"{parameter_id} is not such a list")
        return value
