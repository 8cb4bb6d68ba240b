"""The base case without Newton's method: pandapower's own result tables say what it should be."""

from pathlib import Path

import numpy as np
import pandapower.networks
import pandas as pd
import pytest

from gridmodel import Limits, VoltageBand
from gridmodel.capacity.base_case import solve_base_case
from gridmodel.capacity.constraints import measure
from gridmodel.net import copy_net, element_tables, internal_tables, run_load_flow
from gridmodel.readers.select import read_source
from tests.capacity.independent_check import solve
from tests.capacity.radial_nets import radial_net
from tests.capacity.random_nets import random_net

FIXTURES = Path(__file__).parents[2] / "fixtures"
BANDS = (VoltageBand(u_nominal_kv_min=0.1, u_nominal_kv_max=400.0, u_pu_min=0.9, u_pu_max=1.1),)
LIMITS = Limits(voltage_bands=BANDS)


def three_winding_net():
    """A 110 kV source over a three-winding transformer with feeders at 20 and 10 kV."""
    net = pandapower.create_empty_network()
    high, middle, low = (pandapower.create_bus(net, kv) for kv in (110.0, 20.0, 10.0))
    far = pandapower.create_bus(net, 20.0)
    pandapower.create_ext_grid(net, high, vm_pu=1.02, va_degree=12.0)
    pandapower.create_transformer3w(net, high, middle, low, "63/25/38 MVA 110/20/10 kV")
    pandapower.create_line(net, middle, far, length_km=6.0, std_type="NA2XS2Y 1x150 RM/25 12/20 kV")
    pandapower.create_load(net, far, p_mw=3.0, q_mvar=1.0)
    pandapower.create_load(net, low, p_mw=9.0, q_mvar=2.0, const_z_p_percent=40.0, const_i_q_percent=30.0)
    pandapower.create_shunt(net, low, q_mvar=-1.5)
    return net


def radial(seed):
    return radial_net(seed)[0]


def fixture(name):
    return read_source(FIXTURES / name).net


NETS = {
    "three windings": three_winding_net,
    "township": lambda: fixture("township"),
    "CIGRE 20 kV": lambda: pandapower.networks.create_cigre_network_mv(with_der=False),
    "Kerber": pandapower.networks.create_kerber_vorstadtnetz_kabel_1,
    **{f"strained {seed}": lambda seed=seed: radial(seed) for seed in range(20)},
}


@pytest.mark.parametrize("name", NETS)
def test_base_case_measures_what_pandapower_measures(name):
    net = NETS[name]()
    peer = copy_net(net)
    if not solve(peer):
        pytest.skip("pandapower has no solution")
    run_load_flow(peer, tolerance_mva=1e-11)
    base = solve_base_case(net, LIMITS)
    expected = measure(peer, base.constraints)
    compared = np.isfinite(expected) & np.isfinite(base.constraints.limits)
    np.testing.assert_allclose(base.values[compared], expected[compared], rtol=0, atol=5e-8)
    u_pu = peer.res_bus.vm_pu.reindex(net.bus.index)
    np.testing.assert_allclose(base.u_pu_of(net.bus.index.to_numpy()), u_pu, rtol=0, atol=5e-8)


def test_radial_net_is_solved_without_newton_and_a_ring_with_it():
    assert solve_base_case(three_winding_net(), LIMITS).solved is None
    ring = pandapower.networks.create_cigre_network_mv(with_der=False)
    ring.switch["closed"] = True
    assert solve_base_case(ring, LIMITS).solved is not None


@pytest.mark.parametrize(
    "make", [three_winding_net, pandapower.networks.example_multivoltage, lambda: random_net(3)[0]]
)
def test_reading_the_internal_tables_changes_nothing_of_the_net(make):
    net = make()
    before = copy_net(net)
    internal_tables(net)
    assert net.keys() == before.keys()
    for name, table in element_tables(before).items():
        pd.testing.assert_frame_equal(net[name], table)
