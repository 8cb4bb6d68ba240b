"""Capacity with tap controllers at work, judged by pandapower's own control loop at every load asked about."""

from __future__ import annotations

import copy
import math

import numpy as np
import pandapower as pp
import pandapower.control as control
import pytest

from gridmodel import Limits, VoltageBand, open_capacity
from gridmodel.capacity import tap_control
from gridmodel.capacity.tap_control import GAP_NOTE, open_capacity_with_tap_control
from gridmodel.errors import ConvergenceError, InputError
from tests.capacity.independent_check import Net as Walk
from tests.capacity.independent_check import counted, readings

POWER_FACTOR = 0.95
TAN_PHI = math.tan(math.acos(POWER_FACTOR))
R_OHM_PER_KM, X_OHM_PER_KM = 0.13, 0.35


def band(u_pu_min, u_pu_max):
    return VoltageBand(u_nominal_kv_min=1.0, u_nominal_kv_max=20.0, u_pu_min=u_pu_min, u_pu_max=u_pu_max)


def limits_of(u_pu_min=0.93, u_pu_max=1.07):
    return Limits(
        voltage_bands=(band(u_pu_min, u_pu_max),), line_loading_ratio_max=1.0, main_transformer_loading_ratio_max=1.0
    )


def substation(arms_km=(8.0, 8.0), *, u_source_pu=1.02, tap_pos=0):
    """110/10 kV, steps of 1.25 %; busbar is bus 1, the ends of its arms are buses 2, 3, ... with 1 MW each."""
    net = pp.create_empty_network()
    pp.create_buses(net, 1, 110.0)
    pp.create_buses(net, 1, 10.0)
    pp.create_ext_grid(net, 0, vm_pu=u_source_pu)
    pp.create_transformer_from_parameters(
        net, 0, 1, sn_mva=20.0, vn_hv_kv=110.0, vn_lv_kv=10.5, vk_percent=16.0, vkr_percent=0.5, pfe_kw=0.0,
        i0_percent=0.0, tap_side="hv", tap_neutral=0, tap_pos=tap_pos, tap_min=-8, tap_max=8, tap_step_percent=1.25,
        tap_changer_type="Ratio",
    )  # fmt: skip
    for length_km in arms_km:
        bus = pp.create_bus(net, 10.0)
        pp.create_line_from_parameters(net, 1, bus, length_km, R_OHM_PER_KM, X_OHM_PER_KM, 0.0, 1.0)
        pp.create_load(net, bus, p_mw=1.0, q_mvar=0.3)
    return net


def settled(net, bus, p_kw, direction="load"):
    """A copy at rest with the connection, from the taps at which it rests without one; None without solution."""
    trial = copy.deepcopy(net)
    for is_connected in (False, True):
        if is_connected:
            create = pp.create_load if direction == "load" else pp.create_sgen
            create(trial, bus, p_mw=p_kw / 1e3, q_mvar=p_kw / 1e3 * TAN_PHI)
        try:
            pp.runpp(trial, run_control=True, max_iter=100, trafo_loading="power", max_iteration=50, numba=False)
        except (pp.LoadflowNotConverged, pp.auxiliary.ControllerNotConverged):
            return None
    return trial


def hurt_at(net, bus, p_kw, limits, direction="load"):
    """What counts against the connection with the taps settled at it."""
    trial = settled(net, bus, p_kw, direction)
    if trial is None:
        return {("convergence", None, None)}
    path, _ = Walk(net).supply_path(bus)
    return counted(readings(settled(net, bus, 0.0), limits), readings(trial, limits), path, limits, direction)


@pytest.mark.parametrize("direction", ["load", "generation"])
def test_at_rest_the_value_holds_with_settled_taps_and_breaks_one_step_above(direction):
    net, limits = substation(), limits_of()
    control.DiscreteTapControl(net, 0, 0.99, 1.01)
    row = open_capacity_with_tap_control(
        net, limits=limits, power_factor=POWER_FACTOR, buses=[2], direction=direction
    ).loc[2]
    assert row.notes == ""
    assert not hurt_at(net, 2, row.capacity_kw, limits, direction)
    named = (row.limit_kind, row.limit_table, row.limit_element)
    assert named in hurt_at(net, 2, row.capacity_kw + 10.0, limits, direction)


