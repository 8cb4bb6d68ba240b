"""The example requests: good ones parse and stand where the README says, bad ones are refused by what is wrong."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from gridmodel.errors import InputError
from scheme.request import parse_request
from tests.township.convert import TARGET
from tests.township.sheets import read_sheets
from tests.township.source import FIXTURES

REQUESTS = FIXTURES / "requests"
PLACES = {
    row["node_id"]: (float(row["lon_deg"]), float(row["lat_deg"])) for row in read_sheets(TARGET)["nodes"]
}  # fmt: skip


def distance_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return the distance on a sphere of 6371 km."""
    lon_a, lat_a, lon_b, lat_b = map(math.radians, (*a, *b))
    chord = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2.0 * 6_371_000.0 * math.asin(math.sqrt(chord))


def nearest_m(path: Path) -> float:
    location = json.loads(path.read_text(encoding="utf-8"))["location"]
    return min(distance_m((location["lon_deg"], location["lat_deg"]), place) for place in PLACES.values())


@pytest.mark.parametrize(
    ("file", "category", "installed_kw", "near"),
    [
        ("lv_resident.json", "resident", 8.0, None),
        ("lv_small_micro.json", "small_micro", 60.0, "B119"),
        ("lv_industrial_commercial.json", "industrial_commercial", 120.0, "B118"),
        ("mv_10kv_single.json", "industrial_commercial", 520.0, "P162-15"),
        ("mv_10kv_no_capacity.json", "industrial_commercial", 8500.0, "M129"),
    ],
)
def test_good_request_parses_and_stands_near_its_node(
    file: str, category: str, installed_kw: float, near: str | None
) -> None:
    request = parse_request((REQUESTS / file).read_bytes(), file=file)
    assert (request.applicant.category, request.demand.installed_kw) == (category, installed_kw)
    assert request.received_on.isoformat() == "2026-11-20"
    place = (request.location.lon_deg, request.location.lat_deg)
    if near is not None:
        assert 30.0 <= distance_m(place, PLACES[near]) <= 150.0
    assert nearest_m(REQUESTS / file) < 150.0


@pytest.mark.parametrize(
    ("file", "field"), [("bad_no_datum.json", "location.datum"), ("bad_unknown_field.json", "demand.installed_mw")]
)
def test_malformed_request_is_refused_by_field(file: str, field: str) -> None:
    with pytest.raises(InputError, match=field):
        parse_request((REQUESTS / file).read_bytes(), file=file)


@pytest.mark.parametrize(
    ("file", "away_km"), [("bad_outside_area.json", 20.0), ("bad_swapped_coordinates.json", 1000.0)]
)
def test_misplaced_request_parses_but_stands_far_from_the_network(file: str, away_km: float) -> None:
    parse_request((REQUESTS / file).read_bytes(), file=file)
    assert nearest_m(REQUESTS / file) > away_km * 1000.0


def test_swapped_request_is_right_once_swapped_back() -> None:
    good = json.loads((REQUESTS / "lv_resident.json").read_text(encoding="utf-8"))["location"]
    bad = json.loads((REQUESTS / "bad_swapped_coordinates.json").read_text(encoding="utf-8"))["location"]
    assert (bad["lon_deg"], bad["lat_deg"]) == (good["lat_deg"], good["lon_deg"])
