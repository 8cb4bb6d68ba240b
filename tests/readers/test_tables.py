"""A hand-made network read from tables, against the same network built with pandapower's own functions."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridmodel.net import Net, pandapower, run_load_flow
from gridmodel.readers.tables import read_tables
from gridmodel.snapshot import Snapshot, seal, unseal
from tests.readers.small_network import LAT0_DEG, LON0_DEG, small_network, write_folder, write_workbook


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return read_tables(write_folder(small_network(), tmp_path_factory.mktemp("tables") / "net"))


def _create_by_hand() -> Net:
    """The drawing of small_network.py, typed in once more with pandapower's create functions."""
    from gridmodel.catalogue.loader import load_catalogue

    pp, types = pandapower(), load_catalogue()
    net = pp.create_empty_network()
    kv = {"B1": 10, "P1": 10, "R1": 10, "ST1": 10, "P2": 10, "P3": 10, "P4": 10}
    kv |= dict.fromkeys(("D1", "D3", "A0", "X1", "Y1", "Y2", "Z1", "Z2"), 0.4)
    bus = {name: pp.create_bus(net, vn_kv=u, name=name) for name, u in {**kv, "S1:HV": 110}.items()}
    pp.create_ext_grid(net, bus["S1:HV"], vm_pu=1.02)
    pp.create_transformer_from_parameters(
        net, bus["S1:HV"], bus["B1"], sn_mva=40, vn_hv_kv=110, vn_lv_kv=10.5, vkr_percent=0.45, vk_percent=10.5,
        pfe_kw=28, i0_percent=0.3, shift_degree=330, tap_side="hv", tap_neutral=0, tap_pos=2, tap_min=-8, tap_max=8,
        tap_step_percent=1.25, tap_changer_type="Ratio",
    )  # fmt: skip
    line = {}

    def connect(name: str, a: str, b: str, km: float, kind: str, amps: float | None = None, parallel: int = 1) -> None:
        if kind == "自备-95":
            r, x, c, rating = 0.332, 0.31, 11.0, 250.0
        else:
            found = types.get_line_type(kind)
            r, x, c, rating = found.r20_ohm_per_km, found.x_ohm_per_km, found.c_nf_per_km, found.rating_a
        line[name] = pp.create_line_from_parameters(
            net, bus[a], bus[b], km, r, x, c, max_i_ka=(amps or rating) / 1000, parallel=parallel, name=name
        )

    overhead, cable, low = "JKLYJ-10 1x185", "YJV22-8.7/15 3x240", "YJV22-0.6/1 4x95"
    connect("L1", "B1", "P1", 1.2, overhead)
    connect("L2", "P1", "R1", 0.8, cable)
    connect("L3", "R1", "ST1", 0.5, cable)
    connect("L4", "B1", "P2", 1.5, overhead)
    connect("L5", "P2", "P3", 1.0, overhead, amps=350)
    connect("L6", "R1", "P3", 1.7, overhead, parallel=2)
    connect("W1", "A0", "X1", 0.055, low)
    connect("W2", "X1", "Y1", 0.05, "自备-95")
    connect("W3", "Y1", "Y2", 0.05, "自备-95")
    connect("W4", "X1", "Z1", 0.065, low, amps=180)
    connect("W5", "Z1", "Z2", 0.065, low)
    pp.create_switch(net, bus["P3"], line["L6"], et="l", closed=False)
    pp.create_switch(net, bus["P3"], bus["P4"], et="b", closed=True)
    for high, board, model, tap in (
        ("ST1", "A0", "S13-400/10", 0),
        ("P1", "D1", "S13-630/10", 1),
        ("P4", "D3", "S13-200/10", 0),
    ):
        kind = types.get_transformer_type(model)
        pp.create_transformer_from_parameters(
            net, bus[high], bus[board], sn_mva=kind.sn_kva / 1000, vn_hv_kv=10, vn_lv_kv=0.4,
            vkr_percent=kind.vkr_percent, vk_percent=kind.vk_percent, pfe_kw=kind.p0_kw, i0_percent=kind.i0_percent,
            shift_degree=330, tap_side="hv", tap_neutral=0, tap_pos=tap, tap_min=-2, tap_max=2, tap_step_percent=2.5,
            tap_changer_type="Ratio",
        )  # fmt: skip
    for node, p_kw, q_kvar in (("Y2", 60, 20), ("Z2", 40, 12), ("D1", 350, 120), ("D3", 110, 40), ("P2", 900, 300)):
        pp.create_load(net, bus[node], p_kw / 1000, q_kvar / 1000)
    pp.create_sgen(net, bus["Z1"], 0.015, 0.0)
    pp.create_shunt(net, bus["A0"], q_mvar=-0.03, vn_kv=0.4)
    return net


