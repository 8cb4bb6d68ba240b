"""Open capacity over 576 hours against the capacities of all nodes in one hour: how many hours' work is it?

Typed profiles (``fixtures/profiles``): 12 months x 2 day types x 24 hours. One hour is ``open_capacity`` of all buses
with its table. Both in one process, taking turns; ``python -m tests.benchmarks.bench_hours [--full]`` prints one line
per network. With ``--full`` all hours are solved too, and rows that differ from the screened ones are counted.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from gridmodel import open_capacity
from gridmodel.capacity.hours import capacity_over_hours
from gridmodel.profiles import read_profiles
from tests.benchmarks.bench_open_capacity import LIMITS
from tests.county.build import load_county

FIXTURES = Path(__file__).parents[2] / "fixtures"
COMPARED = ["capacity_kw", "status", "limit_kind", "limit_table", "limit_element", "limit_hour", "notes", "u_pu"]


def networks(with_county: bool) -> Iterator[tuple[str, Any]]:
    """Yield name and net of every case; loads name the types of ``fixtures/profiles``."""
    import pandapower as pp

    net = pp.from_json(str(FIXTURES / "pandapower" / "simbench_10kv_urban" / "1-MV-urban--0-sw.json"))
    types = read_profiles(FIXTURES / "profiles" / "simbench_types.csv").names
    net.load["profile"] = [types[at % len(types)] for at in range(len(net.load))]
    yield "SimBench 10 kV urban", net
    if with_county:
        yield "reference county", load_county().net


def run(*, repetitions: int = 5, with_county: bool = True, with_full: bool = False) -> Iterator[dict[str, Any]]:
    """Yield one row per network: the ratio of times, median, least and largest, and how much was solved."""
    profiles = read_profiles(FIXTURES / "profiles" / "simbench_types.csv")
    for name, net in networks(with_county):

        def one_hour(net: Any = net) -> Any:
            return open_capacity(net, limits=LIMITS, confirm="none")

        def over_hours(net: Any = net, **options: Any) -> Any:
            return capacity_over_hours(net, profiles, limits=LIMITS, confirm_nodes=0, **options)

        one_hour()
        over_hours(hours=profiles.hours[:2])
        pairs = [(_timed(over_hours), _timed(one_hour)) for _ in range(repetitions)]
        table = pairs[0][0][1]
        ratios = [hours[0] / single[0] for hours, single in pairs]
        solved = table.attrs["hours"]
        yield {
            "bench": "hours",
            "case": f"{name}, {len(net.bus)} buses: {solved['hours_distinct']} hours / one hour",
            "share_solved": solved["share_solved"],
            "fallback": solved["fallback"],
            "ratio_median": round(median(ratios), 1),
            "ratio_min": round(min(ratios), 1),
            "ratio_max": round(max(ratios), 1),
            "ours_s": round(median(pair[0][0] for pair in pairs), 3),
            "peer_s": round(median(pair[1][0] for pair in pairs), 4),
            **(_against_all_hours(table, over_hours, pairs[0][1][0]) if with_full else {}),
        }


def _against_all_hours(screened: Any, over_hours: Callable[..., Any], one_hour_s: float) -> dict[str, Any]:
    """Solve every hour and count the rows that differ in any column."""
    full_s, full = _timed(lambda: over_hours(method="full"))
    is_equal = (full[COMPARED] == screened[COMPARED]) | (full[COMPARED].isna() & screened[COMPARED].isna())
    return {"full_ratio": round(full_s / one_hour_s, 1), "rows_that_differ": int((~is_equal.all(axis=1)).sum())}


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    for record in run(repetitions=3, with_full="--full" in sys.argv):
        print(json.dumps(record, ensure_ascii=False), flush=True)
