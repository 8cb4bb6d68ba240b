"""Random radial and ringed nets against the independent reading of the contract."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridmodel import open_capacity
from tests.capacity.independent_check import check_row, solve
from tests.capacity.random_nets import random_net

NODES_CHECKED = 2


def check_some_nodes(seed):
    net, limits = random_net(seed)
    base_is_solvable = solve(net)
    rng = random.Random(seed)
    power_factor = rng.choice([0.9, 0.95, 1.0])
    buses = rng.sample(list(net.bus.index[net.bus.in_service]), k=NODES_CHECKED)
    table = open_capacity(net, limits=limits, power_factor=power_factor, buses=buses, confirm="none")
    if base_is_solvable:
        for _, row in table.iterrows():
            check_row(net, row, limits, power_factor)


@settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(seed=st.integers(min_value=0, max_value=10**6))
def test_pandapower_holds_at_the_capacity_and_breaks_one_step_above_on_random_nets(seed):
    check_some_nodes(seed)


@pytest.mark.slow
@settings(max_examples=120, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(seed=st.integers(min_value=10**6, max_value=2 * 10**6))
def test_the_same_on_many_more_random_nets(seed):
    check_some_nodes(seed)
