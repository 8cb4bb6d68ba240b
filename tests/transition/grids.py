"""Two small grids whose limits can be worked out on paper, and how to ask them."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.snapshot import Snapshot
from scheme.generate import generate_scheme
from scheme.model import Scheme
from scheme.policy.loader import load_policy
from scheme.request import parse_request
from tests.connection.grids import Grid, place

AS_OF = date(2026, 11, 22)


def village(*, load_kw: float = 60.0, rating_kva: float = 100.0) -> Snapshot:
    """A 10 kV pole line with one public transformer area; its board stands 20 m from the origin."""
    grid = Grid()
    feeder = {"feeder_id": "F1"}
    busbar = grid.bus("substation_busbar", 10.0, -2000.0, 0.0, spare_bays=3.0)
    pole = grid.bus("pole", 10.0, 20.0, 20.0, **feeder)
    station = grid.bus("station", 10.0, 20.0, 10.0, **feeder, area_id="T0")
    board = grid.bus("lv_board", 0.4, 20.0, 0.0, **feeder, area_id="T0")
    grid.source(busbar)
    grid.line(busbar, pole, 2.0)
    grid.line(pole, station, 0.01)
    grid.trafo(station, board, rating_kva, "public")
    grid.load(board, load_kw)
    return grid.snapshot()


def thin_line(*, load_kw: float = 450.0) -> Snapshot:
    """A 10 kV pole line of 5 ohm/km past the origin to a works with a transformer of its own."""
    grid = Grid()
    feeder = {"feeder_id": "F1"}
    busbar = grid.bus("substation_busbar", 10.0, -2000.0, 10.0, spare_bays=0.0)
    pole = grid.bus("pole", 10.0, 400.0, 10.0, **feeder)
    board = grid.bus("lv_board", 0.4, 400.0, 0.0, **feeder, area_id="T0")
    grid.source(busbar)
    grid.line(busbar, pole, 2.4, r_ohm_per_km=5.0)
    grid.trafo(pole, board, 1000.0, "dedicated")
    grid.load(board, load_kw)
    return grid.snapshot()


def two_feeders(*, near_kw: float = 3000.0, section_kw: float = 1500.0, has_tie: bool = True) -> Snapshot:
    """Two feeders of one substation, joined by an open tie at their ends.

    Feeder F1: busbar - head (400 A) - ring main at the origin - section - last ring main (``section_kw``), tie to F2,
    which carries 500 kW. 80 % of 400 A at 10 kV are 5.5 MVA.
    """
    grid = Grid()
    busbar = grid.bus("substation_busbar", 10.0, -3000.0, 0.0, spare_bays=0.0)
    near = grid.bus("ring_main_unit", 10.0, 0.0, 50.0, feeder_id="F1", spare_bays=3.0)
    last = grid.bus("ring_main_unit", 10.0, 500.0, 3000.0, feeder_id="F1", spare_bays=0.0)
    other = grid.bus("ring_main_unit", 10.0, 500.0, 8000.0, feeder_id="F2", spare_bays=0.0)
    grid.source(busbar)
    cable = {"laying": "cable", "r_ohm_per_km": 0.1, "x_ohm_per_km": 0.1, "c_nf_per_km": 0.0}
    grid.line(busbar, near, 3.0, **cable)
    section = grid.line(near, last, 3.0, **cable)
    grid.line(busbar, other, 3.0, **cable)
    grid.pp.create_switch(grid.net, near, section, et="l", closed=True)
    if has_tie:
        tie = grid.line(last, other, 1.0, **cable)
        grid.pp.create_switch(grid.net, last, tie, et="l", closed=False)
    for bus, p_kw in ((near, near_kw), (last, section_kw), (other, 500.0)):
        grid.load(bus, p_kw)
    return grid.snapshot()


def ask(snapshot: Snapshot, *, needed_on: str | None = "2027-06-30", **demand: Any) -> Scheme:
    """Return the answer to an industrial customer at the origin."""
    lon, lat = place(0.0, 0.0)
    request = {
        "request_id": "TRANSITION",
        "applicant": {"name": "某客户", "category": "industrial_commercial"},
        "business": "new",
        "location": {"lon_deg": lon, "lat_deg": lat, "datum": "CGCS2000"},
        "demand": {"power_factor": 0.95} | demand,
        "received_on": "2026-11-20",
    } | ({} if needed_on is None else {"needed_on": needed_on})
    return generate_scheme(
        parse_request(json.dumps(request)),
        snapshot=snapshot,
        policy=load_policy("shenqiu-2022", AS_OF),
        catalogue=load_catalogue(),
        capacity=None,
        as_of=AS_OF,
        version="test",
    )
