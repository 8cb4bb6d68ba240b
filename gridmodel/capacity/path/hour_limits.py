"""The limits of one island in one hour: what is broken without the extra load, and what counts off a path.

Off the path a limit depends on the value it has without the extra load (:mod:`gridmodel.capacity.path.bounds`), so it
differs from hour to hour; everything else about an island stays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gridmodel.capacity.arrays import Complexes, Integers
from gridmodel.capacity.constraints import SOLUTION_NOISE, Flags, Floats
from gridmodel.capacity.path.bounds import NO_LIMIT, Bounds
from gridmodel.capacity.path.compiled import compiled, magnitude
from gridmodel.capacity.path.tree import Tree


class HourLimits(NamedTuple):
    """Lower voltage limits and loading limits of one island, each part in ascending order of rows."""

    v_position: Integers
    """Shape (voltage limits,)."""
    v_row: Integers
    v_limit: Floats
    v_effect: Floats
    """Least change that counts off the path (pu); 0 = any new violation."""
    flow_position: Integers
    """Where a loading limit stands, shape (loading limits,)."""
    flow_row: Integers
    flow_limit: Floats
    """Loading ratio."""
    flow_effect: Floats
    first_term: Integers
    """First flow of each loading limit, shape (loading limits + 1,)."""
    term_place: Integers
    """``position * 2 + end`` of each flow, shape (flows,)."""
    term_scale: Floats
    """Loading ratio per unit of the flow."""


class Worst(NamedTuple):
    """The limit broken most without the extra load, per position; shape (positions,)."""

    excess: Floats
    """Per unit or ratio; -inf = none is broken."""
    row: Integers


class PathWorst(NamedTuple):
    """The same of the whole supply path of each position."""

    excess: Floats
    row: Integers
    head: Integers
    """Position where that limit stands."""
    via: Integers
    """Position below ``head`` on the way; -1 at ``head`` itself."""


class ProfiledPowers(NamedTuple):
    """Loads less injections that follow a profile, one entry per position and profile; shape (entries,)."""

    position: Integers
    column: Integers
    """Of the profile."""
    p_mw: Floats
    """At multiplier 1."""
    q_mvar: Floats


@compiled
def set_powers(tree: Tree, powers: ProfiledPowers, more_p: Floats, more_q: Floats, s_constant: Complexes) -> None:
    """Write the constant power taken at each position in one hour (MVA).

    Args:
        tree: The island, with the powers of a reference hour.
        powers: What follows each profile.
        more_p: Multipliers of active power less those of the reference hour, shape (profiles,).
        more_q: The same of reactive power.
        s_constant: Shape (positions,); out.
    """
    s_constant[:] = tree.s_constant
    for k in range(len(powers.position)):
        column = powers.column[k]
        s_constant[powers.position[k]] += complex(powers.p_mw[k] * more_p[column], powers.q_mvar[k] * more_q[column])


@compiled
def set_hour_limits(
    limits: HourLimits,
    tree: Tree,
    voltage: Complexes,
    current: Complexes,
    counted: Bounds,
    literal: Bounds,
    worst: Worst,
    is_broken: Flags,
) -> None:
    """Write the off-path limits of one hour, and what is broken in it.

    Args:
        limits: Of the island.
        tree: The island.
        voltage: Solution of the hour (pu), shape (positions,).
        current: Delivered to each position (pu).
        counted: Limits off the path as attribution moves them; out.
        literal: Limits off the path as they stand, without those broken; out.
        worst: The limit broken most at each position; out.
        is_broken: Voltage limits, then loading limits, shape (limits,); out.
    """
    for bounds in (counted, literal):
        bounds.v_off[:] = -np.inf
        bounds.v_off_row[:] = NO_LIMIT
        bounds.flow_off[:] = np.inf
        bounds.flow_off_row[:] = NO_LIMIT
    worst.excess[:] = -np.inf
    worst.row[:] = NO_LIMIT
    for k in range(len(limits.v_row)):
        i, row, limit = limits.v_position[k], limits.v_row[k], limits.v_limit[k]
        v = abs(voltage[i])
        is_broken[k] = limit - v > SOLUTION_NOISE
        if is_broken[k]:
            _note_worst(worst, i, limit - v, row)
        else:
            _raise_voltage(literal, i, limit, row)
        if limits.v_effect[k] > 0.0:
            _raise_voltage(counted, i, min(limit, v - limits.v_effect[k]), row)
        elif not is_broken[k]:
            _raise_voltage(counted, i, limit, row)
    for k in range(len(limits.flow_row)):
        terms = range(limits.first_term[k], limits.first_term[k + 1])
        row, limit, value = limits.flow_row[k], limits.flow_limit[k], -np.inf
        for term in terms:
            flow = flow_at(tree, voltage, current, limits.term_place[term], counted.is_power)
            value = max(value, flow * limits.term_scale[term])
        broken = value - limit > SOLUTION_NOISE
        is_broken[len(limits.v_row) + k] = broken
        if broken:
            _note_worst(worst, limits.flow_position[k], value - limit, row)
        moved = max(limit, value + limits.flow_effect[k]) if limits.flow_effect[k] > 0.0 else limit
        for term in terms:
            if not broken:
                _lower_flow(literal, limits.term_place[term], limit / limits.term_scale[term], row)
            if not broken or limits.flow_effect[k] > 0.0:
                _lower_flow(counted, limits.term_place[term], moved / limits.term_scale[term], row)


@compiled
def flow_at(tree: Tree, voltage: Complexes, current: Complexes, place: int, is_power: Flags) -> float:
    """Return the flow at one end of the branch above a position: apparent power (MVA) or current (pu)."""
    i, end = place // 2, place % 2
    v, j = voltage[i], current[i]
    if end == 1:  # the parent's end
        v, j = voltage[tree.parent[i]], tree.i_from_v[i] * voltage[i] + tree.i_from_j[i] * current[i]
    return magnitude(j) * (magnitude(v) if is_power[i] else 1.0)


@compiled
def _note_worst(worst: Worst, i: int, excess: float, row: int) -> None:
    if excess > worst.excess[i] or (excess == worst.excess[i] and row < worst.row[i]):
        worst.excess[i], worst.row[i] = excess, row


@compiled
def _raise_voltage(bounds: Bounds, i: int, limit: float, row: int) -> None:
    if limit > bounds.v_off[i]:  # of equals the first row stays
        bounds.v_off[i], bounds.v_off_row[i] = limit, row


@compiled
def _lower_flow(bounds: Bounds, place: int, limit: float, row: int) -> None:
    i, end = place // 2, place % 2
    if limit < bounds.flow_off[i, end]:
        bounds.flow_off[i, end], bounds.flow_off_row[i, end] = limit, row


@compiled
def worst_on_path(tree: Tree, ends_path: Flags, worst: Worst) -> PathWorst:
    """Return the limit broken most on the supply path of every position, of equals the first row."""
    count = len(worst.row)
    found = PathWorst(worst.excess.copy(), worst.row.copy(), np.full(count, -1), np.full(count, -1))
    for i in range(count):
        if worst.row[i] >= 0:
            found.head[i] = i
        parent = tree.parent[i]
        if parent < 0 or ends_path[i] or found.row[parent] < 0:
            continue
        above, row = found.excess[parent], found.row[parent]
        if above > found.excess[i] or (above == found.excess[i] and row < found.row[i]):
            found.excess[i], found.row[i], found.head[i] = above, row, found.head[parent]
            found.via[i] = i if found.head[parent] == parent else found.via[parent]
    return found
