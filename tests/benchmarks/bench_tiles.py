"""One tile of the county's map against point queries about its nodes, over SQLite and over PostGIS.

Questions: what does a tile the service has drawn before cost a client (warm), and what does one nobody asked for yet
(first)? Peer: ``GET /v1/nodes/{node_id}``, one node's sheet, through the same application in this process. The tile is
the fullest of level 12; ``kB`` is what goes over the wire.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import date
from itertools import cycle
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from api.app import create_app
from api.capacity_tables import CapacityTables
from api.services import Services
from scheme.store import Store
from tests.access.clients import client_of, with_access
from tests.api.clients import TEST_HOSTS
from tests.benchmarks.turns import summary, take_turns
from tests.county.build import load_county
from tests.grid_map.conftest import tile_at
from tests.stores import PostgresServer

AS_OF = date(2026, 11, 22)
LEVEL = 12
POINTS = 3
"""What "a few" stands for."""


def run(*, repetitions: int = 7) -> Iterator[dict[str, Any]]:
    """Yield times of a tile in units of a point query, on each kind of store."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _rows("embedded", f"{folder}/{Path('county').with_suffix('.db')}", repetitions)
    server = PostgresServer()
    try:
        server.start()
        server.make_template()
        with server.new_database() as name:
            yield from _rows("PostGIS", server.url(name), repetitions)
    finally:
        server.remove()


def _rows(kind: str, url: str, repetitions: int) -> Iterator[dict[str, Any]]:
    county = load_county()
    store = Store(url)
    store.store_snapshot(county)
    services = Services(store, profile="shenqiu-2022", clock=lambda: AS_OF)
    CapacityTables(services).compute(confirm="none")
    app = create_app(services, allowed_hosts=TEST_HOSTS)
    client = client_of(app, with_access(app, store).keys["engineer"])
    app.state.capacity_tables.start()
    app.state.capacity_tables.refresh_soon()
    app.state.capacity_tables.wait()
    nodes = county.nodes[county.nodes.u_nominal_kv > 1.0]
    tiles = [tile_at(LEVEL, lon, lat) for lon, lat in zip(nodes.lon_deg, nodes.lat_deg, strict=True)]
    x, y = max(set(tiles), key=tiles.count)
    ids, others = cycle(nodes.node_id.tolist()[::7]), iter(sorted(set(tiles) - {(x, y)}))
    size_kb = len(_get(client, f"/v1/tiles/{LEVEL}/{x}/{y}.mvt")) / 1e3
    _get(client, f"/v1/nodes/{next(ids)}")

    def point() -> None:
        _get(client, f"/v1/nodes/{next(ids)}")

    warm = take_turns(lambda: _get(client, f"/v1/tiles/{LEVEL}/{x}/{y}.mvt"), point, repetitions)
    case = f"warm tile ({size_kb:.0f} kB) / one point query, {kind}"
    yield {"id": "B14", "case": case, "must": f"<= {POINTS}", **summary(warm)}
    first = take_turns(lambda: _get(client, "/v1/tiles/{}/{}/{}.mvt".format(LEVEL, *next(others))), point, repetitions)
    yield {
        "id": "B14",
        "case": f"tile drawn for the first time / one point query, {kind}",
        "must": "",
        **summary(first),
    }
    store.close()


def _get(client: TestClient, path: str) -> bytes:
    """Return an answer as it goes over the wire."""
    with client.stream("GET", path) as answer:
        assert answer.status_code == 200, path
        return b"".join(answer.iter_raw())
