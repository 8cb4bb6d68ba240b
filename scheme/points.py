"""Where a customer could be connected: nodes and points along lines near a place, and what rules them out beforehand.

Which kind of point a node is follows from its kind. Medium-voltage nodes of unknown kind (``station``, ``node``, met in
pandapower data only) count as poles when every line at them is overhead or unknown, and as ring-main units otherwise.
A low-voltage node of no special kind with a load at it is somebody's house connection (接户) and no connection point,
except in pandapower data, whose nodes have no kind.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from gridmodel.geometry import Floats, LineIndex, PointIndex, starting_near
from gridmodel.snapshot import Snapshot
from gridmodel.topology import LOW_VOLTAGE_KV_MAX
from scheme.courses import Terrain
from scheme.model import ConnectionPoint, PointKind, Reason
from scheme.policy.parameter import PolicyView

MEDIUM_VOLTAGE_KV_MIN = 6.0
MEDIUM_VOLTAGE_KV_MAX = 20.0
BAY_KINDS: frozenset[PointKind] = frozenset({"ring_main_bay", "switching_station_bay", "substation_bay"})
TEE_KINDS: frozenset[PointKind] = frozenset({"pole", "line_tee"})

_MV_KINDS: Mapping[str, PointKind] = {
    "substation_busbar": "substation_bay",
    "switching_station": "switching_station_bay",
    "ring_main_unit": "ring_main_bay",
    "pole": "pole",
}
_LV_KINDS: Mapping[str, PointKind] = {
    "lv_board": "lv_board",
    "branch_box": "lv_branch_box",
    "lv_pole": "lv_pole",
    "lv_node": "lv_node",
}
_NOUNS: Mapping[PointKind, str] = {
    "substation_bay": "变电站母线",
    "switching_station_bay": "开关站",
    "ring_main_bay": "环网柜",
    "pole": "杆塔",
    "line_tee": "线路",
    "lv_board": "配变低压侧",
    "lv_branch_box": "低压分支箱",
    "lv_pole": "低压杆",
    "lv_node": "低压线路节点",
}
"""What a place without a name is called in front of its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A place of the grid near the customer; exactly one of ``bus`` and ``line`` is given."""

    point: ConnectionPoint
    distance_m: float
    bus: int | None = None
    line: int | None = None
    fraction_along: float | None = None
    capacity_buses: tuple[int, ...]
    """Buses whose open capacity bounds the one here; the largest counts."""
    feeder_id: str | None
    area_id: str | None
    notes: tuple[str, ...] = ()
    """Works codes of what must be checked on site because the data do not say it."""

    @property
    def group(self) -> tuple[str, str]:
        """Kind and feeder (or transformer area): candidates of one group are alternatives only in distance."""
        place = self.area_id if self.point.u_nominal_kv <= LOW_VOLTAGE_KV_MAX else self.feeder_id
        return self.point.kind, place or self.point.element_source_id


class _Places:
    """Some nodes and where they stand."""

    def __init__(self, nodes: pd.DataFrame) -> None:
        self.buses = nodes.index.to_numpy()
        self.index = PointIndex(nodes.lon_deg, nodes.lat_deg)


class NetworkPlaces:
    """Spatial indices of one snapshot: nodes and lines where a customer could connect; build once, use often."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        nodes = snapshot.nodes
        self._kinds = _point_kinds(snapshot)
        kinds, is_lv = self._kinds.to_numpy(), (nodes.u_nominal_kv <= LOW_VOLTAGE_KV_MAX).to_numpy()
        is_point, is_substation = self._kinds.notna().to_numpy(), kinds == "substation_bay"
        self._lv_nodes = _Places(nodes[is_point & is_lv])
        self._mv_nodes = _Places(nodes[is_point & ~is_lv])
        self._substations = _Places(nodes[is_substation])
        self._candidates: dict[int, Candidate] = {}
        """Those met already, by bus, without a distance."""
        self._taken_bays: Mapping[int, int] = {}
        self._lines, paths = _tee_lines(snapshot)
        self._paths = LineIndex(paths)
        self.terrain = Terrain(snapshot)

    def with_taken_bays(self, taken_bays: Mapping[int, int]) -> NetworkPlaces:
        """Return the places of the same grid when others have taken bays (间隔), given by bus; indices are shared."""
        other = copy.copy(self)
        other._taken_bays = taken_bays
        return other

    def find_nodes(self, lon_deg: float, lat_deg: float, *, is_lv: bool, radius_m: float) -> list[Candidate]:
        """Return candidates at nodes of the voltage class, nearest first."""
        return self._find(self._lv_nodes if is_lv else self._mv_nodes, lon_deg, lat_deg, radius_m)

    def find_substations(self, lon_deg: float, lat_deg: float, *, radius_m: float) -> list[Candidate]:
        """Return the medium-voltage busbars of substations, nearest first; :meth:`find_nodes` names them too."""
        return self._find(self._substations, lon_deg, lat_deg, radius_m)

    def find_tees(
        self, lon_deg: float, lat_deg: float, *, radius_m: float, node_distance_min_m: float
    ) -> list[Candidate]:
        """Return tee points between the ends of medium-voltage lines, nearest first."""
        found = []
        for position, foot in self._paths.find_within(lon_deg, lat_deg, radius_m):
            line = self._lines[position]
            row, net_row = self.snapshot.lines.loc[line], self.snapshot.net.line.loc[line]
            along_m = float(net_row.length_km) * 1e3 * foot.fraction_along
            rest_m = float(net_row.length_km) * 1e3 - along_m
            if min(along_m, rest_m) < node_distance_min_m:
                continue
            found.append(
                Candidate(
                    point=ConnectionPoint(
                        kind="line_tee",
                        element_source_id=str(row.element_id),
                        name=_name(row, "line_tee"),
                        u_nominal_kv=float(row.u_nominal_kv),
                        lon_deg=foot.lon_deg,
                        lat_deg=foot.lat_deg,
                        spare_bays=None,
                    ),
                    distance_m=foot.distance_m,
                    line=line,
                    fraction_along=foot.fraction_along,
                    capacity_buses=(int(net_row.from_bus), int(net_row.to_bus)),
                    feeder_id=_text(row.feeder_id),
                    area_id=None,
                    notes=("check_laying",) if row.laying == "unknown" else (),
                )
            )
        return found

    def _find(self, places: _Places, lon_deg: float, lat_deg: float, radius_m: float) -> list[Candidate]:
        positions, distances = places.index.find_within(lon_deg, lat_deg, radius_m)
        return [
            self._node(int(places.buses[position]), float(distance))
            for position, distance in zip(positions, distances, strict=True)
        ]

    def _node(self, bus: int, distance_m: float) -> Candidate:
        if bus not in self._candidates:
            self._candidates[bus] = self._at(bus)
        candidate, taken = self._candidates[bus], self._taken_bays.get(bus, 0)
        point, spare = candidate.point, candidate.point.spare_bays
        if taken and spare is not None:
            point = replace(point, spare_bays=spare - taken)
        return replace(candidate, point=point, distance_m=distance_m)

    def _at(self, bus: int) -> Candidate:
        kind, row = self._kinds[bus], self.snapshot.nodes.loc[bus]
        is_known = math.isfinite(row.spare_bays)
        needs_bay = kind in BAY_KINDS
        return Candidate(
            point=ConnectionPoint(
                kind=kind,
                element_source_id=str(row.element_id),
                name=_name(row, kind),
                u_nominal_kv=float(row.u_nominal_kv),
                lon_deg=float(row.lon_deg),
                lat_deg=float(row.lat_deg),
                spare_bays=int(row.spare_bays) if is_known and needs_bay else None,
            ),
            distance_m=0.0,
            bus=bus,
            capacity_buses=(bus,),
            feeder_id=_text(row.feeder_id),
            area_id=_text(row.area_id),
            notes=("check_spare_bay",) if needs_bay and not is_known else (),
        )


