"""Names the hours in which the buses of a radial island may carry least, so that only those are solved exactly.

Estimates (:mod:`gridmodel.capacity.path.hour_estimates`) only choose hours; no capacity is taken from them.
"""

from __future__ import annotations

import numpy as np

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.constraints import Constraints, Floats
from gridmodel.capacity.hour_islands import RadialIsland
from gridmodel.capacity.path.bounds import NO_LIMIT, Bounds
from gridmodel.capacity.path.hour_estimates import Effects, Records, estimate_hours

RANKS = 3
"""So many worst hours of every bus and class are solved exactly."""


def worst_hours(
    island: RadialIsland,
    more_p: Floats,
    more_q: Floats,
    constraints: Constraints,
    class_of_hour: Integers,
    share: Floats,
    tan_phi: float,
) -> Integers:
    """Return the hours in which some bus of an island may carry least, or a limit is broken most or next to break.

    Args:
        island: With the buses asked for.
        more_p: Multipliers of active power less those of the island's reference hour, shape (hours, profiles).
        more_q: The same of reactive power.
        constraints: Limits of the net.
        class_of_hour: The least of each class is wanted, shape (hours,).
        share: Of the extra load that is connected in each hour, > 0, shape (hours,).
        tan_phi: Reactive per active power of the extra load.
    """
    classes, count = int(class_of_hour.max()) + 1, len(island.parts.tree.parent)
    records = Records(
        least=np.full((classes, count, RANKS), np.inf),
        hour=np.full((classes, count, RANKS), -1, dtype=np.int64),
        margin=np.full((count, 2), np.inf),
        margin_hour=np.full((count, 2), -1, dtype=np.int64),
        nearest=np.full((count, 2), np.inf),
        nearest_hour=np.full((count, 2), -1, dtype=np.int64),
    )
    effects = _effects(constraints, island.parts.counted)
    is_solved = estimate_hours(
        island.parts.tree,
        island.parts.powers,
        more_p,
        more_q,
        island.parts.counted,
        effects,
        class_of_hour,
        share,
        tan_phi,
        records,
    )
    is_broken = records.margin < 0.0
    named = [
        records.hour[:, island.candidates].ravel(),
        records.margin_hour[is_broken],
        records.nearest_hour[is_broken],  # what is broken may not count off the path, what is about to break does
        np.flatnonzero(~is_solved),
    ]
    hours = np.unique(np.concatenate(named))
    return np.asarray(hours[hours >= 0], dtype=np.int64)


def _effects(constraints: Constraints, bounds: Bounds) -> Effects:
    is_limited = bounds.flow_on_row != NO_LIMIT
    row = bounds.flow_on_row[is_limited]
    flow = np.zeros(bounds.flow_on.shape)
    flow[is_limited] = bounds.flow_on[is_limited] * constraints.effects[row] / constraints.limits[row]
    v_pu = float(constraints.effects[constraints.is_kind("voltage_low")].max(initial=0.0))
    return Effects(v_pu=v_pu, flow=flow)
