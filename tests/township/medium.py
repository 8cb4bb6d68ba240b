"""The 10 kV side of the township: substations, nodes, poles, sections, switches, stations with lumped loads."""

from __future__ import annotations

from typing import Any

from gridmodel.catalogue.loader import load_catalogue
from tests.township.layout import Layout, find_layout, length_km, route, split_route
from tests.township.sheets import Sheets, add, pick, vertices_text
from tests.township.source import Source, points

PLACES = (
    "石桥", "桃园", "竹林", "北岗", "南坪", "西塘", "松岭", "荷塘", "梅庄", "槐树",
    "杏林", "白鹭", "凤坡", "龙湾", "柳岸", "枫林", "稻香", "麦垄", "茶山", "菱湖", "芦花", "银杏",
    "玉带", "听泉", "望月", "晴川", "云岭", "春晖", "秋实", "双桥",
)  # fmt: skip


def add_medium_voltage(sheets: Sheets, source: Source, choices: dict[str, Any]) -> None:
    """Fill every table of the medium-voltage side."""
    busbars = {row["source_busbar"]: row for row in choices["substations"]}
    layout = find_layout(source.mv, choices["feeders"], set(busbars))
    _add_substations(sheets, source, choices)
    _add_nodes(sheets, source, choices, layout)
    _add_conductor_types(sheets, source)
    ends = _add_sections(sheets, source, choices, layout)
    _add_switches(sheets, source, choices, ends)
    _add_stations(sheets, source, choices)


def node_id(bus: int, choices: dict[str, Any]) -> str:
    """Return the township's identifier of a source bus."""
    for row in choices["substations"]:
        if row["source_busbar"] == bus:
            return f"{row['id']}-B1"
    return f"M{bus:03d}"


def _add_substations(sheets: Sheets, source: Source, choices: dict[str, Any]) -> None:
    t = choices["main_transformers"]
    for row in choices["substations"]:
        lon_deg, lat_deg = points(source.mv["bus"][row["source_hv_bus"]]["geo"])[0]
        add(
            sheets, "substations", substation_id=row["id"], name=f"110kV {row['name']}", lon_deg=lon_deg,
            lat_deg=lat_deg, u_high_kv=t["u_high_kv"], u_source_pu=t["u_source_pu"],
            s_sc_max_mva=t["s_sc_max_mva"], rx_max=t["rx_max"],
        )  # fmt: skip
        add(
            sheets, "main_transformers", main_transformer_id=f"{row['id']}-T1", name=f"{row['name']}1号主变",
            substation_id=row["id"], busbar_id=f"{row['id']}-B1", sn_mva=row["sn_mva"], u_high_kv=t["u_high_kv"],
            u_low_kv=t["u_low_kv"], vk_percent=t["vk_percent"], vkr_percent=row["pk_kw"] / row["sn_mva"] / 10.0,
            p0_kw=row["p0_kw"], i0_percent=row["i0_percent"], tap_side="hv", tap_position=t["tap_position"],
            tap_neutral=0, tap_min=t["tap_min"], tap_max=t["tap_max"], tap_step_percent=t["tap_step_percent"],
            vector_group=t["vector_group"], is_in_service=True,
        )  # fmt: skip
    for row in choices["feeders"]:
        line = source.mv["line"][row["head_line"]]
        busbars = {s["source_busbar"] for s in choices["substations"]}
        busbar = next(end for end in (line["from_bus"], line["to_bus"]) if end in busbars)
        pieces = _piece_count(source, choices, row["head_line"])
        head = _section_id(row["head_line"], pieces if line["to_bus"] == busbar else 1, pieces)
        add(
            sheets, "feeders", feeder_id=row["id"], name=row["name"], busbar_id=node_id(busbar, choices),
            head_section_id=head, rating_a=row.get("rating_a"),
        )  # fmt: skip


def _add_nodes(sheets: Sheets, source: Source, choices: dict[str, Any], layout: Layout) -> None:
    stations = _stations(source)
    feeder_names = {row["id"]: row["name"].removeprefix("10kV ") for row in choices["feeders"]}
    counts: dict[tuple[str, str], int] = {}
    for row in choices["substations"]:
        lon_deg, lat_deg = points(source.mv["bus"][row["source_busbar"]]["geo"])[0]
        add(
            sheets, "nodes", node_id=f"{row['id']}-B1", name=f"{row['name']}10kV I 段母线", kind="substation_busbar",
            u_nominal_kv=choices["scaling"]["u_to_kv"], lon_deg=lon_deg, lat_deg=lat_deg, substation_id=row["id"],
            bays_total=row["busbar_bays_total"], bays_spare=row["busbar_bays_spare"],
        )  # fmt: skip
    for bus in sorted(layout.feeder):
        kind = _kind(bus, source, choices, layout)
        feeder = feeder_names[layout.feeder[bus]]
        if kind == "station":
            is_joined = bus in source.joins.values()
            name = f"{choices['areas'][str(bus)]['name']}台区" if is_joined else station_name(bus, stations)
        else:
            label = {"ring_main_unit": "号环网柜", "switching_station": "号开关站", "pole": "号转角杆"}[kind]
            counts[feeder, kind] = counts.get((feeder, kind), 0) + 1
            name = f"{feeder}{counts[feeder, kind]}{label}"
        total, spare = _bays(bus, kind, choices, layout, used=len(layout.lines_at[bus]) + (bus in stations))
        lon_deg, lat_deg = points(source.mv["bus"][bus]["geo"])[0]
        add(
            sheets, "nodes", node_id=node_id(bus, choices), name=name, kind=kind,
            u_nominal_kv=choices["scaling"]["u_to_kv"], lon_deg=lon_deg, lat_deg=lat_deg, bays_total=total,
            bays_spare=spare, can_tee=True if kind == "pole" else None,
        )  # fmt: skip


