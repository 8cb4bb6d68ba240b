"""Solves post-fault states of one net: as trees where they are trees, by the reference load flow where they are not."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from gridmodel.capacity.arrays import Complexes, Integers
from gridmodel.capacity.base_case import BaseCase, solve_base_case
from gridmodel.capacity.constraints import Floats
from gridmodel.capacity.limits import Limits
from gridmodel.capacity.path.answers import value_and_break_kw
from gridmodel.capacity.path.bounds import NO_LIMIT
from gridmodel.capacity.post_fault import PostFaultNets, Reading, Verdict, permitted_ranges
from gridmodel.capacity.post_fault_tree import PostFaultTree, grow_tree
from gridmodel.capacity.search import CEILING_KW, open_capacity
from gridmodel.capacity.sections import Section, Tie, sections_of, ties_of
from gridmodel.capacity.switched_arrays import SwitchedArrays, build_switched_arrays
from gridmodel.capacity.switched_edges import NOTHING
from gridmodel.capacity.switched_graph import SwitchedGraph
from gridmodel.errors import InputError
from gridmodel.net import Net
from gridmodel.topology import LOW_VOLTAGE_KV_MAX

_KVA_PER_MVA = 1e3
_ROOM_COLUMNS = ("limit_kind", "limit_table", "limit_element", "engine")
BY_TREE, BY_LOAD_FLOW = "path", "pandapower"


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What one place can take in one state, and what limits it."""

    kw: float = math.nan
    """Rounded down to 0.1; NaN where there is no answer."""
    limit_kind: str | None = None
    limit_table: str | None = None
    limit_element: int | None = None
    engine: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One solved state of a transfer."""

    verdict: Verdict
    extra: Room
    """Further load at the lost side of the tie; without answer unless the state is legal."""
    engine: str


class PostFaultStates:
    """States of one net, its ties and sections."""

    def __init__(self, net: Net, limits: Limits, *, power_factor: float) -> None:
        """Find ties and sections and solve the normal state.

        Args:
            net: Network in its normal state.
            limits: Limits after the fault.
            power_factor: Of further load, lagging, in (0, 1].

        Raises:
            InputError: The power factor is outside its range.
        """
        if not 0.0 < power_factor <= 1.0:
            raise InputError("power factor out of range", field="power_factor", value=power_factor, allowed="(0, 1]")
        self.net, self.limits, self.power_factor = net, limits, power_factor
        self.base: BaseCase = solve_base_case(net, limits)
        self.feeders: pd.DataFrame = self.base.topology.feeders()
        self.ties: list[Tie] = ties_of(net, self.feeders)
        self.sections: list[Section] = sections_of(net, self.feeders)
        self.graph = SwitchedGraph(net)
        self.nets = PostFaultNets(net, limits, self.graph)
        load = net.load[net.load.in_service.astype(bool)]
        self._load_mva: Complexes = np.zeros(int(net.bus.index.max()) + 1, dtype=np.complex128)
        s_mva = (load.scaling * (load.p_mw + 1j * load.q_mvar)).to_numpy(dtype=np.complex128)
        np.add.at(self._load_mva, load.bus.to_numpy(dtype=np.int64), s_mva)
        self._rows: dict[str, int] = {}

    @property
    def tan_phi(self) -> float:
        """Reactive per active power of further load."""
        return math.tan(math.acos(self.power_factor))

    @cached_property
    def switched(self) -> SwitchedArrays | None:
        """The arrays all trees come from; None where nothing is alive."""
        return None if self.base.flow is None else build_switched_arrays(self.base, self.sections, self.ties)

    def load_of(self, buses: Iterable[int]) -> tuple[float, float]:
        """Return the load in service at some buses (kW and kVA)."""
        s_mva = complex(self._load_mva[list(buses)].sum())
        return s_mva.real * _KVA_PER_MVA, abs(s_mva) * _KVA_PER_MVA

    def has_unsolved(self, buses: Iterable[int]) -> bool:
        """Return whether the normal state of some bus has no solution."""
        return any(bus in self.base.unsolved for bus in buses)

    def tree(self, section: Section, ties: list[Tie], bus: int) -> PostFaultTree | None:
        """Return the solved tree of ``bus`` with the section isolated and the ties closed; None where there is none."""
        switched = self.switched
        state = None if switched is None else switched.state(section, ties)
        if switched is None or state is None:
            return None
        return grow_tree(switched, state, int(switched.vertex_of_bus[bus]))

    def check(self, section: Section, ties: list[Tie], part: tuple[int, ...], *, near_side: str) -> Checked | None:
        """Return what the state with the section isolated and the ties closed means; None without a solution.

        Args:
            section: Isolated.
            ties: Closed; the last one is the one in question.
            part: Buses that it brings back.
            near_side: Its receiving side, ``a`` or ``b``.
        """
        tie = ties[-1]
        near, far = (tie.bus_b, tie.bus_a) if near_side == "b" else (tie.bus_a, tie.bus_b)
        tree = self.tree(section, ties, near)
        if tree is not None:
            verdict = self._read_tree(tree, part, tie, near_side).judge()
            room = self._room(tree, tree.position_of(self.vertex(far))) if verdict.is_legal else Room()
            extra = self._room_by_net(section, ties, far) if room is None else room
            return Checked(verdict=verdict, extra=extra, engine=BY_TREE)
        reading = self._read_net(section, ties, part, near_side)
        if reading is None:
            return None
        verdict = reading.judge()
        extra = self._room_by_net(section, ties, far) if verdict.is_legal else Room()
        return Checked(verdict=verdict, extra=extra, engine=BY_LOAD_FLOW)

    def capacity_of_tie(self, tie: Tie, *, near_side: str) -> Room:
        """Return what the far end of a closed tie could take, with the receiving side as it normally is."""
        near, far = (tie.bus_b, tie.bus_a) if near_side == "b" else (tie.bus_a, tie.bus_b)
        if self.has_unsolved([near]):
            return Room()
        switched = self.switched
        state = None if switched is None else switched.half_closed(tie, near)
        if switched is not None and state is not None:
            tree = grow_tree(switched, state, self.vertex(near))
            if tree is not None:
                position = tree.position_of(self.vertex(near))
                if tie.table == "line":
                    position = int(np.flatnonzero(tree.planted.above == switched.edge_of_line[tie.element])[0])
                room = self._room(tree, position)
                if room is not None:
                    return room
        return self._room_of(*self.nets.half_closed(tie, near, far))

    def vertex(self, bus: int) -> int:
        """Return the vertex of a bus in ``switched``; ``NOTHING`` where it has no supply."""
        return NOTHING if self.switched is None else int(self.switched.vertex_of_bus[bus])

    @cached_property
    def _permitted(self) -> Floats:
        return permitted_ranges(self.base.constraints)

    @cached_property
    def _feeder_of_vertex(self) -> Integers:
        """Number of the feeder of each vertex, in the order of the table of feeders; ``NOTHING`` where it has none."""
        if self.switched is None:
            return np.zeros(0, dtype=np.int64)
        found = np.full(len(self.switched.u_base_kv), NOTHING, dtype=np.int64)
        vertex = self.switched.vertex_of_bus[self.feeders.index.to_numpy()]
        number, _ = pd.factorize(self.feeders.feeder)
        found[vertex[vertex != NOTHING]] = number[vertex != NOTHING]
        return found

    def _row(self, name: str | None) -> int:
        """Return the loading limit of an element (``line:3``), ``NO_LIMIT`` where it has none."""
        if name is None:
            return NO_LIMIT
        if name not in self._rows:
            table, element = name.split(":")
            rows = self.base.constraints.rows_of(table)
            found = rows[self.base.constraints.elements[rows] == int(element)]
            self._rows[name] = int(found[0]) if len(found) else NO_LIMIT
        return self._rows[name]

    def _read_tree(self, tree: PostFaultTree, part: tuple[int, ...], tie: Tie, near_side: str) -> Reading:
        switched, rows, places = tree.switched, tree.limited.rows, tree.limited.places
        near = self.vertex(tie.bus_b if near_side == "b" else tie.bus_a)
        feeder = self._feeder_of_vertex[near]
        receives = (
            tree.planted.vertex == near if feeder == NOTHING else self._feeder_of_vertex[tree.planted.vertex] == feeder
        )
        concerned = receives | np.isin(tree.planted.vertex, switched.vertex_of_bus[list(part)])
        concerned &= switched.u_base_kv[tree.planted.vertex] > LOW_VOLTAGE_KV_MAX
        is_at = np.zeros(len(tree.u_pu), dtype=bool)
        is_at[tree.planted.position[concerned]] = True
        limits = self.base.constraints.subset(rows)
        touches = is_at[places]
        is_bus = limits.is_kind("voltage_low") | limits.is_kind("voltage_high")
        tie_row = self._row(tie.tie if tie.table == "line" else None)
        return Reading(
            limits=limits,
            before=self.base.values[rows],
            after=tree.values,
            permitted=self._permitted[rows],
            is_received=np.ones(len(rows), dtype=bool),
            on_path=tree.is_on_path(tree.position_of(near)) | (rows == tie_row),
            lines=limits.is_kind("line_loading") & (touches | is_at[tree.tree.parent[places]]),
            nodes=is_bus & touches,
            mains=rows == self._row(tie.main_b if near_side == "b" else tie.main_a),
            u_pu_min=float(tree.u_pu[is_at].min(initial=math.inf)),
        )

    def _read_net(self, section: Section, ties: list[Tie], part: tuple[int, ...], near_side: str) -> Reading | None:
        tie = ties[-1]
        near, feeder, main = (
            (tie.bus_b, tie.feeder_b, tie.main_b) if near_side == "b" else (tie.bus_a, tie.feeder_a, tie.main_a)
        )
        receiving = pd.Index([near]) if feeder is None else self.feeders.index[self.feeders.feeder == feeder]
        path = self.base.topology.path(near)
        members = {"line": path.lines, "trafo": path.trafos, "trafo3w": path.trafo3ws, "bus": path.buses}
        on_path = {(table, element) for table, elements in members.items() for element in elements}
        if tie.table == "line":
            on_path.add(("line", tie.element))
        return self.nets.read(section, ties, buses=receiving.union(pd.Index(part)), main=main, path=on_path)

    def _room(self, tree: PostFaultTree, position: int) -> Room | None:
        """Return what one position of a tree can take; None where the tree does not say."""
        found = tree.carry(np.array([position]), self.tan_phi)
        row = int(found.row[0])
        if found.is_unrated[0]:
            return Room()
        if row == NO_LIMIT:
            return None
        kw = float(value_and_break_kw(found.p_mw)[0][0])
        if kw >= CEILING_KW:
            return Room(kw=CEILING_KW, limit_kind="ceiling", engine=BY_TREE)
        limits = self.base.constraints
        return Room(
            kw=kw,
            limit_kind="existing_violation" if found.is_existing[0] else str(limits.kinds[row]),
            limit_table=str(limits.tables[row]),
            limit_element=int(limits.elements[row]),
            engine=BY_TREE,
        )

    def _room_by_net(self, section: Section, ties: list[Tie], bus: int) -> Room:
        return self._room_of(self.nets.state(section, ties), bus)

    def _room_of(self, net: Net, bus: int) -> Room:
        table = open_capacity(net, limits=self.limits, power_factor=self.power_factor, buses=[bus], confirm="none")
        row = dict(zip(table.columns, next(table.itertuples(index=False, name=None)), strict=True))
        return Room(kw=row["capacity_kw"], **{name: row[name] for name in _ROOM_COLUMNS})
