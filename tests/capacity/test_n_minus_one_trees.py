"""Post-fault states as trees: against pandapower on nets put into the state by plain means.

Two strained random radial nets (generation, taps, three-winding transformers, twin lines, voltage-dependent loads) get
switches of every kind and are tied together; the county is checked on fifty outages.
"""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandapower as pp
import pandapower.topology
import pytest

from gridmodel import Limits, VoltageBand, open_capacity
from gridmodel.capacity.constraints import measure
from gridmodel.capacity.n_minus_one import n_minus_one_capacity
from gridmodel.capacity.post_fault import post_fault_net
from gridmodel.capacity.post_fault_states import PostFaultStates
from gridmodel.capacity.post_fault_tree import PostFaultTree
from gridmodel.capacity.sections import Section, Tie
from gridmodel.capacity.transfer import TransferStudy, tie_capacities, transfers
from gridmodel.net import run_load_flow
from tests.capacity.independent_check import check_row, solve
from tests.capacity.radial_nets import radial_net
from tests.county.build import load_county

BANDS = (
    VoltageBand(u_nominal_kv_min=0.3, u_nominal_kv_max=0.5, u_pu_min=0.8835, u_pu_max=1.0165),
    VoltageBand(u_nominal_kv_min=6.0, u_nominal_kv_max=21.0, u_pu_min=0.93, u_pu_max=1.07),
)
COUNTY_LIMITS = Limits(voltage_bands=BANDS, off_path_voltage_effect_pu=0.005, off_path_loading_effect_ratio=0.01)


def tied_nets(seed: int) -> tuple[Any, Limits]:
    """Two random nets in one, with line switches, couplers and three ties."""
    rng = random.Random(seed)
    (net, limits), (second, _) = radial_net(2 * seed), radial_net(2 * seed + 1)
    second.sn_mva = net.sn_mva
    first_bus = len(net.bus)
    net = pp.toolbox.merge_nets(net, second, validate=False, net2_reindex_log_level=None)
    medium = net.bus.index[(net.bus.vn_kv == 10.0) & net.bus.in_service]
    pairs = net.line.from_bus.astype(str) + "-" + net.line.to_bus.astype(str)
    has_twin = pairs.duplicated(keep=False) & (rng.random() < 0.8)  # a switch at one of twins makes a ring of them
    for line in net.line.index[net.line.from_bus.isin(medium) & ~has_twin]:
        for bus in (net.line.from_bus[line], net.line.to_bus[line]):
            kind = rng.choice(["none", "none", "line", "coupler", "coupler with impedance"])
            if kind == "line":
                pp.create_switch(net, bus, line, et="l", closed=True)
            elif kind != "none" and net.line.from_bus[line] == bus and not (net.switch.element == line).any():
                near = pp.create_bus(net, vn_kv=10.0)
                net.line.loc[line, "from_bus"] = near
                pp.create_switch(net, bus, near, et="b", closed=True, z_ohm=0.0 if kind == "coupler" else 0.02)
    own = [bus for bus in medium if bus < first_bus]
    other = [bus for bus in medium if bus >= first_bus]
    for kind in ("one end", "both ends", "coupler"):
        a, b = rng.choice(own[1:]), rng.choice(other[1:])
        if kind == "coupler":
            pp.create_switch(net, a, b, et="b", closed=False)
        else:
            tie = pp.create_line_from_parameters(net, a, b, 0.8, 0.2, 0.35, 280.0, 0.3)
            pp.create_switch(net, a, tie, et="l", closed=False)
            pp.create_switch(net, b, tie, et="l", closed=kind == "one end")
    return net, limits


@dataclass(frozen=True, kw_only=True)
class Case:
    """One outage with one tie closed."""

    section: Section
    tie: Tie
    near: int
    part: tuple[int, ...]


def cases(states: PostFaultStates) -> Iterator[Case]:
    """Every part of every outage with every tie that reaches it."""
    for section in states.sections:
        loss = states.graph.loss(section)
        lost = {bus for part in loss.parts for bus in part} | set(loss.own)
        for part in loss.parts:
            for tie in states.ties:
                for near, far in ((tie.bus_a, tie.bus_b), (tie.bus_b, tie.bus_a)):
                    if far in part and near not in lost and tie.element not in section.lines:
                        yield Case(section=section, tie=tie, near=near, part=part)


