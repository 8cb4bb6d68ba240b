from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pandapower
import pandas as pd
import pytest

from gridmodel.errors import InputError
from gridmodel.readers.pandapower_json import read_pandapower
from gridmodel.readers.select import read_source
from gridmodel.snapshot import Snapshot
from tests.readers import pandapower_files as files

TABLES = (
    "bus",
    "line",
    "trafo",
    "trafo3w",
    "switch",
    "load",
    "sgen",
    "gen",
    "motor",
    "storage",
    "shunt",
    "ext_grid",
    "ward",
    "xward",
    "impedance",
    "dcline",
    "asymmetric_load",
    "asymmetric_sgen",
    "svc",
    "tcsc",
    "ssc",
)


def read_tiny(net: Any) -> Snapshot:
    return read_pandapower(files.write(net), file="tiny.json")


def assert_same_counts(snapshot: Snapshot, trusted: Any) -> None:
    for table in TABLES:
        assert len(snapshot.net[table]) == len(trusted[table]), table
    for count in snapshot.counts:
        assert count.read == len(trusted[count.table])
        assert count.accepted == count.read


@pytest.mark.parametrize("name", files.FILES)
def test_fixture_solves_as_pandapowers_own_reader_makes_it(name: str) -> None:
    """The other program is pandapower: its reader and its load flow, on a file we trust."""
    data = (files.FIXTURES / name).read_bytes()
    snapshot, trusted = read_pandapower(data, file=name), files.read_trusted(data)
    assert_same_counts(snapshot, trusted)
    assert files.largest_difference(snapshot, trusted) <= 1e-10


@pytest.mark.parametrize("name", files.NETWORKS)
def test_example_network_solves_as_pandapowers_own_reader_makes_it(name: str) -> None:
    data = files.write(files.NETWORKS[name]())
    snapshot, trusted = read_pandapower(data, file=name), files.read_trusted(data)
    assert_same_counts(snapshot, trusted)
    assert files.largest_difference(snapshot, trusted) <= 1e-10


def with_every_element() -> Any:
    net = files.tiny()
    pandapower.create_sgen(net, 3, 0.1, 0.02)
    pandapower.create_gen(net, 9, 0.1, vm_pu=1.0)
    pandapower.create_motor(net, 3, 0.05, 0.9)
    pandapower.create_storage(net, 3, 0.05, 1.0)
    pandapower.create_shunt(net, 3, q_mvar=-0.1)
    pandapower.create_ward(net, 2, 0.01, 0.01, 0.01, 0.01)
    pandapower.create_xward(net, 2, 0.01, 0.01, 0.01, 0.01, 1.0, 1.0, 1.0)
    pandapower.create_impedance(net, 2, 9, 0.5, 0.9, 10.0)
    pandapower.create_asymmetric_load(net, 3, 0.01, 0.02, 0.01)
    pandapower.create_asymmetric_sgen(net, 3, 0.01, 0.02, 0.01)
    pandapower.create_dcline(net, 2, 3, 0.05, 1.0, 0.001, 1.0, 1.0)
    for index in (20, 21, 22):
        pandapower.create_bus(net, vn_kv=110.0 if index == 20 else 10.0, index=index)
    pandapower.create_line_from_parameters(net, 0, 20, 3.0, 0.1, 0.4, 9.0, 0.6, index=20)
    pandapower.create_transformer3w_from_parameters(
        net, 20, 21, 22, 110.0, 10.5, 10.5, 40.0, 25.0, 25.0, 11.0, 10.0, 7.0, 0.3, 0.3, 0.3, 20.0, 0.1,
        tap_side="mv", tap_neutral=0, tap_pos=2, tap_min=-4, tap_max=4, tap_step_percent=1.5,
        tap_changer_type="Ratio",
    )  # fmt: skip
    pandapower.create_load(net, 21, 4.0, 1.0, const_z_p_percent=30.0, const_i_q_percent=20.0)
    pandapower.create_load(net, 22, 3.0, 1.0)
    pandapower.create_bus(net, vn_kv=10.0, index=23)
    pandapower.create_switch(net, 22, 23, "b", z_ohm=0.05)
    pandapower.create_switch(net, 21, 0, "t3")
    pandapower.create_switch(net, 4, 3, "t")
    pandapower.create_load(net, 23, 0.5, 0.1)
    return net


