"""Names (Chinese) and identifiers of everything in one county, and what kind of node each bus is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tests.county.grid import Grid

Texts = np.ndarray
"""Array of str or None, dtype object."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Names:
    """Texts by element of one county, in the order of its tables; identifiers carry the county's number."""

    kinds: Texts
    buses: Texts
    lines: Texts
    mains: Texts
    transformers: Texts
    switches: Texts
    feeders: Texts
    feeder_ids: Texts
    substation_ids: Texts
    area_ids: Texts


def name_elements(grid: Grid, county: int) -> Names:
    """Return the names of county number ``county`` (the first is 0)."""
    prefix = f"C{county + 1:02d}-"
    layout, count = grid.layout, len(grid.stations.sn_kva)
    places = grid.choices["substations"]["names"]
    main_substation = layout.substation_of(np.arange(grid.main_count))
    main_number = np.arange(grid.main_count) % layout.mains_each
    feeder_substation = layout.substation_of(layout.main)
    feeder_number = pd.Series(feeder_substation).groupby(feeder_substation).cumcount() + 1
    feeders = _texts(f"{places[s]}{n}线" for s, n in zip(feeder_substation, feeder_number, strict=True))
    of_station = feeders[layout.feeder]
    transformers = _texts(f"{name}{n:04d}号配变" for name, n in zip(of_station, range(1, count + 1), strict=True))
    poles, low = _numbered(grid.pieces.pole_station, layout.feeder), _low_numbers(grid)
    kinds = _kinds(grid)
    stations = np.where(
        kinds[grid.first_station : grid.first_board] == "ring_main_unit",
        _texts(f"{name}{n:04d}号环网柜" for name, n in zip(of_station, range(1, count + 1), strict=True)),
        transformers,
    )
    buses = _texts(
        [
            *(f"{places[s]}变{n + 1}号主变高压侧" for s, n in zip(main_substation, main_number, strict=True)),
            *(f"{places[s]}变10kV {'ⅠⅡⅢⅣ'[n]}段母线" for s, n in zip(main_substation, main_number, strict=True)),
            *stations,
            *(f"{name}低压侧" for name in transformers),
            *(f"{feeders[f]}{n:03d}号杆" for f, n in zip(*poles, strict=True)),
            *(f"{transformers[s]}低压{n:02d}号" for s, n in zip(*low, strict=True)),
        ]
    )
    heads = set(grid.head_line.tolist())
    lines = _texts(
        f"{buses[end]}出线段" if number in heads else f"{buses[start]}至{buses[end]}"
        for number, (start, end) in enumerate(zip(grid.lines.start.tolist(), grid.lines.end.tolist(), strict=True))
    )
    return Names(
        kinds=kinds,
        buses=buses,
        lines=lines,
        mains=_texts(f"{places[s]}变{n + 1}号主变" for s, n in zip(main_substation, main_number, strict=True)),
        transformers=transformers,
        switches=_texts(
            [
                *(f"{name}出线断路器" for name in feeders),
                *(f"{buses[bus]}分段开关" for bus in grid.section_switches[:, 0].tolist()),
                *(f"{lines[line]}联络开关" for line in grid.tie_lines.tolist()),
            ]
        ),
        feeders=_texts(f"10kV {name}" for name in feeders),
        feeder_ids=_texts(f"{prefix}F{n:03d}" for n in range(1, len(layout.main) + 1)),
        substation_ids=_texts(f"{prefix}S{n:02d}" for n in range(1, len(layout.is_high) + 1)),
        area_ids=_texts(f"{prefix}T{n:04d}" for n in range(1, count + 1)),
    )


def _texts(texts: Iterable[str]) -> Texts:
    found = list(texts)
    array = np.empty(len(found), dtype=object)
    array[:] = found
    return array


def _numbered(station: np.ndarray, feeder: np.ndarray) -> tuple[list[int], list[int]]:
    """Return the feeder of every pole and its number on that feeder."""
    of_pole = pd.Series(feeder[station])
    return of_pole.tolist(), (of_pole.groupby(of_pole).cumcount() + 1).tolist()


def _low_numbers(grid: Grid) -> tuple[list[int], list[int]]:
    """Return the station of every low-voltage node and its number in that area."""
    if grid.low is None:
        return [], []
    of_node = pd.Series(grid.low.station)
    return of_node.tolist(), (of_node.groupby(of_node).cumcount() + 1).tolist()


def _kinds(grid: Grid) -> Texts:
    """Return what each bus is; on cable feeders the first station and every branching one is a ring-main unit."""
    layout, count = grid.layout, len(grid.stations.sn_kva)
    branches = np.bincount(layout.parent[layout.parent >= 0], minlength=count)
    is_unit = grid.sections.is_cable & ((layout.parent < 0) | (branches >= 2))
    is_cable_node = grid.sections.is_cable[grid.low.station] if grid.low is not None else np.empty(0, dtype=bool)
    return np.concatenate(
        [
            np.repeat(np.array(["source", "substation_busbar"], dtype=object), grid.main_count),
            np.where(is_unit, "ring_main_unit", "station").astype(object),
            np.full(count, "lv_board", dtype=object),
            np.full(len(grid.pieces.pole_station), "pole", dtype=object),
            np.where(is_cable_node, "branch_box", "lv_pole").astype(object),
        ]
    )
