"""Frames of a snapshot made from tables: what stands where, and which feeder and transformer area it belongs to.

Membership comes from the topology in the normal switch states; what the tables state is only compared with it.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gridmodel.net import Net
from gridmodel.readers.table_equipment import Equipment
from gridmodel.readers.table_gate import TableGate, TableRow
from gridmodel.readers.table_maxima import feeder_rating_a, kva_of
from gridmodel.readers.table_network import ElementIndex, source_id
from gridmodel.topology import LOW_VOLTAGE_KV_MAX, feeders_of


@dataclass(frozen=True, eq=False, kw_only=True)
class Membership:
    """What every bus belongs to; ``None`` where it does not apply or nothing supplies the bus."""

    supplied: frozenset[int]
    feeder_id: Mapping[int, str | None]
    area_id: Mapping[int, str]
    """Transformer area (台区) of low-voltage buses."""
    main_transformer: Mapping[int, int | None]
    unnamed_heads: tuple[int, ...]
    """Lines that leave a busbar without being the head section of a feeder."""


def find_membership(net: Net, gate: TableGate, index: ElementIndex) -> Membership:
    """Return the feeder, transformer area and main transformer of every bus."""
    heads = {index.lines[row["head_section_id"]]: str(row.id) for row in gate.accepted("feeders")}
    found = feeders_of(net)
    feeder_id: dict[int, str | None] = {}
    main: dict[int, int | None] = {}
    unnamed: dict[int, None] = {}
    columns = (found.index, found.head_table, found.head_element, found.main_table, found.main_element)
    for bus, head_table, head, main_table, main_element in zip(*columns, strict=True):
        feeder_id[bus] = heads.get(head) if head_table == "line" else None
        main[bus] = main_element if main_table == "trafo" else None
        if head_table == "line" and head not in heads:
            unnamed[head] = None
    return Membership(
        supplied=frozenset(found.index.tolist()),
        feeder_id=feeder_id,
        area_id=_areas(net, gate, index),
        main_transformer=main,
        unnamed_heads=tuple(unnamed),
    )


def _areas(net: Net, gate: TableGate, index: ElementIndex) -> dict[int, str]:
    """Spread every transformer's area over the low-voltage buses nearest to it by closed connections."""
    neighbours = _low_voltage_neighbours(net)
    area: dict[int, str] = {}
    queue: deque[int] = deque()
    for row in gate.accepted("distribution_transformers"):
        board = index.buses[row["board_id"]]
        if row["is_in_service"] and board not in area:
            area[board] = str(row.id)
            queue.append(board)
    while queue:
        bus = queue.popleft()
        for other in neighbours.get(bus, ()):
            if other not in area:
                area[other] = area[bus]
                queue.append(other)
    return area


def _low_voltage_neighbours(net: Net) -> dict[int, list[int]]:
    is_low = (net.bus.vn_kv <= LOW_VOLTAGE_KV_MAX).to_dict()
    opened = set(net.switch.element[(net.switch.et == "l") & ~net.switch.closed.astype(bool)].tolist())
    live = net.line[net.line.in_service.astype(bool) & ~net.line.index.isin(opened)]
    joined = net.switch[(net.switch.et == "b") & net.switch.closed.astype(bool)]
    pairs = [
        *zip(live.from_bus.tolist(), live.to_bus.tolist(), strict=True),
        *zip(joined.bus.tolist(), joined.element.tolist(), strict=True),
    ]
    neighbours: dict[int, list[int]] = {}
    for a, b in pairs:
        if is_low[a] and is_low[b]:
            neighbours.setdefault(a, []).append(b)
            neighbours.setdefault(b, []).append(a)
    return neighbours


def course_frame(gate: TableGate, table: str) -> pd.DataFrame | None:
    """Return the ``corridors`` or ``obstacles`` frame; ``None`` where no row is in use."""
    rows = [
        {
            "element_id": row.id,
            "name": row["name"],
            "kind": row["kind"],
            "geo": json.dumps({"type": "LineString", "coordinates": row["vertices"]}),
        }
        for row in gate.accepted(table)
    ]
    return pd.DataFrame(rows) if rows else None


