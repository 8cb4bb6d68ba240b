"""Checks the content of policy files and turns it into parameters and profiles: strict, nothing is repaired."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from scheme.errors import PolicyFileError
from scheme.policy.parameter import Op, PolicyParameter, PolicyValue, Profile

NUMBER_UNITS = frozenset(
    {"kW", "kVA", "kvar", "V", "kV", "A", "kA", "ohm", "degree_c", "ratio", "pu", "m", "km", "mm2", "count"}
    | {"workday", "day", "month", "year", "hour", "minute", "second", "cny_per_kva", "cny10k"}
)
UNITS = NUMBER_UNITS | {"text", "texts", "flag", "record", "table"} | {f"{unit}_list" for unit in NUMBER_UNITS}
FORMS = frozenset({"record", "table"})
OPS = ("le", "lt", "ge", "gt", "none")
CONFIDENCES = ("high", "medium", "low")

_PARAMETER_KEYS = {"id", "description", "name_zh", "unit", "op", "values"}
_VALUE_KEYS = {"profile", "effective_from", "value", "source"}


def parse_profile(raw: Mapping[str, Any], path: Path) -> Profile:
    """Return the profile in a file's content."""
    check_keys(raw, {"id", "title"}, {"inherits"}, path)
    texts = {key: raw.get(key) for key in ("id", "title", "inherits")}
    for key, value in texts.items():
        if not (isinstance(value, str) and value) and not (key == "inherits" and raw["id"] == "base"):
            raise PolicyFileError("missing or not a text", file=str(path), field=key, value=value)
    return Profile(id=raw["id"], title=raw["title"], inherits=raw.get("inherits"))


def check_profiles(profiles: Mapping[str, Profile], file: str) -> None:
    """Refuse profiles that inherit from nobody known or in a circle."""
    for profile in profiles.values():
        seen, following = [profile.id], profile.inherits
        while following is not None:
            if following not in profiles or following in seen:
                raise PolicyFileError(
                    "unknown profile or circle",
                    file=file,
                    field="inherits",
                    value=following,
                    allowed=", ".join(sorted(set(profiles) - set(seen))),
                )
            seen.append(following)
            following = profiles[following].inherits


def parse_parameter(raw: Mapping[str, Any], path: Path, data: Path, profiles: Mapping[str, Profile]) -> PolicyParameter:
    """Return the parameter in a file's content, every value checked against its unit."""
    check_keys(raw, _PARAMETER_KEYS, {"inherits", "note", "fields"}, path)
    parameter_id = check_id(raw, path, data)
    for key in ("description", "name_zh"):
        if not isinstance(raw[key], str) or not raw[key].strip():
            raise PolicyFileError("must be a text", file=str(path), field=key, value=raw[key])
    unit, op = raw["unit"], raw["op"]
    if not isinstance(unit, str) or unit not in UNITS:
        raise PolicyFileError(
            "unknown unit", file=str(path), field="unit", value=unit, allowed=", ".join(sorted(UNITS))
        )
    if op not in OPS or (op != "none" and unit not in NUMBER_UNITS):
        allowed = ", ".join(OPS) if unit in NUMBER_UNITS else "none"
        raise PolicyFileError("unknown comparison", file=str(path), field="op", value=op, allowed=allowed)
    inherits = raw.get("inherits", {})
    if not isinstance(inherits, dict) or not all(name in list(profiles) for name in (*inherits, *inherits.values())):
        raise PolicyFileError(
            "unknown profile", file=str(path), field="inherits", value=inherits, allowed=", ".join(sorted(profiles))
        )
    fields = raw.get("fields", [])
    if not _is_list(fields) or not all(isinstance(name, str) for name in fields) or (fields and unit not in FORMS):
        allowed = "a list of names, for a record or a table"
        raise PolicyFileError("must be a list", file=str(path), field="fields", value=fields, allowed=allowed)
    values = parse_values(raw["values"], parameter_id, unit, op, path, profiles)
    check_declared_fields(values, fields, path)
    return PolicyParameter(
        id=parameter_id,
        description=raw["description"],
        name_zh=raw["name_zh"],
        unit=unit,
        op=op,
        inherits=inherits,
        values=values,
        fields=tuple(fields),
    )


def check_keys(
    raw: Mapping[str, Any], required: set[str], optional: set[str], path: Path, row: int | None = None
) -> None:
    """Refuse missing and unknown keys."""
    for problem, keys in (
        ("key is missing", sorted(required - set(raw))),
        ("unknown key", sorted(set(raw) - required - optional)),
    ):
        if keys:
            allowed = ", ".join(sorted(required | optional))
            raise PolicyFileError(problem, file=str(path), row=row, field=keys[0], allowed=allowed)


def check_id(raw: Mapping[str, Any], path: Path, data: Path) -> str:
    """Return the id, which must be the path below ``data`` with dots."""
    expected = ".".join(path.relative_to(data).with_suffix("").parts)
    if raw["id"] != expected or path.suffix != ".yaml":
        raise PolicyFileError(
            "id is not the path of the file",
            file=str(path),
            field="id",
            value=raw["id"],
            allowed=f"{expected} in a .yaml file",
        )
    return expected


