"""Tiles against the capacity table, plain pandapower, pyproj, and each other on both stores."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandapower as pp
import pytest

from gridmodel.snapshot import Snapshot
from tests.grid_map.conftest import EXTENT, Map, on_tile, tile_at
from tests.http.conftest import Office

TILE = "application/vnd.mapbox-vector-tile"
POWER_FACTOR = 0.95
HALF_STEP_KVA = 0.05 + 1e-9
HALF_STEP_RATIO = 0.00005 + 1e-9


def tile_of(town: Map, zoom: int, node_id: str) -> tuple[int, int]:
    node = town.json(f"/v1/nodes/{node_id}")
    return tile_at(zoom, node["lon_deg"], node["lat_deg"])


def test_tile_shows_every_medium_voltage_node_in_it_where_it_is(town: Map, township: Snapshot) -> None:
    """Which nodes, and where, by pyproj's Web Mercator."""
    zoom = 12
    x, y = tile_of(town, zoom, "M008")
    shown = town.tile(zoom, x, y)["nodes"]
    inside = {}
    for bus, node in township.nodes[township.nodes.u_nominal_kv > 1.0].iterrows():
        column, row = on_tile(zoom, x, y, node["lon_deg"], node["lat_deg"])
        if 0 <= column <= EXTENT and 0 <= row <= EXTENT:
            inside[bus] = (column, row)
    assert len(inside) > 20
    assert set(inside) <= set(shown)
    assert all(feature["properties"]["u_kv"] > 1.0 for feature in shown.values())
    for bus, place in inside.items():
        assert np.abs(np.subtract(shown[bus]["geometry"]["coordinates"], place)).max() <= 0.51


def test_low_voltage_is_shown_from_level_14(town: Map, township: Snapshot) -> None:
    x, y = tile_of(town, 16, "L1248")
    nodes = town.tile(16, x, y)["nodes"].values()
    assert "L1248" in {feature["properties"]["node_id"] for feature in nodes}
    x, y = tile_of(town, 14, "L1248")
    assert min(feature["properties"]["u_kv"] for feature in town.tile(14, x, y)["nodes"].values()) < 1.0
    x, y = tile_of(town, 13, "L1248")
    assert min(feature["properties"]["u_kv"] for feature in town.tile(13, x, y)["nodes"].values()) > 1.0


def test_figures_of_a_tile_are_those_of_the_capacity_table(town: Map) -> None:
    x, y = tile_of(town, 14, "L1248")
    shown = town.tile(14, x, y)["nodes"]
    table = town.utility.tables.get()
    assert len(shown) > 50
    for bus, feature in shown.items():
        told, row = feature["properties"], table.loc[bus]
        assert told["node_id"] == row["node_id"]
        assert told["status"] == row["status"]
        assert told.get("limit_kind") == row["limit_kind"]
        for name in ("open_kva", "administrative_kva", "physical_kva"):
            if np.isnan(row[name]):
                assert name not in told
            else:
                assert abs(told[name] - row[name]) <= HALF_STEP_KVA


def test_voltages_and_loadings_are_those_of_plain_pandapower(town: Map, township: Snapshot) -> None:
    """With half of what is in flight connected, as the rules have it."""
    share = town.utility.services.load_policy().number("capacity.in_flight_coincidence_ratio")
    net = copy.deepcopy(township.net)
    for row in township.in_flight.itertuples():
        cos_phi = POWER_FACTOR if math.isnan(row.power_factor) else row.power_factor
        s_mva = share * row.capacity_kva / 1e3
        pp.create_load(net, row.bus, p_mw=s_mva * cos_phi, q_mvar=s_mva * math.sqrt(1.0 - cos_phi**2))
    pp.runpp(net, calculate_voltage_angles=True, trafo_loading="power", numba=False)
    x, y = tile_of(town, 12, "M008")
    tile = town.tile(12, x, y)
    for bus, feature in tile["nodes"].items():
        assert abs(feature["properties"]["u_pu"] - net.res_bus.vm_pu[bus]) <= HALF_STEP_RATIO
    for line, feature in tile["lines"].items():
        assert abs(feature["properties"]["loading_ratio"] - net.res_line.loading_percent[line] / 100) <= (
            HALF_STEP_RATIO
        )
    assert len(tile["lines"]) > 20


