"""Parse a network file into tables, numbers and text, and into nothing else.

A pandapower file names a Python module and class for each of its objects, and pandapower's own reader imports what is
named and calls it. Here the names are only compared with a list: a pair that is not on it refuses the whole file, and a
pair that is on it selects code of this module. No module is imported, no class is looked up, no path is opened.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pandas as pd

from gridmodel.errors import InputError

FILE_BYTES_MAX = 512 * 1024 * 1024
"""Largest file (bytes). A network of 350,000 nodes needs about 300 MB; Python holds ten times the file in memory."""

DEPTH_MAX = 32
"""Deepest nesting inside one JSON text. Network files need 6; deeper nesting only serves to exhaust the stack."""

TABLE_COUNT_MAX = 500
"""Most tables in one file. pandapower writes about 100, result tables included."""

ROW_COUNT_MAX = 5_000_000
"""Most rows in one table; twelve times the largest county network planned for."""

CELL_COUNT_MAX = 100_000_000
"""Most cells in one table."""

TEXT_LENGTH_MAX = 1_000_000
"""Longest text in one cell (characters); a line with 20,000 vertices as GeoJSON stays below it."""

PAIR_KEYS = ("_module", "_class")

NET_PAIR = ("pandapower.auxiliary", "pandapowerNet")
TABLE_PAIRS = frozenset({("pandas.core.frame", "DataFrame"), ("pandas", "DataFrame")})
SERIES_PAIRS = frozenset({("pandas.core.series", "Series"), ("pandas", "Series")})
NUMBER_PAIRS = frozenset(
    ("numpy", name) for name in ("bool", "bool_", "float32", "float64", "int32", "int64", "uint32", "uint64")
)
"""Single numbers, as numpy scalars in ``std_types`` or in options are written."""

LIST_PAIRS = frozenset(
    {("numpy", "array"), ("pandas", "Index")} | {("builtins", name) for name in ("tuple", "set", "frozenset")}
)
"""Plain lists under another name; they occur in settings and in controllers, and are looked through and dropped."""

CONTROLLER_PAIRS = frozenset({("pandapower.timeseries.data_sources.frame_data", "DFData")}) | frozenset(
    ("pandapower.control." + module, name)
    for module, name in (
        ("controller.const_control", "ConstControl"),
        ("controller.trafo.ContinuousTapControl", "ContinuousTapControl"),
        ("controller.trafo.DiscreteTapControl", "DiscreteTapControl"),
        ("controller.trafo.TapDependentImpedance", "TapDependentImpedance"),
        ("controller.trafo.VmSetTapControl", "VmSetTapControl"),
        ("controller.characteristic_control", "CharacteristicControl"),
        ("controller.station_control", "BinarySearchControl"),
        ("controller.station_control", "DroopControl"),
        ("controller.pq_control", "PQController"),
        ("controller.shunt_control", "DiscreteShuntController"),
        ("util.characteristic", "Characteristic"),
        ("util.characteristic", "SplineCharacteristic"),
    )
)
"""pandapower's own controllers, characteristics and data sources: recognised in order to be left out, never built."""

ALLOWED_TEXT = "pandapowerNet, pandas DataFrame and Series, numpy numbers"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PlainNet:
    """A parsed file: tables of plain cells (numbers, truth values, text, ``None``) and plain top-level entries."""

    tables: Mapping[str, pd.DataFrame]
    entries: Mapping[str, object]
    """Numbers and text at the top level (``name``, ``f_hz``, ...)."""
    left_out: tuple[str, ...]
    """Top-level entries that were looked through and dropped (settings, type lists, empty objects)."""
    object_counts: Mapping[str, int]
    """Rows of tables that held controllers or characteristics, by table; these rows are dropped."""


def parse_plain_net(data: bytes, *, file: str) -> PlainNet:
    """Return the tables and plain entries of a pandapower network file.

    Raises:
        InputError: Not a network file, larger or deeper than the limits, or it names a module and class that are not
            on the list.
    """
    if len(data) > FILE_BYTES_MAX:
        raise InputError("file is too large", file=file, value=f"{len(data)} bytes", allowed=f"{FILE_BYTES_MAX} bytes")
    return _Parser(file).net(data)


