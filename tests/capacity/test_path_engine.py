"""The path engine against pandapower, against batches of load flows, and its tree against the supply topology."""

from __future__ import annotations

import math
import random

import numpy as np
import pandapower as pp
import pandapower.networks
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridmodel import Limits, VoltageBand, open_capacity
from gridmodel.capacity.arrays import island_of_limits
from gridmodel.capacity.base_case import solve_base_case
from gridmodel.capacity.island_search import IslandSearch
from gridmodel.capacity.path.engine import PathEngine
from gridmodel.capacity.path.supply import marks_on_path
from gridmodel.capacity.path.tree import NOWHERE
from gridmodel.readers.select import read_source
from tests.capacity.independent_check import check_row, solve
from tests.capacity.radial_nets import radial_net
from tests.capacity.test_fixture_networks import LIMITS, LITERAL, SOURCES
from tests.conftest import FIXTURES

POWER_FACTOR = 0.95
TAN_PHI = math.tan(math.acos(POWER_FACTOR))
WIDE = Limits(
    line_loading_ratio_max=1.0,
    transformer_loading_ratio_max=1.0,
    main_transformer_loading_ratio_max=1.0,
    voltage_bands=(VoltageBand(u_nominal_kv_min=0.1, u_nominal_kv_max=30.0, u_pu_min=0.9, u_pu_max=1.1),),
)


def make_engine(net, limits):
    """Return the engine of a net's radial islands and the base case."""
    base = solve_base_case(net, limits)
    usable = np.isfinite(base.values) & np.isfinite(base.constraints.limits)
    return PathEngine(base.live_flow, net, base.terms, base.constraints, base.values, usable), base


def check_some_nodes(seed, count):
    """Judge some nodes of a random radial net by plain pandapower."""
    net, limits = radial_net(seed)
    if not solve(net):
        return
    buses = random.Random(seed).sample(list(net.bus.index), k=count)
    table = open_capacity(net, limits=limits, power_factor=POWER_FACTOR, buses=buses, confirm="none")
    for _, row in table.iterrows():
        check_row(net, row, limits, POWER_FACTOR)