def node_frame(
    gate: TableGate, index: ElementIndex, membership: Membership, reasons: Mapping[int, str]
) -> pd.DataFrame:
    """Return the ``nodes`` frame; ``reasons`` says why a bus cannot be assessed."""
    substation_of = {index.main_transformers[str(r.id)]: r["substation_id"] for r in gate.accepted("main_transformers")}
    rows = []
    for row in gate.accepted("nodes"):
        bus = index.buses[row["node_id"]]
        main = membership.main_transformer.get(bus)
        rows.append(
            {
                "node_id": row["node_id"],
                "kind": row["kind"],
                "u_nominal_kv": row["u_nominal_kv"],
                "name": row["name"],
                "feeder_id": membership.feeder_id.get(bus),
                "substation_id": row["substation_id"] if main is None else substation_of[main],
                "area_id": membership.area_id.get(bus),
                "spare_bays": row["bays_spare"],
                "place": row,
            }
        )
    for row in gate.accepted("substations"):
        rows.append(
            {
                "node_id": source_id(row),
                "kind": "source",
                "u_nominal_kv": row["u_high_kv"],
                "name": row["name"],
                "feeder_id": None,
                "substation_id": row["substation_id"],
                "area_id": None,
                "spare_bays": None,
                "place": row,
            }
        )
    return pd.DataFrame(
        {
            "node_id": _objects([r["node_id"] for r in rows]),
            "source_id": _objects([r["node_id"] for r in rows]),
            "element_id": _objects([r["node_id"] for r in rows]),
            "name": _objects([r["name"] for r in rows]),
            "kind": _objects([r["kind"] for r in rows]),
            "u_nominal_kv": _floats([r["u_nominal_kv"] for r in rows]),
            "lon_deg": _floats([r["place"]["lon_deg"] for r in rows]),
            "lat_deg": _floats([r["place"]["lat_deg"] for r in rows]),
            "feeder_id": _objects([r["feeder_id"] for r in rows]),
            "substation_id": _objects([r["substation_id"] for r in rows]),
            "area_id": _objects([r["area_id"] for r in rows]),
            "spare_bays": _floats([r["spare_bays"] for r in rows]),
            "status": _objects(["not_assessable" if bus in reasons else "assessable" for bus in range(len(rows))]),
            "reason": _objects([reasons.get(bus) for bus in range(len(rows))]),
        }
    )


def line_frame(gate: TableGate, index: ElementIndex, membership: Membership, equipment: Equipment) -> pd.DataFrame:
    """Return the ``lines`` frame."""
    nodes = gate.by_id("nodes")
    rows = list(gate.accepted("line_sections", "lv_lines"))
    ends = [(index.buses[row["from_node"]], index.buses[row["to_node"]]) for row in rows]
    return pd.DataFrame(
        {
            "element_id": _objects([row.id for row in rows]),
            "name": _objects([row["name"] for row in rows]),
            "type_id": _objects([row["conductor_type"] for row in rows]),
            "laying": _objects([equipment.conductors[row["conductor_type"]].laying for row in rows]),
            "u_nominal_kv": _floats([nodes[row["from_node"]]["u_nominal_kv"] for row in rows]),
            "feeder_id": _objects([_first(membership.feeder_id, pair) for pair in ends]),
            "area_id": _objects([_first(membership.area_id, pair) for pair in ends]),
        }
    )


def transformer_frame(
    gate: TableGate, index: ElementIndex, membership: Membership, equipment: Equipment
) -> pd.DataFrame:
    """Return the ``transformers`` frame; ``sn_kva`` counts parallel units together, as the measured maximum does."""
    main = list(gate.accepted("main_transformers"))
    distribution = list(gate.accepted("distribution_transformers"))
    rows = [*main, *distribution]
    high = [index.buses[row["node_id"]] for row in distribution]
    maxima = _maxima(gate, "main_transformer", main) + _maxima(gate, "distribution_transformer", distribution)
    sn_kva = [row["sn_mva"] * 1e3 for row in main] + [
        equipment.transformers[row["model"]].sn_kva * row["parallel"] for row in distribution
    ]
    substation_of = {number: row["substation_id"] for number, row in enumerate(main)}
    supplied_by = [membership.main_transformer.get(bus) for bus in high]
    return pd.DataFrame(
        {
            "element_id": _objects([row.id for row in rows]),
            "name": _objects([row["name"] for row in rows]),
            "role": _objects(["main"] * len(main) + [row["ownership"] for row in distribution]),
            "model": _objects([row["model"] for row in rows]),
            "sn_kva": _floats(sn_kva),
            "feeder_id": _objects([None] * len(main) + [membership.feeder_id.get(bus) for bus in high]),
            "substation_id": _objects(
                [row["substation_id"] for row in main]
                + [None if number is None else substation_of[number] for number in supplied_by]
            ),
            "area_id": _objects([None] * len(main) + [row.id for row in distribution]),
            "measured_max_kva": _floats([kva for kva, _ in maxima]),
            "measured_on": _objects([day for _, day in maxima]),
        }
    )


