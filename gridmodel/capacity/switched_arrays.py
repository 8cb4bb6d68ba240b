"""A net with every tie and section switch closed, as flat arrays; a post-fault state is a choice of switches on it.

The arrays are pandapower's own internal tables of that closed net, so no auxiliary bus hides what a switch would join.
*Vertices* are its nodes. *Edges* are its branches, proportional parallel ones as one, and *couplers*: bus-bus switches
of sections and ties, which carry current without impedance. A line whose one end is switched off still charges: it
ends at nothing then, as it does in pandapower. Everything is per unit on 1 MVA.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gridmodel.capacity.arrays import NO_ISLAND, VOLTAGE_DEPENDENT, FlowArrays, Integers, extract_arrays
from gridmodel.capacity.base_case import BaseCase
from gridmodel.capacity.constraints import Flags, Floats
from gridmodel.capacity.sections import Section, Tie
from gridmodel.capacity.switched_edges import NOTHING, Edges, Equipment, join_branches, place_equipment
from gridmodel.net import Net

BOTH_ENDS = -1
_ANY_OHM = 1.0


class Wiring(NamedTuple):
    """What is joined to what when every switch is closed."""

    start: Integers
    """First entry of each vertex in ``edge``, shape (vertices + 1,)."""
    edge: Integers
    """Edges at each vertex."""
    ends: Integers
    """Both vertices of each edge, shape (edges, 2)."""
    is_coupler: Flags
    """Shape (edges,)."""
    is_source: Flags
    """Shape (vertices,)."""
    stands_alone: Flags
    """Vertices that no coupler may join: pandapower shares out voltage dependence anew among the loads of a node."""
    is_barred: Flags
    """Vertices at what these arrays cannot express; a tree that holds one is left to another engine."""


class Switching(NamedTuple):
    """One state: which switches are open and what is dead."""

    opened: npt.NDArray[np.int8]
    """Open switches at each end of each edge, shape (edges, 2)."""
    is_dead_edge: Flags
    is_dead: Flags
    """Vertices out of service."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SwitchedArrays:
    """One net, its limits, and the states its switches allow."""

    base: BaseCase
    wiring: Wiring
    equipment: Equipment
    normal: Switching
    vertex_of_bus: Integers
    """By bus index; ``NOTHING`` = not supplied, or no such bus."""
    u_base_kv: Floats
    edge_of_line: dict[int, int]
    is_high: Flags
    """Which limits are upper voltage limits, shape (limits,)."""
    values: Floats
    """Room for the growing of a tree: NaN, shape (limits,)."""
    seen: Flags
    """The same: False, shape (vertices,)."""
    queue: Integers
    ends_of_switch: dict[int, tuple[int, int]]
    """Edge and end of each switch of a section or tie; ``BOTH_ENDS`` for a bus-bus switch."""

    def state(self, section: Section | None, ties: Iterable[Tie]) -> Switching | None:
        """Return the state with the section isolated and the ties closed; None where a part of it is not here."""
        opened = self.normal.opened.copy()
        is_dead_edge, is_dead = self.normal.is_dead_edge.copy(), self.normal.is_dead.copy()
        changes = [(switch, -1) for tie in ties for switch in tie.switches]
        if section is not None:
            changes += [(switch, 1) for switch in section.switches]
            if not all(line in self.edge_of_line for line in section.lines):
                return None
            is_dead_edge[[self.edge_of_line[line] for line in section.lines]] = True
            vertices = self.vertex_of_bus[list(section.buses)]
            is_dead[vertices[vertices != NOTHING]] = True
        for switch, change in changes:
            if switch not in self.ends_of_switch:
                return None
            edge, end = self.ends_of_switch[switch]
            opened[edge, slice(None) if end == BOTH_ENDS else end] += change
        return Switching(opened, is_dead_edge, is_dead)

    def half_closed(self, tie: Tie, near: int) -> Switching | None:
        """Return the normal state with the tie closed at bus ``near`` alone; None where the tie is not here."""
        opened = self.normal.opened
        if tie.table == "line":
            edge = self.edge_of_line.get(tie.element)
            if edge is None:
                return None
            opened = opened.copy()
            at_near = int(self.wiring.ends[edge, 0] != self.vertex_of_bus[near])
            opened[edge, at_near], opened[edge, 1 - at_near] = 0, 1
        return Switching(opened, self.normal.is_dead_edge, self.normal.is_dead)


