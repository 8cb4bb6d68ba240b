"""Post-fault states as multiples of one load flow of the same network: benchmark B6, and the product's own questions.

B6: for every tie and both its directions, the line is cut at five places of the way from the busbar to the tie, and
what lies behind the cut hangs on the other feeder over the tie; the capacity of all nodes of each of these trees, with
all that is made from the net on the way, against one load flow. Both sides take turns in one process. The peer is
pandapower's Newton method as the product runs it, and once more with its numba option.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
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
from tests.benchmarks.bench_open_capacity import LIMITS, POWER_FACTOR, TAN_PHI, township
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
    """Yield one summary per case; the county is generated into the user's cache when it is not there yet."""
    nets = {"township": township()} | ({"county": load_county().net} if with_county else {})
    for name, net in nets.items():
        yield all_trees(name, net, repetitions)
        yield product(name, net, repetitions)


def all_trees(name: str, net: Any, repetitions: int) -> dict[str, Any]:
    """Measure B6."""
    states = PostFaultStates(net, LIMITS, power_factor=POWER_FACTOR)
    cuts = list(cuts_of(states))

    def ours() -> Trees:
        return capacity_in_all(states, cuts)

    trees = ours()
    pairs = _take_turns(net, ours, repetitions)
    return {
        "bench": "post_fault_trees",
        "case": f"{name}: all nodes in {trees.solved} post-fault trees / one runpp",
        "unsolved": trees.unsolved,
        "nodes_per_tree": trees.nodes / max(trees.solved, 1),
        "unanswered": trees.unanswered,
        **_summary(pairs),
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
        positions = np.unique(tree.planted.position[1:])
        carried = tree.carry(positions, TAN_PHI)
        p_mw = np.full(len(tree.u_pu), np.nan)
        p_mw[positions] = carried.p_mw
        np.fmin.at(least_mw, tree.planted.vertex[1:], p_mw[tree.planted.position[1:]])
        found.solved += 1
        found.nodes += len(positions)
        found.unanswered += int((carried.row == NO_LIMIT).sum())
    return found


def product(name: str, net: Any, repetitions: int) -> dict[str, Any]:
    """Measure all transfers and all N-1 capacities, from the net to the table."""
    n_minus_one_capacity(net, limits=LIMITS, power_factor=POWER_FACTOR, outages=[])  # compiles the engine
    moved = transfers(net, limits=LIMITS)
    table = n_minus_one_capacity(net, limits=LIMITS, power_factor=POWER_FACTOR)

    def ours() -> Any:
        return n_minus_one_capacity(net, limits=LIMITS, power_factor=POWER_FACTOR)

    return {
        "bench": "n_minus_one",
        "case": f"{name}: N-1 capacity of {len(table)} buses, {len(moved)} transfers tried, "
        f"{table.attrs['post_fault_states']} restored / one runpp",
        **_summary(_take_turns(net, ours, repetitions)),
    }


def _take_turns(net: Any, ours: Callable[[], Any], repetitions: int) -> list[tuple[float, float, float]]:
    """Return seconds of ours, of one load flow, and of one with numba; all of them warm."""
    peer = copy_net(net)
    peers: tuple[Callable[[], Any], ...] = (lambda: run_load_flow(peer), lambda: run_load_flow(peer, numba=True))
    for work in peers:
        work()
    return [(_seconds(ours), _seconds(peers[0]), _seconds(peers[1])) for _ in range(repetitions)]


def _seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _summary(times: list[tuple[float, float, float]]) -> dict[str, float]:
    ratios = [ours / peer for ours, peer, _ in times]
    return {
        "ratio_median": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
        "ratio_to_numba_median": statistics.median(ours / peer for ours, _, peer in times),
        "ours_s": statistics.median(ours for ours, _, _ in times),
        "peer_s": statistics.median(peer for _, peer, _ in times),
    }


if __name__ == "__main__":
    for record in run(with_county="--without-county" not in sys.argv[1:]):
        print(json.dumps(record))
