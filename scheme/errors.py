"""Errors of the scheme package that a caller may handle."""

from __future__ import annotations

from datetime import date

from gridmodel.errors import DomainError, InputError


class PolicyFileError(InputError):
    """A policy file is wrong: names file, field, value and what is allowed."""

    code = "scheme.policy_file"


class PolicyNotInForceError(DomainError):
    """A rule asked for a policy value nobody has given: the utility must supply it, it is never guessed."""

    code = "scheme.policy_not_in_force"

    def __init__(self, parameter_id: str, *, profile: str, as_of: date) -> None:
        super().__init__(
            f"policy parameter {parameter_id} has no value in force on {as_of.isoformat()} for profile {profile}; "
            "the utility must supply one, with its source, in a policy folder of its own",
            parameter_id=parameter_id,
            profile=profile,
            as_of=as_of.isoformat(),
        )


class CancelledError(DomainError):
    """Work ended because whoever asked for it said so; nothing was written."""

    code = "scheme.cancelled"


class WorkersDifferError(DomainError):
    """A process or machine that was to help runs other software, rules or a damaged grid; its results would differ."""

    code = "scheme.workers_differ"


class WorkersLostError(DomainError):
    """Processes or machines that were to help ended again and again; what was done before is in the journal."""

    code = "scheme.workers_lost"
