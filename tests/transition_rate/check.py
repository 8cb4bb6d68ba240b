"""The last stage of a transition rebuilt by plain pandapower from the record alone, and what it breaks."""

from __future__ import annotations

import copy
import itertools
import json
import math
from typing import Any

import numpy as np
import pandapower as pp

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.geometry import distance_m
from gridmodel.snapshot import Snapshot
from scheme.model import Measure, Scheme, TransitionStage

LOADING_PERCENT_MAX = 80.0
LOADING_EFFECT_PERCENT = 1.0
VOLTAGE_EFFECT_PU = 0.005
OPTIONS = {"trafo_loading": "power", "numba": False, "calculate_voltage_angles": True}
CATALOGUE = load_catalogue()


def find_problems(snapshot: Snapshot, scheme: Scheme) -> list[str]:
    """Return what the last stage breaks: on the supply path anything, elsewhere what is new or worse."""
    assert scheme.transition is not None
    stage = scheme.transition.stages[-1]
    before = with_in_flight(snapshot)
    after = rebuild(snapshot, stage, scheme)
    pp.runpp(before, **OPTIONS)
    pp.runpp(after, **OPTIONS)
    on_path = _path(snapshot, stage)
    found = [text for table in ("line", "trafo") for text in _overloads(before, after, table, on_path)]
    return found + _voltages(before, after, on_path) + _unsupplied(before, after)


def with_in_flight(snapshot: Snapshot) -> Any:
    """Return a copy of the net with the approved loads of other customers."""
    net = copy.deepcopy(snapshot.net)
    for _, row in snapshot.in_flight.iterrows():
        p_mw = row.capacity_kva * row.power_factor / 1e3
        pp.create_load(net, int(row.bus), p_mw, math.sqrt((row.capacity_kva / 1e3) ** 2 - p_mw**2))
    return net


def rebuild(snapshot: Snapshot, stage: TransitionStage, scheme: Scheme) -> Any:
    """Return the net of a stage: measures, route and customer."""
    net = with_in_flight(snapshot)
    board = None
    for measure in stage.measures:
        built = _apply(net, snapshot, measure, stage.measures)
        board = built if built is not None else board
    assert stage.connection_point is not None
    assert stage.route is not None
    point = stage.connection_point
    bus = board if board is not None else _start(net, snapshot, point.element_source_id, point.lon_deg, point.lat_deg)
    kind = CATALOGUE.get_line_type(stage.route.line_type_id)
    request = scheme.request
    is_single_phase = scheme.supply is not None and scheme.supply.voltage == "220V"
    customer = pp.create_bus(net, vn_kv=float(net.bus.vn_kv[bus]), name="customer")
    pp.create_line_from_parameters(
        net, bus, customer, stage.route.length_m / 1e3,
        r_ohm_per_km=kind.r20_ohm_per_km * (6 if is_single_phase else 1),
        x_ohm_per_km=kind.x_ohm_per_km * (6 if is_single_phase else 1),
        c_nf_per_km=kind.c_nf_per_km,
        max_i_ka=kind.rating_a / 1e3 / (3 if is_single_phase else 1),
        parallel=_circuits(scheme, stage),
    )  # fmt: skip
    power_factor = request["demand"].get("power_factor", 0.95) if scheme.supply is None else scheme.supply.power_factor
    p_mw = stage.capacity_kva * power_factor / 1e3
    pp.create_load(net, customer, p_mw, math.sqrt((stage.capacity_kva / 1e3) ** 2 - p_mw**2))
    return net


def _circuits(scheme: Scheme, stage: TransitionStage) -> int:
    """Return the circuits side by side: built length over route length."""
    assert stage.route is not None
    built = [w.quantity for v in scheme.variants for w in v.works if w.code == "route_line"]
    return round(built[0] * 1e3 / stage.route.length_m) if built else 1


def _apply(net: Any, snapshot: Snapshot, measure: Measure, measures: tuple[Measure, ...]) -> int | None:
    if measure.code == "load_transfer":
        tie, opening = measure.element_ids
        _switch(net, snapshot, tie, opening)
    elif measure.code == "larger_transformer":
        kind = CATALOGUE.get_transformer_type(str(measure.type_id))
        row = _row(snapshot.transformers, measure.element_ids[0])
        net.trafo.loc[row, ["sn_mva", "vk_percent", "vkr_percent", "pfe_kw", "i0_percent"]] = [
            kind.sn_kva / 1e3, kind.vk_percent, kind.vkr_percent, kind.p0_kw, kind.i0_percent,
        ]  # fmt: skip
    elif measure.code == "larger_main_transformer":
        row = _row(snapshot.transformers, measure.element_ids[0])
        assert measure.sn_kva is not None
        net.trafo.loc[row, "pfe_kw"] *= measure.sn_kva / 1e3 / net.trafo.sn_mva[row]
        net.trafo.loc[row, "sn_mva"] = measure.sn_kva / 1e3
    elif measure.code == "reconductoring":
        _reconductor(net, snapshot, measure)
    elif measure.code == "new_transformer_area":
        branch = next(m for m in measures if m.code == "new_line")
        return _new_area(net, snapshot, measure, branch)
    return None


def _reconductor(net: Any, snapshot: Snapshot, measure: Measure) -> None:
    kind, row = CATALOGUE.get_line_type(str(measure.type_id)), _row(snapshot.lines, measure.element_ids[0])
    net.line.loc[row, "r_ohm_per_km"] = kind.r20_ohm_per_km
    net.line.loc[row, "x_ohm_per_km"] = kind.x_ohm_per_km
    net.line.loc[row, "c_nf_per_km"] = kind.c_nf_per_km
    net.line.loc[row, "max_i_ka"] = kind.rating_a / 1e3
    net.line.loc[row, "parallel"] = max(1, round(measure.quantity / net.line.length_km[row]))


