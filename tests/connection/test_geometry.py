"""Expected values: published closed forms (meridian arc, parallel), the Vincenty formula written out here, and the
GCJ-02 shift computed with another program."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

from gridmodel.errors import InputError
from gridmodel.geometry import (
    Foot,
    LineIndex,
    LocalPlane,
    PointIndex,
    cut_line,
    distance_m,
    locate,
    service_area,
    to_cgcs2000,
)

A_M, F = 6378137.0, 1 / 298.257222101  # GRS80


def vincenty_m(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Vincenty 1975, inverse formula, on GRS80."""
    b = A_M * (1 - F)
    u1, u2 = (math.atan((1 - F) * math.tan(math.radians(x))) for x in (lat1, lat2))
    big_l = lam = math.radians(lon2 - lon1)
    for _ in range(50):
        sin_s = math.hypot(
            math.cos(u2) * math.sin(lam), math.cos(u1) * math.sin(u2) - math.sin(u1) * math.cos(u2) * math.cos(lam)
        )
        cos_s = math.sin(u1) * math.sin(u2) + math.cos(u1) * math.cos(u2) * math.cos(lam)
        s = math.atan2(sin_s, cos_s)
        sin_a = math.cos(u1) * math.cos(u2) * math.sin(lam) / sin_s
        cos2a = 1 - sin_a**2
        c2m = cos_s - 2 * math.sin(u1) * math.sin(u2) / cos2a
        c = F / 16 * cos2a * (4 + F * (4 - 3 * cos2a))
        lam = big_l + (1 - c) * F * sin_a * (s + c * sin_s * (c2m + c * cos_s * (2 * c2m**2 - 1)))
    u_sq = cos2a * (A_M**2 - b**2) / b**2
    big_a = 1 + u_sq / 16384 * (4096 + u_sq * (-768 + u_sq * (320 - 175 * u_sq)))
    big_b = u_sq / 1024 * (256 + u_sq * (-128 + u_sq * (74 - 47 * u_sq)))
    delta = (
        big_b
        * sin_s
        * (c2m + big_b / 4 * (cos_s * (2 * c2m**2 - 1) - big_b / 6 * c2m * (4 * sin_s**2 - 3) * (4 * c2m**2 - 3)))
    )
    return b * big_a * (s - delta)


def test_distance_equals_the_vincenty_formula() -> None:
    for place in ((114.5, 33.4, 114.51, 33.41), (115.0, 33.0, 114.2, 33.9), (7.98, 47.98, 8.05, 48.01)):
        assert float(distance_m(*place)) == pytest.approx(vincenty_m(*place), abs=1e-3)


def test_distances_along_a_parallel_and_a_meridian_equal_the_radii_of_curvature() -> None:
    e2 = F * (2 - F)
    w = math.sqrt(1 - e2 * math.sin(math.radians(33.0)) ** 2)
    step = math.radians(1e-4)
    assert float(distance_m(114, 33, 114.0001, 33)) == pytest.approx(
        A_M / w * math.cos(math.radians(33.0)) * step, rel=1e-6
    )
    assert float(distance_m(114, 33 - 5e-5, 114, 33 + 5e-5)) == pytest.approx(A_M * (1 - e2) / w**3 * step, rel=1e-6)


