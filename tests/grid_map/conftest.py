"""The township's map over both kinds of store, and the small utility with names nobody would choose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pytest
from pyproj import Transformer
from starlette.testclient import TestClient

from gridmodel.snapshot import Snapshot
from tests.admission.utility import Utility, open_utility, small_grid
from tests.api.clients import make_clients
from tests.http.conftest import Office
from tests.stores import PostgresServer, postgres_server

__all__ = ["postgres_server"]

EXTENT = 4096
ODD_ID = 'a/b c?d#e%&f="<script>alert(1)</script>;..\\村'
ODD_NAME = "<img src=x onerror=alert(1)>"
_HALF_M = 20_037_508.342789244
"""Half the equator of WGS 84: where Web Mercator's square ends."""
_TO_METRES = Transformer.from_crs(4326, 3857, always_xy=True)


@dataclass(frozen=True)
class Map:
    """One utility's map and an engineer who looks at it."""

    utility: Utility
    engineer: TestClient

    def tile(self, zoom: int, x: int, y: int) -> dict[str, dict[int, dict[str, Any]]]:
        """Return the features of each layer of a tile by their numbers."""
        answer = self.engineer.get(f"/v1/tiles/{zoom}/{x}/{y}.mvt")
        assert answer.status_code in (200, 204), answer.text
        if answer.status_code == 204:
            return {}
        layers = mapbox_vector_tile.decode(answer.content, default_options={"y_coord_down": True})
        return {name: {one["id"]: one for one in layer["features"]} for name, layer in layers.items()}

    def json(self, path: str) -> Any:
        """Return an answer that must be there."""
        answer = self.engineer.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()


def tile_at(zoom: int, lon_deg: float, lat_deg: float) -> tuple[int, int]:
    """Return column and row of the tile a place lies in, by pyproj's Web Mercator."""
    x_m, y_m = _TO_METRES.transform(lon_deg, lat_deg)
    side_m = 2.0 * _HALF_M / 2**zoom
    return int((x_m + _HALF_M) // side_m), int((_HALF_M - y_m) // side_m)


def on_tile(zoom: int, x: int, y: int, lon_deg: float, lat_deg: float) -> tuple[float, float]:
    """Return where a place lies in a tile, in its units, by pyproj's Web Mercator."""
    x_m, y_m = _TO_METRES.transform(lon_deg, lat_deg)
    unit_m = 2.0 * _HALF_M / 2**zoom / EXTENT
    return (x_m + _HALF_M) / unit_m - x * EXTENT, (_HALF_M - y_m) / unit_m - y * EXTENT


def make_map(url: str, grid: Snapshot) -> Map:
    utility = open_utility(url, grid)
    utility.tables.compute(confirm="none")
    return Map(utility, make_clients(utility.services)["engineer"])


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, township: Snapshot) -> Map:
    return make_map(str(tmp_path_factory.mktemp("town") / "store.db"), township)


@pytest.fixture(scope="module")
def town_in_postgis(postgres_server: PostgresServer, township: Snapshot) -> Iterator[Map]:
    with postgres_server.new_database() as name:
        found = make_map(postgres_server.url(name), township)
        yield found
        found.utility.store.close()


@pytest.fixture
def open_office(tmp_path: Path) -> Callable[..., Office]:
    """Return a maker of a utility with a real ledger, whose node 2 has an odd name; certificates are granted."""

    def make(*, is_ready: bool = True, change: Callable[[Snapshot], Snapshot] = lambda grid: grid) -> Office:
        grid = change(small_grid())
        nodes = grid.nodes.copy()
        nodes.loc[2, ["node_id", "name"]] = ODD_ID, ODD_NAME
        found = open_utility(str(tmp_path / "office.db"), replace(grid, nodes=nodes), certify=_grant)
        if is_ready:
            found.tables.compute(confirm="none")
        return Office(found)

    return make


def _grant(*_: Any, **__: Any) -> dict[str, Any]:
    return {"sources": {}}
