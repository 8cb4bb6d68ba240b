"""Open capacity of nodes hour by hour (分时可开放容量), every hour for itself, with what is in flight connected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridmodel.capacity.administrative import AdministrativeLimits
from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.base_case import BaseCase
from gridmodel.capacity.constraints import Constraints, Flags, Floats
from gridmodel.capacity.hour_islands import HourAnswer, RadialIsland
from gridmodel.capacity.hour_study import Hours, HoursStudy
from gridmodel.capacity.limits import Limits
from gridmodel.capacity.nodes import Column, administrative_values, with_in_flight
from gridmodel.capacity.path.answers import value_and_break_kw
from gridmodel.capacity.rows import CEILING, EXISTING_VIOLATION, LIMIT_KINDS, NO_KIND, Rows
from gridmodel.capacity.search import CEILING_KW
from gridmodel.profiles import LoadProfiles
from gridmodel.snapshot import Snapshot

ADMINISTRATIVE = "administrative"


@dataclass(frozen=True, eq=False, kw_only=True)
class HourTable:
    """Arrays of shape (hours, nodes)."""

    hours: tuple[str, ...]
    bus: Integers
    open_kva: Floats
    """NaN where a node cannot be assessed in an hour."""
    limit_kind: Column
    """None where nothing is known."""


def capacity_by_hour(
    snapshot: Snapshot,
    profiles: LoadProfiles,
    *,
    limits: Limits,
    loading: AdministrativeLimits,
    power_factor: float,
    in_flight_coincidence_ratio: float,
    buses: Integers,
    hours: Sequence[str] | None = None,
) -> HourTable:
    """Return the open capacity of nodes in each hour; the least of a node's hours is that of :func:`node_capacity`.

    Args:
        snapshot: Network and commitments in flight; its loads name their curves.
        profiles: Load curves.
        limits: Operating limits of the AC load flow.
        loading: Shares of the ratings in the administrative formula, which knows no hours.
        power_factor: Of the load to be connected, lagging, in (0, 1].
        in_flight_coincidence_ratio: Share of the committed capacity that counts as load at the peak, in [0, 1].
        buses: The nodes.
        hours: Labels of the hours; default all of the curves.

    Raises:
        InputError: An hour is not in the curves.
    """
    rows = profiles.rows_of(hours)
    net = with_in_flight(snapshot, power_factor, in_flight_coincidence_ratio)
    tan_phi = math.tan(math.acos(power_factor))
    study = HoursStudy(net, profiles, limits, tan_phi=tan_phi, ceiling_kw=CEILING_KW, direction="load", progress=None)
    of_study = Hours(rows=np.array(rows), kind=np.zeros(len(rows), dtype=np.int64), share=np.ones(len(rows)))
    base, islands = study.prepare(of_study, buses)
    keeper = _EveryHour(len(rows), len(buses), base.constraints)
    study.run(base, islands, buses, of_study, keeper, method="full", seed=0)
    keeper.forget(snapshot.nodes.status.reindex(buses).to_numpy() == "not_assessable")
    open_kva, kinds = keeper.capacity_kw / power_factor, LIMIT_KINDS[keeper.kind]
    values, which = administrative_values(snapshot, base, loading, in_flight_coincidence_ratio, buses)
    net_kva = np.maximum(np.array([value.net_kva for value in values])[which], 0.0)
    binds = net_kva < open_kva
    kinds[binds] = ADMINISTRATIVE
    return HourTable(
        hours=tuple(profiles.hours[row] for row in rows),
        bus=buses,
        open_kva=np.where(binds, net_kva, open_kva),
        limit_kind=kinds,
    )


class _EveryHour:
    """Keeps the answers of all hours; see :class:`gridmodel.capacity.hour_study.Keeper`."""

    def __init__(self, hours: int, buses: int, constraints: Constraints) -> None:
        self._constraints = constraints
        self.capacity_kw = np.full((hours, buses), np.nan)
        self.kind = np.full((hours, buses), NO_KIND, dtype=np.int8)

    def keep_island(self, island: RadialIsland, answer: HourAnswer, hours: Hours, at: int) -> int:
        """Take an island's answers in one hour."""
        found = ~np.isnan(answer.p_mw)
        value_kw, _ = value_and_break_kw(answer.p_mw[found])
        kind = np.where(answer.is_existing, EXISTING_VIOLATION, self._constraints.kind_codes[answer.row])[found]
        self._put(at, island.place[found], value_kw, kind)
        return 0

    def keep_rows(self, places: Integers, rows: Rows, base: BaseCase, hours: Hours, at: int) -> None:
        """Take the answers of the nodes at some places in one hour."""
        is_known = rows.status == "assessed"
        self._put(at, places[is_known], rows.capacity_kw[is_known], rows.kind[is_known])

    def is_lost(self) -> Flags:
        """No hour says anything of another one."""
        return np.zeros(self.capacity_kw.shape[1], dtype=bool)

    def forget(self, refused: Flags) -> None:
        """Leave unknown what the quality gate refused."""
        self.capacity_kw[:, refused], self.kind[:, refused] = np.nan, NO_KIND

    def _put(self, at: int, places: Integers, value_kw: Floats, kind: Integers) -> None:
        is_limited = (kind != CEILING) & (value_kw < CEILING_KW)  # at a source nothing limits, so that nothing is known
        self.capacity_kw[at, places[is_limited]] = value_kw[is_limited]
        self.kind[at, places[is_limited]] = kind[is_limited]
