"""What one text cell means: a number, a date, a word of a list, or a named fault."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from gridmodel.readers.table_schema import Column

ID_CHARACTERS_MAX = 64
TEXT_CHARACTERS_MAX = 300

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity|#div/0!|#n/a|#value!|#ref!|#num!|#null!|#name\?)", re.IGNORECASE)
_VECTOR_GROUP = re.compile(r"(?:Y|YN|D|Z|ZN)(?:y|yn|d|z|zn)(\d{1,2})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFault:
    """Why a cell cannot be used."""

    code: str
    expected: str


def parse_cell(text: str, column: Column) -> Any | CellFault:
    """Return the value of a cell, ``None`` where it is not known, or the fault.

    Coordinates are only read as numbers here: whether they are in range, swapped or far away is judged together.
    """
    text = text or column.default
    if not text:
        return CellFault(code="missing_value", expected=_expected(column)) if column.is_required else None
    if any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) <= 0xDFFF or c in "\u2028\u2029\ufffe\uffff" for c in text):
        return CellFault(code="unreadable_text", expected="不含控制字符的文本")
    return _PARSERS[column.type](text, column)


def clock_number(vector_group: str) -> int:
    """Return the clock number of a vector group (联结组别), 11 for ``YNd11``."""
    match = _VECTOR_GROUP.fullmatch(vector_group)
    assert match is not None, vector_group
    return int(match[1])


def _expected(column: Column) -> str:
    kind = _KINDS[column.type] + (f"({column.unit})" if column.unit else "")
    return f"{kind}:{column.allowed.replace('|', '、')}" if column.allowed else kind


def _number(text: str, column: Column) -> float | CellFault:
    if _NUMBER.fullmatch(text) is None:
        code = "not_finite" if _NOT_FINITE.fullmatch(text) else "not_a_number"
        return CellFault(code=code, expected=_expected(column))
    value = float(text)
    if not math.isfinite(value):
        return CellFault(code="not_finite", expected=_expected(column))
    interval = column.interval
    if interval is not None and column.type != "coordinate" and not interval.holds(value):
        return CellFault(code="out_of_range", expected=_expected(column))
    return value


def _integer(text: str, column: Column) -> int | CellFault:
    value = _number(text, column)
    if isinstance(value, CellFault):
        return value
    if not value.is_integer() or abs(value) > 1e6:
        return CellFault(code="not_an_integer", expected=_expected(column))
    return int(value)


def _word(text: str, column: Column) -> str | CellFault:
    return text if text in column.words else CellFault(code="unknown_word", expected=_expected(column))


def _flag(text: str, column: Column) -> bool | CellFault:
    word = text.lower()
    return word == "true" if word in column.words else CellFault(code="unknown_word", expected=_expected(column))


def _date(text: str, column: Column) -> date | CellFault:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        return CellFault(code="not_a_date", expected=_expected(column))


def _text(text: str, column: Column) -> str | CellFault:
    longest = ID_CHARACTERS_MAX if column.type == "id" else TEXT_CHARACTERS_MAX
    if len(text) > longest:
        return CellFault(code="text_too_long", expected=f"不超过 {longest} 个字符")
    return text


def _vector_group(text: str, column: Column) -> str | CellFault:
    match = _VECTOR_GROUP.fullmatch(text)
    if match is None or int(match[1]) > 11:
        return CellFault(code="unknown_word", expected=_expected(column))
    return text


def _vertices(text: str, column: Column) -> tuple[tuple[float, float], ...] | CellFault:
    fault = CellFault(code="vertices_unreadable", expected=_expected(column))
    places = []
    for part in text.split(";"):
        if not part.strip():
            continue
        numbers = part.split()
        if len(numbers) != 2 or any(_NUMBER.fullmatch(n) is None for n in numbers):
            return fault
        lon_deg, lat_deg = map(float, numbers)
        if not (abs(lon_deg) <= 180.0 and abs(lat_deg) <= 90.0):
            return fault
        places.append((lon_deg, lat_deg))
    return tuple(places)


_KINDS = {
    "id": "编号",
    "text": "文本",
    "number": "数值",
    "coordinate": "数值",
    "integer": "整数",
    "word": "可选值",
    "flag": "可选值",
    "date": "日期,如 2024-01-31",
    "vertices": "拐点,如 115.0990 33.3960; 115.1001 33.3971",
    "vector_group": "联结组别,如 YNd11",
}

_PARSERS: dict[str, Any] = {
    "id": _text,
    "text": _text,
    "number": _number,
    "coordinate": _number,
    "integer": _integer,
    "word": _word,
    "flag": _flag,
    "date": _date,
    "vertices": _vertices,
    "vector_group": _vector_group,
}