def _kind(bus: int, source: Source, choices: dict[str, Any], layout: Layout) -> str:
    lines = layout.lines_at[bus]
    if bus in choices["kinds"]["switching_stations"]:
        return "switching_station"
    if bus not in _stations(source) and all(source.mv["line"][i]["type"] == "ol" for i in lines):
        return "pole"
    if len(lines) >= 3 or bus in layout.open_line.values() or bus not in _stations(source):
        return "ring_main_unit"
    return "station"


def _bays(bus: int, kind: str, choices: dict[str, Any], layout: Layout, *, used: int) -> tuple[int | None, int | None]:
    """Return bays installed and spare: the next common size, so that some units are full."""
    if kind == "switching_station":
        return 12, 12 - used - 4  # four bays hold station supply, instruments and bus coupling
    if kind != "ring_main_unit":
        return None, None
    wanted = used + int(pick(choices["seed"], f"bays {bus}") * 3.0)
    total = next(size for size in choices["stations"]["rmu_bays"] if size >= wanted)
    return total, total - used


def _add_conductor_types(sheets: Sheets, source: Source) -> None:
    for name, row in sorted({line["std_type"]: line for line in source.mv["line"].values()}.items()):
        add(
            sheets, "conductor_types", type_id=name, laying="overhead" if row["type"] == "ol" else "cable",
            u_class="mv", r_ohm_per_km=row["r_ohm_per_km"], x_ohm_per_km=row["x_ohm_per_km"],
            c_nf_per_km=row["c_nf_per_km"], rating_a=row["max_i_ka"] * 1000.0,
            source="pandapower 3.5.6, mv_oberrhein (BSD-3-Clause)",
        )  # fmt: skip


def _add_sections(
    sheets: Sheets, source: Source, choices: dict[str, Any], layout: Layout
) -> dict[tuple[int, int], str]:
    """Add the sections and poles; return the section at each end (line, bus) of a source line."""
    feeder_names = {row["id"]: row["name"].removeprefix("10kV ") for row in choices["feeders"]}
    poles: dict[str, int] = {}
    ends: dict[tuple[int, int], str] = {}
    for index, line in sorted(source.mv["line"].items()):
        from_id, to_id = node_id(line["from_bus"], choices), node_id(line["to_bus"], choices)
        energised = line["from_bus"] if layout.open_line.get(index) == line["to_bus"] else line["to_bus"]
        feeder = layout.feeder.get(energised) or layout.feeder[line["from_bus"]]
        path = route(line, source.mv["bus"])
        pieces = split_route(path, _piece_count(source, choices, index))
        is_replaced = index in choices["poles"]["replaced_lines"]
        total_km = length_km(line, path, straight_ratio_min=choices["lengths"]["straight_ratio_min"])
        remaining_km, previous = total_km, from_id
        for number, piece in enumerate(pieces, start=1):
            section = _section_id(index, number, len(pieces))
            piece_km = remaining_km if number == len(pieces) else round(total_km * piece.share, 6)
            remaining_km = round(remaining_km - piece_km, 6)
            following = to_id
            if number < len(pieces):
                following = f"P{index:03d}-{number:02d}"
                poles[feeder] = poles.get(feeder, 0) + 1
                add(
                    sheets, "nodes", node_id=following, name=f"{feeder_names[feeder]}{poles[feeder]}号杆", kind="pole",
                    u_nominal_kv=choices["scaling"]["u_to_kv"], lon_deg=piece.end[0], lat_deg=piece.end[1],
                    can_tee=True,
                )  # fmt: skip
            add(
                sheets, "line_sections", section_id=section, name=f"{feeder_names[feeder]}{section[1:]}段",
                feeder_id=feeder, from_node=previous, to_node=following, length_km=piece_km,
                conductor_type=choices["poles"]["replaced_conductor"] if is_replaced else line["std_type"],
                vertices=vertices_text(piece.vertices),
            )  # fmt: skip
            if number == 1:
                ends[index, line["from_bus"]] = section
            if number == len(pieces):
                ends[index, line["to_bus"]] = section
            previous = following
    return ends


