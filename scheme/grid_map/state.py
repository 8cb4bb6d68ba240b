"""The map at one entry of the ledger: layout, figures net of every live hold, voltages and loadings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridmodel.capacity.grid_measures import GridMeasures, Loading
from scheme.grid_map.grid import MapGrid
from scheme.grid_map.layout import GridLayout, Texts, texts_of
from scheme.grid_map.mercator import Floats

KVA_DECIMALS = 1
RATIO_DECIMALS = 4


@dataclass(frozen=True, eq=False, kw_only=True)
class NodeFigures:
    """Figures of the nodes, in the order of the layout; NaN and None = not known."""

    status: Texts
    open_kva: Floats
    administrative_kva: Floats
    physical_kva: Floats
    limit_kind: Texts
    u_pu: Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class GridState:
    """What tiles and sheets are drawn from."""

    grid: MapGrid
    ledger_seq: int
    table: pd.DataFrame
    """The capacity table net of live holds, index = bus."""
    nodes: NodeFigures
    lines: Loading
    transformers: Loading

    @property
    def layout(self) -> GridLayout:
        """Where everything is."""
        return self.grid.layout


def make_state(grid: MapGrid, table: pd.DataFrame, measures: GridMeasures, *, ledger_seq: int) -> GridState:
    """Return the map at one entry of the ledger.

    Args:
        grid: The imported grid.
        table: Capacity table net of live holds, index = bus.
        measures: Load flow of the grid with the live holds connected.
        ledger_seq: The entry.
    """
    rows = table.reindex(grid.layout.nodes.bus)
    return GridState(
        grid=grid,
        ledger_seq=ledger_seq,
        table=table,
        nodes=NodeFigures(
            status=texts_of(rows, "status"),
            open_kva=_kva(rows, "open_kva"),
            administrative_kva=_kva(rows, "administrative_kva"),
            physical_kva=_kva(rows, "physical_kva"),
            limit_kind=texts_of(rows, "limit_kind"),
            u_pu=np.round(measures.u_pu, RATIO_DECIMALS),
        ),
        lines=_rounded(measures.lines),
        transformers=_rounded(measures.transformers),
    )


def _kva(rows: pd.DataFrame, name: str) -> Floats:
    return np.round(rows[name].to_numpy(dtype=float), KVA_DECIMALS)


def _rounded(loading: Loading) -> Loading:
    return Loading(ratio=np.round(loading.ratio, RATIO_DECIMALS), limit_ratio=loading.limit_ratio)
