"""Compare one row of ``open_capacity`` with plain pandapower bisection of the same bus."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from tests.agreement.judge import Key, PlainGrid, Search

TOLERANCE_KW = 1.0
TOLERANCE_RATIO = 1e-3
NEAR_KW = 0.5
"""Where the value holds and breaks so little above, no finer bisection is needed."""
PROBES_BELOW, PROBES_ABOVE = (0.13, 0.41, 0.72, 0.93), (1.07, 1.31, 1.9)
WIDTH_KW = 0.1
"""Resolution of a bisection."""


@dataclass(kw_only=True)
class Verdict:
    """What was compared at one bus."""

    bus: int
    engine: str
    status: str
    status_agrees: bool
    capacity_kw: float = math.nan
    named: Key | None = None
    """Kind, table and element the engine names."""
    difference_kw: float = 0.0
    """At most so much lies between the engine's value and that of plain bisection: the far end of its bracket."""
    is_within: bool = True
    kind_agrees: bool = True
    element_agrees: bool = True
    is_tie: bool = False
    """Several limits break within the tolerance; the engine names one of them."""
    is_bisected: bool = False
    """The value was also found by bisection between zero and the ceiling."""
    plain_kw: float | None = None
    """What bisection found where it was asked."""
    holes_kw: list[float] = field(default_factory=list)
    """Loads below the value that break, or more than the tolerance above it that hold, among some tried."""
    plain_broken: list[Key | str] = field(default_factory=list)
    base_u_pu_difference: float = 0.0

    @property
    def agrees(self) -> bool:
        """Return whether status, value, kind and element agree."""
        return self.status_agrees and self.is_within and self.kind_agrees and self.element_agrees


def tolerance_kw(capacity_kw: float) -> float:
    """Return the difference that counts as agreement (kW)."""
    return max(TOLERANCE_KW, TOLERANCE_RATIO * capacity_kw)


def judge_row(grid: PlainGrid, row: Any, *, ceiling_kw: float, bisect: bool) -> Verdict:
    """Return the verdict on one row; with ``bisect`` also by bisection between zero and the ceiling."""
    bus = int(row.name)
    on_path, is_supplied = grid.supply_path(bus)
    expected = _status(grid, on_path, is_supplied)
    verdict = Verdict(bus=bus, engine=str(row.engine), status=row.status, status_agrees=row.status == expected)
    if row.status != "assessed" or expected != "assessed":
        return verdict
    verdict.capacity_kw = float(row.capacity_kw)
    verdict.base_u_pu_difference = abs(float(row.u_pu) - float(grid.base.res_bus.vm_pu[bus]))
    element = -1 if row.limit_element is None or row.limit_element != row.limit_element else int(row.limit_element)
    verdict.named = (str(row.limit_kind), str(row.limit_table), element)
    existing = grid.existing(on_path)
    if existing or row.limit_kind == "existing_violation":
        return _existing(verdict, existing)
    search = Search(grid, bus, on_path, verdict.capacity_kw)
    _value(verdict, search, ceiling_kw)
    if bisect or not verdict.is_within:
        verdict.is_bisected = True
        lower_kw, upper_kw = search.bisect(0.0, ceiling_kw, width_kw=WIDTH_KW)
        verdict.plain_kw = lower_kw
        found_kw = max(abs(lower_kw - verdict.capacity_kw), abs(upper_kw - verdict.capacity_kw))
        verdict.difference_kw = found_kw
        verdict.is_within = verdict.is_within and found_kw <= tolerance_kw(verdict.capacity_kw)
        verdict.holes_kw = _holes(search, verdict.capacity_kw, ceiling_kw)
    return verdict


def _holes(search: Search, value_kw: float, ceiling_kw: float) -> list[float]:
    """Return the loads tried that contradict a set of legal loads without gaps."""
    below = [share * value_kw for share in PROBES_BELOW if not search.holds(share * value_kw)]
    above_kw = [share * (value_kw + tolerance_kw(value_kw)) for share in PROBES_ABOVE]
    return below + [p_kw for p_kw in above_kw if p_kw <= ceiling_kw and search.holds(p_kw)]


def _status(grid: PlainGrid, on_path: set[tuple[str, int]], is_supplied: bool) -> str:
    if not is_supplied:
        return "unsupplied"
    if not grid.is_solved:
        return "not_assessable"
    is_unrated = any(math.isnan(value) and key[1:] in on_path for key, (value, _, _) in grid.before.items())
    return "not_assessable" if is_unrated else "assessed"


def _existing(verdict: Verdict, existing: set[Key]) -> Verdict:
    """An element on the path is over its limit already: the value is zero and one such element is named."""
    assert verdict.named is not None
    kind, *element = verdict.named
    verdict.is_within = verdict.capacity_kw == 0.0
    verdict.kind_agrees = bool(existing) and kind == "existing_violation"
    verdict.element_agrees = tuple(element) in {key[1:] for key in existing}
    verdict.is_tie = len({key[1:] for key in existing}) > 1
    verdict.plain_broken = sorted(existing)
    return verdict


def _value(verdict: Verdict, search: Search, ceiling_kw: float) -> None:
    """Bracket the value, as narrowly as two flows can, and compare what breaks at the upper end."""
    capacity_kw = verdict.capacity_kw
    allowed_kw = tolerance_kw(capacity_kw)
    if capacity_kw >= ceiling_kw:
        verdict.is_within = search.holds(ceiling_kw)
        verdict.kind_agrees = verdict.named is not None and verdict.named[0] == "ceiling"
        return
    if search.holds(capacity_kw) and not search.holds(capacity_kw + NEAR_KW):
        lower_kw, upper_kw = capacity_kw, capacity_kw + NEAR_KW
    else:
        lower_kw = max(0.0, capacity_kw - allowed_kw)
        lower_kw, upper_kw = search.bisect(lower_kw, capacity_kw + allowed_kw, width_kw=WIDTH_KW)
        verdict.is_within = lower_kw < upper_kw
    verdict.difference_kw = max(abs(lower_kw - capacity_kw), abs(upper_kw - capacity_kw))
    if verdict.is_within:
        _names(verdict, search, upper_kw, capacity_kw + allowed_kw)


def _names(verdict: Verdict, search: Search, upper_kw: float, outer_kw: float) -> None:
    """Compare the limit named with what breaks just above the value, or else within the tolerance."""
    assert verdict.named is not None
    kind = verdict.named[0]
    for p_kw in (upper_kw, outer_kw):
        broken = search.broken(p_kw)
        kinds = {"convergence"} if broken is None else {key[0] for key in broken}
        verdict.kind_agrees = kind in kinds
        verdict.element_agrees = kind == "convergence" if broken is None else verdict.named in broken
        if p_kw == upper_kw:
            verdict.plain_broken = ["no solution"] if broken is None else sorted(broken)
            verdict.is_tie = broken is not None and len(broken) > 1
        else:
            verdict.is_tie = True
        if verdict.kind_agrees and verdict.element_agrees:
            return