@dataclass(slots=True)
class _Parser:
    file: str

    def net(self, data: bytes) -> PlainNet:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError("not UTF-8 text", file=self.file, row=f"byte {error.start}", allowed="UTF-8") from error
        root = self._load(text, "")
        if not isinstance(root, dict) or _pair(root) != NET_PAIR:
            pair = _pair(root) if isinstance(root, dict) else None
            if pair is not None:
                self._refuse(pair, "top level")
            raise self._error("not a pandapower network file", "top level", allowed="a file written by to_json")
        content = root.get("_object")
        if isinstance(content, str):
            content = self._load(content, "_object")
        if not isinstance(content, dict):
            raise self._error("the network is not an inline object", "_object", value=content, allowed="a JSON object")
        for key, value in root.items():
            if key not in {*PAIR_KEYS, "_object"}:
                self._look_through(value, key)
        return self._content(content)

    def _content(self, content: Mapping[str, Any]) -> PlainNet:
        tables: dict[str, pd.DataFrame] = {}
        entries: dict[str, object] = {}
        left_out: list[str] = []
        counts: dict[str, int] = {}
        for key, value in content.items():
            if isinstance(value, dict) and _pair(value) in TABLE_PAIRS:
                table, object_count = self._table(value, key)
                if object_count:
                    counts[key] = object_count
                elif len(table):
                    tables[key] = table
            elif isinstance(value, dict) and _pair(value) in NUMBER_PAIRS:
                entries[key] = self._number(value, key)
            elif isinstance(value, dict | list):
                self._look_through(value, key)
                left_out.append(key)
            else:
                entries[key] = self._text(value, key)
            if len(tables) > TABLE_COUNT_MAX:
                raise self._error("too many tables", key, allowed=f"{TABLE_COUNT_MAX}")
        return PlainNet(tables=tables, entries=entries, left_out=tuple(left_out), object_counts=counts)

    def _table(self, node: Mapping[str, Any], place: str) -> tuple[pd.DataFrame, int]:
        """Return a table of plain cells, or an empty one and the number of rows when rows hold controllers."""
        for key, value in node.items():
            if key not in {*PAIR_KEYS, "_object"}:
                self._look_through(value, f"{place}.{key}")
        content = node.get("_object")
        if isinstance(content, str):
            if not content.lstrip().startswith("{"):
                raise self._error("a table must be inline", f"{place}._object", value=content, allowed="a JSON object")
            content = self._load(content, f"{place}._object")
        if not isinstance(content, dict):
            raise self._error("a table must be inline", f"{place}._object", value=content, allowed="a JSON object")
        if _pair(content) is not None:
            self._refuse(cast("tuple[str, str]", _pair(content)), f"{place}._object")
        if node.get("is_multiindex") or node.get("is_multicolumn"):
            self._look_through(content, place)
            return pd.DataFrame(), 0
        columns, index, rows = self._split(content, place, orient=node.get("orient", "split"))
        return self._frame(columns, index, rows, place)

    def _split(self, content: Mapping[str, Any], place: str, *, orient: object) -> tuple[list[str], list[Any], Any]:
        if orient == "columns" and not {"columns", "index", "data"} <= set(content):
            return self._from_columns(content, place)
        columns, index, rows = (content.get(key) for key in ("columns", "index", "data"))
        if not (isinstance(columns, list) and isinstance(index, list) and isinstance(rows, list)):
            raise self._error("a table needs columns, index and data as lists", place, allowed='orient "split"')
        if extra := set(content) - {"columns", "index", "data"}:
            self._look_through({key: content[key] for key in extra}, place)
        if any(not isinstance(row, list) or len(row) != len(columns) for row in rows):
            raise self._error("a row does not have one cell for each column", place, allowed=f"{len(columns)} cells")
        return [str(column) for column in columns], index, rows

    def _from_columns(self, content: Mapping[str, Any], place: str) -> tuple[list[str], list[Any], Any]:
        if any(not isinstance(column, dict) for column in content.values()):
            raise self._error("a column must be an object", place, allowed='{"column": {"index": cell}}')
        index = list(next(iter(content.values()), {}))
        if any(list(column) != index for column in content.values()):
            raise self._error("columns have different rows", place)
        rows = [[column[key] for column in content.values()] for key in index]
        return list(content), [int(key) if key.isdecimal() else key for key in index], rows

    def _frame(self, columns: list[str], index: list[Any], rows: Any, place: str) -> tuple[pd.DataFrame, int]:
        if len(index) != len(rows):
            raise self._error("index and data have different lengths", place, value=f"{len(index)}, {len(rows)}")
        if len(rows) > ROW_COUNT_MAX or len(rows) * len(columns) > CELL_COUNT_MAX:
            raise self._error("too many rows or cells", place, value=len(rows), allowed=f"{ROW_COUNT_MAX} rows")
        if len(set(columns)) != len(columns):
            raise self._error("a column stands twice", place, value=", ".join(columns))
        if not rows:
            return pd.DataFrame(), 0
        if any(isinstance(label, dict | list) for label in index):
            raise self._error("an index is not a number or text", place)
        held_objects = 0
        for label, row in zip(index, rows, strict=True):
            holds_object = False
            for number, cell in enumerate(row):
                if isinstance(cell, dict | list):
                    where = f"{place}[{label}].{columns[number]}"
                    holds_object |= self._nested_cell(cell, where)
                    row[number] = self._compact(cell, where)
                elif isinstance(cell, str):
                    self._text(cell, f"{place}[{label}].{columns[number]}")
            held_objects += holds_object
        if held_objects:
            return pd.DataFrame(), len(rows)
        plain = {
            column: pd.Series([row[number] for row in rows], index=range(len(rows)), dtype=object)
            for number, column in enumerate(columns)
        }
        frame = pd.DataFrame(plain, index=range(len(rows)), columns=columns)
        frame.index = pd.Index(index, dtype=object)
        return frame, 0

    def _nested_cell(self, cell: Any, place: str) -> bool:
        """Look through a list or object in a cell; return whether it is one of pandapower's own controllers."""
        is_known = isinstance(cell, dict) and _pair(cell) in CONTROLLER_PAIRS
        self._look_through(cell, place, may_hold_controllers=is_known)
        return is_known

    def _compact(self, cell: Any, place: str) -> object:
        """Return a nested cell as a number where it is one, else as JSON text (GeoJSON written as an object)."""
        if isinstance(cell, dict) and _pair(cell) in NUMBER_PAIRS:
            return self._number(cell, place)
        return json.dumps(cell, ensure_ascii=False, sort_keys=True)

    def _look_through(self, value: Any, place: str, *, may_hold_controllers: bool = False) -> None:
        """Refuse any pair inside ``value`` that is not on the list, and any object that is not inline."""
        for inner, where in _walk(value, place):
            if isinstance(inner, dict) and (pair := _pair(inner)) is not None:
                allowed = pair in TABLE_PAIRS | SERIES_PAIRS | NUMBER_PAIRS | LIST_PAIRS
                if not (allowed or (may_hold_controllers and pair in CONTROLLER_PAIRS)):
                    self._refuse(pair, where)
                content = inner.get("_object")
                if pair in NUMBER_PAIRS:
                    self._number(inner, where)
                elif isinstance(content, str):
                    nested = self._load(content, where) if content.lstrip()[:1] in "{[" else None
                    if not isinstance(nested, dict | list):
                        raise self._error("an object must be inline", where, value=content, allowed="a JSON object")
                    self._look_through(nested, where, may_hold_controllers=may_hold_controllers)
            elif isinstance(inner, str):
                self._text(inner, where)

    def _number(self, node: Mapping[str, Any], place: str) -> float | bool:
        content = node.get("_object")
        if isinstance(content, bool | int | float):
            return content
        if content in ("true", "false"):
            return bool(content == "true")
        if content == "nan":
            return float("nan")
        raise self._error("a number must be inline", place, value=content, allowed="a number")

    def _text(self, value: Any, place: str) -> object:
        """Return a plain entry; text that hides an object description or cannot be written as UTF-8 is refused."""
        if not isinstance(value, str):
            return value
        if len(value) > TEXT_LENGTH_MAX:
            raise self._error("text is too long", place, value=value, allowed=f"{TEXT_LENGTH_MAX} characters")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise self._error("text holds half a character (surrogate)", place, allowed="text that UTF-8 can write")
        if all(key in value for key in PAIR_KEYS):
            raise self._error("text holds a description of an object", place, value=value, allowed=ALLOWED_TEXT)
        return value

    def _load(self, text: str, place: str) -> Any:
        try:
            value = json.loads(text, object_pairs_hook=self._object)
        except (ValueError, RecursionError) as error:
            raise self._error(f"not JSON: {error}"[:200], place or "top level", allowed="one JSON object") from error
        _check_depth(value, self, place)
        return value

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            keys = [key for key, _ in pairs]
            double = next(key for key in keys if keys.count(key) > 1)
            raise self._error("a key stands twice in one object", double)
        return result

    def _refuse(self, pair: tuple[object, object], place: str) -> None:
        raise self._error(
            "the file names an object that is never built from a file",
            place,
            value=f"_module {pair[0]!r}, _class {pair[1]!r}",
            allowed=ALLOWED_TEXT,
        )

    def _error(self, problem: str, place: str, *, value: object = None, allowed: str | None = None) -> InputError:
        return InputError(problem, file=self.file, field=_printable(place)[:200], value=_shown(value), allowed=allowed)


