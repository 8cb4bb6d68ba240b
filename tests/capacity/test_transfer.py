"""Ties, sections, load transfer and N-1 capacity: small nets by hand calculation, the township by plain pandapower.

Hand calculations use loads at unity power factor and lines with next to no reactance, so that a current is
P / (sqrt(3) U) and the voltage behind one resistance R is (U + sqrt(U^2 - 4 R P)) / 2.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pandapower as pp
import pytest

from gridmodel import Limits, VoltageBand, open_capacity
from gridmodel.capacity.n_minus_one import feeder_transfer_summary, n_minus_one_capacity
from gridmodel.capacity.sections import find_sections, find_ties
from gridmodel.capacity.transfer import transfers
from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot
from tests.capacity.independent_check import Net, check_row, counted, loaded, readings, solve

U_KV, RATING_KA = 10.0, 0.4
NEARLY_NOTHING_OHM = 1e-5
BAND = VoltageBand(u_nominal_kv_min=6.0, u_nominal_kv_max=21.0, u_pu_min=0.93, u_pu_max=1.07)
LIMITS = Limits(voltage_bands=(BAND,))
TOWNSHIP_LIMITS = Limits(
    voltage_bands=(VoltageBand(u_nominal_kv_min=0.3, u_nominal_kv_max=0.5, u_pu_min=0.8835, u_pu_max=1.0165), BAND),
    off_path_voltage_effect_pu=0.005,
    off_path_loading_effect_ratio=0.01,
)


def line(net: Any, a: int, b: int, *, r_ohm: float = NEARLY_NOTHING_OHM, switches: str = "ab", opened: str = "") -> int:
    """A line with next to no reactance; ``switches`` names the ends that have one, ``opened`` those that are open."""
    index = pp.create_line_from_parameters(net, a, b, 1.0, r_ohm, NEARLY_NOTHING_OHM, 0.0, RATING_KA)
    for end, bus in (("a", a), ("b", b)):
        if end in switches:
            pp.create_switch(net, bus, index, et="l", closed=end not in opened)
    return int(index)


def two_feeders(*, r_ohm_of_second: float = NEARLY_NOTHING_OHM, with_mains: bool = False) -> Any:
    """1 MW at each of 1, 2, 3, 4; line 0: 0-1, 1: 1-2, 2: 0'-3, 3: 3-4, 4: the tie 2-4, open at bus 2.

    0' is 0, or with main transformers (10 MVA, next to no impedance) the busbar of the second one.
    """
    net = pp.create_empty_network()
    for _ in range(5):
        pp.create_bus(net, U_KV)
    second = 0
    if with_mains:
        second = pp.create_bus(net, U_KV)
        for low in (0, second):
            high = pp.create_bus(net, 110.0)
            pp.create_ext_grid(net, high)
            pp.create_transformer_from_parameters(net, high, low, 10.0, 110.0, U_KV, 0.0, 0.001, 0.0, 0.0)
    else:
        pp.create_ext_grid(net, 0)
    line(net, 0, 1)
    line(net, 1, 2)
    line(net, second, 3, r_ohm=r_ohm_of_second)
    line(net, 3, 4)
    line(net, 2, 4, opened="a")
    for bus in (1, 2, 3, 4):
        pp.create_load(net, bus, p_mw=1.0)
    return net


def loading_ratio(p_mw: float) -> float:
    """Of a line that carries this power at rated voltage."""
    return p_mw / (math.sqrt(3.0) * U_KV) / RATING_KA


# --- ties and sections ------------------------------------------------------------------------------------------------


def test_a_line_open_between_two_feeders_is_a_tie() -> None:
    ties = find_ties(two_feeders())
    assert list(ties.index) == ["line:4"]
    tie = ties.loc["line:4"]
    assert (tie.bus_a, tie.bus_b, tie.feeder_a, tie.feeder_b) == (2, 4, "line:0", "line:2")
    assert tie.switches == (8,)


def test_an_open_coupler_between_two_main_transformers_is_a_tie() -> None:
    net = two_feeders(with_mains=True)
    switch = pp.create_switch(net, 0, 5, et="b", closed=False)
    ties = find_ties(net)
    assert list(ties.index) == ["line:4", f"switch:{switch}"]
    assert ties.feeder_a[f"switch:{switch}"] is None
    assert (ties.main_a[f"switch:{switch}"], ties.main_b[f"switch:{switch}"]) == ("trafo:0", "trafo:1")


def test_an_open_point_inside_one_feeder_is_no_tie() -> None:
    net = two_feeders()
    line(net, 1, 2, opened="b")
    assert list(find_ties(net).index) == ["line:4"]


def test_lines_without_a_switch_between_them_are_one_section() -> None:
    net = two_feeders()
    pp.create_bus(net, U_KV)
    line(net, 4, 5, switches="")
    sections = find_sections(net)
    assert sections.lines.tolist() == [(0,), (1,), (2,), (3,), (4,), (5,)]
    assert sections.loc["line:5"].buses == (4, 5)
    assert sections.loc["line:5"].switches == (7, 9)  # at bus 4, of line 3 and of the tie
    assert sections.feeder.tolist() == ["line:0", "line:0", "line:2", "line:2", "line:2", "line:2"]


def test_township_has_the_ties_and_feeders_of_its_tables(township: Snapshot) -> None:
    """The open 10 kV sections of switches.csv but for W008, which lies inside one feeder."""
    net = township.net
    ties = find_ties(net)
    assert sorted(net.line.name[ties.element]) == ["W023", "W031", "W066", "W088", "W188"]
    assert sorted(net.line.name[[int(f.split(":")[1]) for f in find_sections(net).feeder.unique()]]) == [
        "W062", "W162-40", "W165", "W193",
    ]  # fmt: skip


# --- transfers --------------------------------------------------------------------------------------------------------


def test_transferred_currents_are_those_of_a_hand_calculation() -> None:
    table = transfers(two_feeders(), limits=LIMITS).set_index("outage")
    assert list(table.index) == ["line:0", "line:1", "line:2", "line:3"]  # the tie's own outage interrupts nobody
    assert table.is_legal.all()
    assert table.is_chosen.all()
    assert table.buses_moved.tolist() == [2, 1, 2, 1]
    assert table.load_moved_kw.tolist() == pytest.approx([2000.0, 1000.0, 2000.0, 1000.0])
    assert table.direction.tolist() == ["a_to_b", "a_to_b", "b_to_a", "b_to_a"]
    expected = [loading_ratio(4.0), loading_ratio(3.0), loading_ratio(4.0), loading_ratio(3.0)]
    assert table.line_loading_ratio_max.tolist() == pytest.approx(expected, abs=1e-5)
    assert table.binding_element.tolist() == [2, 2, 0, 0]
    assert table.margin_ratio.tolist() == pytest.approx([1.0 - ratio / 0.8 for ratio in expected], abs=1e-5)


def test_further_load_at_the_lost_side_is_what_the_receiving_head_has_left() -> None:
    """0.8 * 0.4 kA are 5542.6 kW: less all 4 MW, or less the receiving feeder's 2 MW and the 1 MW moved."""
    table = transfers(two_feeders(), limits=LIMITS, power_factor=1.0).set_index("outage")
    full_kw = 0.8 * RATING_KA * math.sqrt(3.0) * U_KV * 1000.0
    expected = [full_kw - 4000.0, full_kw - 3000.0, full_kw - 4000.0, full_kw - 3000.0]
    assert table.extra_kw.tolist() == pytest.approx(expected, abs=0.5)
    assert table.extra_limit_element.tolist() == [2, 2, 0, 0]
    assert set(table.extra_limit_kind) == {"line_loading"}
    assert set(table.engine) == {"path"}


