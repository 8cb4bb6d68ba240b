"""The engineers' map of the current grid: kept for the newest entry of the ledger, its tiles too.

Everything shown at one time belongs to one :class:`Moment`: grid, ledger and rules, whose digest is the answers' ETag.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from api.capacity_tables import CapacityTables, capacity_key
from api.live_grid import LiveState
from api.services import Services, product_version

if TYPE_CHECKING:
    import pandas as pd

    from gridmodel.profiles import LoadProfiles
    from gridmodel.snapshot import Snapshot
    from scheme.grid_map.grid import MapGrid
    from scheme.grid_map.state import GridState
    from scheme.policy.parameter import PolicyView

TILES_KEPT = 512
_Tile = tuple[int, int, int]


@dataclass(frozen=True, eq=False, kw_only=True)
class Moment:
    """What an answer is made from."""

    live: LiveState
    policy: PolicyView
    curves: LoadProfiles | None = None
    """Load curves the service was started with; hours are told by them."""

    @cached_property
    def digest(self) -> str:
        """Names grid, ledger, rules, curves and version; equal digests stand for equal answers."""
        policy, curves = self.policy, self.curves
        parts = (self.live.imported.sha256, self.live.head.sha256, policy.sha256, str(policy.as_of), product_version())
        found = hashlib.sha256("|".join(parts).encode())
        if curves is not None:
            found.update(repr((curves.hours, curves.names, curves.generation_names)).encode())
            for values in (curves.p, curves.q, curves.generation):
                found.update(values.tobytes())
        return found.hexdigest()


@dataclass(eq=False, kw_only=True)
class _View:
    moment: Moment
    state: GridState
    parameters_sha256: str
    """Of the capacity table of the imported grid, as the store's layers name it."""
    tiles: OrderedDict[_Tile, bytes]


class GridViews:
    """Finds and keeps what the map shows.

    Args:
        services: Store and grid.
        tables: The capacity tables, which the figures come from.
    """

    def __init__(self, services: Services, tables: CapacityTables) -> None:
        self._services, self._tables = services, tables
        self._lock = threading.Lock()
        self._grid: tuple[Snapshot, MapGrid] | None = None
        self._view: _View | None = None

    def now(self) -> Moment:
        """Return the present moment; cheap.

        Raises:
            NoSnapshotError: Nothing has been imported.
        """
        services = self._services
        return Moment(live=services.get_live(), policy=services.load_policy(), curves=services.curves)

    def get(self, moment: Moment) -> GridState:
        """Return what the map shows at a moment.

        Raises:
            CapacityNotReadyError: The table of the grid is being computed.
            DomainError: It could not be computed.
        """
        return self._get(moment).state

    def grid_of(self, moment: Moment) -> MapGrid:
        """Return the imported grid of a moment, worked out where it is another one than before."""
        with self._lock:
            return self._grid_of(moment)

    def tile(self, moment: Moment, zoom: int, x: int, y: int) -> bytes:
        """Return a tile (Mapbox Vector Tile 2); empty where nothing of the grid is there.

        Raises:
            CapacityNotReadyError: The table of the grid is being computed.
        """
        view, place = self._get(moment), (zoom, x, y)
        found = view.tiles.get(place)
        if found is None:
            found = self._cut(view, *place)
            with self._lock:
                view.tiles[place] = found
                if len(view.tiles) > TILES_KEPT:
                    view.tiles.popitem(last=False)
        return found

    def _get(self, moment: Moment) -> _View:
        view = self._view
        if view is not None and view.moment.digest == moment.digest:
            return view
        table = self._tables.find(moment.live)
        if table is None:
            table = self._tables.get()
        with self._lock:
            if self._view is None or self._view.moment.digest != moment.digest:
                self._view = self._make(moment, table)
            return self._view

    def _make(self, moment: Moment, table: pd.DataFrame) -> _View:
        from gridmodel.capacity.grid_measures import measure_grid
        from gridmodel.in_flight import with_commitments
        from scheme.grid_map.state import make_state
        from scheme.limits import load_flow_settings

        live, policy = moment.live, moment.policy
        grid = self._grid_of(moment)
        snapshot = with_commitments(grid.snapshot, live.commitments)
        measures = measure_grid(snapshot, **load_flow_settings(policy))
        key = capacity_key(live.imported, policy, self._services.parts.capacity_settings(policy))
        return _View(
            moment=moment,
            state=make_state(grid, table, measures, ledger_seq=live.head.seq),
            parameters_sha256=key.parameters_sha256,
            tiles=OrderedDict(),
        )

    def _grid_of(self, moment: Moment) -> MapGrid:
        from gridmodel.snapshot import build_lookups, in_force_on
        from scheme.grid_map.grid import MapGrid

        imported = moment.live.imported
        if self._grid is None or self._grid[0] is not imported:
            own = in_force_on(self._services.store.get_snapshot(imported.sha256), moment.live.day)
            build_lookups(own)
            self._grid = imported, MapGrid.of(own)
        return self._grid[1]

    def _cut(self, view: _View, zoom: int, x: int, y: int) -> bytes:
        """Return a tile by the store where its layers show the state, else from memory: both show the same."""
        from scheme.grid_map.selection import select
        from scheme.grid_map.tile import encode_tile

        chosen = select(view.state, zoom, x, y)
        store = self._services.store
        if store.dialect == "postgresql":
            from scheme.store.layers.tiles import encode_tile_by_layers, shows

            sha256, head = view.moment.live.imported.sha256, view.moment.live.head
            with store.read() as connection:
                if shows(connection, sha256, parameters_sha256=view.parameters_sha256, ledger_seq=head.seq):
                    return encode_tile_by_layers(connection, view.state, chosen)
            self._tables.refresh_soon()
        return encode_tile(view.state, chosen)
