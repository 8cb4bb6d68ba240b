"""Supply paths and feeders; expected sets are read off the drawings in the comments."""

import pandapower as pp
import pytest

from gridmodel.topology import SupplyTopology, connected_parts, feeders_of, supply_path
from tests.capacity.independent_check import Net
from tests.capacity.random_nets import random_net


def line(net, a, b, **options):
    return pp.create_line_from_parameters(net, a, b, 1.0, 0.3, 0.3, 0.0, 0.3, **options)


def substation():
    """110 kV source 0 =T0= busbar 1; feeder A: 1-2-3, feeder B: 1-4-5, tie 3-5."""
    net = pp.create_empty_network()
    pp.create_buses(net, 1, 110.0)
    pp.create_buses(net, 5, 10.0)
    pp.create_ext_grid(net, 0)
    pp.create_transformer_from_parameters(net, 0, 1, 10.0, 110.0, 10.5, 0.5, 10.0, 10.0, 0.1)
    for a, b in ((1, 2), (2, 3), (1, 4), (4, 5), (3, 5)):
        line(net, a, b)
    return net


def test_path_of_a_radial_bus_ends_below_the_main_transformer():
    net = substation()
    pp.create_switch(net, 3, 4, et="l", closed=False)
    path = supply_path(net, 3)
    assert (path.buses, path.lines, path.trafos) == ((3, 2, 1), (1, 0), (0,))


def test_path_in_a_closed_ring_holds_the_whole_ring():
    path = supply_path(substation(), 3)
    assert set(path.lines) == {0, 1, 2, 3, 4}
    assert set(path.buses) == {1, 2, 3, 4, 5}
    assert path.buses[0] == 3


def test_lateral_off_a_ring_is_not_on_the_path_of_a_ring_bus():
    net = substation()
    spur = pp.create_bus(net, 10.0)
    lateral = line(net, 3, spur)
    assert lateral not in supply_path(net, 5).lines
    assert lateral in supply_path(net, spur).lines


def test_line_open_at_either_end_supplies_nothing():
    for open_at in (2, 3):
        net = substation()
        pp.create_switch(net, open_at, 1, et="l", closed=False)
        assert set(supply_path(net, 3).lines) == {4, 3, 2}


def test_path_ends_at_the_first_source_and_at_the_nearest_main_transformer():
    net = substation()
    medium = pp.create_bus(net, 35.0)
    net.trafo.loc[0, "hv_bus"] = medium
    upper = pp.create_transformer_from_parameters(net, 0, medium, 20.0, 110.0, 36.5, 0.5, 10.0, 10.0, 0.1)
    assert upper not in supply_path(net, 3).trafos
    assert supply_path(net, medium).trafos == (upper,)


def test_parallel_main_transformers_are_both_on_the_path():
    net = substation()
    twin = pp.create_transformer_from_parameters(net, 0, 1, 10.0, 110.0, 10.5, 0.5, 10.0, 10.0, 0.1)
    assert set(supply_path(net, 2).trafos) == {0, twin}


def test_bus_without_a_source_is_unsupplied():
    net = substation()
    lonely = pp.create_bus(net, 10.0)
    net.line.loc[0, "in_service"] = False
    net.line.loc[4, "in_service"] = False
    path = supply_path(net, 3)
    assert not path.is_supplied
    assert path.lines == ()
    assert not supply_path(net, lonely).is_supplied


def test_three_winding_transformer_is_main_for_both_lower_sides():
    net = pp.create_empty_network()
    for kv in (110.0, 35.0, 10.0):
        pp.create_bus(net, kv)
    pp.create_ext_grid(net, 0)
    pp.create_transformer3w_from_parameters(
        net, 0, 1, 2, 110.0, 38.5, 10.5, 10.0, 10.0, 5.0, 10.5, 6.5, 17.5, 0.5, 0.5, 0.6, 12.0, 0.4
    )
    for bus in (1, 2):
        path = supply_path(net, bus)
        assert (path.buses, path.trafo3ws) == ((bus,), (0,))
    pp.create_switch(net, 2, 0, et="t3", closed=False)
    assert not supply_path(net, 2).is_supplied
    assert supply_path(net, 1).is_supplied


def test_feeder_of_a_bus_is_the_first_line_below_the_busbar():
    net = substation()
    pp.create_switch(net, 3, 4, et="l", closed=False)
    section = pp.create_bus(net, 10.0)
    pp.create_switch(net, 1, section, et="b")
    third = line(net, section, pp.create_bus(net, 10.0))
    feeders = feeders_of(net)
    assert feeders.feeder[[2, 3]].tolist() == ["line:0", "line:0"]
    assert feeders.feeder[[4, 5]].tolist() == ["line:2", "line:2"]
    assert feeders.feeder[[1, section]].tolist() == [None, None]
    assert feeders.feeder[net.line.to_bus[third]] == f"line:{third}"
    assert set(feeders.main_element[[2, 5, section]]) == {0}


def test_islands_behind_one_ideal_source_are_independent():
    net = substation()
    other = pp.create_bus(net, 10.0)
    pp.create_transformer_from_parameters(net, 0, other, 10.0, 110.0, 10.5, 0.5, 10.0, 10.0, 0.1)
    assert connected_parts(net, split_at_sources=True) == [[1, 2, 3, 4, 5], [other]]
    assert connected_parts(net) == [[0, 1, 2, 3, 4, 5, other]]


@pytest.mark.parametrize("seed", range(25))
def test_path_equals_the_union_of_all_simple_paths(seed):
    net, _ = random_net(seed)
    topology, independent = SupplyTopology(net), Net(net)
    for bus in net.bus.index[net.bus.in_service]:
        members, is_supplied = independent.supply_path(bus)
        path = topology.path(int(bus))
        found = (
            {("bus", b) for b in path.buses} | {("line", i) for i in path.lines} | {("trafo", i) for i in path.trafos}
        )
        found |= {("trafo3w", i) for i in path.trafo3ws} | {("switch", i) for i in path.switches}
        found |= {("impedance", i) for i in path.impedances}
        assert path.is_supplied == is_supplied
        assert found == members, bus
