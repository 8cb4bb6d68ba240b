"""Routes along corridors and over obstacles, on the roads of test_corridors.py; lengths are added up by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from gridmodel.snapshot import Snapshot, seal, unseal
from scheme.variants import VariantDraft
from tests.connection.grids import Grid, place
from tests.connection.test_candidates import feeder, find

Lines = dict[str, tuple[str, list[tuple[float, float]]]]

ROADS: Lines = {
    "R1": ("road", [(0, -100), (0, 500)]),
    "R2": ("road", [(600, -100), (600, 500)]),
    "R3": ("road", [(0, 400), (600, 400)]),
    "R4": ("road", [(0, 0), (600, 0)]),
}
RAILWAY: Lines = {"RW": ("railway", [(300, -300), (300, 700)])}
POINT, CUSTOMER = (-20, 300), (630, 350)
STRAIGHT_M = (650**2 + 50**2) ** 0.5


def frame(lines: Lines) -> pd.DataFrame:
    rows = [
        {
            "element_id": name,
            "name": f"{name}线" if kind == "railway" else None,
            "kind": kind,
            "geo": json.dumps({"type": "LineString", "coordinates": [place(*point) for point in points]}),
        }
        for name, (kind, points) in lines.items()
    ]
    return pd.DataFrame(rows)


def answer(
    corridors: Lines | None,
    obstacles: Lines | None = None,
    *,
    kind: str = "pole",
    point: tuple[float, float] = POINT,
    at: tuple[float, float] = CUSTOMER,
    **more: Any,
) -> VariantDraft:
    grid = Grid()
    laying = "cable" if kind == "ring_main_unit" else "overhead"
    feeder(grid, "F1", (kind, *point), laying=laying, spare_bays=3.0)
    snapshot = replace(
        grid.snapshot(),
        corridors=None if corridors is None else frame(corridors),
        obstacles=None if obstacles is None else frame(obstacles),
    )
    variants, _ = find(grid, at=at, snapshot=snapshot, **more)
    return variants[0]


def test_route_follows_the_roads_and_everything_counts_its_length() -> None:
    # 20 m to R1, 100 to R3, 600 along it to its end, 58.3 m (30 east, 50 south) off it to the customer.
    draft = answer(ROADS)
    route = draft.route
    assert route.length_m == pytest.approx(20 + 100 + 600 + (30**2 + 50**2) ** 0.5, abs=0.15)
    assert not route.is_estimated
    assert [(section.kind, section.corridor_id) for section in route.sections] == [
        ("overhead", None),
        ("overhead", "R1"),
        ("overhead", "R3"),
        ("overhead", None),
    ]
    assert [section.length_m for section in route.sections] == pytest.approx([20, 100, 600, 58.3], abs=0.1)
    assert len(route.geometry["coordinates"]) == 5
    (line,) = [work for work in draft.works if work.code == "route_line"]
    assert line.quantity == pytest.approx(route.length_m / 1e3, abs=1e-4)


def test_without_corridors_the_route_is_straight_and_says_so() -> None:
    route = answer(None).route
    assert route.length_m == pytest.approx(1.3 * STRAIGHT_M, abs=0.3)
    assert route.is_estimated
    assert [(section.kind, section.corridor_id) for section in route.sections] == [("overhead", None)]
    assert (route.crossings, route.crossing_permits) == ((), ())


def test_roads_that_do_not_reach_give_the_straight_estimate() -> None:
    apart = {name: ROADS[name] for name in ("R1", "R2")}
    route = answer(apart).route
    assert route.is_estimated
    assert route.length_m == pytest.approx(1.3 * STRAIGHT_M, abs=0.3)


@pytest.mark.parametrize(("off_m", "is_estimated"), [(99.5, False), (100.5, True)])
def test_customer_may_lie_a_hundred_metres_off_the_road(off_m: float, is_estimated: bool) -> None:
    route = answer({"R1": ROADS["R1"]}, point=(0, 450), at=(off_m, -90)).route
    assert route.is_estimated == is_estimated


@pytest.mark.parametrize(("gap_m", "is_estimated"), [(4.9, False), (5.1, True)])
def test_roads_five_metres_apart_are_joined(gap_m: float, is_estimated: bool) -> None:
    roads: Lines = {"R1": ROADS["R1"], "R3": ("road", [(gap_m, 400), (600, 400)])}
    assert answer(roads, at=(600, 400)).route.is_estimated == is_estimated


def test_straight_line_within_the_reach_is_taken_where_the_road_is_a_detour() -> None:
    # 60 m straight x 1.3 = 78 m; by the road 90 + 60 + 90.
    route = answer({"R": ("road", [(-100, 0), (500, 0)])}, point=(0, 90), at=(60, 90)).route
    assert route.is_estimated
    assert route.length_m == pytest.approx(78.0, abs=0.1)


def test_crossing_on_the_road_is_a_permit_at_its_place() -> None:
    route = answer(ROADS, RAILWAY).route
    (permit,) = route.crossing_permits
    assert (permit.kind, permit.name, permit.permit, permit.is_estimated) == ("railway", "RW线", "railway", False)
    assert (permit.lon_deg, permit.lat_deg) == pytest.approx(place(300, 400), abs=1e-6)
    assert route.crossings == ("跨越铁路RW线（穿（跨）越铁路许可）",)


def test_crossing_of_a_straight_estimate_is_marked() -> None:
    # At east 300 the straight line has climbed 320 / 650 of 50 m.
    route = answer(None, RAILWAY).route
    (permit,) = route.crossing_permits
    assert permit.is_estimated
    assert (permit.lon_deg, permit.lat_deg) == pytest.approx(place(300, 300 + 50 * 320 / 650), abs=1e-6)
    assert route.crossings == ("跨越铁路RW线（穿（跨）越铁路许可，按直线估算）",)


def test_duct_is_for_cables_only() -> None:
    ducts: Lines = {"D1": ("duct", [(-20, 300), (630, 300), (630, 350)])}
    cable = answer(ducts, kind="ring_main_unit").route
    assert cable.length_m == pytest.approx(700.0, abs=0.15)
    assert [(section.kind, section.corridor_id) for section in cable.sections] == [("duct", "D1")]
    assert answer(ducts, kind="pole").route.is_estimated


def test_overhead_corridor_is_for_overhead_lines_only() -> None:
    lines: Lines = {"O1": ("overhead", [(-20, 300), (630, 300), (630, 350)])}
    assert [section.kind for section in answer(lines).route.sections] == ["overhead"]
    assert answer(lines, kind="ring_main_unit").route.is_estimated


def test_snapshot_keeps_corridors_and_obstacles_and_one_without_has_no_trace_of_them() -> None:
    grid = Grid()
    feeder(grid, "F1", ("pole", *POINT))
    plain: Snapshot = grid.snapshot()
    sealed, blob = seal(replace(plain, corridors=frame(ROADS), obstacles=frame(RAILWAY)))
    again = unseal(blob, sha256=sealed.sha256)
    assert again.corridors is not None
    assert again.obstacles is not None
    pd.testing.assert_frame_equal(again.corridors, frame(ROADS))
    pd.testing.assert_frame_equal(again.obstacles, frame(RAILWAY))
    without, blob = seal(plain)
    assert without.sha256 != sealed.sha256
    assert unseal(blob).corridors is None
    assert unseal(blob).obstacles is None
