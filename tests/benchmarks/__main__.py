"""Run the benchmarks and print a table: ``python -m tests.benchmarks [--json FILE] [--repetitions N]``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path

from tests.benchmarks import bench_open_capacity


def machine() -> dict[str, object]:
    """Facts a reader needs to judge the numbers."""
    return {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}


def main(arguments: list[str]) -> None:
    """Run everything once."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, help="write one JSON object a line")
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args(arguments)
    records = [record | machine() for record in bench_open_capacity.run(repetitions=options.repetitions)]
    if options.json is not None:
        options.json.write_text("".join(json.dumps(record) + "\n" for record in records))
    print(f"{'benchmark':<16}{'case':<48}{'ratio':>8}{'min':>8}{'max':>8}{'peer s':>9}{'ours s':>9}{'diff kW':>9}")
    for record in records:
        if "ratio_median" in record:
            print(
                f"{record['bench']:<16}{record['case']:<48}{record['ratio_median']:>8.0f}{record['ratio_min']:>8.0f}"
                f"{record['ratio_max']:>8.0f}{record['plain_s_per_node']:>9.3f}{record['ours_s_per_node']:>9.4f}"
                f"{record['difference_kw_max']:>9.2f}"
            )


if __name__ == "__main__":
    main(sys.argv[1:])
