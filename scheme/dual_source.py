"""Several sources for one customer (双电源、双回路): points chosen jointly.

For every capacity a source of the structure must carry alone the ordinary search collects points that carry it, so each
point's own verdict is the one with all other sources out. Combinations are then taken whose points are fed as far apart
as the structure asks, ranked by their joint score, and verified one after another with all sources in service until
enough hold or the bound on such load flows is reached. Where no combination is far enough apart, the search goes on to
larger radii, and in the end dedicated lines (专线) from substations join in. What carries alone but not together keeps
its reason.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from gridmodel.capacity.limits import Limits
from gridmodel.catalogue.loader import Catalogue
from gridmodel.connection import ConnectionAssessment
from gridmodel.joint_connection import JointConnectionStudy
from gridmodel.snapshot import Snapshot
from scheme.candidates import CandidateSearch, limit_reason, trial_of
from scheme.cost import add_costs
from scheme.courses import CourseFinder
from scheme.model import Cost, FurtherSource, Material, Reason, Rejected, RejectedSet, Score, Segment, Work
from scheme.points import Candidate, NetworkPlaces, Screen
from scheme.policy.parameter import PolicyView
from scheme.power_quality.study import PowerQualityStudy
from scheme.ranking import Merit, compute_scores, rank
from scheme.routes import RouteRules, WantedSupply
from scheme.rules.supply_structure import SEPARATIONS, SourceDuty, SupplyStructure
from scheme.separation import Feeding, FeedingTracer, find_shared
from scheme.variants import Feasible, VariantCompiler, VariantDraft, as_verification

_SourceWorks = tuple[tuple[Work, ...], tuple[Material, ...], Cost]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSets:
    """Outcome of a search."""

    variants: tuple[VariantDraft, ...]
    """Verified, best first."""
    rejected: tuple[Rejected, ...]
    """Points that carry none of the sources, nearest first."""
    rejected_sets: tuple[RejectedSet, ...]
    points_found: int
    """Points that carry at least one of the sources alone."""


def find_source_sets(
    place_deg: tuple[float, float],
    *,
    structure: SupplyStructure,
    supply: WantedSupply,
    snapshot: Snapshot,
    capacity: pd.DataFrame | None,
    policy: PolicyView,
    catalogue: Catalogue,
    limits: Limits,
    utility_segments: frozenset[Segment],
    study: JointConnectionStudy,
    places: NetworkPlaces,
    quality: PowerQualityStudy | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SourceSets:
    """Return ranked combinations of points that are the sources of one customer.

    Args:
        place_deg: CGCS2000 longitude and latitude of the customer.
        structure: Number of sources, their separation and what each must carry.
        supply: The customer's whole supply; the parts of the sources have its power factor.
        snapshot: The grid; not changed.
        capacity: ``node_capacity`` table, or ``None`` to verify without it.
        policy: Rules and numbers, topics ``connection``, ``works`` and ``capacity``.
        catalogue: Line types and unit costs.
        limits: Operating limits.
        utility_segments: What the utility builds, by the investment boundary.
        study: Base cases of ``snapshot``.
        places: Spatial indices of ``snapshot``.
        quality: Physics beyond loading and voltage, studied at every point that keeps the limits.
        progress: Called with (load flows done, bound) of each search.
    """
    courses = CourseFinder(places.terrain, place_deg, policy)
    rules = RouteRules(policy, catalogue, limits, f_hz=float(snapshot.net.f_hz), courses=courses)
    searches: dict[float, CandidateSearch] = {}
    compilers: dict[float, VariantCompiler] = {}
    for capacity_kva in sorted({duty.capacity_kva for duty in structure.duties}, reverse=True):
        part = scale_supply(supply, capacity_kva)
        searches[capacity_kva] = CandidateSearch(
            place_deg,
            supply=part,
            study=study,
            places=places,
            screen=Screen(snapshot, policy=policy, capacity=capacity, capacity_kva=capacity_kva),
            rules=rules,
            policy=policy,
            limits=limits,
            quality=None if quality is None else quality.for_supply(part),
            progress=progress,
        )
        compilers[capacity_kva] = VariantCompiler(
            place_deg,
            supply=part,
            snapshot=snapshot,
            rules=rules,
            limits=limits,
            utility_segments=utility_segments,
            policy=policy,
            catalogue=catalogue,
        )
    tracer = FeedingTracer(snapshot)
    return _SetSearch(structure, supply, searches, compilers, study, tracer, limits, policy).run()


def explain_no_set(structure: SupplyStructure, sets: SourceSets) -> Reason:
    """Return why no combination of points was found."""
    needed = f"{structure.source_count}路电源（{structure.kind}，来自{SEPARATIONS[structure.separation]}）"
    share = f"单路须独立承担{round(structure.required_share_kva, 1):g}kVA"
    text = (
        f"搜索范围内没有满足要求的{needed}，{share}：可单独承担的接入点{sets.points_found}个，"
        f"不成立的组合{len(sets.rejected_sets)}个（原因见落选组合），转专业联动编制供电方案"
    )
    return Reason(code="no_feasible_source_set", text=text)


def scale_supply(supply: WantedSupply, capacity_kva: float) -> WantedSupply:
    """Return the part of ``supply`` that has this capacity, at the same power factor."""
    ratio = capacity_kva / supply.capacity_kva
    return replace(supply, p_kw=supply.p_kw * ratio, q_kvar=supply.q_kvar * ratio, capacity_kva=capacity_kva)


@dataclass(frozen=True, slots=True)
class _Place:
    """One feasible point and what feeds it."""

    item: Feasible
    feeding: Feeding


@dataclass(frozen=True, slots=True)
class _Set:
    """Points in the order of the structure's sources."""

    places: tuple[_Place, ...]
    works: tuple[_SourceWorks, ...]
    merit: Merit


