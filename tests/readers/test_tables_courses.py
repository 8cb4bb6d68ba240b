"""The optional tables of corridors and obstacles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gridmodel.readers.tables import read_tables
from gridmodel.snapshot import Snapshot
from tests.readers.small_network import small_network, write_folder

Rows = list[dict[str, Any]]

ROAD = {"corridor_id": "R1", "name": "团结路", "kind": "road", "vertices": "115.10 33.40; 115.11 33.40; 115.11 33.41"}
RIVER = {"obstacle_id": "H1", "name": None, "kind": "river", "vertices": "115.10 33.41; 115.12 33.41"}


def read(tmp_path: Path, *, corridors: Rows, obstacles: Rows, datum: str = "CGCS2000") -> Snapshot:
    tables = small_network()
    tables["network"][0]["datum"] = datum
    tables["corridors"], tables["obstacles"] = corridors, obstacles
    return read_tables(write_folder(tables, tmp_path / "net"))


def test_corridors_and_obstacles_stand_beside_the_net(tmp_path: Path) -> None:
    snapshot = read(tmp_path, corridors=[ROAD], obstacles=[RIVER])
    assert snapshot.corridors is not None
    assert snapshot.obstacles is not None
    (road,) = snapshot.corridors.to_dict("records")
    assert (road["element_id"], road["name"], road["kind"]) == ("R1", "团结路", "road")
    assert json.loads(road["geo"])["coordinates"] == [[115.10, 33.40], [115.11, 33.40], [115.11, 33.41]]
    (river,) = snapshot.obstacles.to_dict("records")
    assert (river["element_id"], river["name"], river["kind"]) == ("H1", None, "river")
    counts = {count.table: (count.read, count.accepted) for count in snapshot.counts}
    assert (counts["corridors"], counts["obstacles"]) == ((1, 1), (1, 1))


def test_courses_are_stored_in_cgcs2000(tmp_path: Path) -> None:
    # GCJ-02 lies some 500 m off in Henan.
    snapshot = read(tmp_path, corridors=[ROAD], obstacles=[RIVER], datum="GCJ02")
    assert snapshot.corridors is not None
    lon_deg, lat_deg = json.loads(snapshot.corridors.geo[0])["coordinates"][0]
    assert 0.002 < 115.10 - lon_deg < 0.01
    assert abs(33.40 - lat_deg) < 0.01


def test_network_without_the_tables_has_none(tmp_path: Path) -> None:
    snapshot = read_tables(write_folder(small_network(), tmp_path / "net"))
    assert snapshot.corridors is None
    assert snapshot.obstacles is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"vertices": "115.10 33.40"}, "too_few_vertices"),
        ({"vertices": "115.10 33.40; 115.10 33.40"}, "too_few_vertices"),
        ({"vertices": "115.10; 33.40"}, "vertices_unreadable"),
        ({"kind": "path"}, "unknown_word"),
        ({"vertices": None}, "missing_value"),
    ],
)
def test_faulty_corridor_is_left_out_with_a_finding_and_nothing_else_suffers(
    tmp_path: Path, change: dict[str, Any], code: str
) -> None:
    snapshot = read(tmp_path, corridors=[{**ROAD, **change}], obstacles=[RIVER])
    assert snapshot.corridors is None
    assert snapshot.obstacles is not None
    assert len(snapshot.obstacles) == 1
    (finding,) = [finding for finding in snapshot.findings if finding.table == "corridors"]
    assert (finding.code, finding.row) == (code, 1)
    assert set(snapshot.nodes.status) == {"assessable"}