def test_a_feeder_too_long_for_the_load_of_both_is_refused_for_its_voltage() -> None:
    r_ohm = 2.4
    u_kv = (
        U_KV + math.sqrt(U_KV**2 - 4.0 * r_ohm * 4.0)
    ) / 2.0  # 8.92 kV with 4 MW, 9.49 kV with the feeder's own 2 MW
    table = transfers(two_feeders(r_ohm_of_second=r_ohm), limits=LIMITS).set_index("outage")
    assert not table.is_legal["line:0"]
    assert table.u_pu_min["line:0"] == pytest.approx(u_kv / U_KV, abs=1e-5)
    assert (table.binding_kind["line:0"], table.binding_table["line:0"]) == ("voltage_low", "bus")
    assert table.margin_ratio["line:0"] == pytest.approx((u_kv / U_KV - 0.93) / 0.14, abs=1e-4)
    assert table.is_legal["line:2"]  # the other way round the long line is out


def test_load_beyond_the_nose_has_no_solution() -> None:
    table = transfers(two_feeders(r_ohm_of_second=7.0), limits=Limits()).set_index("outage")  # 4 R P = 112 > U^2
    assert not table.is_solved["line:0"]
    assert not table.is_legal["line:0"]
    assert math.isnan(table.u_pu_min["line:0"])