def test_every_element_kind_survives() -> None:
    data = files.write(with_every_element())
    snapshot, trusted = read_pandapower(data, file="all.json"), files.read_trusted(data)
    assert_same_counts(snapshot, trusted)
    assert files.largest_difference(snapshot, trusted) <= 1e-10
    assert {count.table for count in snapshot.counts} >= set(TABLES) - {"svc", "tcsc", "ssc"}


def test_series_and_shunt_controllers_of_the_grid_survive() -> None:
    net = pandapower.create_empty_network()
    for index in range(5):
        pandapower.create_bus(net, 110.0, index=index)
    pandapower.create_ext_grid(net, 0)
    for index in range(3):
        pandapower.create_line_from_parameters(net, index, index + 1, 20.0, 0.05, 0.14, 160.0, 0.664)
        pandapower.create_load(net, index + 1, 30.0, 10.0)
    pandapower.create_svc(net, 3, 1.0, -10.0, 1.0, 90.0)
    pandapower.create_ssc(net, 2, 0.0, 5.0, 1.0)
    pandapower.create_tcsc(net, 3, 4, 1.21, -24.2, -5.0, 170.0, controllable=False)
    pandapower.create_load(net, 4, 5.0, 1.0)
    data = files.write(net)
    snapshot, trusted = read_pandapower(data, file="facts.json"), files.read_trusted(data)
    assert_same_counts(snapshot, trusted)
    assert files.largest_difference(snapshot, trusted) <= 1e-10


def test_second_tap_changer_survives() -> None:
    net = files.tiny()
    for column, value in {
        "tap2_side": "hv", "tap2_neutral": 0.0, "tap2_min": -2.0, "tap2_max": 2.0, "tap2_pos": 2.0,
        "tap2_step_percent": 2.5, "tap2_step_degree": 0.0, "tap2_changer_type": "Ratio",
    }.items():  # fmt: skip
        net.trafo[column] = [value, None if isinstance(value, str) else 0.0]
    data = files.write(net)
    snapshot, trusted = read_pandapower(data, file="tap2.json"), files.read_trusted(data)
    assert files.largest_difference(snapshot, trusted) <= 1e-10
    without = read_tiny(files.tiny())
    files.solve(without.net)
    assert abs(without.net.res_bus.vm_pu[1] - snapshot.net.res_bus.vm_pu[1]) > 0.01


def test_tap_table_survives() -> None:
    net = files.tiny()
    net["trafo_characteristic_table"] = pd.DataFrame(
        {
            "id_characteristic": [0] * 3,
            "step": [-1, 0, 1],
            "voltage_ratio": [0.97, 1.0, 1.03],
            "angle_deg": [0.0] * 3,
            "vk_percent": [10.0, 11.0, 12.0],
            "vkr_percent": [0.3] * 3,
        }
    )
    net.trafo.loc[0, "id_characteristic_table"] = 0
    net.trafo.loc[0, "tap_dependency_table"] = True
    data = files.write(net)
    snapshot, trusted = read_pandapower(data, file="table.json"), files.read_trusted(data)
    assert files.largest_difference(snapshot, trusted) <= 1e-10


@pytest.mark.parametrize("shape", ["inner object", "inner text", "net as text"])
def test_object_may_be_inline_text_or_object(shape: str) -> None:
    root = files.as_object(files.write(files.tiny()))
    if shape == "inner text":
        root = json.loads(files.as_bytes(root))
    elif shape == "net as text":
        root["_object"] = json.dumps(json.loads(files.as_bytes(root))["_object"])
    assert len(read_pandapower(json.dumps(root).encode(), file="x").net.bus) == 8


