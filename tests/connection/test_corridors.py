"""Ways along corridors and what they cross, on roads drawn in metres so that every length can be added up by hand.

::

    north 400   +------R3------+
                |              |
                R1 (east 0)    R2 (east 600)
                |              |
    north   0   +------R4------+

R1 and R2 run from north -100 to 500; R3 and R4 join them at north 400 and 0.
"""

import math

import numpy as np
import pytest

from gridmodel.corridors import Corridor, CorridorGraph, CorridorPath
from gridmodel.geometry import LineIndex, line_length_m, slice_line
from tests.connection.grids import place

Points = list[tuple[float, float]]


def corridor(corridor_id: str, *points_m: tuple[float, float], kind: str = "road") -> Corridor:
    return Corridor(corridor_id=corridor_id, kind=kind, line_deg=np.array([place(*point) for point in points_m]))


ROADS = [
    corridor("R1", (0, -100), (0, 500)),
    corridor("R2", (600, -100), (600, 500)),
    corridor("R3", (0, 400), (600, 400)),
    corridor("R4", (0, 0), (600, 0)),
]


def find(
    start: tuple[float, float], end: tuple[float, float], *, roads: list[Corridor] = ROADS, reach_m: float = 60.0
) -> CorridorPath | None:
    return CorridorGraph(roads, join_m=1.0).approach(*place(*end), reach_m=reach_m).find_path(*place(*start))


def test_way_turns_where_roads_meet() -> None:
    # 20 m to R1, 100 north to R3, 600 east, 50 south along R2, 30 m off it: 800 m.
    path = find((-20, 300), (630, 350), reach_m=40.0)
    assert path is not None
    assert path.length_m == pytest.approx(800.0, abs=0.1)
    assert [(leg.corridor_id, round(leg.length_m)) for leg in path.legs] == [
        (None, 20),
        ("R1", 100),
        ("R3", 600),
        ("R2", 50),
        (None, 30),
    ]
    assert line_length_m(path.line_deg) == pytest.approx(800.0, abs=0.1)


def test_way_is_the_shorter_of_two() -> None:
    # From R1 at north 150: over R4 150 + 600 + 100, over R3 250 + 600 + 300.
    path = find((0, 150), (600, 100))
    assert path is not None
    assert path.length_m == pytest.approx(850.0, abs=0.1)
    assert [leg.corridor_id for leg in path.legs] == ["R1", "R4", "R2"]


def test_way_on_one_road_does_not_pass_a_joint() -> None:
    path = find((100, 10), (350, -40))
    assert path is not None
    assert [(leg.corridor_id, round(leg.length_m)) for leg in path.legs] == [(None, 10), ("R4", 250), (None, 40)]


def test_way_on_one_road_may_pass_a_joint() -> None:
    # R1 from north 450 to north -50, past R3 and R4.
    path = find((0, 450), (0, -50))
    assert path is not None
    assert [(leg.corridor_id, round(leg.length_m)) for leg in path.legs] == [("R1", 500)]


def test_way_back_from_the_other_side_is_as_long() -> None:
    there, back = find((-20, 300), (630, 350)), find((630, 350), (-20, 300))
    assert there is not None
    assert back is not None
    assert there.length_m == pytest.approx(back.length_m, abs=1e-6)


def test_place_too_far_from_every_road_has_no_way() -> None:
    assert find((300, 200), (600, 100)) is None
    assert find((0, 150), (700, 200)) is None


def test_roads_that_do_not_meet_carry_no_way() -> None:
    islands = [corridor("R1", (0, 0), (0, 500)), corridor("R2", (600, 0), (600, 500))]
    assert find((0, 100), (600, 100), roads=islands) is None


def test_end_within_the_tolerance_is_joined_and_one_beyond_is_not() -> None:
    near = [corridor("R1", (0, 0), (0, 500)), corridor("R3", (0.8, 400), (600, 400))]
    path = find((0, 100), (600, 400), roads=near)
    assert path is not None
    assert path.length_m == pytest.approx(300 + 0.8 + 599.2, abs=0.1)
    apart = [corridor("R1", (0, 0), (0, 500)), corridor("R3", (1.5, 400), (600, 400))]
    assert find((0, 100), (600, 400), roads=apart) is None


def test_crossing_roads_are_joined_in_the_middle_of_both() -> None:
    cross = [corridor("A", (0, 0), (400, 0)), corridor("B", (200, -200), (200, 200))]
    path = find((0, 0), (200, 200), roads=cross)
    assert path is not None
    assert path.length_m == pytest.approx(400.0, abs=0.1)


def test_bent_road_is_followed_round_its_corner() -> None:
    path = find((0, 0), (300, 400), roads=[corridor("A", (0, 0), (300, 0), (300, 400))])
    assert path is not None
    assert path.length_m == pytest.approx(700.0, abs=0.1)
    assert len(path.line_deg) == 3


def test_slice_runs_in_the_direction_asked_for() -> None:
    line = np.array([place(0, 0), place(300, 0), place(300, 100)])
    forth, back = slice_line(line, 0.25, 0.875), slice_line(line, 0.875, 0.25)
    assert np.allclose(forth, back[::-1], atol=1e-9)
    assert np.allclose(forth, [place(100, 0), place(300, 0), place(300, 50)], atol=1e-6)


def test_crossings_are_found_in_the_order_of_the_path() -> None:
    obstacles = [
        np.array([place(500, -100), place(500, 100)]),  # crossed second
        np.array([place(200, -100), place(300, 100)]),  # crossed first, at east 250
        np.array([place(0, 50), place(600, 50)]),  # beside the path
    ]
    found = LineIndex(obstacles).find_crossings([place(0, 0), place(600, 0)])
    assert [crossing.position for crossing in found] == [1, 0]
    for crossing, east_m in zip(found, (250, 500), strict=True):
        lon, lat = place(east_m, 0)
        assert math.isclose(crossing.lon_deg, lon, abs_tol=1e-6)
        assert math.isclose(crossing.lat_deg, lat, abs_tol=1e-6)


def test_river_crossed_twice_counts_twice_and_a_common_stretch_once() -> None:
    river = np.array([place(100, -50), place(100, 50), place(300, 50), place(300, -50)])
    assert len(LineIndex([river]).find_crossings([place(0, 0), place(600, 0)])) == 2
    highway = np.array([place(200, 0), place(400, 0)])
    (crossing,) = LineIndex([highway]).find_crossings([place(0, 0), place(600, 0)])
    assert math.isclose(crossing.lon_deg, place(200, 0)[0], abs_tol=1e-6)


def test_no_corridor_gives_no_way() -> None:
    assert find((0, 0), (100, 0), roads=[]) is None