def test_a_tie_between_main_transformers_loads_the_receiving_one() -> None:
    table = transfers(two_feeders(with_mains=True), limits=LIMITS).set_index("outage")
    assert table.main_to.tolist() == ["trafo:1", "trafo:1", "trafo:0", "trafo:0"]
    assert table.main_transformer_loading_ratio_max.tolist() == pytest.approx([0.4, 0.3, 0.4, 0.3], abs=1e-4)


def test_a_violation_that_stood_before_does_not_forbid_a_transfer() -> None:
    net = two_feeders()
    lateral = pp.create_bus(net, U_KV)
    line(net, 4, lateral, r_ohm=8.0)  # 0.91 pu behind it: (10 + sqrt(100 - 4 * 8 * 1)) / 2 = 9.12 kV
    pp.create_load(net, lateral, p_mw=1.0)
    table = transfers(net, limits=LIMITS, outages=["line:1"])
    assert table.is_legal.tolist() == [True]


def test_the_tie_with_the_largest_smallest_margin_is_chosen() -> None:
    net = two_feeders()
    far = pp.create_bus(net, U_KV)
    line(net, 0, far)  # a third feeder, without load: its voltage is what is nearest to a limit
    line(net, 2, far, opened="a")
    table = transfers(net, limits=LIMITS, outages=["line:1"])
    assert table.tie.tolist() == ["line:4", "line:6"]
    assert table.is_chosen.tolist() == [False, True]
    assert table.margin_ratio.tolist() == pytest.approx([1.0 - loading_ratio(3.0) / 0.8, (1.0 - 0.93) / 0.14], abs=1e-5)


def test_a_second_part_is_restored_on_top_of_the_first() -> None:
    """Line 0 has no switch at bus 1: its outage takes bus 1 and leaves two parts; feeder 2 could carry either."""
    net = two_feeders()
    net.switch = net.switch.drop(1)
    other = pp.create_bus(net, U_KV)
    line(net, 1, other)
    pp.create_load(net, other, p_mw=2.8)
    line(net, other, 3, opened="a")
    table = transfers(net, limits=LIMITS, outages=["line:0"])
    assert table.tie.tolist() == ["line:4", "line:6"]
    assert table.line_loading_ratio_max.tolist() == pytest.approx([loading_ratio(3.0), loading_ratio(5.8)], abs=1e-5)
    assert table.is_chosen.tolist() == [True, False]  # 5.8 MW are above 0.8 * 0.4 kA = 5.54 MW
    capacities = n_minus_one_capacity(net, limits=LIMITS, power_factor=1.0)
    assert capacities.n1_status[other] == "not_restorable"
    assert math.isnan(capacities.n1_capacity_kw[other])


@pytest.mark.parametrize("kind", ["coupler", "open at both ends"])
def test_other_kinds_of_ties_carry_the_same_current(kind: str) -> None:
    net = two_feeders()
    if kind == "coupler":
        net.line = net.line.drop(4)
        net.switch = net.switch[net.switch.element != 4]
        pp.create_switch(net, 2, 4, et="b", closed=False)
    else:
        net.switch.loc[net.switch.element == 4, "closed"] = False
    table = transfers(net, limits=LIMITS, outages=["line:0"])
    assert len(table) == 1
    assert table.line_loading_ratio_max[0] == pytest.approx(loading_ratio(4.0), abs=1e-5)


def test_a_net_without_ties_restores_nothing() -> None:
    net = two_feeders()
    net.line.loc[4, "in_service"] = False
    assert transfers(net, limits=LIMITS).empty
    table = n_minus_one_capacity(net, limits=LIMITS)
    assert set(table.n1_status[[1, 2, 3, 4]]) == {"not_restorable"}
    assert table.n1_capacity_kw[0] == table.capacity_kw[0]


