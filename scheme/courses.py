"""Course of a connecting line (路径): along corridors where the data hold them, else straight; what it crosses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import pandas as pd

from gridmodel.corridors import Corridor, CorridorApproach, CorridorGraph, CorridorPath
from gridmodel.geometry import Floats, LineIndex
from gridmodel.snapshot import Snapshot
from scheme.model import ConnectionPoint, CrossingPermit, RouteSection
from scheme.policy.parameter import PolicyView
from scheme.rules.crossings import CrossedObstacle, list_crossing_permits

Laying = Literal["overhead", "cable"]
_COORDINATE_DIGITS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a line runs from a connection point to the customer."""

    length_m: float
    is_estimated: bool
    line_deg: tuple[tuple[float, float], ...]
    sections: tuple[RouteSection, ...]
    crossing_permits: tuple[CrossingPermit, ...]


class Terrain:
    """Corridors and obstacles of one snapshot; build once, use often."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._corridors = _courses(snapshot.corridors)
        self._obstacles = snapshot.obstacles
        self._obstacle_index = LineIndex([line for _, line in _courses(snapshot.obstacles)])
        self._graphs: dict[tuple[frozenset[str], float], CorridorGraph] = {}

    @property
    def has_corridors(self) -> bool:
        """Whether the data hold any."""
        return bool(self._corridors)

    def find_graph(self, kinds: frozenset[str], *, join_m: float) -> CorridorGraph:
        """Return the corridors of some kinds, joined where they meet."""
        if (kinds, join_m) not in self._graphs:
            chosen = [
                Corridor(corridor_id=str(row.element_id), kind=str(row.kind), line_deg=line)
                for row, line in self._corridors
                if row.kind in kinds
            ]
            self._graphs[kinds, join_m] = CorridorGraph(chosen, join_m=join_m)
        return self._graphs[kinds, join_m]

    def find_crossed(self, line_deg: Floats) -> list[CrossedObstacle]:
        """Return what a course crosses, in its order."""
        if self._obstacles is None:
            return []
        found = []
        for crossing in self._obstacle_index.find_crossings(line_deg):
            row = self._obstacles.iloc[crossing.position]
            found.append(
                CrossedObstacle(
                    kind=row.kind,
                    name=row["name"] if isinstance(row["name"], str) else str(row.element_id),
                    lon_deg=round(crossing.lon_deg, _COORDINATE_DIGITS),
                    lat_deg=round(crossing.lat_deg, _COORDINATE_DIGITS),
                )
            )
        return found


class CourseFinder:
    """Finds the courses to one customer.

    Args:
        terrain: Corridors and obstacles.
        place_deg: CGCS2000 longitude and latitude of the customer.
        policy: Reads ``connection.detour_ratio`` and ``connection.route_length_min_m``; where there are corridors
            ``connection.corridor_*``, where something is crossed ``crossings.permits``.
    """

    def __init__(self, terrain: Terrain, place_deg: tuple[float, float], policy: PolicyView) -> None:
        self._terrain, self._place_deg, self._policy = terrain, place_deg, policy
        self._detour_ratio = policy.number("connection.detour_ratio")
        self._length_min_m = policy.number("connection.route_length_min_m")
        self._approaches: dict[Laying, CorridorApproach] = {}
        self._found: dict[tuple[float, float, Laying], Course] = {}

    def find(self, point: ConnectionPoint, distance_m: float, laying: Laying) -> Course:
        """Return the course from a point.

        A way along corridors may leave them by the reach of the policy at both ends. Where the straight line is
        not longer than that reach, and shorter than the way along corridors, it is taken.

        Args:
            point: Where the line starts.
            distance_m: Straight distance to the customer.
            laying: How the line is laid; it decides which corridors it may follow.
        """
        key = (point.lon_deg, point.lat_deg, laying)
        if key not in self._found:
            path = self._find_path(point, laying) if self._terrain.has_corridors else None
            straight_m = distance_m * self._detour_ratio
            if path is not None and not self._is_better_straight(path, distance_m, straight_m):
                self._found[key] = self._along(path, laying)
            else:
                self._found[key] = self._straight(point, straight_m, laying)
        return self._found[key]

    def _find_path(self, point: ConnectionPoint, laying: Laying) -> CorridorPath | None:
        if laying not in self._approaches:
            kinds = frozenset(row["kind"] for row in self._kind_rows(laying))
            graph = self._terrain.find_graph(kinds, join_m=self._policy.number("connection.corridor_join_m"))
            reach_m = self._policy.number("connection.corridor_reach_m")
            self._approaches[laying] = graph.approach(*self._place_deg, reach_m=reach_m)
        return self._approaches[laying].find_path(point.lon_deg, point.lat_deg)

    def _is_better_straight(self, path: CorridorPath, distance_m: float, straight_m: float) -> bool:
        return self._policy.get("connection.corridor_reach_m").allows(distance_m) and straight_m < path.length_m

    def _kind_rows(self, laying: Laying) -> list[Mapping[str, Any]]:
        return [row for row in self._policy.rows("connection.corridor_kinds") if row["laying"] == laying]

    def _along(self, path: CorridorPath, laying: Laying) -> Course:
        kinds = {row["kind"]: row["section"] for row in self._kind_rows(laying)}
        sections = tuple(
            RouteSection(
                kind=laying if leg.kind is None else kinds[leg.kind],
                length_m=round(leg.length_m, 1),
                corridor_id=leg.corridor_id,
            )
            for leg in path.legs
        )
        return self._course(path.line_deg, path.length_m, sections, is_estimated=False)

    def _straight(self, point: ConnectionPoint, length_m: float, laying: Laying) -> Course:
        line_deg = np.array([(point.lon_deg, point.lat_deg), self._place_deg])
        length_m = max(length_m, self._length_min_m)
        section = RouteSection(kind=laying, length_m=round(length_m, 1), corridor_id=None)
        return self._course(line_deg, length_m, (section,), is_estimated=True)

    def _course(
        self, line_deg: Floats, length_m: float, sections: tuple[RouteSection, ...], *, is_estimated: bool
    ) -> Course:
        crossed = self._terrain.find_crossed(line_deg)
        return Course(
            length_m=round(max(length_m, self._length_min_m), 1),
            is_estimated=is_estimated,
            line_deg=tuple(
                (round(float(lon), _COORDINATE_DIGITS), round(float(lat), _COORDINATE_DIGITS)) for lon, lat in line_deg
            ),
            sections=sections,
            crossing_permits=list_crossing_permits(crossed, self._policy, is_estimated=is_estimated),
        )


def _courses(frame: pd.DataFrame | None) -> list[tuple[Any, Floats]]:
    if frame is None:
        return []
    rows = cast("Any", frame.itertuples(index=False))
    return [(row, np.array(json.loads(row.geo)["coordinates"], dtype=float)) for row in rows]
