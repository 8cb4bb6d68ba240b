"""Which transformers stand above a bus: those of its transformer area (台区) and its main transformers (主变)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.base_case import BaseCase
from gridmodel.capacity.constraints import Flags
from gridmodel.capacity.path.supply import marks_on_path
from gridmodel.capacity.path.tree import NOWHERE, Forest
from gridmodel.net import Net
from gridmodel.topology import LOW_VOLTAGE_KV_MAX


@dataclass(frozen=True, slots=True)
class Above:
    """Transformers on the supply path of a bus, each group ascending."""

    area: tuple[int, ...] = ()
    """With a low-voltage side up to 1 kV; several that feed in parallel count together."""
    mains: tuple[int, ...] = ()


class Upstream:
    """Transformers above every bus of one base case: read from the trees, where there are some."""

    def __init__(self, base: BaseCase) -> None:
        """Walk down all trees once."""
        self._base = base
        self._known: dict[tuple[int, int], Above] = {}

    def groups(self, buses: Integers) -> tuple[list[Above], Integers]:
        """Return the groups of transformers above some buses, and which of them is above each, shape (buses,).

        There are none above a bus that is not supplied.
        """
        position = self._positions(buses)
        at = np.where(position == NOWHERE, 0, position)
        area, main, is_plain = (column[at] for column in self._nearest)
        is_plain = is_plain & (position != NOWHERE)
        is_known = is_plain | self._is_bare(buses)
        pairs = np.where(is_plain, np.stack([area, main]), NOWHERE)
        number = (pairs[0] + 1) * (pairs[1].max(initial=0) + 2) + pairs[1] + 1
        _, first, which = np.unique(number, return_index=True, return_inverse=True)
        groups = [self._group(*pair) for pair in pairs[:, first].T.tolist()]
        for place in np.flatnonzero(~is_known).tolist():
            which[place] = len(groups)
            groups.append(self._by_topology(int(buses[place])))
        return groups, which.astype(np.int64)

    def _is_bare(self, buses: Integers) -> Flags:
        """Return which buses have nothing above them: at a source, or without supply."""
        flow = self._base.flow
        if flow is None or self._base.unsolved:
            return np.zeros(len(buses), dtype=bool)
        node = flow.arrays.node_of_bus[buses]
        return np.where(node >= 0, flow.arrays.is_source[node], True)

    def _positions(self, buses: Integers) -> Integers:
        flow = self._base.flow
        if flow is None or flow.forest is None:
            return np.full(len(buses), NOWHERE, dtype=np.int64)
        node = flow.arrays.node_of_bus[buses]
        return np.where(node >= 0, flow.forest.position_of_node[node], NOWHERE)

    @cached_property
    def _nearest(self) -> tuple[Integers, Integers, Flags]:
        """Return per position the nearest area and main transformer's position, and whether there are no others."""
        flow = self._base.flow
        if flow is None or flow.forest is None:
            nothing = np.full(1, NOWHERE, dtype=np.int64)
            return nothing, nothing, np.zeros(1, dtype=bool)
        forest, net, count = flow.forest, self._base.original, len(flow.forest.node)
        positions = self._positions_of_transformers
        is_main, is_here = is_main_transformer(net), positions != NOWHERE
        ends_path = np.zeros(count, dtype=bool)
        ends_path[_ends_of_paths(net, flow.arrays.branch_row, forest)] = True
        nearest = []
        is_plain = np.ones(count, dtype=bool)
        for chosen in (~is_main & is_here, is_main & is_here):
            mark = np.full(count, NOWHERE, dtype=np.int64)
            mark[positions[chosen]] = positions[chosen]
            marks = marks_on_path(forest.tree, ends_path, mark)
            nearest.append(marks.nearest)
            # a second one above the nearest: in series, so that they are not one group
            parent = np.where(forest.tree.parent == NOWHERE, 0, forest.tree.parent)
            inherits = (forest.tree.parent != NOWHERE) & ~ends_path
            is_second = (mark != NOWHERE) & inherits & (marks.nearest[parent] != NOWHERE)
            again = np.where(is_second, 1, NOWHERE).astype(np.int64)
            is_plain &= marks_on_path(forest.tree, ends_path, again).nearest == NOWHERE
        return nearest[0], nearest[1], is_plain

    @cached_property
    def _positions_of_transformers(self) -> Integers:
        flow, count = self._base.flow, len(self._base.original.trafo)
        if flow is None or flow.forest is None or "trafo" not in flow.arrays.branch_row:
            return np.full(count, NOWHERE, dtype=np.int64)
        branch = flow.arrays.branch_row["trafo"]
        return np.where(branch >= 0, flow.forest.position_of_branch[branch], NOWHERE)

    @cached_property
    def _transformers_at(self) -> dict[int, tuple[int, ...]]:
        found: dict[int, list[int]] = {}
        index = self._base.original.trafo.index.tolist()
        for element, position in zip(index, self._positions_of_transformers.tolist(), strict=True):
            found.setdefault(position, []).append(element)
        return {position: tuple(sorted(elements)) for position, elements in found.items()}

    def _group(self, area: int, main: int) -> Above:
        key = (area, main)
        if key not in self._known:
            groups = (() if at == NOWHERE else self._transformers_at[at] for at in key)
            self._known[key] = Above(*groups)
        return self._known[key]

    def _by_topology(self, bus: int) -> Above:
        trafos = self._base.topology.path(bus).trafos
        mains = set(self._base.original.trafo.index[is_main_transformer(self._base.original)].tolist())
        return Above(tuple(sorted(set(trafos) - mains)), tuple(sorted(mains.intersection(trafos))))


def is_main_transformer(net: Net) -> Flags:
    """Return which two-winding transformers are main transformers, shape (transformers,)."""
    return np.asarray(net.trafo.vn_lv_kv.to_numpy(dtype=float) > LOW_VOLTAGE_KV_MAX)


def _ends_of_paths(net: Net, branch_row: dict[str, Integers], forest: Forest) -> Integers:
    """Return the positions below which a main transformer, two- or three-winding, feeds downwards."""
    ends = [np.zeros(0, dtype=np.int64)]
    for table, is_main in (
        ("trafo", is_main_transformer(net)),
        ("trafo3w", net.trafo3w.vn_mv_kv.to_numpy(dtype=float) > LOW_VOLTAGE_KV_MAX),
    ):
        if table in branch_row:
            branch = branch_row[table][: len(is_main)]  # of a three-winding transformer the winding of the high side
            branch = branch[is_main & (branch >= 0)]
            position = forest.position_of_branch[branch]
            ends.append(position[(position != NOWHERE) & ~forest.from_is_child[branch]])
    return np.concatenate(ends)
