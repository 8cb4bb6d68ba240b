"""Finds the connection of one project: on the live grid as a scheme does, or on what the projects before it left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from scheme.assessment.asked import Asked
from scheme.assessment.assessed_grid import AssessedGrid
from scheme.assessment.confined_search import ConfinedSearch, JointBench, JointCheck
from scheme.assessment.elements import contested_by, element_of_row, elements_above, feeder_of
from scheme.assessment.grid_state import GridState
from scheme.assessment.records import Answer, Limiter, MaterialNeed, Placement
from scheme.candidates import find_variants
from scheme.courses import CourseFinder
from scheme.model import Rejected
from scheme.power_quality.study import PowerQualityStudy
from scheme.routes import RouteRules
from scheme.transition.first_stage import FirstStage, find_first_stage
from scheme.transition.rules import read_rules
from scheme.transition.targets import in_turns, survey
from scheme.variants import VariantCompiler, VariantDraft

_REFUSED = "搜索范围内没有能接入申请容量的公共电网接入点"
_NO_POINT = "搜索范围内没有可用的公共电网接入点"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Answer to one project, and what the search for it looked at."""

    answer: Answer
    points: tuple[tuple[str, str], ...]
    """Points that carry all of it, best first, by kind and identifier."""
    farthest_m: float
    """Distance of the farthest of them; 0 without any."""
    islands: frozenset[int]
    """Islands of these points, or of the point of a part."""
    looked_at: frozenset[int]
    """Islands the search looked at."""
    is_deferred: bool = False
    """Whether nothing is left in the islands allowed and there are points in others, so that it must be tried there."""


