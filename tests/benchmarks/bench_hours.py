"""Open capacity over load profiles, screened, against the capacities of all nodes in one hour: how many hours' work?

Both in one process, taking turns; ``python -m tests.benchmarks.bench_hours [--county]`` prints one line per network.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from gridmodel.capacity.hours import capacity_over_hours
from gridmodel.profiles import LoadProfiles, read_profiles
from tests.benchmarks.bench_open_capacity import LIMITS

FOLDER = Path(__file__).parents[2] / "fixtures" / "pandapower" / "simbench_10kv_urban"


def networks(with_county: bool) -> Iterator[tuple[str, Any, LoadProfiles]]:
    """Yield name, net and profiles of every case."""
    import pandapower as pp

    profiles = read_profiles(FOLDER / "load_profiles_peak_week_15min.csv")
    yield "SimBench 10 kV urban, a week", pp.from_json(str(FOLDER / "1-MV-urban--0-sw.json")), profiles
    if with_county:
        from tests.county.build import build_county

        yield "reference county, a week", build_county().net, profiles


def run(*, repetitions: int = 3, with_county: bool = False) -> list[dict[str, Any]]:
    """Return one row per network: hours solved and the ratio of times, median, least and largest."""
    rows = []
    for name, net, profiles in networks(with_county):
        calm = profiles.hours[int(np.argmin(profiles.p.sum(axis=1)))]

        def seconds(net: Any = net, profiles: LoadProfiles = profiles, **options: Any) -> tuple[float, Any]:
            start = time.perf_counter()
            table = capacity_over_hours(net, profiles, limits=LIMITS, confirm_nodes=0, **options)
            return time.perf_counter() - start, table

        seconds(hours=[calm])
        pairs = [(seconds(), seconds(hours=[calm], method="full")) for _ in range(repetitions)]
        ratios = [screened[0] / single[0] for screened, single in pairs]
        solved = pairs[0][0][1].attrs["hours"]
        rows.append(
            {
                "bench": "hours",
                "case": f"{name}, {len(net.bus)} buses",
                "hours": solved["hours_total"],
                "hours_solved": solved["hours_solved"],
                "share_solved": round(solved["hours_solved"] / solved["hours_distinct"], 4),
                "fallback": solved["fallback"],
                "screened_s": round(median(pair[0][0] for pair in pairs), 3),
                "one_hour_s": round(median(pair[1][0] for pair in pairs), 3),
                "ratio_median": round(median(ratios), 1),
                "ratio_min": round(min(ratios), 1),
                "ratio_max": round(max(ratios), 1),
            }
        )
    return rows


if __name__ == "__main__":
    for record in run(repetitions=1 if "--county" in sys.argv else 3, with_county="--county" in sys.argv):
        print(json.dumps(record, ensure_ascii=False))
