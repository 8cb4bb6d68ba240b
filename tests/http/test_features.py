"""The capacity layer as GDAL sees it: its OAPIF driver is what QGIS and ogrinfo open the service with."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import pytest
from fastapi import FastAPI

from api.capacity_files import CONTRACT_COLUMNS
from api.services import Services
from gridmodel.net import build_net
from gridmodel.snapshot import Snapshot
from scheme.store import Store
from tests.access.clients import client_of, with_access
from tests.api.clients import make_app
from tests.api.conftest import AS_OF, fake_parts
from tests.http.serving import served

NODES = 500
UNKNOWN = 20
"""Nodes at the head of the table whose values are not known, so that types cannot be guessed from them."""


def numbered(snapshot: Snapshot, **_: Any) -> pd.DataFrame:
    """A row for every node; the value of a node is its number in the table."""
    nodes = snapshot.nodes
    number = np.arange(len(nodes), dtype=float)
    is_assessed = number >= UNKNOWN
    return pd.DataFrame(
        {
            **{name: nodes[name] for name in ("node_id", "source_id", "u_nominal_kv", "lon_deg", "lat_deg")},
            "status": np.where(is_assessed, "assessed", "not_assessable"),
            "administrative_kva": np.where(is_assessed, 2.0 * number, np.nan),
            "physical_kva": np.where(is_assessed, number, np.nan),
            "open_kva": np.where(is_assessed, number, np.nan),
            "limit_kind": np.where(is_assessed, "voltage_low", None),
            "limit_element_id": np.where(is_assessed, "bus:0", None),
            "limit_hour": np.nan,
        },
        index=nodes.index,
    )


@pytest.fixture(scope="module")
def grid(snapshot: Snapshot) -> Snapshot:
    """Nodes on a grid of places 0.001 degrees apart; one of them has no place."""
    number = np.arange(NODES)
    lon_deg, lat_deg = 115.0 + number % 25 * 0.001, 33.0 + number // 25 * 0.001
    lon_deg[UNKNOWN + 1] = lat_deg[UNKNOWN + 1] = np.nan
    nodes = pd.DataFrame(
        {
            "node_id": [f"节点 {i}/1" for i in number],  # ids come from the imported data and are any text
            "source_id": number.astype(str),
            "element_id": [f"bus:{i}" for i in number],
            "u_nominal_kv": 10.0,
            "lon_deg": lon_deg,
            "lat_deg": lat_deg,
            "feeder_id": None,
            "status": "assessable",
        }
    )
    bus = pd.DataFrame({"name": number.astype(str), "vn_kv": 10.0, "in_service": True}, index=number)
    return replace(snapshot, net=build_net({"bus": bus}), nodes=nodes)


def make_layer(file: str) -> tuple[FastAPI, str]:
    """Return an application over the store in ``file`` with its table computed, and a key of an engineer."""
    services = Services(
        Store(file), profile="shenqiu-2022", clock=lambda: AS_OF, parts=fake_parts(node_capacity=numbered)
    )
    app = make_app(services)
    key = with_access(app).keys["engineer"]
    client_of(app, key).get("/v1/capacity")
    app.state.capacity_tables.wait()
    return app, key


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory, grid: Snapshot) -> Iterator[tuple[str, str]]:
    """Address of a running service over the grid, and a key of an engineer."""
    file = str(tmp_path_factory.mktemp("features") / "store.db")
    Store(file).store_snapshot(grid)
    with served(make_layer, file) as service:
        yield service


@pytest.fixture
def as_engineer(layer: tuple[str, str]) -> Iterator[str]:
    """Name of the layer for GDAL, which shows the key with every request."""
    address, key = layer
    pyogrio.set_gdal_config_options({"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": key})
    try:
        yield f"OAPIF:{address}/v1/ogc"
    finally:
        pyogrio.set_gdal_config_options({"GDAL_HTTP_AUTH": None, "GDAL_HTTP_BEARER": None})


def test_gdal_lists_the_layer(as_engineer: str, grid: Snapshot) -> None:
    assert pyogrio.list_layers(as_engineer).tolist() == [["capacity", "Point"]]
    info = pyogrio.read_info(as_engineer, layer="capacity", force_feature_count=True)
    assert info["features"] == len(grid.nodes)
    assert set(CONTRACT_COLUMNS) <= set(info["fields"])


def test_gdal_reads_every_node_with_the_contract_columns(as_engineer: str, grid: Snapshot) -> None:
    frame = geopandas.read_file(as_engineer, layer="capacity", engine="pyogrio", PAGE_SIZE=100)
    expected = numbered(grid).set_index("node_id")
    frame = frame.set_index("node_id").loc[expected.index]
    assert len(frame) == len(expected) > 200, "several pages"
    for name in ("open_kva", "physical_kva", "administrative_kva", "u_nominal_kv"):
        assert frame[name].dtype.kind == "f", name
        np.testing.assert_allclose(frame[name], expected[name])
    assert (frame["status"] == expected["status"]).all()
    placed = expected["lon_deg"].notna()
    np.testing.assert_allclose(frame.geometry[placed].x, expected["lon_deg"][placed])
    np.testing.assert_allclose(frame.geometry[placed].y, expected["lat_deg"][placed])
    assert frame.crs is not None
    assert frame.crs.to_epsg(min_confidence=50) in (4326, None)


def test_gdal_asks_for_a_box_and_is_given_what_lies_in_it(as_engineer: str, grid: Snapshot) -> None:
    nodes = grid.nodes.dropna(subset=["lon_deg", "lat_deg"])
    west, south = nodes.lon_deg.quantile(0.3), nodes.lat_deg.quantile(0.3)
    east, north = nodes.lon_deg.quantile(0.7), nodes.lat_deg.quantile(0.7)
    inside = nodes[nodes.lon_deg.between(west, east) & nodes.lat_deg.between(south, north)]
    frame = geopandas.read_file(as_engineer, layer="capacity", engine="pyogrio", bbox=(west, south, east, north))
    assert 0 < len(inside) < len(nodes)
    assert set(frame["node_id"]) == set(inside["node_id"])


def test_gdal_without_a_key_is_refused(layer: tuple[str, str]) -> None:
    with pytest.raises(pyogrio.errors.DataSourceError):
        pyogrio.list_layers(f"OAPIF:{layer[0]}/v1/ogc")


def test_ogrinfo_opens_the_layer(layer: tuple[str, str], grid: Snapshot) -> None:
    address, key = layer
    done = subprocess.run(
        [find_ogrinfo(), "-ro", "-so", f"OAPIF:{address}/v1/ogc", "capacity"],
        env={**os.environ, "GDAL_HTTP_HEADERS": f"Authorization: Bearer {key}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"Feature Count: {len(grid.nodes)}" in done.stdout
    assert "Geometry: Point" in done.stdout
    assert "open_kva: " in done.stdout


def find_ogrinfo() -> str:
    """Return ogrinfo of Debian's gdal-bin, installed where this process may; else the test is skipped."""
    found = shutil.which("ogrinfo")
    if found is None and os.geteuid() == 0 and shutil.which("apt-get") is not None:
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "gdal-bin"]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], env=environment, capture_output=True, timeout=300, check=False)
        subprocess.run(command, env=environment, capture_output=True, timeout=500, check=False)
        found = shutil.which("ogrinfo")
    if found is None:
        pytest.skip("ogrinfo is not here and cannot be installed; the same driver is tested through pyogrio")
    return found