def _switch(net: Any, snapshot: Snapshot, tie: str, opening: str) -> None:
    """Close every open switch of the tie; open the line at both ends, which leaves only its charging out."""
    lines = snapshot.lines.index[snapshot.lines.element_id == tie]
    if len(lines):
        net.switch.loc[(net.switch.et == "l") & (net.switch.element == lines[0]), "closed"] = True
    else:
        net.switch.loc[int(tie.split(":")[1]), "closed"] = True
    net.line.loc[_row(snapshot.lines, opening), "in_service"] = False


def _new_area(net: Any, snapshot: Snapshot, measure: Measure, branch: Measure) -> int:
    kind = CATALOGUE.get_transformer_type(str(measure.type_id))
    line_kind = CATALOGUE.get_line_type(str(branch.type_id))
    if measure.fraction_along is None:
        start = _row(snapshot.nodes, measure.element_ids[0])
    else:
        start = _split(net, _row(snapshot.lines, measure.element_ids[0]), measure.fraction_along)
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
    return int(board)


def _start(net: Any, snapshot: Snapshot, element_id: str, lon_deg: float, lat_deg: float) -> int:
    found = snapshot.nodes.index[snapshot.nodes.element_id == element_id]
    if len(found):
        return int(found[0])
    line = _row(snapshot.lines, element_id)
    return _split(net, line, _fraction(net, snapshot, line, lon_deg, lat_deg))


def _fraction(net: Any, snapshot: Snapshot, line: int, lon_deg: float, lat_deg: float) -> float:
    """Return where along a line's course a place lies nearest, by the ellipsoid."""
    ends = snapshot.nodes.loc[[net.line.from_bus[line], net.line.to_bus[line]], ["lon_deg", "lat_deg"]].to_numpy()
    text = net.line.geo[line] if "geo" in net.line else None
    course = [p[:2] for p in json.loads(text)["coordinates"]] if isinstance(text, str) and text else ends.tolist()
    if distance_m(*course[0], *ends[0]) > distance_m(*course[-1], *ends[0]):
        course.reverse()
    lengths = [float(distance_m(*a, *b)) for a, b in itertools.pairwise(course)]
    gone, best = 0.0, (math.inf, 0.0)
    for (a, b), length in zip(itertools.pairwise(course), lengths, strict=True):
        square = (b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2
        along = ((lon_deg - a[0]) * (b[0] - a[0]) + (lat_deg - a[1]) * (b[1] - a[1])) / square if square else 0.0
        t = min(max(along, 0.0), 1.0)
        off = float(distance_m(a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), lon_deg, lat_deg))
        best = min(best, (off, gone + t * length))
        gone += length
    return best[1] / gone


def _split(net: Any, line: int, fraction: float) -> int:
    bus = pp.create_bus(net, vn_kv=float(net.bus.vn_kv[net.line.from_bus[line]]))
    rest = net.line.loc[line].copy()
    other = int(net.line.index.max()) + 1
    net.line.loc[other] = rest
    net.line.loc[other, "from_bus"] = bus
    net.line.loc[other, "length_km"] = rest.length_km * (1 - fraction)
    at_end = (net.switch.et == "l") & (net.switch.element == line) & (net.switch.bus == rest.to_bus)
    net.switch.loc[at_end, "element"] = other
    net.line.loc[line, "to_bus"] = bus
    net.line.loc[line, "length_km"] = rest.length_km * fraction
    return int(bus)


def _row(frame: Any, element_id: str) -> int:
    return int(frame.index[frame.element_id == element_id][0])


def _path(snapshot: Snapshot, stage: TransitionStage) -> set[tuple[str, int]]:
    assert stage.verification is not None
    named = set(stage.verification.element_ids) | {row["element_id"] for row in stage.verification.voltage_profile}
    frames = {"bus": snapshot.nodes, "line": snapshot.lines, "trafo": snapshot.transformers}
    known = {table: frame for table, frame in frames.items() if len(frame)}
    return {(t, int(i)) for t, frame in known.items() for i in frame.index[frame.element_id.isin(named)]}


def _overloads(before: Any, after: Any, table: str, on_path: set[tuple[str, int]]) -> list[str]:
    result, earlier = after[f"res_{table}"].loading_percent, before[f"res_{table}"].loading_percent
    found = []
    for index in result.index[result > LOADING_PERCENT_MAX + 1e-6]:
        was = earlier.get(index, math.nan)
        is_worse = math.isnan(was) or result[index] - was >= LOADING_EFFECT_PERCENT
        if (table, int(index)) in on_path or is_worse:
            found.append(f"{table}:{index} {was:.1f} -> {result[index]:.1f} %")
    return found


def _voltages(before: Any, after: Any, on_path: set[tuple[str, int]]) -> list[str]:
    found = []
    for bus, u_pu in after.res_bus.vm_pu.items():
        u_kv = float(after.bus.vn_kv[bus])
        if u_kv > 21.0 or not np.isfinite(u_pu):
            continue
        low = 0.93 * 0.38 / 0.4 if u_kv < 1.0 else 0.93
        was = before.res_bus.vm_pu.get(bus, math.nan)
        if u_pu < low - 1e-9 and (("bus", bus) in on_path or math.isnan(was) or was - u_pu >= VOLTAGE_EFFECT_PU):
            found.append(f"bus:{bus} {was:.4f} -> {u_pu:.4f} pu")
    return found


def _unsupplied(before: Any, after: Any) -> list[str]:
    fed = before.res_bus.index[before.res_bus.vm_pu.notna()]
    return [f"bus:{bus} without supply" for bus in fed[after.res_bus.vm_pu[fed].isna()]]
