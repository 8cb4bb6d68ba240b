"""The three numbers of every node (三个数): administrative, physical and open capacity of a snapshot.

``physical`` is the AC capacity as the network stands, ``open`` the smaller one of the administrative capacity net of
in-flight commitments (在途) and of the AC capacity with those commitments connected as loads. Numbers of different
nodes are not additive. See ``decisions/0003-three-numbers-per-node.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from gridmodel.capacity.administrative import AdministrativeFormula, AdministrativeLimits, Place
from gridmodel.capacity.arrays import NO_ISLAND, FlowArrays, Integers
from gridmodel.capacity.base_case import BaseCase, solve_base_case
from gridmodel.capacity.certificate import Confirm
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
    table = _three_numbers(snapshot, physical, committed, power_factor)
    _add_administrative(table, snapshot, base, loading, in_flight_coincidence_ratio)
    table.attrs = physical.attrs
    return _in_order(table)


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
) -> pd.DataFrame:
    """Return the AC part of the table; the administrative columns come after."""
    nodes = snapshot.nodes.loc[physical.index]
    table = nodes[[*_IDENTITY, *_PLACE]].copy()
    table["status"] = np.where(physical.status == "assessed", committed.status, physical.status)
    table["reason"] = np.where(physical.status == "assessed", committed.reason, physical.reason)
    unlimited = (table.status == "assessed") & (physical.limit_kind == "ceiling")
    table.loc[unlimited, ["status", "reason"]] = "not_assessable", "no limit of this network applies (at the source)"
    refused = nodes.status == "not_assessable"  # also where the row left out was its supply
    table.loc[refused, "status"] = "not_assessable"
    table.loc[refused, "reason"] = nodes.reason[refused].fillna("refused by the quality gate")
    assessed = table.status == "assessed"
    table["physical_kva"] = (physical.capacity_kw / power_factor).where(assessed)
    table["open_kva"] = (committed.capacity_kw / power_factor).where(assessed)
    for prefix, source in (("", committed), ("physical_", physical)):
        table[f"{prefix}limit_kind"] = where_known(assessed, source.limit_kind)
        table[f"{prefix}limit_element_id"] = where_known(assessed, element_ids(snapshot, source))
    table["limit_hour"] = where_known(assessed, committed.limit_hour) if "limit_hour" in committed else None
    for column in ("engine", "notes", "u_pu"):
        table[column] = committed[column]
    return table


def where_known(is_known: pd.Series, names: Iterable[object]) -> pd.Series:
    """Return ``names`` with None where nothing is known."""
    kept = [name if known else None for known, name in zip(is_known, names, strict=True)]
    return pd.Series(kept, index=is_known.index, dtype=object)


def element_ids(snapshot: Snapshot, table: pd.DataFrame) -> list[object]:
    """Return the imported identifier of each binding element; None where no element binds."""
    frames = {"line": snapshot.lines, "trafo": snapshot.transformers, "bus": snapshot.nodes}
    ids = {
        (kind, element): str(element_id)
        for kind, frame in frames.items()
        for element, element_id in zip(frame.index.tolist(), frame.element_id.tolist(), strict=True)
    }
    keys = zip(table.limit_table.tolist(), table.limit_element.tolist(), strict=True)
    return [None if kind is None else ids.get((kind, element), f"{kind}:{element}") for kind, element in keys]


def _places(snapshot: Snapshot, upstream: Upstream, buses: Integers) -> list[Place]:
    """Return where nodes stand in the administrative formula."""
    nodes = snapshot.nodes.loc[buses]
    is_low_voltage = (snapshot.net.bus.vn_kv.loc[buses] <= LOW_VOLTAGE_KV_MAX).tolist()
    feeder_ids = [feeder_id if isinstance(feeder_id, str) else None for feeder_id in nodes.feeder_id]
    above = upstream.above(buses)
    return [Place(*parts) for parts in zip(is_low_voltage, feeder_ids, above, strict=True)]


def _add_administrative(
    table: pd.DataFrame, snapshot: Snapshot, base: BaseCase, loading: AdministrativeLimits, coincidence_ratio: float
) -> None:
    """Add the administrative columns and let them bind the open capacity where they are smaller."""
    upstream = Upstream(base)
    formula = AdministrativeFormula(snapshot, loading, coincidence_ratio=coincidence_ratio)
    committed = snapshot.in_flight.bus.to_numpy(dtype=np.int64)
    places = _places(snapshot, upstream, committed)
    for place, capacity_kva in zip(places, snapshot.in_flight.capacity_kva.tolist(), strict=True):
        formula.book(place, float(capacity_kva))
    buses = table.index.to_numpy(dtype=np.int64)
    values = [formula.capacity(place) for place in _places(snapshot, upstream, buses)]
    known = (table.status == "assessed").to_numpy()
    net_kva = np.array([value.net_kva for value in values])
    table["administrative_kva"] = np.where(known, [value.gross_kva for value in values], np.nan)
    table["administrative_reason"] = [value.reason for value in values]
    open_kva = table.open_kva.to_numpy()
    binds = known & (net_kva < open_kva)
    table["open_kva"] = np.where(binds, np.maximum(net_kva, 0.0), open_kva)
    element_id = pd.Series([value.element_id for value in values], index=table.index, dtype=object)
    table["limit_kind"] = table.limit_kind.mask(binds, "administrative")
    table["limit_element_id"] = table.limit_element_id.mask(binds, element_id)
    table["limit_hour"] = table.limit_hour.mask(binds, None)


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
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
    return table[[*first, *(column for column in table.columns if column not in first)]]
