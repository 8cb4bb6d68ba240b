"""A net as flat arrays: pandapower's own branch and bus tables (per unit), split into independent islands.

Taking the internal tables instead of the element tables makes lines, taps, iron losses, three-winding transformers,
open-ended lines, bus-bus switches, shunts and wards mean exactly what pandapower means by them. An ideal source holds
its voltage whatever hangs on it, so islands are split at the source buses too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridmodel.capacity.constraints import Constraints, Flags, Floats, ratings
from gridmodel.net import Net, internal_tables, pandapower

Integers = npt.NDArray[np.int64]
Complexes = npt.NDArray[np.complex128]

NO_ISLAND = -1
VOLTAGE_DEPENDENT = "voltage-dependent load"
"""The one obstacle that only concerns engines with constant-power loads."""


@dataclass(frozen=True, eq=False, kw_only=True)
class FlowArrays:
    """Every energised node (fused buses are one node) and branch of a net; per unit on 1 MVA."""

    node_of_bus: Integers
    """Node of each bus by bus index; -1 = not supplied, or no such bus."""
    u_base_kv: Floats
    s_load_mva: Complexes
    """Consumed power per node at 1 pu, loads less injections."""
    s_linear_mva: Complexes
    """Part of it that is proportional to the voltage."""
    s_square_mva: Complexes
    """Part of it that is proportional to the square of the voltage."""
    y_shunt_mva: Complexes
    """``G + jB`` per node at 1 pu (MVA)."""
    is_source: Flags
    u_source: Complexes
    """Set voltage at the source nodes (pu with angle)."""
    from_node: Integers
    to_node: Integers
    z_series: Complexes
    y_charge: Complexes
    """Total charging admittance; half of it at each end."""
    y_extra_to: Complexes
    """What the to-end has beyond that half (unequal transformer shunts)."""
    tap: Complexes
    """Ideal transformer at the from-end."""
    branch_row: dict[str, Integers]
    """Per element table: branch of each element in table order, -1 when not energised."""
    island_of_node: Integers
    """``NO_ISLAND`` at source nodes."""
    island_of_branch: Integers
    """``NO_ISLAND`` for a branch between two sources."""
    obstacles: dict[int, str]
    """Islands these arrays cannot express, and why."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Terms:
    """How loadings follow from branch ends: ``ratio = scale * S`` or ``scale * S / u``; worst end counts."""

    row: Integers
    """Limit the term belongs to, ascending."""
    branch: Integers
    end: Integers
    """0 = from, 1 = to."""
    is_current: Flags
    scale: Floats


def extract_arrays(net: Net) -> FlowArrays:
    """Return the arrays of ``net``, which need not be solved and is not changed.

    Raises:
        ConvergenceError: pandapower cannot handle the data.
    """
    pypower = pandapower().pypower
    ib, il, ig = pypower.idx_bus, pypower.idx_brch, pypower.idx_gen
    tables = internal_tables(net)
    bus, branch, gen, base = tables.bus, tables.branch, tables.gen, tables.base_mva
    from_node, to_node = (branch[:, c].real.astype(np.int64) for c in (il.F_BUS, il.T_BUS))
    is_source = bus[:, ib.BUS_TYPE] == ib.REF
    injected = np.zeros(len(bus), dtype=complex)
    live = gen[:, ig.GEN_STATUS] > 0
    np.add.at(injected, gen[live, ig.GEN_BUS].real.astype(np.int64), gen[live, ig.PG] + 1j * gen[live, ig.QG])
    load = bus[:, ib.PD] + 1j * bus[:, ib.QD] - np.where(is_source, 0.0, injected)
    ratio = np.where(branch[:, il.TAP].real == 0.0, 1.0, branch[:, il.TAP].real)
    island_of_node, island_of_branch = _islands(len(bus), from_node, to_node, is_source)
    return FlowArrays(
        node_of_bus=tables.node_of_bus,
        u_base_kv=bus[:, ib.BASE_KV].astype(float),
        s_load_mva=load,
        s_linear_mva=bus[:, ib.PD] * bus[:, ib.CID_P] + 1j * bus[:, ib.QD] * bus[:, ib.CID_Q],
        s_square_mva=bus[:, ib.PD] * bus[:, ib.CZD_P] + 1j * bus[:, ib.QD] * bus[:, ib.CZD_Q],
        y_shunt_mva=bus[:, ib.GS] + 1j * bus[:, ib.BS],
        is_source=is_source,
        u_source=(bus[:, ib.VM] * np.exp(1j * np.deg2rad(bus[:, ib.VA]))).astype(np.complex128),
        from_node=from_node,
        to_node=to_node,
        z_series=(branch[:, il.BR_R] + 1j * branch[:, il.BR_X]) / base,
        y_charge=(branch[:, il.BR_G] + 1j * branch[:, il.BR_B]) * base,
        y_extra_to=(branch[:, il.BR_G_ASYM] + 1j * branch[:, il.BR_B_ASYM]) * base / 2.0,
        tap=ratio * np.exp(1j * np.deg2rad(branch[:, il.SHIFT].real)),
        branch_row=dict(tables.branch_row),
        island_of_node=island_of_node,
        island_of_branch=island_of_branch,
        obstacles=_obstacles(net, bus, branch, island_of_node, island_of_branch),
    )