def _pair(node: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return what an object claims to be; either key alone is a claim already."""
    if not any(key in node for key in PAIR_KEYS):
        return None
    return tuple(_printable(str(node.get(key))) for key in PAIR_KEYS)  # type: ignore[return-value]


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _shown(value: object) -> str | None:
    return None if value is None else _printable(str(value)[:80])


def _walk(value: Any, place: str) -> Iterator[tuple[Any, str]]:
    """Yield every object and text inside ``value``, itself included, with its place.

    The text in ``_object`` of an object with a pair is left to the caller, who reads it as JSON.
    """
    stack: list[tuple[Any, str]] = [(value, place)]
    while stack:
        node, where = stack.pop()
        if isinstance(node, dict):
            yield node, where
            is_claim = _pair(node) is not None
            for key, child in node.items():
                if not (is_claim and key == "_object" and isinstance(child, str)):
                    stack.append((child, f"{where}.{key}"))
        elif isinstance(node, list):
            stack.extend((child, where) for child in node)
        elif isinstance(node, str):
            yield node, where


def _check_depth(value: Any, parser: _Parser, place: str) -> None:
    level: Sequence[Any] = [value]
    for _ in range(DEPTH_MAX):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise parser._error("nested too deep", place or "top level", allowed=f"{DEPTH_MAX} levels")
