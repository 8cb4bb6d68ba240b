"""Checks of references: every row names elements that exist, and two different ones at its two ends."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridmodel.gate.rows import Checking, TableState
from gridmodel.gate.schema import BRANCH_ENDS, SCHEMAS, SWITCH_TARGETS


def check_references(checking: Checking) -> None:
    """Quarantine rows that name an element which does not exist or was itself left out."""
    for name, schema in SCHEMAS.items():
        state = checking.states.get(name)
        if state is None:
            continue
        for column, target in schema.references:
            _check_reference(checking, state, column, np.full(len(state.index), target, dtype=object))
        if name == "switch":
            kinds = [SWITCH_TARGETS.get(kind) for kind in state.frame["et"].tolist()]
            _check_reference(checking, state, "element", np.array(kinds, dtype=object))
        _check_self_loops(checking, state)


def _check_reference(checking: Checking, state: TableState, column: str, targets: npt.NDArray[np.object_]) -> None:
    named = state.frame[column].to_numpy(dtype=np.int64)
    for target in sorted({str(item) for item in targets if item is not None}):
        other = checking.states.get(target)
        every = other.index if other is not None else np.array([], dtype=np.int64)
        good = every[other.accepted] if other is not None else every
        rows = (targets == target) & ~np.isin(named, good) & ~state.merged
        for position in np.flatnonzero(rows).tolist():
            if column in state.bad_columns.get(position, ()):
                continue
            exists = bool(np.isin(named[position], every))
            checking.quarantine(
                state,
                position,
                "refers_to_quarantined" if exists else "dangling_reference",
                column=column,
                expected=f"{target} 表中已采用的编号" if exists else f"{target} 表中存在的编号",
            )


def _check_self_loops(checking: Checking, state: TableState) -> None:
    ends = BRANCH_ENDS.get(state.name)
    if state.name == "switch":
        loops = (state.frame["et"] == "b").to_numpy() & (state.frame["bus"] == state.frame["element"]).to_numpy()
        ends = ("bus", "element")
    elif ends is not None:
        columns = [state.frame[end].to_numpy() for end in ends]
        loops = np.zeros(len(state.index), dtype=bool)
        for i, first in enumerate(columns):
            for second in columns[i + 1 :]:
                loops |= (first == second) & (first >= 0)
    else:
        return
    for position in np.flatnonzero(loops & state.accepted).tolist():
        checking.quarantine(state, position, "self_loop", column=ends[1], expected=f"与 {ends[0]} 不同的节点")