def test_islands_without_a_solution_are_left_out_and_the_rest_is_answered() -> None:
    net = two_feeders(with_mains=True)
    first = len(net.bus)
    for _ in range(5):
        pp.create_bus(net, U_KV)
    pp.create_ext_grid(net, first)
    for a, b in ((0, 1), (1, 2), (0, 3), (3, 4)):
        line(net, first + a, first + b, r_ohm=1.0)
    line(net, first + 2, first + 4, opened="a")
    pp.create_load(net, first + 2, p_mw=100.0)  # 4 R P = 800 > U^2
    table = transfers(net, limits=LIMITS)
    assert table.is_legal.tolist() == [True] * 4 + [False] * (len(table) - 4)
    assert not table.is_solved[4:].any()
    capacities = n_minus_one_capacity(net, limits=LIMITS, power_factor=1.0)
    assert capacities.n1_status[first + 2] == "not_assessable"
    assert capacities.n1_status[2] == "restorable"


def test_an_unknown_outage_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        transfers(two_feeders(), limits=LIMITS, outages=["line:99"])
    assert "outages" in str(caught.value)


def test_the_net_given_is_not_changed() -> None:
    net = two_feeders()
    before = copy.deepcopy(net)
    n_minus_one_capacity(net, limits=LIMITS)
    assert pp.toolbox.nets_equal(net, before)


# --- N-1 capacity -----------------------------------------------------------------------------------------------------


def test_n_minus_one_capacity_is_that_of_a_hand_calculation() -> None:
    """0.8 * 0.4 kA are 5542.6 kW: with 2 MW on each feeder 3542.6 kW are left, with all 4 MW on one 1542.6 kW."""
    table = n_minus_one_capacity(two_feeders(), limits=LIMITS, power_factor=1.0, buses=[1, 2, 3, 4])
    full_kw = 0.8 * RATING_KA * math.sqrt(3.0) * U_KV * 1000.0
    assert table.capacity_kw.tolist() == pytest.approx([full_kw - 2000.0] * 4, abs=0.5)
    assert table.n1_capacity_kw.tolist() == pytest.approx([full_kw - 4000.0] * 4, abs=0.5)
    assert set(table.n1_status) == {"restorable"}
    assert set(table.n1_tie) == {"line:4"}
    assert set(zip(table.n1_limit_kind, table.n1_limit_table, strict=True)) == {("line_loading", "line")}
    named = set(zip(table.n1_outage, table.n1_limit_element, strict=True))
    assert named <= {("line:0", 2), ("line:2", 0)}


def test_limits_after_a_fault_may_differ() -> None:
    table = n_minus_one_capacity(
        two_feeders(), limits=LIMITS, post_fault_limits=Limits(line_loading_ratio_max=1.0), power_factor=1.0, buses=[2]
    )
    full_kw = RATING_KA * math.sqrt(3.0) * U_KV * 1000.0
    assert table.n1_capacity_kw[2] == pytest.approx(full_kw - 4000.0, abs=0.5)


def test_what_no_tie_can_carry_has_no_n_minus_one_capacity() -> None:
    table = n_minus_one_capacity(two_feeders(r_ohm_of_second=2.4), limits=LIMITS, power_factor=1.0)
    assert table.n1_status[[1, 2]].tolist() == ["not_restorable", "not_restorable"]
    assert table.n1_capacity_kw[[1, 2]].isna().all()
    assert (table.capacity_kw[[1, 2]] > 0.0).all()
    assert table.n1_outage[1] == "line:0"
    assert table.n1_status[[3, 4]].tolist() == ["restorable", "restorable"]


def test_a_bus_inside_its_section_waits_for_the_repair() -> None:
    net = two_feeders()
    net.switch = net.switch.drop(3)  # line 1 has no switch at bus 2 any more
    table = n_minus_one_capacity(net, limits=LIMITS, power_factor=1.0)
    assert table.n1_status.to_dict() == {
        0: "restorable",
        1: "restorable",
        2: "own_section",
        3: "restorable",
        4: "restorable",
    }


