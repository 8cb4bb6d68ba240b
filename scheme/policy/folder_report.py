"""What a utility's own policy folder sets, and what is still missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from scheme.policy.loader import load_policy_set
from scheme.policy.parameter import PolicyParameter, PolicySet, PolicyValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One value of the folder, and the one it replaces or supplies."""

    id: str
    name: str
    unit: str
    value: Any
    effective_from: str
    is_in_force: bool
    """In force on the date asked for, and not replaced by a later value of the folder."""
    clause: str
    inherited_value: Any
    """``None`` where nobody else gives one."""
    inherited_from: str | None
    """Profile of the inherited value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingValue:
    """A parameter nobody has given a value: what reads it is refused until the utility supplies one."""

    id: str
    name: str
    unit: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderReport:
    """A valid folder."""

    profile: str
    title: str
    inherits: str | None
    as_of: str
    overrides: tuple[Override, ...]
    missing: tuple[MissingValue, ...]
    silent_ids: tuple[str, ...]
    """Parameters only other profiles, or only later dates, give a value for: the rule does not exist here."""


def describe_folder(folder: Path, as_of: date) -> FolderReport:
    """Return what the folder sets and what is missing on ``as_of``.

    Raises:
        PolicyFileError: A file of the folder is wrong; names file, row, field and what is allowed.
    """
    policies = load_policy_set(folder)
    shipped = load_policy_set()
    (own,) = set(policies.profiles) - set(shipped.profiles)
    profile = policies.profiles[own]
    parameters = [policies.parameters[name] for name in sorted(policies.parameters)]
    empty = [parameter for parameter in parameters if not parameter.values]
    unset = [
        parameter.id
        for parameter in parameters
        if parameter.values and policies.find(parameter.id, profile=own, as_of=as_of) is None
    ]
    return FolderReport(
        profile=own,
        title=profile.title,
        inherits=profile.inherits,
        as_of=as_of.isoformat(),
        overrides=tuple(
            _override(parameter, value, policies, shipped, as_of)
            for parameter in parameters
            for value in parameter.values
            if value.profile == own
        ),
        missing=tuple(
            MissingValue(id=item.id, name=item.name_zh, unit=item.unit, description=item.description) for item in empty
        ),
        silent_ids=tuple(unset),
    )


def _override(
    parameter: PolicyParameter, value: PolicyValue, policies: PolicySet, shipped: PolicySet, as_of: date
) -> Override:
    parent = policies.profiles[value.profile].inherits
    inherited = None if parent is None else shipped.find(parameter.id, profile=parent, as_of=as_of)
    return Override(
        id=parameter.id,
        name=parameter.name_zh,
        unit=parameter.unit,
        value=value.value,
        effective_from=value.effective_from.isoformat(),
        is_in_force=policies.find(parameter.id, profile=value.profile, as_of=as_of) == value,
        clause=value.clause,
        inherited_value=None if inherited is None else inherited.value,
        inherited_from=None if inherited is None else inherited.profile,
    )
