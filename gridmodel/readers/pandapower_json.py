"""Read a pandapower network file (JSON) from outside into a snapshot, without pandapower's own reader.

See ``gridmodel/decisions/0004-files-from-outside.md`` for why. Every element table that the load flow uses is kept with
all its columns; results, costs, measurements, groups and standard types are not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from gridmodel.errors import InputError
from gridmodel.findings import Finding, TableCount
from gridmodel.gate import check_net, check_places, check_topology
from gridmodel.gate.schema import CHARACTERISTIC_TABLES, SCHEMAS
from gridmodel.net import Net, build_net
from gridmodel.readers.pandapower_format import convert_tables, parse_format
from gridmodel.readers.pandapower_frames import describe_net, parse_places
from gridmodel.readers.plain_json import PlainNet, parse_plain_net
from gridmodel.snapshot import Snapshot, seal

_KEPT = (*SCHEMAS, *CHARACTERISTIC_TABLES)
_PLACES = ("bus_geodata", "line_geodata")
_OBJECT_COLUMNS = ("tap_dependent_impedance",)
"""Columns that only work together with objects of the file, which are never built."""


def read_pandapower(data: bytes, *, file: str) -> Snapshot:
    """Return the snapshot of a pandapower network file.

    Args:
        data: Content of the file, as ``pandapower.to_json`` writes it, format 2.0 to 3.3.
        file: File name for messages and findings.

    Raises:
        InputError: Not such a file; it names an object outside the list of plain ones; a mandatory table or column is
            missing; a whole column has the wrong unit; nothing feeds the network.
    """
    plain = parse_plain_net(data, file=file)
    version = parse_format(plain.entries.get("format_version", plain.entries.get("version")), file=file)
    tables = _element_tables(plain, version=version)
    rows = check_net(tables, file=file)
    net = _build(rows.tables, plain, file)
    topology = check_topology(net, file=file, gaps=rows.gaps)
    place_findings, places = check_places(parse_places(net.bus), net.line, file=file)
    frames = describe_net(net, places=places, not_assessable=topology.not_assessable)
    findings = (*_findings_on_file(plain, file), *rows.findings, *topology.findings, *place_findings)
    counts = (*rows.counts, *_counts_of_objects(plain))
    snapshot = Snapshot(
        net=net,
        nodes=frames.nodes,
        lines=frames.lines,
        transformers=frames.transformers,
        feeders=frames.feeders,
        in_flight=frames.in_flight,
        findings=findings,
        counts=tuple(sorted(counts, key=lambda count: count.table)),
        source_name=file,
        source_format="pandapower",
    )
    return seal(snapshot)[0]


def _element_tables(plain: PlainNet, *, version: tuple[int, int]) -> dict[str, pd.DataFrame]:
    known = {name: frame for name, frame in plain.tables.items() if name in (*_KEPT, *_PLACES)}
    converted = convert_tables(known, version=version)
    for name in ("trafo", "trafo3w"):
        if name in converted:
            converted[name] = converted[name].drop(columns=[c for c in _OBJECT_COLUMNS if c in converted[name]])
    return {name: frame for name, frame in converted.items() if len(frame)}


def _build(tables: Mapping[str, pd.DataFrame], plain: PlainNet, file: str) -> Net:
    f_hz, sn_mva = (_positive(plain, key, default, file) for key, default in (("f_hz", 50.0), ("sn_mva", 1.0)))
    name = plain.entries.get("name")
    try:
        return build_net(tables, name=name if isinstance(name, str) else "", f_hz=f_hz, sn_mva=sn_mva)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"a table cannot be typed: {error}"[:200], file=file) from error


def _positive(plain: PlainNet, key: str, default: float, file: str) -> float:
    value = plain.entries.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value < math.inf:
        raise InputError("must be a positive number", file=file, field=key, value=value, allowed="> 0")
    return float(value)


def _counts_of_objects(plain: PlainNet) -> list[TableCount]:
    return [
        TableCount(table=name, read=count, accepted=0, quarantined=count, merged=0)
        for name, count in plain.object_counts.items()
    ]


def _findings_on_file(plain: PlainNet, file: str) -> list[Finding]:
    findings = [
        _finding(
            "controllers_dropped",
            file,
            name,
            value=f"{count} rows",
            severity="warning",
            disposition="quarantined",
            expected="数值与文本",
            consequence="文件中的控制器不执行;有载调压分接头保持基准位置",
        )
        for name, count in plain.object_counts.items()
    ]
    for name in ("trafo", "trafo3w"):
        frame = plain.tables.get(name, pd.DataFrame())
        for column in _OBJECT_COLUMNS:
            if column in frame and any(cell is True for cell in frame[column]):
                findings.append(
                    _finding(
                        "tap_dependent_impedance_dropped",
                        file,
                        name,
                        value=column,
                        severity="warning",
                        disposition="accepted",
                        expected="trafo_characteristic_table",
                        consequence="短路阻抗不随分接位置变化",
                    )
                )
    unused = sorted({*plain.tables, *plain.left_out, *plain.entries} - {*_KEPT, *_PLACES, *_USED_ENTRIES})
    if unused:
        findings.append(
            _finding(
                "entries_not_used",
                file,
                "file",
                value=", ".join(unused),
                severity="info",
                disposition="accepted",
                expected="元件表",
                consequence="结果、费用、量测、型号库等内容不参与建模",
            )
        )
    return findings


_USED_ENTRIES = ("version", "format_version", "name", "f_hz", "sn_mva", "converged", "OPF_converged")


def _finding(code: str, file: str, table: str, **rest: Any) -> Finding:
    return Finding(code=code, file=file, table=table, row=None, column=None, **rest)
