"""How much generation a bus takes: closed forms, and plain pandapower growing a static generator from 0."""

from __future__ import annotations

import math
import random

import numpy as np
import pandapower as pp
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridmodel import Limits, VoltageBand, open_capacity
from gridmodel.capacity.arrays import NO_ISLAND
from gridmodel.capacity.base_case import solve_base_case
from gridmodel.capacity.batch import BatchEvaluator
from gridmodel.capacity.bracket import NOTHING, Question, find_brackets
from gridmodel.capacity.reference import ReferenceEvaluator
from gridmodel.capacity.violations import attributed_violations
from gridmodel.errors import InputError
from tests.capacity.cases import make_net
from tests.capacity.independent_check import Net as Walk
from tests.capacity.independent_check import check_row, counted, first_break, loaded, readings, solve
from tests.capacity.radial_nets import radial_net
from tests.capacity.random_nets import random_net

BAND = VoltageBand(u_nominal_kv_min=0.1, u_nominal_kv_max=20.0, u_pu_min=0.93, u_pu_max=1.07)
WIDE = VoltageBand(u_nominal_kv_min=0.1, u_nominal_kv_max=20.0, u_pu_min=0.1, u_pu_max=2.0)
ROUNDING_KW = 0.15
"""A value is rounded down to 0.1 kW after 0.02 kW are taken off."""


ENGINES = ["default", "batch", "reference"]


def find_generation(net, limits, *, power_factor=1.0, buses=None, engine="default"):
    """Return what `open_capacity` returns, by the engine it chooses or by a search with one evaluator alone."""
    if engine == "default":
        return open_capacity(
            net, limits=limits, power_factor=power_factor, buses=buses, direction="generation", confirm="none"
        )
    base = solve_base_case(net, limits)
    arrays, constraints = base.live_flow.arrays, base.constraints
    usable = np.isfinite(base.values) & np.isfinite(constraints.limits)
    found = {}
    for bus in net.bus.index[net.bus.in_service] if buses is None else buses:
        node = arrays.node_of_bus[bus]
        island = NO_ISLAND if node < 0 else int(arrays.island_of_node[node])
        rows = np.flatnonzero((base.island_of_limit == island) & usable)
        if island == NO_ISLAND or (engine == "batch" and island in arrays.obstacles):
            continue
        options = {"rows": rows, "direction": "generation"}
        if engine == "batch":
            evaluator = BatchEvaluator(arrays, base.terms, constraints, island=island, **options)
        else:
            evaluator = ReferenceEvaluator(base.net, constraints, **options)
        subset = constraints.subset(rows)
        question = Question(
            buses=np.array([bus]),
            constraints=subset,
            base=base.values[rows],
            on_path=subset.is_on_path(base.topology.path(int(bus)))[None, :],
            guess_kw=np.array([100.0]),
            tan_phi=math.tan(math.acos(power_factor)),
            ceiling_kw=1e6,
            direction="generation",
        )
        found[bus] = as_row(find_brackets(evaluator, question), constraints, rows)
    return pd.DataFrame.from_dict(found, orient="index").rename_axis("bus")


def as_row(brackets, constraints, rows):
    limit = None if brackets.binding[0] == NOTHING else int(rows[brackets.binding[0]])
    kind = "convergence" if not brackets.has_solution[0] else "ceiling"
    if limit is not None:
        kind = "existing_violation" if brackets.base_breaks[0] else constraints.kinds[limit]
    return {
        "capacity_kw": float(brackets.value_kw()[0]),
        "status": "assessed",
        "limit_kind": kind,
        "limit_table": None if limit is None else constraints.tables[limit],
        "limit_element": None if limit is None else int(constraints.elements[limit]),
    }


