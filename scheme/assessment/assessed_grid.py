"""The grid an assessment looks at, with what every project's search shares: base cases, places, table, parts.

Islands below one main transformer do not influence each other; they are named after their smallest bus, as the
pieces of the capacity table are (:mod:`gridmodel.parts`).
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridmodel.capacity.nodes import node_capacity
from gridmodel.catalogue.loader import Catalogue
from gridmodel.grown_net import GrownNet
from gridmodel.island_memory import IslandMemory
from gridmodel.parts import REST, Parts
from gridmodel.quick_connection import QuickStudy
from gridmodel.snapshot import Snapshot
from scheme.limits import capacity_settings, operating_limits
from scheme.points import NetworkPlaces
from scheme.policy.parameter import PolicyView
from scheme.power_quality.settings import fault_settings


class AssessedGrid:
    """One grid under one policy; nothing in it changes while projects are placed.

    Args:
        snapshot: The grid with upgrades of the scenario done.
        policy: Rules.
        catalogue: Equipment.
        capacity: ``node_capacity`` table of ``snapshot``; ``None``: computed here.
    """

    def __init__(
        self, snapshot: Snapshot, policy: PolicyView, catalogue: Catalogue, *, capacity: pd.DataFrame | None
    ) -> None:
        self.snapshot, self.policy, self.catalogue = snapshot, policy, catalogue
        self.limits = operating_limits(policy)
        self.ratio = policy.number("capacity.in_flight_coincidence_ratio")
        self.parts = Parts(snapshot)
        self.memory = IslandMemory()
        """Tables of open capacity by island, with what is in flight there."""
        self._given = capacity

    @cached_property
    def capacity(self) -> pd.DataFrame:
        """Open capacity of every node."""
        return self.compute_capacity(self.snapshot) if self._given is None else self._given

    @cached_property
    def study(self) -> QuickStudy:
        """Base cases of the grid as it is."""
        return QuickStudy(self.snapshot, in_flight_coincidence_ratio=self.ratio, **fault_settings(self.policy))

    @cached_property
    def places(self) -> NetworkPlaces:
        """Spatial indices."""
        return NetworkPlaces(self.snapshot)

    @cached_property
    def grown(self) -> GrownNet:
        """Islands for customers with their lines."""
        return GrownNet(self.snapshot, in_flight_coincidence_ratio=self.ratio, quick_limits=self.limits)

    @cached_property
    def _island_of(self) -> pd.Series:
        names = pd.Series(REST, index=self.snapshot.nodes.index, dtype="int64")
        for number in self.parts.numbers:
            own = self.parts.nodes(number)
            if number != REST:
                names.loc[own.tolist()] = int(own.min())
        return names

    def islands_of(self, buses: Collection[int] | NDArray[np.int64]) -> frozenset[int]:
        """Return the islands some nodes belong to; nodes without supply and the sources belong to none."""
        is_few = len(buses) <= 2  # as nearly always
        names = [self._island_of[bus] for bus in buses] if is_few else self._island_of.loc[list(buses)].unique()
        return frozenset(map(int, names)) - {REST}

    def compute_capacity(self, snapshot: Snapshot) -> pd.DataFrame:
        """Return the table of a grid or of one part; values are not sampled, because every point is verified."""
        return node_capacity(snapshot, **capacity_settings(self.policy), confirm="none")
