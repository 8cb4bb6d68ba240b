"""Run the benchmarks and print a table: ``python -m tests.benchmarks [NAME ...] [--json FILE] [--repetitions N]``.

Every row is a ratio of two sides measured in turns in this process (median, least and largest), or one value.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = (
    "county",
    "path",
    "transfer",
    "hours",
    "refresh",
    "certificate",
    "scheme",
    "http",
    "tiles",
    "ledger",
    "assessment",
)
_WIDTH = 84


def machine() -> dict[str, object]:
    """Facts a reader needs to judge the numbers."""
    return {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}


def main(arguments: list[str]) -> None:
    """Run the benchmarks named, default all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; default all")
    parser.add_argument("--json", type=Path, help="write one JSON object a line")
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--projects", type=int, help="reserve projects of the assessment, all counties together")
    parser.add_argument("--counties", type=int, help="counties of the assessment")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    print(
        f"{'id':<6}{'case':<{_WIDTH}}{'median':>10}{'least':>10}{'largest':>10}{'must':>12}{'ours s':>10}{'peer s':>10}"
    )
    records = []
    sizes = {name: getattr(options, name) for name in ("projects", "counties") if getattr(options, name) is not None}
    for record in records_of(options.names or list(NAMES), options.repetitions, sizes):
        print(line_of(record), flush=True)
        records.append(record | machine())
    if options.json is not None:
        options.json.write_text("".join(json.dumps(record) + "\n" for record in records))


def records_of(names: list[str], repetitions: int, sizes: dict[str, int]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the benchmarks named; one of them can be asked for in other sizes."""
    for name in names:
        own = sizes if name == "assessment" else {}
        yield from importlib.import_module(f"tests.benchmarks.bench_{name}").run(repetitions=repetitions, **own)


def line_of(record: dict[str, Any]) -> str:
    """Return one row of the table."""
    figures = [record.get(name, "") for name in ("ratio_median", "ratio_min", "ratio_max")]
    if "value" in record:
        figures[0] = record["value"]
    cells = [f"{figure:>10.3g}" if figure != "" else " " * 10 for figure in figures]
    times = [f"{record[name]:>10.4f}" if name in record else " " * 10 for name in ("ours_s", "peer_s")]
    return f"{record['id']:<6}{record['case']:<{_WIDTH}}{''.join(cells)}{record['must']:>14}{''.join(times)}"


if __name__ == "__main__":
    main(sys.argv[1:])
