"""Reads a project table from a file: CSV, xlsx or GeoJSON. A bad row is left out and named; a bad file is refused."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridmodel.errors import InputError
from gridmodel.findings import Finding
from gridmodel.readers.table_files import RawTable, read_raw_table
from gridmodel.readers.table_schema import Table
from scheme.library.columns import DEMAND_BY_YEAR, project_table
from scheme.library.entry import ProjectEntry
from scheme.library.rows import RawRow, fault_of_row, read_row

FILE_BYTES_MAX = 20 * 2**20
ROWS_MAX = 20_000
ENDINGS = (".csv", ".xlsx", ".geojson")
_ALLOWED = "one .csv, .xlsx or .geojson file"
_FEATURES = "a GeoJSON FeatureCollection"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadEntry:
    """One good row."""

    row: int
    entry: ProjectEntry
    columns: frozenset[str]
    """What the row says something about, be it that a fact is not known; other facts are left as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadProjects:
    """What a file says."""

    file: str
    rows: int
    """Rows that are not empty."""
    entries: tuple[ReadEntry, ...]
    """Those that are good."""
    findings: tuple[Finding, ...]


def read_project_bytes(content: bytes, file: str, works_stages: Sequence[str]) -> ReadProjects:
    """Return the projects in the bytes of a file; see :func:`read_projects`.

    Args:
        content: The file.
        file: Its name with one of the known endings, without a folder.
        works_stages: ``reserve.works_stages``.
    """
    with tempfile.TemporaryDirectory(prefix="gridscheme-") as folder:
        path = Path(folder) / file
        path.write_bytes(content)
        return read_projects(path, works_stages)


def read_projects(path: Path, works_stages: Sequence[str]) -> ReadProjects:
    """Return the projects of a file, each row judged by itself.

    Args:
        path: The file.
        works_stages: ``reserve.works_stages``.

    Raises:
        InputError: Not such a file, too large, too many rows, or a column is unknown, missing or stands twice.
    """
    table = project_table(works_stages)
    return judge_rows(path.name, read_rows(path, table), table)


def read_rows(path: Path, table: Table) -> list[RawRow]:
    """Return the rows of a file as text.

    Raises:
        InputError: Not such a file, too large, too many rows, or a column is unknown, missing or stands twice.
    """
    _check_size(path)
    rows = list(_features(path, table) if path.suffix.lower() == ".geojson" else _table_rows(path, table))
    if len(rows) > ROWS_MAX:
        raise InputError("too many rows", file=path.name, value=len(rows), allowed=f"at most {ROWS_MAX}")
    return rows


def _check_size(path: Path) -> None:
    if path.suffix.lower() not in ENDINGS or not path.is_file():
        raise InputError("no project table", file=path.name, allowed=_ALLOWED)
    if path.stat().st_size > FILE_BYTES_MAX:
        raise InputError("file is too large", file=path.name, allowed=f"at most {FILE_BYTES_MAX // 2**20} MiB")


def judge_rows(file: str, rows: Sequence[RawRow], table: Table) -> ReadProjects:
    """Return what the rows of a file say, each judged by itself."""
    entries: list[ReadEntry] = []
    findings: list[Finding] = []
    keys = Counter((row.cells.get("source_system", ""), row.cells.get("source_id", "")) for row in rows)
    for row in rows:
        entry, said = read_row(row, table)
        key = (row.cells.get("source_system", ""), row.cells.get("source_id", ""))
        if all(key) and keys[key] > 1:  # which of them holds nobody knows
            said = [*said, fault_of_row(row, "project_twice", "来源系统与项目编号在表中只出现一次")]
            entry = None
        findings += said
        if entry is not None:
            columns = frozenset(row.cells) | ({"geometry"} if row.area is not None else set())
            entries.append(ReadEntry(row=row.number, entry=entry, columns=columns))
    return ReadProjects(file=file, rows=len(rows), entries=tuple(entries), findings=tuple(findings))


def _table_rows(path: Path, table: Table) -> Iterator[RawRow]:
    raw: RawTable = read_raw_table(path, table)
    width = len(raw.columns)
    for number, cells in raw.rows:
        is_long = any(cells[width:])
        given = (*cells, *[""] * (width - len(cells)))
        yield RawRow(
            file=raw.file,
            number=number,
            cells=dict(zip(raw.columns, given, strict=False)),
            problem=("row_too_long", f"{width} 格") if is_long else None,
        )


def _features(path: Path, table: Table) -> Iterator[RawRow]:
    for number, feature in enumerate(_feature_list(path), start=1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(properties, dict):
            yield RawRow(file=path.name, number=number, cells={}, problem=("not_a_feature", "GeoJSON Feature"))
            continue
        for name in properties:
            if name not in table.columns:
                allowed = ", ".join(table.columns)
                raise InputError("unknown column", file=path.name, row=number, field=name, allowed=allowed)
        cells = {name: _cell(name, value) for name, value in properties.items()}
        place, area = _geometry(feature.get("geometry"), cells)
        yield RawRow(file=path.name, number=number, cells={**cells, **place}, area=area)


def _feature_list(path: Path) -> list[Any]:
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError("not a UTF-8 text", file=path.name, allowed=_FEATURES) from error
    except (ValueError, RecursionError) as error:
        raise InputError("not valid JSON", file=path.name, allowed=_FEATURES) from error
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        raise InputError("no features", file=path.name, allowed=_FEATURES)
    return features


def _geometry(geometry: Any, cells: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Any] | None]:
    """Return the cells of a point, or the area of a polygon; what is neither says nothing and leaves no place."""
    if not isinstance(geometry, dict):
        return {}, None
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "Point" and isinstance(coordinates, list) and len(coordinates) >= 2:
        return {"lon_deg": _cell("lon_deg", coordinates[0]), "lat_deg": _cell("lat_deg", coordinates[1])}, None
    # a polygon in a datum nobody named is refused with its row
    area: dict[str, Any] = {"polygon": {"type": kind, "coordinates": coordinates}}
    return ({"datum": ""}, {**area, "datum": cells["datum"]}) if cells.get("datum") else ({}, area)


def _cell(name: str, value: Any) -> str:
    """Return a property as it would stand in a CSV file."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if name == DEMAND_BY_YEAR and isinstance(value, dict):
        return ";".join(f"{year}:{kva}" for year, kva in value.items())
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value).strip()
