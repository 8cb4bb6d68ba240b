"""Load flow of a tree by backward and forward sweeps (前推回代): currents up, voltages down, until nothing moves."""

from __future__ import annotations

import math

import numpy as np

from gridmodel.capacity.arrays import Complexes
from gridmodel.capacity.path.compiled import compiled
from gridmodel.capacity.path.tree import Tree

TOLERANCE_PU = 1e-11
SWEEPS_MAX = 200
_FAR_PU = 10.0
"""A voltage that moves by more than this in one sweep has no solution to go to."""


@compiled
def _scaled(z: complex, factor: float) -> complex:
    """Return ``z * factor``; numba would make the factor complex and multiply twice as much."""
    return complex(z.real * factor, z.imag * factor)


@compiled
def _square(z: complex) -> float:
    """Return ``|z|^2``."""
    return z.real * z.real + z.imag * z.imag


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
            square = _square(voltage[i])
            s = tree.s_constant[i] + _scaled(tree.s_square[i], square)
            if tree.s_linear[i] != 0.0:
                s += _scaled(tree.s_linear[i], math.sqrt(square))
            if i == at:
                s += s_extra
            current[i] = _scaled(np.conj(s) * voltage[i], 1.0 / square)
        for i in range(last - 1, first, -1):
            current[tree.parent[i]] += tree.i_from_v[i] * voltage[i] + tree.i_from_j[i] * current[i]
        error = 0.0
        voltage[first] = tree.v_source[first]
        for i in range(first + 1, last):
            ratio = tree.v_from_v[i]
            reached = voltage[tree.parent[i]] - tree.v_from_j[i] * current[i]
            v_new = _scaled(reached * np.conj(ratio), 1.0 / _square(ratio))  # numba's own division is far slower
            moved = v_new - voltage[i]
            error = max(error, _square(moved))
            voltage[i] = v_new
        if error < tolerance_pu * tolerance_pu:
            return count + 1
        if not error < _FAR_PU * _FAR_PU:
            return -1
    return -1


@compiled
def start_flat(tree: Tree, first: int, last: int, voltage: Complexes) -> None:
    """Put the voltages without any load into one island."""
    voltage[first] = tree.v_source[first]
    for i in range(first + 1, last):
        voltage[i] = voltage[tree.parent[i]] / tree.v_from_v[i]
