"""What answers on one grid share, kept from one to the next; commitments in flight (在途) may move between them.

Only the grid asked for last is kept. Whoever asks from several threads takes turns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from gridmodel.joint_connection import JointConnectionStudy
from gridmodel.snapshot import Snapshot, is_same_grid
from scheme.points import NetworkPlaces

_Kept = TypeVar("_Kept")


class KeptByGrid(Generic[_Kept]):
    """Builds what depends on the grid alone, once for each grid.

    Args:
        build: Makes it from a snapshot, without looking at its commitments.
    """

    def __init__(self, build: Callable[[Snapshot], _Kept]) -> None:
        self._build = build
        self._last: tuple[Snapshot, _Kept] | None = None

    def __call__(self, snapshot: Snapshot) -> _Kept:
        """Return what belongs to the grid of ``snapshot``."""
        if self._last is None or not is_same_grid(self._last[0], snapshot):
            self._last = snapshot, self._build(snapshot)
        return self._last[1]


class KeptStudy:
    """The solved base cases of the grid asked for last; only islands whose commitments moved are solved again.

    Args:
        kind: Class of the studies.
    """

    def __init__(self, kind: type[JointConnectionStudy] = JointConnectionStudy) -> None:
        self._kind = kind
        self._last: tuple[float, float | None, JointConnectionStudy] | None = None

    def __call__(
        self,
        snapshot: Snapshot,
        in_flight_coincidence_ratio: float,
        *,
        fault_conductor_temperature_c: float | None = None,
    ) -> JointConnectionStudy:
        """Return a study of ``snapshot``."""
        settings = (in_flight_coincidence_ratio, fault_conductor_temperature_c)
        if self._last is not None and self._last[:2] == settings:
            study = self._last[2]
            if study.snapshot is snapshot:
                return study
            if is_same_grid(study.snapshot, snapshot):
                study = study.with_in_flight(snapshot)
                self._last = (*settings, study)
                return study
        study = self._kind(
            snapshot,
            in_flight_coincidence_ratio=in_flight_coincidence_ratio,
            fault_conductor_temperature_c=fault_conductor_temperature_c,
        )
        self._last = (*settings, study)
        return study


kept_study = KeptStudy()
kept_places = KeptByGrid(NetworkPlaces)