def test_file_of_format_2_is_converted_as_pandapower_converts_it() -> None:
    """The other program is pandapower's own conversion of old formats."""
    root = files.as_object(files.write(with_every_element()))
    content = root["_object"]
    content["format_version"] = content["version"] = "2.14.0"
    drop_columns(content["trafo"], "tap_changer_type", "tap_dependency_table", "id_characteristic_table", "df")
    drop_columns(content["trafo3w"], "tap_changer_type", "tap_dependency_table", "id_characteristic_table")
    rename_column(content["load"], "const_z_p_percent", "const_z_percent")
    rename_column(content["load"], "const_i_p_percent", "const_i_percent")
    drop_columns(content["load"], "const_z_q_percent", "const_i_q_percent")
    drop_columns(content["switch"], "in_ka")
    drop_columns(content["line"], "geo")
    drop_columns(content["bus"], "geo")
    content["bus_geodata"] = table({"x": [114.0, 114.01], "y": [33.0, 33.0], "coords": [None, None]}, index=[0, 1])
    content["line_geodata"] = table({"coords": [[[114.0, 33.0], [114.1, 33.0]]]}, index=[0])
    data = files.as_bytes(root)
    snapshot, trusted = read_pandapower(data, file="old.json"), files.read_trusted(data)
    assert trusted.trafo.tap_changer_type[0] == "Ratio"
    assert files.largest_difference(snapshot, trusted) <= 1e-10
    assert snapshot.nodes.lon_deg[1] == 114.01
    assert json.loads(snapshot.net.line.geo[0]) == {
        "type": "LineString",
        "coordinates": [[114.0, 33.0], [114.1, 33.0]],
    }


def drop_columns(node: dict[str, Any], *names: str) -> None:
    content = node["_object"]
    keep = [i for i, column in enumerate(content["columns"]) if column not in names]
    content["columns"] = [content["columns"][i] for i in keep]
    content["data"] = [[row[i] for i in keep] for row in content["data"]]
    node["dtype"] = {column: kind for column, kind in node["dtype"].items() if column not in names}


def rename_column(node: dict[str, Any], old: str, new: str) -> None:
    content = node["_object"]
    content["columns"] = [new if column == old else column for column in content["columns"]]
    node["dtype"][new] = node["dtype"].pop(old)


def table(columns: dict[str, list[Any]], *, index: list[int]) -> dict[str, Any]:
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    return {
        "_module": "pandas.core.frame",
        "_class": "DataFrame",
        "_object": {"columns": list(columns), "index": index, "data": rows},
        "orient": "split",
        "dtype": dict.fromkeys(columns, "object"),
    }


@pytest.mark.parametrize("version", ["1.6.0", "3.4.0", "4.0", "new", None])
def test_other_formats_are_refused(version: str | None) -> None:
    root = files.as_object(files.write(files.tiny()))
    root["_object"]["format_version"] = version
    with pytest.raises(InputError, match=r"format_version.*2\.0 to 3\.3"):
        read_pandapower(files.as_bytes(root), file="x")


def test_oberrhein_feeders_and_kinds_are_those_of_its_description() -> None:
    """SOURCE.md: 2 x 110/20 kV transformers, 4 feeders; head lines carry 0.645 kA (the file's cells)."""
    data = (files.FIXTURES / files.FILES[0]).read_bytes()
    snapshot = read_pandapower(data, file="mv_oberrhein_load.json")
    assert Counter(snapshot.nodes.kind) == {"source": 2, "substation_busbar": 2, "node": 175}
    assert len(snapshot.feeders) == 4
    assert set(snapshot.feeders.substation_id) == {"bus:58", "bus:318"}
    assert snapshot.feeders.rating_a.tolist() == [645.0] * 4
    assert snapshot.nodes.loc[58, ["node_id", "source_id", "element_id"]].tolist() == ["bus:58", "58", "bus:58"]
    assert snapshot.nodes.feeder_id.isna().sum() == 4
    assert set(snapshot.transformers.role) == {"main"}
    assert set(snapshot.nodes.status) == {"assessable"}