@settings(max_examples=14, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(seed=st.integers(min_value=0, max_value=10**6))
def test_pandapower_holds_at_the_capacity_and_breaks_one_step_above_on_strained_radial_nets(seed):
    check_some_nodes(seed, 2)


@pytest.mark.slow
@settings(max_examples=200, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(seed=st.integers(min_value=10**6, max_value=2 * 10**6))
def test_the_same_on_many_more_strained_radial_nets(seed):
    check_some_nodes(seed, 5)


def judge_by_batches(net, limits, buses):
    """Assert that batches of load flows give the same capacities and the same binding limits; return those compared."""
    base = solve_base_case(net, limits)
    options = {"tan_phi": TAN_PHI, "ceiling_kw": 1e6}
    ours = {row.bus: row for row in IslandSearch(base, **options).run(buses)}
    theirs = {row.bus: row for row in IslandSearch(base, **options, first_engine="batch").run(buses)}
    compared = [bus for bus in buses if ours[bus].engine == "path"]
    for bus in buses:
        one, other = ours[bus], theirs[bus]
        assert (one.status, one.limit_kind) == (other.status, other.limit_kind), bus
        assert one.capacity_kw == pytest.approx(other.capacity_kw, abs=0.5, nan_ok=True), bus
        assert one.notes == other.notes, bus
        if one.limit != other.limit:  # a tie: the other's limit must break within the width of both brackets
            assert abs(one.breaks_kw - other.breaks_kw) < 0.6, bus
    return compared


SMALL = ("Oberrhein 20 kV", "Oberrhein 20 kV, generation", "SimBench 10 kV")


@pytest.mark.parametrize("limits", [LIMITS, LITERAL], ids=["thresholds of the rules", "literal"])
@pytest.mark.parametrize("name", SMALL)
def test_every_node_of_a_fixture_network_agrees_with_batches_of_load_flows(name, limits):
    net = read_source(FIXTURES / SOURCES[name][0]).net
    buses = [int(bus) for bus in net.bus.index[net.bus.in_service]]
    assert len(judge_by_batches(net, limits, buses)) > 60


@pytest.mark.parametrize("name", ["township", "Schutterwald 0.4 kV"])
def test_a_fifteenth_of_the_nodes_of_a_large_fixture_network_agree(name):
    net = read_source(FIXTURES / SOURCES[name][0]).net
    buses = [int(bus) for bus in net.bus.index[net.bus.in_service][::15]]
    assert len(judge_by_batches(net, LIMITS, buses)) > 100


@pytest.mark.slow
@pytest.mark.parametrize("limits", [LIMITS, LITERAL], ids=["thresholds of the rules", "literal"])
@pytest.mark.parametrize("name", ["township", "Schutterwald 0.4 kV"])
def test_every_node_of_a_large_fixture_network_agrees(name, limits):
    net = read_source(FIXTURES / SOURCES[name][0]).net
    judge_by_batches(net, limits, [int(bus) for bus in net.bus.index[net.bus.in_service]])


@pytest.mark.parametrize(
    "create",
    [
        pandapower.networks.create_kerber_landnetz_freileitung_2,
        pandapower.networks.create_kerber_dorfnetz,
        pandapower.networks.create_cigre_network_mv,
        pandapower.networks.create_cigre_network_lv,
    ],
    ids=lambda create: create.__name__.removeprefix("create_"),
)
def test_pandapower_confirms_sampled_nodes_of_published_networks(create):
    net = create()
    buses = np.random.default_rng(7).choice(net.bus.index[net.bus.in_service], size=5, replace=False).tolist()
    table = open_capacity(net, limits=WIDE, power_factor=POWER_FACTOR, buses=buses, confirm="none")
    assert (table.engine == "path").any()
    for _, row in table.iterrows():
        check_row(net, row, WIDE, POWER_FACTOR)


@pytest.mark.parametrize("seed", range(1, 11))
def test_swept_base_voltages_are_those_of_pandapower(seed):
    net, limits = radial_net(seed)
    engine, base = make_engine(net, limits)
    buses = base.net.bus.index.to_numpy()
    position = engine.position_of_buses(buses)
    here = position != NOWHERE
    assert here.sum() >= 8
    assert engine.v_base[position[here]] == pytest.approx(base.net.res_bus.vm_pu[buses[here]].to_numpy(), abs=1e-9)


@pytest.mark.parametrize("seed", range(1, 11))
def test_supply_paths_of_the_tree_are_those_of_the_topology(seed):
    net, limits = radial_net(seed)
    engine, base = make_engine(net, limits)
    tree, position_of = engine.tree, engine.placement.position
    rows = np.flatnonzero(position_of != NOWHERE)
    nodes = engine.arrays.node_of_bus
    for bus in base.net.bus.index.tolist():
        [position] = engine.position_of_buses(np.array([bus]))
        if position == NOWHERE:
            continue
        on_path = base.constraints.is_on_path(base.topology.path(bus))
        for row in rows.tolist():
            mark = np.full(len(tree.parent), NOWHERE, dtype=np.int64)
            mark[position_of[row]] = 1
            by_tree = marks_on_path(tree, engine.bounds.ends_path, mark).greatest[position] == 1
            if by_tree != on_path[row]:  # a bus beside the path that is one node with a bus on it
                assert base.constraints.tables[row] == "bus", (bus, row)
                node = nodes[int(base.constraints.elements[row])]
                assert (nodes == node).sum() > 1


def test_ring_is_left_to_load_flows():
    net, limits = radial_net(3)
    mv = net.bus.index[net.bus.vn_kv == 10.0]
    pp.create_line_from_parameters(net, mv[1], mv[-1], 1.0, 0.3, 0.3, 10.0, 0.3)
    table = open_capacity(net, limits=limits, buses=[int(mv[1])], confirm="none")
    assert "path" not in table.engine.tolist()


def test_a_bus_with_voltage_dependent_load_is_left_to_pandapower_and_its_neighbours_are_not():
    net, _ = radial_net(3)
    bus = int(net.load.bus.iloc[0])
    net.load.loc[net.load.index[0], ["const_z_p_percent", "const_z_q_percent"]] = 50.0
    mv = [int(b) for b in net.bus.index[net.bus.vn_kv == 10.0]]
    table = open_capacity(net, limits=WIDE, buses=[bus, *mv[:2]], confirm="none")
    assert table.engine[bus] == "pandapower"
    assert "path" in table.engine.tolist()
    for _, row in table.iterrows():
        check_row(net, row, WIDE, POWER_FACTOR)


def test_unequal_parallel_branches_are_left_to_load_flows():
    net, limits = radial_net(3)
    line = net.line.iloc[0]
    pp.create_line_from_parameters(net, line.from_bus, line.to_bus, 1.7, 0.31, 0.2, 90.0, 0.3)
    table = open_capacity(net, limits=limits, buses=[int(line.to_bus)], confirm="none")
    assert "path" not in table.engine.tolist()


def test_islands_of_limits_match_those_of_their_positions():
    net, limits = radial_net(5)
    engine, base = make_engine(net, limits)
    island = island_of_limits(base.net, engine.arrays, base.constraints)
    placed = engine.placement.position != NOWHERE
    assert placed.sum() > 10
    assert (engine.island_of_position[engine.placement.position[placed]] == island[placed]).all()
