"""The largest part of a demand that can be connected now (先接入): bisected at the points nearby, each by load flow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scheme.points import TEE_KINDS, Candidate
from scheme.transition.bench import Bench, Outcome, Way


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FirstStage:
    """A point and what it carries today."""

    way: Way
    outcome: Outcome
    capacity_kva: float


def find_first_stage(bench: Bench, candidates: Sequence[Candidate]) -> FirstStage | None:
    """Return the point that carries the most now, the nearest one of equals; ``None`` below the useful minimum.

    Args:
        bench: Tries a part of the demand.
        candidates: Points that no rule refuses, in the order to be tried.
    """
    rules, best = bench.rules, None
    least = math.ceil(round(rules.useful_kva_min(bench.supply.capacity_kva) / rules.step_kva, 9))
    for candidate in candidates[: rules.first_stage_points_max]:
        if not bench.may_go_on:
            break
        most = _most_steps(bench, candidate)
        floor = least if best is None else round(best.capacity_kva / rules.step_kva) + 1
        found = _largest(bench, bench.way("first_stage", candidate), floor, most)
        best = found or best
    return best


def _most_steps(bench: Bench, candidate: Candidate) -> int:
    """Return how many steps a point could offer at most: less than the demand, and no more than a tee may carry."""
    most_kva = bench.supply.capacity_kva
    if candidate.point.kind in TEE_KINDS:
        most_kva = min(most_kva, bench.policy.number("connection.tee_kva_max"))
    steps = math.floor(round(most_kva / bench.rules.step_kva, 9))
    return steps - 1 if steps * bench.rules.step_kva >= bench.supply.capacity_kva else steps


def _largest(bench: Bench, way: Way, floor: int, most: int) -> FirstStage | None:
    """Return the largest number of steps from ``floor`` to ``most`` that holds."""
    step_kva = bench.rules.step_kva
    if most < floor:
        return None
    held: Outcome | None = None
    low, high = floor - 1, most + 1
    trial = floor
    while high - low > 1 and bench.may_go_on:
        outcome = bench.attempt(way, capacity_kva=trial * step_kva)
        if outcome.reason is None:
            low, held = trial, outcome
        else:
            high = trial
        trial = (low + high) // 2
    if held is None:
        return None
    return FirstStage(way=way, outcome=held, capacity_kva=low * step_kva)
