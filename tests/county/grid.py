"""The county as numbered buses, lines, transformers and switches: plain arrays, no names yet.

Buses in order: sources, 10 kV busbars, stations (medium-voltage side), boards, poles, low-voltage nodes.
Lines in order: pieces of sections, ties, low-voltage spans. Transformers: main ones first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.county.equipment import Sections, Stations, equip, size_by_rank
from tests.county.layout import Layout, find_layout
from tests.county.low_voltage import LowVoltage, grow_low_voltage
from tests.county.points import place_points
from tests.county.sections import Lines, Pieces, cut_sections, join_lines, switched_sections, tie_lines


@dataclass(frozen=True, eq=False, kw_only=True)
class MainTransformers:
    """Main transformers (主变), shape (M,)."""

    sn_mva: np.ndarray
    p0_kw: np.ndarray
    pk_kw: np.ndarray
    i0_percent: np.ndarray
    max_kva: np.ndarray
    """Load in the hour of the model, losses estimated."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Grid:
    """One county; M main transformers, n stations, F feeders."""

    choices: dict[str, Any]
    layout: Layout
    stations: Stations
    sections: Sections
    mains: MainTransformers
    pieces: Pieces
    low: LowVoltage | None
    lines: Lines
    """Lines of all kinds."""
    head_line: np.ndarray
    """First line of every feeder, shape (F,)."""
    section_switches: np.ndarray
    """Bus and line of the closed section switches, shape (switches, 2)."""
    first_station: int
    first_board: int
    first_pole: int
    first_low: int
    bus_count: int

    @property
    def main_count(self) -> int:
        """Number of main transformers, of sources and of 10 kV busbars."""
        return len(self.mains.sn_mva)

    @property
    def tie_lines(self) -> np.ndarray:
        """Lines that are ties."""
        return len(self.pieces.lines.start) + np.arange(len(self.layout.ties))


def design_grid(choices: dict[str, Any], *, with_lv: bool) -> Grid:
    """Return the county as the choices want it."""
    points = place_points(choices)
    sn_kva = size_by_rank(points, choices)
    layout = find_layout(points, sn_kva, choices)
    stations, sections = equip(points, layout, sn_kva, choices)
    mains, count = _main_transformers(layout, stations, choices), len(sn_kva)
    first_station = 2 * len(mains.sn_mva)
    first_board, first_pole = first_station + count, first_station + 2 * count
    busbar = len(mains.sn_mva) + layout.main[layout.feeder]
    upstream = np.where(layout.parent >= 0, layout.parent + first_station, busbar)
    pieces = cut_sections(
        layout, sections, choices, upstream=upstream, first_station=first_station, first_pole=first_pole
    )
    first_low = first_pole + len(pieces.pole_station)
    low, parts = None, [pieces.lines, tie_lines(layout, choices, first_station=first_station)]
    if with_lv:
        low = grow_low_voltage(layout, stations, sections, choices, first_board=first_board, first_node=first_low)
        parts.append(low.lines)
    is_root = layout.parent < 0
    head_line = np.empty(len(layout.main), dtype=int)
    head_line[layout.feeder[is_root]] = pieces.first[is_root]
    switched = switched_sections(layout, choices["feeders"]["sections"])
    return Grid(
        choices=choices,
        layout=layout,
        stations=stations,
        sections=sections,
        mains=mains,
        pieces=pieces,
        low=low,
        lines=join_lines(parts),
        head_line=head_line,
        section_switches=np.column_stack([upstream[switched], pieces.first[switched]]),
        first_station=first_station,
        first_board=first_board,
        first_pole=first_pole,
        first_low=first_low,
        bus_count=first_low + (0 if low is None else len(low.station)),
    )


def _main_transformers(layout: Layout, stations: Stations, choices: dict[str, Any]) -> MainTransformers:
    """Return for every main transformer the smallest size its load does not fill."""
    chosen = choices["substations"]
    main = layout.main[layout.feeder]
    p_kw, q_kvar = (np.bincount(main, weights=part) for part in (stations.p_kw, stations.q_kvar))
    load_kva = np.hypot(p_kw, q_kvar) * (1.0 + chosen["losses_ratio"])
    is_high = layout.is_high[layout.substation_of(np.arange(len(load_kva)))]
    rows = []
    for high, kva in zip(is_high.tolist(), load_kva.tolist(), strict=True):
        level = "high" if high else "low"
        sizes = choices["main_transformers"][level]["sizes"]
        fits = [row for row in sizes if row[0] * 1e3 * chosen["loading_ratio_max"] >= kva]
        rows.append((fits or sizes[-1:])[0])
    sn_mva, p0_kw, pk_kw, i0_percent = np.array(rows).T
    return MainTransformers(sn_mva=sn_mva, p0_kw=p0_kw, pk_kw=pk_kw, i0_percent=i0_percent, max_kva=load_kva.round(0))
