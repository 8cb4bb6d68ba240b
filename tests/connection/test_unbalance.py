"""Expected values: symmetrical components worked out by hand, and pandapower's own three-phase load flow."""

import cmath
import math
from typing import Any

import numpy as np
import pandapower as pp
import pytest

from gridmodel.catalogue.records import LineType
from gridmodel.connection import ConnectionStudy, TrialNet
from gridmodel.trial_route import TrialRoute
from gridmodel.unbalance import (
    PHASES,
    LowVoltageArea,
    PhaseImpact,
    SinglePhaseLoad,
    ZeroSequence,
    cut_low_voltage_area,
)
from tests.connection.grids import Grid, line_type
from tests.connection.test_assessment import trial

RATIOS = ZeroSequence(r0_ratio=4.0, x0_ratio=3.5)
AGREEMENT_RATIO = 2e-5
"""The two programs agree to this in voltage unbalance (0.002 %) and in phase voltages (pu)."""
POINT = 4


def service() -> LineType:
    return line_type(
        u_class="lv", r20_ohm_per_km=1.2, x_ohm_per_km=0.1, r0_ohm_per_km=4.8, x0_ohm_per_km=0.349, c_nf_per_km=0.0
    )


def village(*, ideal: bool = False, told: bool = False) -> Grid:
    """A 200 kVA transformer, two lines of 200 m one behind the other, a branch; loads balanced, or by phase (told)."""
    grid = Grid()
    source = grid.bus("source", 10.0, 0, 0)
    board = grid.bus("lv_board", 0.4, 0, 5)
    middle, side, point = (grid.bus("lv_pole", 0.4, east, north) for east, north in ((200, 0), (200, 90), (400, 0)))
    grid.source(source)
    grid.trafo(source, board, 1e5 if ideal else 200.0, "public")
    grid.net.trafo["shift_degree"], grid.net.trafo["vector_group"] = 330.0, "Dyn11"
    if ideal:
        grid.net.trafo[["pfe_kw", "i0_percent", "vkr_percent", "vk_percent"]] = [0.0, 0.0, 0.01, 0.02]
    lv = {"r_ohm_per_km": 0.253, "x_ohm_per_km": 0.08, "c_nf_per_km": 0.0}
    for a, b, length_km in ((board, middle, 0.2), (middle, side, 0.09), (middle, point, 0.2)):
        grid.line(a, b, length_km, **lv)
    if not ideal:
        grid.load(middle, 30.0, 10.0)
        grid.load(side, 15.0, 5.0)
    if told:
        pp.create_asymmetric_load(grid.net, side, p_a_mw=0.012, p_b_mw=0.004, q_a_mvar=0.003, q_b_mvar=0.001)
    return grid


def connected(grid: Grid) -> tuple[TrialNet, TrialRoute]:
    asked = trial(bus=POINT, route_length_km=0.03, line_type=service(), p_kw=8.0, q_kvar=2.0, is_single_phase=True)
    net = ConnectionStudy(grid.snapshot(), in_flight_coincidence_ratio=1.0).connect(asked)
    assert net is not None
    return net, asked.route


def area_of(grid: Grid) -> LowVoltageArea:
    found = cut_low_voltage_area(*connected(grid), RATIOS)
    assert found is not None
    return found


def loads(**changes: float) -> list[SinglePhaseLoad]:
    return [SinglePhaseLoad(phase=phase, **({"p_kw": 8.0, "q_kvar": 2.0} | changes)) for phase in PHASES]


def impacts(grid: Grid, wanted: list[SinglePhaseLoad]) -> list[PhaseImpact]:
    found = area_of(grid).compute_impacts(wanted)
    assert all(found)
    return [impact for impact in found if impact is not None]


