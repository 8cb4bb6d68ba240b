"""What the quality gate hands back, and how it names the things it speaks about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from gridmodel.findings import Disposition, Finding, Severity, TableCount

ElementNames = Mapping[str, Mapping[int, str]]
"""Identifiers in the imported data: table, then pandapower index. What is missing is named ``table:index``."""

Scope = Literal["behind", "feeder", "node"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something the model does not know, and the buses it was to stand between or at.

    ``behind``: the element is in the net, but a rating is missing, so only what it feeds cannot be assessed.
    ``feeder``: the row was left out. What it feeds has lost its supply, and everything else of its feeder would look
    too strong, because loads are missing; so its whole feeder, with the transformer areas (台区) on it, cannot be
    assessed.
    ``node``: only the buses named.
    """

    table: str
    row: int
    element_id: str
    buses: tuple[int, ...]
    """The ends that are known; may be empty."""
    scope: Scope
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TopologyCheck:
    """Result of :func:`gridmodel.gate.check_topology`."""

    findings: tuple[Finding, ...]
    not_assessable: Mapping[int, str]
    """Bus index to the reason why no capacity may be given for it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RowCheck:
    """Result of :func:`gridmodel.gate.check_net`: what may go on, and what was left out."""

    tables: Mapping[str, pd.DataFrame]
    """The accepted rows, typed; ready for :func:`gridmodel.net.build_net`."""
    findings: tuple[Finding, ...]
    counts: tuple[TableCount, ...]
    gaps: tuple[Gap, ...]
    """For :func:`gridmodel.gate.check_topology`."""
    dropped: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Positions (first row is 0) of the rows that were quarantined or merged, by table."""


def name_of(names: ElementNames | None, table: str, index: int) -> str:
    """Return the imported identifier of an element."""
    return ((names or {}).get(table) or {}).get(index) or f"{table}:{index}"


@dataclass(slots=True)
class Report:
    """Collects findings of one file."""

    file: str
    names: ElementNames | None = None
    findings: list[Finding] = field(default_factory=list)

    def add(
        self,
        code: str,
        table: str,
        row: int | None,
        *,
        severity: Severity,
        disposition: Disposition = "accepted",
        column: str | None = None,
        value: object = None,
        expected: str,
        consequence: str,
    ) -> None:
        """Append one finding; ``row`` is the pandapower index."""
        self.findings.append(
            Finding(
                code=code,
                severity=severity,
                disposition=disposition,
                file=self.file,
                table=table,
                row=row,
                column=column,
                value=None if value is None else str(value)[:80],
                expected=expected,
                consequence=consequence,
                element_id=None if row is None else name_of(self.names, table, row),
            )
        )
