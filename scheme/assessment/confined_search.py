"""The search of a scheme, confined to some islands, with a last look at all customers together.

Rules, radii, order and verification are those of :class:`scheme.candidates.CandidateSearch`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from scheme.candidates import CandidateSearch, trial_of
from scheme.model import Reason
from scheme.points import BAY_KINDS, Candidate
from scheme.routes import ChosenLine
from scheme.transition.bench import Bench, Outcome, Way

JointCheck = Callable[[Any], Reason | None]
"""Says of a :class:`gridmodel.connection.TrialConnection` what breaks when all customers are connected with it."""


def takes_bays(point_kind: str) -> bool:
    """Return whether every circuit from a point takes a bay of it."""
    return point_kind in BAY_KINDS


class ConfinedSearch(CandidateSearch):
    """A search that remembers the islands it looked at.

    Args:
        place_deg: As for the search of a scheme, like ``given``.
        islands_of: Gives the islands of some buses.
        allowed: Islands it may look at; ``None``: all.
        joint_check: Asked of every point that holds by itself; ``None``: nobody else is connected.
        given: What the search of a scheme takes.
    """

    def __init__(
        self,
        place_deg: tuple[float, float],
        *,
        islands_of: Callable[[Collection[int]], frozenset[int]],
        allowed: frozenset[int] | None = None,
        joint_check: JointCheck | None = None,
        **given: Any,
    ) -> None:
        super().__init__(place_deg, **given)
        self._islands_of, self._allowed, self._joint_check = islands_of, allowed, joint_check
        self.looked_at: set[int] = set()
        self.left_out = False
        """Whether a candidate lay outside the islands allowed."""

    def try_again(self, points: Collection[tuple[str, str]], *, radius_m: float) -> None:
        """Try points by kind and identifier, in the order given, until one holds."""
        found = {
            (candidate.point.kind, candidate.point.element_source_id): candidate
            for candidate in [*self._within(radius_m), *(() if self._is_lv else self._substation_bays())]
        }
        for point in points:
            if point in found and not self.feasible:
                self._try_all([found[point]])

    def _within(self, radius_m: float) -> list[Candidate]:
        return self._allowed_of(super()._within(radius_m))

    def _substation_bays(self) -> list[Candidate]:
        return self._allowed_of(super()._substation_bays())

    def _allowed_of(self, candidates: list[Candidate]) -> list[Candidate]:
        if self._allowed is None:
            return candidates
        kept = [c for c in candidates if self._islands_of(c.capacity_buses) <= self._allowed]
        self.left_out |= len(kept) < len(candidates)
        return kept

    def _try(self, candidate: Candidate) -> None:
        self.looked_at |= self._islands_of(candidate.capacity_buses)
        super()._try(candidate)

    def _verify(self, candidate: Candidate, chosen: ChosenLine) -> Reason | None:
        reason = super()._verify(candidate, chosen)
        if reason is not None or self._joint_check is None:
            return reason
        held = self.feasible[-1]
        reason = self._joint_check(trial_of(held.candidate, held.chosen, self._supply))
        if reason is not None:
            self._note(candidate, reason.code, None)
            self.feasible.pop()
            self._done_groups.discard(candidate.group)
        return reason


class JointBench(Bench):
    """A bench that asks of every point of the imported grid that holds whether all customers together do."""

    joint_check: JointCheck | None = None

    def attempt(self, way: Way, *, capacity_kva: float | None = None) -> Outcome:
        """Connect the customer and solve; see :meth:`scheme.transition.bench.Bench.attempt`."""
        outcome = super().attempt(way, capacity_kva=capacity_kva)
        if outcome.reason is not None or way.grid is not self.snapshot or self.joint_check is None:
            return outcome
        assert outcome.chosen is not None
        supply = self.supply if capacity_kva is None else self.part(capacity_kva)
        reason = self.joint_check(trial_of(way.candidate, outcome.chosen, supply))
        return outcome if reason is None else Outcome(chosen=outcome.chosen, feasible=None, reason=reason)
