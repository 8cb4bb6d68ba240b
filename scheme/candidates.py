"""Nearest feasible connection points (就近接入): search outward, verify each candidate by load flow, rank.

The search takes the radii of the policy one after another. Candidates of one group (same kind of point on the same
feeder or transformer area) are tried nearest first until one of them carries the customer or the bound on load flows of
a group is reached; farther ones of that group are not looked at. The search ends when enough groups have a feasible
point, at the largest radius, or at the bound on all load flows. Every candidate looked at and refused keeps its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Literal

import pandas as pd

from gridmodel.capacity.limits import Limits
from gridmodel.catalogue.loader import Catalogue
from gridmodel.connection import ConnectionAssessment, ConnectionStudy, TrialConnection
from gridmodel.snapshot import Snapshot
from scheme.cost import compute_cost
from scheme.model import (
    ConnectionPoint,
    Cost,
    Material,
    Reason,
    Rejected,
    Route,
    Score,
    Segment,
    Timeline,
    Variant,
    Verification,
    Work,
)
from scheme.points import LOW_VOLTAGE_KV_MAX, Candidate, NetworkPlaces, Screen
from scheme.policy.parameter import PolicyView
from scheme.ranking import Merit, compute_scores, rank
from scheme.routes import ChosenLine, RouteRules
from scheme.works import RouteLine, compile_works

_LIMIT_TEXTS = {
    "line_loading": "线路{element}负载率超过限值",
    "transformer_loading": "变压器{element}负载率超过限值",
    "voltage_low": "{element}电压低于下限",
    "voltage_high": "{element}电压高于上限",
    "convergence": "接入后潮流无解",
    "unsupplied": "接入点无电源",
}
_ELEMENT_NAMES = {"customer": "客户受电点", "route": "（新建接入线路）"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSupply:
    """What the customer's supply must carry."""

    voltage_class: Literal["lv", "mv"]
    is_single_phase: bool = False
    p_kw: float
    q_kvar: float
    capacity_kva: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantDraft:
    """A variant without its dates; see :class:`scheme.model.Variant` for the fields."""

    rank: int
    connection_point: ConnectionPoint
    connection_mode: str
    substation: str | None
    main_transformer: str | None
    feeder: str | None
    transformer_area: str | None
    distance_m: float
    route: Route
    verification: Verification
    works: tuple[Work, ...]
    bill_of_materials: tuple[Material, ...]
    cost: Cost
    score: Score
    bus: int | None
    """Bus of the point; ``None`` for a tee on ``line``."""
    line: int | None
    fraction_along: float | None

    def with_timeline(self, timeline: Timeline) -> Variant:
        """Return the finished variant."""
        own = {field.name for field in fields(Variant)} - {"timeline"}
        return Variant(**{name: getattr(self, name) for name in own}, timeline=timeline)


@dataclass(frozen=True, slots=True)
class _Feasible:
    candidate: Candidate
    chosen: ChosenLine
    assessment: ConnectionAssessment