def check_same_fields(values: Sequence[PolicyValue], path: Path) -> None:
    """Refuse a record or table whose fields differ from those of the parameter's other values."""
    for number, value in enumerate(values, start=1):
        if value.unit in FORMS and _fields(value) != _fields(values[0]):
            raise PolicyFileError(
                "fields differ from the other values",
                file=str(path),
                row=number,
                field="value",
                value=", ".join(sorted(_fields(value))),
                allowed=", ".join(sorted(_fields(values[0]))),
            )


def check_declared_fields(values: Sequence[PolicyValue], fields: Sequence[str], path: Path) -> None:
    """Refuse a record or table whose fields are not those the parameter declares."""
    for number, value in enumerate(values, start=1):
        if fields and _fields(value) != set(fields):
            raise PolicyFileError(
                "fields are not those of the parameter",
                file=str(path),
                row=number,
                field="value",
                value=", ".join(sorted(_fields(value))),
                allowed=", ".join(fields),
            )


def _fields(value: PolicyValue) -> set[str]:
    return set(value.value if value.unit == "record" else value.value[0])


def parse_values(
    raw: object, parameter_id: str, unit: str, op: Op, path: Path, profiles: Mapping[str, Profile]
) -> tuple[PolicyValue, ...]:
    """Return the dated values; dates must increase within a profile."""
    if not isinstance(raw, list) or not all(isinstance(row, dict) for row in raw):
        raise PolicyFileError("must be a list", file=str(path), field="values", allowed="a list of dated values, or []")
    values: list[PolicyValue] = []
    latest: dict[str, date] = {}
    for number, row in enumerate(raw, start=1):
        value = _parse_value(row, number, parameter_id, unit, op, path, profiles)
        if value.profile in latest and value.effective_from <= latest[value.profile]:
            raise PolicyFileError(
                "dates must increase within a profile",
                file=str(path),
                row=number,
                field="effective_from",
                value=value.effective_from,
            )
        latest[value.profile] = value.effective_from
        values.append(value)
    check_same_fields(values, path)
    return tuple(values)


def _parse_value(
    row: Mapping[str, Any],
    number: int,
    parameter_id: str,
    unit: str,
    op: Op,
    path: Path,
    profiles: Mapping[str, Profile],
) -> PolicyValue:
    check_keys(row, _VALUE_KEYS, {"confidence"}, path, number)
    if row["profile"] not in list(profiles):
        raise PolicyFileError(
            "unknown profile",
            file=str(path),
            row=number,
            field="profile",
            value=row["profile"],
            allowed=", ".join(sorted(profiles)),
        )
    effective_from = row["effective_from"]
    if not isinstance(effective_from, date) or isinstance(effective_from, datetime):
        raise PolicyFileError(
            "not a date", file=str(path), row=number, field="effective_from", value=effective_from, allowed="YYYY-MM-DD"
        )
    source = row["source"]
    if not isinstance(source, dict):
        raise PolicyFileError("must name document and clause", file=str(path), row=number, field="source", value=source)
    check_keys(source, {"document", "clause"}, set(), path, number)
    for key, text in source.items():
        if not isinstance(text, str) or not text.strip():
            raise PolicyFileError("must be a text", file=str(path), row=number, field=f"source.{key}", value=text)
    if row.get("confidence") not in (None, *CONFIDENCES):
        raise PolicyFileError(
            "unknown confidence",
            file=str(path),
            row=number,
            field="confidence",
            value=row["confidence"],
            allowed=", ".join(CONFIDENCES),
        )
    return PolicyValue(
        id=parameter_id,
        value=_checked(row["value"], unit, path, number),
        unit=unit,
        op=op,
        clause=source["clause"],
        document=source["document"],
        profile=row["profile"],
        effective_from=effective_from,
        confidence=row.get("confidence"),
    )


def _checked(value: Any, unit: str, path: Path, number: int) -> Any:
    """Return the value, lists as tuples, if it has the form its unit asks for."""
    form = (
        unit
        if unit in {"text", "texts", "flag", "record", "table"}
        else ("list" if unit.endswith("_list") else "number")
    )
    fits = {
        "number": _is_number(value),
        "text": isinstance(value, str) and bool(value.strip()),
        "flag": isinstance(value, bool),
        "texts": _is_list(value) and all(isinstance(item, str) and item.strip() for item in value),
        "list": _is_list(value) and bool(value) and all(_is_number(item) for item in value),
        "record": _is_row(value),
        "table": _is_list(value) and bool(value) and all(_is_row(row) and set(row) == set(value[0]) for row in value),
    }[form]
    if not fits:
        raise PolicyFileError(
            f"value has not the form of unit {unit}",
            file=str(path),
            row=number,
            field="value",
            value=value,
            allowed=f"a {form}; numbers finite, rows with the same keys",
        )
    return tuple(value) if isinstance(value, list) else value


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_row(value: object) -> bool:
    if not isinstance(value, dict) or not value:
        return False
    return all(item is None or isinstance(item, str | bool) or _is_number(item) for item in value.values())
