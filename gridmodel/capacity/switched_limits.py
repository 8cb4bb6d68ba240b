"""What a solved tree of a state measures, and its limits on and off the supply path."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gridmodel.capacity.arrays import Complexes, Integers
from gridmodel.capacity.constraints import SOLUTION_NOISE, Flags, Floats
from gridmodel.capacity.path.bounds import CHILD, PARENT
from gridmodel.capacity.path.compiled import compiled, magnitude
from gridmodel.capacity.switched_edges import NOTHING, Equipment
from gridmodel.capacity.switched_trees import Furnished, Planted


class Limited(NamedTuple):
    """What a solved tree measures, and the limits on and off the supply path."""

    rows: Integers
    """Limits of elements of the tree."""
    places: Integers
    """Position of each: of its vertex, or of the edge above."""
    lowest: Floats
    """Lowest voltages (pu) on and off the path, shape (2, positions)."""
    lowest_row: Integers
    greatest: Floats
    """Greatest flows (pu or MVA) on and off the path, shape (2, positions, ends)."""
    greatest_row: Integers
    excess: Floats
    """Of the limit that is broken most without extra load at each position (pu or ratio), over-voltages left out; -inf
    where none is."""
    excess_row: Integers
    is_any_broken: bool


@compiled
def limit(
    equipment: Equipment,
    planted: Planted,
    furnished: Furnished,
    voltage: Complexes,
    current: Complexes,
    limits: Floats,
    signs: Floats,
    effects: Floats,
    is_high: Flags,
    values: Floats,
) -> Limited:
    """Write what a solved tree measures into ``values`` (NaN before), and return its limits.

    Args:
        equipment: Of the net.
        planted: The tree.
        furnished: What stands on it.
        voltage: Solution (pu), shape (positions,).
        current: Delivered to each position (pu).
        limits: As in the constraints, shape (limits,).
        signs: The same.
        effects: The same.
        is_high: Upper voltage limits.
        values: Shape (limits,).
    """
    rows, places = _measure(equipment, planted, furnished, voltage, current, values)
    lowest, lowest_row = _limit_voltages(equipment, planted, limits, signs, effects, values)
    greatest, greatest_row = _limit_flows(equipment, planted, limits, signs, effects, values)
    excess, excess_row = np.full(len(planted.above), -np.inf), np.full(len(planted.above), NOTHING, np.int64)
    is_any_broken = False
    for at in range(len(rows)):
        row, i = rows[at], places[at]
        over = signs[row] * (values[row] - limits[row])
        if over > SOLUTION_NOISE and not is_high[row]:
            is_any_broken = True
            if over > excess[i] or (over == excess[i] and row < excess_row[i]):
                excess[i], excess_row[i] = over, row
    return Limited(rows, places, lowest, lowest_row, greatest, greatest_row, excess, excess_row, is_any_broken)


@compiled
def _measure(
    equipment: Equipment,
    planted: Planted,
    furnished: Furnished,
    voltage: Complexes,
    current: Complexes,
    values: Floats,
) -> tuple[Integers, Integers]:
    count = 0
    for i in range(1, len(planted.above)):
        count += equipment.term_start[planted.above[i] + 1] - equipment.term_start[planted.above[i]]
    for k in planted.vertex:
        count += equipment.volt_start[k + 1] - equipment.volt_start[k]
    rows, places = np.empty(count, np.int64), np.empty(count, np.int64)
    found = 0
    for at in range(len(planted.vertex)):
        k, i = planted.vertex[at], planted.position[at]
        v = magnitude(voltage[i])
        for of in range(equipment.volt_start[k], equipment.volt_start[k + 1]):
            rows[found], places[found] = equipment.volt_row[of], i
            values[rows[found]] = v
            found += 1
    for i in range(1, len(planted.above)):
        edge = planted.above[i]
        child, upper = _flows(furnished, planted.parent[i], i, voltage, current)
        for k in range(equipment.term_start[edge], equipment.term_start[edge + 1]):
            row = equipment.term_row[k]
            ratio = (child if equipment.term_end[k] == planted.lower[i] else upper) * equipment.term_scale[k]
            if not values[row] >= ratio:
                if np.isnan(values[row]):
                    rows[found], places[found] = row, i
                    found += 1
                values[row] = ratio
    return rows[:found], places[:found]


@compiled
def _flows(furnished: Furnished, parent: int, i: int, voltage: Complexes, current: Complexes) -> tuple[float, float]:
    """Return the flow at the lower and the upper end of the edge above position ``i`` (pu or MVA)."""
    child = magnitude(current[i])
    upper = magnitude(furnished.two_port[2, i] * voltage[i] + furnished.two_port[3, i] * current[i])
    if furnished.is_power[i]:
        return child * magnitude(voltage[i]), upper * magnitude(voltage[parent])
    return child, upper


@compiled
def _off_path_limit(at_rest: float, effect: float, sign: float, value: float) -> float:
    """Return where a limit counts off the supply path; NaN where it does not.

    With an effect threshold it is moved away from the value without extra load; else a broken one is left out.
    """
    if effect > 0.0:
        return sign * max(sign * at_rest, sign * value + effect)
    return np.nan if sign * (value - at_rest) > SOLUTION_NOISE else at_rest


@compiled
def _limit_voltages(
    equipment: Equipment, planted: Planted, limits: Floats, signs: Floats, effects: Floats, values: Floats
) -> tuple[Floats, Integers]:
    count = len(planted.above)
    lowest, row_of = np.full((2, count), -np.inf), np.full((2, count), NOTHING, np.int64)
    for at in range(1, len(planted.vertex)):
        i, k = planted.position[at], planted.vertex[at]
        for of in range(equipment.volt_start[k], equipment.volt_start[k + 1]):
            row = equipment.volt_row[of]
            if signs[row] > 0.0:
                continue
            off = _off_path_limit(limits[row], effects[row], signs[row], values[row])
            for side, v in enumerate((limits[row], off)):
                if v > lowest[side, i]:
                    lowest[side, i], row_of[side, i] = v, row
    return lowest, row_of


@compiled
def _limit_flows(
    equipment: Equipment, planted: Planted, limits: Floats, signs: Floats, effects: Floats, values: Floats
) -> tuple[Floats, Integers]:
    count = len(planted.above)
    greatest, row_of = np.full((2, count, 2), np.inf), np.full((2, count, 2), NOTHING, np.int64)
    for i in range(1, count):
        edge = planted.above[i]
        for k in range(equipment.term_start[edge], equipment.term_start[edge + 1]):
            row, scale = equipment.term_row[k], equipment.term_scale[k]
            end = CHILD if equipment.term_end[k] == planted.lower[i] else PARENT
            off = _off_path_limit(limits[row], effects[row], signs[row], values[row])
            for side, ratio in enumerate((limits[row], off)):
                if ratio / scale < greatest[side, i, end]:
                    greatest[side, i, end], row_of[side, i, end] = ratio / scale, row
    return greatest, row_of
