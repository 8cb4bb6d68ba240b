"""Limits of every tree position, for a candidate's own supply path (on) and for everything else (off).

Off the path a limit counts only as attribution says: from an effect threshold on, the connection must have moved the
value by at least the effect, so the limit is moved away from the base value; without threshold, a limit broken in the
base case does not count at all. Both are again plain limits, which is why one number per element and case is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gridmodel.capacity.arrays import FlowArrays, Integers, Terms
from gridmodel.capacity.constraints import SOLUTION_NOISE, Constraints, Flags, Floats
from gridmodel.capacity.path.tree import NOWHERE, Forest
from gridmodel.net import Net
from gridmodel.topology import LOW_VOLTAGE_KV_MAX

NO_LIMIT = -1
CHILD, PARENT = 0, 1
"""Ends of the branch above a position, the second index of the flow arrays."""


class Bounds(NamedTuple):
    """Limits per tree position; rows are positions in the constraints, ``NO_LIMIT`` where there is none."""

    v_on: Floats
    """Lowest voltage on the path (pu), shape (positions,); -inf = no limit."""
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
    known = np.fromiter(arrays.node_of_bus, dtype=np.int64, count=len(arrays.node_of_bus))
    nodes = np.fromiter(arrays.node_of_bus.values(), dtype=np.int64, count=len(known))
    position_of_bus = np.full(max(known.max(initial=-1), buses.max(initial=-1)) + 1, NOWHERE, dtype=np.int64)
    position_of_bus[known] = forest.position_of_node[nodes]
    return np.asarray(position_of_bus[buses])


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
    terms: Terms, constraints: Constraints, base: Floats, usable: Flags, forest: Forest, placement: Placement
) -> Bounds:
    """Return the limits of every position.

    Args:
        terms: How loadings follow from branch ends.
        constraints: Limits of the net.
        base: Their values without extra load, shape (limits,).
        usable: Which limits count at all, shape (limits,).
        forest: The trees.
        placement: Of these limits in this forest.
    """
    on = np.where(usable & (constraints.kinds != "voltage_high"), constraints.limits, np.nan)
    off = _off_path_limits(constraints, base, on)
    at = np.flatnonzero((constraints.kinds == "voltage_low") & (placement.position != NOWHERE) & usable)
    side = _side(terms, forest)
    reach = np.abs(forest.share[terms.branch]) * terms.scale
    place = forest.position_of_branch[terms.branch] * 2 + side
    inside = forest.position_of_branch[terms.branch] != NOWHERE
    count = len(forest.node)
    tightest = []
    for limit in (on, off):
        v, v_row = _tightest(placement.position[at], -limit[at], at, count)
        flow, flow_row = _tightest(place[inside], (limit[terms.row] / reach)[inside], terms.row[inside], 2 * count)
        tightest.append((-v, v_row, flow.reshape(count, 2), flow_row.reshape(count, 2)))
    return Bounds(
        *tightest[0][:2],
        *tightest[1][:2],
        *tightest[0][2:],
        *tightest[1][2:],
        is_power=placement.is_power,
        ends_path=placement.ends_path,
        is_star=placement.is_star,
    )


def _off_path_limits(constraints: Constraints, base: Floats, limits: Floats) -> Floats:
    """Return the limits that count off the path; NaN = never."""
    sign = constraints.signs
    moved = sign * np.fmax(sign * limits, sign * base + constraints.effects)
    with np.errstate(invalid="ignore"):
        existed = sign * (base - limits) > SOLUTION_NOISE
    literal = np.where(existed, np.nan, limits)
    return np.where(np.isnan(limits), np.nan, np.where(constraints.effects > 0.0, moved, literal))


def _side(terms: Terms, forest: Forest) -> Integers:
    is_child = (terms.end == 0) == forest.from_is_child[terms.branch]
    return np.where(is_child, CHILD, PARENT).astype(np.int64)


def _tightest(place: Integers, limit: Floats, row: Integers, count: int) -> tuple[Floats, Integers]:
    """Return the least limit of each place and its row; inf and ``NO_LIMIT`` where nothing limits."""
    known = ~np.isnan(limit)
    place, limit, row = place[known], limit[known], row[known]
    descending = np.argsort(-limit, kind="stable")
    least, of_row = np.full(count, np.inf), np.full(count, NO_LIMIT, dtype=np.int64)
    least[place[descending]] = limit[descending]  # the last of equal places stays: the least
    of_row[place[descending]] = row[descending]
    return least, of_row
