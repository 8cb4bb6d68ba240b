"""The path engine: all nodes of a network against one load flow of it, and one island against batches of load flows.

Questions: how many load flows of the whole network does the table of all its capacities cost, and how much faster are
paths than power-grid-model's batches on the same island with the same limits? Both sides take turns in one process.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import pandas as pd

from gridmodel import open_capacity
from gridmodel.capacity.base_case import solve_base_case
from gridmodel.capacity.island_search import IslandSearch
from gridmodel.capacity.search import CEILING_KW
from gridmodel.net import copy_net, pandapower, run_load_flow
from gridmodel.topology import connected_parts
from tests.benchmarks.bench_open_capacity import LIMITS, POWER_FACTOR, TAN_PHI, township
from tests.county.build import load_county


def run(*, repetitions: int = 7, with_county: bool = True) -> Iterator[dict[str, Any]]:
    """Yield one summary per case; the county is generated into the user's cache when it is not there yet."""
    nets = {"township": township()} | ({"county": load_county().net} if with_county else {})
    for name, net in nets.items():
        yield against_one_load_flow(name, net, repetitions)
        yield against_batches(name, net, repetitions)


def against_one_load_flow(name: str, net: Any, repetitions: int) -> dict[str, Any]:
    """Compare ``open_capacity`` of all buses, with its table, with one warm ``runpp``."""
    peer = copy_net(net)

    def ours() -> Any:
        return open_capacity(net, limits=LIMITS, power_factor=POWER_FACTOR, confirm="none")

    table = ours()
    run_load_flow(peer)
    pairs = _take_turns(ours, lambda: run_load_flow(peer), repetitions)
    return {
        "bench": "path_all_nodes",
        "case": f"{name}: all {len(table)} buses / one runpp",
        "by_path": int((table.engine == "path").sum()),
        **_summary(pairs, "ours_s", "peer_s"),
    }


def against_batches(name: str, net: Any, repetitions: int) -> dict[str, Any]:
    """Compare batches of load flows with paths on the middle one of a net's islands, its base case solved beforehand.

    Both sides start from the solved net and end with a row per bus.
    """
    base = solve_base_case(_one_island(net), LIMITS)
    buses = [int(bus) for bus in base.net.bus.index]

    def search(engine: Any) -> Callable[[], Any]:
        return lambda: IslandSearch(base, tan_phi=TAN_PHI, ceiling_kw=CEILING_KW, first_engine=engine).run(buses)

    by_path, by_batch = search("path")(), search("batch")()
    differences = [
        abs(by_path[bus].capacity_kw - by_batch[bus].capacity_kw) for bus in buses if by_path[bus].engine == "path"
    ]
    pairs = _take_turns(search("batch"), search("path"), repetitions)
    return {
        "bench": "path_against_batches",
        "case": f"{name}: batches / paths, one island of {len(buses)} buses",
        "difference_kw_max": max(differences),
        "power_grid_model": version("power-grid-model"),
        **_summary(pairs, "peer_s", "ours_s"),
    }


def _one_island(net: Any) -> Any:
    """Return the part of a net that hangs on its sources by one branch, of middle size, with its source."""
    parts = sorted(connected_parts(net, split_at_sources=True), key=lambda part: (len(part), part))
    part = parts[(len(parts) - 1) // 2]
    sources = set(net.ext_grid.bus)
    ends = pd.concat([frame.rename("x") for frame in _branch_ends(net)])
    above = {int(bus) for bus in ends[ends.index.isin(part)] if bus in sources}
    return pandapower().toolbox.select_subnet(net, [*part, *above])


def _branch_ends(net: Any) -> Iterator[pd.Series]:
    """Yield one end of every line and transformer, indexed by the other."""
    for table, a, b in (("line", "from_bus", "to_bus"), ("trafo", "hv_bus", "lv_bus")):
        frame = net[table]
        yield frame.set_index(a)[b]
        yield frame.set_index(b)[a]


def _take_turns(first: Callable[[], Any], second: Callable[[], Any], repetitions: int) -> list[tuple[float, float]]:
    return [(_seconds(first), _seconds(second)) for _ in range(repetitions)]


def _seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _summary(pairs: list[tuple[float, float]], first: str, second: str) -> dict[str, float]:
    ratios = [one / other for one, other in pairs]
    return {
        "ratio_median": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
        first: statistics.median(one for one, _ in pairs),
        second: statistics.median(other for _, other in pairs),
    }