def test_squares_from_afar_count_every_medium_voltage_node_once(town: Map, township: Snapshot) -> None:
    grid = town.json("/v1/grid")
    west, south, east, north = grid["bounds"]
    (x_min, y_max), (x_max, y_min) = tile_at(9, west, south), tile_at(9, east, north)
    cells = [
        cell["properties"]
        for x in range(x_min, x_max + 1)
        for y in range(y_min, y_max + 1)
        for cell in town.tile(9, x, y).get("cells", {}).values()
    ]
    table = town.utility.tables.get()
    medium = table[township.nodes.u_nominal_kv > 1.0]
    assert sum(cell["count"] for cell in cells) == len(medium)
    assert sum(cell["known_count"] for cell in cells) == medium["open_kva"].notna().sum()
    assert abs(max(cell["open_kva_max"] for cell in cells) - medium["open_kva"].max()) <= HALF_STEP_KVA


@pytest.mark.parametrize("zoom", [8, 10, 12, 14])
def test_both_stores_show_the_same(town: Map, town_in_postgis: Map, zoom: int) -> None:
    """PostGIS draws one side, shapely and mapbox-vector-tile the other; a pixel is eight units of a tile."""
    tolerance = 1.5 if zoom >= 11 else 8.0
    tables = town_in_postgis.utility.tables
    tables.refresh_soon()
    tables.wait()
    with town_in_postgis.utility.store.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM layer_state WHERE ledger_seq = 0").scalar() == 1
    x, y = tile_of(town, zoom, "L1248")
    ours, theirs = town.tile(zoom, x, y), town_in_postgis.tile(zoom, x, y)
    assert set(ours) == set(theirs)
    for layer, features in ours.items():
        assert set(features) == set(theirs[layer])
        for number, feature in features.items():
            other = theirs[layer][number]
            assert set(feature["properties"]) == set(other["properties"]), number
            for name, value in feature["properties"].items():
                same = pytest.approx(value, abs=0.1001) if "_kva" in name else value
                assert other["properties"][name] == same
            assert distance(feature["geometry"], other["geometry"]) <= tolerance


def distance(one: dict[str, Any], other: dict[str, Any]) -> float:
    from shapely import hausdorff_distance
    from shapely.geometry import shape

    return float(hausdorff_distance(shape(one), shape(other)))


def test_postgis_draws_its_own_tiles(town_in_postgis: Map, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = town_in_postgis.utility.tables
    tables.refresh_soon()
    tables.wait()
    monkeypatch.setattr("scheme.grid_map.tile.encode_tile", lambda *_: pytest.fail("drawn in memory"))
    x, y = tile_of(town_in_postgis, 13, "M008")
    assert town_in_postgis.tile(13, x, y)["nodes"]


def test_tile_a_client_has_is_not_sent_again_until_a_hold_changes_it(open_office: Callable[..., Office]) -> None:
    office = open_office()
    found = Map(office.utility, office.engineer)
    path = "/v1/tiles/14/{}/{}.mvt".format(*tile_at(14, 115.04, 33.4))
    first = office.engineer.get(path)
    assert (first.status_code, first.headers["content-type"]) == (200, TILE)
    assert first.headers["cache-control"] == "private, no-cache"
    known = {"If-None-Match": first.headers["etag"]}
    again = office.engineer.get(path, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    before = found.json("/v1/nodes/bus:4")["open_kva"]
    assert office.act(office.quote(50.0), "issue").status_code == 201
    after = office.engineer.get(path, headers=known)
    assert after.status_code == 200
    assert after.headers["etag"] != first.headers["etag"]
    told = found.tile(14, *tile_at(14, 115.04, 33.4))["nodes"][4]["properties"]
    assert told["open_kva"] == pytest.approx(found.json("/v1/nodes/bus:4")["open_kva"], abs=HALF_STEP_KVA)
    assert told["open_kva"] < before


def test_tile_that_does_not_exist_is_not_found_and_an_empty_one_is_empty(town: Map) -> None:
    assert town.engineer.get("/v1/tiles/3/8/0.mvt").status_code == 404
    assert town.engineer.get("/v1/tiles/19/0/0.mvt").status_code == 422
    empty = town.engineer.get("/v1/tiles/5/0/0.mvt")
    assert (empty.status_code, empty.content) == (204, b"")
    assert "etag" in empty.headers


def test_map_waits_for_the_capacity_table(open_office: Callable[..., Office]) -> None:
    office = open_office(is_ready=False)
    answer = office.engineer.get("/v1/tiles/10/838/412.mvt")
    assert answer.status_code == 503
    assert answer.json()["code"] == "capacity.not_ready"
    assert "retry-after" in answer.headers
