"""Voltages and loadings of a grid with everything promised on it (在途断面): one load flow, nothing else added."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridmodel.capacity.base_case import BaseCase, solve_base_case
from gridmodel.capacity.constraints import Floats
from gridmodel.capacity.limits import Limits
from gridmodel.capacity.nodes import with_in_flight
from gridmodel.snapshot import Snapshot


@dataclass(frozen=True, eq=False, kw_only=True)
class Loading:
    """How loaded the elements of one table are, in the order of the snapshot."""

    ratio: Floats
    """Share of the rating; NaN where an element is not energised or its rating is not known."""
    limit_ratio: Floats
    """Share of the rating that is allowed."""


@dataclass(frozen=True, eq=False, kw_only=True)
class GridMeasures:
    """What one load flow of a grid says of every node and element."""

    u_pu: Floats
    """Voltage of each node of the snapshot, in its order (per unit of the bus's own); NaN where it has no supply."""
    lines: Loading
    transformers: Loading


def measure_grid(
    snapshot: Snapshot, *, limits: Limits, power_factor: float, in_flight_coincidence_ratio: float
) -> GridMeasures:
    """Return what a grid with its commitments connected measures, as the table of open capacities starts from it.

    Args:
        snapshot: Network and commitments in flight; only read.
        limits: Operating limits.
        power_factor: Of commitments that name none, lagging, in (0, 1].
        in_flight_coincidence_ratio: Share of the committed capacity that counts as load at the peak, in [0, 1].
    """
    has_more = len(snapshot.in_flight) > 0
    net = with_in_flight(snapshot, power_factor, in_flight_coincidence_ratio) if has_more else snapshot.net
    base = solve_base_case(net, limits)
    return GridMeasures(
        u_pu=base.u_pu_of(snapshot.nodes.index.to_numpy(dtype=np.int64)),
        lines=_loading(base, "line", snapshot.lines.index),
        transformers=_loading(base, "trafo", snapshot.transformers.index),
    )


def _loading(base: BaseCase, table: str, wanted: pd.Index) -> Loading:
    rows = base.constraints.rows_of(table)
    places = pd.Index(base.constraints.elements[rows]).get_indexer(wanted)
    found = [
        np.where(places >= 0, values[rows][places], np.nan) if len(rows) else np.full(len(wanted), np.nan)
        for values in (base.values, base.constraints.limits)
    ]
    return Loading(ratio=found[0], limit_ratio=found[1])
