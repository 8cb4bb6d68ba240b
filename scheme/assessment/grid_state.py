"""The grid as the projects placed so far leave it: load in flight (在途), bays taken, open capacity, lines built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gridmodel.connection import TrialConnection
from gridmodel.grown_net import Customer, GrownNet
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


class GridState:
    """Grows with every project placed.

    Args:
        grid: The grid without any of them.
    """

    def __init__(self, grid: AssessedGrid) -> None:
        self.grid = grid
        self.snapshot: Snapshot = grid.snapshot
        self.study: JointConnectionStudy = grid.study
        self.occupied: set[int] = set()
        """Islands with a project placed."""
        self._commitments: list[Commitment] = []
        self._taken_bays: dict[int, int] = {}
        self._parts = grid.parts
        self._tables: dict[int, pd.DataFrame] = {}
        self._stale: set[int] = set()
        self._grown = GrownNet(grid.snapshot, in_flight_coincidence_ratio=grid.ratio, quick_limits=grid.limits)

    @property
    def places(self) -> NetworkPlaces:
        """Places with the bays that are left."""
        return self.grid.places.with_taken_bays(self._taken_bays)

    def capacity_of(self, buses: Sequence[int]) -> pd.DataFrame:
        """Return the open capacity of some nodes as it is now, as the screen of a search asks for it."""
        rows = []
        for bus in buses:
            table = self.grid.capacity
            for island in self.grid.islands_of([bus]):
                if island in self._stale:
                    self._refresh(island)
                table = self._tables.get(island, table)
            rows.append(table.reindex([bus]))
        return pd.concat(rows)

    def place(self, project_id: str, placement: Placement, trial: TrialConnection) -> None:
        """Connect a project for good."""
        self._commitments.append(commitment_of(project_id, placement))
        self.snapshot = with_commitments(self.grid.snapshot, self._commitments)
        self.study = self.study.with_in_flight(self.snapshot)
        self._parts = self._parts.after(self.snapshot, np.array([placement.node], dtype=np.int64))
        bays = bays_of(placement)
        if bays is not None:
            self._taken_bays[bays[0]] = self._taken_bays.get(bays[0], 0) + bays[1]
        islands = self.grid.islands_of([placement.node])
        self.occupied |= islands
        self._stale |= islands
        self._grown.connect(Customer(customer_id=project_id, trial=trial))

    def check_together(self, project_id: str, trial: TrialConnection) -> Reason | None:
        """Return what breaks when a project is connected beside all those placed, lines and all."""
        found = self._grown.find_violation(Customer(customer_id=project_id, trial=trial), limits=self.grid.limits)
        if found is None:
            return None
        text = _TEXTS[found.kind].format(element=found.element_id, value=found.value, limit=found.limit)
        return Reason(code=found.kind, text=text)

    def _refresh(self, island: int) -> None:
        """Compute the part of an island again; commitments of one feeder may have joined others to it."""
        for number in self._parts.numbers_of(np.array([island], dtype=np.int64)):
            table = self.grid.compute_capacity(self._parts.get(number))
            for name in self.grid.islands_of(table.index):
                self._tables[name] = table.loc[[bus for bus in table.index if self.grid.islands_of([bus]) == {name}]]
                self._stale.discard(name)


def commitment_of(project_id: str, placement: Placement) -> Commitment:
    """Return the load in flight (在途) of a project that is placed."""
    return Commitment(
        commitment_id=f"project:{project_id}",
        bus=placement.node,
        capacity_kva=placement.capacity_kva,
        power_factor=placement.p_kw / placement.capacity_kva,
    )


def bays_of(placement: Placement) -> tuple[int, int] | None:
    """Return the node a placement takes bays (间隔) of and how many; ``None``: it takes none."""
    if not takes_bays(placement.point_kind) or placement.bus is None:
        return None
    return placement.bus, placement.circuits


def trial_of_placement(placement: Placement, grid: AssessedGrid) -> TrialConnection:
    """Return the connection of a placement."""
    settings: dict[str, Any] = {"is_single_phase": placement.is_single_phase, "parallel": placement.circuits}
    return TrialConnection(
        bus=placement.bus,
        line=placement.line,
        fraction_along=placement.fraction_along,
        route_length_km=placement.route_length_m / 1e3,
        line_type=grid.catalogue.get_line_type(placement.line_type_id),
        p_kw=placement.p_kw,
        q_kvar=placement.q_kvar,
        **settings,
    )
