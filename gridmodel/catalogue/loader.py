"""Read the equipment catalogue (设备目录) shipped beside this module, and refuse rows physics forbids."""

from __future__ import annotations

import csv
import hashlib
import io
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType, NoneType
from typing import Any, TypeVar

from gridmodel.catalogue.checks import check_line_type, check_transformer_type, check_unit_cost
from gridmodel.catalogue.records import Laying, LineType, TransformerType, UnitCost, VoltageClass
from gridmodel.errors import CatalogueError

Record = TypeVar("Record", LineType, TransformerType, UnitCost)

LINE_TYPES_FILE = "line_types.csv"
TRANSFORMER_TYPES_FILE = "transformer_types.csv"
UNIT_COSTS_FILE = "unit_costs.csv"


@dataclass(frozen=True, eq=False, kw_only=True)
class Catalogue:
    """All types by id, in file order; read-only."""

    line_types: Mapping[str, LineType]
    transformer_types: Mapping[str, TransformerType]
    unit_costs: Mapping[str, UnitCost]
    sha256: str
    """Digest over the names and bytes of the three files."""

    def get_line_type(self, type_id: str) -> LineType:
        """Return one conductor or cable type.

        Raises:
            CatalogueError: Unknown; the message names similar ids.
        """
        return _get(self.line_types, type_id, what="line type")

    def get_transformer_type(self, type_id: str) -> TransformerType:
        """Return one distribution transformer type.

        Raises:
            CatalogueError: Unknown; the message names similar ids.
        """
        return _get(self.transformer_types, type_id, what="transformer type")

    def get_unit_cost(self, code: str) -> UnitCost:
        """Return one unit cost.

        Raises:
            CatalogueError: Unknown; the message names similar codes.
        """
        return _get(self.unit_costs, code, what="unit cost")

    def find_line_types(
        self,
        *,
        laying: Laying | None = None,
        u_nominal_kv_class: VoltageClass | None = None,
        series: str | None = None,
    ) -> tuple[LineType, ...]:
        """Return the types that match, smallest rating first; empty when none does."""
        found = (
            t
            for t in self.line_types.values()
            if laying in (None, t.laying) and u_nominal_kv_class in (None, t.u_class) and series in (None, t.series)
        )
        return tuple(sorted(found, key=lambda t: (t.rating_a, t.type_id)))

    def find_transformer_types(
        self, *, series: str | None = None, sn_kva: float | None = None
    ) -> tuple[TransformerType, ...]:
        """Return the types that match, smallest rating (kVA) first; empty when none does."""
        found = (
            t for t in self.transformer_types.values() if series in (None, t.series) and sn_kva in (None, t.sn_kva)
        )
        return tuple(sorted(found, key=lambda t: (t.sn_kva, t.type_id)))


@cache
def load_catalogue() -> Catalogue:
    """Return the shipped catalogue; read once per process.

    Raises:
        CatalogueError: A row is malformed, implausible, stands twice or names no source.
    """
    return read_catalogue(resources.files("gridmodel.catalogue"))


def read_catalogue(folder: Traversable) -> Catalogue:
    """Return the catalogue in a folder that holds the three files.

    Raises:
        CatalogueError: A file is missing, or a row is malformed, implausible, stands twice or names no source.
    """
    digest = hashlib.sha256()
    texts = {}
    for name in (LINE_TYPES_FILE, TRANSFORMER_TYPES_FILE, UNIT_COSTS_FILE):
        try:
            content = folder.joinpath(name).read_bytes()
        except OSError as error:
            raise CatalogueError(f"catalogue file {name} cannot be read", file=name) from error
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
        texts[name] = content.decode("utf-8")
    return Catalogue(
        line_types=_read(texts, LINE_TYPES_FILE, LineType, "type_id", check_line_type),
        transformer_types=_read(texts, TRANSFORMER_TYPES_FILE, TransformerType, "type_id", check_transformer_type),
        unit_costs=_read(texts, UNIT_COSTS_FILE, UnitCost, "code", check_unit_cost),
        sha256=digest.hexdigest(),
    )


def _read(
    texts: Mapping[str, str], file: str, kind: type[Record], key: str, check: Callable[[Record], str | None]
) -> Mapping[str, Record]:
    reader = csv.DictReader(io.StringIO(texts[file], newline=""))
    expected = [field.name for field in fields(kind)]
    if reader.fieldnames is None or list(reader.fieldnames) != expected:
        raise CatalogueError(f"{file}: columns must be {', '.join(expected)}", file=file)
    types = typing.get_type_hints(kind)
    rows: dict[str, Record] = {}
    for number, row in enumerate(reader, start=1):
        record = kind(**{name: _value(row[name], types[name], file, number, name) for name in expected})
        row_id = str(getattr(record, key))
        problem = "the id stands twice" if row_id in rows else check(record)
        if problem is not None:
            raise CatalogueError(f"{file}, row {number}, {row_id}: {problem}", file=file, row=number, id=row_id)
        rows[row_id] = record
    return MappingProxyType(rows)


def _value(text: str | None, kind: Any, file: str, row: int, field: str) -> Any:
    """Return the cell as the record's field wants it; an empty cell is ``None`` where the field allows that."""
    options = typing.get_args(kind)
    text = (text or "").strip()
    if text == "":
        if NoneType in options:
            return None
        raise CatalogueError(f"{file}, row {row}: {field} is empty", file=file, row=row, field=field)
    if typing.get_origin(kind) is typing.Literal:
        if text in options:
            return text
    elif kind is str or str in options:
        return text
    else:
        try:
            return int(text) if kind is int else float(text)
        except ValueError:
            pass  # refused below, together with a word outside a list
    raise CatalogueError(f"{file}, row {row}: {field} cannot be {text!r}", file=file, row=row, field=field)


def _get(records: Mapping[str, Record], key: str, *, what: str) -> Record:
    try:
        return records[key]
    except KeyError as error:
        prefix = key[:4].lower()
        near = [name for name in records if name.lower().startswith(prefix)] or list(records)
        shown = ", ".join(near[:20]) + (f", … ({len(near)} in all)" if len(near) > 20 else "")
        raise CatalogueError(f"no {what} {key!r}; available: {shown}", id=key) from error
