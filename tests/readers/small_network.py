"""A network small enough to build by hand: one substation, two feeders with a tie, a ring-main unit, one area (台区).

Places are given in km east and north of the busbar, so that the lengths below can be checked with a ruler::

    B1 --L1-- P1 --L2-- R1 --L3-- ST1 (T1, area with X1, Y1, Y2, Z1, Z2)
    B1 --L4-- P2 --L5-- P3 =K4= P4 (T3)        tie: R1 --L6-- P3, open at P3
"""

from __future__ import annotations

import copy
import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl

Tables = dict[str, list[dict[str, Any]]]

LON0_DEG, LAT0_DEG = 115.1, 33.4
KM_PER_DEG_LON, KM_PER_DEG_LAT = 93.05, 110.92
"""One degree at 33.4 N on GRS80."""


def _node(node_id: str, kind: str, u_kv: float, east_km: float, north_km: float, **cells: Any) -> dict[str, Any]:
    return {
        "node_id": node_id,
        "name": f"节点{node_id}",
        "kind": kind,
        "u_nominal_kv": u_kv,
        "lon_deg": round(LON0_DEG + east_km / KM_PER_DEG_LON, 7),
        "lat_deg": round(LAT0_DEG + north_km / KM_PER_DEG_LAT, 7),
        "substation_id": cells.get("substation_id"),
        "bays_total": cells.get("bays_total"),
        "bays_spare": cells.get("bays_spare"),
        "can_tee": cells.get("can_tee"),
    }


def _section(section_id: str, start: str, end: str, length_km: float, kind: str, **cells: Any) -> dict[str, Any]:
    ends = {"section_id": section_id, "from_node": start, "to_node": end, "length_km": length_km}
    return {**ends, "conductor_type": kind, "parallel": 1, "rating_a": None, "vertices": None, **cells}


def _transformer(transformer_id: str, node: str, board: str, ownership: str, model: str, tap: int) -> dict[str, Any]:
    return {
        "transformer_id": transformer_id,
        "name": f"{transformer_id}配变",
        "node_id": node,
        "board_id": board,
        "ownership": ownership,
        "model": model,
        "tap_position": tap,
        "parallel": 1,
        "is_in_service": True,
    }


def _switch(switch_id: str, kind: str, node: str, section: str | None, other: str | None, state: str) -> dict[str, Any]:
    return {
        "switch_id": switch_id,
        "name": None,
        "kind": kind,
        "node_id": node,
        "section_id": section,
        "other_node_id": other,
        "normal_state": state,
    }


def _load(load_id: str, node: str, p_kw: float, q_kvar: float) -> dict[str, Any]:
    return {"load_id": load_id, "node_id": node, "p_kw": p_kw, "q_kvar": q_kvar, "category": "resident", "customers": 5}


def _maximum(kind: str, element_id: str, max_kva: float) -> dict[str, Any]:
    return {"element_kind": kind, "element_id": element_id, "max_kva": max_kva, "measured_on": "2024-01-22"}


WIRE, CABLE, LV_CABLE = "JKLYJ-10 1x185", "YJV22-8.7/15 3x240", "YJV22-0.6/1 4x95"

