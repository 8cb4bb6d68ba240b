"""Limits of every tree position, for a candidate's own supply path (on) and for everything else (off).

For a load these are lower voltage limits and flow limits, for generation upper voltage limits and flow limits.

Off the path a limit counts only as attribution says: from an effect threshold on, the connection must have moved the
value by at least the effect, so the limit is moved away from the base value; without threshold, a limit broken in the
base case does not count at all. Both are again plain limits, which is why one number per element and case is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gridmodel.capacity.arrays import FlowArrays, Integers, Terms
from gridmodel.capacity.constraints import SOLUTION_NOISE, Constraints, Flags, Floats, Kind
from gridmodel.capacity.direction import Direction, sign_of
from gridmodel.capacity.path.compiled import compiled
from gridmodel.capacity.path.tree import NOWHERE, Forest
from gridmodel.net import Net
from gridmodel.topology import LOW_VOLTAGE_KV_MAX

NO_LIMIT = -1
VOLTAGE: dict[Direction, Kind] = {"load": "voltage_low", "generation": "voltage_high"}
"""The voltage limits that stop a connection."""
OTHER_VOLTAGE: dict[Direction, Kind] = {"load": "voltage_high", "generation": "voltage_low"}
"""Those that do not."""
CHILD, PARENT = 0, 1
"""Ends of the branch above a position, the second index of the flow arrays."""


class Bounds(NamedTuple):
    """Limits per tree position; rows are positions in the constraints, ``NO_LIMIT`` where there is none."""

    v_on: Floats
    """Lowest voltage on the path (pu), shape (positions,); -inf = no limit. For generation the highest; inf = none."""
    v_on_row: Integers
    v_off: Floats
    v_off_row: Integers
    flow_on: Floats
    """Greatest flow at each end of the branch above, shape (positions, 2); inf = no limit."""
    flow_on_row: Integers
    flow_off: Floats
    flow_off_row: Integers
    is_power: Flags
    """The flow is an apparent power (MVA); else a current (pu on 1 MVA). Shape (positions,)."""
    ends_path: Flags
    """The branch above is a main transformer feeding downwards: the supply path ends with it."""
    is_star: Flags
    """Star point of a three-winding transformer: the windings below share one limit."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Placement:
    """Where limits and special branches stand in the forest."""

    position: Integers
    """Position of each limit, shape (limits,); the star point for a three-winding transformer."""
    ends_path: Flags
    is_star: Flags
    is_power: Flags
    declined: Integers
    """Islands whose three-winding transformers are not fed from the high side, or with mixed parallel elements."""


def place_limits(net: Net, arrays: FlowArrays, terms: Terms, constraints: Constraints, forest: Forest) -> Placement:
    """Return where everything stands."""
    count = len(forest.node)
    ends_path, is_star = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    position = np.full(len(constraints), NOWHERE, dtype=np.int64)
    for table in ("line", "trafo"):
        if table in arrays.branch_row:
            branch = arrays.branch_row[table]
            position[constraints.tables == table] = _position_of(branch, forest)
    if "trafo" in arrays.branch_row:
        branch = arrays.branch_row["trafo"]
        is_main = (net.trafo.vn_lv_kv.to_numpy(dtype=float) > LOW_VOLTAGE_KV_MAX) & (branch >= 0)
        main = branch[is_main]
        main = main[(forest.position_of_branch[main] >= 0) & ~forest.from_is_child[main]]
        ends_path[forest.position_of_branch[main]] = True
    declined = []
    if "trafo3w" in arrays.branch_row:
        stars, is_fed_from_high_side = _star_positions(arrays, forest)
        position[constraints.tables == "trafo3w"] = stars
        good = (stars != NOWHERE) & is_fed_from_high_side
        is_star[stars[good]] = True
        is_main = net.trafo3w.vn_mv_kv.to_numpy(dtype=float) > LOW_VOLTAGE_KV_MAX
        ends_path[stars[good & is_main]] = True
        declined.append(_islands_of_bad_stars(arrays, is_fed_from_high_side))
    is_bus = constraints.tables == "bus"
    position[is_bus] = _position_of_buses(arrays, forest, constraints.elements[is_bus])
    is_power, mixed = _flow_kinds(terms, forest)
    declined.append(arrays.island_of_node[forest.node[mixed]])
    return Placement(
        position=position,
        ends_path=ends_path,
        is_star=is_star,
        is_power=is_power,
        declined=np.unique(np.concatenate(declined)).astype(np.int64),
    )


def _position_of(branch: Integers, forest: Forest) -> Integers:
    return np.where(branch >= 0, forest.position_of_branch[branch], NOWHERE)


def _position_of_buses(arrays: FlowArrays, forest: Forest, buses: Integers) -> Integers:
    node = arrays.node_of_bus[buses]
    return np.where(node >= 0, forest.position_of_node[node], NOWHERE)


