"""The connecting line: course, laying, and the smallest catalogue type that carries the customer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gridmodel.capacity.limits import Limits
from gridmodel.catalogue.loader import Catalogue
from gridmodel.catalogue.records import LineType
from gridmodel.topology import LOW_VOLTAGE_KV_MAX
from gridmodel.trial_route import TrialRoute
from scheme.courses import Course, CourseFinder
from scheme.model import Reason, Route
from scheme.points import Candidate
from scheme.policy.parameter import PolicyView
from scheme.rules.crossings import describe_crossings


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSupply:
    """What the customer's supply must carry."""

    voltage_class: Literal["lv", "mv"]
    is_single_phase: bool = False
    p_kw: float
    q_kvar: float
    capacity_kva: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenLine:
    """Line type and length of one route."""

    line_type: LineType
    parallel: int
    wires: int
    span_m: float | None
    course: Course
    connection_mode: str

    @property
    def length_m(self) -> float:
        """Length built (m)."""
        return self.course.length_m

    def as_route(self, policy: PolicyView) -> Route:
        """Return the route from the point to the customer."""
        course, laying = self.course, self.line_type.laying
        return Route(
            length_m=course.length_m,
            is_estimated=course.is_estimated,
            laying=laying,
            line_type_id=self.line_type.type_id,
            geometry={"type": "LineString", "coordinates": [list(place) for place in course.line_deg]},
            crossings=describe_crossings(course.crossing_permits, policy, laying=laying),
            line_label=self.line_type.label,
            circuits=self.parallel,
            sections=course.sections,
            crossing_permits=course.crossing_permits,
        )


class RouteRules:
    """Policy of routes to one customer, read once per search."""

    def __init__(
        self, policy: PolicyView, catalogue: Catalogue, limits: Limits, *, f_hz: float, courses: CourseFinder
    ) -> None:
        self._catalogue, self._limits, self._f_hz, self._courses = catalogue, limits, f_hz, courses
        self._detour_ratio = policy.number("connection.detour_ratio")
        self._length_min_m = policy.number("connection.route_length_min_m")
        self._parallel_max = policy.count("connection.parallel_max")
        self._kinds = {row["kind"]: row for row in policy.rows("connection.kinds")}
        self._series = policy.rows("connection.line_series")
        area = policy.text("connection.area_class")
        self._lv_radius_m = float(policy.row("connection.lv_supply_radius_m", "area_class", area)["radius_m"])

    def choose(self, candidate: Candidate, supply: WantedSupply, *, u_pu: float) -> ChosenLine | Reason:
        """Return the line to build, or why none can be.

        The type is the smallest one, of the first series of the policy that has one, whose rating covers the current at
        the lowest permitted voltage within the permitted loading, and at whose end the voltage is permitted when the
        point keeps the voltage it has now. Several circuits (多回路) are built where one does not do.

        Args:
            candidate: Where the line starts.
            supply: What it carries.
            u_pu: Voltage of the point before the customer is connected (pu of its nominal voltage); NaN = not known.
        """
        point = candidate.point
        kind, u_kv = self._kinds[point.kind], point.u_nominal_kv
        course = self.find_course(candidate)
        rating_a, floor_pu, ends_pu = self._rating_a(u_kv, supply), self.u_pu_min(u_kv), []
        for row, route in self._routes(
            u_kv, kind["laying"], rating_a, course.length_m / 1e3, supply.is_single_phase, int(kind["circuits_max"])
        ):
            end_pu = route.end_voltage_pu(
                u_pu, u_nominal_kv=u_kv, p_kw=supply.p_kw, q_kvar=supply.q_kvar, f_hz=self._f_hz
            )
            if not end_pu < floor_pu:
                return ChosenLine(
                    line_type=route.line_type,
                    parallel=route.parallel,
                    wires=int(row["wires"]),
                    span_m=row["span_m"],
                    course=course,
                    connection_mode=kind["mode"] + (f"（{route.parallel}回）" if route.parallel > 1 else ""),
                )
            ends_pu.append(end_pu)
        if not ends_pu:
            return Reason(code="no_line_type", text=f"目录中没有能承载{rating_a:.0f}A的接入线路型号")
        text = f"客户受电点电压低于下限（目录中最大的接入线路也只有{max(ends_pu):.3f}，限值{floor_pu:.3f}）"
        return Reason(code="voltage_low", text=text)

    def find_course(self, candidate: Candidate) -> Course:
        """Return how the line from a candidate runs."""
        laying = self._kinds[candidate.point.kind]["laying"]
        return self._courses.find(candidate.point, candidate.distance_m, laying)

    def route_length_m(self, distance_m: float) -> float:
        """Return the estimated length built for a straight distance, whatever lies between."""
        return round(max(distance_m * self._detour_ratio, self._length_min_m), 1)

    def find_radius_reason(self, length_m: float) -> Reason | None:
        """Return the refusal of a low-voltage path (from the transformer to the customer) that is too long."""
        if not length_m > self._lv_radius_m:  # NaN: there is no path, and the load flow says so
            return None
        return Reason(
            code="lv_supply_radius_exceeded",
            text=f"低压供电距离{length_m:.0f}m超过供电半径{self._lv_radius_m:g}m",
        )

    def u_pu_min(self, u_nominal_kv: float) -> float:
        """Return the lower voltage limit at a bus (per unit of its ``vn_kv``); 0 where it has none."""
        for band in self._limits.voltage_bands:
            if band.u_nominal_kv_min <= u_nominal_kv <= band.u_nominal_kv_max:
                return band.u_pu_min
        return 0.0

    def _rating_a(self, u_nominal_kv: float, supply: WantedSupply) -> float:
        """Return the rating a line needs: the current at the lowest permitted voltage over the permitted loading."""
        phases = 1.0 if supply.is_single_phase else 3.0
        phase_kv = u_nominal_kv / math.sqrt(3.0) * (self.u_pu_min(u_nominal_kv) or 1.0)
        return supply.capacity_kva / phases / phase_kv / self._limits.line_loading_ratio_max

    def _routes(
        self,
        u_nominal_kv: float,
        laying: str,
        rating_a: float,
        length_km: float,
        is_single_phase: bool,
        circuits_max: int,
    ) -> Iterator[tuple[Mapping[str, Any], TrialRoute]]:
        """Yield the lines that carry ``rating_a`` with their row of the policy's series, in order of choice."""
        u_class: Literal["lv", "mv"] = "lv" if u_nominal_kv <= LOW_VOLTAGE_KV_MAX else "mv"
        rows = [row for row in self._series if (row["u_class"], row["laying"]) == (u_class, laying)]
        for parallel in range(1, min(self._parallel_max, circuits_max) + 1):
            for row in rows:
                for line_type in self._catalogue.find_line_types(
                    laying=row["laying"], u_nominal_kv_class=u_class, series=row["series"]
                ):
                    if line_type.rating_a * parallel >= rating_a and line_type.section_mm2 >= row["section_mm2_min"]:
                        route = TrialRoute(
                            line_type=line_type,
                            length_km=length_km,
                            parallel=parallel,
                            is_single_phase=is_single_phase,
                        )
                        yield row, route
