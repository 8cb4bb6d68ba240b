"""What callers of open_capacity may rely on beside the numbers."""

import copy

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridmodel import Limits, VoltageBand, open_capacity
from gridmodel.capacity import certificate
from gridmodel.capacity.arrays import build_terms, extract_arrays, island_of_limits
from gridmodel.capacity.base_case import solve_base_case
from gridmodel.capacity.batch import BatchEvaluator
from gridmodel.capacity.constraints import measure
from gridmodel.capacity.violations import attributed_violations
from gridmodel.errors import EngineDisagreementError, InputError
from gridmodel.net import run_load_flow
from tests.capacity.cases import load_case, make_net
from tests.capacity.independent_check import Net as Walk
from tests.capacity.independent_check import check_row, counted, readings, solve
from tests.capacity.random_nets import random_net

BAND = VoltageBand(u_nominal_kv_min=0.1, u_nominal_kv_max=20.0, u_pu_min=0.93, u_pu_max=1.07)
LIMITS = Limits(voltage_bands=(BAND,))


def two_arms(**line):
    """Source 0; lines 0-1 and 0-2 of 2 km, bus 2 loaded with 1 MW."""
    section = {
        "length_km": 2.0,
        "r_ohm_per_km": 0.27,
        "x_ohm_per_km": 0.35,
        "c_nf_per_km": 0.0,
        "max_i_ka": 0.3,
        **line,
    }
    return make_net(
        {
            "buses": [{"bus": i, "vn_kv": 10.0} for i in range(3)],
            "ext_grids": [{"bus": 0, "vm_pu": 1.0}],
            "lines": [{"line": i, "from_bus": 0, "to_bus": i + 1, **section} for i in range(2)],
            "loads": [{"bus": 2, "p_mw": 1.0, "q_mvar": 0.2}],
        }
    )


def test_columns_and_order_of_rows_are_those_of_the_contract():
    table = open_capacity(two_arms(), limits=LIMITS, buses=[2, 1])
    assert list(table.columns[:5]) == ["capacity_kw", "status", "limit_kind", "limit_table", "limit_element"]
    assert table.index.tolist() == [2, 1]
    assert table.capacity_kw.dtype == float


@pytest.mark.parametrize("is_solved_before", [False, True])
def test_net_is_not_changed(is_solved_before):
    net, limits = random_net(3)
    if is_solved_before:
        run_load_flow(net)
    before = copy.deepcopy({k: v for k, v in net.items() if isinstance(v, pd.DataFrame)})
    open_capacity(net, limits=limits, confirm_nodes=2)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(net[name], frame, obj=name)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"power_factor": 0.0}, "power_factor"),
        ({"power_factor": 1.01}, "power_factor"),
        ({"power_factor": float("nan")}, "power_factor"),
        ({"buses": [1, 99]}, "buses"),
        ({"ceiling_kw": 0.0}, "ceiling_kw"),
        ({"confirm": "maybe"}, "confirm"),
    ],
)
def test_wrong_argument_is_refused_by_name(options, field):
    with pytest.raises(InputError) as caught:
        open_capacity(two_arms(), limits=LIMITS, **options)
    assert caught.value.context["field"] == field


@pytest.mark.parametrize("rating", [float("nan"), 0.0])
def test_bus_behind_an_unrated_line_is_not_assessable_and_others_are(rating):
    net = two_arms()
    net.line.loc[1, "max_i_ka"] = rating
    table = open_capacity(net, limits=LIMITS)
    assert table.status.tolist() == ["assessed", "assessed", "not_assessable"]
    assert np.isnan(table.capacity_kw[2])
    assert "line 1" in table.reason[2]


def test_island_without_solution_is_not_assessable_and_the_others_are_answered():
    net = two_arms()
    pp.create_buses(net, 2, 10.0)
    pp.create_ext_grid(net, 3)
    pp.create_line_from_parameters(net, 3, 4, 50.0, 0.3, 0.3, 0.0, 0.3)
    pp.create_load(net, 4, p_mw=30.0)
    table = open_capacity(net, limits=LIMITS)
    assert table.status.tolist() == ["assessed"] * 3 + ["not_assessable"] * 2
    assert "no solution" in table.reason[4]
    check_row(two_arms(), table.loc[1], LIMITS, 0.95)


