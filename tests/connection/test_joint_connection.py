"""One customer at two points of the same island: against plain pandapower, and limits only both together break."""

from __future__ import annotations

import copy
from typing import Any

import pandapower as pp
import pytest

from gridmodel.capacity.limits import Limits, VoltageBand
from gridmodel.connection import TrialConnection
from gridmodel.errors import InputError
from gridmodel.joint_connection import JointConnectionStudy
from tests.connection.grids import Grid, line_type

LIMITS = Limits(voltage_bands=(VoltageBand(u_nominal_kv_min=6.0, u_nominal_kv_max=20.0, u_pu_min=0.93, u_pu_max=1.07),))


def two_feeders(*, shared_ka: float = 0.4) -> tuple[Grid, int, int, int]:
    """Source - shared line - busbar, with a feeder of one line each to the east and to the west."""
    grid = Grid()
    head, bar = grid.bus("node", 10.0, 0, 8000), grid.bus("substation_busbar", 10.0, 0, 4000)
    east, west = grid.bus("pole", 10.0, 500, 0, feeder_id="E"), grid.bus("pole", 10.0, -500, 0, feeder_id="W")
    grid.source(head, vm_pu=1.02)
    shared = grid.line(head, bar, 4.0, max_i_ka=shared_ka)
    grid.line(bar, east, 3.0)
    west_line = grid.line(bar, west, 5.0)
    grid.load(east, 500.0, 100.0)
    grid.load(west, 300.0, 80.0)
    return grid, east, west_line, shared


def trial(p_kw: float, **place: Any) -> TrialConnection:
    return TrialConnection(route_length_km=0.5, line_type=line_type(), p_kw=p_kw, q_kvar=p_kw / 3.0, **place)


def study(grid: Grid) -> JointConnectionStudy:
    return JointConnectionStudy(grid.snapshot(), in_flight_coincidence_ratio=1.0)


def connect(net: Any, bus: int, p_kw: float) -> int:
    customer = int(pp.create_bus(net, 10.0))
    kind = line_type()
    pp.create_line_from_parameters(
        net, bus, customer, 0.5, kind.r20_ohm_per_km, kind.x_ohm_per_km, kind.c_nf_per_km, kind.rating_a / 1e3
    )
    pp.create_load(net, customer, p_kw / 1e3, p_kw / 3e3)
    return customer


def test_two_loads_of_one_island_are_solved_together() -> None:
    """A bus on the east feeder and a tee in the middle of the west one, built again by hand."""
    grid, east, west_line, _ = two_feeders()
    trials = [trial(600.0, bus=east), trial(900.0, line=west_line, fraction_along=0.5)]
    found = study(grid).assess_together(trials, limits=LIMITS)
    net = copy.deepcopy(grid.net)
    row = net.line.loc[west_line]
    tee = int(pp.create_bus(net, 10.0))
    rest = {"r_ohm_per_km": 0.2, "x_ohm_per_km": 0.35, "c_nf_per_km": 10.0, "max_i_ka": 0.4, "length_km": 2.5}
    pp.create_line_from_parameters(net, tee, int(row.to_bus), **rest)
    net.line.loc[west_line, ["to_bus", "length_km"]] = [tee, 2.5]
    customers = [connect(net, east, 600.0), connect(net, tee, 900.0)]
    pp.runpp(net, numba=False, tolerance_mva=1e-9)
    for verdict, customer in zip(found, customers, strict=True):
        assert verdict.is_within_limits
        assert verdict.u_pu_customer == pytest.approx(net.res_bus.vm_pu[customer], abs=1e-8)
        on_path = [0, customer - customers[0] + 1]  # the shared line and the feeder's own
        heaviest = net.res_line.loading_percent[[*on_path, *net.line.index[net.line.to_bus == customer]]].max() / 100.0
        assert verdict.line_loading_ratio_max == pytest.approx(heaviest, abs=1e-6)


def test_losses_and_profile_tell_what_changes_by_both() -> None:
    grid, east, west_line, _ = two_feeders()
    found = study(grid).assess_together(
        [trial(600.0, bus=east), trial(900.0, line=west_line, fraction_along=0.5)], limits=LIMITS
    )
    assert found[0].losses_kw == pytest.approx(found[1].losses_kw)
    for verdict in found:
        assert verdict.voltage_profile[-1]["element_id"] == "customer"
        assert verdict.voltage_profile[-1]["u_pu_before"] is None
        assert all(row["u_pu_after"] < row["u_pu_before"] for row in verdict.voltage_profile[1:-1])


def test_a_line_that_carries_either_but_not_both_is_named_for_both() -> None:
    """The shared line may carry 0.8 x 0.1 kA x sqrt(3) x 10.2 kV = 1413 kVA: some 830 before, 1250 with one of them."""
    grid, east, west_line, shared = two_feeders(shared_ka=0.1)
    trials = [trial(400.0, bus=east), trial(400.0, line=west_line, fraction_along=0.5)]
    one = study(grid)
    assert all(one.assess(each, limits=LIMITS).is_within_limits for each in trials)
    found = one.assess_together(trials, limits=LIMITS)
    assert [(verdict.limit_kind, verdict.limit_element_id) for verdict in found] == [("line_loading", f"L{shared}")] * 2


def test_points_of_different_islands_are_assessed_one_by_one() -> None:
    grid, east, _, _ = two_feeders()
    other, far = grid.bus("node", 10.0, 0, -8000), grid.bus("pole", 10.0, 0, -900, feeder_id="S")
    grid.source(other, vm_pu=1.01)
    grid.line(other, far, 2.0)
    one = study(grid)
    trials = [trial(600.0, bus=far), trial(900.0, bus=east)]
    assert one.assess_together(trials, limits=LIMITS) == tuple(one.assess(each, limits=LIMITS) for each in trials)


def test_loads_the_island_feeds_singly_but_not_together_have_no_solution() -> None:
    grid, east, west_line, _ = two_feeders()
    trials = [trial(6500.0, bus=east), trial(6500.0, line=west_line, fraction_along=0.01)]
    one = study(grid)
    assert all(one.assess(each, limits=LIMITS).limit_kind == "line_loading" for each in trials)
    net = copy.deepcopy(grid.net)
    connect(net, east, 6500.0)
    connect(net, int(net.line.from_bus[west_line]), 6500.0)
    with pytest.raises(pp.LoadflowNotConverged):
        pp.runpp(net, numba=False, max_iteration=50)
    found = one.assess_together(trials, limits=LIMITS)
    assert [(verdict.limit_kind, verdict.is_within_limits) for verdict in found] == [("convergence", False)] * 2


def test_two_tees_on_one_line_are_refused() -> None:
    grid, _, west_line, _ = two_feeders()
    trials = [trial(100.0, line=west_line, fraction_along=at) for at in (0.3, 0.6)]
    with pytest.raises(InputError, match="same line"):
        study(grid).assess_together(trials, limits=LIMITS)
