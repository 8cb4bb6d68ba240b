"""Checks of single rows: every row is accepted, quarantined with a finding, or merged by a named rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmodel.errors import InputError
from gridmodel.gate import cells
from gridmodel.gate.report import Gap, Report
from gridmodel.gate.schema import RULE_TEXT, SCHEMAS, SWITCH_TARGETS, Rule
from gridmodel.net import column_types

_FAULT_EXPECTED = MappingProxyType(
    {
        "missing_value": "必填",
        "not_finite": "有限数值",
        "not_a_number": "数值",
        "not_true_or_false": "true 或 false",
        "not_an_index": "元件编号(非负整数)",
    }
)
_RULES: Mapping[Rule, Callable[[npt.NDArray[np.float64]], npt.NDArray[np.bool_]]] = MappingProxyType(
    {
        "any": np.isfinite,
        "positive": lambda values: values > 0.0,
        "not_negative": lambda values: values >= 0.0,
        "at_least_one": lambda values: (values >= 1.0) & (values == np.floor(values)),
    }
)


@dataclass(slots=True, eq=False)
class TableState:
    """One table while it is checked. ``frame`` has a fresh index 0..n-1; ``index`` holds the element indices."""

    name: str
    frame: pd.DataFrame
    index: npt.NDArray[np.int64]
    quarantined: npt.NDArray[np.bool_]
    merged: npt.NDArray[np.bool_]
    bad_columns: dict[int, dict[str, str]] = field(default_factory=dict)
    """Columns that could not be used and the code of the fault, by position."""

    @property
    def accepted(self) -> npt.NDArray[np.bool_]:
        """Rows still in."""
        return ~(self.quarantined | self.merged)


@dataclass(slots=True, eq=False)
class Checking:
    """Everything the checks of one file share."""

    report: Report
    states: dict[str, TableState] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)

    def quarantine(
        self,
        state: TableState,
        position: int,
        code: str,
        *,
        column: str | None,
        expected: str,
        value: object = None,
        consequence: str | None = None,
    ) -> None:
        """Leave one row out, and report why."""
        if value is None and column is not None and column in state.frame:
            value = state.frame[column].iloc[position]
        self.report.add(
            code,
            state.name,
            int(state.index[position]),
            severity="error",
            disposition="quarantined",
            column=column,
            value=value,
            expected=expected,
            consequence=consequence or _consequence(state, position),
        )
        state.quarantined[position] = True
        if column is not None:
            state.bad_columns.setdefault(position, {}).setdefault(column, code)

    def warn(
        self, state: TableState, position: int, code: str, *, column: str, expected: str, consequence: str
    ) -> None:
        """Report something about a row that stays in."""
        self.report.add(
            code,
            state.name,
            int(state.index[position]),
            severity="warning",
            column=column,
            value=state.frame[column].iloc[position],
            expected=expected,
            consequence=consequence,
        )


def _consequence(state: TableState, position: int) -> str:
    if not is_in_service(state, position):
        return "该行不采用;元件停运,不影响其他节点"
    return "该行不采用;其所在馈线及台区节点不可评估;同一主变其余馈线的结果未计入缺失的负荷"


def is_in_service(state: TableState, position: int) -> bool:
    """Return False only for a row that says it is out of service."""
    if "in_service" not in state.frame or "in_service" in state.bad_columns.get(position, ()):
        return True
    cell = state.frame["in_service"].iloc[position]
    return bool(cells.is_missing(cell) or cell not in (0, False))


def type_tables(checking: Checking, tables: Mapping[str, pd.DataFrame]) -> None:
    """Type every column of every table; rows with cells that cannot be typed or break a rule are quarantined.

    Raises:
        InputError: A mandatory column is missing, or the index is not made of element numbers.
    """
    for name, schema in SCHEMAS.items():
        frame = tables.get(name)
        if frame is None or not len(frame):
            continue
        for column in schema.required:
            if column not in frame:
                raise InputError(
                    f"table {name} has no column {column}",
                    file=checking.report.file,
                    field=f"{name}.{column}",
                    allowed=f"columns {', '.join(schema.required)}",
                )
        state = _state(name, frame, checking.report.file)
        checking.states[name] = state
        _check_duplicates(checking, state)
        _type_columns(checking, state)
        _check_rules(checking, state)
        if name == "switch":
            _check_switch_kinds(checking, state)


def _state(name: str, frame: pd.DataFrame, file: str) -> TableState:
    index, faults = cells.indices(frame.index.tolist())
    if faults or (index < 0).any():
        position = faults[0][0] if faults else int(np.flatnonzero(index < 0)[0])
        raise InputError(
            f"table {name}: an index is not an element number",
            file=file,
            row=position + 1,
            field=f"{name}.index",
            value=frame.index[position],
            allowed="integers >= 0",
        )
    fresh = frame.reset_index(drop=True)
    count = len(fresh)
    return TableState(name, fresh, index, np.zeros(count, dtype=bool), np.zeros(count, dtype=bool))


def _check_duplicates(checking: Checking, state: TableState) -> None:
    """Rows of one index: identical ones are merged into the first, different ones are all left out."""
    for _, positions in pd.Series(np.arange(len(state.index))).groupby(state.index, sort=True):
        rows = positions.tolist()
        if len(rows) == 1:
            continue
        first = state.frame.iloc[rows[0]]
        if all(state.frame.iloc[row].equals(first) for row in rows[1:]):
            for row in rows[1:]:
                state.merged[row] = True
                checking.report.add(
                    "duplicate_index_identical",
                    state.name,
                    int(state.index[row]),
                    severity="info",
                    disposition="merged",
                    column="index",
                    value=int(state.index[row]),
                    expected="编号唯一",
                    consequence="内容完全相同的重复行并入第一行",
                )
            continue
        for row in rows:
            checking.quarantine(
                state,
                row,
                "duplicate_index",
                column="index",
                expected="编号唯一",
                value=int(state.index[row]),
            )


def _type_columns(checking: Checking, state: TableState) -> None:
    schema = SCHEMAS[state.name]
    known = column_types().get(state.name, {})
    mandatory = {column for column, _ in schema.numbers}
    references = {column for column, _ in schema.references} | ({"element"} if state.name == "switch" else set())
    for column in list(state.frame.columns):
        values = state.frame[column].tolist()
        kind = known.get(column)
        typed: npt.NDArray[Any]
        if column in references:
            typed, faults = cells.indices(values)
            state.frame[column + RAW] = pd.Series(values, dtype=object)
        elif column in mandatory or column in _EXTRA_NUMBERS or _is_number_type(kind):
            typed, faults = cells.numbers(
                values,
                is_required=column in mandatory,
                may_be_infinite=column.startswith(("min_", "max_")) and column not in schema.ratings,
            )
            if column in schema.ratings:
                faults = []  # asked for below: the row stays, only what is behind it is lost
        elif column in schema.flags or kind == "bool":
            typed, faults = cells.flags(values, is_required=column in schema.flags)
        elif kind is not None or not all(_is_plain_number(cell) for cell in values):
            _type_text(checking, state, column, values)
            continue
        else:  # a column of others, with numbers or truth values throughout
            is_flag = all(isinstance(cell, bool) for cell in values)
            state.frame[column] = pd.Series(values, dtype=bool if is_flag else float)
            continue
        _quarantine_faults(checking, state, column, faults)
        state.frame[column] = typed


_EXTRA_NUMBERS = frozenset(f"tap2_{part}" for part in ["pos", "neutral", "min", "max", "step_percent", "step_degree"])
"""Numbers pandapower reads when they are there, although its own tables do not have the columns."""


def _is_number_type(kind: str | None) -> bool:
    return kind is not None and kind.lower().startswith(("float", "int", "uint"))


def _is_plain_number(cell: object) -> bool:
    return cells.is_missing(cell) or (isinstance(cell, bool | int | float) and bool(abs(cell) <= _FLOAT_MAX))


_FLOAT_MAX = np.finfo(float).max


def _type_text(checking: Checking, state: TableState, column: str, values: list[object]) -> None:
    typed, changed = cells.texts(values)
    state.frame[column] = pd.Series(typed, dtype=object)
    for position in changed:
        checking.warn(
            state,
            position,
            "control_characters_removed",
            column=column,
            expected="可打印字符",
            consequence="控制字符已删除,其余文字保留",
        )


RAW = "\0as_read"
"""Suffix of the columns that keep references as they were read."""


def _quarantine_faults(checking: Checking, state: TableState, column: str, faults: cells.Faults) -> None:
    raw = state.frame.get(column + RAW, state.frame[column])
    for position, fault in faults:
        if not state.merged[position]:
            value = raw.iloc[position]
            checking.quarantine(
                state,
                position,
                fault,
                column=column,
                expected=_FAULT_EXPECTED[fault],
                value="(空)" if cells.is_missing(value) else value,
            )


def _check_rules(checking: Checking, state: TableState) -> None:
    for column, rule in SCHEMAS[state.name].numbers:
        values = state.frame[column].to_numpy(dtype=float)
        broken = np.isfinite(values) & ~_RULES[rule](values) & ~state.merged
        for position in np.flatnonzero(broken):
            code = "negative_value" if values[position] < 0.0 else "zero_value"
            checking.quarantine(state, int(position), code, column=column, expected=RULE_TEXT[rule])


def _check_switch_kinds(checking: Checking, state: TableState) -> None:
    for position, kind in enumerate(state.frame["et"].tolist()):
        if kind not in SWITCH_TARGETS and not state.merged[position]:
            checking.quarantine(
                state,
                position,
                "unknown_switch_kind",
                column="et",
                expected=", ".join(SWITCH_TARGETS),
                value="(空)" if kind is None else kind,
            )