def test_voltages_and_loadings_agree_with_the_net_created_by_hand(snapshot: Snapshot) -> None:
    other = _create_by_hand()
    net = unseal(seal(snapshot)[1]).net
    run_load_flow(net, tolerance_mva=1e-10)
    run_load_flow(other, tolerance_mva=1e-10)
    np.testing.assert_allclose(net.res_bus.vm_pu, other.res_bus.vm_pu, atol=1e-9, rtol=0)
    np.testing.assert_allclose(net.res_bus.va_degree, other.res_bus.va_degree, atol=1e-7, rtol=0)
    np.testing.assert_allclose(net.res_line.loading_percent, other.res_line.loading_percent, atol=1e-7, rtol=0)
    np.testing.assert_allclose(net.res_trafo.loading_percent, other.res_trafo.loading_percent, atol=1e-7, rtol=0)


def test_a_clean_network_is_accepted_row_by_row(snapshot: Snapshot) -> None:
    assert snapshot.findings == ()
    assert {c.table: (c.read, c.accepted) for c in snapshot.counts} == {
        name: (len(rows), len(rows)) for name, rows in small_network().items()
    }
    assert (snapshot.nodes.status == "assessable").all()


def test_every_row_becomes_the_element_of_its_name(snapshot: Snapshot) -> None:
    net = snapshot.net
    assert list(net.bus.name) == [*(row["node_id"] for row in small_network()["nodes"]), "S1:HV"]
    assert list(net.line.name) == ["L1", "L2", "L3", "L4", "L5", "L6", "W1", "W2", "W3", "W4", "W5"]
    assert list(net.trafo.name) == ["M1", "T1", "T2", "T3"]
    assert (len(net.load), len(net.sgen), len(net.shunt), len(net.switch), len(net.ext_grid)) == (5, 1, 1, 4, 1)
    assert list(snapshot.nodes.index) == list(net.bus.index)
    assert list(snapshot.lines.index) == list(net.line.index)
    assert list(snapshot.transformers.index) == list(net.trafo.index)


def test_ratings_come_from_the_row_before_the_type(snapshot: Snapshot) -> None:
    rated = snapshot.net.line.set_index("name").max_i_ka
    assert rated["L5"] == pytest.approx(0.350)
    assert rated["W4"] == pytest.approx(0.180)
    assert rated["W2"] == pytest.approx(0.250)


def test_feeder_and_area_come_from_the_topology(snapshot: Snapshot) -> None:
    nodes = snapshot.nodes.set_index("node_id")
    first = ["P1", "R1", "ST1", "D1", "A0", "X1", "Y1", "Y2", "Z1", "Z2"]
    assert set(nodes.feeder_id[first]) == {"F1"}
    assert set(nodes.feeder_id[["P2", "P3", "P4", "D3"]]) == {"F2"}
    assert nodes.feeder_id[["B1", "S1:HV"]].isna().all()
    assert set(nodes.area_id[["A0", "X1", "Y1", "Y2", "Z1", "Z2"]]) == {"T1"}
    assert (nodes.area_id["D1"], nodes.area_id["D3"], nodes.area_id["P1"]) == ("T2", "T3", None)
    assert set(nodes.substation_id) == {"S1"}
    assert nodes.spare_bays[["B1", "R1", "X1"]].tolist() == [2.0, 2.0, 1.0]
    assert nodes.spare_bays.drop(["B1", "R1", "X1"]).isna().all()


