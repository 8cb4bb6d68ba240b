"""The county's numbered elements as pandapower tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gridmodel.catalogue.loader import load_catalogue
from tests.county.grid import Grid
from tests.county.naming import Names

_BOARD_KV = 0.4
_FEEDER_KV = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offsets:
    """First index of a county in each table, where several stand side by side."""

    bus: int = 0
    line: int = 0
    trafo: int = 0
    switch: int = 0
    load: int = 0
    ext_grid: int = 0

    def after(self, tables: dict[str, pd.DataFrame]) -> Offsets:
        """Return where the county after the one of ``tables`` begins."""
        return Offsets(**{name: getattr(self, name) + len(tables[name]) for name in self.__slots__})


def element_tables(grid: Grid, names: Names, first: Offsets) -> dict[str, pd.DataFrame]:
    """Return the pandapower tables of one county."""
    mains = np.arange(grid.main_count)
    return {
        "bus": _buses(grid, names, first),
        "ext_grid": _sources(grid, names, first, mains),
        "line": _lines(grid, names, first),
        "trafo": pd.concat([_main_transformers(grid, names, mains), _transformers(grid, names)], ignore_index=True)
        .assign(hv_bus=lambda t: t.hv_bus + first.bus, lv_bus=lambda t: t.lv_bus + first.bus)
        .set_axis(_numbers(grid.main_count + len(grid.stations.sn_kva), first.trafo)),
        "switch": _switches(grid, names, first),
        "load": _loads(grid, names, first),
    }


def _numbers(count: int, first: int) -> pd.RangeIndex:
    return pd.RangeIndex(first, first + count)


def _per_main(grid: Grid, field: str) -> np.ndarray:
    """Return a value of the main transformers' voltage level for each of them."""
    levels = grid.choices["main_transformers"]
    is_high = grid.layout.is_high[grid.layout.substation_of(np.arange(grid.main_count))]
    return np.asarray(np.where(is_high, levels["high"][field], levels["low"][field]))


def nominal_kv(grid: Grid) -> np.ndarray:
    """Return the nominal voltage (kV) of every bus."""
    poles = len(grid.pieces.pole_station)
    count = len(grid.stations.sn_kva)
    low = grid.bus_count - grid.first_low
    levels = [_FEEDER_KV, _FEEDER_KV, _BOARD_KV, _FEEDER_KV, _BOARD_KV]
    return np.concatenate(
        [_per_main(grid, "u_high_kv"), np.repeat(levels, [grid.main_count, count, count, poles, low])]
    )


def _buses(grid: Grid, names: Names, first: Offsets) -> pd.DataFrame:
    kinds = names.kinds
    is_bar = np.isin(kinds, ["source", "substation_busbar", "ring_main_unit", "lv_board"])
    return pd.DataFrame(
        {"name": names.buses, "vn_kv": nominal_kv(grid), "type": np.where(is_bar, "b", "n").astype(object)},
        index=_numbers(grid.bus_count, first.bus),
    )


def _sources(grid: Grid, names: Names, first: Offsets, mains: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": names.buses[mains],
            "bus": mains + first.bus,
            "vm_pu": _per_main(grid, "u_source_pu"),
            "va_degree": 0.0,
            "s_sc_max_mva": _per_main(grid, "s_sc_max_mva"),
            "rx_max": _per_main(grid, "rx_max"),
            "controllable": True,
        },
        index=_numbers(len(mains), first.ext_grid),
    )


def _lines(grid: Grid, names: Names, first: Offsets) -> pd.DataFrame:
    lines = grid.lines
    used, which = np.unique(lines.type_id.astype(str), return_inverse=True)
    types = [load_catalogue().get_line_type(name) for name in used.tolist()]

    def column(values: list[Any], dtype: Any = float) -> np.ndarray:
        return np.array(values, dtype=dtype)[which]

    return pd.DataFrame(
        {
            "name": names.lines,
            "std_type": lines.type_id,
            "from_bus": lines.start + first.bus,
            "to_bus": lines.end + first.bus,
            "length_km": lines.length_km,
            "r_ohm_per_km": column([t.r20_ohm_per_km for t in types]),
            "x_ohm_per_km": column([t.x_ohm_per_km for t in types]),
            "c_nf_per_km": column([t.c_nf_per_km for t in types]),
            "max_i_ka": column([t.rating_a / 1e3 for t in types]),
            "type": column(["ol" if t.laying == "overhead" else "cs" for t in types], object),
        },
        index=_numbers(len(lines.start), first.line),
    )


