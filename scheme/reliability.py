"""What single outages leave of each variant's supply (N-1, 故障后供电能力), by load flow of every restored state.

The capacities that survive are those of :func:`gridmodel.capacity.n_minus_one.n_minus_one_capacity`: for every section
that fails, ties restore what they can, and the least capacity of all these states counts. Only outages that can concern
a point are searched (:mod:`gridmodel.capacity.outage_region`); the others leave it as it is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pandas as pd

from gridmodel.capacity.limits import Limits
from gridmodel.capacity.outage_region import OutageRegions
from gridmodel.snapshot import Snapshot
from scheme.kept_grid import KeptByGrid
from scheme.limits import operating_limits
from scheme.model_quality import OutageSecurity
from scheme.policy.parameter import PolicyView
from scheme.variants import VariantDraft

_WORST_FIRST = ("not_restorable", "own_section", "restorable")
_KVA_DIGITS = 1


def with_outage_security(
    drafts: Sequence[VariantDraft], *, capacity_kva: float, snapshot: Snapshot, policy: PolicyView
) -> tuple[VariantDraft, ...]:
    """Return the variants, each with what single outages leave of it.

    Args:
        drafts: Variants in the network of ``snapshot``.
        capacity_kva: What the customer wants.
        snapshot: The grid; the outages that concern an island are searched once and kept while nothing moves there.
        policy: Limits, power factor of capacities and coincidence of commitments.
    """
    if not drafts:
        return ()
    table = _survivors(
        snapshot,
        [bus for draft in drafts for bus in _buses(draft, snapshot)],
        operating_limits(policy),
        policy.number("capacity.power_factor"),
        policy.number("capacity.in_flight_coincidence_ratio"),
    )
    return tuple(replace(draft, outage_security=_security(draft, table, snapshot, capacity_kva)) for draft in drafts)


def _security(
    draft: VariantDraft, table: pd.DataFrame, snapshot: Snapshot, capacity_kva: float
) -> OutageSecurity | None:
    if draft.further_sources:
        return OutageSecurity(status="other_source", n1_kva=None, is_carried=True, outage_element_id=None)
    rows = table.loc[[bus for bus in _buses(draft, snapshot) if bus in table.index]]
    rows = rows[rows.n1_status.isin(_WORST_FIRST)]
    if rows.empty:
        return None
    # of two ends of a line the worse counts, and one nobody could assess before any number
    order = rows.assign(place=rows.n1_status.map(_WORST_FIRST.index)).sort_values(
        ["place", "n1_kva"], kind="stable", na_position="first"
    )
    status, n1_kva, outage = order.iloc[0][["n1_status", "n1_kva", "n1_outage"]]
    is_known = n1_kva == n1_kva
    return OutageSecurity(
        status=status,
        n1_kva=round(float(n1_kva), _KVA_DIGITS) if is_known else None,
        is_carried=False if status == "not_restorable" else bool(n1_kva >= capacity_kva) if is_known else None,
        outage_element_id=_element_id(snapshot, outage),
    )


def _buses(draft: VariantDraft, snapshot: Snapshot) -> list[int]:
    """Return the bus of the first point, or the ends of the line it tees off."""
    if draft.bus is not None:
        return [draft.bus]
    row = snapshot.net.line.loc[cast("int", draft.line)]
    return [int(row.from_bus), int(row.to_bus)]


def _element_id(snapshot: Snapshot, outage: object) -> str | None:
    """Return the imported line a section is named after (``line:7``), or the section's name."""
    if not isinstance(outage, str):
        return None
    table, _, number = outage.partition(":")
    if table == "line" and number.isdecimal() and int(number) in snapshot.lines.index:
        return str(snapshot.lines.element_id[int(number)])
    return outage


_ISLANDS_KEPT = 64


class _KeptSurvivors:
    """Tables of single islands, kept until something in their region moves."""

    def __init__(self) -> None:
        self._regions = KeptByGrid(OutageRegions)
        self._tables: OrderedDict[tuple[Any, ...], pd.DataFrame] = OrderedDict()

    def __call__(
        self,
        snapshot: Snapshot,
        buses: Sequence[int],
        limits: Limits,
        power_factor: float,
        in_flight_coincidence_ratio: float,
    ) -> pd.DataFrame:
        """Return the rows of the islands of some buses."""
        regions = self._regions(snapshot)
        found: dict[int, pd.DataFrame] = {}
        for region in (regions.find(bus) for bus in buses):
            if region is None or region.own in found:
                continue
            commitments = regions.commitments(snapshot, region)
            rows = tuple(
                map(tuple, commitments[["bus", "capacity_kva", "power_factor"]].to_numpy(dtype=float).tolist())
            )
            key = (regions, region.own, limits, power_factor, in_flight_coincidence_ratio, rows)
            if key not in self._tables:
                self._tables[key] = regions.n_minus_one(
                    snapshot,
                    region,
                    limits=limits,
                    power_factor=power_factor,
                    in_flight_coincidence_ratio=in_flight_coincidence_ratio,
                )
                while len(self._tables) > _ISLANDS_KEPT:
                    self._tables.popitem(last=False)
            found[region.own] = self._tables[key]
        return pd.concat(found.values()) if found else pd.DataFrame({"n1_status": []})


_survivors = _KeptSurvivors()
