"""Bounds against load flows of the same nets, end voltages against a net of two buses, paths against a fresh graph."""

import math

import numpy as np
import pandapower as pp
import pytest

from gridmodel.capacity.limits import Limits
from gridmodel.connection import ConnectionStudy, TrialConnection
from gridmodel.net import copy_net, run_load_flow
from gridmodel.snapshot import Snapshot
from gridmodel.topology import SupplyTopology, supply_path
from gridmodel.trial_net import split_line
from gridmodel.trial_route import TrialRoute
from tests.connection.grids import Grid, line_type
from tests.connection.test_assessment import LIMITS, radial


def crowded(*, trafo_kva: float = 200.0, load_kw: float = 100.0) -> tuple[Grid, int, int]:
    """10 kV source - 1 km - 10/0.4 kV transformer - board - 50 m - pole; returns grid, board and pole."""
    grid = Grid()
    source, high = grid.bus("substation_busbar", 10.0, 0, 0), grid.bus("station", 10.0, 1000, 0)
    board, pole = grid.bus("lv_board", 0.4, 1000, 10), grid.bus("lv_pole", 0.4, 1050, 0)
    grid.source(source)
    grid.line(source, high, 1.0)
    grid.trafo(high, board, trafo_kva, "public")
    grid.line(board, pole, 0.05)
    grid.load(pole, load_kw, 0.2 * load_kw)
    return grid, board, pole


def study(snapshot: Snapshot) -> ConnectionStudy:
    return ConnectionStudy(snapshot, in_flight_coincidence_ratio=1.0)


def loading_with(grid: Grid, bus: int, p_kw: float, q_kvar: float) -> tuple[float, float]:
    """Transformer and first low-voltage line, by a load flow with the load at the bus itself."""
    net = copy_net(grid.net)
    pp.create_load(net, bus, p_kw / 1e3, q_kvar / 1e3)
    run_load_flow(net)
    return float(net.res_trafo.loading_percent[0]) / 100, float(net.res_line.loading_percent[1]) / 100


@pytest.mark.parametrize("p_kw", [60.0, 90.0, 120.0])
def test_overload_named_without_a_load_flow_is_one_with_it(p_kw: float) -> None:
    # 100 + 60 kW and 20 + 30 kvar are 168 kVA before losses; the limit is 160.
    grid, _, pole = crowded()
    found = study(grid.snapshot()).find_certain_violation(bus=pole, line=None, p_kw=p_kw, q_kvar=30.0, limits=Limits())
    transformer, _ = loading_with(grid, pole, p_kw, 30.0)
    assert found is not None
    assert (found.kind, found.element_id, found.limit) == ("transformer_loading", "T0", 0.8)
    assert 0.8 < found.value <= transformer
    assert found.value == pytest.approx(transformer, rel=0.05)  # losses are the difference


def test_overloaded_line_is_named_with_its_bound() -> None:
    # 0.4 kA * sqrt(3) * 0.4 kV = 277 kVA; the transformer is ten times larger.
    grid, board, pole = crowded(trafo_kva=2500.0)
    found = study(grid.snapshot()).find_certain_violation(bus=pole, line=None, p_kw=160.0, q_kvar=30.0, limits=Limits())
    _, line = loading_with(grid, pole, 160.0, 30.0)
    assert found is not None
    assert (found.kind, found.element_id) == ("line_loading", "L1")
    assert 0.8 < found.value <= line
    at_board = study(grid.snapshot()).find_certain_violation(
        bus=board, line=None, p_kw=160.0, q_kvar=30.0, limits=Limits()
    )
    assert at_board is None


def test_nothing_is_certain_while_the_load_flow_may_hold() -> None:
    grid, _, pole = crowded()
    net = copy_net(grid.net)
    run_load_flow(net)
    p_kw, q_kvar = -1e3 * net.res_trafo.p_lv_mw[0], -1e3 * net.res_trafo.q_lv_mvar[0]
    room_kw = math.sqrt(160.0**2 - q_kvar**2) - p_kw  # to 0.8 of 200 kVA, the further losses left out
    assert loading_with(grid, pole, room_kw, 0.0)[0] > 0.8
    found = study(grid.snapshot()).find_certain_violation(
        bus=pole, line=None, p_kw=room_kw, q_kvar=0.0, limits=Limits()
    )
    assert found is None


def test_under_voltage_that_stands_already_is_certain() -> None:
    grid, _, pole = crowded(load_kw=1200.0, trafo_kva=2500.0)
    net = copy_net(grid.net)
    run_load_flow(net)
    assert net.res_bus.vm_pu[pole] < 0.8835
    found = study(grid.snapshot()).find_certain_violation(
        bus=pole,
        line=None,
        p_kw=1.0,
        q_kvar=0.0,
        limits=Limits(voltage_bands=LIMITS.voltage_bands, line_loading_ratio_max=99.0),
    )
    assert found is not None
    assert (found.kind, found.element_id) == ("voltage_low", f"N{pole}")
    assert found.value == pytest.approx(net.res_bus.vm_pu[pole], abs=1e-9)


