"""The only module that imports pandapower: build a net from plain tables, run the reference load flow, copy a net.

pandapower takes seconds to import and silences a pandas warning for the whole process, so it is imported inside the
functions. Every option that changes a result is passed by name; see ``decisions/0001-reference-load-flow.md``.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmodel.errors import ConvergenceError

Net = Any
"""A ``pandapower.pandapowerNet``; untyped because pandapower is."""

TOLERANCE_MVA = 1e-8


def pandapower() -> Any:
    """Return the pandapower module, imported on first use."""
    import pandapower as module

    return module


def element_tables(net: Net) -> dict[str, pd.DataFrame]:
    """Return the non-empty element tables of a net (no results, no internal tables), sorted by name."""
    names = sorted(
        name
        for name, table in net.items()
        if isinstance(table, pd.DataFrame) and not name.startswith(("_", "res_")) and len(table)
    )
    return {name: net[name] for name in names}


@cache
def _empty_net() -> Net:
    """Return the one empty net that is copied: creating one takes fifty times as long."""
    return pandapower().create_empty_network()


def empty_net() -> Net:
    """Return a new empty net."""
    pattern = _empty_net()
    net = copy.copy(pattern)
    for name, value in pattern.items():
        # A frame without rows holds nothing that two nets could share.
        net[name] = value.copy(deep=False) if isinstance(value, pd.DataFrame) else copy.deepcopy(value)
    return net


@cache
def column_types() -> Mapping[str, Mapping[str, str]]:
    """Return the dtype pandapower gives each column it knows, by table and column."""
    return {
        name: {str(column): str(dtype) for column, dtype in table.dtypes.items()}
        for name, table in _empty_net().items()
        if isinstance(table, pd.DataFrame) and not name.startswith(("_", "res_"))
    }


def build_net(tables: Mapping[str, pd.DataFrame], *, name: str = "", f_hz: float = 50.0, sn_mva: float = 1.0) -> Net:
    """Return a new net holding ``tables``; columns pandapower knows get pandapower's dtype and default.

    Args:
        tables: Element tables by pandapower name. Extra columns are kept.
        name: Name of the net.
        f_hz: Frequency (Hz).
        sn_mva: Base power (MVA).

    Raises:
        ValueError: A value cannot be turned into the dtype pandapower asks for.
    """
    net = empty_net()
    net["name"], net["f_hz"], net["sn_mva"] = name, f_hz, sn_mva
    for table_name, frame in tables.items():
        template = net[table_name] if table_name in net else pd.DataFrame()
        table = frame.copy()
        for column in template.columns:
            if column not in table:
                table[column] = _default(table_name, column, template[column].dtype, table.index)
            else:
                table[column] = _cast(table_name, table[column], template[column].dtype)
        net[table_name] = table
    return net


_CREATED_AS: Mapping[str, bool | int | float] = {
    "in_service": True,
    "closed": True,
    "current_source": True,
    "parallel": 1,
    "step": 1,
    "max_step": 1,
    "df": 1.0,
    "scaling": 1.0,
    "z_ohm": 0.0,
    "g_us_per_km": 0.0,
    "shift_degree": 0.0,
    "va_degree": 0.0,
    "const_z_p_percent": 0.0,
    "const_i_p_percent": 0.0,
    "const_z_q_percent": 0.0,
    "const_i_q_percent": 0.0,
}
"""What pandapower's ``create_*`` functions put into a column they are not asked for; the rest is False, 0 or NaN."""

_MUST_BE_KNOWN = frozenset({"in_service", "closed", "slack"})
"""Truth values that change the load flow; an empty cell among them is never read as False."""


def _default(table: str, column: str, dtype: Any, index: pd.Index) -> pd.Series:
    if column == "slack_weight" and table == "ext_grid":
        return pd.Series(1.0, index=index)
    if pd.api.types.is_object_dtype(dtype):
        return pd.Series([None] * len(index), index=index, dtype=object)
    if column in _CREATED_AS:
        return pd.Series(_CREATED_AS[column], index=index).astype(dtype)
    if pd.api.types.is_extension_array_dtype(dtype):
        return pd.Series(pd.NA, index=index, dtype=dtype)
    if np.issubdtype(dtype, np.floating):
        return pd.Series(np.nan, index=index, dtype=dtype)
    return pd.Series(np.zeros(len(index), dtype=dtype), index=index)


def _cast(table: str, column: pd.Series, dtype: Any) -> pd.Series:
    if pd.api.types.is_object_dtype(dtype):
        return pd.Series(column.tolist(), index=column.index, dtype=object)
    if column.dtype == dtype:
        return column
    empty = column.isna()
    if not empty.any() or pd.api.types.is_extension_array_dtype(dtype) or np.issubdtype(dtype, np.floating):
        return column.astype(dtype)
    if column.name in _MUST_BE_KNOWN or (not pd.api.types.is_bool_dtype(dtype) and column.name != "max_step"):
        raise ValueError(f"{table}.{column.name} is empty at {column.index[empty][0]}")
    return column.where(~empty, _CREATED_AS.get(str(column.name), False)).astype(dtype)