def test_taps_that_follow_generation_give_more_than_fixed_ones_and_are_counted():
    net, limits = substation(), limits_of()
    control.DiscreteTapControl(net, 0, 1.0, 1.03)
    row = open_capacity_with_tap_control(
        net, limits=limits, power_factor=POWER_FACTOR, buses=[2], direction="generation"
    ).loc[2]
    at_rest, at_value = settled(net, 2, 0.0), settled(net, 2, row.capacity_kw, "generation")
    assert at_value.trafo.tap_pos[0] != at_rest.trafo.tap_pos[0]
    assert row.taps_moved == 1
    assert row.tap_rounds > 1
    fixed = copy.deepcopy(net)
    fixed.trafo["tap_pos"] = at_rest.trafo.tap_pos
    options = {
        "limits": limits,
        "power_factor": POWER_FACTOR,
        "buses": [2],
        "direction": "generation",
        "confirm": "none",
    }
    assert row.capacity_kw > open_capacity(fixed, **options).capacity_kw[2] + 100.0


@pytest.mark.parametrize(("direction", "u_limit_pu"), [("load", 0.93), ("generation", 1.07)])
def test_a_busbar_held_exactly_is_an_ideal_source_for_the_arm(direction, u_limit_pu):
    # With the net load S = p + jq at the arm's end: E^2 = V^2 + 2 (pR + qX) + |Z S|^2 / V^2.
    net, limits = substation(arms_km=(8.0,)), limits_of()
    control.ContinuousTapControl(net, 0, 1.015, tol=1e-7)
    row = open_capacity_with_tap_control(
        net, limits=limits, power_factor=POWER_FACTOR, buses=[2], direction=direction, rounds_max=6
    ).loc[2]
    sign = 1.0 if direction == "load" else -1.0
    z = 8.0 * complex(R_OHM_PER_KM, X_OHM_PER_KM)
    e_kv, v_kv = 10.15, 10.0 * u_limit_pu

    def miss(p_mw):
        s = complex(1.0, 0.3) + sign * p_mw * complex(1.0, TAN_PHI)
        return v_kv**2 + 2.0 * (s * z.conjugate()).real + abs(z * s) ** 2 / v_kv**2 - e_kv**2

    low, high = 0.0, 6.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if sign * miss(middle) < 0.0 else (low, middle)
    assert row.capacity_kw == pytest.approx(1e3 * low, abs=1.0)
    assert row.capacity_kw <= 1e3 * low + 0.1


def test_where_a_step_breaks_a_neighbour_the_value_stays_below_the_step():
    # Arm 3 exports and stands at 1.069 of 1.070 pu. A step of 2.5 % for the load on arm 2 lifts it above, while with
    # 7 MW the busbar has fallen so far that all limits hold again.
    net, limits = substation(arms_km=(3.0, 8.0), u_source_pu=1.0), limits_of()
    net.trafo["tap_step_percent"] = 2.5
    pp.create_sgen(net, 3, p_mw=5.3)
    u_busbar_pu = float(settled(net, 2, 0.0).res_bus.vm_pu[1])
    control.DiscreteTapControl(net, 0, u_busbar_pu - 0.004, u_busbar_pu + 0.03)
    assert not hurt_at(net, 2, 7000.0, limits)
    row = open_capacity_with_tap_control(net, limits=limits, power_factor=POWER_FACTOR, buses=[2]).loc[2]
    assert 1000.0 < row.capacity_kw < 2000.0
    assert not hurt_at(net, 2, row.capacity_kw, limits)
    assert ("voltage_high", "bus", 3) in hurt_at(net, 2, 1.002 * row.capacity_kw + 1.0, limits)
    assert (row.limit_kind, row.limit_table, row.limit_element) == ("voltage_high", "bus", 3)
    assert row.taps_moved == 0
    assert row.notes == GAP_NOTE