class _SetSearch:
    """State of one search for combinations."""

    def __init__(
        self,
        structure: SupplyStructure,
        supply: WantedSupply,
        searches: dict[float, CandidateSearch],
        compilers: dict[float, VariantCompiler],
        study: JointConnectionStudy,
        tracer: FeedingTracer,
        limits: Limits,
        policy: PolicyView,
    ) -> None:
        self._structure, self._supply, self._searches, self._compilers = structure, supply, searches, compilers
        self._study, self._tracer, self._limits, self._policy = study, tracer, limits, policy
        self._wanted = policy.count("connection.variants_wanted")
        self._sets_max = policy.count("connection.source_sets_max")
        is_lv = supply.voltage_class == "lv"
        self._further_radii_m = () if is_lv else policy.numbers("connection.further_radii_mv_m")
        self._feedings: dict[int, Feeding] = {}
        self._too_close: dict[frozenset[tuple[str, str]], RejectedSet] = {}
        self._apart: set[frozenset[tuple[str, str]]] = set()
        self._failed: list[RejectedSet] = []

    def run(self) -> SourceSets:
        """Search points, combine, verify."""
        duties = self._structure.duties
        for capacity_kva, search in self._searches.items():
            alike = tuple(replace(duty, capacity_kva=capacity_kva) for duty in duties)
            search.run(lambda alike=alike: self._count_sets(alike) >= self._wanted)  # type: ignore[misc]
        self._search_on(duties)
        sets = [self._value(places) for places in self._combine(duties)]
        variants = self._verify(sets)
        points = {_key(item.candidate) for search in self._searches.values() for item in search.feasible}
        refused = {_rejected_key(r): r for search in self._searches.values() for r in search.rejected}
        return SourceSets(
            variants=variants,
            rejected=tuple(
                sorted(
                    (r for key, r in refused.items() if key not in points),
                    key=lambda r: (r.distance_m, r.connection_point.kind),
                )
            ),
            rejected_sets=(
                *(refusal for key, refusal in self._too_close.items() if key not in self._apart),
                *self._failed,
            ),
            points_found=len(points),
        )

    def _search_on(self, duties: tuple[SourceDuty, ...]) -> None:
        """Go farther, and in the end to substations, as long as no combination is far enough apart."""
        for radius_m in (*self._further_radii_m, None):
            if self._count_sets(duties):
                return
            for search in self._searches.values():
                if radius_m is None:
                    search.try_substation_bays()
                else:
                    search.try_within(radius_m)

    def _count_sets(self, duties: tuple[SourceDuty, ...]) -> int:
        return sum(1 for _ in itertools.islice(self._combine(duties), self._wanted))

    def _combine(self, duties: Sequence[SourceDuty]) -> Iterator[tuple[_Place, ...]]:
        """Yield the combinations far enough apart, near points first; note why the others are not."""
        found = {
            capacity_kva: [self._locate(item) for item in search.feasible]
            for capacity_kva, search in self._searches.items()
        }
        pools = [list(enumerate(found[duty.capacity_kva])) for duty in duties]
        alike = [pair for pair in itertools.combinations(range(len(duties)), 2) if _are_alike(duties, *pair)]
        for choice in itertools.product(*pools):
            places = tuple(place for _, place in choice)
            key = frozenset(_key(place.item.candidate) for place in places)
            if len(key) < len(places):
                continue
            if any(choice[a][0] > choice[b][0] for a, b in alike):
                continue  # sources that could change places: the nearer point comes first
            refusal = self._find_shared(places)
            if refusal is None:
                self._apart.add(key)
                yield places
            else:
                self._too_close.setdefault(key, refusal)

    def _locate(self, item: Feasible) -> _Place:
        key = id(item)
        if key not in self._feedings:
            self._feedings[key] = self._tracer.trace(item.candidate, item.assessment)
        return _Place(item, self._feedings[key])

    def _find_shared(self, places: Sequence[_Place]) -> RejectedSet | None:
        """Return the refusal of a combination; the first two sources must be as far apart as the structure asks."""
        for a, b in itertools.combinations(range(len(places)), 2):
            separation = self._structure.separation if (a, b) == (0, 1) else "same_busbar_allowed"
            reason = find_shared(places[a].feeding, places[b].feeding, separation)
            if reason is not None:
                points = tuple(place.item.candidate.point for place in places)
                return RejectedSet(connection_points=points, reasons=(reason,))
        return None

    def _value(self, places: tuple[_Place, ...]) -> _Set:
        """Return a combination with works, estimate and joint merit: sums of what adds up, the worst of the rest."""
        works, merits = [], []
        for number, (duty, place) in enumerate(zip(self._structure.duties, places, strict=True), start=1):
            compiler = self._compilers[duty.capacity_kva]
            own = _labelled(compiler.plan_works(place.item), number)
            works.append(own)
            merits.append(compiler.judge(place.item, own[2]))
        return _Set(places, tuple(works), _join(merits))

    def _verify(self, sets: Sequence[_Set]) -> tuple[VariantDraft, ...]:
        """Return the best combinations that hold with all sources in service."""
        if not sets:
            return ()
        merits = [one.merit for one in sets]
        radius_m = max(search.radii_m[-1] for search in self._searches.values())
        farthest_m = max(radius_m * self._structure.source_count, *(merit.distance_m for merit in merits))
        scores = compute_scores(merits, distance_max_m=farthest_m, limits=self._limits, policy=self._policy)
        drafts: list[VariantDraft] = []
        for place in rank(merits, scores)[: self._sets_max]:
            chosen = sets[place]
            normal = self._assess_normal(chosen)
            refusals = [reason for verdict in normal if verdict is not None and (reason := limit_reason(verdict))]
            if refusals:
                points = tuple(one.item.candidate.point for one in chosen.places)
                self._failed.append(RejectedSet(connection_points=points, reasons=tuple(refusals)))
                continue
            compiler = self._compilers[self._structure.duties[0].capacity_kva]
            first = compiler.draft(len(drafts) + 1, chosen.places[0].item, chosen.works[0], scores[place])
            drafts.append(self._complete(first, chosen, normal))
            if len(drafts) >= self._wanted:
                break
        return tuple(drafts)

    def _assess_normal(self, chosen: _Set) -> tuple[ConnectionAssessment | None, ...]:
        """Return the verdicts with all sources in service; ``None`` for a source that carries nothing then."""
        duties = self._structure.duties
        loaded = [number for number, duty in enumerate(duties) if duty.normal_kva > 0.0]
        if len(loaded) == 1 and math.isclose(duties[loaded[0]].normal_kva, duties[loaded[0]].capacity_kva):
            # Alone with load: what its own verdict was given for.
            found: tuple[ConnectionAssessment, ...] = (chosen.places[loaded[0]].item.assessment,)
        else:
            found = self._study.assess_together(
                [
                    trial_of(
                        chosen.places[number].item.candidate,
                        chosen.places[number].item.chosen,
                        scale_supply(self._supply, duties[number].normal_kva),
                    )
                    for number in loaded
                ],
                limits=self._limits,
            )
        verdicts = dict(zip(loaded, found, strict=True))
        return tuple(verdicts.get(number) for number in range(len(duties)))

    def _complete(
        self, first: VariantDraft, chosen: _Set, normal: Sequence[ConnectionAssessment | None]
    ) -> VariantDraft:
        """Return the variant of a combination: works, materials and estimate are those of all sources together."""
        further = tuple(
            self._further(number, chosen, normal[number], first.score) for number in range(1, len(chosen.places))
        )
        return replace(
            first,
            works=tuple(work for works, _, _ in chosen.works for work in works),
            bill_of_materials=tuple(item for _, materials, _ in chosen.works for item in materials),
            cost=add_costs([cost for _, _, cost in chosen.works]),
            further_sources=further,
            normal_verification=None if normal[0] is None else as_verification(normal[0]),
            busbar=self._tracer.busbar_name(chosen.places[0].feeding),
        )

    def _further(self, number: int, chosen: _Set, normal: ConnectionAssessment | None, score: Score) -> FurtherSource:
        duty, place, works = self._structure.duties[number], chosen.places[number], chosen.works[number]
        own = self._compilers[duty.capacity_kva].draft(number, place.item, works, score)
        return FurtherSource(
            source_no=duty.source_no,
            role=duty.role,
            required_share_kva=duty.capacity_kva,
            normal_kva=duty.normal_kva,
            connection_point=own.connection_point,
            connection_mode=own.connection_mode,
            substation=own.substation,
            busbar=self._tracer.busbar_name(place.feeding),
            main_transformer=own.main_transformer,
            feeder=own.feeder,
            transformer_area=own.transformer_area,
            distance_m=own.distance_m,
            route=own.route,
            verification=own.verification,
            normal_verification=None if normal is None else as_verification(normal),
            works=own.works,
            bill_of_materials=own.bill_of_materials,
            cost=own.cost,
            power_quality=own.power_quality,
        )