def feeder(*, u_source_pu=1.0, length_km=5.0, r_ohm_per_km=0.27, x_ohm_per_km=0.35, max_i_ka=1.0, loads=()):
    """A 10 kV source at bus 0 and one line to bus 1."""
    line = {"length_km": length_km, "r_ohm_per_km": r_ohm_per_km, "x_ohm_per_km": x_ohm_per_km, "c_nf_per_km": 0.0}
    return make_net(
        {
            "buses": [{"bus": i, "vn_kv": 10.0} for i in range(2)],
            "ext_grids": [{"bus": 0, "vm_pu": u_source_pu}],
            "lines": [{"line": 0, "from_bus": 0, "to_bus": 1, "max_i_ka": max_i_ka, **line}],
            **({"loads": list(loads)} if loads else {}),
        }
    )


def rise_kw(e_kv, v_kv, r_ohm, x_ohm, tan_phi):
    """Generation that lifts the far end of a line to V, in kW; the smaller root, which is met first.

    E^2 = V^2 - 2 P (R + t X) + P^2 (R^2 + X^2)(1 + t^2) / V^2 with the injection P (1 + j t) at the far end.
    """
    a = (r_ohm**2 + x_ohm**2) * (1.0 + tan_phi**2) / v_kv**2
    b = r_ohm + tan_phi * x_ohm
    return 1e3 * (b - math.sqrt(b * b - a * (v_kv**2 - e_kv**2))) / a


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("power_factor", [1.0, 0.95])
def test_voltage_rise_of_one_line_is_the_smaller_root_of_its_quadratic(power_factor, engine):
    net, limits = feeder(), Limits(voltage_bands=(BAND,))
    row = find_generation(net, limits, power_factor=power_factor, engine=engine).loc[1]
    expected_kw = rise_kw(10.0, 10.7, 1.35, 1.75, math.tan(math.acos(power_factor)))
    assert (row.limit_kind, row.limit_table, row.limit_element) == ("voltage_high", "bus", 1)
    assert expected_kw - ROUNDING_KW <= row.capacity_kw <= expected_kw
    check_row(net, row, limits, power_factor, direction="generation")


@pytest.mark.parametrize("engine", ENGINES)
def test_voltage_that_falls_again_with_more_generation_does_not_raise_the_capacity(engine):
    # 30 km with R/X = 0.43: above 1.07 pu from 1.4 to 6.4 MW, legal again up to the collapse, rating 8.3 MVA.
    net = feeder(u_source_pu=1.02, length_km=30.0, r_ohm_per_km=0.15, max_i_ka=0.6)
    limits = Limits(voltage_bands=(BAND,))
    row = find_generation(net, limits, engine=engine).loc[1]
    expected_kw = rise_kw(10.2, 10.7, 4.5, 10.5, 0.0)
    assert expected_kw - ROUNDING_KW <= row.capacity_kw <= expected_kw
    assert row.limit_kind == "voltage_high"
    assert not counted_at(net, 1, 7000.0, limits), "the case is pointless unless 7 MW are legal"


def counted_at(net, bus, p_kw, limits, power_factor=1.0):
    """Violations that count with so much generation, by plain pandapower."""
    base, trial = loaded(net, bus, 0.0, 1.0), loaded(net, bus, p_kw, power_factor, "generation")
    path, _ = Walk(net).supply_path(bus)
    return counted(readings(base, limits), readings(trial, limits), path, limits, "generation")


