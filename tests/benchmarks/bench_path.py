"""The path engine against power-grid-model doing the same on one island, and against naive bisection.

Questions: how much faster are paths than power-grid-model's batches on the same island with the same limits (B3), and
what would plain pandapower bisection of every node of the island cost (B2)? The sides take turns in one process.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import pandas as pd

from gridmodel import open_capacity
from gridmodel.capacity.base_case import solve_base_case
from gridmodel.capacity.island_search import IslandSearch
from gridmodel.capacity.search import CEILING_KW
from gridmodel.net import pandapower
from gridmodel.topology import connected_parts
from tests.benchmarks.turns import summary, take_turns
from tests.benchmarks.yardstick import LIMITS, POWER_FACTOR, TAN_PHI, PlainBisection, township
from tests.county.build import load_county

DEFINED_BUSES = 434
"""Size of the island the figures asked for were defined on; what is fixed in a call weighs more in a smaller one."""


def run(*, repetitions: int = 5, with_county: bool = True) -> Iterator[dict[str, Any]]:
    """Yield one summary per case; the county is generated into the user's cache when it is not there yet."""
    nets = {"township": township()} | ({"county": load_county().net} if with_county else {})
    if with_county:
        nets["county with low voltage"] = load_county(with_lv=True).net
    for name, net in nets.items():
        island = one_island(net)
        yield against_batches(name, island, repetitions)
        yield against_bisection(name, island, repetitions)


def against_bisection(name: str, island: Any, repetitions: int) -> dict[str, Any]:
    """B2: all nodes by naive bisection (one random node a turn, times their number), against all nodes by paths."""
    bisection, rng = PlainBisection(island), random.Random(0)
    table = open_capacity(island, limits=LIMITS, power_factor=POWER_FACTOR, confirm="none")
    buses = table.index[table.capacity_kw.between(1.0, 3e4)].tolist()
    differences_kw: list[float] = []

    def bisect() -> None:
        bus = rng.choice(buses)
        differences_kw.append(abs(bisection.capacity_kw(bus) - table.capacity_kw[bus]))

    pairs = take_turns(
        lambda: open_capacity(island, limits=LIMITS, power_factor=POWER_FACTOR, confirm="none"), bisect, repetitions
    )
    pairs = [(ours, len(table) * peer) for ours, peer in pairs]
    case = f"{name}: naive bisection of every node / paths, one island of {len(table)} buses"
    return {
        "id": "B2",
        "case": case,
        "must": _must(">= 2e4", len(table)),
        "difference_kw_max": max(differences_kw),
        **summary(pairs, of_peer=True),
    }


def against_batches(name: str, island: Any, repetitions: int) -> dict[str, Any]:
    """B3: from the solved base case to a row per bus, by batches of load flows and by paths."""
    base = solve_base_case(island, LIMITS)
    buses = island.bus.index.to_numpy()

    def search(engine: Any) -> Callable[[], Any]:
        return lambda: IslandSearch(base, tan_phi=TAN_PHI, ceiling_kw=CEILING_KW, first_engine=engine).run(buses)

    by_path, by_batch = search("path")(), search("batch")()
    compared = by_path.engine == "path"
    pairs = take_turns(search("path"), search("batch"), repetitions)
    return {
        "id": "B3",
        "case": f"{name}: power-grid-model batches / paths, one island of {len(buses)} buses",
        "must": _must(">= 150", len(buses)),
        "difference_kw_max": float(abs(by_path.capacity_kw - by_batch.capacity_kw)[compared].max()),
        "power_grid_model": version("power-grid-model"),
        **summary(pairs, of_peer=True),
    }


def _must(figure: str, buses: int) -> str:
    return figure if buses >= DEFINED_BUSES else ""


def one_island(net: Any) -> Any:
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