CapacityOf = Callable[[Sequence[int]], pd.DataFrame]
"""Gives the rows of the ``node_capacity`` table of some buses, in their order; NaN where there is none."""


class Screen:
    """Rules that refuse a candidate without a load flow; each refusal carries its reason."""

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        policy: PolicyView,
        capacity: pd.DataFrame | CapacityOf | None,
        capacity_kva: float,
    ) -> None:
        self._snapshot = snapshot
        self._capacity = capacity
        self._capacity_kva = capacity_kva
        self._spare_bays = policy.get("connection.spare_bays_min")
        self._tee_kva = policy.get("connection.tee_kva_max")
        transformers = snapshot.transformers
        self._roles = dict(zip(transformers.area_id, transformers.role, strict=True)) if len(transformers) else {}
        self._in_service = snapshot.net.bus.in_service

    def find_reason(self, candidate: Candidate) -> Reason | None:
        """Return why the candidate is refused whatever the grid carries, or ``None``."""
        checks = (self._find_data_reason, self._find_owner_reason, self._find_bay_reason)
        return next((reason for reason in (check(candidate) for check in checks) if reason is not None), None)

    def _find_data_reason(self, candidate: Candidate) -> Reason | None:
        nodes = self._snapshot.nodes.reindex(list(candidate.capacity_buses))
        bad = nodes[nodes.status != "assessable"]
        if len(bad):
            return Reason(
                code="not_assessable", text=f"数据未通过质量检查：{_text(bad.reason.iloc[0]) or '原因未记录'}"
            )
        if not self._in_service[list(candidate.capacity_buses)].all():
            return Reason(code="out_of_service", text="接入点未投运")
        return None

    def _find_owner_reason(self, candidate: Candidate) -> Reason | None:
        """Refuse customers' own low-voltage networks; with pandapower data the owner is not known and not asked for."""
        if candidate.point.u_nominal_kv > LOW_VOLTAGE_KV_MAX or candidate.area_id is None:
            return None
        role = self._roles.get(candidate.area_id, "distribution")
        if role == "dedicated":
            return Reason(code="dedicated_transformer", text="专用变压器台区，不向其他客户供电")
        if role == "distribution" and self._snapshot.source_format != "pandapower":
            return Reason(code="owner_not_known", text="台区产权不明，无法确认为公用变压器")
        return None

    def _find_bay_reason(self, candidate: Candidate) -> Reason | None:
        point = candidate.point
        if point.kind in TEE_KINDS and not self._tee_kva.allows(self._capacity_kva):
            limit = float(self._tee_kva.value)
            return Reason(
                code="tee_capacity_exceeded", text=f"申请容量{self._capacity_kva:g}kVA超过T接上限{limit:g}kVA"
            )
        if point.kind not in BAY_KINDS:
            return None
        if point.spare_bays is None:
            if self._snapshot.source_format == "pandapower":
                return None
            return Reason(code="spare_bays_not_known", text="备用间隔数未知")
        return self.find_circuit_reason(candidate, 1)

    def find_circuit_reason(self, candidate: Candidate, circuits: int) -> Reason | None:
        """Return why a point cannot take so many circuits (回路): each one needs a bay of its own."""
        spare, others = candidate.point.spare_bays, circuits - 1
        if spare is None or self._spare_bays.allows(spare - others):
            return None
        need = int(self._spare_bays.value) + others
        return Reason(code="no_spare_bay", text=f"备用间隔{spare}个，少于{circuits}回出线要求的{need}个")

    def find_capacity_reason(self, candidate: Candidate) -> Reason | None:
        """Return why the table of open capacity refuses the candidate, or ``None``."""
        buses = list(candidate.capacity_buses)
        if self._capacity is None:
            return None
        rows = self._capacity(buses) if callable(self._capacity) else self._capacity.reindex(buses)
        open_kva = float(rows.open_kva.max())
        if math.isnan(open_kva):
            return Reason(code="open_capacity_not_known", text="可开放容量无法评估")
        if open_kva < self._capacity_kva:
            return Reason(
                code="open_capacity_exceeded",
                text=f"可开放容量{open_kva:.0f}kVA，小于申请容量{self._capacity_kva:.0f}kVA",
            )
        return None


