"""Harder variants of a net: more generation, longer lines, violations that exist already, rings. Seeded; copies."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pandapower as pp

from tests.capacity import independent_check

TRIALS_MAX = 20
COLLAPSE_PU = 0.72
"""Long lines are as long as leaves every bus above this voltage without the extra load."""


def with_generation(net: Any, seed: int) -> Any:
    """Return a copy with generation up to three times the load, capacitors, other taps, lines entered the other way."""
    rng, net = np.random.default_rng(seed), copy.deepcopy(net)
    with_load = net.load[net.load.in_service & (net.load.p_mw > 0)]
    for load in with_load.sample(frac=0.5, random_state=seed).itertuples():
        p_mw = float(load.p_mw * load.scaling * rng.uniform(0.3, 3.0))
        pp.create_sgen(net, load.bus, p_mw=p_mw, q_mvar=float(rng.choice([0.0, 0.1, -0.1])) * p_mw)
    q_mvar = float((with_load.q_mvar * with_load.scaling).abs().sum())
    for bus in rng.choice(with_load.bus, size=min(4, len(with_load)), replace=False).tolist():
        pp.create_shunt(net, bus, q_mvar=-min(0.15 * q_mvar, 0.3) * float(rng.uniform(0.2, 1.0)))
    _turn_lines(net, rng)
    _move_taps(net, rng)
    return net


def with_long_lines(net: Any, seed: int) -> Any:
    """Return a copy with all lines longer, by the largest factor that keeps the voltages above ``COLLAPSE_PU``."""
    rng = np.random.default_rng(seed)
    for factor in (8.0, 6.0, 4.5, 3.5, 2.7, 2.0, 1.5, 1.2):
        longer = copy.deepcopy(net)
        longer.line["length_km"] *= factor * rng.uniform(0.9, 1.1)
        if is_solvable(longer) and longer.res_bus.vm_pu.min() > COLLAPSE_PU:
            _turn_lines(longer, rng)
            if is_solvable(longer):
                return longer
    raise AssertionError("no longer variant has a solution")


def with_violations(net: Any, seed: int, line_limit: float, transformer_limit: float) -> Any:
    """Return a copy where some ratings are a little below or a little above what flows already."""
    rng, net = np.random.default_rng(seed), copy.deepcopy(net)
    _move_taps(net, rng)
    assert is_solvable(net), "the net has no solution with other taps"
    loaded = net.res_line.loading_percent[net.res_line.loading_percent > 5.0].index.to_numpy()
    for line in rng.choice(loaded, size=min(6, len(loaded)), replace=False).tolist():
        ratio = net.res_line.loading_percent[line] / 100.0
        net.line.loc[line, "max_i_ka"] *= ratio / (line_limit * rng.uniform(0.9, 1.1))
    for trafo in rng.choice(net.trafo.index, size=min(2, len(net.trafo)), replace=False).tolist():
        ratio = net.res_trafo.loading_percent[trafo] / 100.0
        if ratio > 0.05:  # a smaller derating factor than one: the rating itself also sets the impedance
            net.trafo.loc[trafo, "df"] *= float(min(1.0, ratio / (transformer_limit * rng.uniform(0.9, 1.05))))
    return net


def with_closed_ties(net: Any, seed: int, count: int) -> tuple[Any, list[int]]:
    """Return (a copy with ``count`` open points between supplied buses closed, the buses at those)."""
    rng, net, places = np.random.default_rng(seed), copy.deepcopy(net), list[int]()
    assert is_solvable(net), "the net has no solution"
    u_pu = net.res_bus.vm_pu
    for switch in rng.permutation(net.switch.index[~net.switch.closed.astype(bool)]).tolist():
        if len(places) == count:
            break
        if net.switch.et[switch] == "l":
            line = net.line.loc[net.switch.element[switch]]
            ends = [int(line.from_bus), int(line.to_bus)]
            of_line = net.switch.index[(net.switch.et == "l") & (net.switch.element == line.name)]
        elif net.switch.et[switch] == "b":
            ends, of_line = [int(net.switch.bus[switch]), int(net.switch.element[switch])], [switch]
        else:
            continue
        if u_pu[ends].isna().any():
            continue
        before = net.switch.closed.copy()
        net.switch.loc[of_line, "closed"] = True
        if is_solvable(copy.deepcopy(net)):
            places.append(ends[0])
        else:
            net.switch["closed"] = before
    assert places, "the net has no open point to close"
    return net, places


def with_ring_lines(net: Any, seed: int, count: int, *, within: list[int] | None = None) -> tuple[Any, list[int]]:
    """Return (a copy with ``count`` more lines that close rings, the buses at those).

    Ends are buses of one level and voltage angle; every second line lies beside an existing one, with other values.
    """
    rng, net, places = np.random.default_rng(seed), copy.deepcopy(net), list[int]()
    assert is_solvable(net), "the net has no solution"
    state, live = net.res_bus, net.res_bus.vm_pu.notna()
    lines = net.line[net.line.in_service & live[net.line.from_bus].to_numpy() & live[net.line.to_bus].to_numpy()]
    if within is not None:
        lines = lines[lines.from_bus.isin(within)]
    for trial in range(TRIALS_MAX):
        if len(places) == count:
            break
        line = lines.loc[rng.choice(lines.index)]
        ends, length_km = (int(line.from_bus), int(line.to_bus)), float(line.length_km) * rng.uniform(0.6, 1.8)
        if trial % 2 == 0:
            is_near = (net.bus.vn_kv == net.bus.vn_kv[ends[0]]) & live
            is_near &= (state.va_degree - state.va_degree[ends[0]]).abs() < 5.0
            if within is not None:
                is_near &= net.bus.index.isin(within)
            ends = (ends[0], int(rng.choice(net.bus.index[is_near])))
            length_km = 4.0 * length_km
        if ends[0] == ends[1]:
            continue
        changed = copy.deepcopy(net)
        pp.create_line_from_parameters(
            changed, *ends, length_km=length_km, r_ohm_per_km=line.r_ohm_per_km * rng.uniform(0.7, 1.4),
            x_ohm_per_km=line.x_ohm_per_km, c_nf_per_km=line.c_nf_per_km, max_i_ka=line.max_i_ka,
        )  # fmt: skip
        if is_solvable(copy.deepcopy(changed)):
            net = changed
            places.append(ends[0])
    assert places, "no ring has a solution"
    return net, places


def is_solvable(net: Any) -> bool:
    """Solve ``net`` where it stands; return whether there is a solution."""
    return bool(independent_check.solve(net))


def _turn_lines(net: Any, rng: np.random.Generator) -> None:
    turned = net.line.index[rng.random(len(net.line)) < 0.4]
    ends = net.line.loc[turned, ["from_bus", "to_bus"]].to_numpy()
    net.line.loc[turned, "from_bus"], net.line.loc[turned, "to_bus"] = ends[:, 1], ends[:, 0]


def _move_taps(net: Any, rng: np.random.Generator) -> None:
    has_taps = net.trafo.tap_pos.notna() & net.trafo.tap_step_percent.notna()
    for trafo in net.trafo.index[has_taps].tolist():
        row = net.trafo.loc[trafo]
        step = int(rng.integers(-2, 3))
        net.trafo.loc[trafo, "tap_pos"] = float(np.clip(row.tap_pos + step, row.tap_min, row.tap_max))
        if row.tap_changer_type is None or row.tap_changer_type != row.tap_changer_type:
            net.trafo.loc[trafo, "tap_changer_type"] = "Ratio"