def _star_positions(arrays: FlowArrays, forest: Forest) -> tuple[Integers, Flags]:
    """Return the star position of each three-winding transformer, and whether its high side feeds the others."""
    high, middle, low = np.split(arrays.branch_row["trafo3w"], 3)
    stars = _position_of(high, forest)
    is_fed = np.where(stars != NOWHERE, ~forest.from_is_child[high], (middle < 0) & (low < 0) & (high < 0))
    return stars, is_fed


def _islands_of_bad_stars(arrays: FlowArrays, is_fed_from_high_side: Flags) -> Integers:
    windings = np.stack(np.split(arrays.branch_row["trafo3w"], 3))[:, ~is_fed_from_high_side]
    return arrays.island_of_branch[windings[windings >= 0]]


def _flow_kinds(terms: Terms, forest: Forest) -> tuple[Flags, Integers]:
    """Return whether a power limits the branch above each position, and the positions where a current does as well."""
    position = forest.position_of_branch[terms.branch]
    by_power, by_current = np.zeros((2, len(forest.node)), dtype=bool)
    by_power[position[(position >= 0) & ~terms.is_current]] = True
    by_current[position[(position >= 0) & terms.is_current]] = True
    return by_power, np.flatnonzero(by_power & by_current).astype(np.int64)


def place_bounds(
    terms: Terms,
    constraints: Constraints,
    base: Floats,
    usable: Flags,
    forest: Forest,
    placement: Placement,
    direction: Direction = "load",
) -> tuple[Bounds, Bounds]:
    """Return the limits of every position, and the same with literal limits off the path.

    The latter are the limits as they stand, without those broken in the base case: what breaks them but not the
    former is violated and not attributed.

    Args:
        terms: How loadings follow from branch ends.
        constraints: Limits of the net.
        base: Their values without extra load, shape (limits,).
        usable: Which limits count at all, shape (limits,).
        forest: The trees.
        placement: Of these limits in this forest.
        direction: What is connected.
    """
    on = np.where(usable & ~constraints.is_kind(OTHER_VOLTAGE[direction]), constraints.limits, np.nan)
    sign = constraints.signs
    with np.errstate(invalid="ignore"):
        literal = np.where(sign * (base - on) > SOLUTION_NOISE, np.nan, on)
        moved = sign * np.fmax(sign * on, sign * base + constraints.effects)
    off = np.where(np.isnan(on), np.nan, np.where(constraints.effects > 0.0, moved, literal))
    (v_on, v_on_row, flow_on, flow_on_row), *others = (
        _by_position(limit, terms, constraints, forest, placement, direction) for limit in (on, off, literal)
    )
    attributed, as_it_stands = (
        Bounds(
            v_on=v_on,
            v_on_row=v_on_row,
            v_off=v_off,
            v_off_row=v_off_row,
            flow_on=flow_on,
            flow_on_row=flow_on_row,
            flow_off=flow_off,
            flow_off_row=flow_off_row,
            is_power=placement.is_power,
            ends_path=placement.ends_path,
            is_star=placement.is_star,
        )
        for v_off, v_off_row, flow_off, flow_off_row in others
    )
    return attributed, as_it_stands


def _by_position(
    limit: Floats,
    terms: Terms,
    constraints: Constraints,
    forest: Forest,
    placement: Placement,
    direction: Direction,
) -> tuple[Floats, Integers, Floats, Integers]:
    """Return voltage and greatest flows of each position by ``limit`` (NaN = none), each with its row."""
    count, sign = len(forest.node), sign_of(direction)
    at = np.flatnonzero(constraints.is_kind(VOLTAGE[direction]) & (placement.position != NOWHERE))
    v, v_row = _tightest(placement.position[at], -sign * limit[at], at, count)
    inside = np.flatnonzero(forest.position_of_branch[terms.branch] != NOWHERE)
    branch, row = terms.branch[inside], terms.row[inside]
    side = np.where((terms.end[inside] == 0) == forest.from_is_child[branch], CHILD, PARENT)
    greatest = limit[row] / (np.abs(forest.share[branch]) * terms.scale[inside])
    flow, flow_row = _tightest(forest.position_of_branch[branch] * 2 + side, greatest, row, 2 * count)
    return -sign * v, v_row, flow.reshape(count, 2), flow_row.reshape(count, 2)


@compiled
def _tightest(place: Integers, limit: Floats, row: Integers, count: int) -> tuple[Floats, Integers]:
    """Return the least limit of each place and its row, of equals the first; inf and ``NO_LIMIT`` without any."""
    least, of_row = np.full(count, np.inf), np.full(count, NO_LIMIT, np.int64)
    for at in range(len(place)):
        here, value = place[at], limit[at]
        if value < least[here] or (value == least[here] and row[at] < of_row[here]):
            least[here], of_row[here] = value, row[at]
    return least, of_row
