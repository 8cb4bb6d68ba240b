"""The results on a map, read again by another program (pyogrio)."""

from __future__ import annotations

import json
from pathlib import Path

import pyogrio

from scheme.assessment_files.geojson import write_geojson
from scheme.assessment_files.result_rows import COLUMNS
from tests.assessment_files.examples import HOSTILE, grid, results, source


def test_projects_rows_and_connections_are_features(tmp_path: Path) -> None:
    made = source(tmp_path)[1]
    file = tmp_path / "a.geojson"
    file.write_bytes(write_geojson(made, grid()))
    table = pyogrio.read_dataframe(file)
    assert table.feature.tolist() == ["project"] * 3 + ["fault"] * 2 + ["connection"] * 2
    assert table.queue_code[:3].tolist() == ["yes", "partly", "no"]
    assert table.name[1] == HOSTILE
    assert {column.key for column in COLUMNS} <= set(table.columns)
    place = made.projects[0]
    assert (round(table.geometry[0].x, 6), round(table.geometry[0].y, 6)) == (
        round(place.lon_deg, 6),
        round(place.lat_deg, 6),
    )
    ends = list(table.geometry[5].coords)
    board = grid().nodes.loc[3]
    assert [round(value, 6) for value in ends[1]] == [round(board.lon_deg, 6), round(board.lat_deg, 6)]
    assert table.geometry[3] is None
    assert "datum" in table.fault[3]


def test_the_same_input_gives_the_same_bytes_and_says_what_is_not_additive() -> None:
    content = write_geojson(results(), grid())
    assert write_geojson(results(), grid()) == content
    assert "不可相加" in json.loads(content)["note"]
