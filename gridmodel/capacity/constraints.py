"""Every limit of a net as one row of arrays, and what a solved net measures against it.

One row per line, transformer and three-winding transformer (loading ratio), and two per bus a voltage band covers
(lower and upper limit). All parts of the product that ask "is this violated" read these rows, so that they mean the
same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gridmodel.capacity.limits import Limits
from gridmodel.net import Net
from gridmodel.topology import LOW_VOLTAGE_KV_MAX, SupplyPath

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Kind = Literal["line_loading", "transformer_loading", "voltage_low", "voltage_high"]
Table = Literal["line", "trafo", "trafo3w", "bus"]

TABLES: tuple[Table, ...] = ("line", "trafo", "trafo3w", "bus")
KINDS: tuple[Kind, ...] = ("line_loading", "transformer_loading", "voltage_low", "voltage_high")
_TABLE_NAMES, _KIND_NAMES = np.array(TABLES, dtype=object), np.array(KINDS, dtype=object)

RATED = {"line": "max_i_ka", "trafo": "sn_mva"}
SOLUTION_NOISE = 1e-9
"""A limit counts as broken when it is exceeded by more than this (per unit or ratio); Newton's residue is smaller."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Constraints:
    """Limits of one net; all arrays have one entry per limit."""

    table_codes: npt.NDArray[np.int8]
    """Places in ``TABLES``."""
    elements: npt.NDArray[np.int64]
    kind_codes: npt.NDArray[np.int8]
    """Places in ``KINDS``."""
    limits: Floats
    """Loading ratio or voltage (pu); NaN = rating not known."""
    signs: Floats
    """+1 where more is worse, -1 for lower voltage limits."""
    effects: Floats
    """Least change that attributes a violation off the supply path (pu or ratio); 0 = any new violation."""

    def __len__(self) -> int:
        return len(self.limits)

    def subset(self, rows: npt.NDArray[np.int64]) -> Constraints:
        """Return some of the limits, in the order given."""
        return Constraints(
            table_codes=self.table_codes[rows],
            elements=self.elements[rows],
            kind_codes=self.kind_codes[rows],
            limits=self.limits[rows],
            signs=self.signs[rows],
            effects=self.effects[rows],
        )

    @cached_property
    def tables(self) -> npt.NDArray[np.object_]:
        """Element table of each limit."""
        return _TABLE_NAMES[self.table_codes]

    @cached_property
    def kinds(self) -> npt.NDArray[np.object_]:
        """Kind of each limit."""
        return _KIND_NAMES[self.kind_codes]

    def is_kind(self, kind: Kind) -> Flags:
        """Return which limits are of one kind."""
        return np.asarray(self.kind_codes == KINDS.index(kind))

    def rows_of(self, table: str) -> npt.NDArray[np.int64]:
        """Return the limits of one element table; none for a table without limits."""
        code = TABLES.index(table) if table in TABLES else -1
        return np.flatnonzero(self.table_codes == code).astype(np.int64)

    def excess(self, values: Floats) -> Floats:
        """Return by how much each limit is exceeded (pu or ratio; negative = margin), same shape as ``values``."""
        return self.signs * (values - self.limits)

    def is_on_path(self, path: SupplyPath) -> Flags:
        """Return which limits belong to elements of a supply path."""
        members = {"line": path.lines, "trafo": path.trafos, "trafo3w": path.trafo3ws, "bus": path.buses}
        on_path = np.zeros(len(self), dtype=bool)
        for table, elements in members.items():
            for element in elements:
                on_path[self._rows_of.get((table, element), [])] = True
        return on_path

    @cached_property
    def _rows_of(self) -> dict[tuple[str, int], list[int]]:
        """Rows of each element."""
        rows: dict[tuple[str, int], list[int]] = {}
        for row, key in enumerate(zip(self.tables.tolist(), self.elements.tolist(), strict=True)):
            rows.setdefault(key, []).append(row)
        return rows


