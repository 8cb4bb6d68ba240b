"""The smallest capacity of each bus over the normal state and any number of post-fault states."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.constraints import TABLES, Flags, Floats
from gridmodel.capacity.path.answers import value_and_break_kw
from gridmodel.capacity.path.tree import NOWHERE
from gridmodel.capacity.post_fault_states import BY_TREE, PostFaultStates
from gridmodel.capacity.post_fault_tree import PostFaultTree
from gridmodel.capacity.rows import CEILING, EXISTING_VIOLATION, LIMIT_KINDS, NO_KIND, NO_LIMIT, Texts
from gridmodel.capacity.search import open_capacity
from gridmodel.capacity.switched_edges import NOTHING
from gridmodel.capacity.transfer import Outage

_TABLE_NAMES: Texts = np.array([*TABLES, None], dtype=object)
_NO_TABLE = len(TABLES)
_NORMAL = -1


class SmallestCapacities:
    """Columns over the buses asked for."""

    def __init__(self, states: PostFaultStates, normal: pd.DataFrame, *, ceiling_kw: float) -> None:
        """Start with the capacities of the normal state, a table of :func:`gridmodel.open_capacity`."""
        self._states, self._ceiling_kw = states, ceiling_kw
        self._bus = normal.index.to_numpy(dtype=np.int64)
        count = len(self._bus)
        self.state: Integers = np.full(count, _NORMAL, dtype=np.int64)
        """Number of the state with the smallest capacity; -1 = the normal one."""
        self._status: Texts = np.full(count, "assessed", dtype=object)
        self._capacity_kw: Floats = np.full(count, np.inf)
        self._kind = np.zeros(count, dtype=np.int8)
        self._table = np.full(count, _NO_TABLE, dtype=np.int8)
        self._element = np.zeros(count, dtype=np.int64)
        self._engine: Texts = np.full(count, "", dtype=object)
        self._keep_table(np.arange(count, dtype=np.int64), normal, _NORMAL)
        self._low_row = self._low_rows()
        switched = states.switched
        nowhere = np.full(len(states.base.constraints), NOTHING, dtype=np.int64)
        self._vertex_of_row = nowhere if switched is None else switched.equipment.vertex_of_row
        vertex = np.full(count, NOTHING, dtype=np.int64) if switched is None else switched.vertex_of_bus[self._bus]
        self._by_vertex = np.argsort(vertex, kind="stable")
        vertices = 0 if switched is None else len(switched.u_base_kv)
        self._first = np.searchsorted(vertex[self._by_vertex], np.arange(vertices + 1))

    def table(self) -> pd.DataFrame:
        """Return status, capacity, what limits it and engine of every bus; its state is in ``state``."""
        element = self._element.astype(object)
        element[self._table == _NO_TABLE] = None
        columns = {
            "status": self._status,
            "capacity_kw": self._capacity_kw,
            "limit_kind": LIMIT_KINDS[self._kind],
            "limit_table": _TABLE_NAMES[self._table],
            "limit_element": element,
            "engine": self._engine,
        }
        index = pd.Index(self._bus, name="bus")
        return pd.DataFrame({name: pd.Series(column, index=index) for name, column in columns.items()})

    def keep_state(self, number: int, outage: Outage) -> None:
        """Search the buses that hang together with the ties closed after an outage, and keep what is smaller.

        Args:
            number: Of the state.
            outage: With something restored.
        """
        trees: list[PostFaultTree] = []
        for tie, part in outage.restored:
            near = tie.bus_b if tie.bus_a in part else tie.bus_a
            vertex = self._states.vertex(near)
            if any(tree.position_of(vertex) != NOWHERE for tree in trees):
                continue
            tree = self._states.tree(outage.section, outage.ties, near)
            if tree is None:
                self._keep_by_net(number, outage, self._states.graph.joined(outage.section, outage.ties))
                return
            trees.append(tree)
        for tree in trees:
            self._keep_tree(number, outage, tree)

    def _keep_tree(self, number: int, outage: Outage, tree: PostFaultTree) -> None:
        places, positions = self._places_in(tree)
        if not len(places):
            return
        unique, of = np.unique(positions, return_inverse=True)
        found = tree.carry(unique, self._states.tan_phi)
        row, unrated = found.row[of], np.flatnonzero(found.is_unrated[of])
        self._keep(places[unrated], number, status="not_assessable", capacity_kw=np.nan)
        answered = np.flatnonzero(row != NO_LIMIT)
        value_kw, _ = value_and_break_kw(found.p_mw[of[answered]])
        self._keep_rows(
            number,
            places[answered],
            row[answered],
            value_kw,
            found.is_existing[of[answered]],
        )
        left = np.flatnonzero((row == NO_LIMIT) & ~found.is_unrated[of])
        if len(left):
            self._keep_by_net(number, outage, set(self._bus[places[left]].tolist()))

    def _places_in(self, tree: PostFaultTree) -> tuple[Integers, Integers]:
        """Return the places of buses in a tree and their positions; not those at the source."""
        vertex, position = tree.planted.vertex[1:], tree.planted.position[1:]
        count = self._first[vertex + 1] - self._first[vertex]
        start = np.repeat(self._first[vertex] - np.concatenate([[0], np.cumsum(count)[:-1]]), count)
        return self._by_vertex[start + np.arange(count.sum())], np.repeat(position, count)

    def _keep_rows(self, number: int, places: Integers, row: Integers, value_kw: Floats, is_existing: Flags) -> None:
        limits = self._states.base.constraints
        kind = np.where(is_existing, EXISTING_VIOLATION, limits.kind_codes[row])
        own = self._low_row[self._bus[places]]  # of several buses that are one node, each is named for itself
        is_own = (own != NO_LIMIT) & (self._vertex_of_row[own] == self._vertex_of_row[row])
        row = np.where(is_own & limits.is_kind("voltage_low")[row], own, row)
        is_free = value_kw >= self._ceiling_kw
        self._keep(
            places,
            number,
            capacity_kw=np.where(is_free, self._ceiling_kw, value_kw),
            kind=np.where(is_free, CEILING, kind),
            table=np.where(is_free, _NO_TABLE, limits.table_codes[row]),
            element=limits.elements[row],
            engine=BY_TREE,
        )

    def _keep_by_net(self, number: int, outage: Outage, buses: set[int]) -> None:
        """Search some buses in the net of the state."""
        states = self._states
        post = states.nets.state(outage.section, outage.ties)
        places = np.flatnonzero(np.isin(self._bus, list(buses)) & np.isin(self._bus, post.bus.index))
        if len(places):
            found = open_capacity(
                post,
                limits=states.limits,
                power_factor=states.power_factor,
                buses=self._bus[places].tolist(),
                ceiling_kw=self._ceiling_kw,
                confirm="none",
            )
            self._keep_table(places, found, number)

    def _keep_table(self, places: Integers, found: pd.DataFrame, number: int) -> None:
        kinds, tables = LIMIT_KINDS.tolist(), _TABLE_NAMES.tolist()
        self._keep(
            places,
            number,
            status=found.status.to_numpy(dtype=object),
            capacity_kw=found.capacity_kw.to_numpy(dtype=float),
            kind=np.array([kinds.index(kind) for kind in found.limit_kind], dtype=np.int8),
            table=np.array([tables.index(table) for table in found.limit_table], dtype=np.int8),
            element=np.array([0 if element is None else element for element in found.limit_element], dtype=np.int64),
            engine=found.engine.to_numpy(dtype=object),
        )

    def _keep(
        self,
        places: Integers,
        number: int,
        *,
        capacity_kw: Floats | float,
        status: Texts | str = "assessed",
        kind: Integers | int = NO_KIND,
        table: Integers | int = _NO_TABLE,
        element: Integers | int = 0,
        engine: Texts | str = "",
    ) -> None:
        """Keep what is smaller than everything before, or has no answer; no answer is final."""
        values = [np.broadcast_to(v, len(places)) for v in (capacity_kw, status, kind, table, element, engine)]
        kept: tuple[npt.NDArray[Any], ...] = (
            *(self._capacity_kw, self._status, self._kind),
            *(self._table, self._element, self._engine),
        )
        is_less = (values[1] != "assessed") | ~(values[0] >= self._capacity_kw[places])
        is_less &= self._status[places] == "assessed"
        chosen = places[is_less]
        for column, value in zip(kept, values, strict=True):
            np.put(column, chosen, value[is_less])
        self.state[chosen] = number

    def _low_rows(self) -> Integers:
        """Return the row of each bus's lower voltage limit by bus index; ``NO_LIMIT`` where there is none."""
        limits = self._states.base.constraints
        rows = np.flatnonzero(limits.is_kind("voltage_low") & np.isfinite(limits.limits))
        found = np.full(int(self._states.net.bus.index.max()) + 1, NO_LIMIT, dtype=np.int64)
        found[limits.elements[rows]] = rows
        return found
