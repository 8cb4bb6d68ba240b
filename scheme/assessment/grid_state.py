"""The grid as the projects placed so far leave it: load in flight (在途), bays taken, open capacity, lines built."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from gridmodel.connection import TrialConnection
from gridmodel.grown_net import Customer
from gridmodel.in_flight import Commitment, with_commitments
from gridmodel.joint_connection import JointConnectionStudy
from gridmodel.snapshot import Snapshot
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.confined_search import takes_bays
from scheme.assessment.records import Placement
from scheme.model import Reason
from scheme.points import NetworkPlaces

_TEXTS = {
    "line_loading": "与排在前面的项目同时接入时，线路{element}负载率超过限值（{value:.3f}，限值{limit:.3f}）",
    "transformer_loading": "与排在前面的项目同时接入时，变压器{element}负载率超过限值（{value:.3f}，限值{limit:.3f}）",
    "voltage_low": "与排在前面的项目同时接入时，{element}电压低于下限（{value:.3f}，限值{limit:.3f}）",
    "voltage_high": "与排在前面的项目同时接入时，{element}电压高于上限（{value:.3f}，限值{limit:.3f}）",
    "convergence": "与排在前面的项目同时接入后潮流无解",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A project that is connected, as those that come after it meet it."""

    project_id: str
    node: int
    point_kind: str
    bus: int | None
    line: int | None
    fraction_along: float | None
    route_length_m: float
    line_type_id: str
    circuits: int
    is_single_phase: bool
    capacity_kva: float
    p_kw: float
    q_kvar: float

    @property
    def commitment(self) -> Commitment:
        """Its load in flight (在途)."""
        return Commitment(
            commitment_id=f"project:{self.project_id}",
            bus=self.node,
            capacity_kva=self.capacity_kva,
            power_factor=self.p_kw / self.capacity_kva,
        )


def placed_of(project_id: str, placement: Placement) -> Placed:
    """Return a project as its placement connects it."""
    names = (field.name for field in fields(Placed) if field.name != "project_id")
    return Placed(project_id=project_id, **{name: getattr(placement, name) for name in names})


def taken_bays(placed: Iterable[Placed]) -> dict[int, int]:
    """Return how many bays (间隔) are taken by bus: every circuit from a busbar takes one."""
    taken: dict[int, int] = {}
    for item in placed:
        if takes_bays(item.point_kind) and item.bus is not None:
            taken[item.bus] = taken.get(item.bus, 0) + item.circuits
    return taken


class GridState:
    """Grows with every project placed.

    Args:
        grid: The grid without any of them.
        placed: Those placed before.
    """

    def __init__(self, grid: AssessedGrid, placed: Sequence[Placed] = ()) -> None:
        self.grid = grid
        self.snapshot: Snapshot = grid.snapshot
        self.study: JointConnectionStudy = grid.study
        self.occupied: set[int] = set()
        """Islands with a project placed."""
        self._placed: list[Placed] = []
        self._taken_bays: dict[int, int] = {}
        self._parts = grid.parts
        self._tables: dict[int, pd.DataFrame] = {}
        """Open capacity of the islands that were asked for, as it is now."""
        self._grown = grid.grown.fresh()
        if placed:
            self._take(placed)

    @property
    def places(self) -> NetworkPlaces:
        """Places with the bays that are left."""
        return self.grid.places.with_taken_bays(self._taken_bays)

    def capacity_of(self, buses: Sequence[int]) -> pd.DataFrame:
        """Return the open capacity of some nodes as it is now, as the screen of a search asks for it."""
        return pd.concat([self._table_of(bus).reindex([bus]) for bus in buses])

    def place(self, placed: Placed) -> None:
        """Connect a project for good."""
        self._take([placed])

    def check_together(self, project_id: str, trial: TrialConnection) -> Reason | None:
        """Return what breaks when a project is connected beside all those placed, lines and all."""
        found = self._grown.find_violation(Customer(customer_id=project_id, trial=trial), limits=self.grid.limits)
        if found is None:
            return None
        text = _TEXTS[found.kind].format(element=found.element_id, value=found.value, limit=found.limit)
        return Reason(code=found.kind, text=text)

    def _take(self, placed: Sequence[Placed]) -> None:
        self._placed += placed
        self._taken_bays = taken_bays(self._placed)
        self.snapshot = with_commitments(self.grid.snapshot, [item.commitment for item in self._placed])
        self.study = self.study.with_in_flight(self.snapshot)
        nodes = np.array([item.node for item in placed], dtype=np.int64)
        self._parts = self._parts.after(self.snapshot, nodes)
        self.occupied |= self.grid.islands_of(nodes)
        for number in self._parts.numbers_of(nodes):
            for island in self.grid.islands_of(self._parts.nodes(number)):
                self._tables.pop(island, None)
        for item in placed:
            self._grown.connect(Customer(customer_id=item.project_id, trial=trial_of_placed(item, self.grid)))

    def _table_of(self, bus: int) -> pd.DataFrame:
        """Return a table with the open capacity of a bus; commitments of one feeder may join islands to one part."""
        island = next(iter(self.grid.islands_of([bus])), None)
        if island is None or not self._placed:
            return self.grid.capacity
        if island not in self._tables:
            [number] = self._parts.numbers_of(np.array([island], dtype=np.int64))
            names = self.grid.islands_of(self._parts.nodes(number))
            own = frozenset(item.commitment for item in self._placed if self.grid.islands_of([item.node]) <= names)
            self._tables[island] = (
                self.grid.memory.get(names, own, lambda: self.grid.compute_capacity(self._parts.get(number)))
                if own
                else self.grid.capacity
            )
        return self._tables[island]


def trial_of_placed(placed: Placed, grid: AssessedGrid) -> TrialConnection:
    """Return the connection of a project that is placed."""
    settings: dict[str, Any] = {"is_single_phase": placed.is_single_phase, "parallel": placed.circuits}
    return TrialConnection(
        bus=placed.bus,
        line=placed.line,
        fraction_along=placed.fraction_along,
        route_length_km=placed.route_length_m / 1e3,
        line_type=grid.catalogue.get_line_type(placed.line_type_id),
        p_kw=placed.p_kw,
        q_kvar=placed.q_kvar,
        **settings,
    )
