"""Ask a seeded mix of customers and print how each is answered: ``python -m tests.request_replay``.

Exit status 1 when plain pandapower finds a broken limit in any state that a scheme offers.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from tests.request_replay.answer import Answer, answer_requests
from tests.request_replay.networks import NETWORKS, REPLAYED
from tests.request_replay.sample import MIX

VERDICTS = ("answered", "transition", "joint_work", "refused")
CHUNK = 50


def main(arguments: list[str]) -> int:
    """Ask, judge and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.request_replay", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="requests in all, shared between the networks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--network", action="append", choices=list(NETWORKS), help=f"default: {', '.join(REPLAYED)}")
    parser.add_argument("--profile", default="shenqiu-2022")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--json", type=Path, help="write every answer, as far as it goes")
    options = parser.parse_args(arguments)
    networks = options.network or list(REPLAYED)
    answers: list[Answer] = []
    for found in _ask(networks, options):
        answers += found
        print(f"{len(answers)} of {options.count}", file=sys.stderr, flush=True)
        if options.json is not None:
            options.json.write_text(json.dumps([asdict(answer) for answer in answers], ensure_ascii=False, indent=1))
    show(answers)
    return 1 if any(answer.problems for answer in answers) else 0


def _ask(networks: list[str], options: argparse.Namespace) -> Iterator[list[Answer]]:
    shares = _shares(networks, options.count)
    jobs = [
        (network, range(first, min(first + CHUNK, count)))
        for first in range(0, options.count, CHUNK)
        for network, count in shares
        if first < count
    ]
    given = {"seed": options.seed, "profile": options.profile}
    if options.workers == 1:
        yield from (answer_requests(network, numbers, **given) for network, numbers in jobs)
        return
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        for job in as_completed([pool.submit(answer_requests, network, numbers, **given) for network, numbers in jobs]):
            yield job.result()


def _shares(networks: list[str], count: int) -> list[tuple[str, int]]:
    return [(network, (count + number) // len(networks)) for number, network in enumerate(networks)]


def show(answers: list[Answer]) -> None:
    """Print the tables."""
    answers = sorted(answers, key=lambda answer: (answer.network, answer.request_id))
    _print_table("network", answers, list(dict.fromkeys(answer.network for answer in answers)), lambda a: a.network)
    print()
    _print_table("demand", answers, [demand.name for demand in MIX], lambda a: a.demand)
    print(f"\nmeasures of transitions: {_counted(a.measures for a in answers if a.verdict == 'transition')}")
    print(f"joint work: {_counted(a.reason for a in answers if a.verdict == 'joint_work')}")
    for answer in answers:
        if answer.verdict == "refused":
            print(f"refused {answer.request_id} ({answer.demand}): {answer.reason}")
    broken = [answer for answer in answers if answer.problems]
    for answer in broken:
        for problem in answer.problems:
            print(f"BROKEN {answer.request_id} ({answer.demand}, {answer.measures}): {problem}")
    states = sum(answer.states for answer in answers)
    difference_pu = max((answer.difference_pu_max for answer in answers), default=0.0)
    print("\ns: processor seconds for an answer (median, 95th percentile), and for judging it (median)")
    print(
        f"{states} states rebuilt by plain pandapower, {len(broken)} schemes broken; "
        f"voltages at the customer differ from the record by at most {difference_pu:.1e} pu"
    )


def _counted(names: Iterator[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())


def _print_table(title: str, answers: list[Answer], names: list[str], key: Callable[[Answer], str]) -> None:
    print(
        f"{title:<18}{'asked':>7}" + "".join(f"{verdict:>12}{'%':>6}" for verdict in VERDICTS)
        + f"{'states':>8}{'broken':>8}{'median s':>10}{'p95 s':>8}{'judge s':>9}"
    )  # fmt: skip
    for name in [*names, "all"]:
        rows = [answer for answer in answers if name in ("all", key(answer))]
        if not rows:
            continue
        verdicts = Counter(answer.verdict for answer in rows)
        shares = "".join(f"{verdicts[v]:>12}{100 * verdicts[v] / len(rows):>6.1f}" for v in VERDICTS)
        median_s, p95_s = np.percentile([answer.answer_s for answer in rows], [50, 95])
        print(
            f"{name:<18}{len(rows):>7}{shares}{sum(a.states for a in rows):>8}{sum(bool(a.problems) for a in rows):>8}"
            f"{median_s:>10.2f}{p95_s:>8.2f}{np.median([a.judge_s for a in rows]):>9.2f}"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
