"""The reference county: all capacities against one load flow, against one own flow, by size, and their memory.

Questions: how many pandapower load flows does the table of all capacities cost (B1), how many of the product's own
flows (B5), how long do ten candidates take once the network is in memory (B8), what stays in memory (B10), and does a
node cost the same in a small network and in sixteen counties?
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from gridmodel import open_capacity
from gridmodel.capacity.base_case import BaseCase, solve_base_case
from gridmodel.capacity.flow import solve_radial
from gridmodel.capacity.path.answers import PathAnswers
from gridmodel.capacity.rows import Rows
from gridmodel.capacity.search import CEILING_KW
from gridmodel.net import copy_net, run_load_flow
from tests.benchmarks.bench_path import one_island
from tests.benchmarks.turns import seconds, summary, take_turns
from tests.benchmarks.yardstick import LIMITS, POWER_FACTOR, TAN_PHI
from tests.county.build import build_county, load_county

_KB_PER_MB = 1024.0
CANDIDATES = 10
COUNTIES = 16


def run(*, repetitions: int = 5) -> Iterator[dict[str, Any]]:
    """Yield one row per question and network; the county is generated into the user's cache when it is not there."""
    for with_lv, name in ((False, "county"), (True, "county with low voltage")):
        net = load_county(with_lv=with_lv).net
        yield against_one_load_flow(name, net, repetitions)
        base = solve_base_case(net, LIMITS)
        yield against_own_flow(name, base, repetitions)
        yield kept_memory(name, base)
    yield ten_candidates(repetitions)
    yield peak_memory()
    yield from cost_by_size(repetitions)


def against_one_load_flow(name: str, net: Any, repetitions: int) -> dict[str, Any]:
    """B1: from the net to the table of all buses, against pandapower's Newton method with numba."""
    peer = copy_net(net)
    pairs = take_turns(
        lambda: open_capacity(net, limits=LIMITS, power_factor=POWER_FACTOR, confirm="none"),
        lambda: run_load_flow(peer, numba=True),
        repetitions,
    )
    case = f"{name}: all {len(net.bus)} buses with table / one runpp"
    return {"id": "B1", "case": case, "must": "<= 0.6", **summary(pairs)}


def against_own_flow(name: str, base: BaseCase, repetitions: int) -> dict[str, Any]:
    """B5: one-ports, needs and walks of all nodes, against one flow by sweeps on the same arrays."""
    flow = base.live_flow
    pairs = take_turns(lambda: _search_all(base), lambda: solve_radial(flow.arrays, flow.forest), repetitions)
    case = f"{name}: all nodes / one flow by sweeps, its balance checked"
    return {"id": "B5", "case": case, "must": "<= 35", **summary(pairs)}


def _search_all(base: BaseCase) -> Rows:
    rows = Rows(base.original.bus.index.to_numpy(dtype=np.int64))
    PathAnswers(base).answer(rows, tan_phi=TAN_PHI, ceiling_kw=CEILING_KW)
    return rows


def ten_candidates(repetitions: int) -> dict[str, Any]:
    """B8: the exact capacity of ten nodes of a network in memory, against one load flow of their island."""
    net = load_county().net
    answers, island = PathAnswers(solve_base_case(net, LIMITS)), one_island(net)
    buses = island.bus.index[len(island.bus) // 2 :][:CANDIDATES].to_numpy(dtype=np.int64)
    pairs = take_turns(
        lambda: answers.answer(Rows(buses), tan_phi=TAN_PHI, ceiling_kw=CEILING_KW),
        lambda: run_load_flow(island, numba=True),
        repetitions,
    )
    case = f"one runpp of an island of {len(island.bus)} buses / {CANDIDATES} candidates"
    return {"id": "B8", "case": case, "must": ">= 50", **summary(pairs, of_peer=True)}


def kept_memory(name: str, base: BaseCase) -> dict[str, Any]:
    """B10: arrays, trees, one-ports and answers per node."""
    answers = PathAnswers(base)
    rows = _search_all(base)
    kept = _bytes((answers.engine.tree, answers.engine.ports, answers.engine.needs, vars(rows)), set())
    nodes = len(base.live_flow.voltage)
    case = f"{name}: trees, one-ports and answers kept, bytes a node"
    return {"id": "B10", "case": case, "must": "<= 600", "value": kept / nodes}


def _bytes(part: Any, seen: set[int]) -> int:
    """Return the bytes of all arrays in a record, each counted once."""
    if isinstance(part, np.ndarray):
        if id(part) in seen:
            return 0
        seen.add(id(part))
        return part.nbytes
    if isinstance(part, dict):
        return sum(_bytes(item, seen) for item in part.values())
    if isinstance(part, tuple | list):
        return sum(_bytes(item, seen) for item in part)
    if is_dataclass(part) and not isinstance(part, type):
        return sum(_bytes(getattr(part, item.name), seen) for item in fields(part))
    return 0


def peak_memory() -> dict[str, Any]:
    """B10: peak memory of a process that reads the county with low voltage and computes all its capacities once."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bench_county", "--peak"], check=True, capture_output=True, text=True
    )
    case = "county with low voltage: peak memory of a process, MB"
    return {"id": "B10", "case": case, "must": "<= 1000", "value": float(done.stdout)}


def _print_peak() -> None:
    net = load_county(with_lv=True).net
    open_capacity(net, limits=LIMITS, power_factor=POWER_FACTOR, confirm="none")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KB_PER_MB)


def cost_by_size(repetitions: int) -> Iterator[dict[str, Any]]:
    """Microseconds a node from the arrays to the answers, in an island, and in 1, 4 and 16 counties."""
    nets = [one_island(load_county().net), load_county().net]
    nets += [build_county(counties=count).net for count in (4, COUNTIES)]
    bases = [solve_base_case(net, LIMITS) for net in nets]
    for base in bases:
        _search_all(base)
    rounds = [[seconds(lambda base=base: _search_all(base)) for base in bases] for _ in range(repetitions)]
    for at, base in enumerate(bases):
        nodes = len(base.live_flow.voltage)
        per_node = sorted(1e6 * times[at] / nodes for times in rounds)
        case = f"microseconds a node in a network of {nodes} nodes"
        yield {"id": "size", "case": case, "must": "within 30 %", "value": per_node[len(per_node) // 2]}


if __name__ == "__main__":
    if "--peak" in sys.argv[1:]:
        _print_peak()
    else:
        for record in run():
            print(json.dumps(record))
