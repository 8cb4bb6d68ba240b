"""The verdicts of :mod:`gridmodel.connection` without its tables: a trial is grafted onto the arrays of its island.

Every field means the same and agrees to the tolerance of the load flow; whatever the arrays cannot tell (rings, no
solution by sweeps) is asked of the reference. For whoever tries thousands of points and confirms the few it takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gridmodel.capacity.constraints import TABLES, Flags, Table
from gridmodel.capacity.graft import Graft, GraftedFlow, graft_of
from gridmodel.capacity.limits import Limits
from gridmodel.capacity.violations import Violation, counted_violations
from gridmodel.connection import (
    CUSTOMER_BUS,
    ROUTE_LINE,
    ConnectionAssessment,
    TrialConnection,
    distances_km,
)
from gridmodel.joint_connection import JointConnectionStudy
from gridmodel.net import Net
from gridmodel.short_circuit import FaultImpedances, compute_fault_impedances
from gridmodel.snapshot import Snapshot
from gridmodel.topology import SupplyPath
from gridmodel.trial_net import copy_solved


@dataclass(slots=True, kw_only=True)
class _Stock:
    """An island ready for trials."""

    base: Net
    graft: Graft
    flow: GraftedFlow
    profiles: dict[int, dict[int, float]] = field(default_factory=dict)
    """Distances (km) from the main transformer to the buses of a supply path, by the bus at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """A trial in numbers of buses and lines, solved."""

    stock: _Stock
    before: GraftedFlow
    after: GraftedFlow
    graft: Graft
    point: int
    path: SupplyPath
    names: dict[tuple[str, int], str]
    distances_km: dict[int, float]


class QuickStudy(JointConnectionStudy):
    """A study whose single trials are solved on arrays wherever the island is radial."""

    def __init__(self, snapshot: Snapshot, **settings: Any) -> None:
        super().__init__(snapshot, **settings)
        self._impedances: dict[int, FaultImpedances] = {}

    def assess(self, trial: TrialConnection, *, limits: Limits) -> ConnectionAssessment:
        """Return the verdict on ``trial``; see :class:`gridmodel.connection.ConnectionStudy`."""
        connected = self._graft_on(trial, limits)
        return super().assess(trial, limits=limits) if connected is None else self._verdict(connected, trial)

    def _stock(self, bus: int, in_flight: bool, limits: Limits) -> _Stock | None:
        def made() -> _Stock | None:
            base = self.get_base(bus, in_flight=in_flight)
            graft = None if base is None else graft_of(base, limits)
            flow = None if graft is None else graft.solve()
            if base is None or graft is None or flow is None:
                return None
            return _Stock(base=base, graft=graft, flow=flow)

        label = self._islands.label(bus)
        return self._memory.get(("stock", label, in_flight, limits), self._content(label, in_flight=in_flight), made)

    def _graft_on(self, trial: TrialConnection, limits: Limits) -> _Trial | None:
        """Return the trial solved; ``None`` where the reference must say what it does."""
        anchor = self._anchor(trial.bus, trial.line)
        stock = self._stock(anchor, trial.in_flight, limits)
        if stock is None or not np.isfinite(stock.base.res_bus.vm_pu[anchor]):
            return None
        topology, above, tee = self._get_topology(stock.base, anchor), trial.bus, None
        graft, names = stock.graft.copy(), dict[tuple[str, int], str]()
        before: GraftedFlow | None = stock.flow
        if trial.line is not None:
            ends = [int(stock.base.line.at[trial.line, name]) for name in ("from_bus", "to_bus")]
            above = topology.upper_end(trial.line, ends)
            if above is None or not graft.carries(trial.line):  # in a ring, or open at one end
                return None
            assert trial.fraction_along is not None
            bus, other = graft.split(trial.line, trial.fraction_along)
            names[("bus", bus)] = names[("line", other)] = self._element_id("line", trial.line)
            is_from = above == ends[0]
            part = trial.fraction_along if is_from else 1.0 - trial.fraction_along
            tee = (bus, trial.line if is_from else other, part)
            before = graft.solve()
        point = above if tee is None else tee[0]
        assert point is not None
        assert above is not None
        end, route = graft.add_customer(point, trial.route, p_kw=trial.p_kw, q_kvar=trial.q_kvar)
        after = graft.solve()
        if before is None or after is None:
            return None
        upstream = topology.path(above)
        return _Trial(
            stock=stock,
            before=before,
            after=after,
            graft=graft,
            point=point,
            path=_extended(upstream, end, route, None if tee is None else tee[:2]),
            names=names | {("bus", end): CUSTOMER_BUS, ("line", route): ROUTE_LINE},
            distances_km=_distances(stock, upstream, trial, end, None if tee is None else (tee[0], tee[2])),
        )

    def _verdict(self, found: _Trial, trial: TrialConnection) -> ConnectionAssessment:
        constraints, path = found.graft.constraints, found.path
        on_path = _on_path(found)
        was = np.full(len(constraints), np.nan)
        was[: len(found.before.values)] = found.before.values
        violations = counted_violations(constraints, was, found.after.values, on_path)
        u_pu = found.after.flow.u_pu_of(np.array(path.buses, dtype=np.int64))
        first = violations[0] if violations else None
        return ConnectionAssessment(
            is_within_limits=not violations,
            violations=violations,
            u_pu_min=float(u_pu.min()),
            u_pu_max=float(u_pu.max()),
            u_pu_customer=float(u_pu[0]),
            line_loading_ratio_max=_worst(found, on_path, ("line",)) or 0.0,
            transformer_loading_ratio_max=_worst(found, on_path, ("trafo", "trafo3w")),
            losses_kw=found.after.losses_kw - found.before.losses_kw,
            limit_kind=None if first is None else first.kind,
            limit_element_id=None if first is None else self._name(found, first),
            element_ids=self._path_names(found),
            voltage_profile=self._profile(found),
            **self._levels(found, trial, is_wanted=not violations),
        )

    def _name(self, found: _Trial, violation: Violation) -> str:
        own = found.names.get((violation.table, violation.element))
        return self._element_id(violation.table, violation.element) if own is None else own

    def _path_names(self, found: _Trial) -> tuple[str, ...]:
        path = found.path
        keys = [("bus", found.point), *(("line", line) for line in path.lines)]
        keys += [*(("trafo", trafo) for trafo in path.trafos), *(("trafo3w", trafo) for trafo in path.trafo3ws)]
        names = (found.names.get(key) or self._element_id(*key) for key in keys)
        return tuple(dict.fromkeys(name for name in names if name != ROUTE_LINE))

    def _profile(self, found: _Trial) -> tuple[dict[str, Any], ...]:
        distance, path = found.distances_km, found.path
        buses = sorted(distance, key=lambda bus: (distance[bus], -path.buses.index(bus)))
        rows = np.array(buses, dtype=np.int64)
        known = rows < len(found.before.flow.arrays.node_of_bus)
        before = np.full(len(rows), np.nan)
        before[known] = found.before.flow.u_pu_of(rows[known])
        after = found.after.flow.u_pu_of(rows)
        return tuple(
            {
                "element_id": found.names.get(("bus", bus)) or self._element_id("bus", bus),
                "distance_km": distance[bus],
                "u_pu_before": float(u_before) if is_known else None,
                "u_pu_after": float(u_after),
            }
            for bus, is_known, u_before, u_after in zip(buses, known, before, after, strict=True)
        )

    def _levels(self, found: _Trial, trial: TrialConnection, *, is_wanted: bool) -> dict[str, float | None]:
        if not is_wanted:
            return {"ik3_ka": None, "ik3_min_ka": None, "ik3_customer_ka": None}
        label = self._islands.label(self._anchor(trial.bus, trial.line))
        if label not in self._impedances:
            self._impedances[label] = compute_fault_impedances(
                copy_solved(found.stock.base), conductor_temperature_c=self._fault_conductor_temperature_c
            )
        impedances, route = self._impedances[label], trial.route
        greatest = _at_point(impedances.greatest, trial, found.stock.base)
        # the least current needs the temperature of all conductors, the route's among them
        is_warm = self._fault_conductor_temperature_c is not None
        least = _at_point(impedances.least, trial, found.stock.base) if is_warm else None
        z_ohm = complex(route.r_ohm_per_km, route.x_ohm_per_km) * route.length_km / route.parallel
        return {
            "ik3_ka": _current_ka(greatest),
            "ik3_min_ka": _current_ka(least),
            "ik3_customer_ka": None if trial.is_single_phase else _current_ka(greatest, z_ohm),
        }


