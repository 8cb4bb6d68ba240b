"""Trees that a choice of switches leaves: numbered depth first, loaded, limited and measured.

A position is a vertex of the tree (vertices joined by closed couplers are one) or the loose end of a line that is
switched off at its other end; at the same time it is the edge above. Position 0 is the source.
"""

from __future__ import annotations

import numpy as np

from gridmodel.capacity.arrays import Complexes, Integers
from gridmodel.capacity.constraints import SOLUTION_NOISE, Flags, Floats
from gridmodel.capacity.path.compiled import compiled
from gridmodel.capacity.switched_arrays import Switching, Wiring
from gridmodel.capacity.switched_edges import Equipment

NOTHING = -1
CHILD, PARENT = 0, 1


@compiled
def survey(wiring: Wiring, switching: Switching, start: int) -> tuple[int, int, int, int]:
    """Look at everything that hangs together with a vertex, sources left out.

    Returns:
        Edge to the one source, ``NOTHING`` when this is no tree that can be expressed; vertices without the source,
        closed couplers, loose ends.
    """
    count = len(wiring.is_source)
    seen, stack = np.zeros(count, np.bool_), np.empty(count, np.int64)
    vertices, couplers, loose, halves, root = 0, 0, 0, 0, NOTHING
    if wiring.is_source[start] or switching.is_dead[start]:
        return NOTHING, 0, 0, 0
    size = 1
    stack[0], seen[start] = start, True
    while size > 0:
        size -= 1
        here = stack[size]
        vertices += 1
        if wiring.is_barred[here]:
            return NOTHING, 0, 0, 0
        for at in range(wiring.start[here], wiring.start[here + 1]):
            edge = wiring.edge[at]
            side = 0 if wiring.ends[edge, 0] == here else 1
            if switching.is_dead_edge[edge] or switching.opened[edge, side] > 0:
                continue
            if switching.opened[edge, 1 - side] > 0:
                loose += 1
                continue
            far = wiring.ends[edge, 1 - side]
            if switching.is_dead[far]:
                return NOTHING, 0, 0, 0
            if wiring.is_source[far]:
                if wiring.is_coupler[edge] or root != NOTHING:
                    return NOTHING, 0, 0, 0
                root = edge
                continue
            halves += 1
            couplers += wiring.is_coupler[edge]
            if not seen[far]:
                seen[far] = True
                stack[size] = far
                size += 1
    if halves != 2 * (vertices - 1):
        return NOTHING, 0, 0, 0
    return root, vertices, couplers // 2, loose


@compiled
def number_positions(
    wiring: Wiring, switching: Switching, root: int, vertices: int, couplers: int, loose: int
) -> tuple[Integers, Integers, Integers, Integers, Integers, Integers]:
    """Number what :func:`survey` has found, from its source down.

    Returns:
        Vertices with the source, shape (vertices + 1,), their positions, then per position: parent, first position
        after the subtree, edge above (``NOTHING`` at the source), and which end of that edge is here.
    """
    count = vertices - couplers + loose + 1
    parent, end = np.full(count, NOTHING, np.int64), np.arange(1, count + 1)
    above, lower = np.full(count, NOTHING, np.int64), np.zeros(count, np.int64)
    vertex, position = np.empty(vertices + 1, np.int64), np.empty(vertices + 1, np.int64)
    at_vertex = np.empty(count + couplers, np.int64)
    at_parent, at_edge, at_side = at_vertex.copy(), at_vertex.copy(), at_vertex.copy()
    source_end = 0 if wiring.is_source[wiring.ends[root, 0]] else 1
    vertex[0], position[0] = wiring.ends[root, source_end], 0
    at_vertex[0], at_parent[0], at_edge[0], at_side[0] = wiring.ends[root, 1 - source_end], 0, root, 1 - source_end
    size, listed, free = 1, 1, 1
    while size > 0:
        size -= 1
        here, via = at_vertex[size], at_edge[size]
        if wiring.is_coupler[via]:
            now = at_parent[size]
        else:
            now = free
            parent[now], above[now], lower[now] = at_parent[size], via, at_side[size]
            free += 1
        if here == NOTHING:
            continue
        vertex[listed], position[listed] = here, now
        listed += 1
        for at in range(wiring.start[here], wiring.start[here + 1]):
            edge = wiring.edge[at]
            side = 0 if wiring.ends[edge, 0] == here else 1
            if edge == via or switching.is_dead_edge[edge] or switching.opened[edge, side] > 0:
                continue
            is_loose = switching.opened[edge, 1 - side] > 0
            at_vertex[size] = NOTHING if is_loose else wiring.ends[edge, 1 - side]
            at_parent[size], at_edge[size], at_side[size] = now, edge, 1 - side
            size += 1
    for i in range(count - 1, 0, -1):
        if end[i] > end[parent[i]]:
            end[parent[i]] = end[i]
    return vertex, position, parent, end, above, lower


@compiled
def load_positions(
    equipment: Equipment, vertex: Integers, position: Integers, above: Integers, lower: Integers
) -> tuple[Complexes, Complexes]:
    """Return the two-port above each position, shape (4, positions), and its load, shape (3, positions)."""
    count = len(above)
    two_port, load = np.zeros((4, count), np.complex128), np.zeros((3, count), np.complex128)
    two_port[0, 0] = two_port[3, 0] = 1.0
    for i in range(1, count):
        for k in range(4):
            two_port[k, i] = equipment.two_port[above[i], lower[i], k]
    for at in range(1, len(vertex)):
        i, k = position[at], vertex[at]
        load[0, i] += equipment.s_constant[k]
        load[1, i] += equipment.s_linear[k]
        load[2, i] += equipment.s_square[k]
    return two_port, load