def feeder_frame(gate: TableGate, index: ElementIndex, membership: Membership, equipment: Equipment) -> pd.DataFrame:
    """Return the ``feeders`` frame; a measured maximum in kVA becomes a current at nominal voltage."""
    nodes, sections = gate.by_id("nodes"), gate.by_id("line_sections")
    rows = list(gate.accepted("feeders"))
    busbars = [nodes[row["busbar_id"]] for row in rows]
    maxima = _maxima(gate, "feeder", rows)
    feeds = {row["busbar_id"]: index.main_transformers[str(row.id)] for row in gate.accepted("main_transformers")}
    main = [membership.main_transformer.get(index.buses[row["busbar_id"]], feeds.get(row["busbar_id"])) for row in rows]
    frame = pd.DataFrame(
        {
            "name": _objects([row["name"] for row in rows]),
            "substation_id": _objects([busbar["substation_id"] for busbar in busbars]),
            "main_transformer": pd.Series(main, dtype="int64" if None not in main else object),
            "head_line": pd.Series([index.lines[row["head_section_id"]] for row in rows], dtype="int64"),
            "rating_a": _floats([feeder_rating_a(row, sections, equipment) for row in rows]),
            "measured_max_a": _floats(
                [kva / kva_of(1.0, busbar["u_nominal_kv"]) for (kva, _), busbar in zip(maxima, busbars, strict=True)]
            ),
            "measured_on": _objects([day for _, day in maxima]),
        }
    )
    return frame.set_index(pd.Index([row.id for row in rows], dtype=object))


def in_flight_frame(gate: TableGate, index: ElementIndex) -> pd.DataFrame:
    """Return the ``in_flight`` frame: commitments still valid on the day of the data."""
    rows = [row for row in gate.accepted("in_flight") if row["valid_to"] >= gate.data_as_of]
    return pd.DataFrame(
        {
            "commitment_id": _objects([row.id for row in rows]),
            "bus": pd.Series([index.buses[row["node_id"]] for row in rows], dtype="int64"),
            "capacity_kva": _floats([row["capacity_kva"] for row in rows]),
            "power_factor": _floats([row["power_factor"] for row in rows]),
            "approved_on": _objects([row["approved_on"].isoformat() for row in rows]),
            "valid_to": _objects([row["valid_to"].isoformat() for row in rows]),
        }
    )


def check_stated_membership(gate: TableGate, index: ElementIndex, membership: Membership) -> None:
    """Report sections whose stated feeder or area is not the one that supplies them, and lines without a feeder."""
    by_number = {number: section_id for section_id, number in index.lines.items()}
    unnamed = {by_number[number] for number in membership.unnamed_heads}
    for row in gate.accepted("line_sections"):
        _compare(gate, row, "feeder_id", "feeder_disagrees", index, membership.feeder_id)
        if row.id in unnamed:
            consequence = "其后节点不属于任何馈线,馈线管理容量不可评估"
            expected = "feeders 中有以它为出线段的馈线"
            gate.warn(row, "section_without_feeder", column="section_id", expected=expected, consequence=consequence)
    for row in gate.accepted("lv_lines"):
        _compare(gate, row, "transformer_id", "area_disagrees", index, membership.area_id)


def _compare(
    gate: TableGate,
    row: TableRow,
    column: str,
    code: str,
    index: ElementIndex,
    membership: Mapping[int, str | None] | Mapping[int, str],
) -> None:
    ends = (index.buses[row["from_node"]], index.buses[row["to_node"]])
    found = {name for bus in ends if (name := membership.get(bus)) is not None}
    if row[column] is not None and found and row[column] not in found:
        expected = "、".join(sorted(found)) + "(按正常运行方式的拓扑)"
        gate.warn(row, code, column=column, expected=expected, consequence="按拓扑归属计算")


def _maxima(gate: TableGate, kind: str, rows: Sequence[TableRow]) -> list[tuple[float, str | None]]:
    """Measured maximum (kVA, NaN = not measured) and its day for each row."""
    measured = {row["element_id"]: row for row in gate.accepted("measured_maxima") if row["element_kind"] == kind}
    found = [measured.get(row.id) for row in rows]
    return [(math.nan, None) if row is None else (row["max_kva"], row["measured_on"].isoformat()) for row in found]


def _first(membership: Mapping[int, str | None] | Mapping[int, str], buses: Sequence[int]) -> str | None:
    return next((name for bus in buses if (name := membership.get(bus)) is not None), None)


def _objects(values: Sequence[Any]) -> pd.Series:
    return pd.Series(list(values), dtype=object)


def _floats(values: Sequence[float | None]) -> pd.Series:
    return pd.Series([math.nan if value is None else float(value) for value in values], dtype="float64")
