"""Reads policy files: one parameter per YAML file, whose path is its id; a wrong file stops the start.

``data/<topic>/<name>.yaml`` holds ``<topic>.<name>``, ``profiles/<id>.yaml`` a profile. A utility's own folder
holds ``profile.yaml`` and, per parameter it sets, ``<topic>/<name>.yaml`` with ``id`` and ``values``.
See ``scheme/decisions/0002-policy-as-dated-data.md``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from gridmodel.errors import InputError
from scheme.errors import PolicyFileError
from scheme.policy.parameter import PolicyParameter, PolicySet, PolicyView, Profile
from scheme.policy.parse import (
    check_declared_fields,
    check_id,
    check_keys,
    check_profiles,
    check_same_fields,
    parse_parameter,
    parse_profile,
    parse_values,
)

_HERE = Path(__file__).parent
FILE_SIZE_MAX_BYTES = 1_000_000
DEPTH_MAX = 10


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


def read_profile_id(folder: Path) -> str:
    """Return the id of the profile in a utility's own folder.

    Raises:
        PolicyFileError: There is no ``profile.yaml``, or it is wrong.
    """
    return _read_head(Path(folder)).id


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
        parameter = parse_parameter(_read_yaml(path), path, data, known)
        parameters[parameter.id] = parameter
    return _seal(parameters, known)


def _with_folder(shipped: PolicySet, folder: Path) -> PolicySet:
    head, own = folder / "profile.yaml", _read_head(folder)
    if own.id in shipped.profiles:
        raise PolicyFileError("profile exists already", file=str(head), field="id", value=own.id, allowed="a new id")
    profiles = {**shipped.profiles, own.id: own}
    check_profiles(profiles, str(head))
    parameters = dict(shipped.parameters)
    for path in sorted(set(folder.rglob("*.y*ml")) - {head}):
        raw = _read_yaml(path)
        check_keys(raw, {"id", "values"}, set(), path)
        parameter_id = check_id(raw, path, folder)
        if parameter_id not in parameters:
            raise PolicyFileError("unknown parameter", file=str(path), field="id", value=parameter_id)
        known = parameters[parameter_id]
        values = parse_values(raw["values"], known.id, known.unit, known.op, path, {own.id: own})
        check_same_fields((*known.values, *values), path)
        check_declared_fields(values, known.fields, path)
        parameters[parameter_id] = replace(known, values=known.values + values)
    return _seal(parameters, profiles)


def _read_head(folder: Path) -> Profile:
    head = folder / "profile.yaml"
    if not head.is_file():
        raise PolicyFileError("no such file", file=str(head), allowed="a policy folder with profile.yaml")
    return parse_profile(_read_yaml(head), head)


def _read_yaml(path: Path) -> dict[str, Any]:
    if path.stat().st_size > FILE_SIZE_MAX_BYTES:
        raise PolicyFileError("too large", file=str(path), allowed=f"at most {FILE_SIZE_MAX_BYTES} bytes")
    try:
        text = path.read_text(encoding="utf-8")
        _check_events(text)
        loader = yaml.CSafeLoader(text)
        node = loader.get_single_node()
        _check_keys_of(node)
        content = loader.construct_document(node) if node is not None else None
    except (yaml.YAMLError, ValueError) as error:
        shown = " ".join(str(error).split())[:200]
        raise PolicyFileError(f"not valid YAML: {shown}", file=str(path), allowed="YAML, each key once") from error
    if not isinstance(content, dict):
        raise PolicyFileError("not a mapping", file=str(path), allowed="keys and values at the top")
    return content


def _check_events(text: str) -> None:
    """Refuse aliases, and nesting deep enough to exhaust the stack of the parser."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_MAX:
            raise yaml.YAMLError(f"nested deeper than {DEPTH_MAX}")


def _check_keys_of(node: yaml.Node | None) -> None:
    """Refuse what YAML would resolve silently: keys that stand twice, keys that are no text."""
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:str" or key.value in keys:
                raise yaml.YAMLError(f"key {key.value!r} stands twice or is no text, line {key.start_mark.line + 1}")
            keys.add(key.value)
            _check_keys_of(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_keys_of(item)


def _read_profiles(paths: Iterable[Path]) -> dict[str, Profile]:
    profiles: dict[str, Profile] = {}
    for path in paths:
        profile = parse_profile(_read_yaml(path), path)
        if profile.id != path.stem:
            raise PolicyFileError("id is not the file name", file=str(path), field="id", value=profile.id)
        profiles[profile.id] = profile
    for profile in profiles.values():
        check_profiles(profiles, profile.id)
    return profiles


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