def transformer_area(load_mw=0.1, load_mvar=0.05, sgen_mw=0.0):
    """A 400 kVA transformer with nearly no reactance: the larger apparent power is the one at its low side."""
    net = pp.create_empty_network()
    pp.create_buses(net, 1, 10.0)
    pp.create_buses(net, 1, 0.4)
    pp.create_ext_grid(net, 0)
    pp.create_transformer_from_parameters(
        net, 0, 1, sn_mva=0.4, vn_hv_kv=10.0, vn_lv_kv=0.4, vk_percent=1.3, vkr_percent=1.29, pfe_kw=0.0, i0_percent=0.0
    )
    pp.create_load(net, 1, p_mw=load_mw, q_mvar=load_mvar)
    if sgen_mw:
        pp.create_sgen(net, 1, p_mw=sgen_mw)
    return net


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("load_mvar", "sgen_mw"), [(0.0, 0.0), (0.05, 0.0), (0.05, 0.25), (0.05, 0.4)])
def test_reverse_loading_of_a_transformer_is_load_plus_limit_less_the_generation_there(load_mvar, sgen_mw, engine):
    # Balance at the low side: |P + G - p + j q| = 0.8 x 400 kVA, so P = p - G + sqrt(320^2 - q^2).
    net, limits = transformer_area(load_mvar=load_mvar, sgen_mw=sgen_mw), Limits(voltage_bands=(WIDE,))
    row = find_generation(net, limits, engine=engine).loc[1]
    expected_kw = 100.0 - 1e3 * sgen_mw + math.sqrt(320.0**2 - (1e3 * load_mvar) ** 2)
    assert expected_kw - ROUNDING_KW <= row.capacity_kw <= expected_kw
    assert (row.limit_kind, row.limit_table, row.limit_element) == ("transformer_loading", "trafo", 0)
    check_row(net, row, limits, 1.0, direction="generation")


def test_less_load_leaves_less_room_for_generation():
    capacity = {
        load_mw: find_generation(transformer_area(load_mw, 0.0), Limits(voltage_bands=(WIDE,))).capacity_kw[1]
        for load_mw in (0.0, 0.02, 0.1)
    }
    assert capacity == pytest.approx({0.0: 319.9, 0.02: 339.9, 0.1: 419.9}, abs=0.15)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_overload_on_the_path_gives_nothing_although_generation_would_relieve_it(engine):
    net, limits = transformer_area(load_mw=0.36, load_mvar=0.0), Limits(voltage_bands=(WIDE,))
    row = find_generation(net, limits, engine=engine).loc[1]
    assert (row.capacity_kw, row.limit_kind, row.limit_element) == (0.0, "existing_violation", 0)
    assert not counted_at(net, 1, 300.0, limits), "the case is pointless unless 300 kW would cure it"
    check_row(net, row, limits, 1.0, direction="generation")


@pytest.mark.parametrize("engine", ENGINES)
def test_an_over_voltage_on_the_path_gives_nothing_and_beside_it_does_not_count(engine):
    # Two arms from an ideal source; 4 MW of generation lift arm 2 above 1.07 pu and do not move arm 1.
    net = make_net(
        {
            "buses": [{"bus": i, "vn_kv": 10.0} for i in range(3)],
            "ext_grids": [{"bus": 0, "vm_pu": 1.04}],
            "lines": [
                {"line": i, "from_bus": 0, "to_bus": i + 1, "length_km": 5.0, "r_ohm_per_km": 0.27}
                | {"x_ohm_per_km": 0.35, "c_nf_per_km": 0.0, "max_i_ka": 1.0}
                for i in range(2)
            ],
        }
    )
    pp.create_sgen(net, 2, p_mw=4.0)
    limits = Limits(voltage_bands=(BAND,))
    table = find_generation(net, limits, buses=[1, 2], engine=engine)
    assert table.loc[2, ["capacity_kw", "limit_kind", "limit_table", "limit_element"]].tolist() == [
        0.0, "existing_violation", "bus", 2,
    ]  # fmt: skip
    expected_kw = rise_kw(10.4, 10.7, 1.35, 1.75, 0.0)
    assert expected_kw - ROUNDING_KW <= table.capacity_kw[1] <= expected_kw
    for _, row in table.iterrows():
        check_row(net, row, limits, 1.0, direction="generation")


