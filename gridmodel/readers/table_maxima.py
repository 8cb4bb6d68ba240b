"""Measured maxima (实测最大负荷) and the ratings they are held against."""

from __future__ import annotations

import math
from collections.abc import Mapping

from gridmodel.readers.table_equipment import Equipment
from gridmodel.readers.table_gate import TableGate, TableRow

NOT_MEASURED = "该值按未测处理;该设备的管理容量不可评估"

_TABLES = {
    "main_transformer": "main_transformers",
    "feeder": "feeders",
    "distribution_transformer": "distribution_transformers",
}


def section_rating_a(row: TableRow, equipment: Equipment) -> float:
    """Return the rating (A) of one conductor of an accepted section, as laid."""
    own = row["rating_a"]
    return float(equipment.conductors[row["conductor_type"]].rating_a if own is None else own)


def feeder_rating_a(row: TableRow, sections: Mapping[str, TableRow], equipment: Equipment) -> float:
    """Return the limit current (A) of an accepted feeder; that of its head section where none is stated."""
    if row["rating_a"] is not None:
        return float(row["rating_a"])
    head = sections[row["head_section_id"]]
    return section_rating_a(head, equipment) * int(head["parallel"])


def kva_of(current_a: float, u_nominal_kv: float) -> float:
    """Return the three-phase power (kVA) of a current at nominal voltage."""
    return math.sqrt(3.0) * u_nominal_kv * current_a


def check_maxima(gate: TableGate, equipment: Equipment) -> None:
    """Judge every measured maximum: its element must be known, its day past, its size in proportion to the rating."""
    nodes, sections = gate.by_id("nodes"), gate.by_id("line_sections")
    rated_kva = {
        "main_transformer": {row.id: row["sn_mva"] * 1e3 for row in gate.accepted("main_transformers")},
        "feeder": {
            row.id: kva_of(feeder_rating_a(row, sections, equipment), nodes[row["busbar_id"]]["u_nominal_kv"])
            for row in gate.accepted("feeders")
        },
        "distribution_transformer": {
            row.id: equipment.transformers[row["model"]].sn_kva * row["parallel"]
            for row in gate.accepted("distribution_transformers")
        },
    }
    for row in list(gate.accepted("measured_maxima")):
        kind, element_id = row["element_kind"], row["element_id"]
        if element_id not in rated_kva[kind]:
            left_out = {other.id for other in gate.quarantined(_TABLES[kind])}
            code = "refers_to_quarantined" if element_id in left_out else "dangling_reference"
            expected = f"{_TABLES[kind]} 中已采用的编号"
            gate.quarantine(row, code, column="element_id", expected=expected, consequence=NOT_MEASURED)
            continue
        if row["measured_on"] > gate.data_as_of:
            expected = f"不晚于数据截止日期 {gate.data_as_of}"
            gate.quarantine(
                row, "measured_in_future", column="measured_on", expected=expected, consequence=NOT_MEASURED
            )
        rating_kva = rated_kva[kind][element_id]
        shown = f"{row['max_kva']:g} kVA,额定 {rating_kva:.0f} kVA"
        gate.judge(row, "max_kva/rating", row["max_kva"] / rating_kva, applies_to=kind, shown=shown, at="max_kva")
