"""What each utility transformer (公用配变) brings to the public map: its place and what it can still carry."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from gridmodel.snapshot import Snapshot

UTILITY_ROLES = ("public", "distribution")
"""Owned by the utility, or by whom is not known (pandapower data never say)."""
_VA_PER_KVA = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerRow:
    """One transformer; never published."""

    element_id: str
    lon_deg: float
    lat_deg: float
    """NaN where the place is not known."""
    open_va: int | None
    """Largest single connection at its low-voltage board, ``None`` where not known."""
    customers: int | None
    """Connections modelled behind it, each at least one customer; ``None`` where the data hold no loads."""
    is_restricted: bool | None
    """On the negative list (电网负面清单), itself or its feeder; ``None`` where no list was given."""


def list_transformers(
    snapshot: Snapshot, table: pd.DataFrame, *, negative_list: Collection[str] | None
) -> tuple[TransformerRow, ...]:
    """Return the utility's transformers, in the snapshot's order.

    Args:
        snapshot: The frozen snapshot.
        table: Open capacity of its nodes, net of the ledger; index = bus, columns ``status`` and ``open_kva``.
        negative_list: Identifiers of transformers and feeders on the list; ``None``: no list was given.
    """
    customers = _count_customers(snapshot)
    places = list_places(snapshot)
    rows = []
    found = _utility_transformers(snapshot)
    for item, board in zip(found.itertuples(), found.board.tolist(), strict=True):
        place = places[str(item.element_id)]
        names = {str(item.element_id), str(item.feeder_id)}
        rows.append(
            TransformerRow(
                element_id=str(item.element_id),
                lon_deg=place[0],
                lat_deg=place[1],
                open_va=_open_va(table, board),
                customers=None if customers is None else customers.get(item.area_id or board, 0),
                is_restricted=None if negative_list is None else bool(names & set(negative_list)),
            )
        )
    return tuple(rows)


def list_places(snapshot: Snapshot) -> dict[str, tuple[float, float]]:
    """Return longitude and latitude (degrees) of each utility transformer by identifier; NaN where not known."""
    found = _utility_transformers(snapshot)
    sides = zip(found.element_id.tolist(), found.board.tolist(), found.station.tolist(), strict=True)
    return {str(element_id): _place(snapshot, board, station) for element_id, board, station in sides}


def _utility_transformers(snapshot: Snapshot) -> pd.DataFrame:
    """Return the utility's transformers with the buses of both sides."""
    found = snapshot.transformers[snapshot.transformers.role.isin(UTILITY_ROLES)]
    trafo = snapshot.net.trafo
    return found.assign(board=trafo.lv_bus.loc[found.index], station=trafo.hv_bus.loc[found.index])


def _place(snapshot: Snapshot, board: int, station: int) -> tuple[float, float]:
    for bus in (board, station):
        lon_deg, lat_deg = float(snapshot.nodes.lon_deg[bus]), float(snapshot.nodes.lat_deg[bus])
        if math.isfinite(lon_deg) and math.isfinite(lat_deg):
            return lon_deg, lat_deg
    return math.nan, math.nan


def _open_va(table: pd.DataFrame, board: int) -> int | None:
    """Return the whole VA a customer could have, rounded down; a board that is not assessed is not known."""
    if board not in table.index or table.at[board, "status"] != "assessed":
        return None
    open_kva = float(table["open_kva"][board])
    return math.floor(open_kva * _VA_PER_KVA) if math.isfinite(open_kva) else None


def _count_customers(snapshot: Snapshot) -> Mapping[object, int] | None:
    """Return connections by transformer area, or by bus where the area is not modelled."""
    loads = snapshot.net.load
    if not len(loads):
        return None
    areas = snapshot.nodes.area_id
    keys = [bus if pd.isna(areas[bus]) else areas[bus] for bus in loads.bus]
    counts: Mapping[object, int] = pd.Series(keys).value_counts().to_dict()
    return counts
