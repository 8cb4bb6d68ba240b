"""What rows must say about each other: references, voltage levels, ends of lines, feeders and switches.

Tables are judged in the order in which they refer to each other, so that a row left out takes along the rows that
cannot stand without it, each with its own finding.
"""

from __future__ import annotations

from gridmodel.gate.bands import threshold
from gridmodel.readers.table_equipment import Equipment
from gridmodel.readers.table_gate import LEFT_OUT, TableGate, TableRow
from gridmodel.readers.table_places import check_lengths, check_places
from gridmodel.topology import LOW_VOLTAGE_KV_MAX

_LOW_VOLTAGE_KINDS = frozenset({"lv_board", "branch_box", "lv_pole", "lv_node"})
_POINT_TABLES = ("loads", "generators", "capacitors", "in_flight")
SOURCE_SUFFIX = ":HV"
_PLACE_UNKNOWN = "位置不明:未计入潮流,受影响的馈线无法确定,其容量可能偏大;须先更正"


def check_rows(gate: TableGate, equipment: Equipment, *, datum: str) -> None:
    """Judge every row against the other tables; what remains accepted can be built."""
    check_references(gate, "nodes")
    for row in list(gate.accepted("nodes")):
        _check_node(gate, row)
    check_places(gate, datum=datum)
    nodes = gate.by_id("nodes")
    _check_main_transformers(gate, nodes)
    for table in ("line_sections", "lv_lines"):
        _check_sections(gate, table, nodes, equipment)
    _check_feeders(gate, nodes)
    _check_distribution_transformers(gate, nodes, equipment)
    _check_switches(gate, nodes)
    for table in _POINT_TABLES:
        _check_point_elements(gate, table, nodes)
    for table in ("line_sections", "lv_lines"):
        check_references(gate, table, on_fault="cell")
    _check_in_flight_dates(gate)
    _check_boards(gate)


def check_references(gate: TableGate, table: str, *, on_fault: str | None = None) -> None:
    """Hold every id that names another row against the accepted rows of the tables it may name."""
    columns = [
        column
        for row_table in [gate.rows.get(table)]
        if row_table
        for column in row_table[0].table.columns.values()
        if column.refers_to and on_fault in (None, column.on_fault)
    ]
    for column in columns:
        known = {row.id for row in gate.accepted(*column.refers_to)}
        left_out = {row.id for row in gate.quarantined(*column.refers_to)}
        for row in list(gate.accepted(table)):
            value = row[column.name]
            if value is None or value in known:
                continue
            code = "refers_to_quarantined" if value in left_out else "dangling_reference"
            expected = f"{'、'.join(column.refers_to)} 中已采用的编号"
            if column.on_fault == "cell":
                gate.drop_cell(row, code, column=column.name, expected=expected)
            else:
                is_lost = table in _POINT_TABLES and code == "dangling_reference"
                consequence = _PLACE_UNKNOWN if is_lost else LEFT_OUT
                gate.quarantine(row, code, column=column.name, expected=expected, consequence=consequence)


def is_low_voltage(node: TableRow) -> bool:
    """Return whether a node lies in a low-voltage network."""
    return bool(node["u_nominal_kv"] <= LOW_VOLTAGE_KV_MAX)


def _is_one_level(a: TableRow, b: TableRow) -> bool:
    low_kv, high_kv = sorted((a["u_nominal_kv"], b["u_nominal_kv"]))
    return bool(high_kv <= low_kv * threshold("voltage_level_ratio_max"))


def _check_node(gate: TableGate, row: TableRow) -> None:
    if (row["kind"] in _LOW_VOLTAGE_KINDS) != is_low_voltage(row):
        expected = f"与节点类型 {row['kind']} 相符的电压等级"
        gate.quarantine(row, "kind_voltage_mismatch", column="u_nominal_kv", expected=expected)
    if row["kind"] == "substation_busbar" and row["substation_id"] is None:
        gate.quarantine(row, "missing_value", column="substation_id", expected="变电站母线须写明所属变电站")
    if row["node_id"].endswith(SOURCE_SUFFIX):
        expected = f"不以 {SOURCE_SUFFIX} 结尾(留给变电站高压侧)"
        gate.quarantine(row, "reserved_id", column="node_id", expected=expected)
    total, spare = row["bays_total"], row["bays_spare"]
    if total is not None and spare is not None and spare > total:
        expected = f"不超过间隔总数 {total}"
        gate.drop_cell(row, "spare_bays_exceed_total", column="bays_spare", expected=expected)


