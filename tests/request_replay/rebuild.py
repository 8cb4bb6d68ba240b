"""A state of the grid built by plain pandapower from the record: measures, routes and customers."""

from __future__ import annotations

import copy
import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandapower as pp

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.geometry import distance_m
from scheme.model import Measure, Scheme
from tests.request_replay.grid import Part, PlainGrid
from tests.request_replay.states import Connection, State

CATALOGUE = load_catalogue()


@dataclass(kw_only=True)
class Rebuilt:
    """A net with the customer, and what each element that is new stands in for in the part it is made of."""

    net: Any
    part: Part
    customers: list[int] = field(default_factory=list)
    stands_for: dict[tuple[str, int], tuple[int, ...]] = field(default_factory=dict)
    """Table and row of a new element: rows of the same table."""


def rebuild(grid: PlainGrid, state: State, scheme: Scheme) -> Rebuilt:
    """Return the net of a state, not solved."""
    named = [connection.point.element_source_id for connection in state.connections]
    named += [element_id for measure in state.measures for element_id in measure.element_ids]
    part = grid.cut(set().union(*(grid.buses_of(element_id) for element_id in named)))
    built = Rebuilt(net=copy.deepcopy(part.net), part=part)
    board = None
    for measure in state.measures:
        new = _apply(built, grid, measure, state.measures)
        board = new if new is not None else board
    for connection in state.connections:
        bus = board if board is not None else _start(built, grid, connection)
        _connect(built, bus, connection, scheme)
    return built


def _connect(built: Rebuilt, bus: int, connection: Connection, scheme: Scheme) -> None:
    """Add route and customer; a phase and a neutral conductor are a balanced line of six times the impedance."""
    net, route = built.net, connection.route
    kind = CATALOGUE.get_line_type(route.line_type_id)
    demand = scheme.request["demand"]
    is_single_phase = bool(demand.get("single_phase")) if scheme.supply is None else scheme.supply.voltage == "220V"
    customer = int(pp.create_bus(net, vn_kv=float(net.bus.vn_kv[bus]), name="customer"))
    pp.create_line_from_parameters(
        net, bus, customer, route.length_m / 1e3,
        r_ohm_per_km=kind.r20_ohm_per_km * (6 if is_single_phase else 1),
        x_ohm_per_km=kind.x_ohm_per_km * (6 if is_single_phase else 1),
        c_nf_per_km=kind.c_nf_per_km,
        max_i_ka=kind.rating_a / 1e3 / (3 if is_single_phase else 1),
        parallel=route.circuits,
    )  # fmt: skip
    power_factor = demand.get("power_factor", 0.95) if scheme.supply is None else scheme.supply.power_factor
    s_mva = connection.capacity_kva / 1e3
    p_mw = s_mva * power_factor
    pp.create_load(net, customer, p_mw, math.sqrt(max(0.0, s_mva**2 - p_mw**2)))
    built.customers.append(customer)
    built.stands_for["bus", customer] = (bus,)


def _apply(built: Rebuilt, grid: PlainGrid, measure: Measure, measures: Sequence[Measure]) -> int | None:
    net = built.net
    if measure.code == "load_transfer":
        tie, opening = measure.element_ids
        _switch(net, grid, tie, opening)
    elif measure.code == "larger_transformer":
        kind = CATALOGUE.get_transformer_type(str(measure.type_id))
        row = grid.row("trafo", measure.element_ids[0])
        net.trafo.loc[row, ["sn_mva", "vk_percent", "vkr_percent", "pfe_kw", "i0_percent"]] = [
            kind.sn_kva / 1e3, kind.vk_percent, kind.vkr_percent, kind.p0_kw, kind.i0_percent,
        ]  # fmt: skip
    elif measure.code == "larger_main_transformer":
        row = grid.row("trafo", measure.element_ids[0])
        assert measure.sn_kva is not None
        net.trafo.loc[row, "pfe_kw"] *= measure.sn_kva / 1e3 / net.trafo.sn_mva[row]
        net.trafo.loc[row, "sn_mva"] = measure.sn_kva / 1e3
    elif measure.code == "reconductoring":
        _reconductor(built, grid, measure)
    elif measure.code == "new_transformer_area":
        branch = next(m for m in measures if m.code == "new_line")
        return _new_area(built, grid, measure, branch)
    return None


def _reconductor(built: Rebuilt, grid: PlainGrid, measure: Measure) -> None:
    """Replace a line, in both halves where something tees off it already."""
    net, kind = built.net, CATALOGUE.get_line_type(str(measure.type_id))
    line = grid.row("line", measure.element_ids[0])
    rows = [line, *(row for (table, row), of in built.stands_for.items() if table == "line" and line in of)]
    net.line.loc[rows, "r_ohm_per_km"] = kind.r20_ohm_per_km
    net.line.loc[rows, "x_ohm_per_km"] = kind.x_ohm_per_km
    net.line.loc[rows, "c_nf_per_km"] = kind.c_nf_per_km
    net.line.loc[rows, "max_i_ka"] = kind.rating_a / 1e3
    net.line.loc[rows, "parallel"] = max(1, round(measure.quantity / net.line.length_km[rows].sum()))


