"""Run all cases and print the table: ``python -m tests.agreement``; exit status 1 when a node does not agree."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tests.agreement.cases import CASES
from tests.agreement.run import run_case


def line(row: dict[str, Any]) -> str:
    """Return one row of the table as text."""
    engines = ", ".join(f"{name} {count}" for name, count in row["engines"].items())
    return (
        f"{row['case']:<44}{row['nodes']:>6}{row['bisected']:>6}{row['difference_kw_max']:>10.2f}"
        f"{100 * row['within_ratio']:>8.1f}{100 * row['kind_agrees_ratio']:>8.1f}"
        f"{100 * row['element_agrees_ratio']:>8.1f}{row['ties']:>6}"
        f"{row['engine_s']:>8.1f}{row['judge_s']:>8.1f}  {engines}"
    )


def main(arguments: list[str]) -> int:
    """Run the cases asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.agreement", description=__doc__)
    parser.add_argument("--json", type=Path, help="write rows and disagreements")
    parser.add_argument("--case", default="", help="only cases whose name holds this")
    parser.add_argument("--share", type=float, default=1.0, help="share of the nodes")
    parser.add_argument("--direction", choices=["load", "generation"], default="load")
    options = parser.parse_args(arguments)
    print(
        f"{'case, ' + options.direction:<44}{'nodes':>6}{'full':>6}{'diff kW':>10}{'value %':>8}{'kind %':>8}"
        f"{'elem. %':>8}{'ties':>6}{'ours s':>8}{'judge s':>8}  engines"
    )
    rows, disagreements = [], []
    for case in CASES:
        if options.case not in case.name:
            continue
        result = run_case(case, direction=options.direction, share=options.share, is_compiled=True)
        rows.append(result.summary())
        disagreements += result.disagreements()
        print(line(rows[-1]), flush=True)
    nodes = sum(row["nodes"] for row in rows)
    print(f"{nodes} nodes, {len(disagreements)} disagree, {sum(row['flows'] for row in rows)} plain load flows")
    for entry in disagreements:
        print(json.dumps(entry, default=str))
    if options.json is not None:
        options.json.write_text(json.dumps({"rows": rows, "disagreements": disagreements}, indent=1, default=str))
    return 1 if disagreements else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