class Finder:
    """Searches for one project after another on one state of the grid.

    Args:
        state: The grid with the projects placed so far; it is read at every search.
        allowed: Islands projects may be connected in; ``None``: all.
        is_alone: Whether nobody else counts.
    """

    def __init__(self, state: GridState, *, allowed: frozenset[int] | None = None, is_alone: bool = False) -> None:
        self._state, self._grid, self._allowed = state, state.grid, allowed
        self._is_alone = is_alone

    @property
    def grid(self) -> AssessedGrid:
        """The grid without any project."""
        return self._grid

    def find(self, asked: Asked, *, before: Found | None = None, is_deferrable: bool = False) -> Found:
        """Return the best connection, for all of the demand or a part of it.

        Args:
            asked: The project.
            before: What was found on the live grid: its points are tried first, in their order, the first that holds is
                taken; what the live grid did not carry is not tried in full again.
            is_deferrable: Whether a project that has points outside the islands allowed waits for them instead of
                taking a part.
        """
        searches: list[_QueueSearch] = []

        def make(*args: Any, **given: Any) -> ConfinedSearch:
            search = _QueueSearch(
                *args,
                islands_of=self._grid.islands_of,
                allowed=self._allowed,
                joint_check=self._joint_check(asked),
                again=before,
                **given,
            )
            searches.append(search)
            return search

        drafts: tuple[VariantDraft, ...] = ()
        rejected: tuple[Rejected, ...] = ()
        if before is None or before.points:
            drafts, rejected = self._variants(asked, make)
        is_deferred = is_deferrable and not drafts and any(search.left_out for search in searches)
        if drafts:
            answer = self._yes(asked, self._placement(asked, drafts[0], asked.supply.capacity_kva))
        else:
            limiter = before.answer.limiter if before is not None and not searches else None
            limiter = limiter or self._limiter(searches, rejected)
            first = None if is_deferred else self._first_stage(asked)
            is_deferred = is_deferred or (is_deferrable and self._would_get_more(first, before))
            answer = self._in_part(asked, first, limiter, has_points=bool(rejected) or not searches)
        return Found(
            answer=answer,
            points=tuple((d.connection_point.kind, d.connection_point.element_source_id) for d in drafts),
            farthest_m=max((draft.distance_m for draft in drafts), default=0.0),
            islands=self._islands(answer, drafts),
            looked_at=self._looked_at(searches, answer, before),
            is_deferred=is_deferred,
        )

    def _islands(self, answer: Answer, drafts: Sequence[VariantDraft]) -> frozenset[int]:
        """Return the islands of points that carry all, or of the one that carries a part."""
        nodes = [] if answer.placement is None else [answer.placement.node]
        for draft in drafts:
            ends = [draft.bus] if draft.line is None else [self._state.study.find_fed_end(draft.line)]
            nodes += [node for node in ends if node is not None]
        return self._grid.islands_of(nodes)

    def _looked_at(self, searches: Sequence[ConfinedSearch], answer: Answer, before: Found | None) -> frozenset[int]:
        seen = frozenset(searches[0].looked_at) if searches else frozenset[int]()
        if answer.placement is not None:
            seen |= self._grid.islands_of([answer.placement.node])
        return seen if before is None else seen | before.looked_at

    def _would_get_more(self, first: FirstStage | None, before: Found | None) -> bool:
        """Return whether a project that got a part alone gets less here, and there are islands it may not use here."""
        if before is None or before.answer.placement is None or self._allowed is None or before.points:
            return False
        now_kva = 0.0 if first is None else first.capacity_kva
        is_less = round(now_kva, 3) < (before.answer.now_kva or 0.0)
        return is_less and not before.looked_at <= self._allowed

    def _joint_check(self, asked: Asked) -> JointCheck | None:
        """Return the last look at all customers; a project alone is judged as its scheme is."""
        if self._is_alone:
            return None
        return partial(self._state.check_together, asked.project.project_id)

    def _variants(self, asked: Asked, make: Any) -> tuple[tuple[VariantDraft, ...], tuple[Rejected, ...]]:
        state, grid = self._state, self._grid
        return find_variants(
            asked.place_deg,
            supply=asked.supply,
            snapshot=state.snapshot,
            capacity=state.capacity_of,
            policy=grid.policy,
            catalogue=grid.catalogue,
            limits=grid.limits,
            utility_segments=asked.utility_segments,
            study=state.study,
            places=state.places,
            quality=PowerQualityStudy(
                asked.request, supply=asked.supply, study=state.study, policy=grid.policy, catalogue=grid.catalogue
            ),
            search_by=make,
        )

    def _yes(self, asked: Asked, placement: Placement) -> Answer:
        return Answer(
            verdict="yes",
            voltage=asked.voltage,
            asked_kva=round(asked.supply.capacity_kva, 3),
            now_kva=round(asked.supply.capacity_kva, 3),
            placement=placement,
            reason_code=None,
            reason=None,
            limiter=None,
        )

    def _in_part(self, asked: Asked, first: FirstStage | None, limiter: Limiter | None, *, has_points: bool) -> Answer:
        """Return what can be connected now where not all can."""
        placement, now_kva = None, 0.0
        if first is not None:
            placement, now_kva = self._placed_part(asked, first), first.capacity_kva
        return Answer(
            verdict="no" if placement is None else "partly",
            voltage=asked.voltage,
            asked_kva=round(asked.supply.capacity_kva, 3),
            now_kva=round(now_kva, 3),
            placement=placement,
            reason_code="no_feasible_connection_point" if has_points else "no_connection_point",
            reason=_REFUSED if has_points else _NO_POINT,
            limiter=limiter,
        )

    def _first_stage(self, asked: Asked) -> FirstStage | None:
        bench = self._bench(asked)
        reach = survey(bench, self._state.places)
        usable = [
            candidate
            for candidate in reach.usable_in_part
            if self._allowed is None or self._grid.islands_of(candidate.capacity_buses) <= self._allowed
        ]
        return find_first_stage(bench, in_turns(usable, per_group_max=bench.rules.group_points_max))

    def _bench(self, asked: Asked) -> JointBench:
        state, grid = self._state, self._grid
        bench = JointBench(
            asked.request,
            asked.place_deg,
            supply=asked.supply,
            snapshot=state.snapshot,
            study=state.study,
            limits=grid.limits,
            rules=read_rules(grid.policy, voltage_class=asked.supply.voltage_class),
            routes=self._routes(asked),
            policy=grid.policy,
            catalogue=grid.catalogue,
            progress=None,
        )
        bench.joint_check = self._joint_check(asked)
        return bench

    def _routes(self, asked: Asked) -> RouteRules:
        grid = self._grid
        courses = CourseFinder(grid.places.terrain, asked.place_deg, grid.policy)
        return RouteRules(grid.policy, grid.catalogue, grid.limits, f_hz=float(grid.snapshot.net.f_hz), courses=courses)

    def _placed_part(self, asked: Asked, first: FirstStage) -> Placement:
        assert first.outcome.feasible is not None
        grid, share = self._grid, first.capacity_kva / asked.supply.capacity_kva
        compiler = VariantCompiler(
            asked.place_deg,
            supply=asked.supply,
            snapshot=self._state.snapshot,
            rules=self._routes(asked),
            limits=grid.limits,
            utility_segments=asked.utility_segments,
            policy=grid.policy,
            catalogue=grid.catalogue,
        )
        draft = compiler.compile([first.outcome.feasible], radius_m=first.way.candidate.distance_m)[0]
        return self._placement(asked, draft, asked.supply.capacity_kva * share)

    def _placement(self, asked: Asked, draft: VariantDraft, capacity_kva: float) -> Placement:
        point, found = draft.connection_point, draft.verification
        node = draft.bus if draft.line is None else self._state.study.find_fed_end(draft.line)
        assert node is not None
        share = capacity_kva / asked.supply.capacity_kva
        transformer = found.transformer_loading_ratio_max
        return Placement(
            point_kind=point.kind,
            element_source_id=point.element_source_id,
            point_name=point.name,
            u_nominal_kv=point.u_nominal_kv,
            distance_m=draft.distance_m,
            bus=draft.bus,
            line=draft.line,
            fraction_along=draft.fraction_along,
            node=node,
            route_length_m=draft.route.length_m,
            line_type_id=draft.route.line_type_id,
            circuits=draft.route.circuits,
            is_single_phase=asked.supply.is_single_phase,
            capacity_kva=capacity_kva,
            p_kw=asked.supply.p_kw * share,
            q_kvar=asked.supply.q_kvar * share,
            connection_mode=draft.connection_mode,
            substation=draft.substation,
            main_transformer=draft.main_transformer,
            feeder=draft.feeder,
            transformer_area=draft.transformer_area,
            elements=elements_above(
                self._grid.snapshot, found.element_ids, feeder_of(self._grid.snapshot, bus=draft.bus, line=draft.line)
            ),
            u_pu_customer=found.u_pu_customer,
            line_loading_ratio_max=found.line_loading_ratio_max,
            transformer_loading_ratio_max=transformer,
            materials=tuple(
                MaterialNeed(
                    type_id=item.type_id,
                    name=item.name,
                    model=item.model,
                    quantity=item.quantity,
                    unit=item.unit,
                    side=item.side,
                )
                for item in draft.bill_of_materials
            ),
        )

    def _limiter(self, searches: Sequence[ConfinedSearch], rejected: Sequence[Rejected]) -> Limiter | None:
        """Return what limits the nearest point that the grid, not a rule, refuses."""
        if not searches:
            return None
        hits = searches[0].limits_hit
        for item in rejected:
            point = item.connection_point
            hit = hits.get((point.kind, point.element_source_id))
            if hit is not None:
                element_id = hit.element_id
                contested = contested_by(self._grid.snapshot, element_id, hit.candidate)
                return Limiter(kind=hit.kind, element_id=element_id, contested=contested)
            if item.reasons[0].code == "open_capacity_exceeded":
                return element_of_row(self._grid.snapshot, self._state.capacity_of, point)
        first = rejected[0].reasons[0].code if rejected else None
        return None if first is None else Limiter(kind=first, element_id=None, contested=None)


class _QueueSearch(ConfinedSearch):
    """A search that tries the points found on the live grid first and ends with the first of them that holds."""

    def __init__(self, *args: Any, again: Found | None, **given: Any) -> None:
        super().__init__(*args, **given)
        self._again = again

    def run(self, is_enough: Any = None) -> None:
        """Search; see :meth:`scheme.candidates.CandidateSearch.run`."""
        if self._again is not None:
            self.try_again(self._again.points, radius_m=self._again.farthest_m + 1.0)
            if self.feasible:
                return
        super().run(is_enough)