def gcj02(lon: float, lat: float) -> tuple[float, float]:
    """GCJ-02 of a WGS-84 place by the published polynomial-sine series."""
    x, y, pi = lon - 105.0, lat - 35.0, math.pi
    wave = (20 * math.sin(6 * x * pi) + 20 * math.sin(2 * x * pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + wave
    north += (20 * math.sin(y * pi) + 40 * math.sin(y / 3 * pi)) * 2 / 3
    north += (160 * math.sin(y / 12 * pi) + 320 * math.sin(y * pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + wave
    east += (20 * math.sin(x * pi) + 40 * math.sin(x / 3 * pi)) * 2 / 3
    east += (150 * math.sin(x / 12 * pi) + 300 * math.sin(x / 30 * pi)) * 2 / 3
    a, ee, phi = 6378245.0, 0.00669342162296594323, math.radians(lat)
    magic = 1 - ee * math.sin(phi) ** 2
    return (
        lon + math.degrees(east / (a / math.sqrt(magic) * math.cos(phi))),
        lat + math.degrees(north / (a * (1 - ee) / magic**1.5)),
    )


@pytest.mark.parametrize("place", [(114.5, 33.4), (108.9, 34.2), (121.47, 31.23), (87.6, 43.8)])
def test_gcj02_is_undone_to_a_micrometre(place: tuple[float, float]) -> None:
    assert float(distance_m(*to_cgcs2000(*gcj02(*place), "GCJ02"), *place)) < 1e-6


def test_gcj02_shift_in_henan_is_about_515_m_east_and_179_m_south() -> None:
    # 515 m is the shift on a sphere; on the ellipsoid it is one metre more.
    lon, lat = to_cgcs2000(*gcj02(114.5, 33.4), "GCJ02")
    x, y = LocalPlane(lon, lat).to_metres(*gcj02(114.5, 33.4))
    assert float(x) == pytest.approx(515.0, abs=1.5)
    assert float(y) == pytest.approx(-179.0, abs=1.0)


def test_bd09_is_undone_by_the_published_formula() -> None:
    x, y = gcj02(114.5, 33.4)
    z = math.hypot(x, y) + 2e-5 * math.sin(y * math.pi * 3000 / 180)
    theta = math.atan2(y, x) + 3e-6 * math.cos(x * math.pi * 3000 / 180)
    lon, lat = to_cgcs2000(z * math.cos(theta) + 0.0065, z * math.sin(theta) + 0.006, "BD09")
    assert float(distance_m(lon, lat, 114.5, 33.4)) < 1e-6


def test_wgs84_and_cgcs2000_are_taken_as_given() -> None:
    assert to_cgcs2000(114.5, 33.4, "WGS84") == (114.5, 33.4)
    assert to_cgcs2000(114.5, 33.4, "CGCS2000") == (114.5, 33.4)


@pytest.mark.parametrize(
    ("lon", "lat", "datum"),
    [(114.5, 33.4, "wgs84"), (114.5, 33.4, ""), (float("nan"), 33.4, "WGS84"), (114.5, 91.0, "WGS84")],
)
def test_unknown_datum_and_impossible_coordinates_are_refused(lon: float, lat: float, datum: str) -> None:
    with pytest.raises(InputError):
        to_cgcs2000(lon, lat, datum)


def test_plane_and_back_returns_the_same_place() -> None:
    plane = LocalPlane(114.5, 33.4)
    lon, lat = plane.to_degrees(*plane.to_metres([114.6, 114.2, np.nan], [33.5, 33.0, 33.0]))
    assert lon[:2] == pytest.approx([114.6, 114.2], abs=1e-11)
    assert lat[:2] == pytest.approx([33.5, 33.0], abs=1e-11)
    assert np.isnan(lon[2])


def test_edge_of_the_map_has_no_original_in_bd09() -> None:
    # BD-09 adds 0.0065 and 0.006 degrees: what would have to be moved to the corner lies beyond it.
    with pytest.raises(InputError, match="place in China"):
        to_cgcs2000(-180.0, 90.0, "BD09")


def foot_on(line: list[list[float]], lon_deg: float, lat_deg: float) -> Foot:
    [(_, foot)] = LineIndex([line]).find_within(lon_deg, lat_deg, 5000.0)
    return foot


def length_m(line: Any) -> float:
    return sum(vincenty_m(*a, *b) for a, b in itertools.pairwise(np.asarray(line).tolist()))


def test_foot_on_a_meridian_lies_at_the_same_height() -> None:
    line = [[114.5, 33.40], [114.5, 33.41]]
    foot = foot_on(line, 114.501, 33.404)
    assert foot.lon_deg == pytest.approx(114.5, abs=1e-8)
    assert foot.fraction_along == pytest.approx(0.4, abs=1e-5)
    assert foot.distance_m == pytest.approx(vincenty_m(114.501, 33.404, 114.5, 33.404), abs=1e-2)


def test_foot_beyond_the_end_is_the_end() -> None:
    foot = foot_on([[114.5, 33.40], [114.5, 33.41]], 114.501, 33.42)
    assert foot.fraction_along == 1.0
    assert (foot.lon_deg, foot.lat_deg) == pytest.approx((114.5, 33.41), abs=1e-9)


def test_cut_parts_join_and_keep_the_length() -> None:
    line = [[114.5, 33.40], [114.5, 33.41], [114.52, 33.41]]
    first, second = cut_line(line, 0.3)
    assert first[-1].tolist() == second[0].tolist()
    assert length_m(first) / length_m(line) == pytest.approx(0.3, abs=1e-5)
    assert length_m(first) + length_m(second) == pytest.approx(length_m(line), abs=1e-3)


def test_nearest_in_degrees_but_not_in_metres_comes_second() -> None:
    # 0.00105 deg of longitude at 33 N are 98.1 m, 0.00100 deg of latitude are 110.9 m (Vincenty).
    index = PointIndex([114.50105, 114.5, np.nan], [33.0, 33.001, 33.0])
    positions, distances = index.find_within(114.5, 33.0, 500.0)
    assert positions.tolist() == [0, 1]
    assert distances == pytest.approx(
        [vincenty_m(114.5, 33.0, 114.50105, 33.0), vincenty_m(114.5, 33.0, 114.5, 33.001)], abs=1e-3
    )
    assert index.find_within(114.5, 33.0, 105.0)[0].tolist() == [0]


def test_line_index_finds_the_foot_of_the_nearest_line_first() -> None:
    lines = [[[114.49, 33.002], [114.51, 33.002]], [[114.5015, 32.99], [114.5015, 33.01]]]
    found = LineIndex(lines).find_within(114.5, 33.0, 300.0)
    assert [position for position, _ in found] == [1, 0]
    assert found[0][1].distance_m == pytest.approx(vincenty_m(114.5, 33.0, 114.5015, 33.0), abs=0.05)
    assert LineIndex([]).find_within(114.5, 33.0, 300.0) == []


def test_swapped_location_is_refused_as_swapped_and_a_far_one_as_outside() -> None:
    area = service_area([7.9, 8.0, 8.0], [47.9, 47.9, 48.0], margin_m=1000.0)
    assert area is not None
    assert locate(7.95, 47.92, "WGS84", area) == (7.95, 47.92)
    with pytest.raises(InputError, match="swapped"):
        locate(47.92, 7.95, "WGS84", area)
    with pytest.raises(InputError, match="outside the service area"):
        locate(9.5, 47.92, "WGS84", area)


def test_swapped_location_in_henan_is_named_swapped_though_its_latitude_is_impossible() -> None:
    area = service_area([114.4, 114.6, 114.5], [33.3, 33.3, 33.5], margin_m=1000.0)
    assert area is not None
    with pytest.raises(InputError, match="swapped"):
        locate(33.4, 114.5, "GCJ02", area)


def test_margin_of_the_service_area_is_in_metres() -> None:
    area = service_area([114.5], [33.4], margin_m=100.0)
    assert area is not None
    assert area.contains(114.5, 33.4 + 99 / 110_900)
    assert not area.contains(114.5, 33.4 + 101 / 110_900)
    assert service_area([np.nan], [33.4], margin_m=100.0) is None


def test_a_plane_takes_the_numbers_of_an_array() -> None:
    lon_deg, lat_deg = np.array([114.5, 33.4])
    x_m, y_m = LocalPlane(lon_deg, lat_deg).to_metres(114.5, 33.4)
    assert (float(x_m), float(y_m)) == pytest.approx((0.0, 0.0), abs=1e-6)
