"""The search for verified ways to the full demand, in the order of the rules, bounded by policy.

Order: another point, load moved to another feeder, a larger transformer, stronger lines, new equipment, a new feeder.
A way that does not hold is given the measures for what limits it; at most so many kinds of measures are combined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from scheme.model import FailedOption, Reason
from scheme.points import NetworkPlaces
from scheme.transition.bench import Bench, Outcome, Way
from scheme.transition.measures import larger_main_transformers, larger_transformers, stronger_lines
from scheme.transition.targets import Reach, in_turns, new_areas, new_feeders, new_ring_main_units
from scheme.transition.transfer import transfers, transformers_above

KINDS = ("load_transfer", "larger_transformer", "reconductoring", "larger_main_transformer")
_CERTAIN_RATIO = 0.05
"""A transformer overloaded by this share of its limit at one point is so at every other point it feeds: what differs
between them are losses."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verified:
    """A way that carries the full demand."""

    way: Way
    outcome: Outcome


@dataclass(slots=True, kw_only=True)
class Found:
    """What the search found."""

    verified: list[Verified] = field(default_factory=list)
    failed: list[FailedOption] = field(default_factory=list)


def find_ways(bench: Bench, reach: Reach, places: NetworkPlaces, *, refused_ids: frozenset[str]) -> Found:
    """Return the verified ways and those that failed, in the order tried.

    Args:
        bench: Tries and verifies.
        reach: Points around the customer.
        places: Spatial indices of the imported grid.
        refused_ids: Points the plain search has tried with the full demand already.
    """
    found = Found()
    usable = in_turns(reach.usable)
    _try_points(bench, (bench.way("another_point", c) for c in usable if _id(c) not in refused_ids), found)
    nearest = in_turns(reach.usable, per_group_max=bench.rules.group_points_max)[: bench.rules.points_max]
    _try_with_measures(bench, (bench.way("another_point", c) for c in nearest), found)
    built = new_areas(bench, places) if bench.is_low_voltage else new_ring_main_units(bench, reach)
    _try_with_measures(bench, _first(built, bench.rules.points_max), found)
    _try_with_measures(bench, new_feeders(bench, reach), found)
    return found


def _id(candidate: object) -> str:
    return str(candidate.point.element_source_id)  # type: ignore[attr-defined]


def _first(ways: Iterable[Way], count: int) -> Iterator[Way]:
    for number, way in enumerate(ways):
        if number >= count:
            return
        yield way


def _try_points(bench: Bench, ways: Iterable[Way], found: Found) -> None:
    """Try points as they are."""
    bench.start_family()
    before, overloaded = len(found.verified), set[int]()
    for way in ways:
        if not bench.may_go_on or len(found.verified) - before >= bench.rules.options_per_family_max:
            return
        if bench.is_hopeless(way) or overloaded & transformers_above(bench.snapshot, way.candidate):
            continue
        outcome = bench.attempt(way)
        overloaded |= {
            violation.element
            for violation in outcome.violations
            if violation.table == "trafo" and violation.value > violation.limit * (1.0 + _CERTAIN_RATIO)
        }
        _keep(way, outcome, found)


def _try_with_measures(bench: Bench, ways: Iterable[Way], found: Found) -> None:
    """Try points as they are where something is built for them, then with the measures for what limits them."""
    bench.start_family()
    before = len(found.verified)
    for way in ways:
        if not bench.may_go_on or len(found.verified) - before >= bench.rules.options_per_family_max:
            return
        outcome = bench.attempt(way)
        if outcome.reason is None and _keep(way, outcome, found):
            continue
        if outcome.reason is not None and not _grow(bench, way, outcome, found) and way.measures:
            _note(way, outcome.reason, found)


def _grow(bench: Bench, way: Way, outcome: Outcome, found: Found) -> bool:
    """Apply each kind of measure, and where one is not enough each other kind on top; return whether a way holds."""
    holds = False
    for kind in KINDS:
        if kind in way.kinds or len(way.kinds) >= bench.rules.measures_max or not bench.may_go_on:
            continue
        if kind == "load_transfer" and not outcome.violations:
            continue  # without a solution nothing says what to relieve
        best: tuple[Way, Outcome] | None = None
        for changed, result in _apply(bench, kind, way, outcome):
            if result.reason is None:
                if _keep(changed, result, found):
                    holds = True
                    best = None
                    break
            elif best is None or _excess(result) < _excess(best[1]):
                best = changed, result
        if best is None:
            continue
        if _excess(best[1]) < _excess(outcome) and _grow(bench, best[0], best[1], found):
            holds = True
        elif best[1].reason is not None:
            _note(best[0], best[1].reason, found)
    return holds


def _apply(bench: Bench, kind: str, way: Way, outcome: Outcome) -> Iterator[tuple[Way, Outcome]]:
    """Yield the ways with one kind of measure, each tried."""
    if kind == "load_transfer":
        for changed in transfers(bench, way, outcome):
            if not bench.may_go_on:
                return
            yield changed, bench.attempt(changed)
    elif kind == "larger_transformer":
        grown = larger_transformers(bench, way, outcome) if bench.is_low_voltage else None
        while grown is not None and bench.may_go_on:
            result = bench.attempt(grown)
            yield grown, result
            if result.reason is None or not any(v.table == "trafo" for v in result.violations):
                return
            grown = larger_transformers(bench, grown, result)
    elif kind == "larger_main_transformer":
        enlarged = larger_main_transformers(bench, way, outcome)
        if enlarged is not None:
            yield enlarged, bench.attempt(enlarged)
    else:
        yield from _stronger(bench, way, outcome)


def _stronger(bench: Bench, way: Way, outcome: Outcome) -> Iterator[tuple[Way, Outcome]]:
    """Yield ways with more and more lines replaced."""
    share_ratio = bench.rules.voltage_share_ratio
    for _ in range(bench.rules.reconductoring_rounds_max):
        if not bench.may_go_on:
            return
        stronger = stronger_lines(bench, way, outcome, share_ratio=share_ratio)
        if stronger is None:
            return
        if not any(violation.table == "line" for violation in outcome.violations):
            share_ratio = 1.0
        way, outcome = stronger, bench.attempt(stronger)
        yield way, outcome
        if outcome.reason is None:
            return


def _excess(outcome: Outcome) -> float:
    """Return by how much limits are broken in all (ratios and per unit); infinite where nothing is solved."""
    if outcome.reason is None:
        return 0.0
    if not outcome.violations:
        return float("inf")
    return sum(abs(violation.value - violation.limit) for violation in outcome.violations)


def _keep(way: Way, outcome: Outcome, found: Found) -> bool:
    """Keep the way where it holds, else the reason; return whether it holds."""
    reason = outcome.reason
    if reason is None:
        found.verified.append(Verified(way=way, outcome=outcome))
        return True
    _note(way, reason, found)
    return False


def _note(way: Way, reason: Reason, found: Found) -> None:
    text = "；".join(dict.fromkeys(planned.measure.text for planned in way.measures)) or way.candidate.point.name
    failed = FailedOption(
        code=way.code, text=text, element_source_id=way.candidate.point.element_source_id, reason=reason.text
    )
    if failed not in found.failed:
        found.failed.append(failed)
