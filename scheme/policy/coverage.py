"""Which parameter, rule and case carries each row of the utilities' rules (规则覆盖): the table beside, and its gaps.

Rows are those of tables A to K of the rules; a row without number or predicate says why. The case tables stand in
``fixtures/cases/rules``, one file a rule; a case is named ``rule: name``.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scheme.errors import PolicyFileError
from scheme.policy.parameter import PolicyParameter

COVERAGE_FILE = Path(__file__).with_name("coverage.csv")
TABLE_ROWS: Mapping[str, int] = {
    "A": 24,  # time limits
    "B": 11,  # steps
    "C": 11,  # voltage level, connection point, scheme
    "D": 13,  # reserve library, supporting works
    "E": 13,  # investment boundary
    "F": 3,  # fees
    "G": 9,  # intake documents
    "H": 5,  # inspection
    "I": 5,  # outage plans
    "J": 6,  # disclosure
    "K": 13,  # supervision
}
_COLUMNS = ["row", "statement", "parameters", "cases", "reason"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRow:
    """One row of the rules, in the product's own words."""

    row: str
    """Table and number, ``A01`` to ``K13``."""
    statement: str
    parameter_ids: tuple[str, ...]
    cases: tuple[tuple[str, str], ...]
    """Rule and name of the case."""
    reason: str
    """Why the row has no parameter: it holds no number and no predicate; empty for every other row."""

    @property
    def rules(self) -> tuple[str, ...]:
        """Rules that carry the row, once each."""
        return tuple(dict.fromkeys(rule for rule, _ in self.cases))


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageGap:
    """A row that is not covered, and what is missing."""

    row: str
    problem: str


def read_coverage(path: Path = COVERAGE_FILE) -> tuple[CoverageRow, ...]:
    """Return the table.

    Raises:
        PolicyFileError: A column is missing or unknown, a row stands twice, or a case names no rule.
    """
    rows: dict[str, CoverageRow] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if reader.fieldnames != _COLUMNS:
            found = ", ".join(reader.fieldnames or [])
            raise PolicyFileError("wrong columns", file=str(path), value=found, allowed=", ".join(_COLUMNS))
        for number, raw in enumerate(reader, start=1):
            row = _parse_row(raw, path, number)
            if row.row in rows:
                raise PolicyFileError("row stands twice", file=str(path), row=number, field="row", value=row.row)
            rows[row.row] = row
    return tuple(rows[name] for name in sorted(rows))


def find_gaps(rows: Sequence[CoverageRow], parameters: Mapping[str, PolicyParameter]) -> tuple[CoverageGap, ...]:
    """Return the rows of the rules that are not covered, in order.

    Args:
        rows: The coverage table.
        parameters: Every policy parameter by id.
    """
    known = {row.row: row for row in rows}
    wanted = [f"{table}{number:02d}" for table, count in TABLE_ROWS.items() for number in range(1, count + 1)]
    gaps = [CoverageGap(row=name, problem="is not in the table") for name in wanted if name not in known]
    gaps += [CoverageGap(row=name, problem="is no row of the rules") for name in known if name not in wanted]
    for row in rows:
        problem = _find_problem(row, parameters)
        if problem is not None:
            gaps.append(CoverageGap(row=row.row, problem=problem))
    return tuple(sorted(gaps, key=lambda gap: gap.row))


def _find_problem(row: CoverageRow, parameters: Mapping[str, PolicyParameter]) -> str | None:
    if row.reason:
        return "names parameters or cases, and a reason why it has none" if row.parameter_ids or row.cases else None
    unknown = [parameter_id for parameter_id in row.parameter_ids if parameter_id not in parameters]
    if unknown:
        return f"names unknown parameters: {', '.join(unknown)}"
    if not row.parameter_ids:
        return "has no parameter"
    return None if row.cases else "has no case"


def _parse_row(raw: Mapping[str, str], path: Path, number: int) -> CoverageRow:
    if None in raw or None in raw.values() or not raw["row"] or not raw["statement"]:
        allowed = "a row id, a statement and the other cells"
        raise PolicyFileError("cells are missing or too many", file=str(path), row=number, allowed=allowed)
    cases = [tuple(cell.split(": ", 1)) for cell in _cells(raw["cases"])]
    if not all(len(case) == 2 for case in cases):
        raise PolicyFileError(
            "a case names no rule", file=str(path), row=number, field="cases", value=raw["cases"], allowed="rule: name"
        )
    return CoverageRow(
        row=raw["row"],
        statement=raw["statement"],
        parameter_ids=_cells(raw["parameters"]),
        cases=tuple((case[0], case[1]) for case in cases),
        reason=raw["reason"],
    )


def _cells(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split("; ") if part)
