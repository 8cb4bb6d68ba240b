"""Ask until enough requests were not carried as they are, and print the shares: ``python -m tests.transition_rate``.

Exit status 1 when plain pandapower finds a broken limit, or the share of verified paths is below the one asked for.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from gridmodel.catalogue.loader import load_catalogue
from gridmodel.errors import DomainError
from gridmodel.readers.select import read_source
from scheme.generate import generate_scheme
from scheme.model import Scheme
from scheme.policy.loader import load_policy
from tests.conftest import FIXTURES
from tests.transition_rate.check import find_problems
from tests.transition_rate.sample import CASES, Case, draw

AS_OF = date(2026, 11, 22)


@dataclass(kw_only=True)
class Tally:
    """Counts of one network."""

    asked: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    @property
    def constrained(self) -> int:
        """Requests the grid does not carry as it is."""
        return self.asked - self.outcomes["answered"] - self.outcomes["refused"]

    def share(self, *names: str) -> float:
        """Share of the constrained requests with one of these outcomes."""
        return sum(self.outcomes[name] for name in names) / max(1, self.constrained)


def outcome_of(scheme: Scheme) -> str:
    """Return what came out: ``path`` by works on the distribution grid, ``path_with_main`` with a main transformer too,
    ``part`` where only a part can be connected."""
    if scheme.verdict == "answered":
        return "answered"
    transition = scheme.transition
    if transition is None:
        return "none"
    if not transition.is_complete:
        return "part"
    codes = {measure.code for measure in transition.stages[-1].measures}
    return "path_with_main" if "larger_main_transformer" in codes else "path"


def run(case: Case, *, count: int, seed: int, profile: str) -> Tally:
    """Ask until ``count`` requests were constrained."""
    snapshot, catalogue, tally = read_source(FIXTURES / case.source), load_catalogue(), Tally()
    policy = load_policy(profile, AS_OF)
    for request in draw(snapshot, case, seed=seed):
        if tally.constrained >= count:
            break
        tally.asked += 1
        try:
            scheme = generate_scheme(
                request, snapshot=snapshot, policy=policy, catalogue=catalogue, capacity=None, as_of=AS_OF,
                version="rate",
            )  # fmt: skip
        except DomainError as error:
            tally.outcomes["refused"] += 1
            print(f"  {request.request_id}: {error}", file=sys.stderr)
            continue
        outcome = outcome_of(scheme)
        tally.outcomes[outcome] += 1
        if scheme.transition is not None and scheme.transition.is_complete:
            codes = dict.fromkeys(m.code for m in scheme.transition.stages[-1].measures)
            tally.codes["+".join(codes) or "another_point"] += 1
            tally.problems += [f"{request.request_id}: {text}" for text in find_problems(snapshot, scheme)]
    return tally


def main(arguments: list[str]) -> int:
    """Run the networks asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.transition_rate", description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="constrained requests per network")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", default="", help="only networks whose name holds this")
    parser.add_argument("--profile", default="shenqiu-2022")
    parser.add_argument("--share", type=float, default=0.9, help="share of verified paths asked for")
    options = parser.parse_args(arguments)
    print(
        f"{'network':<14}{'asked':>7}{'answered':>10}{'path':>7}{'with main':>11}{'part':>6}{'none':>6}"
        f"{'verified %':>12}{'s':>8}"
    )
    total = Tally()
    for case in CASES:
        if options.case not in case.name:
            continue
        start = time.perf_counter()
        tally = run(case, count=options.count, seed=options.seed, profile=options.profile)
        show(case.name, tally, time.perf_counter() - start)
        total.asked += tally.asked
        total.outcomes += tally.outcomes
        total.problems += tally.problems
    show("all", total, 0.0)
    for problem in total.problems:
        print(f"BROKEN {problem}")
    return 1 if total.problems or total.share("path", "path_with_main") < options.share else 0


def show(name: str, tally: Tally, elapsed_s: float) -> None:
    """Print one row."""
    found = tally.outcomes
    print(
        f"{name:<14}{tally.asked:>7}{found['answered']:>10}{found['path']:>7}{found['path_with_main']:>11}"
        f"{found['part']:>6}{found['none']:>6}{100 * tally.share('path', 'path_with_main'):>12.1f}{elapsed_s:>8.0f}"
        f"  {dict(tally.codes)}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
