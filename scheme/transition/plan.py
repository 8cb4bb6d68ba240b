"""Puts a transition scheme together: the first stage, the cheapest verified path to the rest, tasks of departments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gridmodel.capacity.limits import Limits
from gridmodel.catalogue.loader import Catalogue
from gridmodel.connection import ConnectionStudy
from gridmodel.snapshot import Snapshot
from gridmodel.topology import LOW_VOLTAGE_KV_MAX
from scheme.cost import add_costs, compute_cost
from scheme.courses import CourseFinder
from scheme.model import (
    Cost,
    JointTask,
    Measure,
    Reason,
    Rejected,
    Segment,
    Transition,
    TransitionOption,
    TransitionStage,
    Work,
)
from scheme.points import TEE_KINDS, NetworkPlaces
from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest
from scheme.routes import RouteRules, WantedSupply
from scheme.schedule import WorksMode, find_works_workdays
from scheme.transition.bench import Bench, PlannedMeasure, Way
from scheme.transition.first_stage import FirstStage, find_first_stage
from scheme.transition.rules import decide_funding, list_tasks, read_rules
from scheme.transition.search import Found, Verified, find_ways
from scheme.transition.targets import in_turns, survey
from scheme.variants import Feasible, VariantCompiler, VariantDraft
from scheme.works import PricedWork


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TransitionPlan:
    """What the scheme is made of where the grid does not carry the demand as it is."""

    transition: Transition
    reasons: tuple[Reason, ...]
    tasks: tuple[JointTask, ...]
    draft: VariantDraft
    """Connection of the last stage, the measures among its works."""
    grid: Snapshot
    """The grid of the last stage."""
    capacity_kva: float
    """Capacity of the last stage."""
    is_promised: bool
    """False where nothing can be connected before a main transformer is enlarged: that is for joint work to decide."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Option:
    """A verified way with its connection."""

    way: Way
    draft: VariantDraft
    measures_cost: Cost
    duration_workdays: int | None

    @property
    def needs_planning(self) -> bool:
        """Whether a main transformer is enlarged, which has no price and no date: it comes after everything else."""
        return any(planned.kind == "larger_main_transformer" for planned in self.way.measures)

    @property
    def cost(self) -> Cost:
        return add_costs([self.draft.cost, self.measures_cost])

    @property
    def measures(self) -> tuple[Measure, ...]:
        return tuple(planned.measure for planned in self.way.measures)


def plan_transition(
    request: SupplyRequest,
    place_deg: tuple[float, float],
    *,
    supply: WantedSupply,
    snapshot: Snapshot,
    policy: PolicyView,
    catalogue: Catalogue,
    limits: Limits,
    utility_segments: frozenset[Segment],
    study: ConnectionStudy,
    places: NetworkPlaces,
    rejected: Sequence[Rejected],
    progress: Callable[[int, int], None] | None = None,
) -> TransitionPlan | None:
    """Return the transition scheme, ``None`` where neither a part nor a path to all of the demand was found.

    Args:
        request: What is asked.
        place_deg: CGCS2000 longitude and latitude of the customer.
        supply: The full demand.
        snapshot: The grid; not changed.
        policy: Reads ``transition.*`` and what the plain search reads.
        catalogue: Equipment and unit costs.
        limits: Operating limits.
        utility_segments: What the utility builds, by the investment boundary.
        study: Base cases of ``snapshot``.
        places: Spatial indices of ``snapshot``.
        rejected: What the plain search refused; points that a load flow refused are not tried again as they are.
        progress: Called with (load flows done, bound).
    """
    bench = Bench(
        request,
        place_deg,
        supply=supply,
        snapshot=snapshot,
        study=study,
        limits=limits,
        rules=read_rules(policy, voltage_class=supply.voltage_class),
        routes=RouteRules(
            policy,
            catalogue,
            limits,
            f_hz=float(snapshot.net.f_hz),
            courses=CourseFinder(places.terrain, place_deg, policy),
        ),
        policy=policy,
        catalogue=catalogue,
        progress=progress,
    )
    reach = survey(bench, places)
    first = find_first_stage(bench, in_turns(reach.usable_in_part, per_group_max=bench.rules.group_points_max))
    tried = frozenset(r.connection_point.element_source_id for r in rejected if r.connection_point.kind != "line_tee")
    found = find_ways(bench, reach, places, refused_ids=tried)
    return _Planner(request, bench, utility_segments).plan(first, found)