def _point_kinds(snapshot: Snapshot) -> pd.Series:
    """Return the kind of connection point per bus, ``None`` for a bus that is none."""
    nodes = snapshot.nodes
    u = nodes.u_nominal_kv.to_numpy(dtype=float)
    is_lv, is_mv = u <= LOW_VOLTAGE_KV_MAX, (u >= MEDIUM_VOLTAGE_KV_MIN) & (u <= MEDIUM_VOLTAGE_KV_MAX)
    lines, ends = snapshot.lines, snapshot.net.line
    cabled = set(ends.loc[lines.index[lines.laying == "cable"], ["from_bus", "to_bus"]].to_numpy().ravel().tolist())
    is_typed = snapshot.source_format != "pandapower"
    houses = set(snapshot.net.load.bus.tolist()) if is_typed else set()
    kinds: list[PointKind | None] = []
    for bus, kind, lv, mv in zip(nodes.index, nodes.kind, is_lv, is_mv, strict=True):
        if lv:
            kinds.append(None if kind == "lv_node" and bus in houses else _LV_KINDS.get(kind))
        elif mv and kind in {"station", "node"} and not is_typed:
            kinds.append("ring_main_bay" if bus in cabled else "pole")
        else:
            kinds.append(_MV_KINDS.get(kind) if mv else None)
    return pd.Series(kinds, index=nodes.index, dtype=object)


