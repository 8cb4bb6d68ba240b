"""The fields of the application's page against the request the service takes: the same ones with the same limits."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from scheme.request import HarmonicCurrent, SupplyRequest

FIELDS_FILE = Path(__file__).parents[2] / "api" / "web" / "static" / "js" / "parts" / "apply_fields.js"
_LINE = re.compile(r'^  "?([\w.]+)"?: \{ (kind: .*) \},$', re.MULTILINE)
_LIMITS = {"exclusiveMinimum": "above", "minimum": "least", "maximum": "most"}
_KINDS = {"number": ("number", "percent"), "integer": ("whole",), "boolean": ("flag",)}


def fields_of_page() -> dict[str, dict[str, Any]]:
    """Return what the page says of each field; its lines are JSON but for quotes around names."""
    source = FIELDS_FILE.read_text(encoding="utf-8")
    return {path: json.loads("{" + re.sub(r"(\w+): ", r'"\1": ', told) + "}") for path, told in _LINE.findall(source)}


def fields_of_service() -> dict[str, tuple[dict[str, Any], bool]]:
    """Return schema and whether it is required of every field that is no record of fields."""
    whole = SupplyRequest.model_json_schema()
    parts = whole["$defs"]
    found: dict[str, tuple[dict[str, Any], bool]] = {}

    def walk(schema: dict[str, Any], prefix: str) -> None:
        for name, field in schema["properties"].items():
            inner = next((one for one in field.get("anyOf", [field]) if one.get("type") != "null"), field)
            target = parts.get(inner.get("$ref", "").rpartition("/")[2])
            if target is not None and name in ("applicant", "location", "demand", "circumstances"):
                walk(target, f"{prefix}{name}.")
            else:
                found[f"{prefix}{name}"] = (inner, name in schema.get("required", ()))

    walk(whole, "")
    return found


def test_page_asks_for_every_field_of_a_request_and_no_other() -> None:
    harmonic = set(HarmonicCurrent.model_fields)
    assert set(fields_of_page()) - harmonic == set(fields_of_service())
    assert harmonic <= set(fields_of_page())


def test_limits_of_numbers_and_texts_are_those_of_the_service() -> None:
    page = fields_of_page()
    numbers = 0
    for path, (schema, is_required) in fields_of_service().items():
        told = page[path]
        if schema.get("type") in _KINDS:
            assert told["kind"] in _KINDS[schema["type"]], path
            limits = {ours: schema[theirs] for theirs, ours in _LIMITS.items() if theirs in schema}
            assert {name: told[name] for name in _LIMITS.values() if name in told} == limits, path
            numbers += schema["type"] != "boolean"
        elif "maxLength" in schema:
            assert told["most"] == schema["maxLength"], path
        assert not is_required or told["required"], path
    assert numbers > 15


def test_rows_of_harmonic_currents_have_the_limits_of_the_service() -> None:
    page = fields_of_page()
    for name, schema in HarmonicCurrent.model_json_schema()["properties"].items():
        assert (page[name]["least"], page[name]["most"]) == (schema["minimum"], schema["maximum"])


def test_choices_are_those_of_the_service() -> None:
    page = fields_of_page()
    choices = {path: schema["enum"] for path, (schema, _) in fields_of_service().items() if "enum" in schema}
    assert len(choices) > 8
    assert {path: page[path]["codes"] for path in choices} == choices


def test_datum_has_no_preset() -> None:
    assert "preset" not in fields_of_page()["location.datum"]