class _Planner:
    """Turns what was found into records."""

    def __init__(self, request: SupplyRequest, bench: Bench, utility_segments: frozenset[Segment]) -> None:
        self._request, self._bench, self._utility_segments = request, bench, utility_segments
        self._texts: Mapping[str, Any] = bench.texts

    def plan(self, first: FirstStage | None, found: Found) -> TransitionPlan | None:
        options = sorted(
            (self._option(item) for item in _without_needless(found.verified)),
            key=lambda option: (option.needs_planning, option.cost.total_typical_cny10k),
        )
        if not options and first is None:
            return None
        best = options[0] if options else None
        now = None if best is not None and not best.measures else self._first(first)
        stages = [stage for stage in (now, self._last(best, first)) if stage is not None]
        stages = [replace(stage, stage_no=number) for number, stage in enumerate(stages, start=1)]
        needs_works = best is None or bool(best.measures)
        funding = decide_funding(
            self._request,
            self._bench.policy,
            is_low_voltage=self._bench.is_low_voltage,
            needs_works=needs_works,
        )
        transition = Transition(
            demand_kva=self._bench.supply.capacity_kva,
            is_complete=best is not None,
            stages=tuple(stages),
            alternatives=self._alternatives(options[1:]),
            failed=tuple(found.failed),
            funding=funding,
            load_flows=self._bench.load_flows,
        )
        draft, grid = (
            (self._with_measures(best), best.way.grid)
            if best is not None
            else (self._first_draft(first), self._bench.snapshot)
        )
        return TransitionPlan(
            transition=transition,
            reasons=(self._reason(first, best),),
            tasks=self._tasks(first, best, funding),
            draft=draft,
            grid=grid,
            capacity_kva=stages[-1].capacity_kva,
            is_promised=best is None or first is not None or not best.needs_planning,
        )

    def _compile(self, way: Way, feasible: Feasible, supply: WantedSupply) -> VariantDraft:
        bench = self._bench
        compiler = VariantCompiler(
            bench.place_deg,
            supply=supply,
            snapshot=way.grid,
            rules=bench.routes,
            limits=bench.limits,
            utility_segments=self._utility_segments,
            policy=bench.policy,
            catalogue=bench.catalogue,
        )
        return compiler.compile([feasible], radius_m=bench.rules.radius_m)[0]

    def _option(self, item: Verified) -> _Option:
        assert item.outcome.feasible is not None
        draft = self._compile(item.way, item.outcome.feasible, self._bench.supply)
        modes = [planned.works_mode for planned in item.way.measures]
        return _Option(
            way=item.way,
            draft=draft,
            measures_cost=compute_cost([_priced(planned) for planned in item.way.measures], self._bench.catalogue),
            duration_workdays=self._duration([*modes, *_connection_modes(draft)]),
        )

    def _first_draft(self, first: FirstStage | None) -> VariantDraft:
        assert first is not None
        assert first.outcome.feasible is not None
        return self._compile(first.way, first.outcome.feasible, self._bench.part(first.capacity_kva))

    def _first(self, first: FirstStage | None) -> TransitionStage:
        least_kva = self._bench.rules.useful_kva_min(self._bench.supply.capacity_kva)
        if first is None:
            text = str(self._texts["stage_none"]).format(capacity=_shown(least_kva))
            return TransitionStage(
                stage_no=1,
                capacity_kva=0.0,
                connection_point=None,
                connection_mode=None,
                route=None,
                measures=(),
                verification=None,
                cost=None,
                duration_workdays=None,
                starts_after=str(self._texts["starts_now"]),
                text=text,
            )
        draft = self._first_draft(first)
        return TransitionStage(
            stage_no=1,
            capacity_kva=first.capacity_kva,
            connection_point=draft.connection_point,
            connection_mode=draft.connection_mode,
            route=draft.route,
            measures=(),
            verification=draft.verification,
            cost=draft.cost,
            duration_workdays=self._duration(_connection_modes(draft)),
            starts_after=str(self._texts["starts_now"]),
            text=str(self._texts["stage_now"]).format(capacity=_shown(first.capacity_kva)),
        )

    def _last(self, best: _Option | None, first: FirstStage | None) -> TransitionStage | None:
        """Return the stage with the full demand; what the first stage builds at the same point is not built twice."""
        if best is None:
            return None
        is_built = (
            bool(best.measures)
            and first is not None
            and first.way.candidate.point.element_source_id == best.draft.connection_point.element_source_id
            and self._first_draft(first).route == best.draft.route
        )
        starts = "starts_planned" if best.needs_planning else "starts_together" if best.measures else "starts_now"
        capacity_kva = self._bench.supply.capacity_kva
        return TransitionStage(
            stage_no=2,
            capacity_kva=capacity_kva,
            connection_point=best.draft.connection_point,
            connection_mode=best.draft.connection_mode,
            route=best.draft.route,
            measures=best.measures,
            verification=best.draft.verification,
            cost=best.measures_cost if is_built else best.cost,
            duration_workdays=best.duration_workdays,
            starts_after=str(self._texts[starts]),
            text=str(self._texts["stage_final" if best.measures else "another_point"]).format(
                capacity=_shown(capacity_kva)
            ),
        )

    def _alternatives(self, options: Sequence[_Option]) -> tuple[TransitionOption, ...]:
        return tuple(
            TransitionOption(
                code=option.way.code,
                text="；".join(measure.text for measure in option.measures) or str(self._texts[option.way.family]),
                capacity_kva=self._bench.supply.capacity_kva,
                connection_point=option.draft.connection_point,
                measures=option.measures,
                verification=option.draft.verification,
                cost=option.cost,
                duration_workdays=option.duration_workdays,
            )
            for option in options
        )

    def _with_measures(self, option: _Option) -> VariantDraft:
        """Return the connection with the measures among its works and in its estimate."""
        works = tuple(_priced(planned).work for planned in option.way.measures)
        modes = tuple(planned.works_mode for planned in option.way.measures)
        return replace(option.draft, works=(*option.draft.works, *works), cost=option.cost, measure_modes=modes)

    def _duration(self, modes: Sequence[WorksMode | None]) -> int | None:
        """Return the longest of works built side by side; ``None`` where there are none or one is not known."""
        known = [None if mode is None else find_works_workdays(self._bench.policy, mode) for mode in modes]
        found = [workdays for workdays in known if workdays is not None]
        return max(found) if found and len(found) == len(known) else None

    def _reason(self, first: FirstStage | None, best: _Option | None) -> Reason:
        demand_kva = self._bench.supply.capacity_kva
        now_kva = 0.0 if first is None else first.capacity_kva
        if best is not None and not best.measures:
            return Reason(code="transition_another_point", text=str(self._texts["another_point"]))
        name = "reason_partial" if best is None else "reason_later" if first is None else "reason_complete"
        if best is not None and best.needs_planning and first is None:
            name = "reason_planned"
        text = str(self._texts[name]).format(
            demand=_shown(demand_kva), now=_shown(now_kva), rest=_shown(demand_kva - now_kva)
        )
        codes = {"reason_partial": "transition_partial", "reason_planned": "transition_needs_planning"}
        return Reason(code=codes.get(name, "transition_verified"), text=text)

    def _tasks(self, first: FirstStage | None, best: _Option | None, funding: str) -> tuple[JointTask, ...]:
        occasions = ["transition"]
        if best is not None and best.needs_planning and first is None:
            occasions = ["joint_work", *(measure.code for measure in best.measures)]
        elif best is None:
            occasions.append("partial")
        elif best.measures:
            occasions += ["works", *(measure.code for measure in best.measures)]
        return list_tasks(self._bench.policy, occasions, facts={"funding": funding})


