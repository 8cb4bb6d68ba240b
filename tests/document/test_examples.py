"""The example requests by which every form can be had: a reply, its consultation, a housing area."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scheme.request import parse_request

REQUESTS = Path(__file__).parents[2] / "fixtures" / "requests"


def load(name: str) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads((REQUESTS / f"{name}.json").read_text(encoding="utf-8"))
    return plain


def test_consultation_is_the_same_customer_asking_before_applying() -> None:
    asked, applied = load("mv_10kv_consultation"), load("mv_10kv_important_second")
    assert parse_request((REQUESTS / "mv_10kv_consultation.json").read_bytes()).purpose == "consultation"
    assert {key for key in asked if asked[key] != applied.get(key)} == {"request_id", "purpose"}


def test_housing_area_tells_its_households() -> None:
    request = parse_request((REQUESTS / "mv_10kv_residential_area.json").read_bytes())
    assert (request.applicant.category, request.circumstances.households) == ("residential_area", 320)
