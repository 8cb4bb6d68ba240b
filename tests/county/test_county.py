"""The reference county: what it promises to benchmarks and demos, each checked by another way than it was made."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.geometry import LocalPlane, distance_m
from gridmodel.net import Net, run_load_flow
from gridmodel.snapshot import Snapshot, seal
from gridmodel.topology import feeders_of
from tests.county.__main__ import main
from tests.county.build import build_county, cache_file, load_county
from tests.county.points import read_source

SOURCE_TRANSFORMERS = 5716
"""Rows of the source layer with ``SIT_ATIV`` = ``AT``, see fixtures/county/SOURCE.md."""
LENGTH_RATIO = 1.15
LV_PU = (0.8835, 1.0165)
"""380 V - 7 % and + 7 %, per unit of 400 V."""


@pytest.fixture(scope="module")
def county() -> Snapshot:
    return build_county()


@pytest.fixture(scope="module")
def solved(county: Snapshot) -> Net:
    run_load_flow(county.net)
    return county.net


@pytest.fixture(scope="module")
def low_voltage_county() -> Snapshot:
    return build_county(with_lv=True)


def open_lines(net: Net) -> set[int]:
    return set(net.switch.element[(net.switch.et == "l") & ~net.switch.closed].tolist())


def straight_m(county: Snapshot) -> np.ndarray:
    """Geodesic distance between the ends of every line."""
    ends = [
        county.nodes.loc[county.net.line[side], ["lon_deg", "lat_deg"]].to_numpy() for side in ("from_bus", "to_bus")
    ]
    return distance_m(ends[0][:, 0], ends[0][:, 1], ends[1][:, 0], ends[1][:, 1])


def on_sphere(lon_deg: pd.Series, lat_deg: pd.Series) -> np.ndarray:
    """Places on a sphere of the earth's mean radius (m)."""
    lon, lat = np.radians(lon_deg), np.radians(lat_deg)
    return 6_371_000.0 * np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def assert_trees(net: Net) -> None:
    """Every island is a tree that hangs on one source: branches = nodes - 1."""
    live = net.line[~net.line.index.isin(open_lines(net))]
    first = np.concatenate([live.from_bus, net.trafo.hv_bus]).astype(int)
    second = np.concatenate([live.to_bus, net.trafo.lv_bus]).astype(int)
    size = len(net.bus)
    count, label = connected_components(coo_matrix((np.ones(len(first)), (first, second)), shape=(size, size)))
    nodes, branches = np.bincount(label, minlength=count), np.bincount(label[first], minlength=count)
    assert (branches == nodes - 1).all()
    assert sorted(label[net.ext_grid.bus.astype(int)].tolist()) == list(range(count))


def test_the_county_has_the_size_it_promises(county: Snapshot) -> None:
    transformers = county.transformers.role.value_counts()
    assert transformers["public"] + transformers["dedicated"] == SOURCE_TRANSFORMERS
    assert transformers["main"] == len(county.net.ext_grid) == 50
    assert county.feeders.substation_id.nunique() == 25
    assert 140 <= len(county.feeders) <= 155
    assert 20_000 <= len(county.net.bus) <= 25_000
    assert county.net.ext_grid.bus.map(county.net.bus.vn_kv).value_counts().to_dict() == {110.0: 30, 35.0: 20}


def test_no_feeder_has_more_than_45_transformers(county: Snapshot) -> None:
    stations = county.transformers.feeder_id.value_counts()
    assert stations.max() <= 45
    assert set(stations.index) == set(county.feeders.index)


def test_two_builds_are_the_same_bytes(county: Snapshot) -> None:
    first, blob = seal(county)
    second, other = seal(build_county())
    assert first.sha256 == second.sha256
    assert blob == other


def test_every_island_is_a_tree_with_one_source(county: Snapshot) -> None:
    assert_trees(county.net)


def test_the_load_flow_is_ordinary_with_a_few_violations(solved: Net) -> None:
    u_pu = solved.res_bus.vm_pu[solved.bus.vn_kv <= 10.0]
    assert u_pu.between(0.95, 1.03).mean() >= 0.95
    assert 1 <= (u_pu < 0.93).sum() <= 0.01 * len(u_pu)
    is_main = solved.trafo.vn_lv_kv > 1.0
    assert solved.res_trafo.loading_percent[is_main].between(50.0, 66.0).all()
    for loading in (solved.res_trafo.loading_percent[~is_main], solved.res_line.loading_percent):
        assert 1 <= (loading > 80.0).sum() <= 0.01 * len(loading)
    losses_mw = solved.res_line.pl_mw.sum() + solved.res_trafo.pl_mw.sum()
    assert 0.02 <= losses_mw / solved.res_load.p_mw.sum() <= 0.06


def test_lines_are_15_percent_longer_than_straight(county: Snapshot) -> None:
    length_m, straight = county.net.line.length_km.to_numpy() * 1e3, straight_m(county)
    assert (length_m >= straight).all()
    assert np.allclose(length_m, LENGTH_RATIO * straight, rtol=5e-4, atol=0.2)


