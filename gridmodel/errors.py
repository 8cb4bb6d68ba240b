"""Errors a caller may handle. They know nothing about HTTP; each kind of handling has one class and one stable code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class DomainError(Exception):
    """Base of every expected error.

    Args:
        message: What is wrong and, where possible, what to do about it.
        context: JSON-ready facts (ids, numbers with units), never personal data.
    """

    code: ClassVar[str] = "domain_error"

    def __init__(self, message: str, **context: object) -> None:
        super().__init__(message)
        self.message = message
        self.context: Mapping[str, object] = context

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


class InputError(DomainError):
    """Something given from outside is wrong: names file, place, value and what is allowed, as far as they apply.

    Args:
        problem: The fault in a few words.
        file: File name as the user gave it.
        row: Row (first data row is 1) or another place inside the file.
        field: Column, key or option.
        value: The refused value; shortened to 80 characters.
        allowed: What would be accepted.
    """

    code = "input.invalid"

    def __init__(
        self,
        problem: str,
        *,
        file: str | None = None,
        row: int | str | None = None,
        field: str | None = None,
        value: object = None,
        allowed: str | None = None,
    ) -> None:
        shown = None if value is None else str(value)[:80]
        place = [
            f"{label} {item}" for label, item in (("file", file), ("row", row), ("field", field)) if item is not None
        ]
        message = (", ".join(place) + ": " if place else "") + problem
        if shown is not None:
            message += f" (value {shown!r})"
        if allowed is not None:
            message += f"; allowed: {allowed}"
        super().__init__(message, file=file, row=row, field=field, value=shown, allowed=allowed)
        self.problem = problem


class NotFoundError(DomainError):
    """The one thing asked for does not exist."""

    code = "not_found"


class ConvergenceError(DomainError):
    """The load flow of a base case has no solution (or the data cannot be solved at all)."""

    code = "grid.no_convergence"


class EngineDisagreementError(DomainError):
    """Search engine and reference load flow differ by more than the tolerance; nothing may be published."""

    code = "grid.engine_disagreement"


class SnapshotFormatError(DomainError):
    """A stored snapshot is damaged or of an unknown format."""

    code = "grid.snapshot_format"


class CatalogueError(DomainError):
    """An equipment catalogue row is implausible, or no type fits."""

    code = "grid.catalogue"
