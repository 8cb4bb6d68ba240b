"""The answers of many buses while they are being worked on, by columns, and the table the caller gets."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmodel.capacity.arrays import NO_ISLAND, Integers
from gridmodel.capacity.base_case import BaseCase
from gridmodel.capacity.constraints import KINDS, Constraints, Flags, Floats
from gridmodel.capacity.direction import Direction
from gridmodel.topology import LOW_VOLTAGE_KV_MAX, SupplyPath

STEP_LV_KW = 1.0
STEP_MV_KW = 10.0
NOTED_MAX = 3
"""How many broken limits a note names."""
NO_LIMIT = -1

Texts = npt.NDArray[np.object_]
LIMIT_KINDS: Texts = np.array([*KINDS, "existing_violation", "convergence", "ceiling", None], dtype=object)
"""Names of ``Rows.kind``; a limit of the constraints has its own kind's code."""
EXISTING_VIOLATION, CONVERGENCE, CEILING, NO_KIND = range(len(KINDS), len(LIMIT_KINDS))


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


class Rows:
    """Open capacity of many buses: the fields of :class:`Row` as arrays of shape (buses,)."""

    def __init__(self, buses: Integers) -> None:
        """Start with rows that say nothing yet."""
        count = len(buses)
        self.bus = buses
        self.is_done = np.zeros(count, dtype=bool)
        self.status: Texts = np.full(count, "assessed", dtype=object)
        self.capacity_kw = np.full(count, np.nan)
        self.kind = np.full(count, NO_KIND, dtype=np.int8)
        """Places in ``LIMIT_KINDS``."""
        self.limit = np.full(count, NO_LIMIT, dtype=np.int64)
        self.reason, self.engine, self.notes = (np.full(count, "", dtype=object) for _ in range(3))
        self.breaks_kw = np.full(count, np.inf)

    def __len__(self) -> int:
        return len(self.bus)

    def __iter__(self) -> Iterator[Row]:
        return map(self.row, range(len(self)))

    def pending(self) -> Integers:
        """Return the places of buses without an answer."""
        return np.flatnonzero(~self.is_done).astype(np.int64)

    def put(self, at: Any, **columns: Any) -> None:
        """Answer the buses at some places; a field that is not given keeps what it says."""
        for name, values in columns.items():
            getattr(self, name)[at] = values
        self.is_done[at] = True

    def put_row(self, at: int, row: Row) -> None:
        """Answer one bus."""
        kind = NO_KIND if row.limit_kind is None else LIMIT_KINDS.tolist().index(row.limit_kind)
        self.put(
            at,
            status=row.status,
            capacity_kw=row.capacity_kw,
            kind=kind,
            limit=NO_LIMIT if row.limit is None else row.limit,
            reason=row.reason,
            engine=row.engine,
            notes=row.notes,
            breaks_kw=row.breaks_kw,
        )

    def row(self, at: int) -> Row:
        """Return one answer."""
        return Row(
            bus=int(self.bus[at]),
            status=self.status[at],
            capacity_kw=float(self.capacity_kw[at]),
            limit_kind=LIMIT_KINDS[self.kind[at]],
            limit=None if self.limit[at] == NO_LIMIT else int(self.limit[at]),
            reason=self.reason[at],
            engine=self.engine[at],
            notes=self.notes[at],
            breaks_kw=float(self.breaks_kw[at]),
        )

    def to_table(self, limits: Constraints, u_pu: Floats) -> pd.DataFrame:
        """Return the table of :func:`gridmodel.open_capacity`; ``u_pu`` are the voltages without load."""
        named = np.flatnonzero(self.limit != NO_LIMIT)
        limit_table, limit_element = (np.full(len(self), None, dtype=object) for _ in range(2))
        limit_table[named] = limits.tables[self.limit[named]]
        limit_element[named] = limits.elements[self.limit[named]]
        columns = {
            "capacity_kw": self.capacity_kw,
            "status": self.status,
            "limit_kind": LIMIT_KINDS[self.kind],
            "limit_table": limit_table,
            "limit_element": limit_element,
            "reason": self.reason,
            "engine": self.engine,
            "notes": self.notes,
            "u_pu": u_pu,
        }
        index = pd.Index(self.bus, dtype="int64", name="bus")
        # a series of its own per column: a frame made of arrays would look for a type in each of them
        series = {
            name: pd.Series(column, index=index, dtype=column.dtype, copy=False) for name, column in columns.items()
        }
        return pd.DataFrame(series, copy=False)


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


def answer_without_search(base: BaseCase, path: SupplyPath, direction: Direction) -> Row | None:
    """Return the row of a bus that needs no load flow with anything connected; None where a search is needed."""
    if not path.is_supplied:
        return Row(bus=path.bus, **UNSUPPLIED)
    reason = base.reason_not_assessable(path)
    if reason:
        return Row(bus=path.bus, status="not_assessable", reason=reason)
    is_broken = base.is_broken(direction)
    on_path = is_broken & base.constraints.is_on_path(path) if is_broken.any() else is_broken
    if not on_path.any():
        return None
    return Row(
        bus=path.bus,
        capacity_kw=0.0,
        limit_kind="existing_violation",
        limit=int(np.where(on_path, base.constraints.excess(base.values), -np.inf).argmax()),
        engine=base.engine,
        notes=note_of(base.constraints, np.flatnonzero(is_broken & ~on_path & _is_near(base, path.bus))),
    )


def _is_near(base: BaseCase, bus: int) -> Flags:
    """Return which limits are of the island of a supplied bus; what is beyond an ideal source is not its concern."""
    arrays = base.live_flow.arrays
    island = arrays.island_of_node[arrays.node_of_bus[bus]]
    return np.asarray((base.island_of_limit == island) & (island != NO_ISLAND))


UNSUPPLIED: dict[str, Any] = {"status": "unsupplied", "reason": "no source reaches this bus"}
"""Fields of the row of a bus that no source reaches."""