def test_schutterwald_buses_belong_to_their_transformer() -> None:
    """SOURCE.md: 14 transformers, 14 islands; ``bus.zone`` of the file names the transformer of each bus."""
    data = (files.FIXTURES / files.FILES[2]).read_bytes()
    snapshot = read_pandapower(data, file="lv_schutterwald.json")
    assert Counter(snapshot.nodes.kind) == {"source": 14, "lv_board": 14, "lv_node": 2912}
    names = snapshot.transformers.set_index("element_id").name
    fed = snapshot.nodes[snapshot.nodes.area_id.notna()]
    by_zone = names[fed.area_id].to_numpy() == snapshot.net.bus.zone[fed.index].to_numpy()
    assert len(fed) == 2926
    assert by_zone.mean() > 0.99


def test_ignored_tap_is_reported_for_each_transformer_and_kept_as_pandapower_means_it() -> None:
    data = (files.FIXTURES / files.FILES[3]).read_bytes()
    snapshot = read_pandapower(data, file="1-MV-urban--0-sw.json")
    found = [finding for finding in snapshot.findings if finding.code == "tap_ignored"]
    assert [(f.table, f.row, f.column, f.value) for f in found] == [
        ("trafo", 0, "tap_pos", "-1.0"),
        ("trafo", 1, "tap_pos", "-1.0"),
    ]
    assert snapshot.net.trafo.tap_changer_type.isna().all()
    assert any(finding.code == "coordinates_schematic" for finding in snapshot.findings)


def test_controllers_are_left_out_with_a_warning() -> None:
    net = files.tiny()
    pandapower.control.ContinuousTapControl(net, 0, 1.02)
    snapshot = read_tiny(net)
    [finding] = [finding for finding in snapshot.findings if finding.code == "controllers_dropped"]
    assert finding.severity == "warning"
    assert "基准位置" in finding.consequence
    assert not len(snapshot.net.controller)
    [count] = [count for count in snapshot.counts if count.table == "controller"]
    assert (count.read, count.quarantined) == (1, 1)


def test_results_and_unknown_entries_are_named_in_one_finding() -> None:
    net = files.tiny()
    files.solve(net)
    net["remark"] = "text"
    net["options_of_mine"] = {}
    [finding] = [finding for finding in read_tiny(net).findings if finding.code == "entries_not_used"]
    assert finding.severity == "info"
    assert {"remark", "options_of_mine", "res_bus", "std_types"} <= set((finding.value or "").split(", "))


def test_same_file_gives_the_same_digest() -> None:
    data = files.write(files.tiny())
    assert read_pandapower(data, file="a").sha256 == read_pandapower(data, file="a").sha256 != ""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "UTF-8"),
        (b"[1, 2]", "not a pandapower network"),
        (b'{"a": 1}', "not a pandapower network"),
        (
            b'{"_module": "pandapower.auxiliary", "_class": "pandapowerNet", "_object": {"format_version": "3.0"}}',
            "bus",
        ),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_something_else_than_a_network_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_pandapower(data, file="x.json")


def test_missing_column_is_named() -> None:
    root = files.as_object(files.write(files.tiny()))
    drop_columns(root["_object"]["line"], "x_ohm_per_km")
    with pytest.raises(InputError, match=r"line\.x_ohm_per_km.*no column"):
        read_pandapower(files.as_bytes(root), file="x")


@pytest.mark.parametrize("key", ["f_hz", "sn_mva"])
@pytest.mark.parametrize("value", [0, -1.0, "50", float("inf")])
def test_base_values_must_be_positive_numbers(key: str, value: object) -> None:
    root = files.as_object(files.write(files.tiny()))
    root["_object"][key] = value
    with pytest.raises(InputError, match=key):
        read_pandapower(files.as_bytes(root), file="x")


def test_source_is_chosen_by_its_ending(tmp_path: Any) -> None:
    path = tmp_path / "net.json"
    path.write_bytes(files.write(files.tiny()))
    assert read_source(path).source_format == "pandapower"
    for name, message in (("a.xml", "CIM is not available"), ("a.zip", "CIM is not available"), ("a.pdf", "ending")):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(InputError, match=message):
            read_source(tmp_path / name)
    with pytest.raises(InputError, match="no such file"):
        read_source(tmp_path / "none.json")
    with pytest.raises(InputError, match="CIM"):
        read_source(path, source_format="cim")
    with pytest.raises(InputError, match="unknown format"):
        read_source(path, source_format="excel")
