"""Transformers above a bus, read from the trees: the supply paths on the graph say what they should be."""

from pathlib import Path

import numpy as np
import pandapower
import pandapower.networks
import pytest

from gridmodel import Limits
from gridmodel.capacity.base_case import solve_base_case
from gridmodel.capacity.upstream import Above, Upstream
from gridmodel.readers.select import read_source
from gridmodel.topology import SupplyTopology
from tests.capacity.radial_nets import radial_net
from tests.capacity.random_nets import random_net

FIXTURES = Path(__file__).parents[2] / "fixtures"


def above_by_paths(net, topology, bus):
    path = topology.path(bus)
    mains = {t for t in path.trafos if net.trafo.vn_lv_kv.at[t] > 1.0}
    return Above(tuple(sorted(set(path.trafos) - mains)), tuple(sorted(mains)))


def in_series():
    """10/0.4 kV, then 0.4/0.23 kV; two transformers in parallel above; one main transformer fed from below."""
    net = pandapower.create_empty_network()
    high, busbar, low, lowest, upper = (pandapower.create_bus(net, kv) for kv in (110.0, 10.0, 0.4, 0.23, 35.0))
    pandapower.create_ext_grid(net, high)
    for _ in range(2):
        pandapower.create_transformer(net, high, busbar, "25 MVA 110/10 kV")
    values = {"vk_percent": 6.0, "vkr_percent": 1.0, "pfe_kw": 1.0, "i0_percent": 0.3, "sn_mva": 0.4}
    pandapower.create_transformer_from_parameters(net, busbar, low, vn_hv_kv=10.0, vn_lv_kv=0.4, **values)
    pandapower.create_transformer_from_parameters(net, low, lowest, vn_hv_kv=0.4, vn_lv_kv=0.23, **values)
    pandapower.create_transformer_from_parameters(net, upper, busbar, vn_hv_kv=35.0, vn_lv_kv=10.0, **values)
    return net


NETS = {
    "in series, parallel and fed from below": in_series,
    "township": lambda: read_source(FIXTURES / "township").net,
    "several levels with rings": pandapower.networks.example_multivoltage,
    **{f"radial {seed}": lambda seed=seed: radial_net(seed)[0] for seed in range(6)},
    **{f"random {seed}": lambda seed=seed: random_net(seed)[0] for seed in range(6)},
}


@pytest.mark.parametrize("name", NETS)
def test_transformers_above_a_bus_are_those_of_its_supply_path(name):
    net = NETS[name]()
    topology = SupplyTopology(net)
    buses = net.bus.index[net.bus.in_service].to_numpy(dtype=np.int64)
    expected = [above_by_paths(net, topology, int(bus)) for bus in buses]
    groups, which = Upstream(solve_base_case(net, Limits())).groups(buses)
    assert [groups[number] for number in which] == expected
