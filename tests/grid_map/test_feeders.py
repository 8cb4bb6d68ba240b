"""Feeders, loadings and search against plain pandapower and against what is known of the networks by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pandapower as pp
import pytest

from gridmodel.feeder_tree import walk_feeder
from gridmodel.snapshot import Snapshot
from tests.admission.utility import small_grid
from tests.capacity.two_feeders import two_feeders
from tests.grid_map.conftest import ODD_ID, Map
from tests.http.conftest import Office


@pytest.fixture
def office(open_office: Callable[..., Office]) -> Office:
    return open_office()


def solved() -> Any:
    """The small grid with nothing promised, by plain pandapower."""
    net = copy.deepcopy(small_grid().net)
    pp.runpp(net, calculate_voltage_angles=True, trafo_loading="power", numba=False)
    return net


def found(office: Office, text: str) -> list[dict[str, Any]]:
    answer = office.engineer.get("/v1/search", params={"q": text})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def test_profile_of_a_feeder_starts_at_the_busbar_and_counts_kilometres(office: Office) -> None:
    """Two lines of 2 km each hang on busbar 1; the tie at the end is open."""
    net, profile = solved(), office.engineer.get("/v1/feeders/line:0/profile").json()
    told = [(node["bus"], node["parent_bus"], node["distance_km"]) for node in profile["nodes"]]
    assert told == [(1, None, 0.0), (2, 1, 2.0), (3, 2, 4.0)]
    assert profile["nodes"][1]["node_id"] == ODD_ID
    for node in profile["nodes"]:
        assert node["u_pu"] == pytest.approx(net.res_bus.vm_pu[node["bus"]], abs=5.1e-5)
    assert [(line["line"], line["from_bus"], line["to_bus"]) for line in profile["lines"]] == [(0, 1, 2), (1, 2, 3)]
    for line in profile["lines"]:
        assert line["loading_ratio"] == pytest.approx(net.res_line.loading_percent[line["line"]] / 100, abs=5.1e-5)
    [transformer] = profile["transformers"]
    assert transformer["loading_ratio"] == pytest.approx(net.res_trafo.loading_percent[1] / 100, abs=5.1e-5)
    assert profile["band"] == {"u_pu_min": 0.93, "u_pu_max": 1.07}


def test_line_drawn_against_the_flow_is_told_from_its_upper_end() -> None:
    net = two_feeders()
    net.line.loc[1, ["from_bus", "to_bus"]] = 3, 2
    tree = walk_feeder(net, [2, 3], [0, 1])
    assert [(one.from_bus, one.to_bus) for one in tree.lines] == [(1, 2), (2, 3)]


def test_node_of_a_closed_ring_hangs_on_the_shorter_way() -> None:
    """With the tie closed bus 3 is 4 km from busbar 1, bus 7 is 6 km from it and 4 km from busbar 5."""
    net = two_feeders()
    net.switch.loc[0, "closed"] = True
    tree = walk_feeder(net, [2, 3, 6, 7], [0, 1, 2, 3, 4])
    assert {one.bus: (one.parent_bus, one.distance_km) for one in tree.nodes} == {
        1: (None, 0.0),
        5: (None, 0.0),
        2: (1, 2.0),
        6: (5, 2.0),
        3: (2, 4.0),
        7: (6, 4.0),
    }


def test_feeders_are_told_with_what_is_promised_on_them(office: Office) -> None:
    assert office.act(office.quote(50.0), "issue").status_code == 201
    first, second = office.engineer.get("/v1/feeders").json()["items"]
    assert (first["feeder_id"], first["promised_kva"], second["promised_kva"]) == ("line:0", 50.0, 0.0)
    assert first["length_km"] == pytest.approx(6.0)  # with the tie
    assert first["node_count"] == 2
    assert first["bounds"] == [115.02, 33.4, 115.03, 33.4]


def test_figures_of_a_feeder_are_those_of_its_nodes_and_lines(town: Map, township: Snapshot) -> None:
    """Largest and median by numpy from the capacity table, lowest voltage and fullest line from the profile."""
    rows = town.json("/v1/feeders")["items"]
    assert [row["feeder_id"] for row in rows] == township.feeders.index.tolist()
    table, nodes = town.utility.tables.get(), township.nodes
    for row in rows:
        own = table[(nodes.feeder_id == row["feeder_id"]) & (nodes.u_nominal_kv > 1.0)]["open_kva"].to_numpy()
        assert row["node_count"] == len(own)
        assert row["open_kva_max"] == pytest.approx(np.nanmax(own), abs=0.051)
        assert row["open_kva_median"] == pytest.approx(np.nanmedian(own), abs=0.11)
        profile = town.json(f"/v1/feeders/{row['feeder_id']}/profile")
        assert row["u_pu_min"] == min(node["u_pu"] for node in profile["nodes"])
        assert row["loading_ratio_max"] == max(line["loading_ratio"] for line in profile["lines"])


def test_loadings_are_counted_as_plain_pandapower_has_them(office: Office) -> None:
    net, told = solved(), office.engineer.get("/v1/grid/loading").json()
    for name, ratio in (("lines", net.res_line.loading_percent), ("transformers", net.res_trafo.loading_percent)):
        edges, counts = told[name]["edges"], told[name]["counts"]
        assert len(edges) == len(counts) + 1
        assert counts == np.histogram(ratio / 100, edges)[0].tolist()


@pytest.mark.parametrize(("text", "first"), [("M008", "M008"), ("m008", "M008"), ("松岭", "F21"), ("S2-T1", "S2-T1")])
def test_things_are_found_by_what_they_are_called(town: Map, text: str, first: str) -> None:
    items = town.json(f"/v1/search?q={text}")["items"]
    assert items[0]["id"] == first
    assert len(items) <= 20


def test_nodes_around_a_place_are_found_by_its_coordinates(office: Office) -> None:
    near = found(office, "115.0302, 33.4")
    assert [item["id"] for item in near[:3]] == ["bus:3", "bus:4", ODD_ID]


@pytest.mark.parametrize("text", ["[a-z]*", "%%", "' OR '1'='1", "\\\\", "<script>x", "999, 999", "((((("])
def test_words_that_mean_something_elsewhere_are_only_looked_for(office: Office, text: str) -> None:
    assert all(text.casefold() in item["id"] + str(item["name"]) for item in found(office, text))


@pytest.mark.parametrize("text", ["a", "x" * 65])
def test_words_have_a_length(office: Office, text: str) -> None:
    assert office.engineer.get("/v1/search", params={"q": text}).status_code == 422


def test_feeder_that_is_not_there_is_not_found(office: Office) -> None:
    assert office.engineer.get("/v1/feeders/none/profile").status_code == 404
