"""The product's own tables as data: which columns they have, what a cell may hold, which rows must be there.

The columns stand in ``table_columns.csv``, the plausible bands (合理范围) that tell a slip of unit from a value in
``table_bands.csv``; both are documented in ``TABLES.md``, which is rendered from them.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, cast

from gridmodel.findings import Disposition

ColumnType = Literal[
    "id", "text", "number", "integer", "coordinate", "flag", "date", "word", "vertices", "vector_group"
]

_INTERVAL = re.compile(r"([\[(])(\S+), (\S+)([\])])")

_TABLES = (
    ("network", True, "The network (电网); exactly one row"),
    ("substations", True, "Substations (变电站)"),
    ("main_transformers", True, "Main transformers (主变)"),
    (
        "nodes",
        True,
        "Nodes (节点): busbars, switching stations (开关站), ring-main units (环网柜), poles (杆塔), "
        "transformer stations, low-voltage boards and nodes; one bus each",
    ),
    ("conductor_types", False, "The utility's own conductor types (导线型号), beside the equipment catalogue"),
    ("feeders", True, "10 kV feeders (馈线)"),
    ("line_sections", True, "Medium-voltage line sections (中压线路段)"),
    ("switches", False, "Switches (开关) with their normal state"),
    ("distribution_transformers", True, "Distribution transformers (配变), public (公变) and dedicated (专变)"),
    ("lv_lines", False, "Low-voltage lines (低压线路)"),
    ("loads", False, "Loads (负荷) at the coincident peak"),
    ("generators", False, "Generators (分布式电源) at the coincident peak"),
    ("capacitors", False, "Capacitor banks (电容器)"),
    ("measured_maxima", False, "Measured maxima (实测最大负荷)"),
    ("in_flight", False, "Capacity approved and not yet energised (在途容量)"),
    ("corridors", False, "Corridors (通道) a new line may follow: roads, ducts, overhead-line corridors"),
    ("obstacles", False, "What a new line needs a permit to cross (穿跨越对象)"),
)

_KEYS = {"network": (), "measured_maxima": ("element_kind", "element_id")}
"""Columns that identify a row, where that is not the first column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Numbers a cell may hold."""

    minimum: float
    maximum: float
    is_minimum_allowed: bool
    is_maximum_allowed: bool

    def holds(self, value: float) -> bool:
        """Return whether ``value`` lies inside."""
        above = value >= self.minimum if self.is_minimum_allowed else value > self.minimum
        return above and (value <= self.maximum if self.is_maximum_allowed else value < self.maximum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of one table."""

    table: str
    name: str
    is_required: bool
    """Whether every row must have a value here; an empty cell elsewhere means not known."""
    type: ColumnType
    unit: str
    allowed: str
    """Words divided by ``|``, or an interval of numbers; empty = anything the type can hold."""
    default: str
    """What an empty cell stands for; empty = not known."""
    refers_to: tuple[str, ...]
    """Tables one of which must hold this id."""
    on_fault: Literal["row", "cell"]
    """Whether an unreadable cell takes its whole row out, or only itself."""
    example: str
    description: str

    @property
    def words(self) -> tuple[str, ...]:
        """Allowed words; empty for other types."""
        return tuple(self.allowed.split("|")) if self.type in ("word", "flag") else ()

    @property
    def interval(self) -> Interval | None:
        """Allowed numbers, where they are bounded."""
        match = _INTERVAL.fullmatch(self.allowed)
        if match is None:
            return None
        return Interval(
            minimum=float(match[2]),
            maximum=float(match[3]),
            is_minimum_allowed=match[1] == "[",
            is_maximum_allowed=match[4] == "]",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table and its columns, in order."""

    name: str
    is_mandatory: bool
    description: str
    columns: Mapping[str, Column]
    key: tuple[str, ...]
    """Columns that identify a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Values that are plausible; outside of them a unit or a digit is wrong."""

    table: str
    column: str
    """Column of the table, or a named quotient of two values (``length_km/straight``)."""
    applies_to: str
    """Voltage class of the node (``mv``, ``lv``), kind of element, or empty for all."""
    minimum: float
    maximum: float
    disposition: Disposition
    code: str
    slip: str
    reason: str

    def holds(self, value: float) -> bool:
        """Return whether ``value`` is plausible."""
        return self.minimum <= value <= self.maximum

    @property
    def expected(self) -> str:
        """The band and the slip suspected outside of it, in words."""
        low, high = f"{self.minimum:g}", f"{self.maximum:g}"
        band = f"{self.column} ≥ {low}" if math.isinf(self.maximum) else f"{self.column} {low}~{high}"
        return f"{band}(疑似{self.slip})" if self.slip else band


@cache
def load_tables() -> Mapping[str, Table]:
    """Return every table by name, in the order they are documented."""
    columns = [_column(row) for row in _read("table_columns.csv")]
    tables = {}
    for name, is_mandatory, description in _TABLES:
        own = {column.name: column for column in columns if column.table == name}
        tables[name] = Table(
            name=name,
            is_mandatory=is_mandatory,
            description=description,
            columns=own,
            key=_KEYS.get(name, (next(iter(own)),)),
        )
    return tables


@cache
def load_bands() -> tuple[Band, ...]:
    """Return every plausible band, in file order."""
    return tuple(
        Band(
            table=row["table"],
            column=row["column"],
            applies_to=row["applies_to"],
            minimum=float(row["minimum"] or "-inf"),
            maximum=float(row["maximum"] or "inf"),
            disposition=cast("Disposition", row["disposition"]),
            code=row["code"],
            slip=row["slip"],
            reason=row["reason"],
        )
        for row in _read("table_bands.csv")
    )


def find_bands(table: str, column: str, *, applies_to: str = "") -> tuple[Band, ...]:
    """Return the bands of one column, quarantining ones first; those for ``applies_to`` replace the rest."""
    found = [band for band in load_bands() if (band.table, band.column) == (table, column)]
    special = [band for band in found if band.applies_to == applies_to]
    chosen = special or [band for band in found if not band.applies_to]
    return tuple(sorted(chosen, key=lambda band: band.disposition != "quarantined"))


def _column(row: Mapping[str, str]) -> Column:
    return Column(
        table=row["table"],
        name=row["column"],
        is_required=row["is_required"] == "true",
        type=cast("ColumnType", row["type"]),
        unit=row["unit"],
        allowed=row["allowed"],
        default=row["default"],
        refers_to=tuple(row["refers_to"].split("|")) if row["refers_to"] else (),
        on_fault=cast("Literal['row', 'cell']", row["on_fault"]),
        example=row["example"],
        description=row["description"],
    )


def _read(name: str) -> list[dict[str, str]]:
    text = resources.files("gridmodel.readers").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))
