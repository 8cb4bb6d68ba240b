"""The township's tables as a plain pandapower network, built here and not by the product's reader."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import pandapower

from gridmodel.catalogue.loader import load_catalogue
from tests.township.sheets import Sheets


class Flow(NamedTuple):
    """Solved base case; by the tables' own identifiers."""

    net: Any
    u_pu: dict[str, float]
    """Node to voltage, per unit of its nominal voltage."""
    section_loading_ratio: dict[str, float]
    transformer_loading_ratio: dict[str, float]
    """Main and distribution transformers: apparent power over rating."""
    apparent_kva: dict[str, float]
    """Feeders at the head, transformers at the side with more apparent power."""
    losses_kw: float
    supplied_kw: float
    consumed_kw: float


def solve(sheets: Sheets) -> Flow:
    """Return the load flow of the tables as they stand."""
    net = build(sheets)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pandapower.runpp(
            net, calculate_voltage_angles=True, init="dc", tolerance_mva=1e-8, trafo_loading="power", numba=False
        )
    trafo, line = net.res_trafo, net.res_line
    sn_mva = net.trafo.sn_mva
    squared = {side: trafo[f"p_{side}_mw"] ** 2 + trafo[f"q_{side}_mvar"] ** 2 for side in ("hv", "lv")}
    s_mva = squared["hv"].combine(squared["lv"], max).pow(0.5)
    apparent = dict(zip(net.trafo.name, s_mva * 1000.0, strict=True))
    position = {name: index for index, name in net.line.name.items()}
    for row in sheets["feeders"]:
        index = position[row["head_section_id"]]
        side = "from" if net.bus.name[net.line.from_bus[index]] == row["busbar_id"] else "to"
        apparent[row["feeder_id"]] = 1000.0 * float(
            (line[f"p_{side}_mw"][index] ** 2 + line[f"q_{side}_mvar"][index] ** 2) ** 0.5
        )
    return Flow(
        net=net,
        u_pu=dict(zip(net.bus.name, net.res_bus.vm_pu, strict=True)),
        section_loading_ratio=dict(zip(net.line.name, line.loading_percent / 100.0, strict=True)),
        transformer_loading_ratio=dict(zip(net.trafo.name, s_mva / sn_mva, strict=True)),
        apparent_kva=apparent,
        losses_kw=float(line.pl_mw.sum() + trafo.pl_mw.sum()) * 1000.0,
        supplied_kw=float(net.res_ext_grid.p_mw.sum()) * 1000.0,
        consumed_kw=float(net.res_load.p_mw.sum()) * 1000.0,
    )


def build(sheets: Sheets) -> Any:
    """Return the unsolved network; names are the tables' identifiers."""
    net = pandapower.create_empty_network()
    names = [row["node_id"] for row in sheets["nodes"]]
    voltages_kv = [float(row["u_nominal_kv"]) for row in sheets["nodes"]]
    index = pandapower.create_buses(net, len(names), vn_kv=voltages_kv, name=names)
    bus = dict(zip(names, index, strict=True))
    for row in sheets["substations"]:
        name = row["substation_id"]
        bus[name] = pandapower.create_bus(net, float(row["u_high_kv"]), name=f"{name}:HV")
        pandapower.create_ext_grid(net, bus[name], vm_pu=float(row["u_source_pu"]))
    _create_lines(net, sheets, bus)
    _create_transformers(net, sheets, bus)
    loads = sheets["loads"]
    pandapower.create_loads(
        net,
        [bus[row["node_id"]] for row in loads],
        p_mw=[float(row["p_kw"]) / 1000.0 for row in loads],
        q_mvar=[float(row["q_kvar"]) / 1000.0 for row in loads],
    )
    return net


def _create_lines(net: Any, sheets: Sheets, bus: dict[str, int]) -> None:
    types = {
        t.type_id: (t.r20_ohm_per_km, t.x_ohm_per_km, t.c_nf_per_km, t.rating_a)
        for t in load_catalogue().line_types.values()
    }
    for row in sheets["conductor_types"]:
        columns = ("r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km", "rating_a")
        types[row["type_id"]] = tuple(float(row[c]) for c in columns)  # type: ignore[assignment]
    rows = [*sheets["line_sections"], *sheets["lv_lines"]]
    values = [types[row["conductor_type"]] for row in rows]
    index = pandapower.create_lines_from_parameters(
        net,
        [bus[row["from_node"]] for row in rows],
        [bus[row["to_node"]] for row in rows],
        length_km=[float(row["length_km"]) for row in rows],
        r_ohm_per_km=[v[0] for v in values],
        x_ohm_per_km=[v[1] for v in values],
        c_nf_per_km=[v[2] for v in values],
        max_i_ka=[v[3] / 1000.0 for v in values],
        name=[row["section_id"] for row in rows],
    )
    position = dict(zip((row["section_id"] for row in rows), index, strict=True))
    switches = sheets["switches"]
    pandapower.create_switches(
        net,
        [bus[row["node_id"]] for row in switches],
        [position[row["section_id"]] for row in switches],
        et="l",
        closed=[row["normal_state"] == "closed" for row in switches],
    )


def _create_transformers(net: Any, sheets: Sheets, bus: dict[str, int]) -> None:
    for row in sheets["main_transformers"]:
        pandapower.create_transformer_from_parameters(
            net, bus[row["substation_id"]], bus[row["busbar_id"]], sn_mva=float(row["sn_mva"]),
            vn_hv_kv=float(row["u_high_kv"]), vn_lv_kv=float(row["u_low_kv"]), vk_percent=float(row["vk_percent"]),
            vkr_percent=float(row["vkr_percent"]), pfe_kw=float(row["p0_kw"]), i0_percent=float(row["i0_percent"]),
            shift_degree=330.0, tap_side="hv", tap_neutral=0, tap_pos=int(row["tap_position"]),
            tap_min=int(row["tap_min"]), tap_max=int(row["tap_max"]), tap_changer_type="Ratio",
            tap_step_percent=float(row["tap_step_percent"]), name=row["main_transformer_id"],
        )  # fmt: skip
    catalogue = load_catalogue()
    for row in sheets["distribution_transformers"]:
        t = catalogue.get_transformer_type(row["model"])
        pandapower.create_transformer_from_parameters(
            net, bus[row["node_id"]], bus[row["board_id"]], sn_mva=t.sn_kva / 1000.0, vn_hv_kv=t.u_hv_kv,
            vn_lv_kv=t.u_lv_kv, vk_percent=t.vk_percent, vkr_percent=t.vkr_percent, pfe_kw=t.p0_kw,
            i0_percent=t.i0_percent, shift_degree=t.shift_deg, tap_side=t.tap_side, tap_neutral=t.tap_neutral,
            tap_min=t.tap_min, tap_max=t.tap_max, tap_step_percent=t.tap_step_percent, tap_changer_type="Ratio",
            tap_pos=int(row["tap_position"] or 0), name=row["transformer_id"],
        )  # fmt: skip
