"""Reader of the product's own tables (自有表格): a folder of CSV files or one xlsx; see ``TABLES.md``.

All or nothing where the form is wrong (unknown or missing table or column, no network row): nothing can be trusted.
Row by row where the content is: a wrong row is left out with a finding, and the nodes that depend on it are not
assessable.
"""

from __future__ import annotations

from pathlib import Path

from gridmodel.errors import InputError
from gridmodel.readers.table_equipment import gather_equipment
from gridmodel.readers.table_files import read_raw_tables
from gridmodel.readers.table_frames import (
    check_stated_membership,
    course_frame,
    feeder_frame,
    find_membership,
    in_flight_frame,
    line_frame,
    node_frame,
    transformer_frame,
)
from gridmodel.readers.table_gaps import check_dependence, find_sections_out
from gridmodel.readers.table_gate import TableGate, open_gate
from gridmodel.readers.table_maxima import check_maxima
from gridmodel.readers.table_network import build_network, index_elements
from gridmodel.readers.table_places import check_courses
from gridmodel.readers.table_rows import check_rows
from gridmodel.readers.table_template import write_template
from gridmodel.snapshot import Snapshot, seal

__all__ = ["read_tables", "write_template"]


def read_tables(path: Path) -> Snapshot:
    """Return the sealed snapshot of the network in ``path``, a folder of CSV files or one xlsx.

    Raises:
        InputError: The tables cannot be read or their form is wrong, or nothing that could be supplied is left.
    """
    raw = read_raw_tables(path)
    gate = open_gate(raw)
    network = gate.rows["network"][0]
    equipment = gather_equipment(gate)
    check_rows(gate, equipment, datum=network["datum"])
    check_maxima(gate, equipment)
    check_courses(gate, datum=network["datum"])
    for table in ("nodes", "substations"):
        _refuse_nothing(gate, table)
    index = index_elements(gate)
    net = build_network(gate, equipment, index, name=network["name"], sections_out=find_sections_out(gate))
    membership = find_membership(net, gate, index)
    check_stated_membership(gate, index, membership)
    topology_findings, reasons = check_dependence(net, gate, index, membership, file=path.name)
    snapshot = Snapshot(
        net=net,
        nodes=node_frame(gate, index, membership, reasons),
        lines=line_frame(gate, index, membership, equipment),
        transformers=transformer_frame(gate, index, membership, equipment),
        feeders=feeder_frame(gate, index, membership, equipment),
        in_flight=in_flight_frame(gate, index),
        findings=(*gate.findings, *topology_findings),
        counts=gate.counts(),
        source_name=path.name,
        source_format="tables",
        corridors=course_frame(gate, "corridors"),
        obstacles=course_frame(gate, "obstacles"),
    )
    return seal(snapshot)[0]


def _refuse_nothing(gate: TableGate, table: str) -> None:
    if next(gate.accepted(table), None) is not None:
        return
    finding = next((f for f in gate.findings if f.table == table and f.disposition == "quarantined"), None)
    raise InputError(
        f"no usable row in {table}" + (f": {finding.code}" if finding else ""),
        file=gate.files[table],
        row=finding.row if finding else None,
        field=f"{table}.{finding.column}" if finding else table,
        value=finding.value if finding else None,
        allowed=finding.expected if finding else "at least one row",
    )
