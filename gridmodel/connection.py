"""One customer connected on trial: the AC load flow with the route line included, judged against the limits.

The island of the connection point is solved by the reference load flow without and with the customer; the snapshot
is never changed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gridmodel.capacity.limits import Limits
from gridmodel.capacity.violations import Violation, attributed_violations
from gridmodel.catalogue.records import LineType
from gridmodel.connection_bounds import ConnectionBounds
from gridmodel.errors import ConvergenceError
from gridmodel.island_memory import IslandMemory
from gridmodel.islands import Islands
from gridmodel.net import Net, run_load_flow
from gridmodel.short_circuit import FaultLevel, compute_fault_levels
from gridmodel.snapshot import Snapshot
from gridmodel.topology import SupplyPath, SupplyTopology, supply_path
from gridmodel.trial_net import add_customer, add_in_flight, copy_solved, split_line
from gridmodel.trial_route import TrialRoute

CUSTOMER_BUS = "customer"
"""Stands for an imported id where the element named is the customer's own end of the route."""
ROUTE_LINE = "route"
_LOSS_TABLES = ("line", "trafo", "trafo3w", "impedance", "tcsc", "switch")
_KW_PER_MW = 1e3
_IN_FLIGHT = ["commitment_id", "bus", "capacity_kva", "power_factor"]
_Row = tuple[object, ...]


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

    @property
    def route(self) -> TrialRoute:
        """The line between the point and the customer."""
        return TrialRoute(
            line_type=self.line_type,
            length_km=self.route_length_km,
            parallel=self.parallel,
            is_single_phase=self.is_single_phase,
        )


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
    ik3_ka: float | None
    """At the connection point, where it is within limits and the source's data allow it."""
    ik3_min_ka: float | None
    """The least one at the connection point (see :class:`gridmodel.short_circuit.FaultLevel`)."""
    ik3_customer_ka: float | None
    """At the customer's end of a three-phase route."""
    limit_kind: str | None
    """Kind of the first violation, ``convergence`` or ``unsupplied``; ``None`` when within limits."""
    limit_element_id: str | None
    element_ids: tuple[str, ...]
    """Imported elements of the supply path: the connection point, then lines and transformers, nearest first."""
    voltage_profile: tuple[dict[str, Any], ...]
    """Buses from the main transformer to the customer: ``element_id``, ``distance_km``, ``u_pu_before`` (``None`` for
    the customer's own bus), ``u_pu_after``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertainViolation:
    """A limit on the supply path that breaks whatever the route to the customer looks like."""

    kind: str
    element_id: str
    value: float
    """The loading ratio is at least this, the voltage (pu) at most this."""
    limit: float


@dataclass(frozen=True, slots=True)
class _Point:
    """Where a trial hangs in the net with the connection."""

    net: Net
    bus: int
    customer_bus: int
    new_buses: dict[int, str]
    new_lines: dict[int, str]
    is_single_phase: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialNet:
    """The net with a customer connected on trial; not solved, but its results are those to start from."""

    net: Net
    """The caller's own: it may be changed."""
    bus: int
    """The connection point."""
    customer_bus: int
    transformer_kva: float | None
    """Rating of the nearest transformer on the supply path, all units that share the row; ``None``: there is none."""


