"""Expected values: nets built by hand with pandapower's own functions, closed forms, IEC 60909 by hand."""

import json
import math

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridmodel.capacity.limits import Limits, VoltageBand
from gridmodel.connection import ConnectionAssessment, ConnectionStudy, TrialConnection
from gridmodel.islands import Islands
from gridmodel.net import copy_net, element_tables, run_load_flow
from gridmodel.snapshot import Snapshot
from gridmodel.trial_net import split_line
from tests.connection.grids import Grid, line_type

BANDS = (
    VoltageBand(u_nominal_kv_min=6.0, u_nominal_kv_max=20.0, u_pu_min=0.93, u_pu_max=1.07),
    VoltageBand(u_nominal_kv_min=0.0, u_nominal_kv_max=1.0, u_pu_min=0.8835, u_pu_max=1.0165),
)
LIMITS = Limits(voltage_bands=BANDS)


def radial() -> Grid:
    """110 kV source - main transformer 10 MVA - 2 km - 3 km line at 10 kV, another island beside it."""
    grid = Grid()
    source, busbar = grid.bus("source", 110.0, 0, 0), grid.bus("substation_busbar", 10.0, 0, 10)
    first, last = grid.bus("pole", 10.0, 2000, 0), grid.bus("pole", 10.0, 5000, 0)
    grid.source(source)
    grid.trafo(source, busbar, 10_000.0, "main")
    grid.line(busbar, first, 2.0)
    grid.line(first, last, 3.0)
    grid.load(first, 1000.0, 300.0)
    grid.load(last, 800.0, 200.0)
    other, end = grid.bus("source", 10.0, 9000, 0), grid.bus("pole", 10.0, 9000, 500)
    grid.source(other)
    far = grid.line(other, end, 1.0)
    grid.load(end, 500.0)
    tie = grid.line(last, end, 1.5)
    grid.pp.create_switch(grid.net, end, tie, et="l", closed=False)
    assert far == 2
    return grid


def trial(**changes: object) -> TrialConnection:
    values: dict[str, object] = {
        "bus": 3, "route_length_km": 0.5, "line_type": line_type(), "p_kw": 600.0, "q_kvar": 200.0,
    }  # fmt: skip
    return TrialConnection(**(values | changes))  # type: ignore[arg-type]


def assess_connection(
    snapshot: Snapshot, connection: TrialConnection, *, limits: Limits, in_flight_coincidence_ratio: float
) -> ConnectionAssessment:
    study = ConnectionStudy(snapshot, in_flight_coincidence_ratio=in_flight_coincidence_ratio)
    return study.assess(connection, limits=limits)


def by_hand(
    snapshot: Snapshot, bus: int, *, p_kw: float = 600.0, q_kvar: float = 200.0
) -> tuple[pp.pandapowerNet, int]:
    net = copy_net(snapshot.net)
    end = pp.create_bus(net, float(net.bus.vn_kv[bus]))
    pp.create_line_from_parameters(net, bus, end, 0.5, 0.253, 0.35, 10.0, 0.3)
    pp.create_load(net, end, p_kw / 1e3, q_kvar / 1e3)
    run_load_flow(net)
    return net, int(end)


def losses_kw(net: pp.pandapowerNet) -> float:
    return float(net.res_line.pl_mw.sum() + net.res_trafo.pl_mw.sum()) * 1e3


def test_assessment_equals_the_whole_net_built_by_hand() -> None:
    snapshot = radial().snapshot()
    result = assess_connection(snapshot, trial(), limits=LIMITS, in_flight_coincidence_ratio=1.0)
    before = copy_net(snapshot.net)
    run_load_flow(before)
    net, end = by_hand(snapshot, 3)
    assert result.is_within_limits
    assert result.u_pu_customer == pytest.approx(net.res_bus.vm_pu[end], abs=1e-9)
    assert result.u_pu_min == pytest.approx(net.res_bus.vm_pu[[1, 2, 3, end]].min(), abs=1e-9)
    assert result.u_pu_max == pytest.approx(net.res_bus.vm_pu[[1, 2, 3, end]].max(), abs=1e-9)
    assert result.line_loading_ratio_max == pytest.approx(net.res_line.loading_percent[[0, 1, 4]].max() / 100, abs=1e-9)
    assert result.transformer_loading_ratio_max == pytest.approx(net.res_trafo.loading_percent[0] / 100, abs=1e-9)
    assert result.losses_kw == pytest.approx(losses_kw(net) - losses_kw(before), abs=1e-4)
    assert result.element_ids == ("N3", "L1", "L0", "T0")


