"""Why a base case may have no solution: the share of the load it carries, where voltage is lost, the largest load."""

from __future__ import annotations

import numpy as np

from gridmodel.errors import ConvergenceError
from gridmodel.net import Net, copy_net, run_load_flow

_HALVINGS = 6
"""Steps of the search for the share of the load that can be solved: 1/64 is enough for a hint."""


def suspect_cause(net: Net) -> str:
    """Return the suspected cause in a few words; ``net`` is a part in service that the load flow cannot solve."""
    work = copy_net(net)
    if not _solves(work, 0.0):
        return "no solution even without load: check lengths, impedances, ratios and source voltages"
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _solves(work, middle) else (low, middle)
    _solves(work, low)
    return f"solvable up to {low:.0%} of the load; {_largest_drop(work)}{_largest_load(net)}"


def _solves(work: Net, share: float) -> bool:
    work.load["scaling_of_net"] = work.load.get("scaling_of_net", work.load.scaling)
    work.load["scaling"] = work.load.scaling_of_net * share
    try:
        run_load_flow(work)
    except ConvergenceError:
        return False
    return True


def _largest_drop(work: Net) -> str:
    """Name the line or transformer across which most voltage is lost."""
    drops = []
    for table, ends in (("line", ("from_bus", "to_bus")), ("trafo", ("hv_bus", "lv_bus"))):
        frame, u_pu = work[table], work.res_bus.vm_pu
        for element, *buses in zip(frame.index, *(frame[end] for end in ends), strict=True):
            drop = abs(u_pu.get(buses[0], np.nan) - u_pu.get(buses[1], np.nan))
            if np.isfinite(drop):
                drops.append((float(drop), table, int(element)))
    if not drops:
        return ""
    drop, table, element = max(drops)
    return f"most voltage is lost in {table} {element} ({drop:.2f} pu there)"


def _largest_load(net: Net) -> str:
    """Name the largest load of the part in service."""
    live = net.load[
        net.load.in_service.astype(bool) & net.load.bus.isin(net.bus.index[net.bus.in_service.astype(bool)])
    ]
    p_mw = (live.p_mw * live.scaling).abs()
    if p_mw.empty:
        return ""
    largest = p_mw.idxmax()
    return f"; largest load: load {largest} at bus {int(live.bus[largest])} ({p_mw[largest]:.3g} MW)"