def test_bus_without_source_is_unsupplied_and_has_no_capacity():
    net = two_arms()
    net.line.loc[0, "in_service"] = False
    table = open_capacity(net, limits=LIMITS)
    assert table.status[1] == "unsupplied"
    assert np.isnan(table.capacity_kw[1])


def test_without_limits_the_voltage_collapse_binds_and_names_no_element():
    # Nose of two buses: P_max = E^2 / (2 (|Z| / cos + R + X tan)) with load angle cos = 0.95, Z = 0.54 + j0.70 ohm.
    net = two_arms(max_i_ka=99.0)
    table = open_capacity(net, limits=Limits(), buses=[1])
    z, tan, cos = complex(0.54, 0.70), np.tan(np.arccos(0.95)), 0.95
    nose_kw = 1e3 * 100.0 / (2.0 * (abs(z) / cos + z.real + z.imag * tan))
    assert table.limit_kind[1] == "convergence"
    assert table.limit_element[1] is None
    assert nose_kw - 10.0 <= table.capacity_kw[1] <= nose_kw


def test_ceiling_is_reported_where_nothing_limits():
    table = open_capacity(two_arms(), limits=LIMITS, buses=[0, 1], ceiling_kw=500.0)
    assert table.limit_kind.tolist() == ["ceiling", "ceiling"]
    assert table.capacity_kw.tolist() == [500.0, 500.0]


def test_existing_over_voltage_never_stops_a_load():
    net = two_arms()
    net.ext_grid.loc[0, "vm_pu"] = 1.08
    table = open_capacity(net, limits=LIMITS, confirm="all")
    assert table.limit_kind[1] == "line_loading"


def test_violation_off_the_path_counts_only_when_the_connection_causes_it():
    # Trunk 0-1, arms 1-2 (the customer) and 1-3 (10 V above its limit without customer).
    section = {"length_km": 2.0, "r_ohm_per_km": 0.27, "x_ohm_per_km": 0.35, "c_nf_per_km": 0.0, "max_i_ka": 0.5}
    net = make_net(
        {
            "buses": [{"bus": i, "vn_kv": 10.0} for i in range(4)],
            "ext_grids": [{"bus": 0, "vm_pu": 1.0}],
            "lines": [{"line": i, "from_bus": a, "to_bus": i + 1, **section} for i, a in enumerate((0, 1, 1))],
            "loads": [{"bus": 3, "p_mw": 4.47, "q_mvar": 1.0}],
        }
    )
    literal = Limits(voltage_bands=(BAND,), line_loading_ratio_max=2.0)
    assert solve(net)
    assert 0.93 < net.res_bus.vm_pu[3] < 0.932
    table = open_capacity(net, limits=literal, buses=[2], confirm="all")
    assert (table.limit_kind[2], table.limit_element[2]) == ("voltage_low", 3)
    check_row(net, table.loc[2], literal, 0.95)
    tolerant = Limits(voltage_bands=(BAND,), line_loading_ratio_max=2.0, off_path_voltage_effect_pu=0.005)
    later = open_capacity(net, limits=tolerant, buses=[2], confirm="all")
    assert later.capacity_kw[2] > 2.0 * table.capacity_kw[2]
    check_row(net, later.loc[2], tolerant, 0.95)
    net.load.loc[0, "p_mw"] = (
        5.0  # now the violation exists before: literally nobody's, and with a threshold the customer's
    )
    free = open_capacity(net, limits=literal, buses=[2], confirm="all")
    assert free.limit_element[2] != 3
    assert "bus 3 voltage_low" in free.notes[2]
    caused = open_capacity(net, limits=tolerant, buses=[2], confirm="all")
    assert caused.limit_element[2] == 3
    check_row(net, caused.loc[2], tolerant, 0.95)


def test_attributed_violations_agree_with_the_second_reading():
    for seed in range(6):
        net, limits = random_net(seed)
        if not solve(net):
            continue
        bus = int(net.bus.index[net.bus.in_service][-1])
        members, is_supplied = Walk(net).supply_path(bus)
        trial = copy.deepcopy(net)
        pp.create_load(trial, bus, p_mw=2.0, q_mvar=0.5)
        if is_supplied and solve(trial):
            found = attributed_violations(net, trial, bus=bus, limits=limits)
            expected = counted(readings(net, limits), readings(trial, limits), members, limits)
            assert {(v.kind, v.table, v.element) for v in found} == expected
            assert all(v.is_on_path == ((v.table, v.element) in members) for v in found)