def test_split_line_equals_a_net_with_the_extra_bus_built_by_hand() -> None:
    snapshot = radial().snapshot()
    result = assess_connection(
        snapshot, trial(bus=None, line=1, fraction_along=0.4), limits=LIMITS, in_flight_coincidence_ratio=1.0
    )
    net = copy_net(snapshot.net)
    tee = pp.create_bus(net, 10.0)
    net.line.loc[1, ["to_bus", "length_km"]] = [tee, 1.2]
    pp.create_line_from_parameters(net, tee, 3, 1.8, 0.2, 0.35, 10.0, 0.4)
    end = pp.create_bus(net, 10.0)
    pp.create_line_from_parameters(net, tee, end, 0.5, 0.253, 0.35, 10.0, 0.3)
    pp.create_load(net, end, 0.6, 0.2)
    run_load_flow(net)
    assert result.u_pu_customer == pytest.approx(net.res_bus.vm_pu[end], abs=1e-9)
    assert result.u_pu_min == pytest.approx(net.res_bus.vm_pu[[1, 2, tee, end]].min(), abs=1e-9)
    assert result.line_loading_ratio_max == pytest.approx(net.res_line.loading_percent[[0, 1, 5]].max() / 100, abs=1e-9)
    assert result.element_ids == ("L1", "L0", "T0")


def test_switch_at_the_far_end_stays_there_when_the_line_is_split() -> None:
    grid = radial()
    net = grid.net
    bus, other = split_line(net, 3, 0.25)
    assert net.line.loc[[3, other], ["from_bus", "to_bus"]].to_numpy().tolist() == [[3, bus], [bus, 5]]
    assert net.line.length_km[[3, other]].tolist() == pytest.approx([0.375, 1.125])
    assert net.switch[["bus", "element"]].to_numpy().tolist() == [[5, other]]


def test_geometry_is_cut_from_the_from_bus_whichever_way_it_was_drawn() -> None:
    for drawn in ([[114.5, 33.0], [114.6, 33.0]], [[114.6, 33.0], [114.5, 33.0]]):
        net = radial().net
        net.bus["geo"] = None
        net.bus.at[2, "geo"] = json.dumps({"type": "Point", "coordinates": [114.5, 33.0]})
        net.line["geo"] = None
        net.line.at[1, "geo"] = json.dumps({"type": "LineString", "coordinates": drawn})
        bus, other = split_line(net, 1, 0.25)
        assert json.loads(net.bus.geo[bus])["coordinates"][0] == pytest.approx(114.525, abs=1e-6)
        assert json.loads(net.line.geo[1])["coordinates"][0] == [114.5, 33.0]
        assert json.loads(net.line.geo[other])["coordinates"][-1] == [114.6, 33.0]


def test_tee_on_a_line_open_at_its_far_end_is_supplied_from_the_other() -> None:
    snapshot = radial().snapshot()
    result = assess_connection(
        snapshot, trial(bus=None, line=3, fraction_along=0.5), limits=LIMITS, in_flight_coincidence_ratio=1.0
    )
    assert result.is_within_limits
    assert result.element_ids == ("L3", "L1", "L0", "T0")


def test_overload_names_the_element_and_the_kind() -> None:
    # 0.4 kA * 0.8 * sqrt(3) * 10 kV = 5.54 MVA: 4.5 MW more on the first line break the line, not the transformer.
    snapshot = radial().snapshot()
    limits = Limits(voltage_bands=())
    result = assess_connection(
        snapshot, trial(p_kw=4500.0, q_kvar=0.0, parallel=2), limits=limits, in_flight_coincidence_ratio=1.0
    )
    net, _ = by_hand(snapshot, 3, p_kw=4500.0, q_kvar=0.0)
    assert net.res_line.loading_percent[0] > 80.0
    assert (result.is_within_limits, result.limit_kind, result.limit_element_id) == (False, "line_loading", "L0")