def _tee_lines(snapshot: Snapshot) -> tuple[list[int], list[Floats]]:
    """Return medium-voltage lines in service that are not cables, and their courses from ``from_bus`` on."""
    table, net = snapshot.lines, snapshot.net
    u = table.u_nominal_kv.astype(float)
    is_wanted = (u >= MEDIUM_VOLTAGE_KV_MIN) & (u <= MEDIUM_VOLTAGE_KV_MAX) & (table.laying != "cable")
    wanted = [int(line) for line in table.index[is_wanted] if bool(net.line.in_service[line])]
    courses = dict(_courses(snapshot, wanted))
    return list(courses), list(courses.values())


def _courses(snapshot: Snapshot, lines: list[int]) -> Iterator[tuple[int, Floats]]:
    places = snapshot.nodes[["lon_deg", "lat_deg"]].astype(float)
    net = snapshot.net
    texts = net.line["geo"] if "geo" in net.line else pd.Series(None, index=net.line.index, dtype=object)
    for line in lines:
        ends = places.reindex([int(net.line.from_bus[line]), int(net.line.to_bus[line])]).to_numpy()
        if not np.isfinite(ends).all():
            continue
        text = texts[line]
        drawn = ends if not (isinstance(text, str) and text) else json.loads(text)["coordinates"]
        yield line, starting_near([point[:2] for point in drawn], *ends[0])


def find_tee_fraction(
    snapshot: Snapshot, line: int, *, lon_deg: float, lat_deg: float, distance_max_m: float
) -> float | None:
    """Return how far along a line, from its first end, a tee at a place stands; ``None``: the line is elsewhere."""
    course = next((path for _, path in _courses(snapshot, [line])), None)
    if course is None:
        return None
    feet = LineIndex([course]).find_within(lon_deg, lat_deg, distance_max_m)
    return feet[0][1].fraction_along if feet else None


def _name(row: Any, kind: PointKind) -> str:
    """Return the name people use, or noun and id for a place without one."""
    return _text(row["name"]) or f"{_NOUNS[kind]}{row.element_id}"


def _text(value: Any) -> str | None:
    """Return a text cell; ``None`` for a cell without one."""
    return value if isinstance(value, str) and value else None