def grown(states: PostFaultStates, case: Case) -> PostFaultTree | None:
    return states.tree(case.section, [case.tie], case.near)


def voltages(tree: PostFaultTree, buses: Any) -> Any:
    """By bus; NaN outside the tree."""
    found = np.full(len(tree.switched.u_base_kv), np.nan)
    found[tree.planted.vertex] = tree.u_pu[tree.planted.position]
    vertex = tree.switched.vertex_of_bus[buses]
    return np.where(vertex >= 0, found[vertex], np.nan)


@pytest.fixture(scope="module")
def studies() -> list[PostFaultStates]:
    """Nets whose normal state has a solution and most of whose states are trees."""
    return [PostFaultStates(*tied_nets(seed), power_factor=0.95) for seed in (3, 4, 5, 8, 10, 12, 13)]


def test_trees_have_the_voltages_and_loadings_of_pandapower(studies: list[PostFaultStates]) -> None:
    compared = couplers = 0
    for states in studies:
        chosen = list(cases(states))
        for case in random.Random(1).sample(chosen, k=min(6, len(chosen))):
            tree = grown(states, case)
            post = post_fault_net(states.net, case.section, [case.tie])
            if tree is None or not solve(post):
                continue
            run_load_flow(post, tolerance_mva=1e-11)
            buses = states.net.bus.index.to_numpy()
            u_pu = voltages(tree, buses)
            inside = ~np.isnan(u_pu)
            assert set(case.part) <= set(buses[inside])
            assert np.abs(u_pu - post.res_bus.vm_pu.to_numpy())[inside].max() < 1e-8
            loading = measure(post, states.base.constraints)[tree.limited.rows]
            assert np.abs(loading - tree.values).max() < 1e-6
            compared += 1
            couplers += case.tie.table == "switch"
    assert compared > 25
    assert couplers > 5


def test_what_a_tree_does_not_express_is_left_to_the_load_flow() -> None:
    """A twin of a switched line makes a ring; the table says what answered, and both say what pandapower says."""
    net, limits = tied_nets(2)
    states = PostFaultStates(net, limits, power_factor=0.95)
    by_tree = {(case.section.section, case.tie.tie): grown(states, case) is not None for case in cases(states)}
    table = transfers(net, limits=limits)
    table = table[table.is_solved & ~table.outage.duplicated(keep=False)]  # one tie alone: the state is that of a case
    assert set(table.engine) == {"path", "pandapower"}
    for row in table.itertuples():
        assert (row.engine == "path") == by_tree[row.outage, row.tie]


def test_capacities_in_a_tree_are_those_of_the_net_in_that_state(studies: list[PostFaultStates]) -> None:
    """All nodes of a few trees against the engines on the net of the state."""
    compared = 0
    for states in studies:
        chosen = [case for case in cases(states) if grown(states, case) is not None]
        for case in random.Random(2).sample(chosen, k=min(2, len(chosen))):
            tree = grown(states, case)
            post = post_fault_net(states.net, case.section, [case.tie])
            if tree is None or not solve(copy.deepcopy(post)):
                continue
            positions = np.unique(tree.planted.position[1:])
            carried = tree.carry(positions, states.tan_phi)
            p_mw = dict(zip(positions.tolist(), carried.p_mw.tolist(), strict=True))
            vertex = dict(zip(tree.planted.vertex.tolist(), tree.planted.position.tolist(), strict=True))
            table = open_capacity(post, limits=states.limits, buses=case.part, confirm="none")
            for bus, row in table[table.status == "assessed"].iterrows():
                mine = p_mw[vertex[int(tree.switched.vertex_of_bus[bus])]]
                if not math.isnan(mine) and row.limit_kind not in ("convergence", "ceiling"):
                    assert mine * 1000.0 == pytest.approx(row.capacity_kw, rel=1e-4, abs=0.3)
                    compared += 1
    assert compared >= 80


