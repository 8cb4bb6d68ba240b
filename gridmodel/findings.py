"""What the quality gate says about data read from outside: findings are values, not exceptions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["info", "warning", "error"]
Disposition = Literal["accepted", "quarantined", "merged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One report line of the quality gate (数据质量)."""

    code: str
    """Stable name of the fault, e.g. ``length_unit_suspect``."""
    severity: Severity
    disposition: Disposition
    """What happened to the row: still used, left out, or merged by the rule named in ``code``."""
    file: str
    """File as the user named it."""
    table: str
    row: int | None
    """Data row, the first is 1; for pandapower tables the element index; ``None`` for a finding on a whole table."""
    column: str | None
    value: str | None
    expected: str
    consequence: str
    element_id: str | None = None
    """Identifier in the imported data, where known."""

    def as_dict(self) -> dict[str, object]:
        """Return a JSON-ready mapping."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCount:
    """Rows of one table: ``read == accepted + quarantined + merged`` always holds."""

    table: str
    read: int
    accepted: int
    quarantined: int
    merged: int

    def __post_init__(self) -> None:
        assert self.read == self.accepted + self.quarantined + self.merged, self.table