def build_constraints(net: Net, limits: Limits) -> Constraints:
    """Return the limits of every line, transformer and bus of ``net``, whether in service or not."""
    loading = limits.off_path_loading_effect_ratio
    ratio = limits.transformer_loading_ratio_max
    main = limits.main_transformer_loading_ratio_max
    parts: list[tuple[Table, Kind, Any, Floats, float, float]] = [
        ("line", "line_loading", net.line.index, np.full(len(net.line), limits.line_loading_ratio_max), 1.0, loading)
    ]
    for table, low_side_kv in (("trafo", "vn_lv_kv"), ("trafo3w", "vn_mv_kv")):
        is_main = net[table][low_side_kv].to_numpy(dtype=float) > LOW_VOLTAGE_KV_MAX
        parts.append(
            (table, "transformer_loading", net[table].index, np.where(is_main, main, ratio), 1.0, loading)  # type: ignore[arg-type]
        )
    low, high = _voltage_limits(net, limits)
    voltage = limits.off_path_voltage_effect_pu
    parts.append(("bus", "voltage_low", net.bus.index[~np.isnan(low)], low[~np.isnan(low)], -1.0, voltage))
    parts.append(("bus", "voltage_high", net.bus.index[~np.isnan(high)], high[~np.isnan(high)], 1.0, voltage))
    counts = [len(part[2]) for part in parts]
    return Constraints(
        table_codes=np.repeat(np.array([TABLES.index(part[0]) for part in parts], dtype=np.int8), counts),
        elements=np.concatenate([np.asarray(part[2], dtype=np.int64) for part in parts]),
        kind_codes=np.repeat(np.array([KINDS.index(part[1]) for part in parts], dtype=np.int8), counts),
        limits=np.concatenate([part[3] for part in parts]),
        signs=np.repeat([part[4] for part in parts], counts),
        effects=np.repeat([part[5] for part in parts], counts),
    )


def _voltage_limits(net: Net, limits: Limits) -> tuple[Floats, Floats]:
    """Lower and upper limit per bus (pu of ``vn_kv``); the first band that covers a bus counts, NaN = none does."""
    nominal = net.bus.vn_kv.to_numpy(dtype=float)
    low, high = np.full(len(nominal), np.nan), np.full(len(nominal), np.nan)
    for band in reversed(limits.voltage_bands):
        covered = (nominal >= band.u_nominal_kv_min) & (nominal <= band.u_nominal_kv_max)
        low[covered], high[covered] = band.u_pu_min, band.u_pu_max
    return low, high


def measure(net: Net, constraints: Constraints) -> Floats:
    """Return loading ratio or voltage for each limit, from the ``res_`` tables of a solved net.

    NaN where an element is not there, not supplied, or has no rating.
    """
    values = np.full(len(constraints), np.nan)
    for table in ("line", "trafo", "trafo3w", "bus"):
        rows = constraints.rows_of(table)
        if not len(rows):
            continue
        measured, index = _measured(net, table), net[table].index
        places = index.get_indexer(constraints.elements[rows])
        values[rows] = np.where(places >= 0, measured[places] if len(measured) else np.nan, np.nan)
    return values


def ratings(net: Net, table: str) -> Floats:
    """Return ``max_i_ka * df * parallel`` (kA) or ``sn_mva * df * parallel`` (MVA); NaN where missing or not > 0."""
    frame = net[table]
    if table == "trafo3w":
        windings = frame[["sn_hv_mva", "sn_mv_mva", "sn_lv_mva"]].to_numpy(dtype=float)
        rating = np.where((windings > 0.0).all(axis=1), 1.0, np.nan)
    else:
        rated, df, parallel = (frame[name].to_numpy(dtype=float) for name in (RATED[table], "df", "parallel"))
        rating = rated * df * parallel
    return np.where(rating > 0.0, rating, np.nan)


def _measured(net: Net, table: str) -> Floats:
    if table == "bus":
        return np.asarray(net.res_bus.vm_pu.reindex(net.bus.index), dtype=np.float64)
    result = net[f"res_{table}"].reindex(net[table].index)
    if table == "line":
        worst = result[["i_from_ka", "i_to_ka"]].to_numpy(dtype=float).max(axis=1)
        return np.asarray(worst / ratings(net, table), dtype=np.float64)
    if table == "trafo":
        sides = [np.hypot(result[f"p_{side}_mw"], result[f"q_{side}_mvar"]) for side in ("hv", "lv")]
        return np.asarray(np.maximum(*sides) / ratings(net, table), dtype=np.float64)
    windings = [
        np.hypot(result[f"p_{side}_mw"], result[f"q_{side}_mvar"]) / net.trafo3w[f"sn_{side}_mva"]
        for side in ("hv", "mv", "lv")
    ]
    return np.asarray(np.maximum.reduce(windings), dtype=np.float64)