def test_a_load_that_is_legal_again_behind_a_step_is_not_the_capacity():
    # The voltage at the end falls below its limit before the busbar leaves its band, where a step lifts both.
    net = substation(arms_km=(0.5,), u_source_pu=0.955, tap_pos=-2)
    control.DiscreteTapControl(net, 0, 1.02, 1.06)
    limits = limits_of(1.02)
    legal = [not hurt_at(net, 2, p_kw, limits) for p_kw in (500.0, 1500.0, 2500.0)]
    assert legal == [True, False, True]
    row = open_capacity_with_tap_control(net, limits=limits, power_factor=POWER_FACTOR, buses=[2]).loc[2]
    assert 500.0 < row.capacity_kw < 1500.0
    assert not hurt_at(net, 2, row.capacity_kw, limits)


def test_without_controllers_it_is_the_capacity_with_the_taps_of_the_net():
    net, limits = substation(), limits_of()
    ours = open_capacity_with_tap_control(net, limits=limits)
    theirs = open_capacity(net, limits=limits, confirm="none")
    assert ours.columns.tolist() == [*theirs.columns, "tap_rounds", "taps_moved"]
    assert ours.capacity_kw.tolist() == theirs.capacity_kw.tolist()
    assert (ours.dtypes[theirs.columns] == theirs.dtypes).all()
    assert set(ours.taps_moved) == {0}


def test_status_of_buses_without_an_answer_is_kept():
    net, limits = substation(), limits_of()
    control.DiscreteTapControl(net, 0, 1.0, 1.03)
    net.line.loc[0, "max_i_ka"] = np.nan
    pp.create_bus(net, 10.0)
    table = open_capacity_with_tap_control(net, limits=limits)
    assert table.status.tolist() == ["assessed", "assessed", "not_assessable", "assessed", "unsupplied"]
    assert table.tap_rounds[[2, 4]].tolist() == [0, 0]
    assert table.attrs["certificate"]["nodes_checked"] == 3


def test_a_net_without_any_source_is_unsupplied():
    net = substation()
    control.DiscreteTapControl(net, 0, 1.0, 1.03)
    net.ext_grid["in_service"] = False
    table = open_capacity_with_tap_control(net, limits=limits_of())
    assert set(table.status) == {"unsupplied"}
    assert table.capacity_kw.isna().all()


def test_net_and_its_controllers_are_not_changed():
    net, limits = substation(), limits_of()
    controller = control.DiscreteTapControl(net, 0, 1.0, 1.03)
    state = copy.deepcopy(controller.__dict__)
    tables = {name: net[name].copy() for name in ("trafo", "load", "sgen", "controller")}
    open_capacity_with_tap_control(net, limits=limits, buses=[2])
    for name, table in tables.items():
        assert net[name].equals(table), name
    assert {k: repr(v) for k, v in controller.__dict__.items()} == {k: repr(v) for k, v in state.items()}


def test_a_controller_of_another_kind_is_refused_by_name():
    net = substation()
    control.ConstControl(net, "load", "p_mw", element_index=[0], profile_name=[0])
    with pytest.raises(InputError) as caught:
        open_capacity_with_tap_control(net, limits=limits_of())
    assert caught.value.context["value"] == "ConstControl"
    net.controller["in_service"] = False
    assert len(open_capacity_with_tap_control(net, limits=limits_of(), buses=[2])) == 1


def test_no_rounds_are_refused():
    with pytest.raises(InputError) as caught:
        open_capacity_with_tap_control(substation(), limits=limits_of(), rounds_max=0)
    assert caught.value.context["field"] == "rounds_max"


def test_controllers_that_hunt_without_any_connection_are_an_error(monkeypatch):
    monkeypatch.setattr(tap_control, "_CONTROL_STEPS_MAX", 10)
    net = substation()
    control.DiscreteTapControl(net, 0, 1.0149, 1.0151)  # narrower than a step
    with pytest.raises(ConvergenceError):
        open_capacity_with_tap_control(net, limits=limits_of())
