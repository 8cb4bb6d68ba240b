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
from typing import Any

from gridmodel import open_capacity
from gridmodel.capacity.hours import capacity_over_hours
from gridmodel.profiles import read_profiles
from tests.benchmarks.turns import seconds, summary, take_turns
from tests.benchmarks.yardstick import LIMITS
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

        table = over_hours()
        pairs = take_turns(over_hours, one_hour, repetitions)
        solved = table.attrs["hours"]
        yield {
            "id": "B7",
            "case": f"{name}, {len(net.bus)} buses: {solved['hours_distinct']} hours / one hour",
            "must": "<= 60",
            "solved_ratio": solved["solved_ratio"],
            "fallback": solved["fallback"],
            **summary(pairs),
            **(_against_all_hours(table, over_hours, one_hour) if with_full else {}),
        }


def _against_all_hours(screened: Any, over_hours: Callable[..., Any], one_hour: Callable[[], Any]) -> dict[str, Any]:
    """Solve every hour and count the rows that differ in any column."""
    one_hour_s, start = seconds(one_hour), time.perf_counter()
    full = over_hours(method="full")
    full_s = time.perf_counter() - start
    is_equal = (full[COMPARED] == screened[COMPARED]) | (full[COMPARED].isna() & screened[COMPARED].isna())
    return {"full_ratio": round(full_s / one_hour_s, 1), "rows_that_differ": int((~is_equal.all(axis=1)).sum())}


if __name__ == "__main__":
    for record in run(repetitions=3, with_full="--full" in sys.argv):
        print(json.dumps(record, ensure_ascii=False), flush=True)
