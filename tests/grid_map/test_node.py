"""The sheet of one node: figures, limit, path and holds; names and ids nobody would choose."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest

from gridmodel.snapshot import Snapshot
from tests.grid_map.conftest import ODD_ID, ODD_NAME, Map, tile_at
from tests.http.conftest import Office


def test_sheet_of_a_node_says_what_the_capacity_table_says(town: Map) -> None:
    row = town.utility.tables.get().set_index("node_id").loc["M008"]
    sheet = town.json("/v1/nodes/M008")
    for name in ("administrative_kva", "physical_kva", "open_kva"):
        assert sheet[name] == pytest.approx(row[name])
    assert (sheet["limit"]["kind"], sheet["limit"]["element_id"]) == (row["limit_kind"], row["limit_element_id"])
    assert sheet["limit"]["table"] == "trafo"
    assert sheet["limit"]["geometry"]["type"] == "Point"


def test_path_of_a_node_goes_from_it_to_the_busbar_of_its_main_transformer(town: Map, township: Snapshot) -> None:
    sheet = town.json("/v1/nodes/M008")
    lines = sheet["path_geometry"]["coordinates"]
    ends = {tuple(place) for line in (lines[0], lines[-1]) for place in (line[0], line[-1])}
    busbar = township.nodes.set_index("node_id").loc["S2-B1"]
    assert (sheet["lon_deg"], sheet["lat_deg"]) in ends
    assert (busbar["lon_deg"], busbar["lat_deg"]) in ends
    kinds = [account["account_id"].partition(":")[0] for account in sheet["path"]]
    assert kinds[-3:] == ["feeder", "main_transformer", "substation"]


def test_hold_stands_in_the_ledger_of_the_nodes_below_the_same_accounts(open_office: Callable[..., Office]) -> None:
    """The hold is at the board of the transformer of 400 kVA; the second feeder shares nothing but the substation."""
    office = open_office()
    assert office.act(office.quote(50.0), "issue").status_code == 201
    at, beside, elsewhere = (office.engineer.get(f"/v1/nodes/bus:{bus}").json() for bus in (4, 3, 6))
    assert [(hold["capacity_kva"], hold["account_id"]) for hold in at["holds"]] == [(50.0, "transformer:trafo:1")]
    assert at["path"][0]["held_kva"] == 50.0
    assert [hold["account_id"] for hold in beside["holds"]] == ["feeder:line:0"]
    assert beside["path"][-1]["held_kva"] == 50.0
    assert [hold["account_id"] for hold in elsewhere["holds"]] == ["substation:bus:0"]
    assert [account["held_kva"] for account in elsewhere["path"]] == [0.0, 0.0, 50.0]
    assert at["ledger_seq"] > 0


def test_odd_ids_are_found_and_odd_names_stay_text(open_office: Callable[..., Office]) -> None:
    office = open_office()
    sheet = office.engineer.get(f"/v1/nodes/{quote(ODD_ID, safe='')}")
    assert sheet.status_code == 200, sheet.text
    assert (sheet.json()["node_id"], sheet.json()["name"]) == (ODD_ID, ODD_NAME)
    assert sheet.headers["content-type"] == "application/json"
    tile = Map(office.utility, office.engineer).tile(14, *tile_at(14, 115.02, 33.4))
    assert tile["nodes"][2]["properties"]["name"] == ODD_NAME


@pytest.mark.parametrize("node_id", ["none", "n999", "%00", "' OR 1=1 --", "a" * 200])
def test_unknown_nodes_are_not_found(town: Map, node_id: str) -> None:
    answer = town.engineer.get(f"/v1/nodes/{quote(node_id, safe='')}")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_grid_tells_the_limits_and_classes_of_the_rules(town: Map, township: Snapshot) -> None:
    grid = town.json("/v1/grid")
    policy = town.utility.services.load_policy()
    assert grid["loading_limits"]["line"] == policy.number("loading.line_ratio_max")
    edges = [one["open_kva_min"] for one in grid["classes"]]
    assert edges == [0, *policy.numbers("disclosure.map_band_edges_kva")]
    assert grid["node_count"] == len(township.nodes)
    assert grid["bounds"][0] == township.nodes.lon_deg.min()
    assert (grid["has_hours"], grid["hours"]) == (False, [])
