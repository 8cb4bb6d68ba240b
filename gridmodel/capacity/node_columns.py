"""Further columns of the node table: generation, flexible connection and N-1, each on the net with what is in flight.

Every function returns a frame with the nodes of the snapshot as index; powers of loads are in kVA at the power factor
of the table, generation in kW. Numbers of different nodes are not additive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from gridmodel.capacity.flexible import flexible_capacity
from gridmodel.capacity.hours import capacity_over_hours
from gridmodel.capacity.island_search import Progress
from gridmodel.capacity.limits import Limits
from gridmodel.capacity.n_minus_one import n_minus_one_capacity
from gridmodel.capacity.nodes import element_ids, where_known, with_in_flight
from gridmodel.profiles import LoadProfiles
from gridmodel.snapshot import Snapshot

_KVA = "_kva"
_KW = "_kw"


def generation_columns(
    snapshot: Snapshot,
    profiles: LoadProfiles,
    *,
    limits: Limits,
    power_factor: float,
    hours: Sequence[str],
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return what generation (分布式电源) each node can take, the least of the hours asked for.

    What is in flight is not connected: a load to come would only make room.

    Args:
        snapshot: Network; its loads should name their curves.
        profiles: Load curves.
        limits: Limits for generation, which may be others than for loads.
        power_factor: Of the generator, delivering reactive power.
        hours: Labels of the hours in which it is taken to feed in fully; daylight hours.
        progress: Called with work done and work in total.

    Returns:
        ``generation_status``, ``generation_kw`` (NaN where not assessed), ``generation_limit_kind``,
        ``generation_limit_element_id``, ``generation_limit_hour``.
    """
    table = capacity_over_hours(
        snapshot.net,
        profiles,
        limits=limits,
        power_factor=power_factor,
        buses=snapshot.nodes.index,
        hours=hours,
        direction="generation",
        progress=progress,
    )
    is_assessed = _is_assessable(snapshot) & (table.status == "assessed") & (table.limit_kind != "ceiling")
    status = table.status.mask(~is_assessed & (table.status == "assessed"), "not_assessable")
    columns = {
        "generation_status": status,
        "generation_kw": table.capacity_kw.where(is_assessed),
        "generation_limit_kind": where_known(is_assessed, table.limit_kind),
        "generation_limit_element_id": where_known(is_assessed, element_ids(snapshot, table)),
        "generation_limit_hour": where_known(is_assessed, table.limit_hour),
    }
    return _frame(columns, table)


def flexible_columns(
    snapshot: Snapshot,
    profiles: LoadProfiles,
    *,
    limits: Limits,
    power_factor: float,
    in_flight_coincidence_ratio: float,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return what can connect to each node if it stays below a curve over the day (柔性接入).

    Returns:
        ``firm_kva``, ``h00_kva`` ... ``h23_kva`` (NaN where an hour cannot be assessed), ``flexible_gain_ratio``.
    """
    table = flexible_capacity(
        with_in_flight(snapshot, power_factor, in_flight_coincidence_ratio),
        profiles,
        limits=limits,
        power_factor=power_factor,
        buses=snapshot.nodes.index,
        progress=progress,
    )
    is_assessed = _is_assessable(snapshot) & (table.status == "assessed")
    columns = {
        name.removesuffix(_KW) + _KVA: (table[name] / power_factor).where(is_assessed)
        for name in table.columns
        if name.endswith(_KW)
    }
    columns["flexible_gain_ratio"] = table.flexible_gain_ratio.where(is_assessed)
    return _frame(columns, table)


def n_minus_one_columns(
    snapshot: Snapshot,
    *,
    limits: Limits,
    power_factor: float,
    in_flight_coincidence_ratio: float,
    buses: Iterable[int] | None = None,
    outage_buses: Iterable[int] | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return the capacity of each node that survives any single outage that a tie can restore (N-1, 转供).

    Args:
        snapshot: Network with what is in flight.
        limits: Limits of the normal state and of those after a fault.
        power_factor: Of further load.
        in_flight_coincidence_ratio: Share of a commitment that is load at the peak.
        buses: Nodes asked for; default all.
        outage_buses: Isolate only sections with a line that ends at one of these; default all.
        progress: Called with work done and work in total.

    Returns:
        ``n1_status``, ``n1_kva`` (NaN where not restorable or not assessed), ``n1_outage``, ``n1_tie``,
        ``n1_limit_kind``, ``n1_limit_element_id``.
    """
    table = n_minus_one_capacity(
        with_in_flight(snapshot, power_factor, in_flight_coincidence_ratio),
        limits=limits,
        power_factor=power_factor,
        buses=snapshot.nodes.index if buses is None else buses,
        outage_buses=outage_buses,
        progress=progress,
    )
    is_assessable = _is_assessable(snapshot).reindex(table.index)
    is_known = is_assessable & table.n1_capacity_kw.notna()
    limit = table[["n1_limit_table", "n1_limit_element"]].set_axis(["limit_table", "limit_element"], axis=1)
    columns = {
        "n1_status": table.n1_status.where(is_assessable, "not_assessable"),
        "n1_kva": (table.n1_capacity_kw / power_factor).where(is_known),
        "n1_outage": table.n1_outage,
        "n1_tie": table.n1_tie,
        "n1_limit_kind": where_known(is_known, table.n1_limit_kind),
        "n1_limit_element_id": where_known(is_known, element_ids(snapshot, limit)),
    }
    return _frame(columns, table)


def _is_assessable(snapshot: Snapshot) -> pd.Series:
    return snapshot.nodes.status != "not_assessable"


def _frame(columns: dict[str, pd.Series], table: pd.DataFrame) -> pd.DataFrame:
    frame = pd.DataFrame(columns, index=table.index)
    frame.attrs = dict(table.attrs)
    return frame