def _without_needless(found: Sequence[Verified]) -> list[Verified]:
    """Return the ways, those left out that do more kinds of things at a point than another one needs there."""

    def point_and_kinds(item: Verified) -> tuple[str, frozenset[str]]:
        return item.way.candidate.point.element_source_id, frozenset(item.way.kinds)

    keys = [point_and_kinds(item) for item in found]
    return [
        item
        for item, (point, kinds) in zip(found, keys, strict=True)
        if not any(point == other and fewer < kinds for other, fewer in keys)
    ]


def _priced(planned: PlannedMeasure) -> PricedWork:
    measure = planned.measure
    work = Work(code=measure.code, text=measure.text, quantity=measure.quantity, unit=measure.unit, side="utility")
    return PricedWork(work=work, price_code=planned.price_code, needs_price=planned.needs_price)


def _connection_modes(draft: VariantDraft) -> list[WorksMode | None]:
    """Return the kinds of works of the connection; ``None`` for one without a kind."""
    modes: list[WorksMode | None] = []
    if draft.connection_point.kind in TEE_KINDS:
        modes.append("tee")
    elif draft.connection_point.kind == "substation_bay":
        modes.append("substation_bay")
    if draft.connection_point.u_nominal_kv > LOW_VOLTAGE_KV_MAX:
        modes.append("overhead_line" if draft.route.laying == "overhead" else "cable_line")
    return modes or [None]


def _shown(capacity_kva: float) -> str:
    return f"{round(capacity_kva, 1):g}"