_NETWORK: Tables = {
    "network": [{"name": "小网", "datum": "CGCS2000", "data_as_of": "2024-06-30"}],
    "substations": [
        {
            "substation_id": "S1",
            "name": "城关变",
            "lon_deg": LON0_DEG,
            "lat_deg": LAT0_DEG,
            "u_high_kv": 110,
            "u_source_pu": 1.02,
            "s_sc_max_mva": 2000,
            "rx_max": 0.1,
        }
    ],
    "main_transformers": [
        {
            "main_transformer_id": "M1",
            "name": "1号主变",
            "substation_id": "S1",
            "busbar_id": "B1",
            "sn_mva": 40,
            "u_high_kv": 110,
            "u_low_kv": 10.5,
            "vk_percent": 10.5,
            "vkr_percent": 0.45,
            "p0_kw": 28,
            "i0_percent": 0.3,
            "tap_side": "hv",
            "tap_position": 2,
            "tap_neutral": 0,
            "tap_min": -8,
            "tap_max": 8,
            "tap_step_percent": 1.25,
            "vector_group": "YNd11",
            "is_in_service": True,
        }
    ],
    "nodes": [
        _node("B1", "substation_busbar", 10, 0, 0, substation_id="S1", bays_total=8, bays_spare=2),
        _node("P1", "pole", 10, 1.0, 0, can_tee=True),
        _node("R1", "ring_main_unit", 10, 1.7, 0, bays_total=6, bays_spare=2),
        _node("ST1", "station", 10, 2.1, 0),
        _node("P2", "pole", 10, 0, 1.3, can_tee=False),
        _node("P3", "pole", 10, 0.9, 1.3, can_tee=True),
        _node("P4", "station", 10, 0.905, 1.3),
        _node("D1", "lv_board", 0.4, 1.0, 0.01),
        _node("D3", "lv_board", 0.4, 0.905, 1.31),
        _node("A0", "lv_board", 0.4, 2.1, 0.005),
        _node("X1", "branch_box", 0.4, 2.15, 0.005, bays_total=4, bays_spare=1),
        _node("Y1", "lv_pole", 0.4, 2.2, 0.005),
        _node("Y2", "lv_pole", 0.4, 2.25, 0.005),
        _node("Z1", "lv_node", 0.4, 2.15, 0.065),
        _node("Z2", "lv_node", 0.4, 2.15, 0.125),
    ],
    "conductor_types": [
        {
            "type_id": "自备-95",
            "laying": "overhead",
            "u_class": "lv",
            "r_ohm_per_km": 0.332,
            "x_ohm_per_km": 0.31,
            "c_nf_per_km": 11,
            "rating_a": 250,
            "source": "本单位2019年标准",
        }
    ],
    "feeders": [
        {"feeder_id": "F1", "name": "城101线", "busbar_id": "B1", "head_section_id": "L1", "rating_a": 400},
        {"feeder_id": "F2", "name": "城102线", "busbar_id": "B1", "head_section_id": "L4", "rating_a": None},
    ],
    "line_sections": [
        _section(
            "L1", "B1", "P1", 1.2, WIRE, feeder_id="F1", name="出线", vertices="115.1040 33.4010; 115.1080 33.4010"
        ),
        _section("L2", "P1", "R1", 0.8, CABLE, feeder_id="F1", name=None),
        _section("L3", "R1", "ST1", 0.5, CABLE, feeder_id=None, name=None),
        _section("L4", "B1", "P2", 1.5, WIRE, feeder_id="F2", name=None),
        _section("L5", "P2", "P3", 1.0, WIRE, feeder_id="F2", name=None, rating_a=350),
        _section("L6", "R1", "P3", 1.7, WIRE, feeder_id=None, name="联络", parallel=2),
    ],
    "switches": [
        _switch("K1", "breaker", "B1", "L1", None, "closed"),
        _switch("K2", "breaker", "B1", "L4", None, "closed"),
        _switch("K3", "load_switch", "P3", "L6", None, "open"),
        _switch("K4", "disconnector", "P3", None, "P4", "closed"),
    ],
    "distribution_transformers": [
        _transformer("T1", "ST1", "A0", "public", "S13-400/10", 0),
        _transformer("T2", "P1", "D1", "dedicated", "S13-630/10", 1),
        _transformer("T3", "P4", "D3", "public", "S13-200/10", 0),
    ],
    "lv_lines": [
        _section("W1", "A0", "X1", 0.055, LV_CABLE, transformer_id="T1"),
        _section("W2", "X1", "Y1", 0.05, "自备-95", transformer_id="T1"),
        _section("W3", "Y1", "Y2", 0.05, "自备-95", transformer_id=None),
        _section("W4", "X1", "Z1", 0.065, LV_CABLE, transformer_id="T1", rating_a=180),
        _section("W5", "Z1", "Z2", 0.065, LV_CABLE, transformer_id="T1"),
    ],
    "loads": [
        _load("C1", "Y2", 60, 20),
        _load("C2", "Z2", 40, 12),
        _load("C3", "D1", 350, 120),
        _load("C4", "D3", 110, 40),
        _load("C5", "P2", 900, 300),
    ],
    "generators": [{"generator_id": "G1", "node_id": "Z1", "p_kw": 15, "q_kvar": 0, "kind": "pv"}],
    "capacitors": [{"capacitor_id": "Q1", "node_id": "A0", "q_kvar": 30, "is_in_service": True}],
    "measured_maxima": [
        _maximum("main_transformer", "M1", 21000),
        _maximum("feeder", "F1", 3464.1),
        _maximum("distribution_transformer", "T1", 210),
    ],
    "in_flight": [
        {
            "commitment_id": "ZT-1",
            "node_id": "R1",
            "capacity_kva": 800,
            "power_factor": 0.95,
            "approved_on": "2024-05-06",
            "valid_to": "2025-05-05",
        }
    ],
}


def small_network() -> Tables:
    """Return the tables; the caller may change them."""
    return copy.deepcopy(_NETWORK)


def write_folder(tables: Mapping[str, list[dict[str, Any]]], folder: Path, *, encoding: str = "utf-8") -> Path:
    """Write one CSV per table and return the folder; the columns are those of the first row."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", encoding=encoding, newline="") as file:
            writer = csv.DictWriter(file, list(_NETWORK[name][0]) if not rows else list(rows[0]))
            writer.writeheader()
            writer.writerows({column: _text(value) for column, value in row.items()} for row in rows)
    return folder


def write_workbook(tables: Mapping[str, list[dict[str, Any]]], path: Path) -> Path:
    """Write one sheet per table and return the path; values keep their type."""
    workbook = openpyxl.Workbook(write_only=True)
    for name, rows in tables.items():
        sheet = workbook.create_sheet(name)
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append(list(row.values()))
    workbook.save(path)
    return path


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