def test_voltage_limit_at_the_customers_end_counts() -> None:
    snapshot = radial().snapshot()
    result = assess_connection(snapshot, trial(route_length_km=30.0), limits=LIMITS, in_flight_coincidence_ratio=1.0)
    assert (result.is_within_limits, result.limit_kind, result.limit_element_id) == (False, "voltage_low", "customer")


def test_load_that_no_solution_can_carry_is_convergence() -> None:
    snapshot = radial().snapshot()
    result = assess_connection(snapshot, trial(p_kw=900_000.0), limits=LIMITS, in_flight_coincidence_ratio=1.0)
    assert (result.is_within_limits, result.limit_kind) == (False, "convergence")
    assert math.isnan(result.u_pu_min)


def test_bus_without_supply_is_unsupplied() -> None:
    grid = radial()
    lonely = grid.bus("pole", 10.0, 0, 900)
    result = assess_connection(grid.snapshot(), trial(bus=lonely), limits=LIMITS, in_flight_coincidence_ratio=1.0)
    assert (result.is_within_limits, result.limit_kind) == (False, "unsupplied")


def test_in_flight_load_is_connected_with_its_coincidence() -> None:
    grid = radial()
    grid.in_flight.append({"commitment_id": "c", "bus": 3, "capacity_kva": 1000.0, "power_factor": 0.95})
    snapshot = grid.snapshot()
    result = assess_connection(snapshot, trial(), limits=LIMITS, in_flight_coincidence_ratio=0.5)
    net, end = by_hand(snapshot, 3)
    pp.create_load(net, 3, 0.475, 0.5 * math.sin(math.acos(0.95)))
    run_load_flow(net)
    assert result.u_pu_customer == pytest.approx(net.res_bus.vm_pu[end], abs=1e-9)
    without = assess_connection(snapshot, trial(in_flight=False), limits=LIMITS, in_flight_coincidence_ratio=0.5)
    assert without.u_pu_customer == pytest.approx(by_hand(snapshot, 3)[0].res_bus.vm_pu[end], abs=1e-9)


def test_single_phase_route_drops_twice_the_phase_current_times_its_impedance() -> None:
    # Stiff 0.4 kV source: U1 - U2 = 2 Z I, I = P/U2 on one phase (closed form, resistive route).
    grid = Grid()
    board = grid.bus("lv_board", 0.4, 0, 0)
    grid.source(board)
    grid.load(board, 1.0)
    kind = line_type(u_class="lv", r20_ohm_per_km=1.2, x_ohm_per_km=0.0, c_nf_per_km=0.0, rating_a=100.0)
    result = assess_connection(
        grid.snapshot(),
        trial(bus=board, route_length_km=0.05, line_type=kind, p_kw=8.0, q_kvar=0.0, is_single_phase=True),
        limits=Limits(),
        in_flight_coincidence_ratio=1.0,
    )
    u1, drop_ohm = 400.0 / math.sqrt(3.0), 2 * 1.2 * 0.05
    u2 = (u1 + math.sqrt(u1**2 - 4 * drop_ohm * 8000.0)) / 2
    assert result.u_pu_customer == pytest.approx(u2 / u1, abs=1e-9)
    assert result.line_loading_ratio_max == pytest.approx(8000.0 / u2 / 100.0, rel=1e-6)
    assert result.losses_kw == pytest.approx(drop_ohm * (8000.0 / u2) ** 2 / 1e3, rel=1e-6)


