"""The row gate: every row read is accepted, quarantined with a finding, or merged by a named rule; counts add up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gridmodel.errors import InputError
from gridmodel.findings import Disposition, Finding, Severity, TableCount
from gridmodel.readers.table_cells import CellFault, parse_cell
from gridmodel.readers.table_files import RawTable
from gridmodel.readers.table_schema import Column, Table, find_bands, load_tables

LEFT_OUT = "该行不采用;依赖它的节点不可评估"
CELL_DROPPED = "该值按未知处理,该行其余内容采用"


@dataclass(slots=True, eq=False)
class TableRow:
    """One row on its way through the gate; ``None`` in a cell means not known."""

    table: Table
    number: int
    cells: dict[str, Any]
    disposition: Disposition = "accepted"

    def __getitem__(self, column: str) -> Any:
        return self.cells.get(column)

    @property
    def key(self) -> tuple[Any, ...] | None:
        """What identifies the row; ``None`` when a part of it cannot be read."""
        parts = tuple(self.cells.get(name) for name in self.table.key)
        return None if None in parts else parts

    @property
    def id(self) -> str | None:
        """The identifier in the imported data, where it can be read."""
        return None if self.key is None or not self.key else str(self.key[-1])


@dataclass(slots=True)
class TableGate:
    """Rows of all tables with what was found about them."""

    files: Mapping[str, str]
    """File each table came from."""
    data_as_of: date
    rows: dict[str, list[TableRow]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def accepted(self, *tables: str) -> Iterator[TableRow]:
        """Yield the rows still in use, in file order."""
        for table in tables:
            yield from (row for row in self.rows.get(table, ()) if row.disposition == "accepted")

    def quarantined(self, *tables: str) -> Iterator[TableRow]:
        """Yield the rows left out by quarantine."""
        for table in tables:
            yield from (row for row in self.rows.get(table, ()) if row.disposition == "quarantined")

    def by_id(self, *tables: str) -> dict[str, TableRow]:
        """Return the accepted rows of tables by identifier."""
        return {str(row.id): row for row in self.accepted(*tables)}

    def counts(self) -> tuple[TableCount, ...]:
        """Return what became of the rows of every table that was given."""
        found = []
        for name, rows in self.rows.items():
            number = {
                kind: sum(row.disposition == kind for row in rows) for kind in ("accepted", "quarantined", "merged")
            }
            found.append(TableCount(table=name, read=len(rows), **number))
        return tuple(found)

    def quarantine(
        self,
        row: TableRow,
        code: str,
        *,
        column: str | None,
        expected: str,
        value: object = None,
        consequence: str = LEFT_OUT,
    ) -> None:
        """Leave a row out; a row may have several findings and counts once."""
        row.disposition = "quarantined"
        self._add(row, code, "error", "quarantined", column, value, expected, consequence)

    def warn(
        self,
        row: TableRow,
        code: str,
        *,
        column: str | None,
        expected: str,
        consequence: str,
        value: object = None,
        severity: Severity = "warning",
    ) -> None:
        """Report something about a row that is still used."""
        self._add(row, code, severity, "accepted", column, value, expected, consequence)

    def drop_cell(self, row: TableRow, code: str, *, column: str, expected: str, value: object = None) -> None:
        """Take one value for not known and go on with the row."""
        shown = row[column] if value is None else value
        row.cells[column] = None
        self._add(row, code, "warning", "accepted", column, shown, expected, CELL_DROPPED)

    def merge(self, row: TableRow, code: str, *, expected: str, consequence: str) -> None:
        """Let another row stand for this one."""
        row.disposition = "merged"
        self._add(row, code, "info", "merged", None, row.id, expected, consequence)

    def judge(
        self,
        row: TableRow,
        column: str,
        value: float,
        *,
        applies_to: str = "",
        shown: object = None,
        at: str | None = None,
    ) -> None:
        """Hold a value against its plausible bands; the first one broken decides what happens to the row."""
        for band in find_bands(row.table.name, column, applies_to=applies_to):
            if band.holds(value):
                continue
            expected = band.expected
            place = column if at is None else at
            value_shown = f"{value:g}" if shown is None else shown
            if band.disposition == "quarantined":
                self.quarantine(row, band.code, column=place, expected=expected, value=value_shown)
            else:
                consequence = "照原值采用,请核对"
                self.warn(row, band.code, column=place, expected=expected, value=value_shown, consequence=consequence)
            return

    def _add(
        self,
        row: TableRow,
        code: str,
        severity: Severity,
        disposition: Disposition,
        column: str | None,
        value: object,
        expected: str,
        consequence: str,
    ) -> None:
        shown = row[column] if value is None and column is not None else value
        self.findings.append(
            Finding(
                code=code,
                severity=severity,
                disposition=disposition,
                file=self.files[row.table.name],
                table=row.table.name,
                row=row.number,
                column=column,
                value=None if shown is None else str(shown)[:80],
                expected=expected,
                consequence=consequence,
                element_id=row.id,
            )
        )


def open_gate(raw: Mapping[str, RawTable]) -> TableGate:
    """Return the gate with every row parsed, cell by cell, and duplicates settled.

    Raises:
        InputError: The one row of ``network`` is missing, stands twice or cannot be read: nothing could be placed.
    """
    network = _network_row(raw["network"])
    gate = TableGate(files={name: table.file for name, table in raw.items()}, data_as_of=network["data_as_of"])
    for name, table in raw.items():
        gate.rows[name] = [_parse_row(gate, load_tables()[name], table.columns, *row) for row in table.rows]
    for name in raw:
        _settle_duplicates(gate, gate.rows[name])
    _settle_duplicates(gate, [*gate.accepted("line_sections"), *gate.accepted("lv_lines")])
    return gate


def _network_row(raw: RawTable) -> dict[str, Any]:
    table = load_tables()["network"]
    if len(raw.rows) != 1:
        raise InputError("the network needs exactly one row", file=raw.file, field="network", value=len(raw.rows))
    number, cells = raw.rows[0]
    values = {}
    for name, text in zip(raw.columns, cells, strict=False):
        values[name] = parse_cell(text, table.columns[name])
        if isinstance(values[name], CellFault):
            fault = values[name]
            field_name = f"network.{name}"
            raise InputError(
                fault.code, file=raw.file, row=number, field=field_name, value=text, allowed=fault.expected
            )
    if len(cells) != len(raw.columns):
        raise InputError(
            "wrong number of cells", file=raw.file, row=number, field="network", allowed=str(len(raw.columns))
        )
    return values


def _parse_row(
    gate: TableGate, table: Table, columns: tuple[str, ...], number: int, cells: tuple[str, ...]
) -> TableRow:
    texts = dict(zip(columns, cells, strict=False))
    parsed = {name: parse_cell(texts.get(name, ""), column) for name, column in table.columns.items()}
    row = TableRow(
        table=table, number=number, cells={n: None if isinstance(v, CellFault) else v for n, v in parsed.items()}
    )
    if len(cells) != len(columns):
        expected = f"与表头一致的 {len(columns)} 列"
        gate.quarantine(row, "wrong_cell_count", column=None, expected=expected, value=f"{len(cells)} 列")
    for name, value in parsed.items():
        if isinstance(value, CellFault):
            _report_fault(gate, row, table.columns[name], value, texts.get(name, ""))
    for name, value in row.cells.items():
        if isinstance(value, float):
            gate.judge(row, name, value)
    return row


def _report_fault(gate: TableGate, row: TableRow, column: Column, fault: CellFault, text: str) -> None:
    if column.on_fault == "cell":
        gate.drop_cell(row, fault.code, column=column.name, expected=fault.expected, value=text)
    else:
        gate.quarantine(row, fault.code, column=column.name, expected=fault.expected, value=text)


def _settle_duplicates(gate: TableGate, rows: Iterable[TableRow]) -> None:
    """Merge rows that repeat another one word for word; leave out all that share an id and differ.

    Rows already left out count as well: which of the two is the right one cannot be known.
    """
    groups: dict[tuple[Any, ...], list[TableRow]] = {}
    for row in rows:
        if row.key:
            groups.setdefault(row.key, []).append(row)
    for group in groups.values():
        first, *others = group
        if not others:
            continue
        key_column = first.table.key[-1]
        if all(other.table is first.table and other.cells == first.cells for other in others):
            if first.disposition == "accepted":
                for other in others:
                    consequence = f"与第 {first.number} 行合并,只计一次"
                    gate.merge(other, "identical_duplicate", expected="每行只出现一次", consequence=consequence)
            continue
        places = "、".join(f"{row.table.name} 第 {row.number} 行" for row in group)
        for row in group:
            expected = f"编号唯一;现出现于 {places}"
            gate.quarantine(row, "conflicting_duplicate", column=key_column, expected=expected)