def _switch(net: Any, grid: PlainGrid, tie: str, opening: str) -> None:
    """Close every open switch of the tie; open the line at both ends, which leaves only its charging out."""
    line = grid.find("line", tie)
    if line is not None:
        net.switch.loc[(net.switch.et == "l") & (net.switch.element == line), "closed"] = True
    else:
        net.switch.loc[int(tie.split(":")[1]), "closed"] = True
    net.line.loc[grid.row("line", opening), "in_service"] = False


def _new_area(built: Rebuilt, grid: PlainGrid, measure: Measure, branch: Measure) -> int:
    net = built.net
    kind = CATALOGUE.get_transformer_type(str(measure.type_id))
    line_kind = CATALOGUE.get_line_type(str(branch.type_id))
    if measure.fraction_along is None:
        start = grid.row("bus", measure.element_ids[0])
    else:
        start = _split(built, grid.row("line", measure.element_ids[0]), measure.fraction_along)
    u_kv = float(net.bus.vn_kv[start])
    top, board = pp.create_bus(net, u_kv), pp.create_bus(net, kind.u_lv_kv)
    pp.create_line_from_parameters(
        net, start, top, branch.quantity, line_kind.r20_ohm_per_km, line_kind.x_ohm_per_km, line_kind.c_nf_per_km,
        line_kind.rating_a / 1e3,
    )  # fmt: skip
    pp.create_transformer_from_parameters(
        net, top, board, kind.sn_kva / 1e3, u_kv, kind.u_lv_kv, kind.vkr_percent, kind.vk_percent, kind.p0_kw,
        kind.i0_percent, shift_degree=kind.shift_deg,
    )  # fmt: skip
    built.stands_for["bus", int(top)] = (start,)
    return int(board)


def _start(built: Rebuilt, grid: PlainGrid, connection: Connection) -> int:
    point = connection.point
    bus = None if point.kind == "line_tee" else grid.find("bus", point.element_source_id)
    if bus is not None:
        return bus
    line = grid.row("line", point.element_source_id)
    return _split(built, line, _fraction(built.net, grid, line, point.lon_deg, point.lat_deg))


def _fraction(net: Any, grid: PlainGrid, line: int, lon_deg: float, lat_deg: float) -> float:
    """Return where along a line's course a place lies nearest, by the ellipsoid."""
    nodes = grid.snapshot.nodes
    ends = nodes.loc[[net.line.from_bus[line], net.line.to_bus[line]], ["lon_deg", "lat_deg"]].to_numpy()
    text = net.line.geo[line] if "geo" in net.line else None
    course = [p[:2] for p in json.loads(text)["coordinates"]] if isinstance(text, str) and text else ends.tolist()
    if distance_m(*course[0], *ends[0]) > distance_m(*course[-1], *ends[0]):
        course.reverse()
    lengths = [float(distance_m(*a, *b)) for a, b in itertools.pairwise(course)]
    shrink = math.cos(math.radians(lat_deg))
    gone, best = 0.0, (math.inf, 0.0)
    for (a, b), length in zip(itertools.pairwise(course), lengths, strict=True):
        x, y = (b[0] - a[0]) * shrink, b[1] - a[1]
        square = x**2 + y**2
        along = ((lon_deg - a[0]) * shrink * x + (lat_deg - a[1]) * y) / square if square else 0.0
        t = min(max(along, 0.0), 1.0)
        off = float(distance_m(a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), lon_deg, lat_deg))
        best = min(best, (off, gone + t * length))
        gone += length
    return best[1] / gone


def _split(built: Rebuilt, line: int, fraction: float) -> int:
    net = built.net
    bus = int(pp.create_bus(net, vn_kv=float(net.bus.vn_kv[net.line.from_bus[line]])))
    rest = net.line.loc[line].copy()
    other = int(net.line.index.max()) + 1
    net.line.loc[other] = rest
    net.line.loc[other, "from_bus"] = bus
    net.line.loc[other, "length_km"] = rest.length_km * (1 - fraction)
    at_end = (net.switch.et == "l") & (net.switch.element == line) & (net.switch.bus == rest.to_bus)
    net.switch.loc[at_end, "element"] = other
    net.line.loc[line, "to_bus"] = bus
    net.line.loc[line, "length_km"] = rest.length_km * fraction
    built.stands_for["bus", bus] = (int(rest.from_bus), int(rest.to_bus))
    built.stands_for["line", other] = (line,)
    return bus