def test_feeders_and_transformers_carry_ratings_and_maxima(snapshot: Snapshot) -> None:
    feeders = snapshot.feeders
    assert feeders.rating_a["F1"] == 400.0
    assert feeders.rating_a["F2"] == pytest.approx(snapshot.net.line.max_i_ka[feeders.head_line["F2"]] * 1e3)
    # 3464.1 kVA at 10 kV: 3464.1 / (sqrt(3) * 10) = 200.0 A
    assert feeders.measured_max_a["F1"] == pytest.approx(200.0, abs=1e-3)
    assert math.isnan(feeders.measured_max_a["F2"])
    assert feeders.main_transformer.tolist() == [0, 0]
    assert snapshot.net.line.name[feeders.head_line].tolist() == ["L1", "L4"]
    transformers = snapshot.transformers.set_index("element_id")
    assert transformers.role.to_dict() == {"M1": "main", "T1": "public", "T2": "dedicated", "T3": "public"}
    assert transformers.sn_kva.to_dict() == {"M1": 40000.0, "T1": 400.0, "T2": 630.0, "T3": 200.0}
    assert transformers.measured_max_kva[["M1", "T1"]].tolist() == [21000.0, 210.0]
    assert transformers.measured_max_kva[["T2", "T3"]].isna().all()
    assert transformers.measured_on["M1"] == "2024-01-22"


def test_in_flight_capacity_stands_beside_the_net(snapshot: Snapshot) -> None:
    [row] = snapshot.in_flight.to_dict("records")
    assert row == {
        "commitment_id": "ZT-1",
        "bus": 2,
        "capacity_kva": 800.0,
        "power_factor": 0.95,
        "approved_on": "2024-05-06",
        "valid_to": "2025-05-05",
    }
    assert 2 not in set(snapshot.net.load.bus)


def test_load_curves_are_carried_over_by_name(tmp_path: Path) -> None:
    tables = small_network()
    for row in tables["loads"]:
        row["profile"] = "H0-A" if row is tables["loads"][0] else None
    read = read_tables(write_folder(tables, tmp_path / "net"))
    assert read.net.load.profile.tolist() == ["H0-A", *[None] * (len(tables["loads"]) - 1)]


def test_a_route_runs_from_end_to_end_over_its_corners(snapshot: Snapshot) -> None:
    route: dict[str, Any] = json.loads(snapshot.net.line.geo[0])
    assert route["type"] == "LineString"
    assert route["coordinates"][0] == [LON0_DEG, LAT0_DEG]
    assert route["coordinates"][1:3] == [[115.104, 33.401], [115.108, 33.401]]
    assert route["coordinates"][3] == [snapshot.nodes.lon_deg[1], snapshot.nodes.lat_deg[1]]


def test_places_are_stored_in_cgcs2000_whatever_the_datum(tmp_path: Path) -> None:
    # GCJ-02 lies some hundred metres from CGCS2000 in this part of China; the shift is public knowledge, not exact.
    tables = small_network()
    tables["network"][0]["datum"] = "GCJ02"
    moved = read_tables(write_folder(tables, tmp_path / "net")).nodes
    east_km = (LON0_DEG - moved.lon_deg[0]) * 93.05
    north_km = (LAT0_DEG - moved.lat_deg[0]) * 110.92
    assert 0.2 < math.hypot(east_km, north_km) < 0.9


def test_a_workbook_and_a_folder_give_the_same_content(snapshot: Snapshot, tmp_path: Path) -> None:
    book = read_tables(write_workbook(small_network(), tmp_path / "net.xlsx"))
    assert book.source_name == "net.xlsx"
    assert seal(replace(book, source_name=snapshot.source_name))[0].sha256 == snapshot.sha256


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_other_encodings_of_the_text_give_the_same_content(snapshot: Snapshot, tmp_path: Path, encoding: str) -> None:
    read = read_tables(write_folder(small_network(), tmp_path / "net", encoding=encoding))
    assert read.sha256 == snapshot.sha256


def test_optional_tables_may_be_absent(tmp_path: Path) -> None:
    tables = {name: rows for name, rows in small_network().items() if name not in ("lv_lines", "switches", "in_flight")}
    tables["loads"] = [row for row in tables["loads"] if row["node_id"] in ("P2", "D1", "D3")]
    tables["generators"] = []
    read = read_tables(write_folder(tables, tmp_path / "net"))
    assert len(read.in_flight) == 0
    assert read.net.line.name.tolist() == ["L1", "L2", "L3", "L4", "L5", "L6"]
