"""Places on the ellipsoid: datums, distances in metres, perpendicular feet, crossings, nearest search, service area.

The only module that imports shapely, pyproj and geocoordinates. Degrees are never compared as distances: a degree of
longitude at 33 N is 16 % shorter than one of latitude, so a search in degrees finds the wrong neighbour. Searching is
done in a local plane in metres; every distance handed out is one on the ellipsoid. Coordinates are longitude before
latitude everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import geocoordinates_ffi as china_datums
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Geod, Transformer

from gridmodel.errors import InputError

Datum = Literal["CGCS2000", "WGS84", "GCJ02", "BD09"]
Floats = NDArray[np.float64]

_GRS80 = Geod(ellps="GRS80")
_CROSSING_GRID_M = 0.01
"""Two lines drawn through the same places differ by rounding; within a centimetre they run together."""
_PLANE_SLACK_RATIO = 1e-3
"""The local plane is true to 1e-4 within 100 km of its centre; the search circle is widened by more than that."""


def to_cgcs2000(lon_deg: float, lat_deg: float, datum: str) -> tuple[float, float]:
    """Return CGCS2000 longitude and latitude (degrees) of one place given in ``datum``.

    WGS 84 is taken as it is (equal to CGCS2000 within decimetres). GCJ-02 (火星坐标) and BD-09 (百度坐标) are undone
    by a fixed-point inverse that closes to a micrometre; outside China these datums are the identity. The result must
    not be converted again: the caller drops the datum once it holds CGCS2000.

    Raises:
        InputError: Unknown datum, or a coordinate that is not finite or out of range.
    """
    if datum not in get_args(Datum):
        raise InputError("unknown datum", field="location.datum", value=datum, allowed=", ".join(get_args(Datum)))
    for field, value, bound in (("location.lon_deg", lon_deg, 180.0), ("location.lat_deg", lat_deg, 90.0)):
        if not (math.isfinite(value) and abs(value) <= bound):
            raise InputError("coordinate out of range", field=field, value=value, allowed=f"-{bound:g} to {bound:g}")
    try:
        if datum == "GCJ02":
            place = china_datums.gcj02_to_wgs84_refined(china_datums.Gcj02(lat=lat_deg, lon=lon_deg))
        elif datum == "BD09":
            place = china_datums.bd09_to_wgs84_refined(china_datums.Bd09(lat=lat_deg, lon=lon_deg))
        else:
            return float(lon_deg), float(lat_deg)
    except china_datums.GeoError as error:
        # BD-09 moves every place of the earth a little, so one at the edge of the map has no original.
        given = f"{lon_deg}, {lat_deg}"
        raise InputError(
            f"not a place of {datum}", field="location", value=given, allowed="a place in China"
        ) from error
    return float(place.lon), float(place.lat)


def distance_m(lon_a_deg: ArrayLike, lat_a_deg: ArrayLike, lon_b_deg: ArrayLike, lat_b_deg: ArrayLike) -> Floats:
    """Return geodesic distances (m) on GRS80, elementwise with broadcasting."""
    lon_a, lat_a, lon_b, lat_b = np.broadcast_arrays(
        *(np.asarray(value, dtype=float) for value in (lon_a_deg, lat_a_deg, lon_b_deg, lat_b_deg))
    )
    return np.asarray(_GRS80.inv(lon_a, lat_a, lon_b, lat_b)[2], dtype=float)


class LocalPlane:
    """Azimuthal-equidistant plane on GRS80 around one place; x is east, y is north, both in metres."""

    def __init__(self, lon0_deg: float, lat0_deg: float) -> None:
        self.lon0_deg, self.lat0_deg = float(lon0_deg), float(lat0_deg)
        centre = f"+lat_0={self.lat0_deg!r} +lon_0={self.lon0_deg!r}"
        plane = CRS.from_proj4(f"+proj=aeqd {centre} +ellps=GRS80 +units=m +no_defs")
        degrees = CRS.from_proj4("+proj=longlat +ellps=GRS80 +no_defs")
        self._forward = Transformer.from_crs(degrees, plane, always_xy=True)
        self._inverse = Transformer.from_crs(plane, degrees, always_xy=True)

    def to_metres(self, lon_deg: ArrayLike, lat_deg: ArrayLike) -> tuple[Floats, Floats]:
        """Return x and y (m) of places in degrees; NaN stays NaN."""
        return _apply(self._forward, lon_deg, lat_deg)

    def to_degrees(self, x_m: ArrayLike, y_m: ArrayLike) -> tuple[Floats, Floats]:
        """Return longitude and latitude (degrees) of points of the plane."""
        return _apply(self._inverse, x_m, y_m)


def _apply(transformer: Any, first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats]:
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    known = np.isfinite(a) & np.isfinite(b)
    x, y = transformer.transform(np.where(known, a, 0.0), np.where(known, b, 0.0))
    return np.where(known, x, np.nan), np.where(known, y, np.nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foot:
    """Foot of the perpendicular (垂足) from a place on a polyline, or the nearer end of it."""

    lon_deg: float
    lat_deg: float
    distance_m: float
    fraction_along: float
    """Position on the polyline, 0 at its first point, 1 at its last."""


def _foot(plane: LocalPlane, path: Any, lon_deg: float, lat_deg: float) -> Foot:
    x, y = plane.to_metres(lon_deg, lat_deg)
    fraction = float(shapely.line_locate_point(path, shapely.points(float(x), float(y)), normalized=True))
    fraction = fraction if math.isfinite(fraction) else 0.0  # all points of the polyline coincide
    at = shapely.line_interpolate_point(path, fraction, normalized=True)
    lon, lat = (float(value) for value in plane.to_degrees(shapely.get_x(at), shapely.get_y(at)))
    return Foot(
        lon_deg=lon,
        lat_deg=lat,
        distance_m=float(distance_m(lon_deg, lat_deg, lon, lat)),
        fraction_along=min(max(fraction, 0.0), 1.0),
    )


def cut_line(line_lonlat_deg: ArrayLike, fraction_along: float) -> tuple[Floats, Floats]:
    """Return the two parts of a polyline cut at ``fraction_along`` (0 to 1 of its length in metres)."""
    line = np.asarray(line_lonlat_deg, dtype=float)
    plane = LocalPlane(float(line[0, 0]), float(line[0, 1]))
    x, y = plane.to_metres(line[:, 0], line[:, 1])
    along = np.concatenate(([0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))))
    at = fraction_along * along[-1]
    lon, lat = plane.to_degrees(np.interp(at, along, x), np.interp(at, along, y))
    cut = np.array([[float(lon), float(lat)]])
    return np.vstack((line[along < at], cut)), np.vstack((cut, line[along > at]))


def starting_near(line_lonlat_deg: ArrayLike, lon_deg: float, lat_deg: float) -> Floats:
    """Return the polyline, turned round if its last point is nearer to the place than its first."""
    line = np.asarray(line_lonlat_deg, dtype=float)
    first, last = distance_m(lon_deg, lat_deg, line[[0, -1], 0], line[[0, -1], 1])
    return line[::-1] if last < first else line


def line_length_m(line_lonlat_deg: ArrayLike) -> float:
    """Return the length (m) of a polyline on the ellipsoid."""
    line = np.asarray(line_lonlat_deg, dtype=float)
    return float(distance_m(line[:-1, 0], line[:-1, 1], line[1:, 0], line[1:, 1]).sum())


def slice_line(line_lonlat_deg: ArrayLike, from_fraction: float, to_fraction: float) -> Floats:
    """Return the part of a polyline between two fractions of its length, in the direction asked for."""
    line = np.asarray(line_lonlat_deg, dtype=float)
    if from_fraction > to_fraction:
        return slice_line(line[::-1], 1.0 - from_fraction, 1.0 - to_fraction)
    plane = LocalPlane(float(line[0, 0]), float(line[0, 1]))
    x, y = plane.to_metres(line[:, 0], line[:, 1])
    along = np.concatenate(([0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))))
    first, last = from_fraction * along[-1], to_fraction * along[-1]
    inner = line[(along > first) & (along < last)]
    ends = plane.to_degrees(np.interp([first, last], along, x), np.interp([first, last], along, y))
    lon, lat = ends
    return np.vstack(([[lon[0], lat[0]]], inner, [[lon[1], lat[1]]]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Two polylines that meet or come as near as ``gap_m``; fractions are positions on each of them."""

    first: int
    first_ratio: float
    second: int
    second_ratio: float
    gap_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Where a path meets another polyline."""

    position: int
    """Of the other polyline in the sequence given."""
    lon_deg: float
    lat_deg: float


class PointIndex:
    """Nearest search among places; positions refer to the arrays given. Places with NaN are never found."""

    def __init__(self, lon_deg: ArrayLike, lat_deg: ArrayLike) -> None:
        self.lon_deg, self.lat_deg = np.asarray(lon_deg, dtype=float), np.asarray(lat_deg, dtype=float)
        self._positions = np.flatnonzero(np.isfinite(self.lon_deg) & np.isfinite(self.lat_deg))
        lon, lat = self.lon_deg[self._positions], self.lat_deg[self._positions]
        self._plane = LocalPlane(*_centre(lon, lat))
        self._tree = shapely.STRtree(_points(*self._plane.to_metres(lon, lat)))

    def find_within(self, lon_deg: float, lat_deg: float, radius_m: float) -> tuple[NDArray[np.int64], Floats]:
        """Return positions and distances (m) of all places within ``radius_m``, nearest first (ties by position)."""
        hits = self._positions[_circle_hits(self._tree, self._plane, lon_deg, lat_deg, radius_m)]
        distances = distance_m(lon_deg, lat_deg, self.lon_deg[hits], self.lat_deg[hits])
        inside = distances <= radius_m
        hits, distances = hits[inside], distances[inside]
        order = np.lexsort((hits, distances))
        return hits[order].astype(np.int64), distances[order]


class LineIndex:
    """Nearest search among polylines, each of shape (n >= 2, 2); positions refer to the sequence given."""

    def __init__(self, lines_lonlat_deg: Sequence[ArrayLike]) -> None:
        lines = [np.asarray(line, dtype=float) for line in lines_lonlat_deg]
        everything = np.vstack(lines) if lines else np.empty((0, 2))
        self._plane = LocalPlane(*_centre(everything[:, 0], everything[:, 1]))
        x, y = self._plane.to_metres(everything[:, 0], everything[:, 1])
        owner = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
        self._paths: Any = shapely.linestrings(np.column_stack((x, y)), indices=owner) if lines else np.array([])
        self._tree = shapely.STRtree(cast("Any", self._paths))

    def find_within(self, lon_deg: float, lat_deg: float, radius_m: float) -> list[tuple[int, Foot]]:
        """Return position and foot of every polyline within ``radius_m``, nearest first (ties by position)."""
        hits = _circle_hits(self._tree, self._plane, lon_deg, lat_deg, radius_m)
        feet = [(int(hit), _foot(self._plane, self._paths[hit], lon_deg, lat_deg)) for hit in hits]
        return sorted(
            (item for item in feet if item[1].distance_m <= radius_m), key=lambda item: (item[1].distance_m, item[0])
        )

    def find_contacts(self, tolerance_m: float) -> list[Contact]:
        """Return where polylines cross, touch, or end within ``tolerance_m`` of another one."""
        if not len(self._paths):
            return []
        hits = self._tree.query(self._paths, predicate="dwithin", distance=tolerance_m)
        contacts = []
        for a, b in sorted((int(i), int(j)) for i, j in hits.T if i < j):
            first, second = self._paths[a], self._paths[b]
            for at in _meeting_points(first, second, tolerance_m):
                fractions = [float(shapely.line_locate_point(path, at, normalized=True)) for path in (first, second)]
                feet = [
                    shapely.line_interpolate_point(path, fraction, normalized=True)
                    for path, fraction in zip((first, second), fractions, strict=True)
                ]
                contacts.append(
                    Contact(
                        first=a,
                        first_ratio=fractions[0],
                        second=b,
                        second_ratio=fractions[1],
                        gap_m=float(shapely.distance(*feet)),
                    )
                )
        return contacts

    def find_crossings(self, path_lonlat_deg: ArrayLike) -> list[Crossing]:
        """Return where a path meets the polylines, in the order of the path; along a common stretch its first point."""
        path_deg = np.asarray(path_lonlat_deg, dtype=float)
        x, y = self._plane.to_metres(path_deg[:, 0], path_deg[:, 1])
        path = shapely.linestrings(np.column_stack((x, y)))
        found = []
        for hit in self._tree.query(path, predicate="dwithin", distance=_CROSSING_GRID_M).tolist():
            for part in _parts(shapely.intersection(path, self._paths[hit], grid_size=_CROSSING_GRID_M)):
                along, at = min(
                    ((float(shapely.line_locate_point(path, end)), end) for end in _ends(part)),
                    key=lambda item: item[0],
                )
                lon, lat = (float(v) for v in self._plane.to_degrees(shapely.get_x(at), shapely.get_y(at)))
                found.append((round(along, 3), Crossing(position=int(hit), lon_deg=lon, lat_deg=lat)))
        return [crossing for _, crossing in sorted(found, key=lambda item: (item[0], item[1].position))]


def _meeting_points(first: Any, second: Any, tolerance_m: float) -> list[Any]:
    """Return the points where two paths meet, and the ends of each that lie within the tolerance of the other."""
    met = [point for part in _parts(shapely.intersection(first, second)) for point in _ends(part)]
    near = [
        end
        for path, other in ((first, second), (second, first))
        for end in _ends(path)
        if shapely.distance(end, other) <= tolerance_m
    ]
    return [*met, *near]


def _parts(geometry: Any) -> list[Any]:
    merged = shapely.line_merge(geometry) if shapely.get_dimensions(geometry) == 1 else geometry
    return [] if shapely.is_empty(merged) else list(shapely.get_parts(merged))


def _ends(part: Any) -> list[Any]:
    return [part] if shapely.get_dimensions(part) == 0 else [shapely.get_point(part, 0), shapely.get_point(part, -1)]


def _points(x_m: Floats, y_m: Floats) -> Any:
    return shapely.points(x_m, y_m)


def _centre(lon_deg: Floats, lat_deg: Floats) -> tuple[float, float]:
    if not len(lon_deg):
        return 0.0, 0.0
    return float((lon_deg.min() + lon_deg.max()) / 2), float((lat_deg.min() + lat_deg.max()) / 2)


def _circle_hits(tree: Any, plane: LocalPlane, lon_deg: float, lat_deg: float, radius_m: float) -> NDArray[np.int64]:
    x, y = plane.to_metres(lon_deg, lat_deg)
    reach = radius_m * (1.0 + _PLANE_SLACK_RATIO)
    found = tree.query(shapely.points(float(x), float(y)), predicate="dwithin", distance=reach)
    return cast("NDArray[np.int64]", found.astype(np.int64))


class ServiceArea:
    """Area a network serves: convex hull of its places, widened by a margin. Built by :func:`service_area`."""

    def __init__(self, lon_deg: Floats, lat_deg: Floats, *, margin_m: float) -> None:
        self.margin_m = margin_m
        self._plane = LocalPlane(*_centre(lon_deg, lat_deg))
        self._hull = shapely.convex_hull(shapely.multipoints(_points(*self._plane.to_metres(lon_deg, lat_deg))))
        self.lon_min_deg, self.lon_max_deg = float(lon_deg.min()), float(lon_deg.max())
        self.lat_min_deg, self.lat_max_deg = float(lat_deg.min()), float(lat_deg.max())

    def contains(self, lon_deg: float, lat_deg: float) -> bool:
        """Return whether a CGCS2000 place lies inside the hull or at most ``margin_m`` outside it."""
        if abs(lat_deg) > 90.0 or abs(lon_deg) > 180.0:
            return False
        x, y = (float(value) for value in self._plane.to_metres(lon_deg, lat_deg))
        if not (math.isfinite(x) and math.isfinite(y)):  # the antipode has no image
            return False
        return bool(shapely.distance(self._hull, shapely.points(x, y)) <= self.margin_m)


def service_area(lon_deg: ArrayLike, lat_deg: ArrayLike, *, margin_m: float) -> ServiceArea | None:
    """Return the service area (供电区域) of the places given; ``None`` when none has coordinates."""
    lon, lat = np.asarray(lon_deg, dtype=float), np.asarray(lat_deg, dtype=float)
    known = np.isfinite(lon) & np.isfinite(lat)
    return ServiceArea(lon[known], lat[known], margin_m=margin_m) if known.any() else None


def locate(lon_deg: float, lat_deg: float, datum: str, area: ServiceArea) -> tuple[float, float]:
    """Return the CGCS2000 place of a location that lies in the service area.

    Raises:
        InputError: Unknown datum, outside the area, or outside as given but inside with longitude and latitude
            exchanged ("swapped").
    """
    try:
        lon, lat = to_cgcs2000(lon_deg, lat_deg, datum)
        inside = area.contains(lon, lat)
    except InputError:
        if datum not in get_args(Datum):
            raise
        if not _is_inside_swapped(lon_deg, lat_deg, datum, area):
            raise
        inside = False
    if inside:
        return lon, lat
    allowed = (
        f"longitude {area.lon_min_deg:.4f} to {area.lon_max_deg:.4f}, latitude {area.lat_min_deg:.4f} to "
        f"{area.lat_max_deg:.4f}, margin {area.margin_m:g} m"
    )
    value = f"{lon_deg}, {lat_deg}"
    if _is_inside_swapped(lon_deg, lat_deg, datum, area):
        raise InputError("longitude and latitude are swapped", field="location", value=value, allowed=allowed)
    raise InputError("location is outside the service area", field="location", value=value, allowed=allowed)


def _is_inside_swapped(lon_deg: float, lat_deg: float, datum: str, area: ServiceArea) -> bool:
    try:
        return area.contains(*to_cgcs2000(lat_deg, lon_deg, datum))
    except InputError:
        return False


def clip_lines(lines: Sequence[ArrayLike], low: float, high: float) -> list[bytes | None]:
    """Return what of each polyline lies in the square from ``low`` to ``high`` (both axes), as well-known binary.

    Args:
        lines: In the units of some plane, each of shape (n >= 2, 2).
        low: West and south of the square.
        high: East and north of it.
    """
    arrays = [np.asarray(line, dtype=float) for line in lines]
    if not arrays:
        return []
    owner = np.repeat(np.arange(len(arrays)), [len(line) for line in arrays])
    clipped = shapely.clip_by_rect(shapely.linestrings(np.vstack(arrays), indices=owner), low, low, high, high)
    is_line = (shapely.get_dimensions(clipped) == 1) & ~shapely.is_empty(clipped)
    return [content if keep else None for content, keep in zip(shapely.to_wkb(clipped), is_line, strict=True)]


def points_wkb(x: ArrayLike, y: ArrayLike) -> list[bytes]:
    """Return points of some plane as well-known binary."""
    return list(shapely.to_wkb(shapely.points(np.asarray(x, dtype=float), np.asarray(y, dtype=float))))
