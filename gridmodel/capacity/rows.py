"""One answer per bus while it is being worked on, and the table the caller gets."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd

from gridmodel.capacity.base_case import BaseCase
from gridmodel.capacity.constraints import Constraints
from gridmodel.topology import LOW_VOLTAGE_KV_MAX, SupplyPath

STEP_LV_KW = 1.0
STEP_MV_KW = 10.0
NOTED_MAX = 3
"""How many broken limits a note names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Open capacity of one bus."""

    bus: int
    status: str = "assessed"
    capacity_kw: float = math.nan
    limit_kind: str | None = None
    limit: int | None = None
    """Position of the binding limit in the constraints; None where no element binds."""
    reason: str = ""
    engine: str = ""
    notes: str = ""
    breaks_kw: float = math.inf
    """Load at which the search saw it break."""


def step_kw(u_nominal_kv: float) -> float:
    """Return by how much more than the capacity the load flow must break (kW): 1 up to 1 kV, 10 above."""
    return STEP_LV_KW if u_nominal_kv <= LOW_VOLTAGE_KV_MAX else STEP_MV_KW


def note_of(constraints: Constraints, broken: Iterable[int], *, unlisted: int = 0) -> str:
    """Return a short text naming limits that are broken but do not count; empty when there are none.

    ``unlisted`` of them are only counted.
    """
    first = list(islice(rest := iter(broken), NOTED_MAX))
    if not first:
        return ""
    names = [f"{constraints.tables[i]} {constraints.elements[i]} {constraints.kinds[i]}" for i in first]
    left = sum(1 for _ in rest) + unlisted
    return "not attributed: " + ", ".join(names) + (f" and {left} more" if left else "")


def unsupplied(bus: int) -> Row:
    """Return the row of a bus that no source reaches."""
    return Row(bus=bus, status="unsupplied", reason="no source reaches this bus")


def answer_without_search(base: BaseCase, path: SupplyPath) -> Row | None:
    """Return the row of a bus that needs no load flow with a load; None where a search is needed."""
    if not path.is_supplied:
        return unsupplied(path.bus)
    reason = base.reason_not_assessable(path)
    if reason:
        return Row(bus=path.bus, status="not_assessable", reason=reason)
    on_path = base.is_broken & base.constraints.is_on_path(path) if base.is_broken.any() else base.is_broken
    if not on_path.any():
        return None
    return Row(
        bus=path.bus,
        capacity_kw=0.0,
        limit_kind="existing_violation",
        limit=int(np.where(on_path, base.constraints.excess(base.values), -np.inf).argmax()),
        engine="pandapower",
        notes=note_of(base.constraints, np.flatnonzero(base.is_broken & ~on_path)),
    )


def to_table(base: BaseCase, rows: list[Row]) -> pd.DataFrame:
    """Return the rows as a table, index = bus, with what binds spelled out."""
    limits = base.constraints
    index = pd.Index([row.bus for row in rows], dtype="int64", name="bus")
    element = [None if row.limit is None else int(limits.elements[row.limit]) for row in rows]
    table_name = [None if row.limit is None else str(limits.tables[row.limit]) for row in rows]
    columns = {
        "capacity_kw": pd.Series([row.capacity_kw for row in rows], index=index, dtype=float),
        "status": [row.status for row in rows],
        "limit_kind": pd.Series([row.limit_kind for row in rows], index=index, dtype=object),
        "limit_table": pd.Series(table_name, index=index, dtype=object),
        "limit_element": pd.Series(element, index=index, dtype=object),
        "reason": [row.reason for row in rows],
        "engine": [row.engine for row in rows],
        "notes": [row.notes for row in rows],
        "u_pu": base.net.res_bus.vm_pu.reindex(index).astype(float),
    }
    return pd.DataFrame(columns, index=index)
