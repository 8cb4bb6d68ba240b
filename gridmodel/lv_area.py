"""One transformer area (台区) cut out of a net as plain tables, with what a three-phase load flow needs besides."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from gridmodel.connection import TrialNet
from gridmodel.net import Net
from gridmodel.topology import LOW_VOLTAGE_KV_MAX
from gridmodel.trial_route import TrialRoute

_NOT_MODELLED = ("gen", "motor", "ward", "xward", "storage", "shunt", "ext_grid", "svc", "ssc")
_PHASE_COLUMNS = ("a", "b", "c")
_DEGREES_PER_CLOCK_HOUR = 30.0
_VA_PER_MVA = 1e6
_KW_PER_MW = 1e3

_Floats = NDArray[np.float64]
_Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaTransformer:
    """A delta-wye distribution transformer; units in parallel are one."""

    sn_kva: float
    u_hv_kv: float
    """At the tap in use."""
    u_lv_kv: float
    vk_ratio: float
    pk_kw: float
    p0_kw: float
    i0_ratio: float
    clock: int


@dataclass(frozen=True, eq=False, kw_only=True)
class AreaTables:
    """Nodes are numbered from 0; buses that closed switches or lines without impedance join are one."""

    node_of_bus: Mapping[int, int]
    node_u_kv: _Floats
    source_node: int
    source_u_pu: float
    board_node: int
    transformer: AreaTransformer
    line_from: _Integers
    line_to: _Integers
    line_r_ohm: _Floats
    line_x_ohm: _Floats
    line_r0_ohm: _Floats
    line_x0_ohm: _Floats
    line_c_nf: _Floats
    load_node: _Integers
    load_va: NDArray[np.complex128]
    """By phase, shape (loads, 3)."""
    load_kw_by_phase: tuple[float, float, float] | None


def cut_area(trial: TrialNet, route: TrialRoute, *, r0_ratio: float, x0_ratio: float) -> AreaTables | None:
    """Return the area of a trial's connection point; ``None`` where it cannot be modelled.

    Args:
        trial: The customer connected on trial, results of the balanced load flow included; only read.
        route: The customer's line.
        r0_ratio: Zero over positive-sequence resistance of lines whose own is not known.
        x0_ratio: The same for the reactance.
    """
    net = trial.net
    lines, switches = _live_lines(net), _closed_couplers(net)
    buses = _connected(net, lines, switches, trial.bus)
    trafos = net.trafo[net.trafo.in_service.astype(bool) & net.trafo.lv_bus.isin(buses) & ~_opened(net, "t")]
    if len(trafos) != 1 or _holds_other_elements(net, buses):
        return None
    row = trafos.iloc[0]
    transformer = _transformer(row)
    source_u_pu = float(net.res_bus.vm_pu[int(row.hv_bus)])
    if transformer is None or int(row.hv_bus) in buses or not math.isfinite(source_u_pu):
        return None
    node_of_bus = {bus: node for node, bus in enumerate([*sorted(buses), int(row.hv_bus)])}
    lines = lines[lines.from_bus.isin(buses) & lines.to_bus.isin(buses)]
    is_short = ~(lines[["r_ohm_per_km", "x_ohm_per_km"]].any(axis=1) & (lines.length_km > 0.0))
    joined = np.vstack([_ends(switches, ("bus", "element")), _ends(lines[is_short], ("from_bus", "to_bus"))])
    node_of_bus = _merge(sorted(buses), joined, source_bus=int(row.hv_bus))
    load_node, load_va, by_phase = _loads(net, buses, node_of_bus, customer_bus=trial.customer_bus)
    return AreaTables(
        node_of_bus=node_of_bus,
        node_u_kv=_node_voltages_kv(net, node_of_bus),
        source_node=node_of_bus[int(row.hv_bus)],
        source_u_pu=source_u_pu,
        board_node=node_of_bus[int(row.lv_bus)],
        transformer=transformer,
        **_branches(_with_zero_sequence(lines[~is_short], trial, route, r0_ratio, x0_ratio), node_of_bus),
        load_node=load_node,
        load_va=load_va,
        load_kw_by_phase=by_phase,
    )


def _live_lines(net: Net) -> pd.DataFrame:
    line: pd.DataFrame = net.line
    return line[line.in_service.astype(bool) & ~_opened(net, "l")]


def _opened(net: Net, kind: str) -> pd.Series:
    """Return which lines (``l``) or transformers (``t``) an open switch cuts off at one end."""
    table = net.line if kind == "l" else net.trafo
    switch = net.switch
    elements = switch.element[(switch.et == kind) & ~switch.closed.astype(bool)]
    return pd.Series(table.index.isin(elements), index=table.index)


def _closed_couplers(net: Net) -> pd.DataFrame:
    switch: pd.DataFrame = net.switch
    return switch[(switch.et == "b") & switch.closed.astype(bool)]


def _ends(frame: pd.DataFrame, columns: tuple[str, str]) -> _Integers:
    return frame[list(columns)].to_numpy().astype(np.int64).reshape(-1, 2)


def _connected(net: Net, lines: pd.DataFrame, switches: pd.DataFrame, bus: int) -> set[int]:
    """Return the low-voltage buses that lines and switches join with ``bus``."""
    live = net.bus.index[net.bus.in_service.astype(bool) & (net.bus.vn_kv <= LOW_VOLTAGE_KV_MAX)]
    pairs = np.vstack([_ends(lines, ("from_bus", "to_bus")), _ends(switches, ("bus", "element"))])
    labels = _labels(live, pairs[np.isin(pairs, live).all(axis=1)])
    return {int(found) for found in live[labels == labels[live.get_loc(bus)]]}


def _merge(buses: list[int], joined: _Integers, *, source_bus: int) -> dict[int, int]:
    """Return the node of each bus; ``source_bus`` is a node of its own, the last."""
    inside = joined[np.isin(joined, buses).all(axis=1)]
    labels = _labels(pd.Index(buses), inside)
    return {**dict(zip(buses, labels.tolist(), strict=True)), source_bus: int(labels.max()) + 1}


def _labels(buses: pd.Index, pairs: _Integers) -> _Integers:
    place = buses.get_indexer(pd.Index(pairs.ravel())).reshape(-1, 2)
    graph = coo_matrix((np.ones(len(place)), (place[:, 0], place[:, 1])), shape=(len(buses), len(buses)))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _node_voltages_kv(net: Net, node_of_bus: Mapping[int, int]) -> _Floats:
    voltages_kv = np.empty(max(node_of_bus.values()) + 1)
    for bus, node in node_of_bus.items():
        voltages_kv[node] = net.bus.vn_kv[bus]
    return voltages_kv


def _holds_other_elements(net: Net, buses: set[int]) -> bool:
    """Return whether the area holds something this model does not know."""
    if any(len(net[name]) and (net[name].bus.isin(buses) & net[name].in_service).any() for name in _NOT_MODELLED):
        return True
    if len(net.trafo3w) and net.trafo3w[["hv_bus", "mv_bus", "lv_bus"]].isin(buses).to_numpy().any():
        return True
    return any(len(net[name]) and (net[name].type[net[name].bus.isin(buses)] == "delta").any()
               for name in ("load", "asymmetric_load", "asymmetric_sgen"))  # fmt: skip


def _transformer(row: pd.Series) -> AreaTransformer | None:
    hours = float(row.shift_degree) / _DEGREES_PER_CLOCK_HOUR
    clock = round(hours) % 12
    group = row.get("vector_group")
    is_other = isinstance(group, str) and not group.lower().startswith("dyn")
    if is_other or not math.isclose(hours, round(hours), abs_tol=1e-6) or clock % 2 == 0:
        return None
    parallel = int(row.parallel)
    u_kv = {"hv": float(row.vn_hv_kv), "lv": float(row.vn_lv_kv)}
    steps = float(row.tap_pos) - float(row.tap_neutral)
    if row.tap_side in u_kv and math.isfinite(steps * float(row.tap_step_percent)):
        u_kv[row.tap_side] *= 1.0 + steps * float(row.tap_step_percent) / 100.0
    return AreaTransformer(
        sn_kva=float(row.sn_mva) * parallel * _KW_PER_MW,
        u_hv_kv=u_kv["hv"],
        u_lv_kv=u_kv["lv"],
        vk_ratio=float(row.vk_percent) / 100.0,
        pk_kw=float(row.vkr_percent) / 100.0 * float(row.sn_mva) * parallel * _KW_PER_MW,
        p0_kw=float(row.pfe_kw) * parallel,
        i0_ratio=float(row.i0_percent) / 100.0,
        clock=clock,
    )


def _with_zero_sequence(
    lines: pd.DataFrame, trial: TrialNet, route: TrialRoute, r0_ratio: float, x0_ratio: float
) -> pd.DataFrame:
    """Return the lines with zero-sequence values, the route with those of its own conductors."""
    lines = lines.copy()
    kind = route.line_type
    is_route = (lines.to_bus == trial.customer_bus).to_numpy()
    lines.loc[is_route, ["r_ohm_per_km", "x_ohm_per_km"]] = [kind.r20_ohm_per_km, kind.x_ohm_per_km]
    for name, ratio, own in (("r", r0_ratio, kind.r0_ohm_per_km), ("x", x0_ratio, kind.x0_ohm_per_km)):
        column = f"{name}0_ohm_per_km"
        known = lines[column].astype(float) if column in lines else pd.Series(np.nan, index=lines.index)
        lines[column] = known.fillna(lines[f"{name}_ohm_per_km"] * ratio)
        if own is not None:
            lines.loc[is_route, column] = own
    return lines


def _branches(lines: pd.DataFrame, node_of_bus: Mapping[int, int]) -> dict[str, Any]:
    length_km, parallel = lines.length_km.to_numpy(dtype=float), lines.parallel.to_numpy(dtype=float)
    columns = {"r": "r_ohm_per_km", "x": "x_ohm_per_km", "r0": "r0_ohm_per_km", "x0": "x0_ohm_per_km"}
    impedances = {
        f"line_{name}_ohm": lines[column].to_numpy(dtype=float) * length_km / parallel
        for name, column in columns.items()
    }
    return {
        "line_from": np.array([node_of_bus[int(bus)] for bus in lines.from_bus], dtype=np.int64),
        "line_to": np.array([node_of_bus[int(bus)] for bus in lines.to_bus], dtype=np.int64),
        **impedances,
        "line_c_nf": lines.c_nf_per_km.to_numpy(dtype=float) * length_km * parallel,
    }


def _loads(
    net: Net, buses: set[int], node_of_bus: Mapping[int, int], *, customer_bus: int
) -> tuple[_Integers, NDArray[np.complex128], tuple[float, float, float] | None]:
    """Return node and power by phase of every load but the customer's, and the sums by phase where phases are told."""
    nodes: list[int] = []
    powers: list[NDArray[np.complex128]] = []
    for name, sign in (("load", 1.0), ("sgen", -1.0), ("asymmetric_load", 1.0), ("asymmetric_sgen", -1.0)):
        frame = net[name]
        frame = frame[frame.in_service.astype(bool) & frame.bus.isin(buses) & (frame.bus != customer_bus)]
        if name.startswith("asymmetric"):
            active, reactive = (frame[[f"{part}_{phase}_{unit}" for phase in _PHASE_COLUMNS]].to_numpy(dtype=float)
                                for part, unit in (("p", "mw"), ("q", "mvar")))  # fmt: skip
        else:
            active, reactive = (np.repeat(frame[[column]].to_numpy(dtype=float) / 3.0, 3, axis=1)
                                for column in ("p_mw", "q_mvar"))  # fmt: skip
        nodes += [node_of_bus[int(bus)] for bus in frame.bus]
        powers.append(sign * frame.scaling.to_numpy(dtype=float)[:, None] * (active + 1j * reactive))
    load_mva = np.vstack(powers)
    told = any(len(net[name]) and net[name].bus.isin(buses).any() for name in ("asymmetric_load", "asymmetric_sgen"))
    a_kw, b_kw, c_kw = (load_mva.real.sum(axis=0) * _KW_PER_MW).tolist()
    return np.array(nodes, dtype=np.int64), load_mva * _VA_PER_MVA, (a_kw, b_kw, c_kw) if told else None