def test_feeder_table_counts_what_ties_restore() -> None:
    table = feeder_transfer_summary(two_feeders(r_ohm_of_second=2.4), limits=LIMITS)
    assert table.index.tolist() == ["line:0", "line:2"]
    assert table.peak_load_kw.tolist() == pytest.approx([2000.0, 2000.0])
    assert table.ties.tolist() == [1, 1]
    # feeder line:0: 2 MW (too much for the long line: 0.892 pu) and 1 MW (0.922 pu, too low as well)
    assert table.restorable_load_ratio.tolist() == pytest.approx([0.0, 1.0])
    assert table.is_n_minus_one_secure.tolist() == [False, True]
    assert table.worst_outage.tolist() == ["line:0", None]
    assert table.worst_not_restored_kw.tolist() == pytest.approx([2000.0, 0.0])
    # feeder line:0 is never restored; with all 4 MW the head of the other one has 5542.6 - 4000 kW left
    full_kw = 0.8 * RATING_KA * math.sqrt(3.0) * U_KV * 1000.0
    assert math.isnan(table.extra_kw_min["line:0"])
    assert table.extra_kw_min["line:2"] < full_kw - 4000.0
    assert table.extra_outage["line:2"] == "line:2"


# --- the township, by plain pandapower --------------------------------------------------------------------------------

OUTAGES = ["line:19", "line:30", "line:63", "line:193"]


def post_fault(net: Any, outage: str, ties: str) -> Any:
    """The state after a fault by plain means: lines and buses of the section dead, every switch of the ties closed."""
    post = copy.deepcopy(net)
    section = find_sections(net).loc[outage]
    post.line.loc[list(section.lines), "in_service"] = False
    post.bus.loc[list(section.buses), "in_service"] = False
    for tie in ties.split():
        element = int(tie.removeprefix("line:"))
        post.switch.loc[(post.switch.et == "l") & (post.switch.element == element), "closed"] = True
    return post


@pytest.fixture(scope="module")
def sampled(township: Snapshot) -> Any:
    """N-1 capacities at buses of both substations, drawn with a fixed seed."""
    net = township.net
    buses = net.bus.index[net.bus.vn_kv < 35.0].to_numpy()
    low = np.random.default_rng(20261122).choice(buses[net.bus.vn_kv[buses] < 1.0], size=12, replace=False)
    medium = np.random.default_rng(20261123).choice(buses[net.bus.vn_kv[buses] > 1.0], size=40, replace=False)
    return n_minus_one_capacity(net, limits=TOWNSHIP_LIMITS, buses=[*low, *medium], outages=OUTAGES)


def test_plain_pandapower_confirms_n_minus_one_capacities(township: Snapshot, sampled: Any) -> None:
    """In the state that binds the load flow holds at the capacity and breaks one step above, at the element named."""
    table = sampled[sampled.n1_outage.notna() & sampled.n1_capacity_kw.notna()]
    pairs = table.groupby("n1_outage").head(6).head(12)
    assert len(pairs) >= 10
    assert pairs.n1_outage.nunique() >= 2
    for (outage, ties), rows in pairs.groupby(["n1_outage", "n1_tie"]):
        post = post_fault(township.net, outage, ties)
        for _, row in rows.iterrows():
            named = row.drop(["capacity_kw", "limit_kind", "limit_table", "limit_element"])
            check_row(post, named.rename(lambda name: name.removeprefix("n1_") if name != "n1_status" else name),
                      TOWNSHIP_LIMITS, 0.95)  # fmt: skip


def test_the_smallest_state_is_reported(township: Snapshot, sampled: Any) -> None:
    """At the N-1 capacity of a bus no other restored state and not the normal state breaks a limit."""
    chosen = transfers(township.net, limits=TOWNSHIP_LIMITS, outages=OUTAGES).query("is_chosen")
    states = [township.net, *(post_fault(township.net, row.outage, row.tie) for row in chosen.itertuples())]
    assert len(states) >= 4
    bus = int(sampled.index[sampled.n1_outage.notna()][-1])
    for state in states:
        base = copy.deepcopy(state)
        assert solve(base)
        after = loaded(state, bus, sampled.n1_capacity_kw[bus], 0.95)
        path, _ = Net(state).supply_path(bus)
        before = readings(base, TOWNSHIP_LIMITS)
        assert not counted(before, readings(after, TOWNSHIP_LIMITS), path, TOWNSHIP_LIMITS)


def test_an_outage_never_adds_capacity(township: Snapshot, sampled: Any) -> None:
    normal = open_capacity(township.net, limits=TOWNSHIP_LIMITS, buses=sampled.index, confirm="none")
    known = sampled.n1_capacity_kw.notna()
    assert (sampled.n1_capacity_kw[known] <= normal.capacity_kw[known]).all()
    assert (sampled.n1_capacity_kw[known] < normal.capacity_kw[known]).sum() > 10
