"""The path engine asked for generation: against batches of load flows, and its parts against other arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gridmodel.capacity.base_case import solve_base_case
from gridmodel.capacity.island_search import IslandSearch
from gridmodel.capacity.path.engine import PathEngine
from gridmodel.capacity.path.oneport import OTHERS, power_at
from gridmodel.capacity.path.squares import SQUARES, write_squares
from gridmodel.capacity.path.tree import NOWHERE
from gridmodel.readers.select import read_source
from tests.capacity.independent_check import solve
from tests.capacity.radial_nets import radial_net
from tests.capacity.test_fixture_networks import LIMITS, LITERAL, SOURCES
from tests.conftest import FIXTURES

TIE_KW = 0.6
"""Two limits that break within the width of both searches' brackets may be named either way."""


def table_of(base, buses, first_engine, power_factor):
    options = {"tan_phi": math.tan(math.acos(power_factor)), "ceiling_kw": 1e6, "direction": "generation"}
    rows = IslandSearch(base, **options, first_engine=first_engine).run(buses)
    return rows.to_table(base.constraints, base.u_pu_of(buses)), rows


def judge_by_batches(net, limits, power_factor):
    """Assert that batches of load flows find the same capacities and limits; return the kinds the path engine found."""
    base = solve_base_case(net, limits)
    buses = net.bus.index[net.bus.in_service].to_numpy(dtype=np.int64)
    ours, our_rows = table_of(base, buses, "path", power_factor)
    theirs, their_rows = table_of(base, buses, "batch", power_factor)
    for at, bus in enumerate(buses):
        one, other = ours.loc[bus], theirs.loc[bus]
        assert (one.status, one.limit_kind) == (other.status, other.limit_kind), bus
        assert one.capacity_kw == pytest.approx(other.capacity_kw, abs=0.5, nan_ok=True), bus
        if one.limit_kind != "existing_violation":
            assert one.notes == other.notes, bus
        if (one.limit_table, one.limit_element) != (other.limit_table, other.limit_element):
            assert abs(our_rows.breaks_kw[at] - their_rows.breaks_kw[at]) < TIE_KW, bus
    return ours.limit_kind[ours.engine == "path"]


@pytest.mark.parametrize("seed", [2, 3, 4, 8, 10, 33])
def test_every_node_of_strained_radial_nets_agrees_with_batches_of_load_flows(seed):
    net, limits = radial_net(seed)
    assert solve(net)
    judge_by_batches(net, limits, 1.0 if seed % 2 else 0.95)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 300))
def test_every_node_of_many_more_strained_radial_nets_agrees(seed):
    net, limits = radial_net(seed)
    if solve(net):
        judge_by_batches(net, limits, 1.0 if seed % 2 else 0.95)


@pytest.mark.parametrize("limits", [LIMITS, LITERAL], ids=["thresholds of the rules", "literal"])
def test_every_node_of_a_fixture_network_with_generation_agrees(limits):
    net = read_source(FIXTURES / SOURCES["Oberrhein 20 kV, generation"][0]).net
    kinds = judge_by_batches(net, limits, 1.0)
    assert len(kinds) > 60
    assert "voltage_high" in kinds.tolist()


def subtree_power(tree, top, v):
    """Power into a position at voltage ``v`` (MVA), by complex sweeps over its subtree."""
    inside = slice(top, tree.end[top])
    parent, count = tree.parent[inside] - top, tree.end[top] - top
    voltage = np.full(count, complex(v))
    for i in range(1, count):
        voltage[i] = voltage[parent[i]] / tree.v_from_v[top + i]
    for _ in range(200):
        u = np.abs(voltage)
        s = tree.s_constant[inside] + u * (tree.s_linear[inside] + u * tree.s_square[inside])
        current, before = np.conj(s / voltage), voltage.copy()
        for i in range(count - 1, 0, -1):
            current[parent[i]] += tree.i_from_v[top + i] * voltage[i] + tree.i_from_j[top + i] * current[i]
        for i in range(1, count):
            drop = tree.v_from_j[top + i] * current[i]
            voltage[i] = (voltage[parent[i]] - drop) / tree.v_from_v[top + i]
        if np.abs(voltage - before).max() < 1e-13:
            break
    return voltage[0] * np.conj(current[0])