def _add_switches(sheets: Sheets, source: Source, choices: dict[str, Any], ends: dict[tuple[int, int], str]) -> None:
    for index, row in sorted(source.mv["switch"].items()):
        kind = "breaker" if row["type"] == "CB" else "load_switch"
        add(
            sheets, "switches", switch_id=f"K{index:03d}", kind=kind, node_id=node_id(row["bus"], choices),
            name=None if row["closed"] else f"{index}联络开关", section_id=ends[row["element"], row["bus"]],
            normal_state="closed" if row["closed"] else "open",
        )  # fmt: skip


def _add_stations(sheets: Sheets, source: Source, choices: dict[str, Any]) -> None:
    """Add a transformer, its board and its lumped load for every station without a joined low-voltage area."""
    stations = _stations(source)
    scaling, evening = choices["scaling"], choices["evening"]
    catalogue = load_catalogue()
    for load in sorted(source.mv["load"].values(), key=lambda row: row["bus"]):
        bus = load["bus"]
        if bus in source.joins.values():
            continue
        rating_kva = load["p_mw"] * 1000.0 * scaling["power_ratio"]
        series = _choose(choices["stations"]["series"], pick(choices["seed"], f"series {bus}"))
        model = next(
            t for t in catalogue.find_transformer_types(series=series)
            if t.sn_kva >= rating_kva * evening["station_size_margin"]
        )  # fmt: skip
        is_dedicated = is_dedicated_station(bus, choices)
        p_kw = rating_kva * _evening_ratio(bus, choices)
        name = f"{station_name(bus, stations)}{'专变' if is_dedicated else '公变'}"
        add_transformer(
            sheets, source, choices, bus=bus, name=name, ownership="dedicated" if is_dedicated else "public",
            model=model.type_id, board_position=points(source.mv["bus"][bus]["geo"])[0],
        )  # fmt: skip
        category = _choose(choices["stations"]["dedicated_categories"], pick(choices["seed"], f"category {bus}"))
        add(
            sheets, "loads", load_id=f"C{bus:03d}", node_id=f"B{bus:03d}", p_kw=p_kw,
            q_kvar=p_kw * load["q_mvar"] / load["p_mw"], category=category if is_dedicated else "resident",
            customers=1 if is_dedicated else round(p_kw / evening["kw_per_house"]),
        )  # fmt: skip


def add_transformer(
    sheets: Sheets,
    source: Source,
    choices: dict[str, Any],
    *,
    bus: int,
    name: str,
    ownership: str,
    model: str,
    board_position: tuple[float, float],
    tap_position: int | None = None,
) -> None:
    """Add a distribution transformer at a source bus, and its board."""
    lon_deg, lat_deg = board_position
    add(
        sheets, "nodes", node_id=f"B{bus:03d}", name=f"{name}低压侧", kind="lv_board", u_nominal_kv=0.4,
        lon_deg=lon_deg, lat_deg=lat_deg,
    )  # fmt: skip
    add(
        sheets, "distribution_transformers", transformer_id=f"T{bus:03d}", name=name, node_id=node_id(bus, choices),
        board_id=f"B{bus:03d}", ownership=ownership, model=model, tap_position=tap_position,
    )  # fmt: skip


def station_name(bus: int, stations: list[int]) -> str:
    """Return the invented name of the station at a source bus."""
    number = stations.index(bus)
    return f"{PLACES[number % len(PLACES)]}{number // len(PLACES) + 1}号"


def is_dedicated_station(bus: int, choices: dict[str, Any]) -> bool:
    """Return whether the station at a source bus belongs to its customer (专变)."""
    return pick(choices["seed"], f"ownership {bus}") < choices["stations"]["dedicated_share"]


def _evening_ratio(bus: int, choices: dict[str, Any]) -> float:
    """Return what a station draws in the evening, as a share of its scaled rating."""
    evening = choices["evening"]
    if bus in evening["crowded_stations"]:
        return float(evening["crowded_ratio"])
    return float(evening["dedicated_ratio"] if is_dedicated_station(bus, choices) else evening["public_ratio"])


def _stations(source: Source) -> list[int]:
    return sorted({row["bus"] for row in source.mv["load"].values()} | set(source.joins.values()))


def _piece_count(source: Source, choices: dict[str, Any], line: int) -> int:
    """Return into how many sections a source line is cut: one, or one for each span between poles."""
    if line not in choices["poles"]["kept_conductor_lines"] + choices["poles"]["replaced_lines"]:
        return 1
    return max(1, round(source.mv["line"][line]["length_km"] * 1000.0 / choices["poles"]["spacing_m"]))


def _section_id(line: int, number: int, pieces: int) -> str:
    """Return the identifier of one of the ``pieces`` of a source line, counted from its first bus."""
    return f"W{line:03d}" if pieces == 1 else f"W{line:03d}-{number:02d}"


def _choose(options: list[tuple[str, float]], at: float) -> str:
    """Return the first option whose upper bound lies above ``at``."""
    return next(name for name, bound in options if at < bound)
