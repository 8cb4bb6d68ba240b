"""Open capacity by hour (分时可开放容量): worked out in the background when first asked for, and kept for a while."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from api.capacity_tables import CapacityNotReadyError
from api.grid_views import GridViews, Moment
from api.services import Services
from gridmodel.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gridmodel.capacity.hour_table import HourTable
    from gridmodel.profiles import LoadProfiles

TABLES_KEPT = 128
_Key = tuple[str, int | None, int | None]
"""Digest of the moment; a bus with all hours, or an hour with all nodes."""


class NoHoursError(DomainError):
    """The service was given no load curves."""

    code = "hours.none"

    def __init__(self) -> None:
        super().__init__("there are no figures by hour: the service was started without load curves (--curves)")


class HourViews:
    """Finds, works out and keeps capacities by hour, one calculation at a time.

    Args:
        services: Load curves and settings.
        views: The grid they are worked out on.
    """

    def __init__(self, services: Services, views: GridViews) -> None:
        self._services, self._views = services, views
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._kept: OrderedDict[_Key, HourTable | Exception] = OrderedDict()
        self._running: dict[_Key, threading.Thread] = {}

    def of_node(self, moment: Moment, bus: int) -> HourTable:
        """Return all hours of one node.

        Raises:
            NoHoursError: There are no curves.
            CapacityNotReadyError: It is being worked out.
            DomainError: It could not be worked out.
        """
        return self._get((moment.digest, bus, None), moment)

    def of_hour(self, moment: Moment, row: int) -> HourTable:
        """Return one hour, by its row in the curves, of all nodes; raises what :meth:`of_node` does."""
        return self._get((moment.digest, None, row), moment)

    def wait(self) -> None:
        """Return when nothing is being worked out any more."""
        for thread in list(self._running.values()):
            thread.join()

    def _get(self, key: _Key, moment: Moment) -> HourTable:
        curves = self._services.curves
        if curves is None:
            raise NoHoursError
        with self._lock:
            found = self._kept.get(key)
            if found is None and key not in self._running:
                thread = threading.Thread(target=self._work, args=(key, moment, curves), daemon=True)
                self._running[key] = thread
                thread.start()
        if isinstance(found, Exception):
            raise found
        if found is None:
            raise CapacityNotReadyError
        return found

    def _work(self, key: _Key, moment: Moment, curves: LoadProfiles) -> None:
        result: HourTable | Exception
        try:
            with self._turn:
                result = self._compute(key, moment, curves)
        except Exception as error:  # noqa: BLE001 - end of a thread; the next caller is given the error
            result = error
        with self._lock:
            self._kept[key] = result
            self._running.pop(key)
            if len(self._kept) > TABLES_KEPT:
                self._kept.popitem(last=False)

    def _compute(self, key: _Key, moment: Moment, curves: LoadProfiles) -> HourTable:
        import numpy as np

        from gridmodel.capacity.hour_table import capacity_by_hour
        from gridmodel.in_flight import with_commitments

        _, bus, row = key
        grid = self._views.grid_of(moment)
        buses = grid.layout.nodes.bus if bus is None else np.array([bus], dtype=np.int64)
        hours: Sequence[str] | None = None if row is None else [curves.hours[row]]
        snapshot = with_commitments(grid.snapshot, moment.live.commitments)
        settings = self._services.parts.capacity_settings(moment.policy)
        return capacity_by_hour(snapshot, curves, **settings, buses=buses, hours=hours)
