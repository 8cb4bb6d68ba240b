"""Post-fault states as multiples of one load flow of the same network: benchmark B6, and the product's own questions.

B6: for every tie and both its directions, the line is cut at five places of the way from the busbar to the tie, and
what lies behind the cut hangs on the other feeder over the tie; the capacity of all nodes of each of these trees, with
all that is made from the net on the way, against one load flow by pandapower's Newton method with numba.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridmodel.capacity.n_minus_one import n_minus_one_capacity
from gridmodel.capacity.path.bounds import NO_LIMIT
from gridmodel.capacity.post_fault_states import PostFaultStates
from gridmodel.capacity.post_fault_tree import grow_tree
from gridmodel.capacity.sections import Section, Tie
from gridmodel.capacity.switched_arrays import build_switched_arrays
from gridmodel.capacity.transfer import transfers
from gridmodel.net import copy_net, run_load_flow
from tests.benchmarks.turns import summary, take_turns
from tests.benchmarks.yardstick import LIMITS, POWER_FACTOR, TAN_PHI, township
from tests.county.build import load_county

CUTS_PER_WAY = 5


@dataclass(frozen=True, kw_only=True)
class Cut:
    """One post-fault tree: a line out, and what lies behind it on the other side of a tie."""

    section: Section
    tie: Tie
    near: int
    """Bus of the tie on the receiving side."""


@dataclass(kw_only=True)
class Trees:
    """What came out of one pass over all trees."""

    solved: int = 0
    unsolved: int = 0
    nodes: int = 0
    unanswered: int = 0


def run(*, repetitions: int = 5, with_county: bool = True) -> Iterator[dict[str, Any]]:
    """Yield one row per question and network; the county is generated into the user's cache when it is not there."""
    nets = {"township": township()} | ({"county": load_county().net} if with_county else {})
    for name, net in nets.items():
        yield all_trees(name, net, repetitions)
        yield product(name, net, repetitions)


def all_trees(name: str, net: Any, repetitions: int) -> dict[str, Any]:
    """Measure B6."""
    states, peer = PostFaultStates(net, LIMITS, power_factor=POWER_FACTOR), copy_net(net)
    cuts = list(cuts_of(states))
    trees = capacity_in_all(states, cuts)
    pairs = take_turns(lambda: capacity_in_all(states, cuts), lambda: run_load_flow(peer, numba=True), repetitions)
    return {
        "id": "B6",
        "case": f"{name}: all nodes in {trees.solved} post-fault trees / one runpp",
        "must": "<= 15",
        "unsolved": trees.unsolved,
        "nodes_per_tree": trees.nodes / max(trees.solved, 1),
        "unanswered": trees.unanswered,
        **summary(pairs),
    }


def cuts_of(states: PostFaultStates) -> Iterator[Cut]:
    """Yield the trees of B6."""
    for tie in states.ties:
        for near, far in ((tie.bus_b, tie.bus_a), (tie.bus_a, tie.bus_b)):
            way = states.base.topology.path(far).lines
            feeder = tie.feeder_a if far == tie.bus_a else tie.feeder_b
            for at in np.unique(np.linspace(0, len(way) - 1, CUTS_PER_WAY).round().astype(int)) if way else ():
                line = way[at]
                section = Section(
                    section=f"line:{line}", feeder=str(feeder), lines=(line,), buses=(), switches=(), length_km=0.0
                )
                yield Cut(section=section, tie=tie, near=near)


def capacity_in_all(states: PostFaultStates, cuts: list[Cut]) -> Trees:
    """Return what a pass over all trees has found; the arrays are taken from the net anew."""
    switched = build_switched_arrays(states.base, states.sections, states.ties)
    least_mw, found = np.full(len(switched.u_base_kv), np.inf), Trees()
    for cut in cuts:
        state = switched.state(cut.section, [cut.tie])
        tree = None if state is None else grow_tree(switched, state, int(switched.vertex_of_bus[cut.near]))
        if tree is None:
            found.unsolved += 1
            continue
        vertex, position = tree.planted.vertex[1:], tree.planted.position[1:]
        p_mw = np.full(len(tree.u_pu), np.inf)
        p_mw[position] = 0.0
        positions = np.flatnonzero(p_mw == 0.0)
        carried = tree.carry(positions, TAN_PHI)
        p_mw[positions] = carried.p_mw
        least_mw[vertex] = np.fmin(least_mw[vertex], p_mw[position])
        found.solved += 1
        found.nodes += len(positions)
        found.unanswered += int((carried.row == NO_LIMIT).sum())
    return found


def product(name: str, net: Any, repetitions: int) -> dict[str, Any]:
    """Measure the product's own question: every section out, the best ties closed, the least capacity of every bus."""
    peer, moved = copy_net(net), transfers(net, limits=LIMITS)
    table = n_minus_one_capacity(net, limits=LIMITS, power_factor=POWER_FACTOR)
    pairs = take_turns(
        lambda: n_minus_one_capacity(net, limits=LIMITS, power_factor=POWER_FACTOR),
        lambda: run_load_flow(peer, numba=True),
        repetitions,
    )
    states = table.attrs["post_fault_states"]
    case = f"{name}: N-1 table, {len(moved)} transfers tried, {states} outages restored / one runpp"
    return {"id": "N-1", "case": case, "must": "", **summary(pairs)}
