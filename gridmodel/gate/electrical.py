"""Checks that compare numbers of one row, of a row and its buses, or of two rows: units, impedances, windings, taps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmodel.errors import InputError
from gridmodel.gate.bands import Band, load_bands, threshold
from gridmodel.gate.report import Gap, name_of
from gridmodel.gate.rows import Checking, TableState, is_in_service
from gridmodel.gate.schema import BRANCH_ENDS, SCHEMAS

Floats = npt.NDArray[np.float64]
_LOWEST_BUS = {"trafo": "lv_bus", "trafo3w": "lv_bus", "line": "from_bus"}


def check_electrical(checking: Checking) -> None:
    """Run every check of this module on the rows still accepted.

    Raises:
        InputError: Every row of a column has the same wrong unit.
    """
    states = checking.states
    for name, check in (("line", _check_lines), ("load", _check_loads)):
        if name in states:
            check(checking, states[name])
    for band in load_bands():
        if band.table in states:
            _check_band(checking, states[band.table], band)
    for name, check in (
        ("trafo", _check_windings),
        ("trafo3w", _check_windings),
        ("impedance", _check_impedances),
        ("switch", _check_switches),
    ):
        if name in states:
            check(checking, states[name])
    for name in ("line", "trafo"):
        if name in states:
            _check_ratings(checking, states[name])
    for name in ("trafo", "trafo3w"):
        if name in states:
            _check_taps(checking, states[name])


def _u_nominal_kv(checking: Checking, buses: npt.NDArray[np.int64]) -> Floats:
    state = checking.states["bus"]
    known = pd.Series(state.frame["vn_kv"].to_numpy(dtype=float)[state.accepted], index=state.index[state.accepted])
    return known.reindex(buses).to_numpy(dtype=float)


def _column(state: TableState, name: str) -> Floats:
    return state.frame[name].to_numpy(dtype=float)


def _buses(state: TableState, column: str) -> npt.NDArray[np.int64]:
    return state.frame[column].to_numpy(dtype=np.int64)


def _check_band(checking: Checking, state: TableState, band: Band) -> None:
    """Quarantine values outside what can be true; a rating outside is only taken as unknown."""
    if band.column not in state.frame or band.column in SCHEMAS[state.name].ratings:
        return
    rows = _outside(checking, state, band) & state.accepted
    if not rows.any():
        return
    concerned = state.accepted
    if rows.sum() > 1 and bool(rows[concerned].all()):
        first = int(np.flatnonzero(rows)[0])
        raise InputError(
            f"every row of table {state.name} is outside the plausible band; the unit is probably wrong "
            f"({band.suspicion})",
            file=checking.report.file,
            row=int(state.index[first]),
            field=f"{state.name}.{band.column}",
            value=state.frame[band.column].iloc[first],
            allowed=f"{band.low:g} to {band.high:g} {band.unit}",
        )
    for position in np.flatnonzero(rows).tolist():
        checking.quarantine(
            state,
            position,
            f"{band.column.rsplit('_', 1)[0]}_unit_suspect",
            column=band.column,
            expected=f"{band.low:g} … {band.high:g} {band.unit}(疑似{band.suspicion})",
        )


def _outside(checking: Checking, state: TableState, band: Band) -> npt.NDArray[np.bool_]:
    values = _column(state, band.column)
    outside = (values < band.low) | (values > band.high)
    if state.name == "bus":
        return outside
    voltage = _u_nominal_kv(checking, _buses(state, _LOWEST_BUS.get(state.name, "bus")))
    return np.asarray(outside & (voltage > band.u_nominal_kv_min) & (voltage <= band.u_nominal_kv_max))


def _check_ratings(checking: Checking, state: TableState) -> None:
    """A rating that is missing, not positive or implausible is unknown: the element stays, what is behind it is out."""
    for column in SCHEMAS[state.name].ratings:
        values = _column(state, column)
        bad = ~(np.isfinite(values) & (values > 0.0))
        codes = np.where(bad, "missing_rating", "rating_unit_suspect")
        expected = "> 0"
        for band in load_bands():
            if (band.table, band.column) == (state.name, column):
                bad |= _outside(checking, state, band)
                expected = f"{band.low:g} … {band.high:g} {band.unit}(疑似{band.suspicion})"
        for position in np.flatnonzero(bad & state.accepted).tolist():
            row = int(state.index[position])
            element = name_of(checking.report.names, state.name, row)
            value = state.frame[column].iloc[position]
            checking.report.add(
                str(codes[position]),
                state.name,
                row,
                severity="error",
                column=column,
                value="(空)" if np.isnan(value) else value,
                expected="> 0" if codes[position] == "missing_rating" else expected,
                consequence="该元件额定值视为未知;其供电的节点不可评估",
            )
            if is_in_service(state, position):
                ends = tuple(int(state.frame[end].iloc[position]) for end in BRANCH_ENDS[state.name])
                checking.gaps.append(
                    Gap(
                        table=state.name,
                        row=row,
                        element_id=element,
                        buses=ends,
                        scope="behind",
                        reason=f"供电路径上的 {element} 额定值未知({column})",
                    )
                )
        typed = values.copy()
        typed[bad] = np.nan
        state.frame[column] = typed


def _quarantine(
    checking: Checking,
    state: TableState,
    rows: npt.NDArray[np.bool_],
    code: str,
    *,
    column: str,
    expected: str,
) -> None:
    for position in np.flatnonzero(rows & state.accepted).tolist():
        checking.quarantine(state, position, code, column=column, expected=expected)


def _check_lines(checking: Checking, state: TableState) -> None:
    r, x = _column(state, "r_ohm_per_km"), _column(state, "x_ohm_per_km")
    _quarantine(
        checking, state, (r == 0.0) & (x == 0.0), "zero_impedance", column="r_ohm_per_km", expected="r 与 x 不同时为 0"
    )
    _check_levels(checking, state, "from_bus", "to_bus", np.ones(len(r), dtype=bool))
    _check_twins(checking, state)


def _check_levels(checking: Checking, state: TableState, first: str, second: str, rows: npt.NDArray[np.bool_]) -> None:
    a, b = (_u_nominal_kv(checking, _buses(state, column)) for column in (first, second))
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = np.maximum(a, b) > np.minimum(a, b) * threshold("voltage_level_ratio_max")
    _quarantine(
        checking, state, rows & apart, "joins_two_voltage_levels", column=second, expected="两端节点电压等级相同"
    )


def _check_switches(checking: Checking, state: TableState) -> None:
    _check_levels(checking, state, "bus", "element", (state.frame["et"] == "b").to_numpy())


def _check_twins(checking: Checking, state: TableState) -> None:
    """Two lines with the same ends and the same data are probably one line entered twice."""
    columns = ("length_km", "r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km", "max_i_ka", "parallel")
    seen: dict[tuple[float, ...], int] = {}
    ends = np.sort(np.column_stack([_buses(state, end) for end in BRANCH_ENDS["line"]]), axis=1)
    data = np.column_stack([ends, *(_column(state, column) for column in columns)])
    for position in np.flatnonzero(state.accepted).tolist():
        if not is_in_service(state, position):
            continue
        key = tuple(data[position].tolist())
        twin = seen.setdefault(key, position)
        if twin != position:
            other = name_of(checking.report.names, "line", int(state.index[twin]))
            checking.warn(
                state,
                position,
                "duplicate_parallel_line",
                column="from_bus",
                expected=f"与 {other} 不是同一条线路的重复录入",
                consequence="按双回线计算,该段承载能力加倍;请核对",
            )


def _check_windings(checking: Checking, state: TableState) -> None:
    sides = [column.removesuffix("_bus") for column in BRANCH_ENDS[state.name]]
    rated = {side: _column(state, f"vn_{side}_kv") for side in sides}
    nominal = {side: _u_nominal_kv(checking, _buses(state, f"{side}_bus")) for side in sides}
    for upper, lower in pairwise(sides):
        swapped = (rated[upper] < rated[lower]) | (nominal[upper] < nominal[lower])
        _quarantine(
            checking,
            state,
            swapped,
            "winding_sides_swapped",
            column=f"{upper}_bus",
            expected=f"{upper} 侧电压不低于 {lower} 侧",
        )
    ratio_max = threshold("transformer_voltage_ratio_max")
    for side in sides:
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = rated[side] / nominal[side]
            off = (ratio > ratio_max) | (ratio < 1.0 / ratio_max)
        _quarantine(
            checking,
            state,
            off,
            "winding_voltage_mismatch",
            column=f"vn_{side}_kv",
            expected="绕组额定电压与所接节点电压等级一致",
        )
    for short, resistive in (
        [("vk_percent", "vkr_percent")]
        if state.name == "trafo"
        else [(f"vk_{side}_percent", f"vkr_{side}_percent") for side in sides]
    ):
        too_high = _column(state, resistive) > _column(state, short)
        _quarantine(checking, state, too_high, "resistance_above_impedance", column=resistive, expected=f"<= {short}")


def _check_impedances(checking: Checking, state: TableState) -> None:
    for way in ("ft", "tf"):
        zero = (_column(state, f"r{way}_pu") == 0.0) & (_column(state, f"x{way}_pu") == 0.0)
        _quarantine(checking, state, zero, "zero_impedance", column=f"r{way}_pu", expected="r 与 x 不同时为 0")


def _check_loads(checking: Checking, state: TableState) -> None:
    power = _column(state, "p_mw")
    _quarantine(checking, state, power < 0.0, "negative_load", column="p_mw", expected=">= 0;发电请填入 sgen 表")
    for part in ("p", "q"):
        share = _column(state, f"const_z_{part}_percent") + _column(state, f"const_i_{part}_percent")
        column, expected = f"const_z_{part}_percent", f"与 const_i_{part}_percent 之和 <= 100"
        _quarantine(checking, state, share > 100.0, "shares_above_100_percent", column=column, expected=expected)
    zero = (_column(state, "scaling") == 0.0) & (power > 0.0)
    for position in np.flatnonzero(zero & state.accepted).tolist():
        if is_in_service(state, position):
            checking.warn(
                state,
                position,
                "load_scaled_to_zero",
                column="scaling",
                expected="> 0",
                consequence="该负荷按 0 计算,上级容量可能偏大",
            )


def _check_taps(checking: Checking, state: TableState) -> None:
    """pandapower ignores a tap position without a tap changer type; that is kept, and said."""
    for suffix in ("", "2"):
        needed = [f"tap{suffix}_{part}" for part in ("pos", "neutral")]
        if not all(column in state.frame for column in needed):
            continue
        position_, neutral = (_column_or_nan(state, column) for column in needed)
        steps = [_column_or_nan(state, f"tap{suffix}_step_{unit}") for unit in ("percent", "degree")]
        has_step = np.logical_or.reduce([np.isfinite(step) & (step != 0.0) for step in steps])
        kind = f"tap{suffix}_changer_type"
        unnamed = (
            state.frame[kind].isin([None, "", "None"]).to_numpy() | state.frame[kind].isna().to_numpy()
            if kind in state.frame
            else np.ones(len(position_), dtype=bool)
        )
        if not suffix and "tap_dependency_table" in state.frame:
            unnamed &= ~state.frame["tap_dependency_table"].to_numpy(dtype=bool)
        moved = np.isfinite(position_) & np.isfinite(neutral) & (position_ != neutral)
        for position in np.flatnonzero(moved & has_step & unnamed & state.accepted).tolist():
            shown = steps[0][position] if np.isfinite(steps[0][position]) else steps[1][position]
            checking.warn(
                state,
                position,
                "tap_ignored",
                column=f"tap{suffix}_pos",
                expected=f"{kind} 为 Ratio、Symmetrical 或 Ideal",
                consequence=f"分接头类型为空,潮流按额定分接计算:位置 {position_[position]:g}"
                f"(中性 {neutral[position]:g},每档 {shown:g})不起作用,电压与容量可能偏差",
            )
        low, high = (_column_or_nan(state, f"tap{suffix}_{part}") for part in ("min", "max"))
        for position in np.flatnonzero(((position_ < low) | (position_ > high)) & state.accepted).tolist():
            checking.warn(
                state,
                position,
                "tap_out_of_range",
                column=f"tap{suffix}_pos",
                expected=f"{low[position]:g} … {high[position]:g}",
                consequence="按所填分接位置计算;请核对",
            )


def _column_or_nan(state: TableState, name: str) -> Floats:
    if name not in state.frame:
        return np.full(len(state.index), np.nan)
    return pd.to_numeric(state.frame[name], errors="coerce").to_numpy(dtype=float)