def _islands(nodes: int, from_node: Integers, to_node: Integers, is_source: Flags) -> tuple[Integers, Integers]:
    inside = ~is_source[from_node] & ~is_source[to_node]
    graph = coo_array((np.ones(inside.sum()), (from_node[inside], to_node[inside])), shape=(nodes, nodes))
    _, labels = connected_components(graph, directed=False)
    island_of_node = np.where(is_source, NO_ISLAND, labels).astype(np.int64)
    return island_of_node, np.maximum(island_of_node[from_node], island_of_node[to_node])


def _obstacles(net: Net, bus: Any, branch: Any, island_of_node: Integers, island_of_branch: Integers) -> dict[int, str]:
    """Name what constant-power flows on these arrays would get wrong, per island."""
    ib, il = pandapower().pypower.idx_bus, pandapower().pypower.idx_brch
    depends = np.abs(bus[:, [ib.CID_P, ib.CZD_P, ib.CID_Q, ib.CZD_Q]]).any(axis=1)
    # the mildest obstacle first: of several the last one named stays
    found: dict[int, str] = dict.fromkeys(island_of_node[depends].tolist(), VOLTAGE_DEPENDENT)
    for table in ("dcline", "svc", "tcsc", "ssc", "vsc"):
        if table in net and len(net[table]) and net[table].in_service.astype(bool).any():
            found |= dict.fromkeys(island_of_node.tolist(), table)
    unequal = np.abs(branch[:, [il.BR_R_ASYM, il.BR_X_ASYM]]).any(axis=1)
    found |= dict.fromkeys(island_of_branch[unequal].tolist(), "branch with unequal series impedance")
    controlled = bus[:, ib.BUS_TYPE] == ib.PV
    return found | dict.fromkeys(island_of_node[controlled].tolist(), "voltage-controlled generator")


def build_terms(net: Net, arrays: FlowArrays, constraints: Constraints) -> Terms:
    """Return the loading terms of every energised, rated line and transformer, sorted by limit."""
    parts: list[tuple[Integers, Integers, int, bool, Floats]] = []
    for table in ("line", "trafo", "trafo3w"):
        rows = constraints.rows_of(table)
        branches = arrays.branch_row.get(table)
        if branches is None or not len(rows) or not len(arrays.from_node):
            continue
        rating = ratings(net, table)
        if table == "line":
            for end, node in ((0, arrays.from_node), (1, arrays.to_node)):
                u_kv = arrays.u_base_kv[node[branches]]
                parts.append((rows, branches, end, True, 1.0 / (np.sqrt(3.0) * u_kv * rating)))
        elif table == "trafo":
            parts.extend((rows, branches, end, False, 1.0 / rating) for end in (0, 1))
        else:
            for number, (side, end) in enumerate((("hv", 0), ("mv", 1), ("lv", 1))):
                winding = net.trafo3w[f"sn_{side}_mva"].to_numpy(dtype=float) / rating
                parts.append((rows, np.split(branches, 3)[number], end, False, 1.0 / winding))
    if not parts:
        nothing = np.zeros(0, dtype=np.int64)
        return Terms(row=nothing, branch=nothing, end=nothing, is_current=nothing.astype(bool), scale=np.zeros(0))
    row, branch, scale = (np.concatenate([part[i] for part in parts]) for i in (0, 1, 4))
    ends = np.concatenate([np.full(len(part[0]), part[2], dtype=np.int64) for part in parts])
    is_current = np.concatenate([np.full(len(part[0]), part[3]) for part in parts])
    keep = np.flatnonzero((branch >= 0) & np.isfinite(scale))
    keep = keep[np.argsort(row[keep], kind="stable")]
    return Terms(row=row[keep], branch=branch[keep], end=ends[keep], is_current=is_current[keep], scale=scale[keep])


def island_of_limits(net: Net, arrays: FlowArrays, constraints: Constraints) -> Integers:
    """Return the island of each limit; ``NO_ISLAND`` where no load can move its value (at a source, or dead)."""
    island = np.full(len(constraints), NO_ISLAND, dtype=np.int64)
    for table, branches in arrays.branch_row.items():
        rows = constraints.rows_of(table)
        if len(rows):
            first = branches[: len(net[table])]
            island[rows] = np.where(first >= 0, arrays.island_of_branch[first], NO_ISLAND)
    rows = constraints.rows_of("bus")
    node = arrays.node_of_bus[constraints.elements[rows]]
    island[rows] = np.where(node >= 0, arrays.island_of_node[node], NO_ISLAND)
    return island