class ConnectionStudy:
    """Assesses many trials on one snapshot; the base case of every island is solved once."""

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        in_flight_coincidence_ratio: float,
        fault_conductor_temperature_c: float | None = None,
    ) -> None:
        self.snapshot = snapshot
        self._fault_conductor_temperature_c = fault_conductor_temperature_c
        self.in_flight_coincidence_ratio = in_flight_coincidence_ratio
        self._islands = Islands(snapshot.net)
        self._memory = IslandMemory()
        self._in_flight_of: dict[int, frozenset[_Row]] | None = None

    @property
    def islands(self) -> Islands:
        """Electrical islands of the grid."""
        return self._islands

    def with_grid(self, snapshot: Snapshot) -> ConnectionStudy:
        """Return a study of another grid with the same settings."""
        return ConnectionStudy(
            snapshot,
            in_flight_coincidence_ratio=self.in_flight_coincidence_ratio,
            fault_conductor_temperature_c=self._fault_conductor_temperature_c,
        )

    def assess(self, trial: TrialConnection, *, limits: Limits) -> ConnectionAssessment:
        """Return the verdict on ``trial``.

        Raises:
            KeyError: The bus or line is not in the snapshot.
        """
        anchor = self._anchor(trial.bus, trial.line)
        base = self.get_base(anchor, in_flight=trial.in_flight)
        if base is None:
            return _failed("convergence" if self._islands.has_source(anchor) else "unsupplied")
        if not np.isfinite(base.res_bus.vm_pu[anchor]):
            return _failed("unsupplied")
        before, point = self._connect(base, trial)
        is_solved = before is base or _solve_again(before)
        if not (is_solved and _solve_again(point.net)):
            return _failed("convergence")
        return self._judge(before, point, self._path(base, trial, point), limits)

    def connect(self, trial: TrialConnection) -> TrialNet | None:
        """Return the net of ``trial`` for further studies; ``None`` where the island has no solution.

        Raises:
            KeyError: The bus or line is not in the snapshot.
        """
        base = self.get_base(self._anchor(trial.bus, trial.line), in_flight=trial.in_flight)
        if base is None:
            return None
        _, point = self._connect(base, trial)
        trafos = self._path(base, trial, point).trafos
        row = point.net.trafo.loc[trafos[0]] if trafos else None
        return TrialNet(
            net=point.net,
            bus=point.bus,
            customer_bus=point.customer_bus,
            transformer_kva=None if row is None else float(row.sn_mva * row.parallel * _KW_PER_MW),
        )

    def find_certain_violation(
        self, *, bus: int | None, line: int | None, p_kw: float, q_kvar: float, limits: Limits
    ) -> CertainViolation | None:
        """Return a limit that a customer at a bus, or at a tee on a line, breaks for certain, without a load flow.

        In-flight loads count. ``None`` says nothing: the load flow decides.
        """
        anchor = self._anchor(bus, line)
        base = self.get_base(anchor, in_flight=True)
        if base is None:
            return None
        topology = self._get_topology(base, anchor)
        above = bus if line is None else topology.upper_end(line, _ends(base, line))
        if above is None:
            return None
        label = self._islands.label(anchor)
        bounds = self._memory.get(
            ("bounds", label, limits), self._content(label, in_flight=True), lambda: ConnectionBounds(base, limits)
        )
        found = bounds.find_violation(topology.path(above), p_mw=p_kw / _KW_PER_MW, q_mvar=q_kvar / _KW_PER_MW)
        if found is None:
            return None
        element_id = self._element_id(found.table, found.element)
        return CertainViolation(kind=found.kind, element_id=element_id, value=found.value, limit=found.limit)

    def find_voltage_pu(self, *, bus: int | None, line: int | None) -> float:
        """Return the voltage at a bus, or the higher one of a line's two ends, before the customer is connected.

        In-flight loads count. NaN where there is no supply or no solution.
        """
        base = self.get_base(self._anchor(bus, line), in_flight=True)
        if base is None:
            return math.nan
        buses = [bus] if line is None else _ends(base, line)
        return float(base.res_bus.vm_pu[buses].max())

    def find_path_length_km(self, bus: int) -> float:
        """Return the line length from the transformer (or source) down to a bus, at its voltage (供电距离)."""
        base = self.get_base(bus, in_flight=True)
        if base is None:
            return math.nan
        return _length_km(base, self._get_topology(base, bus).path(bus), float(base.bus.vn_kv[bus]))

    def find_supply_path(self, bus: int) -> SupplyPath:
        """Return the supply path of a bus; it stands where there is no solution, too."""
        return self._get_topology(None, bus).path(bus)

    def get_base(self, bus: int, *, in_flight: bool) -> Net | None:
        """Return the solved island of ``bus`` without the customer (not to be changed); ``None``: no solution."""
        label = self._islands.label(bus)

        def solved() -> Net | None:
            net = self._islands.cut(label)
            if in_flight:
                add_in_flight(net, self.snapshot, self.in_flight_coincidence_ratio)
            return net if _solve(net) else None

        return self._memory.get(("base", label, in_flight), self._content(label, in_flight=in_flight), solved)

    def _content(self, label: int, *, in_flight: bool) -> frozenset[_Row]:
        """Return the commitments of an island, which is all that studies of one grid differ by."""
        if not in_flight:
            return frozenset()
        if self._in_flight_of is None:
            rows = self.snapshot.in_flight[_IN_FLIGHT]
            labels = self._islands.labels.reindex(rows.bus.astype(int)).to_numpy()
            found: dict[int, set[_Row]] = {}
            for island, row in zip(labels, rows.itertuples(index=False, name=None), strict=True):
                if island == island:
                    found.setdefault(int(island), set()).add(tuple(None if value != value else value for value in row))
            self._in_flight_of = {island: frozenset(own) for island, own in found.items()}
        return self._in_flight_of.get(label, frozenset())

    def _anchor(self, bus: int | None, line: int | None) -> int:
        """Return a bus that tells the island: the bus itself, or an end of the line that is not switched off."""
        if line is None:
            assert bus is not None
            return bus
        ends, switch = _ends(self.snapshot.net, line), self.snapshot.net.switch
        is_here = (switch.et == "l") & (switch.element == line) & ~switch.closed.astype(bool)
        from_is_open = bool((is_here & (switch.bus == ends[0])).any())
        return ends[1] if from_is_open else ends[0]

    def _connect(self, base: Net, trial: TrialConnection) -> tuple[Net, _Point]:
        """Return the net before (with the line split already, so that both halves can be compared) and after."""
        before, tee = base, None
        if trial.line is not None:
            assert trial.fraction_along is not None
            before = copy_solved(base)
            tee = split_line(before, trial.line, trial.fraction_along)
        after = copy_solved(before)
        bus = trial.bus if tee is None else tee[0]
        assert bus is not None
        customer_bus, route = add_customer(after, bus, trial.route, p_kw=trial.p_kw, q_kvar=trial.q_kvar)
        new_buses, new_lines = {customer_bus: CUSTOMER_BUS}, {route: ROUTE_LINE}
        if tee is not None:
            split_id = self._element_id("line", int(trial.line or 0))
            new_buses[tee[0]], new_lines[tee[1]] = split_id, split_id
        return before, _Point(after, bus, customer_bus, new_buses, new_lines, trial.is_single_phase)

    def _path(self, base: Net, trial: TrialConnection, point: _Point) -> SupplyPath:
        """Return the customer's supply path: from the topology of the island, kept for all trials, and the route."""
        topology = self._get_topology(base, self._anchor(trial.bus, trial.line))
        above, route = point.bus, tuple(point.new_lines)[:1]
        tee: tuple[int, ...] = ()
        if trial.line is not None:
            ends, other_half = _ends(base, trial.line), tuple(point.new_lines)[1]
            upper = topology.upper_end(trial.line, ends)
            if upper is None:  # in a ring, or open at one end
                return supply_path(point.net, point.customer_bus)
            above, tee = upper, (point.bus,)
            route += (trial.line if upper == ends[0] else other_half,)
        upstream = topology.path(above)
        return replace(
            upstream,
            bus=point.customer_bus,
            buses=(point.customer_bus, *tee, *upstream.buses),
            lines=(*route, *upstream.lines),
        )

    def _get_topology(self, base: Net | None, bus: int) -> SupplyTopology:
        label = self._islands.label(bus)
        return self._memory.get(
            ("topology", label), None, lambda: SupplyTopology(self._islands.cut(label) if base is None else base)
        )

    def _judge(self, before: Net, point: _Point, path: SupplyPath, limits: Limits) -> ConnectionAssessment:
        after = point.net
        violations = attributed_violations(before, after, bus=point.customer_bus, limits=limits, path=path)
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
            limit_kind=None if first is None else first.kind,
            limit_element_id=None if first is None else self._element_id(first.table, first.element, point),
            element_ids=self._path_ids(path, point),
            voltage_profile=self._voltage_profile(before, point, path),
            **self._fault_levels(point, is_wanted=not violations),  # last, because it spends the net
        )

    def _fault_levels(self, point: _Point, *, is_wanted: bool) -> dict[str, float | None]:
        """Return the short-circuit currents, all unknown for a point that is not offered."""
        levels: dict[int, FaultLevel] = {}
        if is_wanted:
            levels = compute_fault_levels(
                point.net,
                (point.bus, point.customer_bus),
                conductor_temperature_c=self._fault_conductor_temperature_c,
            )
        nothing = FaultLevel(ik3_max_ka=None, ik3_min_ka=None)
        here, there = levels.get(point.bus, nothing), levels.get(point.customer_bus, nothing)
        return {
            "ik3_ka": here.ik3_max_ka,
            "ik3_min_ka": here.ik3_min_ka,
            "ik3_customer_ka": None if point.is_single_phase else there.ik3_max_ka,
        }

    def _path_ids(self, path: SupplyPath, point: _Point) -> tuple[str, ...]:
        ids = [self._element_id("bus", point.bus, point)]
        ids += [self._element_id("line", line, point) for line in path.lines]
        ids += [self._element_id("trafo", trafo, point) for trafo in path.trafos]
        ids += [self._element_id("trafo3w", trafo, point) for trafo in path.trafo3ws]
        return tuple(dict.fromkeys(i for i in ids if i != ROUTE_LINE))

    def _voltage_profile(self, before: Net, point: _Point, path: SupplyPath) -> tuple[dict[str, Any], ...]:
        distance_km = distances_km(point.net, path)
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


def _ends(net: Net, line: int) -> list[int]:
    return [int(net.line.from_bus[line]), int(net.line.to_bus[line])]


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
        ik3_ka=None,
        ik3_min_ka=None,
        ik3_customer_ka=None,
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


def distances_km(net: Net, path: SupplyPath) -> dict[int, float]:
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
