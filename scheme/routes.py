"""The connecting line: estimated length, laying, and the smallest catalogue type that carries the customer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gridmodel.capacity.limits import Limits
from gridmodel.catalogue.loader import Catalogue
from gridmodel.catalogue.records import LineType
from scheme.model import ConnectionPoint, Reason, Route
from scheme.points import LOW_VOLTAGE_KV_MAX, Candidate
from scheme.policy.parameter import PolicyView


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenLine:
    """Line type and length of one route."""

    line_type: LineType
    parallel: int
    wires: int
    span_m: float | None
    length_m: float
    connection_mode: str

    def as_route(self, place_deg: tuple[float, float], point: ConnectionPoint) -> Route:
        """Return the route from the point to the customer, drawn straight because no corridor is known."""
        ends = [[round(point.lon_deg, 7), round(point.lat_deg, 7)], [round(value, 7) for value in place_deg]]
        return Route(
            length_m=self.length_m,
            is_estimated=True,
            laying=self.line_type.laying,
            line_type_id=self.line_type.type_id,
            geometry={"type": "LineString", "coordinates": ends},
            crossings=(),
            line_label=self.line_type.label,
        )


class RouteRules:
    """Policy of routes, read once per search."""

    def __init__(self, policy: PolicyView, catalogue: Catalogue, limits: Limits) -> None:
        self._catalogue, self._limits = catalogue, limits
        self._detour_ratio = policy.number("connection.detour_ratio")
        self._length_min_m = policy.number("connection.route_length_min_m")
        self._parallel_max = policy.count("connection.parallel_max")
        self._kinds = {row["kind"]: row for row in policy.rows("connection.kinds")}
        self._series = policy.rows("connection.line_series")
        area = policy.text("connection.area_class")
        self._lv_radius_m = float(policy.row("connection.lv_supply_radius_m", "area_class", area)["radius_m"])

    def choose(self, candidate: Candidate, capacity_kva: float, *, is_single_phase: bool) -> ChosenLine | Reason:
        """Return the line to build, or why none can be.

        The type is the smallest one, of the first series of the policy that has one, whose rating covers the current at
        the lowest permitted voltage within the permitted loading.
        """
        point = candidate.point
        kind = self._kinds[point.kind]
        u_class: Literal["lv", "mv"] = "lv" if point.u_nominal_kv <= LOW_VOLTAGE_KV_MAX else "mv"
        length_m = round(max(candidate.distance_m * self._detour_ratio, self._length_min_m), 1)
        if u_class == "lv" and (reason := self.find_radius_reason(length_m)) is not None:
            return reason
        phases = 1.0 if is_single_phase else 3.0
        phase_kv = point.u_nominal_kv / math.sqrt(3.0) * (self.u_pu_min(point.u_nominal_kv) or 1.0)
        rating_a = capacity_kva / phases / phase_kv / self._limits.line_loading_ratio_max
        for parallel in range(1, self._parallel_max + 1):
            for row in self._series:
                if (row["u_class"], row["laying"]) != (u_class, kind["laying"]):
                    continue
                line_type = self._smallest(row, u_class, rating_a / parallel)
                if line_type is not None:
                    return ChosenLine(
                        line_type=line_type,
                        parallel=parallel,
                        wires=int(row["wires"]),
                        span_m=row["span_m"],
                        length_m=length_m,
                        connection_mode=kind["mode"],
                    )
        return Reason(code="no_line_type", text=f"目录中没有能承载{rating_a:.0f}A的接入线路型号")

    def find_radius_reason(self, length_m: float) -> Reason | None:
        """Return the refusal of a low-voltage path (from the transformer to the customer) that is too long."""
        if length_m <= self._lv_radius_m:
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

    def _smallest(self, row: Mapping[str, Any], u_class: Literal["lv", "mv"], rating_a: float) -> LineType | None:
        found = self._catalogue.find_line_types(laying=row["laying"], u_nominal_kv_class=u_class, series=row["series"])
        fitting = (t for t in found if t.rating_a >= rating_a and t.section_mm2 >= row["section_mm2_min"])
        return next(fitting, None)
