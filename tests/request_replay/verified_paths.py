"""Ask until enough requests were not carried as they are, and print the share with a verified path.

Run:  python -m tests.request_replay.verified_paths

Exit status 1 when plain pandapower finds a broken limit in a stage, or the share of verified paths is below the one
asked for.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from gridmodel.errors import DomainError
from scheme.model import Scheme
from tests.request_replay.answer import ask, measures_of, plain_grid
from tests.request_replay.check import judge
from tests.request_replay.networks import NETWORKS, Network, read_network
from tests.request_replay.sample import draw_large

ASKED = ("township", "schutterwald", "oberrhein", "simbench", "county")
PATHS = ("path", "path_with_main")


@dataclass(kw_only=True)
class Tally:
    """Counts of one network."""

    asked: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    measures: Counter[str] = field(default_factory=Counter)
    states: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def constrained(self) -> int:
        """Requests the grid does not carry as it is."""
        return self.asked - self.outcomes["answered"] - self.outcomes["refused"]

    def share(self, *names: str) -> float:
        """Share of the constrained requests with one of these outcomes."""
        return sum(self.outcomes[name] for name in names) / max(1, self.constrained)

    def add(self, other: Tally) -> None:
        """Add the counts of another network."""
        self.asked += other.asked
        self.outcomes += other.outcomes
        self.measures += other.measures
        self.states += other.states
        self.problems += other.problems


def outcome_of(scheme: Scheme) -> str:
    """Return what came out: ``path`` by works on the distribution grid, ``path_with_main`` with a main transformer too,
    ``part`` where only a part can be connected."""
    if scheme.verdict == "answered":
        return "answered"
    if scheme.transition is None:
        return "none"
    measures = measures_of(scheme)
    if measures == "part":
        return "part"
    return "path_with_main" if "larger_main_transformer" in measures.split("+") else "path"


def run(network: Network, *, count: int, seconds_max: float, seed: int, profile: str) -> Tally:
    """Ask until ``count`` requests were constrained, or the time is over."""
    tally, start = Tally(), time.perf_counter()
    for request in draw_large(read_network(network.name), network, seed=seed):
        if tally.constrained >= count or time.perf_counter() - start > seconds_max:
            break
        tally.asked += 1
        try:
            scheme = ask(network.name, request, profile=profile)
        except DomainError as error:
            tally.outcomes["refused"] += 1
            print(f"  {request.request_id}: {error}", file=sys.stderr)
            continue
        tally.outcomes[outcome_of(scheme)] += 1
        if scheme.verdict != "answered":
            tally.measures[measures_of(scheme)] += 1
        findings = judge(plain_grid(network.name), scheme)
        tally.states += findings.states
        tally.problems += [f"{request.request_id}: {text}" for text in findings.problems]
    return tally


def main(arguments: list[str]) -> int:
    """Run the networks asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.request_replay.verified_paths", description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="constrained requests per network")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="time per network")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--network", action="append", choices=list(NETWORKS), help=f"default: {', '.join(ASKED)}")
    parser.add_argument("--profile", default="shenqiu-2022")
    parser.add_argument("--share", type=float, default=0.9, help="share of verified paths asked for")
    options = parser.parse_args(arguments)
    print(
        f"{'network':<14}{'asked':>7}{'answered':>10}{'path':>7}{'with main':>11}{'part':>6}{'none':>6}"
        f"{'verified %':>12}{'w/o main %':>12}{'states':>8}{'s':>7}"
    )
    total = Tally()
    for name in options.network or ASKED:
        start = time.perf_counter()
        tally = run(
            NETWORKS[name],
            count=options.count,
            seconds_max=options.seconds,
            seed=options.seed,
            profile=options.profile,
        )
        show(name, tally, time.perf_counter() - start)
        total.add(tally)
    show("all", total, 0.0)
    for problem in total.problems:
        print(f"BROKEN {problem}")
    return 1 if total.problems or total.share(*PATHS) < options.share else 0


def show(name: str, tally: Tally, elapsed_s: float) -> None:
    """Print one row."""
    found = tally.outcomes
    print(
        f"{name:<14}{tally.asked:>7}{found['answered']:>10}{found['path']:>7}{found['path_with_main']:>11}"
        f"{found['part']:>6}{found['none']:>6}{100 * tally.share(*PATHS):>12.1f}{100 * tally.share('path'):>12.1f}"
        f"{tally.states:>8}{elapsed_s:>7.0f}  {dict(tally.measures.most_common())}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
