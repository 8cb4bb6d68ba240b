"""One row of a project table as an entry, or what is wrong with it, cell by cell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from gridmodel.errors import InputError
from gridmodel.findings import Finding
from gridmodel.geometry import to_cgcs2000
from gridmodel.readers.table_cells import CellFault, parse_cell
from gridmodel.readers.table_schema import Table
from scheme.library.columns import CIRCUMSTANCES, DEMAND_BY_YEAR, TABLE, YEARS_EXAMPLE
from scheme.library.entry import ProjectEntry

_YEAR = re.compile(r"\s*(\d{4})\s*[:=：]\s*(\d+(?:\.\d+)?)\s*", re.ASCII)
_PLACE = ("lon_deg", "lat_deg", "datum")
_DEMAND = ("installed_kw", "capacity_kva", "power_factor", "single_phase")
_VALUE_CHARACTERS_MAX = 80
_LEFT_OUT = "本行未入库"
_NOT_ASSESSABLE = "已入库,补齐之前不能评估"
_OF_CELLS = {"location": "lon_deg", "area": "geometry", "polygon": "geometry", "text": "area_text"}
"""Where in the file a field of the entry stands that is called otherwise there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRow:
    """One row as text."""

    file: str
    number: int
    """The first below the header is 1."""
    cells: Mapping[str, str]
    area: Mapping[str, Any] | None = None
    """What is not a cell: the polygon of a GeoJSON feature."""
    problem: tuple[str, str] | None = None
    """What makes the whole row unreadable: code, and what is expected."""


def read_row(raw: RawRow, table: Table) -> tuple[ProjectEntry | None, list[Finding]]:
    """Return the entry of a row, ``None`` where it is refused, and what there is to say of it."""
    if raw.problem is not None:
        return None, [fault_of_row(raw, *raw.problem)]
    values: dict[str, Any] = {}
    faults = []
    for name, column in table.columns.items():
        value = parse_cell(raw.cells.get(name, ""), column)
        if isinstance(value, CellFault):
            faults.append(_fault(raw, name, value.code, value.expected))
        elif value is not None:
            values[name] = value
    faults += _place_faults(raw, values)
    years = _years(raw.cells.get(DEMAND_BY_YEAR, ""))
    if years is None:
        faults.append(_fault(raw, DEMAND_BY_YEAR, "years_unreadable", f"年份:容量,分号隔开,如 {YEARS_EXAMPLE}"))
    if faults:
        return None, faults
    try:
        given = json.dumps(_plain(values, years or (), raw.area), ensure_ascii=False)
        entry = ProjectEntry.model_validate_json(given)
    except ValidationError as error:
        return None, [_of_validation(raw, one) for one in error.errors()]
    return entry, list(_gaps(raw, entry))


def _place_faults(raw: RawRow, values: Mapping[str, Any]) -> Iterator[Finding]:
    known = [name for name in _PLACE if name in values]
    if not known or any(raw.cells.get(name) and name not in values for name in _PLACE):
        return  # no place at all, or a cell of it is refused already
    if len(known) < len(_PLACE):
        for name in _PLACE:
            if name not in values:
                yield _fault(raw, name, "place_incomplete", "经度、纬度、坐标系一并填写,坐标系无缺省")
        return
    try:
        to_cgcs2000(values["lon_deg"], values["lat_deg"], values["datum"])
    except InputError as error:
        field = str(error.context["field"]).rpartition(".")[2]
        column = field if field in _PLACE else "lon_deg"
        yield _fault(raw, column, "place_out_of_range", str(error.context["allowed"]))


def _years(text: str) -> list[dict[str, Any]] | None:
    """Return what is wanted by year, ``None`` where the cell cannot be read."""
    found = []
    for part in re.split(r"[;；]", text):
        if not part.strip():
            continue
        match = _YEAR.fullmatch(part)
        if match is None:
            return None
        found.append({"year": int(match[1]), "capacity_kva": float(match[2])})
    return found


def _plain(values: Mapping[str, Any], years: Any, polygon: Mapping[str, Any] | None) -> dict[str, Any]:
    plain = {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in values.items()
        if name not in {*_PLACE, *_DEMAND, *CIRCUMSTANCES, DEMAND_BY_YEAR, "area_text"}
    }
    plain["demand"] = {**{name: values[name] for name in _DEMAND if name in values}, "by_year": years}
    plain["circumstances"] = {name: values[name] for name in CIRCUMSTANCES if name in values}
    if "datum" in values and "lon_deg" in values:
        plain["location"] = {name: values[name] for name in _PLACE}
    area = {**({"text": values["area_text"]} if "area_text" in values else {}), **(polygon or {})}
    return {**plain, "area": area} if area else plain


def _gaps(raw: RawRow, entry: ProjectEntry) -> Iterator[Finding]:
    if entry.location is None:
        yield _gap(raw, "lon_deg", "not_placed", "经度、纬度、坐标系")
    if entry.demand.installed_kw is None and entry.demand.capacity_kva is None:
        yield _gap(raw, "installed_kw", "demand_unknown", "用电设备总容量或用电容量")


def fault_of_row(raw: RawRow, code: str, expected: str) -> Finding:
    """Return what refuses a whole row."""
    return _fault(raw, None, code, expected)


def _of_validation(raw: RawRow, error: Any) -> Finding:
    names = [part for part in error["loc"] if isinstance(part, str)]
    last = names[-1] if names else None
    column = DEMAND_BY_YEAR if "by_year" in names else _OF_CELLS.get(last or "", last)
    return _fault(raw, column, "value_refused", error["msg"])


def _fault(raw: RawRow, column: str | None, code: str, expected: str) -> Finding:
    return _finding(raw, column, code, expected, severity="error", disposition="quarantined", consequence=_LEFT_OUT)


def _gap(raw: RawRow, column: str, code: str, expected: str) -> Finding:
    return _finding(
        raw, column, code, expected, severity="warning", disposition="accepted", consequence=_NOT_ASSESSABLE
    )


def _finding(raw: RawRow, column: str | None, code: str, expected: str, **said: Any) -> Finding:
    value = None if column is None else raw.cells.get(column) or None
    return Finding(
        code=code,
        file=raw.file,
        table=TABLE,
        row=raw.number,
        column=column,
        value=None if value is None else value[:_VALUE_CHARACTERS_MAX],
        expected=expected,
        element_id=raw.cells.get("source_id") or None,
        **said,
    )
