"""Run cases: draw nodes, ask the engine, judge every node, sum up."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from gridmodel import open_capacity
from gridmodel.islands import Islands
from tests.agreement.cases import Case
from tests.agreement.judge import Direction, PlainGrid
from tests.agreement.networks import Part
from tests.agreement.verdict import Verdict, judge_row

POWER_FACTOR = 0.95
CEILING_KW = 1e5
BISECTED_SHARE = 0.1
WHOLE_BUSES_MAX = 1500
"""Larger nets are judged by the island of the bus, cut out."""


@dataclass(kw_only=True)
class CaseResult:
    """The verdicts of one case."""

    name: str
    direction: Direction
    verdicts: list[tuple[int, Verdict]] = field(default_factory=list)
    """(number of the net within the case, verdict)."""
    flows: int = 0
    engine_s: float = 0.0
    judge_s: float = 0.0

    def summary(self) -> dict[str, Any]:
        """Return the row of the table."""
        verdicts = [verdict for _, verdict in self.verdicts]
        count = max(1, len(verdicts))
        return {
            "case": self.name,
            "direction": self.direction,
            "nodes": len(verdicts),
            "assessed": sum(v.status == "assessed" for v in verdicts),
            "bisected": sum(v.is_bisected for v in verdicts),
            "status_agrees_ratio": sum(v.status_agrees for v in verdicts) / count,
            "within_ratio": sum(v.is_within for v in verdicts) / count,
            "difference_kw_max": max((v.difference_kw for v in verdicts), default=0.0),
            "difference_kw_max_bisected": max(
                (v.difference_kw for v in verdicts if v.plain_kw is not None), default=0.0
            ),
            "kind_agrees_ratio": sum(v.kind_agrees for v in verdicts) / count,
            "element_agrees_ratio": sum(v.element_agrees for v in verdicts) / count,
            "ties": sum(v.is_tie for v in verdicts),
            "with_gaps": sum(bool(v.holes_kw) for v in verdicts),
            "engines": dict(Counter(v.engine or "-" for v in verdicts).most_common()),
            "kinds": dict(Counter(v.named[0] if v.named else v.status for v in verdicts).most_common()),
            "base_u_pu_difference_max": max((v.base_u_pu_difference for v in verdicts), default=0.0),
            "flows": self.flows,
            "engine_s": round(self.engine_s, 1),
            "judge_s": round(self.judge_s, 1),
        }

    def disagreements(self) -> list[dict[str, Any]]:
        """Return what did not agree, with all that is needed to see it again."""
        return [
            {"case": self.name, "direction": self.direction, "part": part, **asdict(verdict)}
            for part, verdict in self.verdicts
            if not verdict.agrees
        ]


def run_case(case: Case, *, direction: Direction = "load", share: float = 1.0, is_compiled: bool = False) -> CaseResult:
    """Return the verdicts on the sampled nodes of a case; the same arguments draw the same nodes.

    For ``is_compiled`` see :class:`PlainGrid`.
    """
    result = CaseResult(name=case.name, direction=direction)
    for number, part in enumerate(case.parts()):
        rng = np.random.default_rng([number, case.nodes])
        buses = draw(part, max(1, round(case.nodes * share)), rng)
        start = time.perf_counter()
        try:
            table = open_capacity(
                part.net, limits=part.limits, power_factor=POWER_FACTOR, buses=buses, ceiling_kw=CEILING_KW,
                confirm="none", direction=direction,
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - a crash is a finding; the other networks are still judged
            result.verdicts += [(number, crashed(bus, error)) for bus in buses]
            continue
        between = time.perf_counter()
        for verdict, flows in judged(part, table, direction, rng, is_compiled):
            result.verdicts.append((number, verdict))
            result.flows += flows
        result.engine_s += between - start
        result.judge_s += time.perf_counter() - between
    return result


def crashed(bus: int, error: Exception) -> Verdict:
    """Return the verdict on a bus for which the engine gave up."""
    reason = f"{type(error).__name__}: {error}".splitlines()[0]
    return Verdict(
        bus=bus,
        engine="-",
        status=reason,
        status_agrees=False,
        is_within=False,
        kind_agrees=False,
        element_agrees=False,
    )


def draw(part: Part, count: int, rng: np.random.Generator) -> list[int]:
    """Return some buses in service, in the order of their index."""
    pool = part.net.bus.index[part.net.bus.in_service.to_numpy(dtype=bool)].to_numpy()
    if part.candidates is not None:
        pool = pool[np.isin(pool, part.candidates)]
    return sorted(rng.choice(pool, size=min(count, len(pool)), replace=False).tolist())


def judged(
    part: Part, table: Any, direction: Direction, rng: np.random.Generator, is_compiled: bool
) -> Iterator[tuple[Verdict, int]]:
    """Yield (verdict, load flows it took) of every row."""
    is_bisected = rng.random(len(table)) < BISECTED_SHARE
    grids: dict[int, PlainGrid] = {}
    islands = Islands(part.net) if len(part.net.bus) > WHOLE_BUSES_MAX else None
    for (bus, row), bisect in zip(table.iterrows(), is_bisected.tolist(), strict=True):
        label = 0 if islands is None else islands.label(int(bus))
        if label not in grids:
            net = part.net if islands is None else islands.cut(label)
            grids[label] = PlainGrid(net, part.limits, POWER_FACTOR, direction, is_compiled=is_compiled)
        grid, before = grids[label], grids[label].flows
        yield judge_row(grid, row, ceiling_kw=CEILING_KW, bisect=bisect), grid.flows - before