def _check_main_transformers(gate: TableGate, nodes: dict[str, TableRow]) -> None:
    check_references(gate, "main_transformers")
    substations = gate.by_id("substations")
    for row in list(gate.accepted("main_transformers")):
        busbar = nodes[row["busbar_id"]]
        if busbar["kind"] != "substation_busbar":
            gate.quarantine(row, "wrong_node_kind", column="busbar_id", expected="变电站母线(substation_busbar)")
            continue
        for ratio, value, nominal_kv in (
            ("u_low_kv/u_nominal_kv", row["u_low_kv"], busbar["u_nominal_kv"]),
            ("u_high_kv/u_nominal_kv", row["u_high_kv"], substations[row["substation_id"]]["u_high_kv"]),
        ):
            shown = f"{value:g} kV / {nominal_kv:g} kV"
            gate.judge(row, ratio, value / nominal_kv, shown=shown, at=ratio.split("/")[0])
        if row["vkr_percent"] > row["vk_percent"]:
            gate.quarantine(row, "out_of_range", column="vkr_percent", expected="不大于 vk_percent")
        _check_taps(gate, row)


def _check_taps(gate: TableGate, row: TableRow) -> None:
    needed = ("tap_side", "tap_neutral", "tap_step_percent")
    missing = [name for name in needed if row[name] is None]
    position, lowest, highest = row["tap_position"], row["tap_min"], row["tap_max"]
    if position is not None and missing:
        expected = "已填档位时须同时填写 " + "、".join(needed)
        gate.quarantine(row, "tap_data_incomplete", column=missing[0], expected=expected)
    if position is None and len(missing) < len(needed):
        consequence = "按额定档计算"
        gate.warn(row, "tap_position_unknown", column="tap_position", expected="现运行档位", consequence=consequence)
    if position is not None and not (
        (lowest is None or position >= lowest) and (highest is None or position <= highest)
    ):
        gate.quarantine(row, "out_of_range", column="tap_position", expected=f"档位 {lowest}~{highest}")


def _check_sections(gate: TableGate, table: str, nodes: dict[str, TableRow], equipment: Equipment) -> None:
    check_references(gate, table, on_fault="row")
    u_class = "mv" if table == "line_sections" else "lv"
    for row in list(gate.accepted(table)):
        start, end = nodes[row["from_node"]], nodes[row["to_node"]]
        if start is end:
            gate.quarantine(row, "self_loop", column="to_node", expected="与起点不同的节点")
        elif not _is_one_level(start, end):
            shown = f"{start['u_nominal_kv']:g} kV / {end['u_nominal_kv']:g} kV"
            expected = "两端电压等级相同"
            gate.quarantine(row, "voltage_levels_joined", column="to_node", value=shown, expected=expected)
        elif is_low_voltage(start) != (u_class == "lv"):
            expected = "中压线路填入 line_sections,低压线路填入 lv_lines"
            gate.quarantine(row, "wrong_voltage_level", column="from_node", expected=expected)
        conductor = equipment.conductors.get(row["conductor_type"])
        if conductor is None:
            expected = "设备目录或 conductor_types 中的型号"
            gate.quarantine(row, "unknown_conductor_type", column="conductor_type", expected=expected)
        elif conductor.u_class != u_class:
            expected = f"{u_class} 级导线型号"
            consequence = "照该型号参数计算,请核对"
            gate.warn(
                row, "conductor_class_mismatch", column="conductor_type", expected=expected, consequence=consequence
            )
    check_lengths(gate, table, nodes)


def _check_feeders(gate: TableGate, nodes: dict[str, TableRow]) -> None:
    check_references(gate, "feeders")
    sections = gate.by_id("line_sections")
    by_head: dict[str, list[TableRow]] = {}
    for row in list(gate.accepted("feeders")):
        head = sections[row["head_section_id"]]
        by_head.setdefault(row["head_section_id"], []).append(row)
        if nodes[row["busbar_id"]]["kind"] != "substation_busbar":
            gate.quarantine(row, "wrong_node_kind", column="busbar_id", expected="变电站母线(substation_busbar)")
        elif row["busbar_id"] not in (head["from_node"], head["to_node"]):
            shown = f"{row['head_section_id']}({head['from_node']} — {head['to_node']})"
            expected = f"一端为母线 {row['busbar_id']} 的线路段"
            gate.quarantine(row, "feeder_head_not_at_busbar", column="head_section_id", value=shown, expected=expected)
    for sharing in by_head.values():
        for row in sharing if len(sharing) > 1 else ():
            gate.quarantine(row, "head_section_shared", column="head_section_id", expected="每条馈线有自己的出线段")