def test_no_generated_place_is_within_1_km_of_a_real_one(county: Snapshot) -> None:
    source = read_source()
    real = cKDTree(on_sphere(source.lon_deg, source.lat_deg))
    nearest_m, _ = real.query(on_sphere(county.nodes.lon_deg, county.nodes.lat_deg))
    assert nearest_m.min() > 1_000.0


def test_the_picture_of_the_points_is_moved_rigidly(county: Snapshot) -> None:
    source = read_source()
    stations = county.nodes.loc[county.net.trafo.hv_bus[county.net.trafo.vn_lv_kv < 1.0]]
    first, second = np.random.default_rng(0).integers(0, len(source), (2, 500))
    real_m, shown_m = (
        distance_m(*(places[column].to_numpy()[side] for side in (first, second) for column in ("lon_deg", "lat_deg")))
        for places in (source, stations)
    )
    assert np.allclose(real_m, shown_m, rtol=5e-4, atol=0.1)


def test_feeders_of_the_frames_are_those_of_the_topology(county: Snapshot) -> None:
    found = feeders_of(county.net)
    of_head = {f"line:{line}": feeder for feeder, line in county.feeders.head_line.items()}
    main = county.feeders.main_transformer
    assert county.nodes.feeder_id.loc[found.index].tolist() == [of_head.get(feeder) for feeder in found.feeder]
    fed = found[found.feeder.notna()]
    assert fed.main_element.tolist() == fed.feeder.map(of_head).map(main).tolist()


def test_feeders_follow_the_shortest_tree_of_their_points(county: Snapshot) -> None:
    """Sections between stations are edges of networkx's tree over all pairs; only cut edges are missing."""
    source = read_source()
    code = source.feeder_code.value_counts().index[-1]
    members = np.flatnonzero(source.feeder_code == code)
    plane = LocalPlane(float(source.lon_deg[members].mean()), float(source.lat_deg[members].mean()))
    xy_m = np.column_stack(plane.to_metres(source.lon_deg[members], source.lat_deg[members]))
    graph: nx.Graph[int] = nx.Graph()
    for a, b in np.column_stack(np.triu_indices(len(members), 1)).tolist():
        graph.add_edge(a, b, weight=float(np.hypot(*(xy_m[a] - xy_m[b]))))
    expected = {tuple(sorted((int(members[a]), int(members[b])))) for a, b in nx.minimum_spanning_tree(graph).edges}
    found = {pair for pair in station_sections(county) if set(pair) <= set(members.tolist())}
    assert found <= expected
    feeders = county.transformers.feeder_id[county.transformers.role != "main"].iloc[members].nunique()
    assert len(expected) - len(found) == feeders - 1


def station_sections(county: Snapshot) -> set[tuple[int, int]]:
    """Pairs of stations (rows of the source) joined by poles only."""
    net = county.net
    row = {int(bus): number for number, bus in enumerate(net.trafo.hv_bus[net.trafo.vn_lv_kv < 1.0])}
    live = net.line[~net.line.index.isin(open_lines(net))]
    graph: nx.Graph[int] = nx.Graph(zip(live.from_bus.tolist(), live.to_bus.tolist(), strict=True))
    graph.remove_nodes_from(county.nodes.index[county.nodes.kind == "substation_busbar"].tolist())
    for pole in county.nodes.index[county.nodes.kind == "pole"].tolist():
        ends = list(graph.neighbors(pole))
        graph.remove_node(pole)
        if len(ends) == 2:
            graph.add_edge(*ends)
    return {tuple(sorted((row[a], row[b]))) for a, b in graph.edges}  # type: ignore[misc]


def test_poles_of_overhead_feeders_stand_close(county: Snapshot) -> None:
    net = county.net
    is_piece = (net.line["type"] == "ol") & ~net.line.index.isin(open_lines(net))
    assert net.line.length_km[is_piece].max() < 0.4
    assert (county.nodes.kind == "pole").sum() > SOURCE_TRANSFORMERS


def test_ties_are_open_and_join_every_feeder_with_another(county: Snapshot) -> None:
    net, feeder = county.net, county.nodes.feeder_id
    ties = net.line.loc[sorted(open_lines(net))]
    ends = list(zip(ties.from_bus.map(feeder), ties.to_bus.map(feeder), strict=True))
    assert all(a != b for a, b in ends)
    assert nx.is_connected(nx.Graph(ends))
    assert {name for pair in ends for name in pair} == set(county.feeders.index)


def test_every_feeder_has_a_breaker_and_the_trunks_have_section_switches(county: Snapshot) -> None:
    switch = county.net.switch
    assert switch.element[switch["type"] == "CB"].tolist() == county.feeders.head_line.tolist()
    sections = switch[(switch["type"] == "LBS") & switch.closed]
    per_feeder = county.lines.feeder_id.loc[sections.element].value_counts()
    assert per_feeder.max() <= 4
    assert len(per_feeder) >= 0.9 * len(county.feeders)


