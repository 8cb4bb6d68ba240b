"""Load flow of a tree by backward and forward sweeps (前推回代): currents up, voltages down, until nothing moves."""

from __future__ import annotations

import numpy as np

from gridmodel.capacity.arrays import Complexes
from gridmodel.capacity.path.compiled import compiled
from gridmodel.capacity.path.tree import Tree

TOLERANCE_PU = 1e-11
SWEEPS_MAX = 200


@compiled
def sweep(
    tree: Tree,
    first: int,
    last: int,
    s_extra: complex,
    at: int,
    voltage: Complexes,
    current: Complexes,
    tolerance_pu: float = TOLERANCE_PU,
) -> int:
    """Solve one island in place and return the number of sweeps, -1 without solution.

    Args:
        tree: The forest.
        first: Position of the island's source.
        last: First position after the island.
        s_extra: Extra consumed power (MVA).
        at: Position of that extra power, -1 for nowhere.
        voltage: Start in, solution out (pu, angle relative to the source), shape (positions,).
        current: Delivered to each position (pu), out.
        tolerance_pu: Greatest change of a voltage in the last sweep.
    """
    for count in range(SWEEPS_MAX):
        for i in range(first, last):
            v = abs(voltage[i])
            s = tree.s_constant[i] + v * (tree.s_linear[i] + v * tree.s_square[i])
            if i == at:
                s += s_extra
            current[i] = np.conj(s / voltage[i])
        for i in range(last - 1, first, -1):
            current[tree.parent[i]] += tree.i_from_v[i] * voltage[i] + tree.i_from_j[i] * current[i]
        error = 0.0
        voltage[first] = tree.v_source[first]
        for i in range(first + 1, last):
            v_new = (voltage[tree.parent[i]] - tree.v_from_j[i] * current[i]) / tree.v_from_v[i]
            error = max(error, abs(v_new - voltage[i]))
            voltage[i] = v_new
        if error < tolerance_pu:
            return count + 1
        if not error < 10.0:
            return -1
    return -1


@compiled
def start_flat(tree: Tree, first: int, last: int, voltage: Complexes) -> None:
    """Put the voltages without any load into one island."""
    voltage[first] = tree.v_source[first]
    for i in range(first + 1, last):
        voltage[i] = voltage[tree.parent[i]] / tree.v_from_v[i]
