"""Reads policy files: one parameter per YAML file whose path is its id, checked strictly; a wrong file stops the start.

``data/<topic>/<name>.yaml`` holds parameter ``<topic>.<name>``; ``profiles/<id>.yaml`` a profile. A utility's own folder
holds ``profile.yaml`` and, per parameter it sets, ``<topic>/<name>.yaml`` with ``id`` and ``values``.
See ``scheme/decisions/0002-policy-as-dated-data.md``.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from gridmodel.errors import InputError
from scheme.errors import PolicyFileError
from scheme.policy.parameter import Op, PolicyParameter, PolicySet, PolicyValue, PolicyView, Profile

_HERE = Path(__file__).parent
FILE_SIZE_MAX_BYTES = 1_000_000

NUMBER_UNITS = frozenset(
    "kW kVA kvar V kV A ratio pu workday day month year hour m km mm2 count ohm cny_per_kva cny10k".split()
)
UNITS = NUMBER_UNITS | {"text", "texts", "flag", "record", "table"} | {f"{unit}_list" for unit in NUMBER_UNITS}
OPS = ("le", "lt", "ge", "gt", "none")
CONFIDENCES = ("high", "medium", "low")

_PARAMETER_KEYS = {"id", "description", "name_zh", "unit", "op", "values"}
_VALUE_KEYS = {"profile", "effective_from", "value", "source"}


def load_policy(profile: str, as_of: date, *, folder: Path | None = None) -> PolicyView:
    """Return the policy of ``profile`` on ``as_of``.

    Args:
        profile: ``shenqiu-2022``, ``xinyang-2021`` or the id in the folder's ``profile.yaml``.
        as_of: Date of decision.
        folder: A utility's own profile, inheriting from a shipped one.

    Raises:
        InputError: No such profile.
        PolicyFileError: A policy file is wrong.
    """
    policies = load_policy_set(folder)
    if profile not in policies.profiles or profile == "base":
        offered = ", ".join(sorted(set(policies.profiles) - {"base"}))
        raise InputError("unknown policy profile", field="profile", value=profile, allowed=offered)
    return PolicyView(policies=policies, profile=profile, as_of=as_of)


def load_policy_set(folder: Path | None = None) -> PolicySet:
    """Return every parameter and profile, the utility's own folder included.

    Raises:
        PolicyFileError: A policy file is wrong.
    """
    shipped = _load_shipped()
    return shipped if folder is None else _with_folder(shipped, Path(folder))


@lru_cache(maxsize=1)
def _load_shipped() -> PolicySet:
    return read_policy_set(_HERE / "data", _HERE / "profiles")


def read_policy_set(data: Path, profiles: Path) -> PolicySet:
    """Return the policy set in a folder of parameters and a folder of profiles.

    Raises:
        PolicyFileError: A policy file is wrong.
    """
    known = _read_profiles(sorted(profiles.glob("*.yaml")))
    parameters: dict[str, PolicyParameter] = {}
    for path in sorted(data.rglob("*.y*ml")):
        parameter = _parse_parameter(_read_yaml(path), path, data, known)
        parameters[parameter.id] = parameter
    return _seal(parameters, known)


def _with_folder(shipped: PolicySet, folder: Path) -> PolicySet:
    head = folder / "profile.yaml"
    if not head.is_file():
        raise PolicyFileError("no such file", file=str(head), allowed="a policy folder with profile.yaml")
    own = _parse_profile(_read_yaml(head), head)
    if own.id in shipped.profiles:
        raise PolicyFileError("profile exists already", file=str(head), field="id", value=own.id, allowed="a new id")
    profiles = {**shipped.profiles, own.id: own}
    _check_profiles(profiles, str(head))
    parameters = dict(shipped.parameters)
    for path in sorted(set(folder.rglob("*.y*ml")) - {head}):
        raw = _read_yaml(path)
        _check_keys(raw, {"id", "values"}, set(), path)
        parameter_id = _check_id(raw, path, folder)
        if parameter_id not in parameters:
            raise PolicyFileError("unknown parameter", file=str(path), field="id", value=parameter_id)
        known = parameters[parameter_id]
        values = _parse_values(raw["values"], known.id, known.unit, known.op, path, {own.id: own})
        parameters[parameter_id] = replace(known, values=known.values + values)
    return _seal(parameters, profiles)


def _read_yaml(path: Path) -> dict[str, Any]:
    if path.stat().st_size > FILE_SIZE_MAX_BYTES:
        raise PolicyFileError("too large", file=str(path), allowed=f"at most {FILE_SIZE_MAX_BYTES} bytes")
    try:
        loader = yaml.CSafeLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        _check_node(node, set())
        content = loader.construct_document(node) if node is not None else None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        shown = " ".join(str(error).split())[:200]
        raise PolicyFileError(f"not valid YAML: {shown}", file=str(path), allowed="YAML, each key once") from error
    if not isinstance(content, dict):
        raise PolicyFileError("not a mapping", file=str(path), allowed="keys and values at the top")
    return content


def _check_node(node: yaml.Node | None, seen: set[int]) -> None:
    """Refuse what YAML would resolve silently: repeated keys, aliases (a node that stands twice), keys that are no text."""
    if node is None:
        return
    if id(node) in seen:
        raise yaml.YAMLError(f"aliases are not allowed, line {node.start_mark.line + 1}")
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:str" or key.value in keys:
                raise yaml.YAMLError(f"key {key.value!r} stands twice or is no text, line {key.start_mark.line + 1}")
            keys.add(key.value)
            _check_node(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_node(item, seen)


def _read_profiles(paths: Iterable[Path]) -> dict[str, Profile]:
    profiles: dict[str, Profile] = {}
    for path in paths:
        profile = _parse_profile(_read_yaml(path), path)
        if profile.id != path.stem:
            raise PolicyFileError("id is not the file name", file=str(path), field="id", value=profile.id)
        profiles[profile.id] = profile
    for profile in profiles.values():
        _check_profiles(profiles, profile.id)
    return profiles


def _parse_profile(raw: Mapping[str, Any], path: Path) -> Profile:
    _check_keys(raw, {"id", "title"}, {"inherits"}, path)
    texts = {key: raw.get(key) for key in ("id", "title", "inherits")}
    for key, value in texts.items():
        if not (isinstance(value, str) and value) and not (key == "inherits" and raw["id"] == "base"):
            raise PolicyFileError("missing or not a text", file=str(path), field=key, value=value)
    return Profile(id=raw["id"], title=raw["title"], inherits=raw.get("inherits"))


def _check_profiles(profiles: Mapping[str, Profile], file: str) -> None:
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


def _parse_parameter(
    raw: Mapping[str, Any], path: Path, data: Path, profiles: Mapping[str, Profile]
) -> PolicyParameter:
    _check_keys(raw, _PARAMETER_KEYS, {"inherits", "note"}, path)
    parameter_id = _check_id(raw, path, data)
    for key in ("description", "name_zh"):
        if not isinstance(raw[key], str) or not raw[key].strip():
            raise PolicyFileError("must be a text", file=str(path), field=key, value=raw[key])
    unit, op = raw["unit"], raw["op"]
    if unit not in UNITS:
        raise PolicyFileError(
            "unknown unit", file=str(path), field="unit", value=unit, allowed=", ".join(sorted(UNITS))
        )
    if op not in OPS or (op != "none" and unit not in NUMBER_UNITS):
        allowed = ", ".join(OPS) if unit in NUMBER_UNITS else "none"
        raise PolicyFileError("unknown comparison", file=str(path), field="op", value=op, allowed=allowed)
    inherits = raw.get("inherits", {})
    if not isinstance(inherits, dict) or not {*inherits, *inherits.values()} <= set(profiles):
        raise PolicyFileError(
            "unknown profile", file=str(path), field="inherits", value=inherits, allowed=", ".join(sorted(profiles))
        )
    return PolicyParameter(
        id=parameter_id,
        description=raw["description"],
        name_zh=raw["name_zh"],
        unit=unit,
        op=op,
        inherits=inherits,
        values=_parse_values(raw["values"], parameter_id, unit, op, path, profiles),
    )


def _check_keys(
    raw: Mapping[str, Any], required: set[str], optional: set[str], path: Path, row: int | None = None
) -> None:
    for problem, keys in (
        ("key is missing", sorted(required - set(raw))),
        ("unknown key", sorted(set(raw) - required - optional)),
    ):
        if keys:
            allowed = ", ".join(sorted(required | optional))
            raise PolicyFileError(problem, file=str(path), row=row, field=keys[0], allowed=allowed)


def _check_id(raw: Mapping[str, Any], path: Path, data: Path) -> str:
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


def _parse_values(
    raw: object, parameter_id: str, unit: str, op: Op, path: Path, profiles: Mapping[str, Profile]
) -> tuple[PolicyValue, ...]:
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
    _check_keys(row, _VALUE_KEYS, {"confidence"}, path, number)
    if row["profile"] not in profiles:
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
    _check_keys(source, {"document", "clause"}, set(), path, number)
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


def _seal(parameters: Mapping[str, PolicyParameter], profiles: Mapping[str, Profile]) -> PolicySet:
    content = {
        "profiles": [[p.id, p.title, p.inherits] for _, p in sorted(profiles.items())],
        "parameters": [_content(parameter) for _, parameter in sorted(parameters.items())],
    }
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return PolicySet(parameters=parameters, profiles=profiles, sha256=hashlib.sha256(text.encode()).hexdigest())


def _content(parameter: PolicyParameter) -> Sequence[object]:
    values = [
        [v.profile, v.effective_from.isoformat(), v.value, v.document, v.clause, v.confidence]
        for v in sorted(parameter.values, key=lambda value: (value.profile, value.effective_from))
    ]
    return [
        parameter.id,
        parameter.description,
        parameter.name_zh,
        parameter.unit,
        parameter.op,
        dict(parameter.inherits),
        values,
    ]
