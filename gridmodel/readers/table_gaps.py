"""What the rows left out mean for the nodes that remain: gaps for the topology check, and the answer to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from gridmodel.findings import Finding
from gridmodel.gate import ElementNames, Gap, check_topology
from gridmodel.net import Net
from gridmodel.readers.table_frames import Membership
from gridmodel.readers.table_gate import TableGate, TableRow
from gridmodel.readers.table_network import ElementIndex
from gridmodel.readers.table_rows import SOURCE_SUFFIX

_BRANCH_ENDS = {
    "main_transformers": ("trafo", "substation_id", "busbar_id"),
    "distribution_transformers": ("trafo", "node_id", "board_id"),
    "line_sections": ("line", "from_node", "to_node"),
    "lv_lines": ("line", "from_node", "to_node"),
}
_POINT_TABLES = {"loads": "load", "generators": "sgen", "capacitors": "shunt", "in_flight": "load"}


def find_gaps(gate: TableGate, index: ElementIndex) -> tuple[Gap, ...]:
    """Return what was left out of the net, with the buses it stood at as far as they are known."""
    gaps = []
    for table, (element, *ends) in _BRANCH_ENDS.items():
        for row in gate.quarantined(table):
            gaps.append(_gap(row, element, *(_bus(row, end, index) for end in ends)))
    gaps.extend(_switch_gaps(gate, index))
    for table, element in _POINT_TABLES.items():
        gaps.extend(_gap(row, element, _bus(row, "node_id", index)) for row in gate.quarantined(table))
    return tuple(gaps)


def find_sections_out(gate: TableGate) -> frozenset[str]:
    """Return the sections with a switch whose row was left out: whether they are closed is not known."""
    sections = gate.by_id("line_sections", "lv_lines")
    return frozenset(row["section_id"] for row in gate.quarantined("switches") if row["section_id"] in sections)


def _bus(row: TableRow, column: str, index: ElementIndex) -> int | None:
    value = row[column]
    if value is None:
        return None
    return index.buses.get(f"{value}{SOURCE_SUFFIX}" if column == "substation_id" else value)


def _gap(row: TableRow, element: str, *buses: int | None) -> Gap:
    return Gap(
        table=element,
        row=row.number,
        element_id=row.id or f"{row.table.name}:{row.number}",
        buses=tuple(bus for bus in buses if bus is not None),
        scope="feeder",
        reason=_reason(row),
    )


def _switch_gaps(gate: TableGate, index: ElementIndex) -> Iterator[Gap]:
    """A section left out has a gap of its own, and a closed switch in an unknown section changes nothing."""
    sections = gate.by_id("line_sections", "lv_lines")
    left_out = {row.id for row in gate.quarantined("line_sections", "lv_lines")}
    for row in gate.quarantined("switches"):
        section_id = row["section_id"]
        if section_id in sections:
            yield _gap(row, "line", *(_bus(sections[section_id], end, index) for end in ("from_node", "to_node")))
        elif section_id is None or (section_id not in left_out and row["normal_state"] != "closed"):
            yield _gap(row, "switch", _bus(row, "node_id", index), _bus(row, "other_node_id", index))


def _reason(row: TableRow) -> str:
    name = f"({row.id})" if row.id else ""
    return f"{row.table.name} 第 {row.number} 行{name}未采用,相关数据待核"


def check_dependence(
    net: Net, gate: TableGate, index: ElementIndex, membership: Membership, *, file: str
) -> tuple[tuple[Finding, ...], Mapping[int, str]]:
    """Return the findings on the whole net, and the reason for every bus that cannot be assessed."""
    gaps = (*find_gaps(gate, index), *_boards_in_the_dark(gate, index, membership))
    names: ElementNames = {
        "bus": {number: name for name, number in index.buses.items()},
        "line": {number: name for name, number in index.lines.items()},
        "trafo": {n: i for i, n in (*index.main_transformers.items(), *index.distribution_transformers.items())},
    }
    check = check_topology(net, file=file, element_names=names, gaps=gaps)
    reasons = dict(check.not_assessable)
    loose = [gap for gap in gaps if gap.table in ("line", "trafo", "switch") and len(set(gap.buses)) < 2]
    for bus in net.bus.index.tolist():
        if loose and bus not in membership.supplied:
            reasons.setdefault(bus, f"无电源;{loose[0].reason}")
    lost_feeders = list(gate.quarantined("feeders"))
    busbars = {index.buses[str(row.id)] for row in gate.accepted("nodes") if row["kind"] == "substation_busbar"}
    for bus in membership.supplied if lost_feeders else ():
        if (
            membership.feeder_id.get(bus) is None
            and bus not in busbars
            and membership.main_transformer.get(bus) is not None
        ):
            reasons.setdefault(bus, _reason(lost_feeders[0]))
    return tuple(_placed(finding, gate) for finding in check.findings), reasons


def _boards_in_the_dark(gate: TableGate, index: ElementIndex, membership: Membership) -> list[Gap]:
    fed = {row["board_id"] for row in gate.rows.get("distribution_transformers", ())}
    return [
        replace(_gap(row, "trafo", index.buses[row["node_id"]]), reason=f"低压侧 {row.id} 无配变")
        for row in gate.accepted("nodes")
        if row["kind"] == "lv_board"
        and row["node_id"] not in fed
        and index.buses[row["node_id"]] not in membership.supplied
    ]


def _placed(finding: Finding, gate: TableGate) -> Finding:
    """Turn the pandapower index of a finding into the row it came from."""
    tables = {
        "bus": ("nodes", "substations"),
        "line": ("line_sections", "lv_lines"),
        "trafo": ("main_transformers", "distribution_transformers"),
        "ext_grid": ("substations",),
    }.get(finding.table, ())
    wanted = (finding.element_id or "").removesuffix(SOURCE_SUFFIX)
    row = gate.by_id(*tables).get(wanted)
    if row is None:
        return finding
    return replace(finding, file=gate.files[row.table.name], table=row.table.name, row=row.number)
