"""Run the benchmarks and print a table: ``python -m tests.benchmarks [--json FILE] [--repetitions N]``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path

from tests.benchmarks import bench_open_capacity, bench_path, bench_scheme


def machine() -> dict[str, object]:
    """Facts a reader needs to judge the numbers."""
    return {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}


def main(arguments: list[str]) -> None:
    """Run everything once."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, help="write one JSON object a line")
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args(arguments)
    capacities = [record | machine() for record in bench_open_capacity.run(repetitions=options.repetitions)]
    paths = [record | machine() for record in bench_path.run(repetitions=options.repetitions)]
    schemes = [record | machine() for record in bench_scheme.run(repetitions=options.repetitions)]
    if options.json is not None:
        options.json.write_text("".join(json.dumps(record) + "\n" for record in capacities + paths + schemes))
    print("Plain pandapower bisection of one node / open capacity per node, all nodes of the level at once")
    print(f"{'case':<60}{'ratio':>8}{'min':>8}{'max':>8}{'peer s':>9}{'ours s':>9}{'diff kW':>9}")
    for record in capacities:
        if "ratio_median" in record:
            print(
                f"{record['case']:<60}{record['ratio_median']:>8.0f}{record['ratio_min']:>8.0f}"
                f"{record['ratio_max']:>8.0f}{record['plain_s_per_node']:>9.3f}{record['ours_s_per_node']:>9.4f}"
                f"{record['difference_kw_max']:>9.2f}"
            )
    print("The path engine: open capacity of all buses / one runpp; batches of load flows / paths")
    print(f"{'case':<60}{'ratio':>8}{'min':>8}{'max':>8}{'peer s':>9}{'ours s':>9}")
    for record in paths:
        print(
            f"{record['case']:<60}{record['ratio_median']:>8.2f}{record['ratio_min']:>8.2f}{record['ratio_max']:>8.2f}"
            f"{record['peer_s']:>9.3f}{record['ours_s']:>9.4f}"
        )
    print("One warm scheme with its documents / one warm load flow of the whole network")
    print(f"{'case':<60}{'ratio':>8}{'min':>8}{'max':>8}{'peer s':>9}{'ours s':>9}{'peak MB':>9}")
    for record in schemes:
        print(
            f"{record['case']:<60}{record['ratio_median']:>8.1f}{record['ratio_min']:>8.1f}{record['ratio_max']:>8.1f}"
            f"{record['runpp_s']:>9.3f}{record['scheme_s']:>9.3f}{record['peak_memory_mb']:>9}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