def _are_alike(duties: Sequence[SourceDuty], a: int, b: int) -> bool:
    """Return whether two sources may change places: of three, the one that only stands by may be fed from anywhere."""
    same_capacity = duties[a].capacity_kva == duties[b].capacity_kva
    return same_capacity and (len(duties) == 2 or duties[a].normal_kva == duties[b].normal_kva)


def _labelled(works: _SourceWorks, number: int) -> _SourceWorks:
    """Return the works of one source with its number before every text."""
    label = f"电源{number}："
    own, materials, cost = works
    items = tuple(replace(item, text=label + item.text) for item in cost.items)
    return (
        tuple(replace(work, text=label + work.text) for work in own),
        materials,
        replace(cost, items=items, not_priced=tuple(label + text for text in cost.not_priced)),
    )


def _join(merits: Sequence[Merit]) -> Merit:
    loadings = [m.transformer_loading_ratio_max for m in merits if m.transformer_loading_ratio_max is not None]
    weakest = min(merits, key=lambda merit: merit.u_pu_customer - merit.u_pu_min_allowed)
    return replace(
        weakest,
        element_source_id="+".join(merit.element_source_id for merit in merits),
        distance_m=sum(merit.distance_m for merit in merits),
        cost_cny10k=sum(merit.cost_cny10k for merit in merits),
        line_loading_ratio_max=max(merit.line_loading_ratio_max for merit in merits),
        transformer_loading_ratio_max=max(loadings, default=None),
        losses_kw=sum(merit.losses_kw for merit in merits),
        p_kw=sum(merit.p_kw for merit in merits),
    )


def _key(candidate: Candidate) -> tuple[str, str]:
    return candidate.point.kind, candidate.point.element_source_id


def _rejected_key(rejected: Rejected) -> tuple[str, str]:
    return rejected.connection_point.kind, rejected.connection_point.element_source_id