def test_one_load_on_one_line_has_the_closed_form() -> None:
    """Ideal source: the phase sees Z1 = Z2 and Z0 in series, so U2 = Z2 I/3, U1 = E - Z1 I/3; r0 4, x0 3.5 times."""
    z1 = 0.4 * complex(0.253, 0.08)
    z0 = 0.4 * complex(4 * 0.253, 3.5 * 0.08)
    z_route = 0.03 * (2 * complex(1.2, 0.1) + complex(4.8, 0.349)) / 3
    e, s = 400.0 / math.sqrt(3.0), complex(8000.0, 2000.0)
    u = complex(e)
    for _ in range(200):
        current = (s / u).conjugate()
        u = e - ((2 * z1 + z0) / 3 + z_route) * current
    unbalance = abs(z1 * current / 3) / abs(e - z1 * current / 3)
    step = 1.0 - abs(e - (2 * z1 + z0) / 3 * current) / e
    for impact in impacts(village(ideal=True), loads()):
        assert impact.unbalance_ratio == pytest.approx(unbalance, rel=1e-4)
        assert impact.added_unbalance_ratio == pytest.approx(unbalance, rel=1e-4)
        assert impact.step_pu == pytest.approx(step, rel=1e-4)


def three_phase_net(grid: Grid, load: SinglePhaseLoad | None) -> Any:
    """The same area typed in for pandapower: zero sequence and source data it needs, the customer on one phase."""
    net = pp.toolbox.select_subnet(grid.net, list(grid.net.bus.index))
    net.ext_grid["s_sc_max_mva"], net.ext_grid["rx_max"] = 1e7, 0.1
    net.ext_grid["x0x_max"], net.ext_grid["r0x0_max"] = 1.0, 0.1
    net.trafo["vector_group"] = "Dyn"
    net.trafo["vk0_percent"], net.trafo["vkr0_percent"] = net.trafo.vk_percent, net.trafo.vkr_percent
    net.trafo["mag0_percent"], net.trafo["mag0_rx"], net.trafo["si0_hv_partial"] = 1e6, 0.0, 0.9
    net.line["r0_ohm_per_km"], net.line["x0_ohm_per_km"] = 4.0 * net.line.r_ohm_per_km, 3.5 * net.line.x_ohm_per_km
    net.line["c0_nf_per_km"] = net.line.c_nf_per_km
    end = pp.create_bus(net, 0.4)
    pp.create_line_from_parameters(
        net, POINT, end, 0.03, 1.2, 0.1, 0.0, 0.1, r0_ohm_per_km=4.8, x0_ohm_per_km=0.349, c0_nf_per_km=0.0
    )
    if load is not None:
        p_mw, q_mvar = load.p_kw / 1e3, load.q_kvar / 1e3
        phase = load.phase.lower()
        pp.create_asymmetric_load(net, end, **{f"p_{phase}_mw": p_mw, f"q_{phase}_mvar": q_mvar})
    pp.runpp_3ph(net, numba=False, calculate_voltage_angles=True, max_iteration=200, tolerance_mva=1e-8)
    return net


@pytest.mark.parametrize("told", [False, True], ids=["balanced loads", "loads by phase"])
def test_two_programs_agree_on_every_phase(told: bool) -> None:
    grid = village(told=told)
    before = three_phase_net(grid, None).res_bus_3ph.loc[POINT]
    for load, impact in zip(loads(), impacts(grid, loads()), strict=True):
        after = three_phase_net(grid, load).res_bus_3ph.loc[POINT]
        column = f"vm_{load.phase.lower()}_pu"
        assert impact.unbalance_ratio == pytest.approx(after.unbalance_percent / 100.0, abs=AGREEMENT_RATIO)
        assert impact.step_pu == pytest.approx(before[column] - after[column], abs=AGREEMENT_RATIO)
        changed = abs(negative(after) - negative(before)) / abs(positive(after))
        assert impact.added_unbalance_ratio == pytest.approx(changed, abs=AGREEMENT_RATIO)


def phasors(row: Any) -> list[complex]:
    return [row[f"vm_{p}_pu"] * cmath.exp(1j * math.radians(row[f"va_{p}_degree"])) for p in "abc"]


