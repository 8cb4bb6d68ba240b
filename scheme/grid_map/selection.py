"""What a tile shows: squares and thinned lines from afar, every node and line from near, never too many of them.

Where there is no room for all, places stay and repetitions go: a line is left out only where every stretch of it runs
over one that is shown, to the grid of the tile's drawing. The layer then says that it is thinned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from scheme.grid_map.layout import Integers, LineLayout
from scheme.grid_map.mercator import EXTENT, Floats
from scheme.grid_map.state import GridState

NODE_ZOOM_MIN = 11
"""From here single nodes are shown; below it squares."""
LOW_VOLTAGE_ZOOM_MIN = 14
CELL_LEVELS = 5
"""A tile holds 2 ** 5 squares a side; they belong to the pyramid of the tiles, so that none is cut."""
NODES_MAX = 1_200
LINES_MAX = 1_500
BUFFER = 64
"""Units around the tile in which lines are drawn on, and circles may reach in from."""
_REACH = 60
"""A little less than the buffer, so that rounding decides nothing."""
_GRID_START = 8
"""Finest grid of thinned lines: a pixel of a map whose tiles are 512 wide."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Cells:
    """Squares of a tile with the medium-voltage nodes in them; arrays of one entry a square."""

    zoom: int
    """Level of the pyramid the squares are tiles of."""
    column: Integers
    row: Integers
    count: Integers
    known_count: Integers
    """Nodes whose open capacity is known."""
    open_kva_max: Floats
    """NaN where none is known."""
    open_kva_median: Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class Selection:
    """What one tile shows; positions in the layout."""

    zoom: int
    x: int
    y: int
    nodes: Integers
    """Those shown first come first."""
    lines: Integers
    cells: Cells | None
    line_grid: int
    """Grid the lines are drawn on, in units of the tile; 1 = as they are."""
    has_thinned_nodes: bool
    has_thinned_lines: bool


def select(state: GridState, zoom: int, x: int, y: int) -> Selection:
    """Return what a tile shows."""
    shows_nodes = zoom >= NODE_ZOOM_MIN
    nodes = _nodes(state, zoom, x, y) if shows_nodes else np.zeros(0, dtype=np.int64)
    lines = _lines_in(state.layout.lines, zoom, x, y)
    total, grid = len(lines), 1
    if total > LINES_MAX or not shows_nodes:
        lines, grid = _thin(state, lines, zoom)
    return Selection(
        zoom=zoom,
        x=x,
        y=y,
        nodes=nodes[:NODES_MAX],
        lines=lines,
        cells=None if shows_nodes else _cells(state, zoom, x, y),
        line_grid=grid,
        has_thinned_nodes=len(nodes) > NODES_MAX,
        has_thinned_lines=len(lines) < total,
    )


def _nodes(state: GridState, zoom: int, x: int, y: int) -> Integers:
    nodes, size, reach = state.layout.nodes, 2**zoom, _REACH / EXTENT
    column, row = nodes.x * size - x, nodes.y * size - y
    with np.errstate(invalid="ignore"):
        is_in = (column >= -reach) & (column <= 1.0 + reach) & (row >= -reach) & (row <= 1.0 + reach)
    if zoom < LOW_VOLTAGE_ZOOM_MIN:
        is_in &= nodes.is_medium
    found = np.flatnonzero(is_in)
    return found[np.argsort(nodes.rank[found])]


def _lines_in(lines: LineLayout, zoom: int, x: int, y: int) -> Integers:
    size, reach = 2**zoom, _REACH / EXTENT
    west, north, east, south = lines.box.T * size
    with np.errstate(invalid="ignore"):
        is_in = (west <= x + 1 + reach) & (east >= x - reach) & (north <= y + 1 + reach) & (south >= y - reach)
    if zoom < LOW_VOLTAGE_ZOOM_MIN:
        is_in &= lines.is_medium
    return np.flatnonzero(is_in)


def _thin(state: GridState, lines: Integers, zoom: int) -> tuple[Integers, int]:
    """Return the lines that own a stretch of a coarser drawing, and its grid; the most loaded line owns a stretch."""
    ratio = np.nan_to_num(state.lines.ratio[lines], nan=-1.0)
    ordered = lines[np.lexsort((lines, -ratio))]
    grid = _GRID_START
    while True:
        kept = _owners(state.layout.lines, ordered, 2.0**zoom * EXTENT / grid)
        if len(kept) <= LINES_MAX or grid >= EXTENT:
            return np.sort(kept), grid
        grid += max(1, grid // 4)


def _owners(lines: LineLayout, ordered: Integers, steps: float) -> Integers:
    """Return which lines, in order of their claim, are the first on some stretch between two grid points.

    A line that comes back to the grid point it began at is a dot there and owns nothing.
    """
    ordered = ordered[lines.first[ordered + 1] > lines.first[ordered]]
    counts = lines.first[ordered + 1] - lines.first[ordered]
    owner = np.repeat(np.arange(len(ordered)), counts)
    start = np.repeat(lines.first[ordered] - np.concatenate(([0], np.cumsum(counts)[:-1])), counts)
    at = start + np.arange(len(owner))
    column, row = np.floor(lines.x[at] * steps + 0.5), np.floor(lines.y[at] * steps + 0.5)
    ends = np.cumsum(counts)
    is_dot = (column[ends - 1] == column[ends - counts]) & (row[ends - 1] == row[ends - counts])
    same_line = (owner[1:] == owner[:-1]) & ~is_dot[owner[1:]]
    moves = same_line & ((np.diff(column) != 0) | (np.diff(row) != 0))
    a, b = (np.column_stack((column[side], row[side]))[moves] for side in (slice(None, -1), slice(1, None)))
    is_turned = (a[:, 0] > b[:, 0]) | ((a[:, 0] == b[:, 0]) & (a[:, 1] > b[:, 1]))
    stretch = np.where(is_turned[:, None], np.hstack((b, a)), np.hstack((a, b)))
    _, first = np.unique(stretch, axis=0, return_index=True)
    kept: Integers = ordered[np.unique(owner[1:][moves][first])]
    return kept


def _cells(state: GridState, zoom: int, x: int, y: int) -> Cells:
    nodes, level = state.layout.nodes, zoom + CELL_LEVELS
    side = 2**CELL_LEVELS
    column, row = np.floor(nodes.x * 2**level) - x * side, np.floor(nodes.y * 2**level) - y * side
    with np.errstate(invalid="ignore"):
        is_in = nodes.is_medium & (column >= 0) & (column < side) & (row >= 0) & (row < side)
    frame = pd.DataFrame(
        {
            "row": row[is_in].astype(np.int64),
            "column": column[is_in].astype(np.int64),
            "kva": state.nodes.open_kva[is_in],
        }
    )
    found = frame.groupby(["row", "column"])["kva"].agg(["size", "count", "max", "median"]).reset_index()
    return Cells(
        zoom=level,
        column=found["column"].to_numpy(dtype=np.int64) + x * side,
        row=found["row"].to_numpy(dtype=np.int64) + y * side,
        count=found["size"].to_numpy(dtype=np.int64),
        known_count=found["count"].to_numpy(dtype=np.int64),
        open_kva_max=found["max"].to_numpy(dtype=float),
        open_kva_median=found["median"].to_numpy(dtype=float),
    )