@pytest.mark.parametrize("direction", ["load", "generation"])
@pytest.mark.parametrize("seed", [1, 5, 9, 24])
def test_one_ports_are_what_sweeps_over_their_subtrees_give(seed, direction):
    net, limits = radial_net(seed)
    base = solve_base_case(net, limits)
    usable = np.isfinite(base.values) & np.isfinite(base.constraints.limits)
    engine = PathEngine(base.live_flow, net, base.terms, base.constraints, base.values, usable, direction)
    tree, ports = engine.tree, engine.ports
    rng, judged = np.random.default_rng(seed), 0
    for i in np.flatnonzero(tree.parent != NOWHERE).tolist():
        x, scale = float(rng.uniform(-1.0, 1.0)), ports.scale[i]
        w = 1.0 / (ports.centre[i] + x / scale)
        p, q, p_w, _ = power_at(ports.whole, i, 0, x, scale, w, 1.0 / w)
        exact = subtree_power(tree, i, math.sqrt(w))
        assert complex(p, q) == pytest.approx(exact, abs=1e-5), i
        rise = subtree_power(tree, i, math.sqrt(w + 1e-4)) - subtree_power(tree, i, math.sqrt(w - 1e-4))
        assert p_w == pytest.approx(rise.real / 2e-4, abs=1e-3), i
        judged += tree.end[i] - i > 1
    assert judged > 3


@pytest.mark.parametrize("direction", ["load", "generation"])
def test_a_parent_is_its_own_load_and_every_branch_below_it(direction):
    net, limits = radial_net(9)
    base = solve_base_case(net, limits)
    usable = np.isfinite(base.values) & np.isfinite(base.constraints.limits)
    engine = PathEngine(base.live_flow, net, base.terms, base.constraints, base.values, usable, direction)
    tree, ports = engine.tree, engine.ports
    i = next(i for i in range(len(tree.parent)) if (tree.parent == i).sum() >= 2 and tree.parent[i] != NOWHERE)
    width = ports.whole.shape[1]
    branches = [ports.whole[i] - ports.steps[c, OTHERS : OTHERS + width] for c in np.flatnonzero(tree.parent == i)]
    own = ports.whole[i] - np.sum(branches, axis=0)
    w = engine.v_base[i] ** 2
    x = (1.0 / w - ports.centre[i]) * ports.scale[i]
    p, q, _, _ = power_at(own[None, :], 0, 0, x, ports.scale[i], w, 1.0 / w)
    u = engine.v_base[i]
    expected = tree.s_constant[i] + u * (tree.s_linear[i] + u * tree.s_square[i])
    assert complex(p, q) == pytest.approx(expected, abs=1e-7)


def test_a_branch_in_squares_is_its_two_port():
    net, limits = radial_net(9)
    tree = solve_base_case(net, limits).live_flow.forest.tree
    rows = np.zeros((len(tree.parent), SQUARES))
    write_squares(tree, rows)
    rng = np.random.default_rng(9)
    for i in np.flatnonzero(tree.parent != NOWHERE).tolist():
        voltage, power = rng.uniform(0.9, 1.1) * np.exp(1j * rng.uniform(-1.0, 1.0)), complex(*rng.normal(size=2))
        current = np.conj(power / voltage)
        v_parent = tree.v_from_v[i] * voltage + tree.v_from_j[i] * current
        i_parent = tree.i_from_v[i] * voltage + tree.i_from_j[i] * current
        s_parent = v_parent * np.conj(i_parent)
        w = abs(voltage) ** 2
        got = rows[i].reshape(3, 4) @ [w, power.real, power.imag, abs(power) ** 2 / w]
        scale = np.abs(rows[i]).max()
        assert got == pytest.approx([abs(v_parent) ** 2, s_parent.real, s_parent.imag], abs=1e-12 * max(scale, 1.0)), i