def test_a_larger_transformer_in_the_source_is_never_smaller_here(county: Snapshot) -> None:
    source_kva = read_source().sn_kva.to_numpy()
    sn_kva = county.transformers.sn_kva[county.transformers.role != "main"].to_numpy()
    by_size = pd.Series(source_kva).groupby(sn_kva).agg(["min", "max", "size"])
    assert by_size.index.tolist() == [100.0, 200.0, 315.0, 400.0, 630.0]
    assert (by_size["min"].to_numpy()[1:] >= by_size["max"].to_numpy()[:-1]).all()
    assert np.allclose(by_size["size"] / len(source_kva), [0.40, 0.30, 0.15, 0.10, 0.05], atol=1e-3)


def test_impedances_are_those_of_the_catalogue(county: Snapshot) -> None:
    types = load_catalogue()
    line = county.net.line.sample(50, random_state=1)
    for row in line.itertuples():
        kind = types.get_line_type(row.std_type)
        assert (row.r_ohm_per_km, row.x_ohm_per_km) == (kind.r20_ohm_per_km, kind.x_ohm_per_km)
        assert row.max_i_ka == pytest.approx(kind.rating_a / 1e3)
    trafo = county.net.trafo[county.net.trafo.vn_lv_kv < 1.0].sample(50, random_state=1)
    for row in trafo.itertuples():
        model = types.get_transformer_type(row.std_type)
        assert (row.sn_mva * 1e3, row.vk_percent, row.pfe_kw) == (model.sn_kva, model.vk_percent, model.p0_kw)


def test_ring_main_units_and_busbars_have_bays(county: Snapshot) -> None:
    has_bays = county.nodes.kind.isin(["ring_main_unit", "substation_busbar"])
    assert county.nodes.spare_bays[has_bays].between(0, 4).all()
    assert county.nodes.spare_bays[~has_bays].isna().all()
    assert (county.nodes.kind == "ring_main_unit").sum() >= 50


def test_every_load_names_one_of_seven_profiles(county: Snapshot) -> None:
    assert county.net.load.profile.nunique() == 7
    assert county.net.load.profile.notna().all()


def test_the_command_writes_what_is_read_from_the_cache(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--out", str(tmp_path)])
    [written] = tmp_path.iterdir()
    assert written == cache_file(tmp_path, with_lv=False, counties=1)
    before = written.stat().st_mtime_ns
    read = load_county(folder=tmp_path)
    assert written.stat().st_mtime_ns == before
    assert read.sha256 in capsys.readouterr().out
    assert seal(read)[0].sha256 == read.sha256


def test_no_county_is_refused() -> None:
    with pytest.raises(SystemExit) as refused:
        main(["--counties", "0"])
    assert refused.value.code == 2


def test_two_counties_stand_side_by_side(county: Snapshot) -> None:
    both, size = build_county(counties=2), len(county.net.bus)
    assert both.nodes.node_id.is_unique
    assert both.feeders.index.is_unique
    for table in ("bus", "line", "trafo", "load", "switch", "ext_grid"):
        assert both.net[table].index.is_unique
        assert len(both.net[table]) == 2 * len(county.net[table])
    assert_trees(both.net)
    first, second = both.nodes[:size], both.nodes[size:]
    gap_m, _ = cKDTree(on_sphere(first.lon_deg, first.lat_deg)).query(on_sphere(second.lon_deg, second.lat_deg))
    assert gap_m.min() > 1_000.0


def test_low_voltage_trees_share_the_load_of_their_transformer(county: Snapshot, low_voltage_county: Snapshot) -> None:
    net, nodes = low_voltage_county.net, low_voltage_county.nodes
    low = nodes[nodes.kind.isin(["lv_pole", "branch_box"])]
    assert (low.area_id.value_counts() == 11).all()
    assert low.area_id.nunique() == SOURCE_TRANSFORMERS
    areas = (net.load.bus.map(nodes.area_id), county.net.load.bus.map(county.nodes.area_id))
    shared, lumped = (
        load.groupby(area)[["p_mw", "q_mvar"]].sum().sort_index()
        for load, area in zip((net.load, county.net.load), areas, strict=True)
    )
    pd.testing.assert_frame_equal(shared, lumped, rtol=1e-6, check_names=False)
    assert_trees(net)


def test_low_voltages_are_ordinary_with_a_few_violations(low_voltage_county: Snapshot) -> None:
    net = low_voltage_county.net
    run_load_flow(net)
    u_pu = net.res_bus.vm_pu[net.bus.vn_kv < 1.0]
    assert u_pu.between(*LV_PU).mean() >= 0.99
    assert 1 <= (u_pu < LV_PU[0]).sum() <= 0.01 * len(u_pu)