def test_short_circuit_current_equals_iec_60909_by_hand() -> None:
    snapshot = radial().snapshot()
    result = assess_connection(snapshot, trial(), limits=LIMITS, in_flight_coincidence_ratio=1.0)
    c_max = 1.1
    z_source = c_max * 110.0**2 / 500.0
    x_source = z_source / math.sqrt(1 + 0.1**2)
    z = complex(0.1 * x_source, x_source) * (10.0 / 110.0) ** 2
    r_t, z_t = 0.01, 0.04
    x_t = math.sqrt(z_t**2 - r_t**2)
    k_t = 0.95 * c_max / (1 + 0.6 * x_t)
    z += complex(r_t, x_t) * 10.0**2 / 10.0 * k_t
    z += 5.0 * complex(0.2, 0.35)
    assert result.ik3_ka == pytest.approx(c_max * 10.0 / (math.sqrt(3) * abs(z)), rel=1e-6)


def test_short_circuit_current_is_not_known_without_source_data() -> None:
    grid = radial()
    grid.net.ext_grid.loc[0, "s_sc_max_mva"] = np.nan
    result = assess_connection(grid.snapshot(), trial(), limits=LIMITS, in_flight_coincidence_ratio=1.0)
    assert result.ik3_ka is None
    assert result.is_within_limits


def test_profile_runs_from_the_main_transformer_to_the_customer() -> None:
    snapshot = radial().snapshot()
    result = assess_connection(snapshot, trial(), limits=LIMITS, in_flight_coincidence_ratio=1.0)
    before = copy_net(snapshot.net)
    run_load_flow(before)
    net, end = by_hand(snapshot, 3)
    assert [row["element_id"] for row in result.voltage_profile] == ["N1", "N2", "N3", "customer"]
    assert [row["distance_km"] for row in result.voltage_profile] == pytest.approx([0.0, 2.0, 5.0, 5.5])
    assert [row["u_pu_before"] for row in result.voltage_profile[:3]] == pytest.approx(
        before.res_bus.vm_pu[1:4].tolist()
    )
    assert result.voltage_profile[3]["u_pu_before"] is None
    assert [row["u_pu_after"] for row in result.voltage_profile] == pytest.approx(
        net.res_bus.vm_pu[[1, 2, 3, end]].tolist(), abs=1e-9
    )


def test_island_is_cut_off_with_the_lines_that_hang_on_it() -> None:
    snapshot = radial().snapshot()
    whole = copy_net(snapshot.net)
    run_load_flow(whole)
    islands = Islands(snapshot.net)
    part = islands.cut(islands.label(3))
    assert part.line.index.tolist() == [0, 1, 3]
    assert part.load.bus.tolist() == [2, 3]
    assert len(part.ext_grid) == 1
    run_load_flow(part)
    assert part.res_bus.vm_pu[[1, 2, 3]].tolist() == pytest.approx(whole.res_bus.vm_pu[[1, 2, 3]].tolist(), abs=1e-12)


def test_snapshot_is_not_changed_and_the_base_is_solved_once() -> None:
    snapshot = radial().snapshot()
    before = {name: frame.copy(deep=True) for name, frame in element_tables(snapshot.net).items()}
    study = ConnectionStudy(snapshot, in_flight_coincidence_ratio=1.0)
    base = study.get_base(3, in_flight=True)
    assert base is not None
    voltages = base.res_bus.copy()
    first = study.assess(trial(), limits=LIMITS)
    study.assess(trial(bus=None, line=1, fraction_along=0.4), limits=LIMITS)
    pd.testing.assert_frame_equal(base.res_bus, voltages)
    assert study.get_base(2, in_flight=True) is base
    assert study.assess(trial(), limits=LIMITS).u_pu_min == pytest.approx(first.u_pu_min, abs=1e-12)
    after = element_tables(snapshot.net)
    assert before.keys() == after.keys()
    for name, frame in before.items():
        pd.testing.assert_frame_equal(frame, after[name])
    assert not len(snapshot.net.res_bus)


@pytest.mark.parametrize(
    "changes",
    [
        {"bus": None},
        {"line": 1},
        {"bus": None, "line": 1, "fraction_along": 1.0},
        {"route_length_km": 0.0},
        {"parallel": 0},
    ],
)
def test_impossible_trial_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        trial(**changes)