def _check_distribution_transformers(gate: TableGate, nodes: dict[str, TableRow], equipment: Equipment) -> None:
    check_references(gate, "distribution_transformers")
    for row in list(gate.accepted("distribution_transformers")):
        node, board = nodes[row["node_id"]], nodes[row["board_id"]]
        if board["kind"] != "lv_board":
            gate.quarantine(row, "board_not_low_voltage", column="board_id", expected="低压侧节点(lv_board)")
            continue
        if is_low_voltage(node):
            gate.quarantine(row, "node_not_medium_voltage", column="node_id", expected="中压节点")
            continue
        model = equipment.transformers.get(row["model"])
        if model is None:
            gate.quarantine(row, "unknown_transformer_model", column="model", expected="设备目录中的变压器型号")
            continue
        if not model.tap_min <= model.tap_neutral + row["tap_position"] <= model.tap_max:
            expected = f"档位 {model.tap_min - model.tap_neutral}~{model.tap_max - model.tap_neutral}"
            gate.quarantine(row, "out_of_range", column="tap_position", expected=expected)
        for ratio, value, nominal_kv in (
            ("u_high_kv/u_nominal_kv", model.u_hv_kv, node["u_nominal_kv"]),
            ("u_low_kv/u_nominal_kv", model.u_lv_kv, board["u_nominal_kv"]),
        ):
            gate.judge(row, ratio, value / nominal_kv, shown=f"{value:g} kV / {nominal_kv:g} kV", at="model")


def _check_switches(gate: TableGate, nodes: dict[str, TableRow]) -> None:
    check_references(gate, "switches")
    sections = gate.by_id("line_sections", "lv_lines")
    for row in list(gate.accepted("switches")):
        section_id, other_id = row["section_id"], row["other_node_id"]
        if (section_id is None) == (other_id is None):
            shown = f"{section_id or '空'} / {other_id or '空'}"
            expected = "section_id 与 other_node_id 恰填一项"
            gate.quarantine(row, "switch_ends_unclear", column="section_id", value=shown, expected=expected)
        elif section_id is not None:
            ends = (sections[section_id]["from_node"], sections[section_id]["to_node"])
            if row["node_id"] not in ends:
                expected = f"线路段 {section_id} 的一端({ends[0]} 或 {ends[1]})"
                gate.quarantine(row, "switch_not_at_section_end", column="node_id", expected=expected)
        elif other_id == row["node_id"]:
            gate.quarantine(row, "self_loop", column="other_node_id", expected="与 node_id 不同的节点")
        elif not _is_one_level(nodes[other_id], nodes[row["node_id"]]):
            gate.quarantine(row, "voltage_levels_joined", column="other_node_id", expected="两端电压等级相同")


def _check_point_elements(gate: TableGate, table: str, nodes: dict[str, TableRow]) -> None:
    check_references(gate, table)
    for row in list(gate.accepted(table)):
        voltage_class = "lv" if is_low_voltage(nodes[row["node_id"]]) else "mv"
        for column in ("p_kw", "q_kvar", "capacity_kva"):
            if row[column] is not None:
                gate.judge(row, column, row[column], applies_to=voltage_class)


def _check_in_flight_dates(gate: TableGate) -> None:
    for row in list(gate.accepted("in_flight")):
        if row["approved_on"] > row["valid_to"]:
            gate.quarantine(row, "dates_out_of_order", column="valid_to", expected="不早于答复日期")
        elif row["valid_to"] < gate.data_as_of:
            gate.warn(
                row,
                "commitment_expired",
                column="valid_to",
                expected=f"不早于数据截止日期 {gate.data_as_of}",
                consequence="已失效,不计入在途容量",
                severity="info",
            )
        elif row["approved_on"] > gate.data_as_of:
            expected = f"不晚于数据截止日期 {gate.data_as_of}"
            consequence = "仍计入在途容量"
            gate.warn(row, "approved_in_future", column="approved_on", expected=expected, consequence=consequence)


def _check_boards(gate: TableGate) -> None:
    fed = {row["board_id"] for row in gate.accepted("distribution_transformers")}
    for row in gate.accepted("nodes"):
        if row["kind"] == "lv_board" and row["node_id"] not in fed:
            consequence = "无配变供电,其低压台区不可评估"
            gate.warn(
                row,
                "board_without_transformer",
                column="node_id",
                expected="有配变低压侧接于此",
                consequence=consequence,
            )
