"""What is left after the row checks: the accepted rows, the counts, and the gaps the left-out rows leave."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gridmodel.findings import TableCount
from gridmodel.gate.bands import threshold
from gridmodel.gate.report import ElementNames, Gap, RowCheck, name_of
from gridmodel.gate.rows import RAW, Checking, TableState, is_in_service
from gridmodel.gate.schema import CHARACTERISTIC_TABLES, SCHEMAS, SWITCH_TARGETS


def collect(checking: Checking, tables: Mapping[str, pd.DataFrame]) -> RowCheck:
    """Return the accepted rows, the counts, and the gaps the left-out rows leave."""
    names = checking.report.names
    accepted: dict[str, pd.DataFrame] = {}
    counts: list[TableCount] = []
    dropped: dict[str, tuple[int, ...]] = {}
    for name, state in checking.states.items():
        keep = state.accepted
        frame = state.frame.loc[keep, [c for c in state.frame.columns if not str(c).endswith(RAW)]]
        accepted[name] = frame.set_axis(pd.Index(state.index[keep]), axis=0)
        quarantined, merged = int(state.quarantined.sum()), int((state.merged & ~state.quarantined).sum())
        counts.append(
            TableCount(table=name, read=len(keep), accepted=int(keep.sum()), quarantined=quarantined, merged=merged)
        )
        if not keep.all():
            dropped[name] = tuple(np.flatnonzero(~keep).tolist())
        checking.gaps.extend(_gaps(checking, state, names))
    checking.gaps.extend(_unplaced_load(checking))
    for name in CHARACTERISTIC_TABLES:
        if name in tables and len(tables[name]):
            accepted[name] = tables[name]
            count = len(tables[name])
            counts.append(TableCount(table=name, read=count, accepted=count, quarantined=0, merged=0))
    return RowCheck(
        tables=accepted,
        findings=tuple(checking.report.findings),
        counts=tuple(sorted(counts, key=lambda count: count.table)),
        gaps=tuple(checking.gaps),
        dropped=dropped,
    )


def _gaps(checking: Checking, state: TableState, names: ElementNames | None) -> list[Gap]:
    buses = checking.states["bus"]
    good = set(buses.index[buses.accepted].tolist())
    gaps = []
    for position in np.flatnonzero(state.quarantined).tolist():
        if not is_in_service(state, position) or _is_switch_of_nothing(checking, state, position):
            continue
        row = int(state.index[position])
        element = name_of(names, state.name, row)
        ends = tuple(bus for bus in _ends(checking, state, position) if bus in good)
        column = "、".join(sorted(state.bad_columns.get(position, ())))
        gaps.append(
            Gap(
                table=state.name,
                row=row,
                element_id=element,
                buses=ends,
                scope="feeder",
                reason=f"{element} 数据未通过质量检查({column}),所在馈线数据不完整",
            )
        )
    return gaps


def _unplaced_load(checking: Checking) -> list[Gap]:
    """A load on an unknown bus may hang anywhere; when there is much of it, no node can be assessed."""
    state = checking.states.get("load")
    if state is None:
        return []
    unplaced = [
        position
        for position, columns in state.bad_columns.items()
        if columns.get("bus", "refers_to_quarantined") != "refers_to_quarantined"
    ]
    unplaced = [position for position in unplaced if is_in_service(state, position)]
    if not unplaced:
        return []
    live = np.array([is_in_service(state, position) for position in range(len(state.index))]) & ~state.merged
    power = (state.frame["p_mw"] * state.frame["scaling"]).to_numpy(dtype=float)
    total, lost = float(np.nansum(power[live])), float(power[unplaced].sum())
    if lost <= threshold("unplaced_load_ratio_max") * total:  # not so when NaN
        return []
    buses = checking.states["bus"]
    elements = "、".join(name_of(checking.report.names, "load", int(state.index[p])) for p in unplaced[:3])
    return [
        Gap(
            table="load",
            row=int(state.index[unplaced[0]]),
            element_id=elements,
            buses=tuple(buses.index[buses.accepted].tolist()),
            scope="node",
            reason=f"负荷 {elements} 所接节点不明,可能位于任何馈线",
        )
    ]


def _is_switch_of_nothing(checking: Checking, state: TableState, position: int) -> bool:
    """Return whether a row is a switch of an element that is not in the model anyway: it hides nothing."""
    if state.name != "switch":
        return False
    target = SWITCH_TARGETS.get(state.frame["et"].iloc[position])
    other = checking.states.get(target) if target is not None else None
    element = state.frame["element"].iloc[position]
    return target is not None and (other is None or element not in other.index[other.accepted])


def _ends(checking: Checking, state: TableState, position: int) -> list[int]:
    row = state.frame.iloc[position]
    if state.name == "bus":
        return []
    if state.name != "switch":
        columns = [column for column, target in SCHEMAS[state.name].references if target == "bus"]
        return [int(row[column]) for column in columns]
    ends = [int(row["bus"])]
    target = SWITCH_TARGETS.get(row["et"])
    if target == "bus":
        ends.append(int(row["element"]))
    elif target in checking.states:
        other = checking.states[target]
        for found in np.flatnonzero(other.index == row["element"]):
            ends += _ends(checking, other, int(found))
    return list(dict.fromkeys(ends))