def find_variants(
    place_deg: tuple[float, float],
    *,
    supply: WantedSupply,
    snapshot: Snapshot,
    capacity: pd.DataFrame | None,
    policy: PolicyView,
    catalogue: Catalogue,
    limits: Limits,
    utility_segments: frozenset[Segment],
    study: ConnectionStudy | None = None,
    places: NetworkPlaces | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[tuple[VariantDraft, ...], tuple[Rejected, ...]]:
    """Return ranked feasible variants, best first, and the candidates refused, nearest first.

    Args:
        place_deg: CGCS2000 longitude and latitude of the customer.
        supply: What is wanted.
        snapshot: The grid; not changed.
        capacity: ``node_capacity`` table, or ``None`` to verify without it.
        policy: Rules and numbers, topics ``connection``, ``works`` and ``capacity``.
        catalogue: Line types and unit costs.
        limits: Operating limits.
        utility_segments: What the utility builds, by the investment boundary.
        study: Reused base cases of ``snapshot``.
        places: Reused spatial indices of ``snapshot``.
        progress: Called with (load flows done, bound).
    """
    if study is None:
        ratio = policy.number("capacity.in_flight_coincidence_ratio")
        study = ConnectionStudy(snapshot, in_flight_coincidence_ratio=ratio)
    search = _Search(
        place_deg,
        supply=supply,
        study=study,
        places=places or NetworkPlaces(snapshot),
        screen=Screen(snapshot, policy=policy, capacity=capacity, capacity_kva=supply.capacity_kva),
        rules=RouteRules(policy, catalogue, limits),
        policy=policy,
        limits=limits,
        progress=progress,
    )
    search.run()
    finish = _Finish(search, snapshot, utility_segments=utility_segments, policy=policy, catalogue=catalogue)
    return finish.variants(), tuple(sorted(search.rejected, key=lambda r: (r.distance_m, r.connection_point.kind)))


class _Search:
    """State of one search; ``feasible`` and ``rejected`` grow."""

    def __init__(
        self,
        place_deg: tuple[float, float],
        *,
        supply: WantedSupply,
        study: ConnectionStudy,
        places: NetworkPlaces,
        screen: Screen,
        rules: RouteRules,
        policy: PolicyView,
        limits: Limits,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.place_deg, self.supply, self.limits, self.rules = place_deg, supply, limits, rules
        self._study, self._places, self._screen, self._policy = study, places, screen, policy
        self._progress = progress
        self.is_lv = supply.voltage_class == "lv"
        self.radii_m = policy.numbers(f"connection.search_radii_{supply.voltage_class}_m")
        self._wanted = policy.count("connection.variants_wanted")
        self._candidates_max = policy.count("connection.candidates_max")
        self._group_candidates_max = policy.count("connection.group_candidates_max")
        self.feasible: list[_Feasible] = []
        self.rejected: list[Rejected] = []
        self._done_groups: set[tuple[str, str]] = set()
        self._seen: set[tuple[str, int]] = set()
        self._tries: Counter[tuple[str, str]] = Counter()
        self._load_flows = 0

    def run(self) -> None:
        """Search outward; see the module docstring."""
        if not self.is_lv and self._offers_dedicated_line():
            self._try_all(self._substation_bays())
        for radius_m in self.radii_m:
            self._try_all(self._within(radius_m))
            if len(self._done_groups) >= self._wanted:
                break
        if not self.is_lv and not self.feasible:
            self._try_all(self._substation_bays())

    def _offers_dedicated_line(self) -> bool:
        last_resort = self._policy.flag("connection.dedicated_line_is_last_resort")
        return not last_resort and self._policy.get("connection.dedicated_line_kva_min").allows(
            self.supply.capacity_kva
        )

    def _substation_bays(self) -> list[Candidate]:
        radius_m = self._policy.number("connection.new_feeder_search_radius_km") * 1e3
        found = self._places.find_nodes(*self.place_deg, is_lv=False, radius_m=radius_m)
        return [candidate for candidate in found if candidate.point.kind == "substation_bay"]

    def _within(self, radius_m: float) -> list[Candidate]:
        found = self._places.find_nodes(*self.place_deg, is_lv=self.is_lv, radius_m=radius_m)
        found = [candidate for candidate in found if candidate.point.kind != "substation_bay"]
        if not self.is_lv:
            found += self._places.find_tees(
                *self.place_deg,
                radius_m=radius_m,
                node_distance_min_m=self._policy.number("connection.tee_node_distance_min_m"),
            )
        return sorted(found, key=lambda c: (round(c.distance_m, 3), c.point.element_source_id))

    def _try_all(self, candidates: list[Candidate]) -> None:
        for candidate in candidates:
            key = ("bus", candidate.bus) if candidate.bus is not None else ("line", candidate.line or 0)
            if key in self._seen or candidate.group in self._done_groups:
                continue
            if self._tries[candidate.group] >= self._group_candidates_max:
                continue
            if self._load_flows >= self._candidates_max:
                return
            self._seen.add(key)
            self._try(candidate)

    def _try(self, candidate: Candidate) -> None:
        reason = self._screen.find_reason(candidate)
        if reason is None:
            chosen = self.rules.choose(candidate, self.supply.capacity_kva, is_single_phase=self.supply.is_single_phase)
            reason = chosen if isinstance(chosen, Reason) else self._verify(candidate, chosen)
        if reason is not None:
            self.rejected.append(
                Rejected(connection_point=candidate.point, distance_m=round(candidate.distance_m, 1), reasons=(reason,))
            )

    def _verify(self, candidate: Candidate, chosen: ChosenLine) -> Reason | None:
        self._load_flows += 1
        self._tries[candidate.group] += 1
        assessment = self._study.assess(
            TrialConnection(
                bus=candidate.bus,
                line=candidate.line,
                fraction_along=candidate.fraction_along,
                route_length_km=chosen.length_m / 1e3,
                line_type=chosen.line_type,
                parallel=chosen.parallel,
                p_kw=self.supply.p_kw,
                q_kvar=self.supply.q_kvar,
                is_single_phase=self.supply.is_single_phase,
            ),
            limits=self.limits,
        )
        if self._progress is not None:
            self._progress(self._load_flows, self._candidates_max)
        reason = _limit_reason(assessment)
        if reason is None and self.is_lv:
            reason = self.rules.find_radius_reason(assessment.length_km * 1e3)
        if reason is None:
            self.feasible.append(_Feasible(candidate, chosen, assessment))
            self._done_groups.add(candidate.group)
        return reason


def _limit_reason(assessment: ConnectionAssessment) -> Reason | None:
    kind = assessment.limit_kind
    if assessment.is_within_limits or kind is None:
        return None
    element = assessment.limit_element_id or ""
    text = _LIMIT_TEXTS.get(kind, kind).format(element=_ELEMENT_NAMES.get(element, element))
    if assessment.violations:
        first = assessment.violations[0]
        text += f"（{first.value:.3f}，限值{first.limit:.3f}）"
    return Reason(code=kind, text=text)


class _Finish:
    """Turns feasible candidates into ranked variants."""

    def __init__(
        self,
        search: _Search,
        snapshot: Snapshot,
        *,
        utility_segments: frozenset[Segment],
        policy: PolicyView,
        catalogue: Catalogue,
    ) -> None:
        self._search, self._snapshot = search, snapshot
        self._utility_segments, self._policy, self._catalogue = utility_segments, policy, catalogue

    def variants(self) -> tuple[VariantDraft, ...]:
        """Return all variants, best first."""
        search = self._search
        if not search.feasible:
            return ()
        works = [self._works(item) for item in search.feasible]
        merits = [self._merit(item, cost) for item, (_, _, cost) in zip(search.feasible, works, strict=True)]
        farthest_m = max(search.radii_m[-1], *(item.candidate.distance_m for item in search.feasible))
        scores = compute_scores(merits, distance_max_m=farthest_m, limits=search.limits, policy=self._policy)
        order = rank(merits, scores)
        return tuple(
            self._draft(number, search.feasible[i], works[i], scores[i]) for number, i in enumerate(order, start=1)
        )

    def _works(self, item: _Feasible) -> tuple[tuple[Work, ...], tuple[Material, ...], Cost]:
        priced, materials = compile_works(
            item.candidate.point.kind,
            RouteLine(
                line_type=item.chosen.line_type,
                length_m=item.chosen.length_m,
                parallel=item.chosen.parallel,
                wires=item.chosen.wires,
                span_m=item.chosen.span_m,
            ),
            is_single_phase=self._search.supply.is_single_phase,
            notes=item.candidate.notes,
            utility_segments=self._utility_segments,
            policy=self._policy,
            catalogue=self._catalogue,
        )
        return tuple(p.work for p in priced), materials, compute_cost(priced, self._catalogue)

    def _merit(self, item: _Feasible, cost: Cost) -> Merit:
        return Merit(
            element_source_id=item.candidate.point.element_source_id,
            distance_m=item.candidate.distance_m,
            cost_cny10k=cost.total_typical_cny10k,
            line_loading_ratio_max=item.assessment.line_loading_ratio_max,
            transformer_loading_ratio_max=item.assessment.transformer_loading_ratio_max,
            u_pu_customer=item.assessment.u_pu_customer,
            u_pu_min_allowed=self._search.rules.u_pu_min(item.candidate.point.u_nominal_kv),
            losses_kw=item.assessment.losses_kw,
            p_kw=self._search.supply.p_kw,
        )

    def _draft(
        self, number: int, item: _Feasible, works: tuple[tuple[Work, ...], tuple[Material, ...], Cost], score: Score
    ) -> VariantDraft:
        candidate, chosen, point = item.candidate, item.chosen, item.candidate.point
        is_lv = point.u_nominal_kv <= LOW_VOLTAGE_KV_MAX
        return VariantDraft(
            rank=number,
            connection_point=point,
            connection_mode=chosen.connection_mode,
            **self._names(candidate),
            transformer_area=self._area_name(candidate.area_id) if is_lv else None,
            distance_m=round(candidate.distance_m, 1),
            route=chosen.as_route(self._search.place_deg, point),
            verification=as_verification(item.assessment),
            works=works[0],
            bill_of_materials=works[1],
            cost=works[2],
            score=score,
            bus=candidate.bus,
            line=candidate.line,
            fraction_along=candidate.fraction_along,
        )

    def _names(self, candidate: Candidate) -> dict[str, str | None]:
        """Return substation, main transformer and feeder as people call them."""
        feeders, transformers = self._snapshot.feeders, self._snapshot.transformers
        if candidate.feeder_id is None or candidate.feeder_id not in feeders.index:
            nodes = self._snapshot.nodes
            station = None if candidate.bus is None else nodes.substation_id[candidate.bus]
            return {
                "substation": self._substation_name(station),
                "main_transformer": None,
                "feeder": candidate.feeder_id,
            }
        feeder = feeders.loc[candidate.feeder_id]
        main = feeder.main_transformer
        is_known = main is not None and main == main and main in transformers.index
        return {
            "substation": self._substation_name(feeder.substation_id),
            "main_transformer": _text(transformers.loc[main, "name"]) if is_known else None,
            "feeder": _text(feeder["name"]) or candidate.feeder_id,
        }

    def _substation_name(self, substation_id: Any) -> str | None:
        """Return the name of a substation's high-voltage busbar, its id where the data names none."""
        nodes = self._snapshot.nodes
        names = nodes["name"][(nodes.kind == "source") & (nodes.substation_id == substation_id)]
        return next((text for text in map(_text, names) if text), _text(substation_id))

    def _area_name(self, area_id: str | None) -> str | None:
        """Return the name of the transformer of an area (台区), its id where the data names none."""
        transformers = self._snapshot.transformers
        names = transformers["name"][transformers.element_id == area_id]
        return next((text for text in map(_text, names) if text), area_id)


def as_verification(assessment: ConnectionAssessment) -> Verification:
    """Return the record of a scheme; numbers are rounded beyond what they mean, so that replays give the same bytes."""
    transformer = assessment.transformer_loading_ratio_max
    return Verification(
        is_within_limits=assessment.is_within_limits,
        u_pu_min=round(assessment.u_pu_min, 6),
        u_pu_max=round(assessment.u_pu_max, 6),
        u_pu_customer=round(assessment.u_pu_customer, 6),
        line_loading_ratio_max=round(assessment.line_loading_ratio_max, 6),
        transformer_loading_ratio_max=None if transformer is None else round(transformer, 6),
        losses_kw=round(assessment.losses_kw, 3),
        ik3_ka=None if assessment.ik3_ka is None else round(assessment.ik3_ka, 4),
        limit_kind=assessment.limit_kind,
        limit_element_id=assessment.limit_element_id,
        element_ids=assessment.element_ids,
        voltage_profile=tuple(
            {key: round(value, 6) if isinstance(value, float) else value for key, value in row.items()}
            for row in assessment.voltage_profile
        ),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
