"""Run all cases and print the table: ``python -m tests.agreement``; exit status 1 when a node does not agree."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.agreement.cases import CASES
from tests.agreement.run import run_case


def line(row: dict[str, Any]) -> str:
    """Return one row of the table as text."""
    engines = ", ".join(f"{name} {count}" for name, count in row["engines"].items())
    return (
        f"{row['case']:<44}{row['nodes']:>6}{row['difference_kw_max']:>9.2f}{row['bisected']:>6}"
        f"{row['difference_kw_max_bisected']:>9.2f}"
        f"{100 * row['within_ratio']:>8.1f}{100 * row['kind_agrees_ratio']:>8.1f}"
        f"{100 * row['element_agrees_ratio']:>8.1f}{row['ties']:>6}"
        f"{row['engine_s']:>8.1f}{row['judge_s']:>8.1f}  {engines}"
    )


def totals(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the last row: sums, shares of all nodes, greatest differences."""
    nodes = sum(row["nodes"] for row in rows)
    total: dict[str, Any] = {"case": "all", "nodes": nodes}
    for name in ("assessed", "bisected", "ties", "with_gaps", "flows", "engine_s", "judge_s"):
        total[name] = sum(row[name] for row in rows)
    for name in ("status_agrees_ratio", "within_ratio", "kind_agrees_ratio", "element_agrees_ratio"):
        total[name] = sum(row[name] * row["nodes"] for row in rows) / max(1, nodes)
    for name in ("difference_kw_max", "difference_kw_max_bisected", "base_u_pu_difference_max"):
        total[name] = max((row[name] for row in rows), default=0.0)
    for name in ("engines", "kinds"):
        total[name] = dict(sum((Counter(row[name]) for row in rows), Counter()).most_common())
    return total


def main(arguments: list[str]) -> int:
    """Run the cases asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.agreement", description=__doc__)
    parser.add_argument("--json", type=Path, help="write rows and disagreements")
    parser.add_argument("--case", default="", help="only cases whose name holds this")
    parser.add_argument("--share", type=float, default=1.0, help="share of the nodes")
    parser.add_argument("--direction", choices=["load", "generation"], default="load")
    options = parser.parse_args(arguments)
    print(
        "Difference at most, by a bracket of the value; full: nodes also bisected from zero to the ceiling;\n"
        "ties: several limits break within the tolerance, one of them is named."
    )
    print(
        f"{'case, ' + options.direction:<44}{'nodes':>6}{'<= kW':>9}{'full':>6}{'<= kW':>9}{'value %':>8}{'kind %':>8}"
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
    total = totals(rows)
    print(line(total))
    print(f"limits named: {total['kinds']}; with gaps in the legal loads: {total['with_gaps']}")
    print(f"{len(disagreements)} of {total['nodes']} nodes disagree; {total['flows']} plain load flows")
    for entry in disagreements:
        print(json.dumps(entry, default=str))
    if options.json is not None:
        options.json.write_text(
            json.dumps({"total": total, "rows": rows, "disagreements": disagreements}, indent=1, default=str)
        )
    return 1 if disagreements else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