def copy_net(net: Net) -> Net:
    """Return an independent copy that may be changed."""
    return copy.deepcopy(net)


_LOAD_FLOW_OPTIONS: Mapping[str, Any] = {
    "algorithm": "nr",
    "calculate_voltage_angles": True,
    "tolerance_mva": TOLERANCE_MVA,
    "trafo_model": "t",
    "trafo_loading": "power",
    "enforce_q_lims": False,
    "check_connectivity": True,
    "voltage_depend_loads": True,
    "consider_line_temperature": False,
    "numba": False,
    "lightsim2grid": False,
}


def run_load_flow(net: Net, *, init: str = "auto", iterations_max: int = 50, **options: Any) -> None:
    """Solve ``net`` by pandapower's Newton method; results are left in its ``res_`` tables.

    Args:
        net: Network; only its result tables change.
        init: Start of the iteration (``auto``, ``flat``, ``dc``, ``results``).
        iterations_max: Bound on Newton iterations.
        options: Further named options of ``pandapower.runpp``.

    Raises:
        ConvergenceError: No solution, or pandapower cannot handle the data (its message is kept).
    """
    settings = {**_LOAD_FLOW_OPTIONS, "init": init, "max_iteration": iterations_max, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pandapower().runpp(net, **settings)
        except Exception as error:
            raise ConvergenceError(f"load flow has no solution: {type(error).__name__}: {error}"[:300]) from error


def clear_results(net: Net) -> None:
    """Empty the result tables."""
    pandapower().toolbox.clear_result_tables(net)


@dataclass(frozen=True, eq=False, kw_only=True)
class InternalTables:
    """pandapower's own bus, branch and generator tables of what is energised, as its load flow reads them."""

    bus: npt.NDArray[np.float64]
    """One row per node (fused buses are one node); columns ``pypower.idx_bus``."""
    branch: npt.NDArray[np.complex128]
    """Columns ``pypower.idx_brch``."""
    gen: npt.NDArray[np.float64]
    """Columns ``pypower.idx_gen``."""
    base_mva: float
    node_of_bus: npt.NDArray[np.int64]
    """Node of each bus by bus index; -1 = not energised, or no such bus."""
    branch_row: Mapping[str, npt.NDArray[np.int64]]
    """Per element table: row of each element in ``branch``, in table order; -1 = not energised."""


def internal_tables(net: Net) -> InternalTables:
    """Return what pandapower's load flow would solve, without solving it; ``net`` is not changed.

    Raises:
        ConvergenceError: pandapower cannot handle the data (its message is kept).
    """
    from pandapower.auxiliary import _add_auxiliary_elements, _init_runpp_options
    from pandapower.pd2ppc import _pd2ppc

    # a shallow copy will do, except that pandapower adds rows for these tables
    work = copy_net(net) if len(net.dcline) or len(net.vsc_stacked) else copy.copy(net)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            _init_runpp_options(work, init="flat", max_iteration="auto", enforce_p_lims=False, **_LOAD_FLOW_OPTIONS)
            _add_auxiliary_elements(work)
            nothing = np.zeros(0, dtype=np.int64)
            names = ("bus", "bus_dc", "ext_grid", "gen", "branch", "branch_dc")
            work._pd2ppc_lookups = dict.fromkeys(names, nothing)
            _, inner = _pd2ppc(work)
        except Exception as error:
            raise ConvergenceError(f"load flow cannot be set up: {type(error).__name__}: {error}"[:300]) from error
    return _internal_tables(work, inner)


def solved_voltages(net: Net) -> npt.NDArray[np.complex128]:
    """Return the voltage of each node (pu) of a net that :func:`run_load_flow` has solved."""
    bus, index = net._ppc["internal"]["bus"], pandapower().pypower.idx_bus
    return np.asarray(bus[:, index.VM] * np.exp(1j * np.deg2rad(bus[:, index.VA])), dtype=np.complex128)


def _internal_tables(net: Net, inner: Mapping[str, Any]) -> InternalTables:
    lookup = np.asarray(net._pd2ppc_lookups["bus"])
    node_of_bus = np.full(int(net.bus.index.max()) + 1, -1, dtype=np.int64)
    node = lookup[net.bus.index]
    node_of_bus[net.bus.index] = np.where((node >= 0) & (node < len(inner["bus"])), node, -1)
    live = np.asarray(inner["internal"]["branch_is"], dtype=bool)
    row = np.where(live, np.cumsum(live) - 1, -1).astype(np.int64)
    return InternalTables(
        bus=inner["bus"],
        branch=inner["branch"],
        gen=inner["gen"],
        base_mva=float(inner["baseMVA"]),
        node_of_bus=node_of_bus,
        branch_row={table: row[first:last] for table, (first, last) in net._pd2ppc_lookups["branch"].items()},
    )