def test_plain_pandapower_confirms_n_minus_one_capacities_of_strained_nets(studies: list[PostFaultStates]) -> None:
    """In the state that binds the load flow holds at the capacity and breaks one step above, at the element named."""
    pairs = 0
    for states in studies:
        if (
            states.base.live_flow.arrays.obstacles
        ):  # voltage-dependent loads: their own nodes are searched by load flows
            continue
        table = n_minus_one_capacity(states.net, limits=states.limits)
        table = table[table.n1_outage.notna() & table.n1_capacity_kw.notna() & (table.n1_limit_kind != "convergence")]
        sections = {section.section: section for section in states.sections}
        for (outage, ties), rows in table.groupby(["n1_outage", "n1_tie"]):
            closed = [tie for tie in states.ties if tie.tie in str(ties).split()]
            post = post_fault_net(states.net, sections[outage], closed)
            for _, row in rows.sample(n=min(2, len(rows)), random_state=1).iterrows():
                check_row(post, n1_row(row), states.limits, 0.95)
                pairs += 1
    assert pairs >= 15


def n1_row(row: Any) -> Any:
    """The N-1 columns of a row under the names of open capacity."""
    own = row.drop(["capacity_kw", "limit_kind", "limit_table", "limit_element", "status"])
    renamed = own.rename(lambda name: name.removeprefix("n1_"))
    renamed["status"] = "assessed"
    return renamed


def test_a_tie_carries_what_its_line_and_the_receiving_feeder_allow() -> None:
    """Hand calculation: 0.8 * 0.4 kA at 10 kV less 2 MW on the receiving feeder; a tie of 0.1 kA carries less."""
    net = pp.create_empty_network()
    for _ in range(3):
        pp.create_bus(net, 10.0)
    pp.create_ext_grid(net, 0)
    for a, b, rating_ka, is_open in ((0, 1, 0.4, False), (0, 2, 0.4, False), (1, 2, 0.1, True)):
        line = pp.create_line_from_parameters(net, a, b, 1.0, 1e-5, 1e-5, 0.0, rating_ka)
        pp.create_switch(net, a, line, et="l", closed=not is_open)
    pp.create_load(net, 2, p_mw=2.0)
    pp.create_load(net, 1, p_mw=1.0)
    full_kw = 0.8 * 0.4 * math.sqrt(3.0) * 10.0 * 1000.0
    table = tie_capacities(net, limits=Limits(), power_factor=1.0).set_index("direction")
    assert table.capacity_kw.to_dict() == pytest.approx({"a_to_b": full_kw / 4.0, "b_to_a": full_kw / 4.0}, abs=0.5)
    assert table.limit_element.tolist() == [2, 2]
    net.line.loc[2, "max_i_ka"] = 0.4
    table = tie_capacities(net, limits=Limits(), power_factor=1.0).set_index("direction")
    expected = {"a_to_b": full_kw - 2000.0, "b_to_a": full_kw - 1000.0}
    assert table.capacity_kw.to_dict() == pytest.approx(expected, abs=0.5)


def test_progress_ends_at_the_total() -> None:
    net, limits = tied_nets(1)
    seen: list[tuple[int, int]] = []
    n_minus_one_capacity(net, limits=limits, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1] == 2 * len(TransferStudy(net, limits).sections)


@pytest.mark.slow
def test_county_n_minus_one_capacities_hold_in_pandapower_on_fifty_outages() -> None:
    """One node each at fifty outages: the load flow holds at its capacity and breaks one step above."""
    net = load_county().net
    table = n_minus_one_capacity(net, limits=COUNTY_LIMITS)
    table = table[table.n1_outage.notna() & table.n1_capacity_kw.notna()]
    outages = sorted(table.n1_outage.unique())
    chosen = [outages[at] for at in np.random.default_rng(20261124).permutation(len(outages))[:50]]
    assert len(chosen) == 50
    study = TransferStudy(net, COUNTY_LIMITS)
    sections = {section.section: section for section in study.sections}
    graph = pandapower.topology.create_nxgraph(net, include_out_of_service=False)
    parts = [frozenset(part) for part in pandapower.topology.connected_components(graph)]
    part_of = {bus: part for part in parts for bus in part}
    for outage in chosen:
        row = table[table.n1_outage == outage].sample(n=1, random_state=3).iloc[0]
        ties = [tie for tie in study.ties if tie.tie in row.n1_tie.split()]
        own = frozenset().union(*(part_of[bus] for tie in ties for bus in (tie.bus_a, tie.bus_b)))
        ends = net.line[
            net.line.from_bus.isin(own) | net.line.to_bus.isin(own)
        ]  # open lines charge: their far ends too
        region = pp.toolbox.select_subnet(net, sorted(own | set(ends.from_bus) | set(ends.to_bus)))
        check_row(post_fault_net(region, sections[outage], ties), n1_row(row), COUNTY_LIMITS, 0.95)