def build_switched_arrays(base: BaseCase, sections: list[Section], ties: list[Tie]) -> SwitchedArrays:
    """Return the arrays of the net of ``base``, of which something must be alive.

    Args:
        base: Base case of the net in its normal state.
        sections: That may be isolated.
        ties: That may be closed.

    Raises:
        ConvergenceError: pandapower cannot handle the data.
    """
    net = base.original
    used = {switch for section in sections for switch in section.switches}
    used |= {switch for tie in ties for switch in tie.switches}
    closed, couplers = _closed_net(net, used)
    arrays = extract_arrays(closed)
    branch_of_switch = _branch_of_switches(closed, arrays)
    edges = join_branches(arrays, [branch_of_switch[switch] for switch in couplers if switch in branch_of_switch])
    edge_of_line = _edge_of_lines(net, arrays, edges)
    ends_of_switch = {s: (int(edges.of_branch[b]), BOTH_ENDS) for s, b in branch_of_switch.items() if s in used}
    ends_of_switch |= _ends_of_line_switches(net, arrays, edges, used, edge_of_line)
    opened = np.zeros((len(edges.ends), 2), dtype=np.int8)
    for switch, (edge, end) in ends_of_switch.items():
        if not bool(net.switch.closed[switch]):
            opened[edge, slice(None) if end == BOTH_ENDS else end] += 1
    equipment = place_equipment(closed, arrays, base, edges)
    is_barred = edges.is_barred | _is_obstructed(arrays, base)
    is_barred[edges.ends[equipment.is_mixed]] = True
    switched = [edge for edge, _ in ends_of_switch.values()]
    is_barred[edges.ends[[edge for edge in switched if edges.branches[edge] > 1]]] = True
    return SwitchedArrays(
        base=base,
        wiring=_wiring(arrays, edges, equipment, is_barred),
        equipment=equipment,
        normal=Switching(opened, np.zeros(len(edges.ends), dtype=bool), np.zeros(len(is_barred), dtype=bool)),
        vertex_of_bus=arrays.node_of_bus,
        u_base_kv=arrays.u_base_kv,
        edge_of_line=edge_of_line,
        is_high=base.constraints.is_kind("voltage_high"),
        values=np.full(len(base.constraints), np.nan),
        seen=np.zeros(len(is_barred), dtype=bool),
        queue=np.empty(len(is_barred), dtype=np.int64),
        ends_of_switch=ends_of_switch,
    )


def _closed_net(net: Net, used: set[int]) -> tuple[Net, list[int]]:
    """Return the net with some switches closed, and those of them that couple buses without impedance.

    The latter get some impedance, so that both their buses stay nodes and a branch tells which.
    """
    closed, switch = copy.copy(net), net.switch.copy()
    is_used = switch.index.isin(list(used))
    switch.loc[is_used, "closed"] = True
    is_coupler = is_used & (switch.et == "b").to_numpy() & ~(switch.z_ohm.to_numpy(dtype=float) > 0.0)
    switch.loc[is_coupler, "z_ohm"] = _ANY_OHM
    closed["switch"] = switch
    return closed, switch.index[is_coupler].tolist()


def _branch_of_switches(net: Net, arrays: FlowArrays) -> dict[int, int]:
    """Return the branch of each closed bus-bus switch with impedance, where it is energised."""
    switch, live = net.switch, net.bus.index[net.bus.in_service.to_numpy(dtype=bool)]
    is_branch = (switch.et == "b").to_numpy() & switch.closed.to_numpy(dtype=bool)
    is_branch &= (switch.z_ohm.to_numpy(dtype=float) > 0.0) & switch.bus.isin(live).to_numpy()
    is_branch &= switch.element.isin(live).to_numpy()
    branches = arrays.branch_row.get("switch", np.zeros(0, dtype=np.int64)).tolist()
    pairs = zip(switch.index[is_branch].tolist(), branches, strict=True)
    return {switch: branch for switch, branch in pairs if branch != NOTHING}


def _edge_of_lines(net: Net, arrays: FlowArrays, edges: Edges) -> dict[int, int]:
    branches = arrays.branch_row.get("line", np.zeros(0, dtype=np.int64)).tolist()
    pairs = zip(net.line.index.tolist(), branches, strict=True)
    return {line: int(edges.of_branch[branch]) for line, branch in pairs if branch != NOTHING}


def _ends_of_line_switches(
    net: Net, arrays: FlowArrays, edges: Edges, used: set[int], edge_of_line: dict[int, int]
) -> dict[int, tuple[int, int]]:
    """Return edge and end of those of some switches that are at an energised line."""
    switch = net.switch[net.switch.index.isin(list(used)) & (net.switch.et == "l").to_numpy()]
    found = {}
    for index, bus, line in zip(switch.index.tolist(), switch.bus.tolist(), switch.element.tolist(), strict=True):
        if line in edge_of_line:
            edge = edge_of_line[line]
            found[index] = (edge, int(edges.ends[edge, 0] != arrays.node_of_bus[bus]))
    return found


def _is_obstructed(arrays: FlowArrays, base: BaseCase) -> Flags:
    """Return the vertices of islands that arrays of trees cannot express in the normal state."""
    normal = base.live_flow.arrays
    barred = [island for island, reason in normal.obstacles.items() if reason != VOLTAGE_DEPENDENT]
    found = np.zeros(len(arrays.u_base_kv), dtype=bool)
    if barred:
        buses = np.flatnonzero((arrays.node_of_bus != NOTHING) & (normal.node_of_bus != NOTHING))
        islands = normal.island_of_node[normal.node_of_bus[buses]]
        found[arrays.node_of_bus[buses[np.isin(islands, barred) & (islands != NO_ISLAND)]]] = True
    return found


def _wiring(arrays: FlowArrays, edges: Edges, equipment: Equipment, is_barred: Flags) -> Wiring:
    by_end = np.argsort(edges.ends.T.ravel(), kind="stable")
    at = edges.ends.T.ravel()[by_end]
    return Wiring(
        start=np.searchsorted(at, np.arange(len(is_barred) + 1)).astype(np.int64),
        edge=(by_end % len(edges.ends)).astype(np.int64),
        ends=edges.ends,
        is_coupler=edges.is_coupler,
        is_source=arrays.is_source,
        stands_alone=equipment.is_voltage_dependent,
        is_barred=is_barred,
    )
