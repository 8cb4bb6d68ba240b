"""The accepted rows as pandapower element tables; every element keeps its row's identifier as its name."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gridmodel.net import Net, build_net
from gridmodel.readers.table_cells import clock_number
from gridmodel.readers.table_equipment import Equipment
from gridmodel.readers.table_gate import TableGate, TableRow
from gridmodel.readers.table_maxima import section_rating_a
from gridmodel.readers.table_rows import SOURCE_SUFFIX

_SWITCH_TYPES = {"breaker": "CB", "load_switch": "LBS", "disconnector": "DS", "fuse": "fuse"}
_DEGREES_PER_CLOCK_HOUR = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementIndex:
    """Where the rows went: pandapower index by identifier."""

    buses: Mapping[str, int]
    """Nodes and, under ``<substation_id>:HV``, high-voltage busbars."""
    lines: Mapping[str, int]
    main_transformers: Mapping[str, int]
    distribution_transformers: Mapping[str, int]


def index_elements(gate: TableGate) -> ElementIndex:
    """Number the accepted rows in file order."""
    nodes = [str(row.id) for row in gate.accepted("nodes")]
    sources = [source_id(row) for row in gate.accepted("substations")]
    lines = [str(row.id) for row in gate.accepted("line_sections", "lv_lines")]
    main = [str(row.id) for row in gate.accepted("main_transformers")]
    distribution = [str(row.id) for row in gate.accepted("distribution_transformers")]
    return ElementIndex(
        buses={name: number for number, name in enumerate([*nodes, *sources])},
        lines={name: number for number, name in enumerate(lines)},
        main_transformers={name: number for number, name in enumerate(main)},
        distribution_transformers={name: number for number, name in enumerate(distribution, start=len(main))},
    )


def source_id(substation: TableRow) -> str:
    """Return the node id of the high-voltage busbar made for a substation."""
    return f"{substation.id}{SOURCE_SUFFIX}"


def build_network(
    gate: TableGate, equipment: Equipment, index: ElementIndex, *, name: str, sections_out: frozenset[str]
) -> Net:
    """Return the net of the accepted rows.

    Args:
        gate: Rows, judged.
        equipment: Types the rows name.
        index: Numbers of the elements.
        name: Name of the network.
        sections_out: Sections taken out of service because the state of a switch in them is not known.
    """
    transformers = [
        *(_main_transformer(row, index) for row in gate.accepted("main_transformers")),
        *(_distribution_transformer(row, index, equipment) for row in gate.accepted("distribution_transformers")),
    ]
    tables = {
        "bus": [_bus(row) for row in gate.accepted("nodes")] + [_source_bus(r) for r in gate.accepted("substations")],
        "ext_grid": [_ext_grid(row, index) for row in gate.accepted("substations")],
        "line": _lines(gate, equipment, index, sections_out),
        "trafo": transformers,
        "switch": [_switch(row, index) for row in gate.accepted("switches")],
        "load": [_load(row, index) for row in gate.accepted("loads")],
        "sgen": [_generator(row, index) for row in gate.accepted("generators")],
        "shunt": _capacitors(gate, index),
    }
    return build_net({table: pd.DataFrame(rows) for table, rows in tables.items() if rows}, name=name)


def _point(row: TableRow) -> str | None:
    if row["lon_deg"] is None:
        return None
    return json.dumps({"coordinates": [row["lon_deg"], row["lat_deg"]], "type": "Point"})


def _bus(row: TableRow) -> dict[str, Any]:
    is_busbar = row["kind"] in ("substation_busbar", "switching_station", "ring_main_unit", "lv_board")
    return {
        "name": row["node_id"],
        "vn_kv": row["u_nominal_kv"],
        "type": "b" if is_busbar else "n",
        "zone": None,
        "in_service": True,
        "geo": _point(row),
    }


def _source_bus(row: TableRow) -> dict[str, Any]:
    return {
        "name": source_id(row),
        "vn_kv": row["u_high_kv"],
        "type": "b",
        "zone": None,
        "in_service": True,
        "geo": _point(row),
    }


def _ext_grid(row: TableRow, index: ElementIndex) -> dict[str, Any]:
    least = {column: _float(row[column]) for column in ("s_sc_min_mva", "rx_min") if row[column] is not None}
    return {
        "name": row["name"],
        "bus": index.buses[source_id(row)],
        "vm_pu": row["u_source_pu"],
        "va_degree": 0.0,
        "slack_weight": 1.0,
        "in_service": True,
        "controllable": True,
        "s_sc_max_mva": _float(row["s_sc_max_mva"]),
        "rx_max": _float(row["rx_max"]),
        **least,  # a column pandapower's own table does not have: only where somebody knows it
    }


def _lines(
    gate: TableGate, equipment: Equipment, index: ElementIndex, sections_out: frozenset[str]
) -> list[dict[str, Any]]:
    nodes = gate.by_id("nodes")
    return [
        _line(row, nodes, equipment, index, is_in_service=row.id not in sections_out)
        for row in gate.accepted("line_sections", "lv_lines")
    ]


def _line(
    row: TableRow, nodes: Mapping[str, TableRow], equipment: Equipment, index: ElementIndex, *, is_in_service: bool
) -> dict[str, Any]:
    conductor = equipment.conductors[row["conductor_type"]]
    return {
        "name": row["section_id"],
        "std_type": row["conductor_type"],
        "from_bus": index.buses[row["from_node"]],
        "to_bus": index.buses[row["to_node"]],
        "length_km": row["length_km"],
        "r_ohm_per_km": conductor.r_ohm_per_km,
        "x_ohm_per_km": conductor.x_ohm_per_km,
        "c_nf_per_km": conductor.c_nf_per_km,
        "g_us_per_km": 0.0,
        "max_i_ka": section_rating_a(row, equipment) / 1e3,
        "df": 1.0,
        "parallel": row["parallel"],
        "type": "ol" if conductor.laying == "overhead" else "cs",
        "in_service": is_in_service,
        "geo": _route(row, nodes),
    }


def _route(row: TableRow, nodes: Mapping[str, TableRow]) -> str | None:
    """The route with its two ends; ``None`` when the place of an end is not known."""
    start, end = nodes[row["from_node"]], nodes[row["to_node"]]
    if start["lon_deg"] is None or end["lon_deg"] is None:
        return None
    ends = [[node["lon_deg"], node["lat_deg"]] for node in (start, end)]
    corners = [list(corner) for corner in row["vertices"] or ()]
    return json.dumps({"coordinates": [ends[0], *corners, ends[1]], "type": "LineString"})


def _main_transformer(row: TableRow, index: ElementIndex) -> dict[str, Any]:
    has_taps = row["tap_side"] is not None and row["tap_step_percent"] is not None and row["tap_neutral"] is not None
    position = row["tap_neutral"] if row["tap_position"] is None else row["tap_position"]
    return _transformer(
        name=row["main_transformer_id"],
        std_type=None,
        hv_bus=index.buses[row["substation_id"] + SOURCE_SUFFIX],
        lv_bus=index.buses[row["busbar_id"]],
        sn_mva=row["sn_mva"],
        vn_hv_kv=row["u_high_kv"],
        vn_lv_kv=row["u_low_kv"],
        vk_percent=row["vk_percent"],
        vkr_percent=row["vkr_percent"],
        pfe_kw=row["p0_kw"],
        i0_percent=row["i0_percent"],
        shift_degree=_DEGREES_PER_CLOCK_HOUR * clock_number(row["vector_group"]),
        tap_side=row["tap_side"] if has_taps else None,
        tap_neutral=_float(row["tap_neutral"]) if has_taps else math.nan,
        tap_min=_float(row["tap_min"]) if has_taps else math.nan,
        tap_max=_float(row["tap_max"]) if has_taps else math.nan,
        tap_step_percent=row["tap_step_percent"] if has_taps else math.nan,
        tap_pos=_float(position) if has_taps else math.nan,
        tap_changer_type="Ratio" if has_taps else None,
        parallel=1,
        in_service=row["is_in_service"],
        vector_group=row["vector_group"],
    )


def _distribution_transformer(row: TableRow, index: ElementIndex, equipment: Equipment) -> dict[str, Any]:
    model = equipment.transformers[row["model"]]
    return _transformer(
        name=row["transformer_id"],
        std_type=row["model"],
        hv_bus=index.buses[row["node_id"]],
        lv_bus=index.buses[row["board_id"]],
        sn_mva=model.sn_kva / 1e3,
        vn_hv_kv=model.u_hv_kv,
        vn_lv_kv=model.u_lv_kv,
        vk_percent=model.vk_percent,
        vkr_percent=model.vkr_percent,
        pfe_kw=model.p0_kw,
        i0_percent=model.i0_percent,
        shift_degree=model.shift_deg,
        tap_side=model.tap_side,
        tap_neutral=float(model.tap_neutral),
        tap_min=float(model.tap_min),
        tap_max=float(model.tap_max),
        tap_step_percent=model.tap_step_percent,
        tap_pos=float(model.tap_neutral + row["tap_position"]),
        tap_changer_type="Ratio",
        parallel=row["parallel"],
        in_service=row["is_in_service"],
        vector_group=model.vector_group,
    )


def _transformer(**columns: Any) -> dict[str, Any]:
    return {**columns, "tap_step_degree": 0.0, "tap_dependency_table": False, "df": 1.0}


def _switch(row: TableRow, index: ElementIndex) -> dict[str, Any]:
    is_in_line = row["section_id"] is not None
    return {
        "name": row["switch_id"],
        "bus": index.buses[row["node_id"]],
        "element": index.lines[row["section_id"]] if is_in_line else index.buses[row["other_node_id"]],
        "et": "l" if is_in_line else "b",
        "type": _SWITCH_TYPES[row["kind"]],
        "closed": row["normal_state"] == "closed",
        "z_ohm": 0.0,
        "in_ka": math.nan,
    }


def _load(row: TableRow, index: ElementIndex) -> dict[str, Any]:
    return {
        "name": row["load_id"],
        "bus": index.buses[row["node_id"]],
        "p_mw": row["p_kw"] / 1e3,
        "q_mvar": row["q_kvar"] / 1e3,
        "const_z_p_percent": 0.0,
        "const_i_p_percent": 0.0,
        "const_z_q_percent": 0.0,
        "const_i_q_percent": 0.0,
        "sn_mva": math.nan,
        "scaling": 1.0,
        "in_service": True,
        "type": row["category"],
        "profile": row["profile"],
    }


def _generator(row: TableRow, index: ElementIndex) -> dict[str, Any]:
    return {
        "name": row["generator_id"],
        "bus": index.buses[row["node_id"]],
        "p_mw": row["p_kw"] / 1e3,
        "q_mvar": row["q_kvar"] / 1e3,
        "sn_mva": math.nan,
        "scaling": 1.0,
        "in_service": True,
        "type": row["kind"],
        "current_source": True,
    }


def _capacitors(gate: TableGate, index: ElementIndex) -> list[dict[str, Any]]:
    nodes = gate.by_id("nodes")
    return [
        {
            "name": row["capacitor_id"],
            "bus": index.buses[row["node_id"]],
            "q_mvar": -row["q_kvar"] / 1e3,
            "p_mw": 0.0,
            "vn_kv": nodes[row["node_id"]]["u_nominal_kv"],
            "step": 1.0,
            "max_step": 1,
            "in_service": row["is_in_service"],
        }
        for row in gate.accepted("capacitors")
    ]


def _float(value: float | None) -> float:
    return math.nan if value is None else float(value)
