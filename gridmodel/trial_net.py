"""The net of one trial: a copy of a solved island, a line split for a tee, the customer at the end of the route."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from gridmodel.geometry import cut_line, starting_near
from gridmodel.islands import new_net
from gridmodel.net import Net, element_tables, pandapower
from gridmodel.snapshot import Snapshot
from gridmodel.trial_route import TrialRoute

_KW_PER_MW = 1e3


def split_line(net: Net, line: int, fraction_along: float) -> tuple[int, int]:
    """Split a line of ``net`` in place; return the new bus and the new line, which leads on to the old ``to_bus``.

    Both parts keep the data per km; switches stay at their ends; the geometry is cut. Results, where present, are
    completed so that the next load flow can start from them.
    """
    row = net.line.loc[line]
    bus = int(net.bus.index.max()) + 1
    net.bus = _with_copy(net.bus, int(row.from_bus), bus)
    other = int(net.line.index.max()) + 1
    net.line = _with_copy(net.line, line, other)
    net.line.loc[other, ["from_bus", "to_bus"]] = [bus, int(row.to_bus)]
    net.line.loc[line, "to_bus"] = bus
    net.line.loc[other, "length_km"] = float(row.length_km) * (1.0 - fraction_along)
    net.line.loc[line, "length_km"] = float(row.length_km) * fraction_along
    moved = (net.switch.et == "l") & (net.switch.element == line) & (net.switch.bus == row.to_bus)
    net.switch.loc[moved, "element"] = other
    if len(net.res_bus):
        net.res_bus = _with_copy(net.res_bus, int(row.from_bus), bus)
        net.res_line = _with_copy(net.res_line, line, other)
    _cut_geometry(net, line, other, bus, fraction_along)
    return bus, other


def _cut_geometry(net: Net, line: int, other: int, bus: int, fraction_along: float) -> None:
    line_text = net.line.geo[line] if "geo" in net.line else None
    bus_text = net.bus.geo[int(net.line.from_bus[line])] if "geo" in net.bus else None
    if not (isinstance(line_text, str) and line_text and isinstance(bus_text, str) and bus_text):
        return
    lon, lat = json.loads(bus_text)["coordinates"][:2]
    path = starting_near([point[:2] for point in json.loads(line_text)["coordinates"]], lon, lat)
    first, second = cut_line(path, fraction_along)
    net.line.at[line, "geo"] = json.dumps({"type": "LineString", "coordinates": first.tolist()})
    net.line.at[other, "geo"] = json.dumps({"type": "LineString", "coordinates": second.tolist()})
    net.bus.at[bus, "geo"] = json.dumps({"type": "Point", "coordinates": second[0].tolist()})


def _with_copy(frame: pd.DataFrame, source: int, target: int) -> pd.DataFrame:
    return pd.concat([frame, frame.loc[[source]].set_axis([target])])


def add_customer(net: Net, bus: int, route: TrialRoute, *, p_kw: float, q_kvar: float) -> tuple[int, int]:
    """Hang a load at the end of ``route`` on ``bus`` of a solved net, in place; return the load's bus and the line."""
    module = pandapower()
    customer_bus = int(net.bus.index.max()) + 1
    net.bus = _with_copy(net.bus, bus, customer_bus)
    line = module.create_line_from_parameters(
        net, bus, customer_bus, route.length_km,
        r_ohm_per_km=route.r_ohm_per_km,
        x_ohm_per_km=route.x_ohm_per_km,
        c_nf_per_km=route.line_type.c_nf_per_km,
        max_i_ka=route.rating_ka,
        parallel=route.parallel,
    )  # fmt: skip
    module.create_load(net, customer_bus, p_mw=p_kw / _KW_PER_MW, q_mvar=q_kvar / _KW_PER_MW)
    net.res_bus = _with_copy(net.res_bus, bus, customer_bus)
    net.res_line = net.res_line.reindex(net.line.index)  # only open ends start from it, and the route has none
    return customer_bus, int(line)


def copy_solved(net: Net) -> Net:
    """Return an independent copy with results, but without the solver's matrices: they are most of a solved net."""
    results = {name: net[name] for name in ("res_bus", "res_line", "res_trafo", "res_trafo3w")}
    return new_net(element_tables(net) | results, like=net)


def add_in_flight(net: Net, snapshot: Snapshot, coincidence_ratio: float) -> None:
    """Add the snapshot's in-flight loads (在途) at buses of ``net``, in place, each times ``coincidence_ratio``."""
    rows = snapshot.in_flight
    rows = rows[rows.bus.isin(net.bus.index)] if len(rows) else rows
    if len(rows):
        p_mw = rows.capacity_kva * rows.power_factor * coincidence_ratio / _KW_PER_MW
        q_mvar = p_mw * np.tan(np.arccos(rows.power_factor.astype(float)))
        pandapower().create_loads(
            net, rows.bus.astype(int).to_numpy(), p_mw=p_mw.to_numpy(float), q_mvar=q_mvar.to_numpy(float)
        )