def test_generation_in_the_net_leaves_everything_to_the_load_flow() -> None:
    # With 150 kW of generation at the pole the transformer carries the customer.
    grid, _, pole = crowded()
    pp.create_sgen(grid.net, pole, 0.15)
    assert loading_with(grid, pole, 90.0, 30.0)[0] < 0.8
    assert study(grid.snapshot()).find_certain_violation(
        bus=pole, line=None, p_kw=90.0, q_kvar=30.0, limits=Limits()
    ) is None  # fmt: skip


def test_ring_leaves_everything_to_the_load_flow() -> None:
    grid, board, pole = crowded(trafo_kva=2500.0)
    grid.line(board, pole, 0.05)
    assert study(grid.snapshot()).find_certain_violation(
        bus=pole, line=None, p_kw=500.0, q_kvar=30.0, limits=Limits(voltage_bands=())
    ) is None  # fmt: skip


def test_voltage_before_the_customer_is_that_of_the_net() -> None:
    grid, board, pole = crowded()
    net = copy_net(grid.net)
    run_load_flow(net)
    found = study(grid.snapshot())
    assert found.find_voltage_pu(bus=pole, line=None) == pytest.approx(net.res_bus.vm_pu[pole], abs=1e-9)
    assert found.find_voltage_pu(bus=None, line=1) == pytest.approx(net.res_bus.vm_pu[board], abs=1e-9)
    assert found.find_path_length_km(pole) == pytest.approx(0.05)
    lonely = grid.bus("lv_pole", 0.4, 0, 900)
    assert math.isnan(study(grid.snapshot()).find_voltage_pu(bus=lonely, line=None))


@pytest.mark.parametrize(
    ("u_kv", "length_km", "p_kw", "q_kvar", "parallel", "c_nf"),
    [(0.4, 0.25, 20.0, 8.0, 1, 0.0), (10.0, 12.0, 2500.0, 800.0, 2, 250.0), (10.0, 25.0, 10.0, 0.0, 1, 300.0)],
)
def test_end_voltage_equals_a_line_of_two_buses(
    u_kv: float, length_km: float, p_kw: float, q_kvar: float, parallel: int, c_nf: float
) -> None:
    kind = line_type(c_nf_per_km=c_nf)
    net = pp.create_empty_network()
    first, end = pp.create_bus(net, u_kv), pp.create_bus(net, u_kv)
    pp.create_ext_grid(net, first, vm_pu=0.97)
    pp.create_line_from_parameters(net, first, end, length_km, 0.253, 0.35, c_nf, 0.3, parallel=parallel)
    pp.create_load(net, end, p_kw / 1e3, q_kvar / 1e3)
    run_load_flow(net)
    route = TrialRoute(line_type=kind, length_km=length_km, parallel=parallel)
    u_pu = route.end_voltage_pu(0.97, u_nominal_kv=u_kv, p_kw=p_kw, q_kvar=q_kvar, f_hz=50.0)
    assert u_pu == pytest.approx(net.res_bus.vm_pu[end], abs=1e-9)


def test_line_that_cannot_carry_the_load_has_no_end_voltage() -> None:
    route = TrialRoute(line_type=line_type(), length_km=5.0)
    assert route.end_voltage_pu(1.0, u_nominal_kv=0.4, p_kw=200.0, q_kvar=0.0, f_hz=50.0) == 0.0


@pytest.mark.parametrize("line", [0, 1, 3])
def test_path_of_a_tee_is_that_of_a_graph_with_the_line_split(line: int) -> None:
    # Lines 0 and 1 lie one behind the other; line 3 is open at its far end.
    grid = radial()
    connection = TrialConnection(
        bus=None, line=line, fraction_along=0.4, route_length_km=0.5, line_type=line_type(), p_kw=10.0, q_kvar=0.0
    )
    result = study(grid.snapshot()).assess(connection, limits=Limits())
    net = copy_net(grid.net)
    tee, _ = split_line(net, line, 0.4)
    expected = supply_path(net, tee)
    distance_km = {0: 0.4 * 2.0, 1: 2.0 + 0.4 * 3.0, 3: 5.0 + 0.4 * 1.5}[line]
    assert result.voltage_profile[-2]["distance_km"] == pytest.approx(distance_km)
    assert len(result.voltage_profile) == len(expected.buses) + 1
    assert result.element_ids[1:] == tuple([f"L{i}" for i in expected.lines if i in (0, 1, 3) and i != line] + ["T0"])


def test_upper_end_is_where_the_supply_comes_from() -> None:
    net = radial().net
    topology = SupplyTopology(net)
    assert topology.upper_end(0, [1, 2]) == 1
    assert topology.upper_end(1, [2, 3]) == 2
    assert topology.upper_end(3, [3, 5]) is None  # open
    pp.create_line_from_parameters(net, 2, 3, 3.0, 0.2, 0.35, 10.0, 0.4)
    assert SupplyTopology(net).upper_end(1, [2, 3]) is None  # two lines side by side
    assert np.isin(1, SupplyTopology(net).path(3).lines)
