"""Estimates what every position of an island can carry in many hours, to tell which hours are worth solving exactly.

The load a limit leaves room for is estimated on each way to the source: for a flow limit by adding the load to the flow
of its branch, for a voltage limit by the impedance the load and the limited bus have in common
(``dV/dP = (R + X tan(phi)) / V`` summed down to where their ways part). A flow beside the way grows as voltages fall:
a current by the same share, an apparent power only by its losses.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gridmodel.capacity.arrays import Complexes, Integers
from gridmodel.capacity.constraints import Flags, Floats
from gridmodel.capacity.path.bounds import CHILD, PARENT, Bounds
from gridmodel.capacity.path.compiled import compiled, magnitude
from gridmodel.capacity.path.hour_limits import ProfiledPowers, set_powers
from gridmodel.capacity.path.sweep import start_flat, sweep
from gridmodel.capacity.path.tree import Tree

VOLTAGE, FLOW = 0, 1
"""Second index of the margins."""
_LEAST_EFFECT_PU_PER_MW = 1e-12
_POWER_SHARE = 0.05
"""By how much an apparent power beside the way grows, as a share of what a current grows."""
_TOLERANCE_PU = 1e-6
"""Of the sweeps: far below what the estimates leave out."""


class Effects(NamedTuple):
    """When a limit counts off the supply path: the least change by the load itself; 0 = any new violation."""

    v_pu: float
    flow: Floats
    """In the unit of the flow limit, shape (positions, 2)."""


class Slopes(NamedTuple):
    """What voltages make of loads, the same in all hours; shape (positions,)."""

    from_parent: Floats
    """Change of a voltage per change of the parent's."""
    pu_per_mw: Floats
    """Voltage lost on the branch above per load behind it, at 1 pu."""


class Records(NamedTuple):
    """What the hours seen so far came to; hours are -1 before the first."""

    least: Floats
    """Lowest estimates (MW over the hour's share), ascending, shape (classes, positions, ranks)."""
    hour: Integers
    """Their hours."""
    margin: Floats
    """Smallest margins to the position's own limits, voltage (pu) and flow (share of the limit), shape (positions, 2);
    negative = broken."""
    margin_hour: Integers
    nearest: Floats
    """The same of the hours in which the limit is not broken."""
    nearest_hour: Integers


@compiled
def estimate_hours(
    tree: Tree,
    powers: ProfiledPowers,
    more_p: Floats,
    more_q: Floats,
    bounds: Bounds,
    effects: Effects,
    class_of_hour: Integers,
    share: Floats,
    tan_phi: float,
    records: Records,
) -> Flags:
    """Note the estimates of all hours and return which of them have a solution, shape (hours,).

    Args:
        tree: One island.
        powers: What follows each profile.
        more_p: Multipliers of active power less those ``tree`` was made for, shape (hours, profiles).
        more_q: The same of reactive power.
        bounds: Limits of the island; those off the path are not read.
        effects: When a limit counts off the path.
        class_of_hour: Class whose least estimates each hour competes for, shape (hours,).
        share: Of the extra load that is connected in each hour, > 0, shape (hours,).
        tan_phi: Reactive per active power of the extra load.
        records: Out.
    """
    count = len(tree.parent)
    voltage, current = np.ones(count, np.complex128), np.ones(count, np.complex128)
    s_constant = np.empty(count, np.complex128)
    now = Tree(
        tree.parent, tree.end, tree.v_from_v, tree.v_from_j, tree.i_from_v, tree.i_from_j,
        s_constant, tree.s_linear, tree.s_square, tree.v_source,
    )  # fmt: skip
    slopes = _slopes(tree, tan_phi)
    start_flat(tree, 0, count, voltage)
    is_solved = np.ones(len(share), np.bool_)
    for hour in range(len(share)):
        set_powers(tree, powers, more_p[hour], more_q[hour], s_constant)
        is_solved[hour] = sweep(now, 0, count, 0.0j, -1, voltage, current, _TOLERANCE_PU) >= 0
        if is_solved[hour]:
            _estimate(
                now, slopes, bounds, effects, voltage, current, hour, class_of_hour[hour], share[hour], tan_phi, records
            )
        else:
            start_flat(tree, 0, count, voltage)
    return is_solved


@compiled
def _slopes(tree: Tree, tan_phi: float) -> Slopes:
    count = len(tree.parent)
    slopes = Slopes(np.ones(count), np.zeros(count))
    for i in range(1, count):
        z = tree.v_from_j[i] / tree.v_from_v[i]
        slopes.from_parent[i] = 1.0 / magnitude(tree.v_from_v[i])
        slopes.pu_per_mw[i] = z.real + z.imag * tan_phi
    return slopes