def _main_transformers(grid: Grid, names: Names, mains: np.ndarray) -> pd.DataFrame:
    tap_max = _per_main(grid, "tap_max").astype(float)
    return pd.DataFrame(
        {
            "name": names.mains,
            "std_type": None,
            "hv_bus": mains,
            "lv_bus": mains + grid.main_count,
            "sn_mva": grid.mains.sn_mva,
            "vn_hv_kv": _per_main(grid, "u_high_kv"),
            "vn_lv_kv": _per_main(grid, "u_low_kv"),
            "vk_percent": _per_main(grid, "vk_percent"),
            "vkr_percent": (grid.mains.pk_kw / grid.mains.sn_mva / 10.0).round(4),
            "pfe_kw": grid.mains.p0_kw,
            "i0_percent": grid.mains.i0_percent,
            "shift_degree": _per_main(grid, "shift_deg"),
            "tap_side": "hv",
            "tap_neutral": 0.0,
            "tap_min": -tap_max,
            "tap_max": tap_max,
            "tap_step_percent": _per_main(grid, "tap_step_percent"),
            "tap_step_degree": 0.0,
            "tap_pos": 0.0,
            "tap_changer_type": "Ratio",
            "vector_group": _per_main(grid, "vector_group").astype(object),
        }
    )


def _transformers(grid: Grid, names: Names) -> pd.DataFrame:
    stations = grid.stations
    number = np.arange(len(stations.sn_kva))
    used, which = np.unique(stations.type_id.astype(str), return_inverse=True)
    types = [load_catalogue().get_transformer_type(name) for name in used.tolist()]
    catalogue = pd.DataFrame(
        {
            "sn_mva": [t.sn_kva / 1e3 for t in types],
            "vn_hv_kv": [t.u_hv_kv for t in types],
            "vn_lv_kv": [t.u_lv_kv for t in types],
            "vk_percent": [t.vk_percent for t in types],
            "vkr_percent": [t.vkr_percent for t in types],
            "pfe_kw": [t.p0_kw for t in types],
            "i0_percent": [t.i0_percent for t in types],
            "shift_degree": [t.shift_deg for t in types],
            "tap_side": [t.tap_side for t in types],
            "tap_neutral": [float(t.tap_neutral) for t in types],
            "tap_min": [float(t.tap_min) for t in types],
            "tap_max": [float(t.tap_max) for t in types],
            "tap_step_percent": [t.tap_step_percent for t in types],
            "vector_group": [t.vector_group for t in types],
        }
    )
    return (
        catalogue.iloc[which]
        .reset_index(drop=True)
        .assign(
            name=names.transformers,
            std_type=stations.type_id,
            hv_bus=number + grid.first_station,
            lv_bus=number + grid.first_board,
            tap_step_degree=0.0,
            tap_pos=lambda t: t.tap_neutral + stations.tap_position,
            tap_changer_type="Ratio",
        )
    )


def _switches(grid: Grid, names: Names, first: Offsets) -> pd.DataFrame:
    """Closed breakers at the heads, closed section switches on the trunks, open switches at the ties' first ends."""
    heads, ties = grid.head_line, grid.tie_lines
    bus, line = grid.section_switches.T
    counts = [len(heads), len(line), len(ties)]
    return pd.DataFrame(
        {
            "name": names.switches,
            "bus": np.concatenate([grid.lines.start[heads], bus, grid.lines.start[ties]]) + first.bus,
            "element": np.concatenate([heads, line, ties]) + first.line,
            "et": "l",
            "type": np.repeat(np.array(["CB", "LBS", "LBS"], dtype=object), counts),
            "closed": np.repeat([True, True, False], counts),
        },
        index=_numbers(sum(counts), first.switch),
    )


def _loads(grid: Grid, names: Names, first: Offsets) -> pd.DataFrame:
    """One load on every board or, with low-voltage trees, on every low-voltage node."""
    stations = grid.stations
    if grid.low is None:
        station, share = np.arange(len(stations.p_kw)), np.ones(len(stations.p_kw))
        bus = station + grid.first_board
    else:
        station, share = grid.low.station, grid.low.load_share
        bus = grid.first_low + np.arange(len(station))
    return pd.DataFrame(
        {
            "name": names.buses[bus],
            "bus": bus + first.bus,
            "p_mw": (stations.p_kw[station] * share / 1e3).round(9),
            "q_mvar": (stations.q_kvar[station] * share / 1e3).round(9),
            "profile": stations.profile[station],
        },
        index=_numbers(len(bus), first.load),
    )