def positive(row: Any) -> complex:
    a = cmath.exp(2j * math.pi / 3)
    u = phasors(row)
    return (u[0] + a * u[1] + a**2 * u[2]) / 3


def negative(row: Any) -> complex:
    a = cmath.exp(2j * math.pi / 3)
    u = phasors(row)
    return (u[0] + a**2 * u[1] + a * u[2]) / 3


def test_loads_are_summed_by_phase_only_where_one_tells_its_phase() -> None:
    """45 kW balanced in thirds, and 12 and 4 kW on A and B."""
    assert area_of(village()).load_kw_by_phase is None
    assert area_of(village(told=True)).load_kw_by_phase == pytest.approx((27.0, 19.0, 15.0))


def test_the_phase_with_the_least_load_is_the_least_unbalanced_one() -> None:
    found = impacts(village(told=True), loads())
    assert min(found, key=lambda impact: impact.unbalance_ratio).phase == "C"


def test_a_starting_motor_is_an_impedance_beside_the_load() -> None:
    """The closed form of one line, now with U = E Z / (Z + Zl); 6 kVA at nominal voltage, power factor 0.3."""
    z_line = 0.4 * complex(2 * 0.253 + 4 * 0.253, (2 + 3.5) * 0.08) / 3
    z_route = 0.03 * (2 * complex(1.2, 0.1) + complex(4.8, 0.349)) / 3
    e = 400.0 / math.sqrt(3.0)
    z_motor = e**2 / 6000.0 * complex(0.3, math.sqrt(1 - 0.09))
    current = e / (z_line + z_route + z_motor)
    wanted = loads(p_kw=0.0, q_kvar=0.0, start_kva=6.0, power_factor=0.3)
    for impact in impacts(village(ideal=True), wanted):
        assert impact.step_pu == pytest.approx(1.0 - abs(e - z_line * current) / e, rel=1e-4)


def test_what_cannot_be_carried_has_no_impact() -> None:
    """400 kW on one phase behind 0.2 ohm at 231 V has no solution."""
    assert area_of(village()).compute_impacts(loads(p_kw=400.0)) == (None, None, None)


@pytest.mark.parametrize("change", ["two transformers", "star-star", "motor"])
def test_an_area_that_is_not_one_tree_below_a_delta_wye_transformer_is_not_modelled(change: str) -> None:
    grid = village()
    if change == "two transformers":
        grid.trafo(0, 2, 200.0, "public")
        grid.net.trafo["shift_degree"] = 330.0
    elif change == "star-star":
        grid.net.trafo["shift_degree"], grid.net.trafo["vector_group"] = 0.0, "Yyn0"
    else:
        grid.pp.create_motor(grid.net, 3, pn_mech_mw=0.01, cos_phi=0.85)
    assert cut_low_voltage_area(*connected(grid), RATIOS) is None


def test_switches_taps_and_parallel_units_are_those_of_the_balanced_load_flow() -> None:
    """With all loads balanced the three-phase voltage before the customer is that of the balanced load flow."""
    grid = village()
    net = grid.net
    net.trafo["parallel"] = 2
    net.trafo["tap_side"], net.trafo["tap_neutral"], net.trafo["tap_pos"] = "hv", 0.0, -1.0
    net.trafo["tap_step_percent"], net.trafo["tap_changer_type"] = 2.5, "Ratio"
    other = grid.bus("branch_box", 0.4, 0, 6)
    pp.create_switch(net, 1, other, et="b", closed=True)
    net.line.loc[0, "from_bus"] = other
    third = grid.line(1, POINT, 0.2, r_ohm_per_km=0.1, x_ohm_per_km=0.08, c_nf_per_km=0.0)
    pp.create_switch(net, POINT, third, et="l", closed=False)
    trial_net, route = connected(grid)
    found = cut_low_voltage_area(trial_net, route, RATIOS)
    assert found is not None
    [u_pu] = found._solve([SinglePhaseLoad(phase="A")])
    assert np.abs(u_pu) == pytest.approx([trial_net.net.res_bus.vm_pu[POINT]] * 3, abs=1e-7)