@compiled
def _estimate(
    tree: Tree,
    slopes: Slopes,
    bounds: Bounds,
    effects: Effects,
    voltage: Complexes,
    current: Complexes,
    hour: int,
    kind: int,
    share: float,
    tan_phi: float,
    records: Records,
) -> None:
    """Note the estimates of one solved hour, which belongs to the class ``kind``."""
    count = len(voltage)
    effect = np.zeros(count)  # what a MW at this position takes off its own voltage, pu
    u, room_pu = np.empty(count), np.full(count, np.inf)  # by how much the voltage may fall for the subtree's limits
    by_flow_on, by_flow_off = np.empty(count), np.empty(count)
    u[0] = magnitude(voltage[0])
    for i in range(1, count):
        u[i] = magnitude(voltage[i])
        effect[i] = effect[tree.parent[i]] * slopes.from_parent[i] + slopes.pu_per_mw[i] / u[i]
        by_flow_on[i], by_flow_off[i], room_pu[i] = _room_of_flows(
            tree, bounds, effects, records, i, hour, tan_phi, voltage, current, u
        )
    for i in range(count - 1, 0, -1):
        limit = bounds.v_on[i]
        if limit > -np.inf:
            _note_margin(records, i, VOLTAGE, u[i] - limit, hour)
            room_pu[i] = min(room_pu[i], counted_off_path(-u[i], -limit, effects.v_pu) + u[i])
        room_pu[tree.parent[i]] = min(room_pu[tree.parent[i]], room_pu[i])
    on, off = np.full(count, np.inf), np.full(count, np.inf)
    for i in range(1, count):
        parent = tree.parent[i]
        per_mw = max(effect[i], _LEAST_EFFECT_PU_PER_MW)
        on[i] = min(by_flow_on[i], (u[i] - bounds.v_on[i]) / per_mw)
        if not bounds.ends_path[i]:
            on[i] = min(on[i], on[parent])
        off[i] = min(off[parent], by_flow_off[i], room_pu[i] / per_mw)
        _note_estimate(records, kind, i, min(on[i], off[i]) / share, hour)


@compiled
def _room_of_flows(
    tree: Tree,
    bounds: Bounds,
    effects: Effects,
    records: Records,
    i: int,
    hour: int,
    tan_phi: float,
    voltage: Complexes,
    current: Complexes,
    u: Floats,
) -> tuple[float, float, float]:
    """Return the room that the branch above ``i`` leaves at its fuller end.

    Returns:
        Load behind it (MW), on the path and off it, and fall of the voltage by a load beside it (pu).
    """
    if bounds.flow_on[i, CHILD] == np.inf and bounds.flow_on[i, PARENT] == np.inf:
        return np.inf, np.inf, np.inf
    parent = tree.parent[i]
    drawn = tree.i_from_v[i] * voltage[i] + tree.i_from_j[i] * current[i]
    below, above = magnitude(current[i]), magnitude(drawn)
    if bounds.is_power[i]:
        below, above = below * u[i], above * u[parent]
    if below / bounds.flow_on[i, CHILD] >= above / bounds.flow_on[i, PARENT]:
        end, flow, v, s = CHILD, below, u[i], voltage[i] * np.conj(current[i])
    else:
        end, flow, v, s = PARENT, above, u[parent], voltage[parent] * np.conj(drawn)
    limit, power_per_flow = bounds.flow_on[i, end], 1.0 if bounds.is_power[i] else v
    _note_margin(records, i, FLOW, 1.0 - flow / limit, hour)
    on = load_to_reach(s, flow, limit, power_per_flow, tan_phi)
    counted = counted_off_path(flow, limit, effects.flow[i, end])
    if counted == np.inf:
        return on, np.inf, np.inf
    fall = u[i] * (1.0 - flow / counted)
    if bounds.is_power[i]:
        fall /= _POWER_SHARE
    if counted == limit:
        return on, on, fall
    return on, load_to_reach(s, flow, counted, power_per_flow, tan_phi), fall


@compiled
def load_to_reach(s: complex, flow: float, limit: float, power_per_flow: float, tan_phi: float) -> float:
    """Return the load (MW) that brings a flow to ``limit``; below 0 where it is exceeded, inf without limit.

    Args:
        s: Apparent power of the flow (MVA).
        flow: The flow, in the unit of its limit.
        limit: Greatest flow.
        power_per_flow: MVA per unit of the flow.
        tan_phi: Reactive per active power of the load.
    """
    if limit == np.inf:
        return np.inf
    if flow > limit:
        return 1.0 - flow / limit
    most = limit * power_per_flow
    a = 1.0 + tan_phi * tan_phi
    b = s.real + s.imag * tan_phi
    c = s.real * s.real + s.imag * s.imag - most * most
    return (-b + math.sqrt(max(b * b - a * c, 0.0))) / a


@compiled
def counted_off_path(value: float, limit: float, effect: float) -> float:
    """Return the limit that counts off the path for a quantity that grows; inf = never."""
    if effect > 0.0:
        return max(limit, value + effect)
    return limit if value <= limit else np.inf


@compiled
def _note_estimate(records: Records, kind: int, i: int, p_mw: float, hour: int) -> None:
    """Keep an estimate among the least of position ``i``; of equal ones the earlier hour stays ahead."""
    rank = records.least.shape[2] - 1
    if not p_mw < records.least[kind, i, rank]:
        return
    while rank > 0 and p_mw < records.least[kind, i, rank - 1]:
        records.least[kind, i, rank] = records.least[kind, i, rank - 1]
        records.hour[kind, i, rank] = records.hour[kind, i, rank - 1]
        rank -= 1
    records.least[kind, i, rank], records.hour[kind, i, rank] = p_mw, hour


@compiled
def _note_margin(records: Records, i: int, which: int, margin: float, hour: int) -> None:
    """Keep the smallest margins to one of the limits of position ``i``."""
    if margin < records.margin[i, which]:
        records.margin[i, which], records.margin_hour[i, which] = margin, hour
    if 0.0 <= margin < records.nearest[i, which]:
        records.nearest[i, which], records.nearest_hour[i, which] = margin, hour
