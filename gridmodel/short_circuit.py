"""Initial three-phase short-circuit current (三相短路电流) by IEC 60909, where the source's data allow it."""

from __future__ import annotations

import warnings

import numpy as np

from gridmodel.net import Net, pandapower


def compute_short_circuit_current_ka(net: Net, bus: int) -> float | None:
    """Return the largest initial symmetrical three-phase short-circuit current at ``bus`` (kA).

    Static generators feed through converters and are left out. ``net`` is spent: its states and results change.

    Returns:
        ``None`` where an external grid lacks short-circuit power or R/X, where a generator is in service (its
        subtransient reactance is not imported), or where the bus has no supply.
    """
    grids = net.ext_grid[net.ext_grid.in_service.astype(bool)]
    for column in ("s_sc_max_mva", "rx_max"):
        if column not in grids or not len(grids) or not np.isfinite(grids[column].to_numpy(dtype=float)).all():
            return None
    if len(net.gen) and net.gen.in_service.any():
        return None
    for table in ("sgen", "motor", "ward", "xward"):
        net[table]["in_service"] = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pandapower().shortcircuit.calc_sc(net, bus=bus, fault="3ph", case="max", topology="radial", inverse_y=False)
    current = float(net.res_bus_sc.at[bus, "ikss_ka"])
    return current if np.isfinite(current) else None