def test_generator_with_voltage_control_is_left_to_pandapower():
    net = two_arms()
    pp.create_gen(net, 2, p_mw=0.2, vm_pu=1.0)
    table = open_capacity(net, limits=LIMITS, confirm="none")
    assert table.engine[[1, 2]].tolist() == ["path", "pandapower"]
    check_row(net, table.loc[2], LIMITS, 0.95)


@pytest.mark.parametrize("seed", range(15))
def test_batch_engine_reproduces_base_voltages_and_loadings(seed):
    net, limits = random_net(seed)
    base = solve_base_case(net, limits)
    arrays, expected = extract_arrays(net), measure(base.net, base.constraints)
    terms = build_terms(net, arrays, base.constraints)
    island_of = island_of_limits(net, arrays, base.constraints)
    for island in set(arrays.island_of_node[arrays.island_of_node >= 0]) - set(arrays.obstacles):
        rows = np.flatnonzero((island_of == island) & np.isfinite(expected))
        engine = BatchEvaluator(arrays, terms, base.constraints, island=island, rows=rows)
        node = arrays.node_of_bus
        buses = np.flatnonzero((node >= 0) & (arrays.island_of_node[node] == island))
        if not len(buses):  # the dead end of a line that is open at its far side
            continue
        values, has_solution = engine.values(buses[:1], np.zeros(1), 0.3)
        assert has_solution.all()
        np.testing.assert_allclose(values[0], expected[rows], rtol=0, atol=1e-9)


def test_branches_with_both_ends_on_one_node_leave_the_ring_to_power_grid_model():
    net = two_arms(c_nf_per_km=300.0)
    bus = pp.create_bus(net, vn_kv=10.0)
    pp.create_switch(net, bus=1, element=bus, et="b", closed=True)
    for start in (1, 2):
        pp.create_line_from_parameters(
            net, start, bus, 3.0, r_ohm_per_km=0.27, x_ohm_per_km=0.35, c_nf_per_km=300.0, max_i_ka=0.3
        )
    pp.create_transformer_from_parameters(
        net, 1, bus, sn_mva=2.0, vn_hv_kv=10.0, vn_lv_kv=9.9, vkr_percent=1.0, vk_percent=6.0, pfe_kw=2.0,
        i0_percent=0.5,
    )  # fmt: skip
    base = solve_base_case(net, LIMITS)
    arrays = extract_arrays(net)
    island = int(arrays.island_of_node[arrays.node_of_bus[2]])
    rows = np.flatnonzero(island_of_limits(net, arrays, base.constraints) == island)
    terms = build_terms(net, arrays, base.constraints)
    evaluator = BatchEvaluator(arrays, terms, base.constraints, island=island, rows=rows)
    found, is_solved = evaluator.values(np.array([bus, 2]), np.array([800.0, 500.0]), 0.3)
    assert is_solved.all()
    for values, place, p_mw in zip(found, (bus, 2), (0.8, 0.5), strict=True):
        loaded = copy.deepcopy(net)
        pp.create_load(loaded, place, p_mw, 0.3 * p_mw)
        run_load_flow(loaded)
        assert values == pytest.approx(measure(loaded, base.constraints)[rows], abs=1e-7)
    table = open_capacity(net, limits=LIMITS, buses=[bus], confirm="all")
    assert table.loc[bus, "engine"] == "power-grid-model"


def test_value_the_reference_refutes_is_not_published(monkeypatch):
    net, limits, power_factor, _ = load_case("two_bus_current")

    def too_much(base, rows, **options):
        rows.capacity_kw *= 1.01
        return certificate.certify(base, rows, **options)

    monkeypatch.setattr("gridmodel.capacity.search.certify", too_much)
    with pytest.raises(EngineDisagreementError):
        open_capacity(net, limits=limits, power_factor=power_factor, buses=[1])


def test_certificate_counts_the_nodes_checked_and_progress_reaches_the_total():
    seen = []
    table = open_capacity(
        two_arms(), limits=LIMITS, confirm_nodes=2, progress=lambda done, total: seen.append((done, total))
    )
    seen_of = table.attrs["certificate"]
    assert (seen_of["confirm"], seen_of["nodes_checked"], seen_of["difference_kw_max"]) == ("sample", 2, 0.0)
    assert seen[-1] == (3, 3)
