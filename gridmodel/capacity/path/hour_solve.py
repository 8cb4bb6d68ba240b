"""Solves one island in many hours, in one call: passing its many arrays to compiled code costs as much as one hour.

An hour is a load flow by sweeps, the limits that follow from it, one-ports, needs, and a walk per candidate.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gridmodel.capacity.arrays import Complexes, Integers
from gridmodel.capacity.constraints import Flags, Floats
from gridmodel.capacity.direction import LOAD
from gridmodel.capacity.path.bounds import NO_LIMIT, Bounds
from gridmodel.capacity.path.compiled import compiled, magnitude
from gridmodel.capacity.path.engine import LAST_SHARE, ROUGH_MVA
from gridmodel.capacity.path.hour_limits import (
    HourLimits,
    PathWorst,
    ProfiledPowers,
    Worst,
    set_hour_limits,
    set_powers,
    worst_on_path,
)
from gridmodel.capacity.path.needs import find_needs
from gridmodel.capacity.path.oneport import POINTS, OnePorts, build_ports
from gridmodel.capacity.path.shooting import SETTLED, Answers, shoot_all
from gridmodel.capacity.path.sweep import start_flat, sweep
from gridmodel.capacity.path.tree import Tree
from gridmodel.capacity.rows import NOTED_MAX

_ROUGH = LAST_SHARE * ROUGH_MVA


class IslandParts(NamedTuple):
    """What stays of an island in all hours; positions count from its source."""

    tree: Tree
    """With the powers of a reference hour."""
    powers: ProfiledPowers
    limits: HourLimits
    counted: Bounds
    """Limits as attribution counts them; the part off the path is written anew in every hour."""
    literal: Bounds
    is_plain: bool
    """No limit has an effect threshold."""
    source_excess_pu: float
    """By how much a limit is broken at the source itself, in every hour."""
    source_row: int
    """Which one; -1 = none."""
    depth_max: int


class HourAnswers(NamedTuple):
    """What candidates can carry in each hour; shape (hours, candidates) unless said otherwise."""

    is_solved: Flags
    """The island has a solution, and the exact one; shape (hours,). What else is said of an hour without is void."""
    p_mw: Floats
    """Load at which the first limit breaks; 0 where one is broken without it, NaN where not answered."""
    is_existing: Flags
    """A limit of the supply path is broken without the load."""
    row: Integers
    """Limit that binds; -1 where not answered."""
    head: Integers
    """Position whose voltage it is; -1 for another limit."""
    via: Integers
    """Position below ``head`` on the way to the candidate."""
    excess: Floats
    """By how much an existing violation exceeds its limit (pu or ratio)."""
    u_pu: Floats
    noted: Integers
    """First limits broken at that load that do not count, shape (hours, candidates, NOTED_MAX)."""
    noted_count: Integers
    is_broken: Flags
    """Voltage limits, then loading limits broken without the load, shape (hours, limits)."""


@compiled
def solve_hours(
    parts: IslandParts, more_p: Floats, more_q: Floats, candidates: Integers, tan_phi: float
) -> HourAnswers:
    """Return the answers of all hours.

    Args:
        parts: The island.
        more_p: Multipliers of active power less those of the reference hour, shape (hours, profiles).
        more_q: The same of reactive power.
        candidates: Positions, ascending, no source.
        tan_phi: Reactive per active power of the extra load.
    """
    hours, tree = len(more_p), parts.tree
    count, limits = len(tree.parent), len(parts.limits.v_row) + len(parts.limits.flow_row)
    answers = _no_answers(hours, len(candidates), limits)
    voltage, current = np.ones(count, np.complex128), np.ones(count, np.complex128)
    s_constant = np.empty(count, np.complex128)
    now = Tree(
        tree.parent, tree.end, tree.v_from_v, tree.v_from_j, tree.i_from_v, tree.i_from_j,
        s_constant, tree.s_linear, tree.s_square, tree.v_source,
    )  # fmt: skip
    for hour in range(hours):
        set_powers(tree, parts.powers, more_p[hour], more_q[hour], s_constant)
        start_flat(now, 0, count, voltage)  # not at the hour before: results must not depend on which hours are solved
        if sweep(now, 0, count, 0.0j, -1, voltage, current) >= 0:
            answers.is_solved[hour] = _solve(parts, now, voltage, current, candidates, tan_phi, answers, hour)
    return answers


@compiled
def _solve(
    parts: IslandParts,
    tree: Tree,
    voltage: Complexes,
    current: Complexes,
    candidates: Integers,
    tan_phi: float,
    answers: HourAnswers,
    hour: int,
) -> bool:
    """Write the answers of an hour whose load flow is solved; return False where its one-ports are not exact."""
    counted, literal, count = parts.counted, parts.literal, len(voltage)
    worst = Worst(np.empty(count), np.empty(count, np.int64))
    set_hour_limits(parts.limits, tree, voltage, current, counted, literal, worst, answers.is_broken[hour])
    worst.excess[0], worst.row[0] = parts.source_excess_pu, parts.source_row
    v_base = np.empty(count)
    for i in range(count):
        v_base[i] = magnitude(voltage[i])
    ports = build_ports(tree, counted, v_base, LOAD)
    if not _is_exact(tree, ports):
        return False
    on_path = worst_on_path(tree, counted.ends_path, worst)
    free = candidates[on_path.row[candidates] == NO_LIMIT]
    needs = find_needs(tree, counted, ports, v_base, LOAD)
    literal_needs = needs
    if not parts.is_plain:
        literal_needs = find_needs(tree, literal, ports, v_base, LOAD)
    shot = shoot_all(
        tree, counted, ports, needs, literal, literal_needs, free, v_base, tan_phi, parts.depth_max, LOAD, needs
    )
    _write(answers, hour, candidates, on_path, shot, v_base)
    return True


@compiled
def _is_exact(tree: Tree, ports: OnePorts) -> bool:
    """Return what ``inexact_positions`` of the engine finds nowhere."""
    for i in range(len(tree.parent)):
        if tree.parent[i] >= 0:
            last = math.hypot(ports.whole[i, POINTS - 1], ports.whole[i, 2 * POINTS - 1])
            if not ports.is_sound[i] or last > _ROUGH:
                return False
    return True


@compiled
def _no_answers(hours: int, candidates: int, limits: int) -> HourAnswers:
    shape = (hours, candidates)
    return HourAnswers(
        np.zeros(hours, np.bool_),
        np.full(shape, np.nan),
        np.zeros(shape, np.bool_),
        np.full(shape, NO_LIMIT, np.int64),
        np.full(shape, -1, np.int64),
        np.full(shape, -1, np.int64),
        np.full(shape, -np.inf),
        np.full(shape, np.nan),
        np.full((hours, candidates, NOTED_MAX), -1, np.int64),
        np.zeros(shape, np.int64),
        np.zeros((hours, limits), np.bool_),
    )


@compiled
def _write(
    answers: HourAnswers, hour: int, candidates: Integers, on_path: PathWorst, shot: Answers, v_base: Floats
) -> None:
    """Put together what was found on the paths without the load and by shooting at the free candidates, in order."""
    at = 0
    for k in range(len(candidates)):
        i = candidates[k]
        answers.u_pu[hour, k] = v_base[i]
        if on_path.row[i] != NO_LIMIT:
            answers.is_existing[hour, k], answers.p_mw[hour, k] = True, 0.0
            answers.row[hour, k], answers.excess[hour, k] = on_path.row[i], on_path.excess[i]
            answers.head[hour, k], answers.via[hour, k] = on_path.head[i], on_path.via[i]
            continue
        if shot.outcome[at] == SETTLED:
            answers.p_mw[hour, k], answers.row[hour, k] = shot.p_mw[at], shot.row[at]
        answers.head[hour, k], answers.via[hour, k] = shot.head[at], shot.via[at]
        answers.noted_count[hour, k] = shot.noted_count[at]
        for m in range(NOTED_MAX):
            answers.noted[hour, k, m] = shot.noted[at, m]
        at += 1
