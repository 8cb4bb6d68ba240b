"""The low-voltage areas (台区) of the township: houses, cables and poles of the source on their own transformers."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from tests.township.medium import add_transformer
from tests.township.sheets import Sheets, add, pick, vertices_text
from tests.township.source import Row, Source, points

MAIN_CABLE = "NAYY 4x150 SE"
BRANCH_BOX_LINES = 3
"""Main cables meeting in a branch box (分支箱)."""
SMALL_MICRO_MIN_MW = 0.003
"""Source loads from here on are taken as a shop or workshop."""


def add_low_voltage(sheets: Sheets, source: Source, choices: dict[str, Any]) -> None:
    """Add every joined area; areas without a medium-voltage partner are left out."""
    _add_conductor_types(sheets, source)
    zone_bus = {source.lv["trafo"][index]["name"]: bus for index, bus in source.joins.items()}
    board_bus = {source.lv["trafo"][index]["lv_bus"]: bus for index, bus in source.joins.items()}
    area_of = {i: zone_bus[b["zone"]] for i, b in source.lv["bus"].items() if b["zone"] in zone_bus}
    for lv_bus, bus in board_bus.items():
        area = choices["areas"][str(bus)]
        add_transformer(
            sheets, source, choices, bus=bus, name=f"{area['name']}公变", ownership="public", model=area["model"],
            board_position=points(source.lv["bus"][lv_bus]["geo"])[0], tap_position=area.get("tap_position"),
        )  # fmt: skip
    boards = {lv_bus: f"B{bus:03d}" for lv_bus, bus in board_bus.items()}
    _add_nodes(sheets, source, choices, area_of, boards)
    _add_lines(sheets, source, choices, area_of, boards)
    _add_switches(sheets, source, choices, area_of, boards)
    _add_loads(sheets, source, choices, area_of, boards)


def _add_conductor_types(sheets: Sheets, source: Source) -> None:
    for name, row in sorted({line["std_type"]: line for line in source.lv["line"].values()}.items()):
        add(
            sheets, "conductor_types", type_id=name, laying="cable", u_class="lv", r_ohm_per_km=row["r_ohm_per_km"],
            x_ohm_per_km=row["x_ohm_per_km"], c_nf_per_km=row["c_nf_per_km"], rating_a=row["max_i_ka"] * 1000.0,
            source="pandapower 3.5.6, lv_schutterwald (BSD-3-Clause)",
        )  # fmt: skip


def _add_nodes(
    sheets: Sheets, source: Source, choices: dict[str, Any], area_of: dict[int, int], boards: dict[int, str]
) -> None:
    houses = {row["bus"] for row in source.lv["load"].values()}
    mains: dict[int, int] = defaultdict(int)
    for line in source.lv["line"].values():
        if line["std_type"] == MAIN_CABLE:
            mains[line["from_bus"]] += 1
            mains[line["to_bus"]] += 1
    counts: dict[tuple[int, str], int] = defaultdict(int)
    for index, row in sorted(source.lv["bus"].items()):
        if index not in area_of or index in boards or row["vn_kv"] > 1.0:
            continue
        area = choices["areas"][str(area_of[index])]
        kind, total, spare, label = "lv_node", None, None, ""
        if index in houses:
            label = "户"
        elif area.get("overhead"):
            kind, label = "lv_pole", "号杆"
        elif mains[index] >= BRANCH_BOX_LINES:
            kind, label = "branch_box", "号分支箱"
            spare = int(pick(choices["seed"], f"branch box {index}") * 3.0)
            total = mains[index] + spare
        counts[area_of[index], label] += 1
        name = f"{area['name']}{counts[area_of[index], label]}{label}" if label else None
        lon_deg, lat_deg = points(row["geo"])[0]
        add(
            sheets, "nodes", node_id=_node_id(index, boards), name=name, kind=kind, u_nominal_kv=0.4, lon_deg=lon_deg,
            lat_deg=lat_deg, bays_total=total, bays_spare=spare,
        )  # fmt: skip


def _add_lines(
    sheets: Sheets, source: Source, choices: dict[str, Any], area_of: dict[int, int], boards: dict[int, str]
) -> None:
    overhead = choices["low_voltage"]
    for index, row in sorted(source.lv["line"].items()):
        bus = _area_of_line(source, row, area_of, index)
        if bus is None:
            continue
        conductor = row["std_type"]
        if choices["areas"][str(bus)].get("overhead"):
            conductor = overhead["overhead_main"] if conductor == MAIN_CABLE else overhead["overhead_service"]
        add(
            sheets, "lv_lines", section_id=f"V{index:05d}", transformer_id=f"T{bus:03d}",
            from_node=_node_id(row["from_bus"], boards), to_node=_node_id(row["to_bus"], boards),
            length_km=row["length_km"], conductor_type=conductor, vertices=vertices_text(points(row["geo"])[1:-1]),
        )  # fmt: skip


def _area_of_line(source: Source, line: Row, area_of: dict[int, int], index: int) -> int | None:
    """Return the area that feeds a line in the normal state; a tie belongs to the side it is fed from."""
    opened = {
        row["bus"] for row in source.lv["switch"].values() if row["element"] == index and not row["closed"]
    }  # fmt: skip
    ends = [line["from_bus"], line["to_bus"]]
    if any(end not in area_of for end in ends):
        return None
    return next((area_of[end] for end in ends if end not in opened), area_of[ends[0]])


def _add_switches(
    sheets: Sheets, source: Source, choices: dict[str, Any], area_of: dict[int, int], boards: dict[int, str]
) -> None:
    extra_open = set(choices["low_voltage"]["extra_open_switches"])
    for index, row in sorted(source.lv["switch"].items()):
        line = source.lv["line"][row["element"]]
        if _area_of_line(source, line, area_of, row["element"]) is None:
            continue
        is_closed = row["closed"] and index not in extra_open
        add(
            sheets, "switches", switch_id=f"KL{index:03d}", kind="breaker", node_id=_node_id(row["bus"], boards),
            section_id=f"V{row['element']:05d}", normal_state="closed" if is_closed else "open",
        )  # fmt: skip


def _add_loads(
    sheets: Sheets, source: Source, choices: dict[str, Any], area_of: dict[int, int], boards: dict[int, str]
) -> None:
    for _, row in sorted(source.lv["load"].items()):
        if row["bus"] not in area_of:
            continue
        ratio = choices["areas"][str(area_of[row["bus"]])]["load_ratio"]
        add(
            sheets, "loads", load_id=f"H{row['bus']:04d}", node_id=_node_id(row["bus"], boards),
            p_kw=row["p_mw"] * 1000.0 * ratio, q_kvar=row["q_mvar"] * 1000.0 * ratio, customers=1,
            category="small_micro" if row["p_mw"] >= SMALL_MICRO_MIN_MW else "resident",
        )  # fmt: skip
    for row in choices["low_voltage"]["extra_loads"]:
        add(
            sheets, "loads", load_id=row["id"], node_id=_node_id(row["source_bus"], boards), p_kw=row["p_kw"],
            q_kvar=row["q_kvar"], category=row["category"], customers=1,
        )  # fmt: skip


def _node_id(bus: int, boards: dict[int, str]) -> str:
    return boards.get(bus, f"L{bus:04d}")
