"""Planted faults: each one is found, in the right row, and takes exactly the nodes that depend on it.

The net is ``pandapower_files.tiny``: busbar 1 feeds feeder A (buses 2, 3, 4, then transformer 3 to 5 and 6 at low
voltage) and feeder B (bus 9). Expected sets of buses follow from that drawing by hand.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import pandapower
import pandapower.networks
import pandas as pd
import pytest

from gridmodel.errors import InputError
from gridmodel.findings import Finding
from gridmodel.gate import check_net, check_places, check_topology
from gridmodel.net import build_net, element_tables
from gridmodel.readers.pandapower_json import read_pandapower
from gridmodel.snapshot import Snapshot
from tests.readers import pandapower_files as files

TINY = files.as_object(files.write(files.tiny()))
FEEDER_A, FEEDER_B = {2, 3, 4, 5, 6}, {9}
EVERYTHING = {0, 1} | FEEDER_A | FEEDER_B


class File:
    """A file to plant faults in."""

    def __init__(self) -> None:
        self.root = copy.deepcopy(TINY)

    def table(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = self.root["_object"][name]["_object"]
        return content

    def set(self, table_name: str, index: int, **cells: object) -> None:
        table = self.table(table_name)
        row = table["data"][table["index"].index(index)]
        for column, value in cells.items():
            row[table["columns"].index(column)] = value

    def repeat(self, table_name: str, index: int, *, as_index: int, **cells: object) -> None:
        table = self.table(table_name)
        table["data"].append(list(table["data"][table["index"].index(index)]))
        table["index"].append(as_index)
        if cells:
            table["index"], keep = [*table["index"][:-1], -99], table["index"][-1]
            self.set(table_name, -99, **cells)
            table["index"][-1] = keep

    def read(self) -> Snapshot:
        return read_pandapower(files.as_bytes(self.root), file="planted.json")


def dark(snapshot: Snapshot) -> set[int]:
    return set(snapshot.nodes.index[snapshot.nodes.status == "not_assessable"])


def find(snapshot: Snapshot, code: str) -> list[Finding]:
    return [finding for finding in snapshot.findings if finding.code == code]


def cell(name: str, index: int, column: str, value: object) -> Callable[[File], None]:
    return lambda file: file.set(name, index, **{column: value})


FAULTS: dict[str, tuple[Callable[[File], None], str, str, int, str, set[int]]] = {
    # fault: (plant, code, table, row, column, buses no longer assessable)
    "length empty": (cell("line", 1, "length_km", None), "missing_value", "line", 1, "length_km", FEEDER_A),
    "length infinite": (cell("line", 1, "length_km", math.inf), "not_finite", "line", 1, "length_km", FEEDER_A),
    "length as text": (cell("line", 1, "length_km", "1.5"), "not_a_number", "line", 1, "length_km", FEEDER_A),
    "length negative": (cell("line", 1, "length_km", -1.5), "negative_value", "line", 1, "length_km", FEEDER_A),
    "length zero": (cell("line", 7, "length_km", 0.0), "zero_value", "line", 7, "length_km", FEEDER_B),
    "length in m": (cell("line", 7, "length_km", 1500.0), "length_unit_suspect", "line", 7, "length_km", FEEDER_B),
    "low-voltage length in m": (
        cell("line", 3, "length_km", 200.0), "length_unit_suspect", "line", 3, "length_km",
        FEEDER_A,
    ),
    "no impedance": (
        lambda file: file.set("line", 1, r_ohm_per_km=0.0, x_ohm_per_km=0.0),
        "zero_impedance", "line", 1, "r_ohm_per_km", FEEDER_A,
    ),
    "parallel 0": (cell("line", 1, "parallel", 0), "zero_value", "line", 1, "parallel", FEEDER_A),
    "line state unknown": (cell("line", 1, "in_service", None), "missing_value", "line", 1, "in_service", FEEDER_A),
    "line ends at no bus": (cell("line", 2, "to_bus", 99), "dangling_reference", "line", 2, "to_bus", FEEDER_A),
    "line ends in an index gap": (cell("line", 2, "to_bus", 7), "dangling_reference", "line", 2, "to_bus", FEEDER_A),
    "line end empty": (cell("line", 2, "to_bus", None), "missing_value", "line", 2, "to_bus", FEEDER_A),
    "line end -1": (cell("line", 2, "to_bus", -1), "dangling_reference", "line", 2, "to_bus", FEEDER_A),
    "line end 4.5": (cell("line", 2, "to_bus", 4.5), "not_an_index", "line", 2, "to_bus", FEEDER_A),
    "line is a loop": (cell("line", 2, "to_bus", 3), "self_loop", "line", 2, "to_bus", FEEDER_A),
    "line joins two levels": (cell("line", 2, "to_bus", 6), "joins_two_voltage_levels", "line", 2, "to_bus", FEEDER_A),
    "ampacity missing": (cell("line", 1, "max_i_ka", None), "missing_rating", "line", 1, "max_i_ka", {3, 4, 5, 6}),
    "ampacity 0": (cell("line", 1, "max_i_ka", 0.0), "missing_rating", "line", 1, "max_i_ka", {3, 4, 5, 6}),
    "ampacity in A": (cell("line", 1, "max_i_ka", 421.0), "rating_unit_suspect", "line", 1, "max_i_ka", {3, 4, 5, 6}),
    "derating 0": (cell("line", 7, "df", 0.0), "missing_rating", "line", 7, "df", FEEDER_B),
    "transformer in kVA": (cell("trafo", 3, "sn_mva", 400.0), "sn_unit_suspect", "trafo", 3, "sn_mva", FEEDER_A),
    "transformer without rating": (cell("trafo", 3, "sn_mva", None), "missing_value", "trafo", 3, "sn_mva", FEEDER_A),
    "main transformer without rating": (
        cell("trafo", 0, "sn_mva", None), "missing_value", "trafo", 0, "sn_mva", EVERYTHING - {0},
    ),
    "impedance per unit": (cell("trafo", 3, "vk_percent", 0.04), "vk_unit_suspect", "trafo", 3, "vk_percent", FEEDER_A),
    "windings swapped": (
        lambda file: file.set("trafo", 3, hv_bus=5, lv_bus=4), "winding_sides_swapped", "trafo", 3, "hv_bus", FEEDER_A,
    ),
    "winding of another voltage": (
        cell("trafo", 3, "vn_hv_kv", 35.0), "winding_voltage_mismatch", "trafo", 3, "vn_hv_kv", FEEDER_A,
    ),
    "resistance above impedance": (
        cell("trafo", 3, "vkr_percent", 5.0), "resistance_above_impedance", "trafo", 3, "vkr_percent", FEEDER_A,
    ),
    "load in kW": (cell("load", 1, "p_mw", 400.0), "p_unit_suspect", "load", 1, "p_mw", FEEDER_A),
    "low-voltage load in kW": (cell("load", 2, "p_mw", 100.0), "p_unit_suspect", "load", 2, "p_mw", FEEDER_A),
    "load empty": (cell("load", 3, "p_mw", None), "missing_value", "load", 3, "p_mw", FEEDER_B),
    "load NaN": (cell("load", 3, "q_mvar", math.nan), "missing_value", "load", 3, "q_mvar", FEEDER_B),
    "load negative": (cell("load", 3, "p_mw", -0.3), "negative_load", "load", 3, "p_mw", FEEDER_B),
    "voltage-dependent shares above 100 %": (
        lambda file: file.set("load", 3, const_z_p_percent=60.0, const_i_p_percent=60.0),
        "shares_above_100_percent", "load", 3, "const_z_p_percent", FEEDER_B,
    ),
    "load on the busbar bad": (
        lambda file: file.set("load", 3, bus=1, p_mw=None), "missing_value", "load", 3, "p_mw", EVERYTHING - {0},
    ),
    "load in an index gap": (cell("load", 3, "bus", 7), "dangling_reference", "load", 3, "bus", EVERYTHING),
    "load on bus -1": (cell("load", 3, "bus", -1), "dangling_reference", "load", 3, "bus", EVERYTHING),
    "switch state unknown": (cell("switch", 1, "closed", None), "missing_value", "switch", 1, "closed", FEEDER_B),
    "switch of no line": (cell("switch", 1, "element", 55), "dangling_reference", "switch", 1, "element", set()),
    "switch of no kind": (cell("switch", 1, "et", "q"), "unknown_switch_kind", "switch", 1, "et", EVERYTHING - {0}),
    "bus without voltage": (cell("bus", 9, "vn_kv", None), "missing_value", "bus", 9, "vn_kv", FEEDER_B),
    "bus voltage in V": (cell("bus", 9, "vn_kv", 10_000.0), "vn_unit_suspect", "bus", 9, "vn_kv", FEEDER_B),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_planted_fault_is_found_in_its_row_and_takes_what_depends_on_it(name: str) -> None:
    plant, code, table, row, column, buses = FAULTS[name]
    file = File()
    plant(file)
    snapshot = file.read()
    found = find(snapshot, code)
    assert [(f.file, f.table, f.row, f.column) for f in found] == [("planted.json", table, row, column)]
    assert found[0].expected
    assert found[0].consequence
    assert dark(snapshot) == buses & set(snapshot.nodes.index)
    assert snapshot.nodes.reason[list(dark(snapshot))].notna().all()
    for count in snapshot.counts:
        left_out = {f.row for f in snapshot.findings if f.table == count.table and f.disposition == "quarantined"}
        assert count.quarantined == len(left_out)
        assert len(snapshot.net[count.table]) == count.accepted


def test_clean_net_has_no_finding_but_the_unused_entries() -> None:
    snapshot = File().read()
    assert {finding.code for finding in snapshot.findings} == {"entries_not_used"}
    assert dark(snapshot) == set()


def test_fault_of_an_element_out_of_service_takes_nothing() -> None:
    file = File()
    file.set("load", 3, p_mw=None, in_service=False)
    snapshot = file.read()
    assert len(find(snapshot, "missing_value")) == 1
    assert dark(snapshot) == set()


def test_identical_rows_of_one_index_are_merged() -> None:
    file = File()
    file.repeat("load", 3, as_index=3)
    snapshot = file.read()
    [finding] = find(snapshot, "duplicate_index_identical")
    assert (finding.disposition, finding.row) == ("merged", 3)
    [count] = [count for count in snapshot.counts if count.table == "load"]
    assert (count.read, count.accepted, count.merged) == (5, 4, 1)
    assert dark(snapshot) == set()


def test_different_rows_of_one_index_are_all_left_out() -> None:
    file = File()
    file.repeat("load", 3, as_index=3, p_mw=0.9)
    snapshot = file.read()
    assert len(find(snapshot, "duplicate_index")) == 2
    assert dark(snapshot) == FEEDER_B


def test_duplicated_bus_takes_its_lines_with_it() -> None:
    file = File()
    file.repeat("bus", 9, as_index=9, vn_kv=35.0)
    snapshot = file.read()
    assert {finding.row for finding in find(snapshot, "refers_to_quarantined")} >= {7, 3}
    assert 9 not in snapshot.nodes.index


def test_duplicated_parallel_line_is_a_warning() -> None:
    file = File()
    file.repeat("line", 1, as_index=11, name="L1 again")
    snapshot = file.read()
    [finding] = find(snapshot, "duplicate_parallel_line")
    assert (finding.severity, finding.row, finding.disposition) == ("warning", 11, "accepted")
    assert dark(snapshot) == set()


def test_island_is_reported_and_left_to_the_load_flow() -> None:
    file = File()
    file.set("line", 2, in_service=False)
    snapshot = file.read()
    [finding] = find(snapshot, "island_without_source")
    assert finding.row == 4
    assert "3 buses: bus:4, bus:5, bus:6" in (finding.value or "")
    assert dark(snapshot) == set()


def test_closed_tie_between_two_feeders_is_a_ring() -> None:
    file = File()
    file.repeat("line", 7, as_index=8, from_bus=4, to_bus=9)
    snapshot = file.read()
    [finding] = find(snapshot, "closed_ring")
    assert finding.severity == "warning"
    assert finding.value == "5 lines: line:0, line:1, line:2, line:7, line:8"
    assert dark(snapshot) == set()


def test_open_tie_is_no_ring() -> None:
    file = File()
    file.repeat("line", 7, as_index=8, from_bus=4, to_bus=9)
    file.repeat("switch", 1, as_index=2, bus=9, element=8, closed=False)
    assert find(file.read(), "closed_ring") == []


def test_two_sources_with_different_angles_take_their_island() -> None:
    file = File()
    file.repeat("ext_grid", 0, as_index=1, va_degree=30.0)
    snapshot = file.read()
    [finding] = find(snapshot, "source_angles_differ")
    assert (finding.table, finding.row, finding.severity) == ("ext_grid", 1, "error")
    assert dark(snapshot) == EVERYTHING


def test_no_source_refuses_the_file() -> None:
    file = File()
    file.set("ext_grid", 0, in_service=False)
    with pytest.raises(InputError, match="no source"):
        file.read()


def test_whole_column_in_a_wrong_unit_refuses_the_file() -> None:
    file = File()
    for index in (0, 1, 2, 3):
        file.set("load", index, p_mw=500.0 + index)
    with pytest.raises(InputError, match=r"load\.p_mw.*unit"):
        file.read()


def test_load_scaled_to_zero_is_a_warning() -> None:
    file = File()
    file.set("load", 3, scaling=0.0)
    [finding] = find(file.read(), "load_scaled_to_zero")
    assert (finding.row, finding.severity) == (3, "warning")


def test_small_unplaced_load_leaves_the_net_assessable() -> None:
    """0.01 of 1.31 MW is below the 2 % of ``thresholds.csv``."""
    file = File()
    file.repeat("load", 3, as_index=4, bus=7, p_mw=0.01)
    snapshot = file.read()
    assert len(find(snapshot, "dangling_reference")) == 1
    assert dark(snapshot) == set()


def test_tap_outside_its_range_is_a_warning() -> None:
    file = File()
    file.set("trafo", 0, tap_pos=9.0)
    [finding] = find(file.read(), "tap_out_of_range")
    assert (finding.row, finding.column) == (0, "tap_pos")


def place(lon: object, lat: object) -> str:
    return f'{{"type": "Point", "coordinates": [{lon}, {lat}]}}'


@pytest.mark.parametrize(
    ("geo", "code"),
    [
        (place(33.0, 114.03), "coordinates_swapped"),
        (place(120.0, 30.0), "coordinates_outside_area"),
        (place(0, 0), "coordinates_not_degrees"),
        (place(38_500_000.0, 3_650_000.0), "coordinates_not_degrees"),
        (None, "coordinates_missing"),
        ("not GeoJSON", "coordinates_missing"),
    ],
)
def test_bad_place_is_reported_and_not_used(geo: str | None, code: str) -> None:
    file = File()
    file.set("bus", 3, geo=geo)
    snapshot = file.read()
    [finding] = find(snapshot, code)
    assert finding.row in (3, None)
    assert math.isnan(snapshot.nodes.lon_deg[3])
    assert snapshot.nodes.lon_deg.notna().sum() == 7
    assert dark(snapshot) == set()


def test_places_that_are_a_drawing_are_called_so() -> None:
    places = pd.DataFrame({"lon_deg": [114.0 + 0.01 * i for i in range(21)], "lat_deg": 33.0})
    links = pd.DataFrame({"from_bus": range(20), "to_bus": range(1, 21), "length_km": 0.3})
    findings, _ = check_places(places, links, file="x")
    assert [finding.code for finding in findings] == ["coordinates_schematic"]
    findings, _ = check_places(places, links.assign(length_km=0.95), file="x")
    assert findings == ()


def test_quarantine_in_one_feeder_leaves_the_other_feeder_of_a_real_network() -> None:
    """Oberrhein: line 0 stands on the feeder headed by line 165 or another one; only that feeder goes dark."""
    data = (files.FIXTURES / files.FILES[0]).read_bytes()
    root = files.as_object(data)
    table = root["_object"]["line"]["_object"]
    row = table["index"].index(0)
    table["data"][row][table["columns"].index("length_km")] = -1.0
    clean = read_pandapower(data, file="x")
    snapshot = read_pandapower(files.as_bytes(root), file="x")
    feeder = clean.lines.feeder_id[0]
    assert dark(snapshot) == set(clean.nodes.index[clean.nodes.feeder_id == feeder])


@pytest.mark.parametrize("name", files.NETWORKS)
def test_clean_reference_networks_lose_no_row(name: str) -> None:
    check = check_net(element_tables(files.NETWORKS[name]()), file="x")
    assert [finding for finding in check.findings if finding.disposition != "accepted"] == []


def test_each_node_names_the_nearest_unrated_element_behind_which_it_stands() -> None:
    """Lines 0 and 2 of feeder A have no rating: 2 and 3 stand behind line 0, the rest behind line 2 as well."""
    file = File()
    file.set("line", 0, max_i_ka=None)
    file.set("line", 2, max_i_ka=None)
    reasons = file.read().nodes.reason.dropna()
    assert {bus for bus, reason in reasons.items() if "line:0" in reason} == {2, 3}
    assert {bus for bus, reason in reasons.items() if "line:2" in reason} == {4, 5, 6}


def test_unrated_line_in_a_ring_takes_what_the_ring_feeds() -> None:
    file = File()
    file.repeat("line", 7, as_index=8, from_bus=4, to_bus=9)
    file.set("line", 1, max_i_ka=None)
    assert dark(file.read()) == FEEDER_A | FEEDER_B


def test_topology_check_names_elements_as_the_import_did() -> None:
    net = files.tiny()
    net.line.loc[2, "in_service"] = False
    built = build_net(element_tables(net))
    check = check_topology(built, file="x", element_names={"bus": {4: "P004"}})
    [finding] = [finding for finding in check.findings if finding.code == "island_without_source"]
    assert finding.element_id == "P004"
    assert "P004, bus:5" in (finding.value or "")


def test_three_winding_main_transformer_feeds_two_sets_of_feeders() -> None:
    net = pandapower.networks.example_multivoltage()
    check = check_topology(net, file="x")
    assert check.not_assessable == {}