def _extended(upstream: SupplyPath, end: int, route: int, tee: tuple[int, int] | None) -> SupplyPath:
    """Return the supply path of a customer; ``tee``: the bus a line is split at and the half above it."""
    own_buses, own_lines = ((end,), (route,)) if tee is None else ((end, tee[0]), (route, tee[1]))
    return replace(upstream, bus=end, buses=(*own_buses, *upstream.buses), lines=(*own_lines, *upstream.lines))


def _distances(
    stock: _Stock, upstream: SupplyPath, trial: TrialConnection, end: int, tee: tuple[int, float] | None
) -> dict[int, float]:
    """Return the distance (km) of every bus of the path; ``tee``: its bus and the fraction of the line above it."""
    above = upstream.bus
    if above not in stock.profiles:
        stock.profiles[above] = distances_km(stock.base, upstream)
    found = dict(stock.profiles[above])
    here = found[above]
    if tee is not None:
        assert trial.line is not None
        here = found[tee[0]] = here + float(stock.base.line.length_km[trial.line]) * tee[1]
    found[end] = here + trial.route_length_km
    return found


def _on_path(found: _Trial) -> Flags:
    constraints, known = found.graft.constraints, found.stock.graft.constraints
    flags = np.zeros(len(constraints), dtype=bool)
    flags[: len(known)] = known.is_on_path(found.path)
    own = {"line": set(found.path.lines), "bus": set(found.path.buses)}
    for row in range(len(known), len(constraints)):
        table = TABLES[constraints.table_codes[row]]
        flags[row] = int(constraints.elements[row]) in own.get(table, ())
    return flags


def _worst(found: _Trial, on_path: Flags, tables: tuple[Table, ...]) -> float | None:
    codes = [TABLES.index(table) for table in tables]
    values = found.after.values[on_path & np.isin(found.graft.constraints.table_codes, codes)]
    return float(np.nanmax(values)) if np.isfinite(values).any() else None


def _at_point(
    impedances: Mapping[int, tuple[complex, float]] | None, trial: TrialConnection, base: Net
) -> tuple[complex, float] | None:
    """Return impedance (ohm) and driving voltage (kV) at the connection point; along a line the impedance is linear."""
    if impedances is None:
        return None
    if trial.line is None:
        return impedances.get(int(trial.bus or 0))
    ends = [impedances.get(int(base.line.at[trial.line, name])) for name in ("from_bus", "to_bus")]
    if ends[0] is None or ends[1] is None:
        return None
    assert trial.fraction_along is not None
    return ends[0][0] + trial.fraction_along * (ends[1][0] - ends[0][0]), ends[0][1]


def _current_ka(source: tuple[complex, float] | None, z_ohm: complex = 0.0j) -> float | None:
    return None if source is None else source[1] / abs(source[0] + z_ohm)
