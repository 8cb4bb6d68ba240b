"""Changes of a snapshot as JSON: ``{"changes": [{"kind": "load", "element_id": "load:3", "p_kw": 1, ...}, ...]}``."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gridmodel.changes import Change
from gridmodel.errors import InputError

CHANGES_MAX = 100_000
"""Most changes in one file."""
_ALLOWED = {
    "missing": "the field is required and has no default",
    "unexpected_keyword_argument": "only the documented fields",
    "extra_forbidden": "only the documented fields",
    "string_type": "a text",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "too_short": "at least one change",
    "too_long": f"at most {CHANGES_MAX} changes",
}

_One = Annotated[Change, Field(discriminator="kind")]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    changes: Annotated[tuple[_One, ...], Field(min_length=1, max_length=CHANGES_MAX)]


def parse_changes(text: str | bytes, *, file: str | None = None) -> tuple[Change, ...]:
    """Return the changes in a JSON text, in its order; whether the elements exist is not looked at.

    Raises:
        InputError: Not UTF-8, not JSON, a repeated key, or a field that is missing, unknown or of another type.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        json.loads(text, object_pairs_hook=_no_repeats, parse_constant=_no_constants)
    except UnicodeDecodeError as error:
        raise InputError("not a UTF-8 text", file=file, allowed="a JSON object in UTF-8") from error
    except RecursionError as error:
        raise InputError("nested too deeply", file=file, allowed="a JSON object as documented") from error
    except ValueError as error:
        raise InputError(f"not valid JSON: {error}", file=file, allowed="a JSON object, each key once") from error
    try:
        return _File.model_validate_json(text).changes
    except ValidationError as error:
        raise _as_input_error(error.errors()[0], file) from error


def _as_input_error(fault: Any, file: str | None) -> InputError:
    """Name the change by its place in the list, from 1, and the field inside it."""
    place, kind = list(fault["loc"]), fault["type"]
    row = f"change {place[1] + 1}" if len(place) > 1 else None
    rest = place[3:] if row else place
    # "(whole document)" only where nothing nearer can be named
    field = ".".join(map(str, rest)) or (
        "kind" if kind.startswith("union_tag") else None if row else "(whole document)"
    )
    value = None if kind in ("missing", "too_short", "too_long", "unexpected_keyword_argument") else fault["input"]
    if kind.startswith("union_tag"):
        value = fault["ctx"].get("tag")
        return InputError("no such kind", file=file, row=row, field=field, value=value, allowed=_kinds(fault))
    allowed = _ALLOWED.get(kind, "a JSON object as documented")
    return InputError(fault["msg"], file=file, row=row, field=field, value=value, allowed=allowed)


def _kinds(fault: Any) -> str:
    return str(fault["ctx"].get("expected_tags", "the field names the kind of change")).replace("'", "")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise ValueError(f"key {key!r} stands twice")
        seen[key] = value
    return seen


def _no_constants(name: str) -> Any:
    raise ValueError(f"{name} is not a number JSON allows")
