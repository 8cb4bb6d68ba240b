"""The grid as layers in PostGIS: what a person sees who opens the database in QGIS."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import text

from gridmodel.changes import CommitmentAdded, apply_changes
from gridmodel.snapshot import Snapshot
from scheme.capacity_blobs import to_blob
from scheme.ledger import Account, Ledger
from scheme.store import Store
from tests.ledger.cases import ENGINEER, KVA, certificate, wanted
from tests.store.conftest import make_key, manifest_of

OpenStore = Callable[[str], Store]


@pytest.fixture
def township_store(postgres_url: str, open_store: OpenStore, township: Snapshot) -> tuple[Store, Snapshot]:
    store = open_store(postgres_url)
    return store, store.store_snapshot(township)


def rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def table_of(snapshot: Snapshot, **open_kva: float) -> tuple[Any, dict[str, bytes]]:
    """A capacity table in two parts, halves of the grid, with these values at single nodes."""
    nodes = snapshot.nodes
    values = pd.Series(100.0, index=nodes.index)
    for node_id, value in open_kva.items():
        values[nodes["node_id"] == node_id.replace("_", "-")] = value
    frame = pd.DataFrame({"status": "assessed", "open_kva": values, "limit_kind": None}, index=nodes.index)
    middle = len(frame) // 2
    return manifest_of(to_blob(frame.iloc[:middle]), to_blob(frame.iloc[middle:]))


def test_every_node_and_line_of_the_snapshot_stands_in_its_layer(township_store: tuple[Store, Snapshot]) -> None:
    store, snapshot = township_store
    assert rows(store, "select count(*), count(place) from grid_node") == [
        (len(snapshot.nodes), int(snapshot.nodes["lon_deg"].notna().sum()))
    ]
    assert rows(store, "select count(*), count(route) from grid_line") == [(len(snapshot.lines),) * 2]
    [found] = rows(
        store, "select bus, feeder_id, name, ST_X(place), ST_Y(place) from grid_node where node_id = 'S1-B1'"
    )
    node = snapshot.nodes[snapshot.nodes["node_id"] == "S1-B1"].iloc[0]
    assert found == (node.name, None, node["name"], node["lon_deg"], node["lat_deg"])


def test_route_of_a_line_is_the_one_it_was_imported_with(township_store: tuple[Store, Snapshot]) -> None:
    store, snapshot = township_store
    [(text_of_route, length_km)] = rows(store, "select ST_AsGeoJSON(route, 15), length_km from v_lines where line = 0")
    expected = json.loads(snapshot.net.line.geo[0])
    assert json.loads(text_of_route)["coordinates"] == expected["coordinates"]
    assert length_km == snapshot.net.line.length_km[0]


def test_views_are_listed_with_their_geometry_and_reference_system(township_store: tuple[Store, Snapshot]) -> None:
    store, _ = township_store
    columns = "f_table_name, f_geometry_column, type, srid"
    listed = rows(store, f"select {columns} from geometry_columns where f_table_name like 'v\\_%' order by 1")
    assert listed == [
        ("v_feeders", "route", "MULTILINESTRING", 4490),
        ("v_lines", "route", "LINESTRING", 4490),
        ("v_open_capacity", "place", "POINT", 4490),
    ]


def test_places_are_found_by_an_index(township_store: tuple[Store, Snapshot]) -> None:
    store, _ = township_store
    found = rows(store, "select tablename from pg_indexes where indexdef like '%USING gist%' order by 1")
    assert found == [("grid_line",), ("grid_node",)]


def test_capacity_layer_shows_the_newest_table_of_the_current_snapshot(township_store: tuple[Store, Snapshot]) -> None:
    store, snapshot = township_store
    query = "select open_kva, feeder_name, ST_SRID(place) from v_open_capacity where node_id = 'S1-B1'"
    assert rows(store, query) == []
    store.store_capacity(snapshot.sha256, make_key("1"), *table_of(snapshot, S1_B1=800.0))
    assert rows(store, query) == [(800.0, None, 4490)]
    store.store_capacity(snapshot.sha256, make_key("2"), *table_of(snapshot, S1_B1=500.0))
    assert rows(store, query) == [(500.0, None, 4490)]
    assert rows(store, "select count(*) from v_open_capacity") == [(len(snapshot.nodes),)]


def test_only_rows_of_new_parts_are_written(township_store: tuple[Store, Snapshot]) -> None:
    """``xmin`` is the transaction that wrote a row (PostgreSQL manual, 5.5)."""
    store, snapshot = township_store
    store.store_capacity(snapshot.sha256, make_key("1"), *table_of(snapshot))
    written = "select part_sha256, min(xmin::text), count(*) from node_capacity group by 1 order by 1"
    before = {part: (by, count) for part, by, count in rows(store, written)}
    store.store_capacity(snapshot.sha256, make_key("2"), *table_of(snapshot, S1_B1=500.0))
    after = {part: (by, count) for part, by, count in rows(store, written)}
    kept = before.keys() & after.keys()
    assert len(before) == len(after) == 2
    assert [after[part] for part in kept] == [before[part] for part in kept]
    assert len(kept) == 1


def test_parts_the_store_has_already_are_shown_without_being_given_again(
    township_store: tuple[Store, Snapshot],
) -> None:
    store, snapshot = township_store
    manifest, contents = table_of(snapshot)
    store.store_capacity(snapshot.sha256, make_key("1"), manifest, contents)
    store.store_capacity(snapshot.sha256, make_key("2"), *table_of(snapshot, S1_B1=500.0))
    store.store_capacity(snapshot.sha256, make_key("3"), manifest, {})
    assert rows(store, "select open_kva from v_open_capacity where node_id = 'S1-B1'") == [(100.0,)]


def test_changed_snapshot_keeps_the_places_and_is_named_as_shown(township_store: tuple[Store, Snapshot]) -> None:
    store, parent = township_store
    written = "select min(xmin::text), max(xmin::text) from grid_node"
    before = rows(store, written)
    element_id = str(parent.nodes["element_id"].iloc[0])
    changes = (CommitmentAdded(commitment_id="ZT-1", element_id=element_id, capacity_kva=10.0),)
    changed, _ = apply_changes(parent, changes)
    capacity = (make_key(), *table_of(changed))
    store.store_changed(parent.sha256, changed, changes, capacity=capacity)
    assert rows(store, written) == before
    assert rows(
        store, "select layer, snapshot_sha256, is_current from v_layer_state where layer <> 'live' order by 1"
    ) == [
        ("capacity", changed.sha256, True),
        ("grid", changed.sha256, True),
    ]


def test_next_snapshot_replaces_the_layers(township_store: tuple[Store, Snapshot], snapshot: Snapshot) -> None:
    store, before = township_store
    store.store_capacity(before.sha256, make_key(), *table_of(before))
    small = store.store_snapshot(snapshot)
    assert rows(store, "select node_id, ST_AsText(place) from grid_node order by bus") == [
        ("n0", "POINT(115.1 33.4)"),
        ("n1", None),
    ]
    assert rows(store, "select count(*) from grid_line") == [(0,)]
    assert rows(store, "select layer, is_current from v_layer_state where layer <> 'live' order by 1") == [
        ("capacity", False),
        ("grid", True),
    ]
    assert rows(store, "select count(*) from v_open_capacity") == [(0,)]
    store.store_capacity(before.sha256, make_key("late"), *table_of(before))
    assert rows(store, "select count(*) from v_open_capacity") == [(0,)]
    assert rows(store, "select snapshot_sha256 from v_layer_state where layer = 'grid'") == [(small.sha256,)]
    assert rows(store, "select is_current from v_layer_state where layer = 'capacity'") == [(False,)]


def test_feeder_is_one_shape_of_its_medium_voltage_lines(township_store: tuple[Store, Snapshot]) -> None:
    store, snapshot = township_store
    lines = snapshot.lines
    own = lines[(lines["feeder_id"] == "F11") & lines["area_id"].isna()].index
    [found] = rows(
        store, "select name, ST_NumGeometries(route), length_km, rating_a from v_feeders where feeder_id = 'F11'"
    )
    feeder = snapshot.feeders.loc["F11"]
    assert found == (
        feeder["name"],
        len(own),
        pytest.approx(float(snapshot.net.line.length_km[own].sum())),
        feeder["rating_a"],
    )


def test_places_off_the_globe_are_not_shown(postgres_url: str, open_store: OpenStore, snapshot: Snapshot) -> None:
    """A file in metres of a projection is assessed like any other, but has no place on this map."""
    store = open_store(postgres_url)
    store.store_snapshot(replace(snapshot, nodes=snapshot.nodes.assign(lon_deg=[500_000.0, 1.0], lat_deg=[3e6, 2.0])))
    assert rows(store, "select ST_AsText(place) from grid_node order by bus") == [(None,), ("POINT(1 2)",)]


def test_map_says_what_is_promised_on_a_feeder_at_once(township_store: tuple[Store, Snapshot]) -> None:
    """100 kVA held below F11: the tables of capacity are of the imported grid, the promise stands beside them."""
    store, snapshot = township_store
    store.store_capacity(snapshot.sha256, make_key(), *table_of(snapshot))
    ledger = Ledger(store)
    account = Account(account_id="feeder:F11", element_id="F11", limit_va=500 * KVA)
    with store.write() as connection:
        ledger.open_accounts(connection, [account])
    hold = wanted("N1", 100, path=("feeder:F11",))
    ledger.reserve(hold, certificate=certificate(ledger, hold, ("feeder:F11",)), actor=ENGINEER, claim=None)
    query = "select feeder_id, feeder_promised_kva from v_feeders where feeder_id in ('F11', 'F12') order by 1"
    assert rows(store, query) == [("F11", 100), ("F12", None)]
    assert rows(store, "select distinct feeder_promised_kva from v_open_capacity where feeder_id = 'F11'") == [(100,)]


def test_layers_that_fell_behind_are_brought_up_by_hand(township_store: tuple[Store, Snapshot]) -> None:
    store, snapshot = township_store
    store.store_capacity(snapshot.sha256, make_key(), *table_of(snapshot, S1_B1=700.0))
    with store.write() as connection:
        for table in ("grid_node", "node_capacity", "layer_state"):
            connection.execute(text(f"delete from {table}"))
    store.show_layers()
    assert rows(store, "select open_kva from v_open_capacity where node_id = 'S1-B1'") == [(700.0,)]
    assert rows(store, "select layer, is_current from v_layer_state where layer <> 'live' order by 1") == [
        ("capacity", True),
        ("grid", True),
    ]
