"""One customer connected on trial: the AC load flow with the route line included, judged against the limits.

The island of the connection point is solved by the reference load flow without and with the customer; the snapshot
is never changed. A single-phase route (220 V) is modelled by its balanced equivalent: six times the impedance and a
third of the rating give the voltage drop, losses and loading of a phase and a neutral conductor of the same section.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from gridmodel.capacity.limits import Limits
from gridmodel.capacity.violations import Violation, attributed_violations
from gridmodel.catalogue.records import LineType
from gridmodel.errors import ConvergenceError
from gridmodel.geometry import cut_line, starting_near
from gridmodel.islands import Islands, new_net
from gridmodel.net import Net, element_tables, pandapower, run_load_flow
from gridmodel.short_circuit import compute_short_circuit_current_ka
from gridmodel.snapshot import Snapshot
from gridmodel.topology import SupplyPath, SupplyTopology, supply_path

CUSTOMER_BUS = "customer"
"""Stands for an imported id where the element named is the customer's own end of the route."""
ROUTE_LINE = "route"
_SINGLE_PHASE_IMPEDANCE_RATIO = 6.0
_SINGLE_PHASE_RATING_RATIO = 1.0 / 3.0
_LOSS_TABLES = ("line", "trafo", "trafo3w", "impedance", "tcsc", "switch")
_KW_PER_MW = 1e3


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialConnection:
    """What is connected on trial: at a bus, or at a point along a line that is split there."""

    bus: int | None = None
    line: int | None = None
    fraction_along: float | None = None
    """Position of the tee on ``line``, counted from its ``from_bus``; strictly between 0 and 1."""
    route_length_km: float
    line_type: LineType
    parallel: int = 1
    p_kw: float
    q_kvar: float
    is_single_phase: bool = False
    in_flight: bool = True
    """Whether the snapshot's in-flight loads (在途) are connected too, before and after."""

    def __post_init__(self) -> None:
        if (self.bus is None) == (self.line is None):
            raise ValueError("exactly one of bus and line must be given")
        if self.line is not None and not (self.fraction_along is not None and 0.0 < self.fraction_along < 1.0):
            raise ValueError("fraction_along must lie strictly between 0 and 1")
        if not self.route_length_km > 0.0:
            raise ValueError("route_length_km must be > 0")
        if self.parallel < 1:
            raise ValueError("parallel must be >= 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionAssessment:
    """Verdict on one trial; every number is NaN where the load flow has no solution."""

    is_within_limits: bool
    violations: tuple[Violation, ...]
    """Attributed to the connection; the elements are indices of the net with the connection."""
    u_pu_min: float
    """On the supply path up to the main transformer, the customer's end included."""
    u_pu_max: float
    u_pu_customer: float
    line_loading_ratio_max: float
    """On the supply path, the route line included."""
    transformer_loading_ratio_max: float | None
    losses_kw: float
    """Change of the losses by the connection."""
    length_km: float
    """Lines on the supply path at the voltage of the point (供电半径), the route included."""
    ik3_ka: float | None
    limit_kind: str | None
    """Kind of the first violation, ``convergence`` or ``unsupplied``; ``None`` when within limits."""
    limit_element_id: str | None
    element_ids: tuple[str, ...]
    """Imported elements of the supply path: the connection point, then lines and transformers, nearest first."""
    voltage_profile: tuple[dict[str, Any], ...]
    """Buses from the main transformer to the customer: ``element_id``, ``distance_km``, ``u_pu_before`` (``None`` for
    the customer's own bus), ``u_pu_after``."""


@dataclass(frozen=True, slots=True)
class _Point:
    """Where a trial hangs in the net with the connection."""

    net: Net
    bus: int
    customer_bus: int
    new_buses: dict[int, str]
    new_lines: dict[int, str]


class ConnectionStudy:
    """Assesses many trials on one snapshot; the base case of every island is solved once."""

    def __init__(self, snapshot: Snapshot, *, in_flight_coincidence_ratio: float) -> None:
        self.snapshot = snapshot
        self.in_flight_coincidence_ratio = in_flight_coincidence_ratio
        self._islands = Islands(snapshot.net)
        self._base: dict[tuple[int, bool], Net | None] = {}
        self._topology: dict[int, SupplyTopology] = {}

    def assess(self, trial: TrialConnection, *, limits: Limits) -> ConnectionAssessment:
        """Return the verdict on ``trial``.

        Raises:
            KeyError: The bus or line is not in the snapshot.
        """
        anchor = self._anchor_bus(trial)
        base = self.get_base(anchor, in_flight=trial.in_flight)
        if base is None:
            return _failed("convergence" if self._islands.has_source(anchor) else "unsupplied")
        if not np.isfinite(base.res_bus.vm_pu[anchor]):
            return _failed("unsupplied")
        before, point = self._connect(base, trial)
        is_solved = before is base or _solve_again(before)
        if not (is_solved and _solve_again(point.net)):
            return _failed("convergence")
        path = supply_path(point.net, point.customer_bus) if trial.bus is None else self._path_to(base, point)
        return self._judge(before, point, path, limits)

    def get_base(self, bus: int, *, in_flight: bool) -> Net | None:
        """Return the solved island of ``bus`` without the customer (not to be changed); ``None``: no solution."""
        key = (self._islands.label(bus), in_flight)
        if key not in self._base:
            net = self._islands.cut(key[0])
            if in_flight:
                self._add_in_flight(net)
            self._base[key] = net if _solve(net) else None
        return self._base[key]

    def _anchor_bus(self, trial: TrialConnection) -> int:
        """Return a bus that tells the island: the bus itself, or an end of the line that is not switched off."""
        if trial.line is None:
            assert trial.bus is not None
            return trial.bus
        line, switch = self.snapshot.net.line.loc[trial.line], self.snapshot.net.switch
        is_here = (switch.et == "l") & (switch.element == trial.line) & ~switch.closed.astype(bool)
        from_is_open = bool((is_here & (switch.bus == line.from_bus)).any())
        return int(line.to_bus if from_is_open else line.from_bus)

    def _add_in_flight(self, net: Net) -> None:
        rows = self.snapshot.in_flight
        rows = rows[rows.bus.isin(net.bus.index)] if len(rows) else rows
        if len(rows):
            p_mw = rows.capacity_kva * rows.power_factor * self.in_flight_coincidence_ratio / _KW_PER_MW
            q_mvar = p_mw * np.tan(np.arccos(rows.power_factor.astype(float)))
            pandapower().create_loads(
                net, rows.bus.astype(int).to_numpy(), p_mw=p_mw.to_numpy(float), q_mvar=q_mvar.to_numpy(float)
            )

    def _connect(self, base: Net, trial: TrialConnection) -> tuple[Net, _Point]:
        """Return the net before (with the line split already, so that both halves can be compared) and after."""
        before, tee = base, None
        if trial.line is not None:
            assert trial.fraction_along is not None
            before = _copy_solved(base)
            tee = split_line(before, trial.line, trial.fraction_along)
        after = _copy_solved(before)
        bus = trial.bus if tee is None else tee[0]
        assert bus is not None
        customer_bus, route = _add_customer(after, bus, trial)
        new_buses, new_lines = {customer_bus: CUSTOMER_BUS}, {route: ROUTE_LINE}
        if tee is not None:
            split_id = self._element_id("line", int(trial.line or 0))
            new_buses[tee[0]], new_lines[tee[1]] = split_id, split_id
        return before, _Point(after, bus, customer_bus, new_buses, new_lines)

    def _path_to(self, base: Net, point: _Point) -> SupplyPath:
        """Return the customer's supply path: the point's own, from a topology kept per island, and the route."""
        label = self._islands.label(point.bus)
        if label not in self._topology:
            self._topology[label] = SupplyTopology(base)
        path = self._topology[label].path(point.bus)
        lines = (*point.new_lines, *path.lines)
        return replace(path, bus=point.customer_bus, buses=(point.customer_bus, *path.buses), lines=lines)

    def _judge(self, before: Net, point: _Point, path: SupplyPath, limits: Limits) -> ConnectionAssessment:
        after = point.net
        violations = attributed_violations(before, after, bus=point.customer_bus, limits=limits)
        u_pu = after.res_bus.vm_pu[list(path.buses)]
        first = violations[0] if violations else None
        return ConnectionAssessment(
            is_within_limits=not violations,
            violations=violations,
            u_pu_min=float(u_pu.min()),
            u_pu_max=float(u_pu.max()),
            u_pu_customer=float(after.res_bus.vm_pu[point.customer_bus]),
            line_loading_ratio_max=_loading_ratio_max(after, "line", path.lines) or 0.0,
            transformer_loading_ratio_max=_largest(
                _loading_ratio_max(after, "trafo", path.trafos), _loading_ratio_max(after, "trafo3w", path.trafo3ws)
            ),
            losses_kw=(_losses_mw(after) - _losses_mw(before)) * _KW_PER_MW,
            length_km=_length_km(after, path, float(after.bus.vn_kv[point.bus])),
            limit_kind=None if first is None else first.kind,
            limit_element_id=None if first is None else self._element_id(first.table, first.element, point),
            element_ids=self._path_ids(path, point),
            voltage_profile=self._voltage_profile(before, point, path),
            ik3_ka=compute_short_circuit_current_ka(after, point.bus),  # last: it spends the net
        )

    def _path_ids(self, path: SupplyPath, point: _Point) -> tuple[str, ...]:
        ids = [self._element_id("bus", point.bus, point)]
        ids += [self._element_id("line", line, point) for line in path.lines]
        ids += [self._element_id("trafo", trafo, point) for trafo in path.trafos]
        ids += [self._element_id("trafo3w", trafo, point) for trafo in path.trafo3ws]
        return tuple(dict.fromkeys(i for i in ids if i != ROUTE_LINE))

    def _voltage_profile(self, before: Net, point: _Point, path: SupplyPath) -> tuple[dict[str, Any], ...]:
        distance_km = _distances_km(point.net, path)
        u_before, u_after = before.res_bus.vm_pu, point.net.res_bus.vm_pu
        return tuple(
            {
                "element_id": self._element_id("bus", bus, point),
                "distance_km": distance_km[bus],
                "u_pu_before": float(u_before[bus]) if bus in u_before.index else None,
                "u_pu_after": float(u_after[bus]),
            }
            for bus in sorted(distance_km, key=lambda bus: (distance_km[bus], -path.buses.index(bus)))
        )

    def _element_id(self, table: str, element: int, point: _Point | None = None) -> str:
        """Return the imported identifier; elements made for the trial have the one of what they are part of."""
        made = {} if point is None else {"bus": point.new_buses, "line": point.new_lines}.get(table, {})
        if element in made:
            return made[element]
        frame = {
            "bus": self.snapshot.nodes,
            "line": self.snapshot.lines,
            "trafo": self.snapshot.transformers,
        }.get(table)
        if frame is not None and element in frame.index:
            return str(frame.element_id[element])
        return f"{table}:{element}"


def assess_connection(
    snapshot: Snapshot, trial: TrialConnection, *, limits: Limits, in_flight_coincidence_ratio: float
) -> ConnectionAssessment:
    """Return the verdict on one trial; use a :class:`ConnectionStudy` for several of one snapshot."""
    study = ConnectionStudy(snapshot, in_flight_coincidence_ratio=in_flight_coincidence_ratio)
    return study.assess(trial, limits=limits)


def split_line(net: Net, line: int, fraction_along: float) -> tuple[int, int]:
    """Split a line of ``net`` in place; return the new bus and the new line, which leads on to the old ``to_bus``.

    Both parts keep the data per km; switches stay at their ends; the geometry is cut. Results, where present, are
    completed so that the next load flow can start from them.
    """
    row = net.line.loc[line]
    bus = int(net.bus.index.max()) + 1
    net.bus = _with_copy(net.bus, int(row.from_bus), bus)
    other = int(net.line.index.max()) + 1
    net.line = _with_copy(net.line, line, other)
    net.line.loc[other, ["from_bus", "to_bus"]] = [bus, int(row.to_bus)]
    net.line.loc[line, "to_bus"] = bus
    net.line.loc[other, "length_km"] = float(row.length_km) * (1.0 - fraction_along)
    net.line.loc[line, "length_km"] = float(row.length_km) * fraction_along
    moved = (net.switch.et == "l") & (net.switch.element == line) & (net.switch.bus == row.to_bus)
    net.switch.loc[moved, "element"] = other
    if len(net.res_bus):
        net.res_bus = _with_copy(net.res_bus, int(row.from_bus), bus)
        net.res_line = _with_copy(net.res_line, line, other)
    _cut_geometry(net, line, other, bus, fraction_along)
    return bus, other


def _cut_geometry(net: Net, line: int, other: int, bus: int, fraction_along: float) -> None:
    line_text = net.line.geo[line] if "geo" in net.line else None
    bus_text = net.bus.geo[int(net.line.from_bus[line])] if "geo" in net.bus else None
    if not (isinstance(line_text, str) and line_text and isinstance(bus_text, str) and bus_text):
        return
    lon, lat = json.loads(bus_text)["coordinates"][:2]
    path = starting_near([point[:2] for point in json.loads(line_text)["coordinates"]], lon, lat)
    first, second = cut_line(path, fraction_along)
    net.line.at[line, "geo"] = json.dumps({"type": "LineString", "coordinates": first.tolist()})
    net.line.at[other, "geo"] = json.dumps({"type": "LineString", "coordinates": second.tolist()})
    net.bus.at[bus, "geo"] = json.dumps({"type": "Point", "coordinates": second[0].tolist()})


def _with_copy(frame: pd.DataFrame, source: int, target: int) -> pd.DataFrame:
    return pd.concat([frame, frame.loc[[source]].set_axis([target])])


def _add_customer(net: Net, bus: int, trial: TrialConnection) -> tuple[int, int]:
    kind, module = trial.line_type, pandapower()
    stretch = _SINGLE_PHASE_IMPEDANCE_RATIO if trial.is_single_phase else 1.0
    rating = _SINGLE_PHASE_RATING_RATIO if trial.is_single_phase else 1.0
    customer_bus = int(net.bus.index.max()) + 1
    net.bus = _with_copy(net.bus, bus, customer_bus)
    route = module.create_line_from_parameters(
        net, bus, customer_bus, trial.route_length_km,
        r_ohm_per_km=kind.r20_ohm_per_km * stretch,
        x_ohm_per_km=kind.x_ohm_per_km * stretch,
        c_nf_per_km=kind.c_nf_per_km,
        max_i_ka=kind.rating_a * rating / 1e3,
        parallel=trial.parallel,
    )  # fmt: skip
    module.create_load(net, customer_bus, p_mw=trial.p_kw / _KW_PER_MW, q_mvar=trial.q_kvar / _KW_PER_MW)
    net.res_bus = _with_copy(net.res_bus, bus, customer_bus)
    net.res_line = net.res_line.reindex(net.line.index)  # only open ends start from it, and the route has none
    return customer_bus, int(route)


def _copy_solved(net: Net) -> Net:
    """Return an independent copy with results, but without the solver's matrices: they are most of a solved net."""
    results = {name: net[name] for name in ("res_bus", "res_line", "res_trafo", "res_trafo3w")}
    return new_net(element_tables(net) | results, like=net)


def _solve(net: Net) -> bool:
    try:
        run_load_flow(net)
    except ConvergenceError:
        return False
    return True


def _solve_again(net: Net) -> bool:
    """Solve from the results in ``net``, and afresh where that does not converge."""
    try:
        run_load_flow(net, init="results")
    except ConvergenceError:
        return _solve(net)
    return True


def _failed(kind: str) -> ConnectionAssessment:
    return ConnectionAssessment(
        is_within_limits=False,
        violations=(),
        u_pu_min=math.nan,
        u_pu_max=math.nan,
        u_pu_customer=math.nan,
        line_loading_ratio_max=math.nan,
        transformer_loading_ratio_max=None,
        losses_kw=math.nan,
        length_km=math.nan,
        ik3_ka=None,
        limit_kind=kind,
        limit_element_id=None,
        element_ids=(),
        voltage_profile=(),
    )


def _loading_ratio_max(net: Net, table: str, elements: tuple[int, ...]) -> float | None:
    if not elements:
        return None
    ratios = net[f"res_{table}"].loading_percent[list(elements)].to_numpy(dtype=float) / 100.0
    return float(np.nanmax(ratios)) if np.isfinite(ratios).any() else None


def _largest(*values: float | None) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _losses_mw(net: Net) -> float:
    frames = [net[f"res_{name}"] for name in _LOSS_TABLES if len(net.get(f"res_{name}", ()))]
    return float(sum(frame["pl_mw"].sum() for frame in frames if "pl_mw" in frame))


def _length_km(net: Net, path: SupplyPath, u_nominal_kv: float) -> float:
    lines = net.line.loc[list(path.lines)]
    same_level = np.isclose(net.bus.vn_kv.loc[lines.from_bus.to_list()].to_numpy(), u_nominal_kv)
    return float(lines.length_km[same_level].sum())


def _distances_km(net: Net, path: SupplyPath) -> dict[int, float]:
    """Return the line length from the main transformer to every bus of the path (the shortest one in a ring)."""
    edges: list[tuple[int, int, float]] = []
    for line in path.lines:
        row = net.line.loc[line]
        edges.append((int(row.from_bus), int(row.to_bus), float(row.length_km)))
    for table, elements, ends in (
        ("trafo", path.trafos, ("hv_bus", "lv_bus")),
        ("switch", path.switches, ("bus", "element")),
        ("impedance", path.impedances, ("from_bus", "to_bus")),
    ):
        edges += [(int(net[table].at[e, ends[0]]), int(net[table].at[e, ends[1]]), 0.0) for e in elements]
    for trafo in path.trafo3ws:
        row = net.trafo3w.loc[trafo]
        edges += [(int(row.hv_bus), int(row.mv_bus), 0.0), (int(row.hv_bus), int(row.lv_bus), 0.0)]
    distance = dict.fromkeys(path.buses, math.inf)
    distance[path.buses[-1]] = 0.0
    for _ in path.buses:  # a path of n buses settles in n rounds
        for a, b, length_km in edges:
            for start, end in ((a, b), (b, a)):
                if start in distance and end in distance:
                    distance[end] = min(distance[end], distance[start] + length_km)
    return distance