def test_a_voltage_below_its_limit_does_not_stop_a_generator():
    # 3 MW pull bus 1 below 0.93 pu. What binds is the current, 0.8 x 300 A: E^2 = V^2 - 2 p R + |Z S|^2 / V^2 with the
    # net injection p = P - 3 MW, |S| = sqrt(3) V I, S = p - j 1.5 Mvar.
    net = feeder(max_i_ka=0.3, loads=[{"bus": 1, "p_mw": 3.0, "q_mvar": 1.5}])
    limits = Limits(voltage_bands=(VoltageBand(u_nominal_kv_min=1, u_nominal_kv_max=20, u_pu_min=0.93, u_pu_max=1.2),))
    base = loaded(net, 1, 0.0, 1.0)
    assert base.res_bus.vm_pu[1] < 0.93
    row = find_generation(net, limits).loc[1]
    assert (row.limit_kind, row.limit_element) == ("line_loading", 0)
    i_ka, r_ohm, x_ohm, q_mvar = 0.8 * 0.3, 1.35, 1.75, 1.5
    # V^2 = s; p = sqrt(3 s I^2 - q^2); 100 = s - 2 (p R - q X) + 3 I^2 |Z|^2, by fixed point in s
    s = 100.0
    for _ in range(200):
        p_mw = math.sqrt(3.0 * s * i_ka**2 - q_mvar**2)
        s = 100.0 + 2.0 * (p_mw * r_ohm - q_mvar * x_ohm) - 3.0 * i_ka**2 * (r_ohm**2 + x_ohm**2)
    expected_kw = 1e3 * (p_mw + 3.0)
    assert expected_kw - ROUNDING_KW <= row.capacity_kw <= expected_kw


def test_a_neighbour_lifted_through_the_shared_line_stops_generation_literally_and_less_with_a_threshold():
    # Trunk 0-1, arms 1-2 (the customer) and 1-3, whose 2.2 MW of generation lift bus 3 close to 1.07 pu.
    section = {"length_km": 2.0, "r_ohm_per_km": 0.27, "x_ohm_per_km": 0.35, "c_nf_per_km": 0.0, "max_i_ka": 1.0}
    net = make_net(
        {
            "buses": [{"bus": i, "vn_kv": 10.0} for i in range(4)],
            "ext_grids": [{"bus": 0, "vm_pu": 1.045}],
            "lines": [{"line": i, "from_bus": a, "to_bus": i + 1, **section} for i, a in enumerate((0, 1, 1))],
        }
    )
    pp.create_sgen(net, 3, p_mw=2.2)
    for effect_pu, wanted in ((0.0, 3), (0.02, 2)):
        limits = Limits(voltage_bands=(BAND,), line_loading_ratio_max=2.0, off_path_voltage_effect_pu=effect_pu)
        row = find_generation(net, limits, buses=[2]).loc[2]
        assert (row.limit_kind, row.limit_element) == ("voltage_high", wanted), effect_pu
        at_kw, _ = first_break(net, 2, limits, 1.0, direction="generation", step_kw=200.0, upto_kw=2e4)
        assert at_kw - 0.5 <= row.capacity_kw <= at_kw + 0.05


def test_attributed_violations_of_generation_agree_with_the_second_reading():
    compared = 0
    for seed in range(14):
        net, limits = random_net(seed)
        bus = int(random.Random(seed).choice(list(net.bus.index[net.bus.in_service])))
        path, is_supplied = Walk(net).supply_path(bus)
        before = loaded(net, bus, 0.0, 1.0)
        after = loaded(net, bus, 2000.0, 1.0, "generation")
        if not is_supplied or before is None or after is None:
            continue
        found = attributed_violations(before, after, bus=bus, limits=limits, direction="generation")
        expected = counted(readings(before, limits), readings(after, limits), path, limits, "generation")
        assert {(v.kind, v.table, v.element) for v in found} == expected, seed
        compared += bool(expected)
    assert compared > 3


def test_both_directions_of_one_net_are_certified_by_the_reference():
    net, limits = feeder(loads=[{"bus": 1, "p_mw": 1.0, "q_mvar": 0.3}]), Limits(voltage_bands=(BAND,))
    for direction, kind in (("load", "voltage_low"), ("generation", "voltage_high")):
        table = open_capacity(net, limits=limits, direction=direction, confirm="all")
        assert table.limit_kind[1] == kind
        assert table.attrs["certificate"]["nodes_checked"] == 2
        assert table.attrs["certificate"]["difference_kw_max"] < 0.5