@compiled
def measure_positions(
    equipment: Equipment,
    vertex: Integers,
    position: Integers,
    parent: Integers,
    above: Integers,
    lower: Integers,
    two_port: Complexes,
    voltage: Complexes,
    current: Complexes,
    values: Floats,
) -> tuple[Integers, Integers]:
    """Write what a solved tree measures against its limits into ``values`` (NaN before), shape (limits,).

    Returns:
        The limits, and the position of each: of the vertex, or of the edge above.
    """
    count = 0
    for i in range(1, len(above)):
        count += equipment.term_start[above[i] + 1] - equipment.term_start[above[i]]
    for k in vertex:
        count += equipment.volt_start[k + 1] - equipment.volt_start[k]
    rows, places = np.empty(count, np.int64), np.empty(count, np.int64)
    found = 0
    for at in range(len(vertex)):
        for k in range(equipment.volt_start[vertex[at]], equipment.volt_start[vertex[at] + 1]):
            rows[found], places[found] = equipment.volt_row[k], position[at]
            values[rows[found]] = abs(voltage[position[at]])
            found += 1
    for i in range(1, len(above)):
        child, upper = flows(equipment, i, parent, above, two_port, voltage, current)
        for k in range(equipment.term_start[above[i]], equipment.term_start[above[i] + 1]):
            row = equipment.term_row[k]
            flow = child if equipment.term_end[k] == lower[i] else upper
            ratio = flow * equipment.term_scale[k]
            if not values[row] >= ratio:
                if np.isnan(values[row]):
                    rows[found], places[found] = row, i
                    found += 1
                values[row] = ratio
    return rows[:found], places[:found]


@compiled
def flows(
    equipment: Equipment,
    i: int,
    parent: Integers,
    above: Integers,
    two_port: Complexes,
    voltage: Complexes,
    current: Complexes,
) -> tuple[float, float]:
    """Return the flow at the lower and the upper end of the edge above position ``i`` (pu or MVA)."""
    child, upper = abs(current[i]), abs(two_port[2, i] * voltage[i] + two_port[3, i] * current[i])
    if equipment.is_power[above[i]]:
        return child * abs(voltage[i]), upper * abs(voltage[parent[i]])
    return child, upper


@compiled
def off_path_limit(limit: float, effect: float, sign: float, value: float) -> float:
    """Return where a limit counts off the supply path; NaN where it does not.

    With an effect threshold it is moved away from the value without extra load; else a broken one is left out.
    """
    if effect > 0.0:
        return sign * max(sign * limit, sign * value + effect)
    return np.nan if sign * (value - limit) > SOLUTION_NOISE else limit


@compiled
def limit_voltages(
    equipment: Equipment,
    vertex: Integers,
    position: Integers,
    count: int,
    limits: Floats,
    signs: Floats,
    effects: Floats,
    values: Floats,
) -> tuple[Floats, Integers]:
    """Return lowest voltages and their limits on and off the supply path, each of shape (2, positions)."""
    lowest, row_of = np.full((2, count), -np.inf), np.full((2, count), NOTHING, np.int64)
    for at in range(1, len(vertex)):
        i = position[at]
        for k in range(equipment.volt_start[vertex[at]], equipment.volt_start[vertex[at] + 1]):
            row = equipment.volt_row[k]
            if signs[row] > 0.0:
                continue
            off = off_path_limit(limits[row], effects[row], signs[row], values[row])
            for of, limit in enumerate((limits[row], off)):
                if limit > lowest[of, i]:
                    lowest[of, i], row_of[of, i] = limit, row
    return lowest, row_of


@compiled
def limit_flows(
    equipment: Equipment,
    above: Integers,
    lower: Integers,
    limits: Floats,
    signs: Floats,
    effects: Floats,
    values: Floats,
) -> tuple[Floats, Integers]:
    """Return greatest flows and their limits on and off the supply path, each of shape (2, positions, ends)."""
    count = len(above)
    greatest, row_of = np.full((2, count, 2), np.inf), np.full((2, count, 2), NOTHING, np.int64)
    for i in range(1, count):
        for k in range(equipment.term_start[above[i]], equipment.term_start[above[i] + 1]):
            row = equipment.term_row[k]
            end = CHILD if equipment.term_end[k] == lower[i] else PARENT
            off = off_path_limit(limits[row], effects[row], signs[row], values[row])
            for of, limit in enumerate((limits[row], off)):
                if limit / equipment.term_scale[k] < greatest[of, i, end]:
                    greatest[of, i, end], row_of[of, i, end] = limit / equipment.term_scale[k], row
    return greatest, row_of


@compiled
def end_paths(
    equipment: Equipment, vertex: Integers, position: Integers, above: Integers, lower: Integers
) -> tuple[Flags, Flags, bool]:
    """Return where the supply path ends with the edge above, what is a star point, and whether all stars fit.

    A three-winding transformer that is not fed from its high side is left to other engines.
    """
    count = len(above)
    ends_path, is_star, fits = np.zeros(count, np.bool_), np.zeros(count, np.bool_), True
    for i in range(1, count):
        ends_path[i] = equipment.main_low_end[above[i]] == lower[i]
    for at in range(1, len(vertex)):
        feed, i = equipment.star_feed[vertex[at]], position[at]
        if feed != NOTHING:
            is_star[i] = True
            fits = fits and above[i] == feed
            ends_path[i] = ends_path[i] or equipment.is_main_star[vertex[at]]
    return ends_path, is_star, fits
