"""The three numbers of every node (三个数): administrative, physical and open capacity of a snapshot.

``physical`` is the AC capacity as the network stands, ``open`` the smaller one of the administrative capacity net of
in-flight commitments (在途) and of the AC capacity with those commitments connected as loads. Numbers of different
nodes are not additive. See ``decisions/0003-three-numbers-per-node.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmodel.capacity.administrative import AdministrativeCapacity, AdministrativeFormula, AdministrativeLimits, Place
from gridmodel.capacity.arrays import NO_ISLAND, FlowArrays, Integers
from gridmodel.capacity.base_case import BaseCase, solve_base_case
from gridmodel.capacity.certificate import Confirm
from gridmodel.capacity.constraints import Flags
from gridmodel.capacity.hours import CONFIRM_NODES, capacity_over_hours
from gridmodel.capacity.island_search import Progress
from gridmodel.capacity.limits import Limits
from gridmodel.capacity.search import search_base_case
from gridmodel.capacity.upstream import Upstream
from gridmodel.errors import InputError
from gridmodel.net import Net, copy_net, pandapower
from gridmodel.profiles import LoadProfiles
from gridmodel.snapshot import Snapshot
from gridmodel.topology import LOW_VOLTAGE_KV_MAX

__all__ = ["AdministrativeLimits", "node_capacity"]

Column = npt.NDArray[Any]
"""One column of the table, shape (nodes,)."""

_KVA_PER_MVA = 1e3
_IDENTITY = ["node_id", "source_id", "u_nominal_kv", "lon_deg", "lat_deg"]
_PLACE = ["kind", "feeder_id", "substation_id", "area_id"]


def node_capacity(
    snapshot: Snapshot,
    *,
    limits: Limits,
    loading: AdministrativeLimits,
    power_factor: float,
    in_flight_coincidence_ratio: float,
    buses: Iterable[int] | None = None,
    profiles: LoadProfiles | None = None,
    confirm: Confirm = "sample",
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return one row per node with its three numbers and what limits the open one.

    Args:
        snapshot: Network, frames beside it and commitments in flight.
        limits: Operating limits of the AC load flow.
        loading: Shares of the ratings in the administrative formula.
        power_factor: Of the load to be connected, lagging, in (0, 1].
        in_flight_coincidence_ratio: Share of the committed capacity that counts as load at the peak, in [0, 1].
        buses: Nodes asked for; default all of the snapshot.
        profiles: Load curves; capacities are then the least of all their hours. Default: the loads as they stand.
        confirm: Which values the reference load flow checks; see :func:`open_capacity`.
        progress: Called with nodes done and nodes in total, over all passes.

    Returns:
        Index = bus; the columns of ``capacity.csv``: capacities in kVA (NaN = not assessable or not known),
        ``limit_kind`` (those of :func:`open_capacity`, or ``administrative``), ``limit_element_id`` (identifier in the
        imported data), ``limit_hour`` (label of the hour that binds; None without curves), then ``reason``,
        ``administrative_reason``, ``physical_limit_kind``, ``physical_limit_element_id``, ``engine``, ``notes``,
        ``u_pu``, ``kind``, ``feeder_id``, ``substation_id``, ``area_id``. ``attrs["certificate"]`` as
        :func:`open_capacity`.

    Raises:
        InputError: A ratio is outside its range, or a bus does not exist.
        EngineDisagreementError: The reference load flow does not confirm a value.
    """
    if not 0.0 <= in_flight_coincidence_ratio <= 1.0:
        raise InputError(
            "ratio out of range",
            field="in_flight_coincidence_ratio",
            value=in_flight_coincidence_ratio,
            allowed="[0, 1]",
        )
    wanted = _wanted(snapshot, buses)
    base = solve_base_case(snapshot.net, limits)
    affected = _affected_by_in_flight(snapshot, base, wanted)
    total = len(wanted) + len(affected)

    def run(solved: BaseCase, chosen: Integers, offset: int) -> pd.DataFrame:
        def report(done: int, of_pass: int) -> None:
            if progress is not None:
                progress(offset + len(chosen) * done // of_pass, total)

        if profiles is None:
            return search_base_case(solved, chosen, power_factor=power_factor, confirm=confirm, progress=report)
        return capacity_over_hours(
            solved.original,
            profiles,
            limits=limits,
            power_factor=power_factor,
            buses=chosen,
            confirm_nodes=0 if confirm == "none" else CONFIRM_NODES,
            progress=report,
        )

    physical = run(base, wanted, 0)
    committed = physical
    if len(affected):
        loaded = with_in_flight(snapshot, power_factor, in_flight_coincidence_ratio)
        committed = physical.copy()
        second = run(solve_base_case(loaded, limits), affected, len(wanted))
        committed.loc[affected, second.columns] = second
        physical.attrs["certificate_in_flight"] = second.attrs["certificate"]
    columns = _three_numbers(snapshot, physical, committed, power_factor)
    _add_administrative(columns, snapshot, base, loading, in_flight_coincidence_ratio, physical.index)
    table = _in_order(columns, physical.index)
    table.attrs = physical.attrs
    return table


def _wanted(snapshot: Snapshot, buses: Iterable[int] | None) -> Integers:
    if buses is None:
        return snapshot.nodes.index.to_numpy(dtype=np.int64)
    wanted = np.array(list(dict.fromkeys(int(bus) for bus in buses)), dtype=np.int64)
    unknown = wanted[~np.isin(wanted, snapshot.nodes.index)]
    if len(unknown):
        raise InputError("node does not exist", field="buses", value=int(unknown[0]), allowed="nodes of the snapshot")
    return wanted


def _affected_by_in_flight(snapshot: Snapshot, base: BaseCase, wanted: Integers) -> Integers:
    """Return the wanted buses of islands that hold a commitment; what hangs on an ideal source influences nobody."""
    committed = snapshot.in_flight.bus.to_numpy(dtype=np.int64)
    if not len(committed) or base.flow is None:
        return wanted[:0]
    islands, of_wanted = (_islands_of(base.flow.arrays, buses) for buses in (committed, wanted))
    return wanted[np.isin(of_wanted, islands[islands != NO_ISLAND])]


def _islands_of(arrays: FlowArrays, buses: Integers) -> Integers:
    node = arrays.node_of_bus[buses]
    return np.where(node >= 0, arrays.island_of_node[node], NO_ISLAND)


def with_in_flight(snapshot: Snapshot, power_factor: float, coincidence_ratio: float) -> Net:
    """Return a copy of the net with every commitment connected as a load."""
    net = copy_net(snapshot.net)
    for bus, capacity_kva, own in _commitments(snapshot):
        cos_phi = power_factor if math.isnan(own) else own
        s_mva = capacity_kva * coincidence_ratio / _KVA_PER_MVA
        pandapower().create_load(net, bus, p_mw=s_mva * cos_phi, q_mvar=s_mva * math.sqrt(1.0 - cos_phi**2))
    return net


def _commitments(snapshot: Snapshot) -> list[tuple[int, float, float]]:
    """Return bus, capacity (kVA) and power factor (NaN = not known) of each commitment in flight."""
    frame = snapshot.in_flight[["bus", "capacity_kva", "power_factor"]].astype(float)
    return [(int(bus), float(kva), float(cos_phi)) for bus, kva, cos_phi in frame.to_numpy()]


def _three_numbers(
    snapshot: Snapshot, physical: pd.DataFrame, committed: pd.DataFrame, power_factor: float
) -> dict[str, Column]:
    """Return the AC part of the table by columns; the administrative columns come after."""
    nodes = snapshot.nodes if physical.index.equals(snapshot.nodes.index) else snapshot.nodes.loc[physical.index]
    was_assessed = (physical.status == "assessed").to_numpy()
    status, reason = (np.where(was_assessed, committed[name], physical[name]) for name in ("status", "reason"))
    unlimited = (status == "assessed") & (physical.limit_kind == "ceiling").to_numpy()
    status[unlimited], reason[unlimited] = "not_assessable", "no limit of this network applies (at the source)"
    refused = (nodes.status == "not_assessable").to_numpy()  # also where the row left out was its supply
    status[refused] = "not_assessable"
    reason[refused] = nodes.reason[refused].fillna("refused by the quality gate")
    assessed = status == "assessed"
    columns: dict[str, Column] = {name: nodes[name].to_numpy() for name in (*_IDENTITY, *_PLACE)}
    columns |= {"status": status, "reason": reason}
    for name, source in (("physical_kva", physical), ("open_kva", committed)):
        columns[name] = np.where(assessed, source.capacity_kw / power_factor, np.nan)
    physical_ids = element_ids(snapshot, physical)
    ids = physical_ids if committed is physical else element_ids(snapshot, committed)
    for prefix, source, named in (("", committed, ids), ("physical_", physical, physical_ids)):
        columns[f"{prefix}limit_kind"] = _where(assessed, source.limit_kind)
        columns[f"{prefix}limit_element_id"] = _where(assessed, named)
    hours = committed.limit_hour if "limit_hour" in committed else np.full(len(committed), None, dtype=object)
    columns["limit_hour"] = _where(assessed, hours)
    return columns | {name: committed[name].to_numpy() for name in ("engine", "notes", "u_pu")}


def _where(is_known: Flags, names: Iterable[object]) -> npt.NDArray[np.object_]:
    """Return ``names`` with None where nothing is known."""
    known = np.full(len(is_known), None, dtype=object)
    known[is_known] = np.asarray(names, dtype=object)[is_known]
    return known


def where_known(is_known: pd.Series, names: Iterable[object]) -> pd.Series:
    """Return ``names`` with None where nothing is known."""
    return pd.Series(_where(is_known.to_numpy(dtype=bool), names), index=is_known.index, dtype=object)


def element_ids(snapshot: Snapshot, table: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Return the imported identifier of each binding element; None where no element binds."""
    tables, elements = table.limit_table.to_numpy(), table.limit_element.to_numpy()
    ids = np.full(len(table), None, dtype=object)
    frames = {"line": snapshot.lines, "trafo": snapshot.transformers, "bus": snapshot.nodes}
    for kind in {*tables.tolist()} - {None}:
        at = np.flatnonzero(tables == kind)
        ids[at] = [f"{kind}:{element}" for element in elements[at]]
        if kind in frames:
            places = frames[kind].index.get_indexer(pd.Index(elements[at]))
            own = frames[kind].element_id.to_numpy()[places[places >= 0]]
            ids[at[places >= 0]] = [str(element_id) for element_id in own]
    return ids


def _places(snapshot: Snapshot, upstream: Upstream, buses: Integers) -> tuple[list[Place], Integers]:
    """Return the places nodes stand at in the administrative formula, and which of them each node stands at."""
    at = snapshot.nodes.index.get_indexer(pd.Index(buses))
    feeder, feeder_ids = pd.factorize(snapshot.nodes.feeder_id.to_numpy()[at])  # -1 = on none
    is_low_voltage = (snapshot.net.bus.vn_kv.loc[buses] <= LOW_VOLTAGE_KV_MAX).to_numpy()
    groups, group = upstream.groups(buses)
    number = (group * (len(feeder_ids) + 1) + feeder + 1) * 2 + is_low_voltage
    _, first, which = np.unique(number, return_index=True, return_inverse=True)
    places = [
        Place(bool(is_low_voltage[i]), None if feeder[i] < 0 else str(feeder_ids[feeder[i]]), groups[group[i]])
        for i in first.tolist()
    ]
    return places, which


def administrative_values(
    snapshot: Snapshot, base: BaseCase, loading: AdministrativeLimits, coincidence_ratio: float, buses: Integers
) -> tuple[list[AdministrativeCapacity], Integers]:
    """Return what the administrative formula gives at the places some nodes stand at, and the place of each node.

    Args:
        snapshot: Commitments in flight are booked first.
        base: A base case of its net.
        loading: Shares of the ratings.
        coincidence_ratio: Share of the committed capacity that counts.
        buses: The nodes.
    """
    upstream = Upstream(base)
    formula = AdministrativeFormula(snapshot, loading, coincidence_ratio=coincidence_ratio)
    committed = snapshot.in_flight.bus.to_numpy(dtype=np.int64)
    places, which = _places(snapshot, upstream, committed)
    for number, capacity_kva in zip(which.tolist(), snapshot.in_flight.capacity_kva.tolist(), strict=True):
        formula.book(places[number], float(capacity_kva))
    places, which = _places(snapshot, upstream, buses)
    return [formula.capacity(place) for place in places], which


def _add_administrative(
    columns: dict[str, Column],
    snapshot: Snapshot,
    base: BaseCase,
    loading: AdministrativeLimits,
    coincidence_ratio: float,
    index: pd.Index,
) -> None:
    """Add the administrative columns and let them bind the open capacity where they are smaller."""
    values, which = administrative_values(snapshot, base, loading, coincidence_ratio, index.to_numpy(dtype=np.int64))
    known = columns["status"] == "assessed"
    gross_kva, net_kva = (np.array([getattr(v, name) for v in values])[which] for name in ("gross_kva", "net_kva"))
    columns["administrative_kva"] = np.where(known, gross_kva, np.nan)
    columns["administrative_reason"] = _objects([value.reason for value in values])[which]
    binds = known & (net_kva < columns["open_kva"])
    columns["open_kva"] = np.where(binds, np.maximum(net_kva, 0.0), columns["open_kva"])
    columns["limit_kind"][binds] = "administrative"
    columns["limit_element_id"][binds] = _objects([value.element_id for value in values])[which[binds]]
    columns["limit_hour"][binds] = None


def _objects(values: list[Any]) -> npt.NDArray[np.object_]:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _in_order(columns: dict[str, Column], index: pd.Index) -> pd.DataFrame:
    first = [
        *_IDENTITY,
        "status",
        "administrative_kva",
        "physical_kva",
        "open_kva",
        "limit_kind",
        "limit_element_id",
        "limit_hour",
    ]
    names = [*first, *(name for name in columns if name not in first)]
    # a series of its own per column: a frame made of arrays would look for a type in each of them
    series = {name: pd.Series(columns[name], index=index, dtype=columns[name].dtype) for name in names}
    return pd.DataFrame(series)