def test_a_bus_below_its_voltage_limit_is_assessed_for_generation_only():
    net = feeder(loads=[{"bus": 1, "p_mw": 3.0, "q_mvar": 1.5}])
    limits = Limits(voltage_bands=(BAND,))
    assert open_capacity(net, limits=limits).limit_kind[1] == "existing_violation"
    assert open_capacity(net, limits=limits, direction="generation").limit_kind[1] == "voltage_high"


def test_notes_name_what_generation_breaks_without_answering_for_it_but_no_low_voltage():
    # Arm 1 overloads its line, arm 2 is below its voltage limit, arm 3 asks.
    net = make_net(
        {
            "buses": [{"bus": i, "vn_kv": 10.0} for i in range(4)],
            "ext_grids": [{"bus": 0, "vm_pu": 1.0}],
            "lines": [
                {"line": i, "from_bus": 0, "to_bus": i + 1, "length_km": 5.0, "r_ohm_per_km": 0.27}
                | {"x_ohm_per_km": 0.35, "c_nf_per_km": 0.0, "max_i_ka": 0.05 if i == 0 else 1.0}
                for i in range(3)
            ],
            "loads": [{"bus": 1, "p_mw": 1.0, "q_mvar": 0.2}, {"bus": 2, "p_mw": 4.0, "q_mvar": 1.5}],
        }
    )
    limits = Limits(voltage_bands=(BAND,))
    # everything hangs on one ideal source: put the arms behind one short line, so that they form one island
    net.line.loc[:, "from_bus"] = pp.create_bus(net, 10.0)
    pp.create_line_from_parameters(net, 0, net.bus.index[-1], 0.01, 0.1, 0.1, 0.0, 9.0)
    row = open_capacity(net, limits=limits, direction="generation", power_factor=1.0).loc[3]
    assert row.limit_kind == "voltage_high"
    assert "line 0 line_loading" in row.notes
    assert "voltage_low" not in row.notes


def test_an_unknown_direction_is_refused_by_name():
    with pytest.raises(InputError) as caught:
        open_capacity(feeder(), limits=Limits(), direction="both")
    assert caught.value.context["field"] == "direction"


def judge(net, limits, seed, engine):
    """Compare one bus with pandapower growing a generator from 0 in twelve steps, then halving."""
    if not solve(net):
        return
    rng = random.Random(seed)
    power_factor = rng.choice([0.95, 1.0])
    bus = int(rng.choice(list(net.bus.index[net.bus.in_service])))
    table = find_generation(net, limits, power_factor=power_factor, buses=[bus], engine=engine)
    if not len(table):
        return
    row = table.loc[bus]
    check_row(net, row, limits, power_factor, direction="generation")
    if row.status != "assessed" or row.limit_kind in ("ceiling", "existing_violation"):
        return
    step_kw = max(row.capacity_kw / 12.0, 1.0)
    at_kw, _ = first_break(
        net, bus, limits, power_factor, direction="generation", step_kw=step_kw, upto_kw=2.0 * row.capacity_kw + 20.0
    )
    assert at_kw - 0.5 <= row.capacity_kw <= at_kw + 0.05, (bus, row.to_dict())


@settings(max_examples=6, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(seed=st.integers(min_value=0, max_value=10**6), engine=st.sampled_from(ENGINES))
def test_growing_a_generator_in_pandapower_breaks_first_where_the_search_says(seed, engine):
    make = random.Random(seed).choice([radial_net, random_net])
    net, limits = make(seed)
    judge(net, limits, seed, engine)


@pytest.mark.slow
@settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(seed=st.integers(min_value=10**6, max_value=2 * 10**6), engine=st.sampled_from(ENGINES))
def test_the_same_on_many_more_random_nets(seed, engine):
    for make in (radial_net, random_net):
        net, limits = make(seed)
        judge(net, limits, seed, engine)
