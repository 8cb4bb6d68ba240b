"""Supply paths (供电路径) read from the tree: what of a position's way to the source belongs to them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gridmodel.capacity.arrays import FlowArrays, Integers
from gridmodel.capacity.constraints import Flags
from gridmodel.capacity.path.compiled import compiled
from gridmodel.capacity.path.tree import NOWHERE, Forest, Tree
from gridmodel.net import Net

_ENDS = {
    "line": ("from_bus", "to_bus"),
    "trafo": ("hv_bus", "lv_bus"),
    "impedance": ("from_bus", "to_bus"),
    "switch": ("bus", "element"),
}


class Marks(NamedTuple):
    """What of some marked positions lies on the supply path of each position; shape (positions,)."""

    greatest: Integers
    """Greatest mark on the path, -1 = none."""
    head: Integers
    """Position with that mark."""
    via: Integers
    """Position below ``head`` on the way; -1 at ``head`` itself."""
    nearest: Integers
    """Nearest marked position on the path, -1 = none."""


@compiled
def marks_on_path(tree: Tree, ends_path: Flags, mark: Integers) -> Marks:
    """Return what lies on the supply path of every position; ``mark`` is -1 where there is none."""
    marks = Marks(mark.copy(), np.full(len(mark), -1), np.full(len(mark), -1), np.full(len(mark), -1))
    for i in range(len(mark)):
        parent = tree.parent[i]
        if mark[i] >= 0:
            marks.head[i], marks.nearest[i] = i, i
        if parent < 0 or ends_path[i]:
            continue
        if marks.greatest[parent] > mark[i]:
            marks.greatest[i], marks.head[i] = marks.greatest[parent], marks.head[parent]
            marks.via[i] = i if marks.head[parent] == parent else marks.via[parent]
        if mark[i] < 0:
            marks.nearest[i] = marks.nearest[parent]
    return marks


def attach_buses(net: Net, arrays: FlowArrays, forest: Forest) -> Integers:
    """Return the bus at the upper end of the branch above each position; ``NOWHERE`` where it has no table of its own.

    Several buses may be one node (closed bus-bus switches); the path of a candidate touches the ones its branches
    are connected to.
    """
    attach = np.full(len(forest.node), NOWHERE, dtype=np.int64)
    for table, columns in _ENDS.items():
        branches = arrays.branch_row.get(table)
        if branches is None or len(branches) != len(net[table]):
            continue
        live = np.flatnonzero(branches >= 0)
        live = live[forest.position_of_branch[branches[live]] != NOWHERE]
        branch = branches[live]
        lower_is_from = forest.from_is_child[branch]
        from_bus, to_bus = (net[table][column].to_numpy()[live].astype(np.int64) for column in columns)
        attach[forest.position_of_branch[branch]] = np.where(lower_is_from, to_bus, from_bus)
    return attach
