"""From feasible connection points to ranked variants: works, materials, estimate, names, score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from gridmodel.capacity.limits import Limits
from gridmodel.catalogue.loader import Catalogue
from gridmodel.connection import ConnectionAssessment
from gridmodel.snapshot import Snapshot
from gridmodel.topology import LOW_VOLTAGE_KV_MAX
from scheme.cost import compute_cost
from scheme.model import (
    Cost,
    Material,
    Score,
    Segment,
    Timeline,
    Variant,
    Verification,
    Work,
)
from scheme.model_quality import PowerQuality
from scheme.model_variant import UndatedVariant
from scheme.points import Candidate
from scheme.policy.parameter import PolicyView
from scheme.ranking import Merit, compute_scores, rank
from scheme.routes import ChosenLine, RouteRules, WantedSupply
from scheme.schedule import WorksMode
from scheme.works import RouteLine, compile_works


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantDraft(UndatedVariant):
    """A variant without its dates, and where it starts."""

    bus: int | None
    """Bus of the point; ``None`` for a tee on ``line``."""
    line: int | None
    fraction_along: float | None
    measure_modes: tuple[WorksMode | None, ...] = ()
    """Kinds of supporting works elsewhere in the grid (配套工程); ``None`` for one whose kind has no duration."""

    def with_timeline(self, timeline: Timeline) -> Variant:
        """Return the finished variant."""
        own = {field.name: getattr(self, field.name) for field in fields(UndatedVariant)}
        return Variant(**own, timeline=timeline)


@dataclass(frozen=True, slots=True)
class Feasible:
    """A candidate the grid carries the customer at."""

    candidate: Candidate
    chosen: ChosenLine
    assessment: ConnectionAssessment
    power_quality: PowerQuality | None = None
    """Physics beyond loading and voltage; ``None`` where it was not asked for."""


class VariantCompiler:
    """Turns feasible candidates into variants."""

    def __init__(
        self,
        place_deg: tuple[float, float],
        *,
        supply: WantedSupply,
        snapshot: Snapshot,
        rules: RouteRules,
        limits: Limits,
        utility_segments: frozenset[Segment],
        policy: PolicyView,
        catalogue: Catalogue,
    ) -> None:
        self._supply, self._snapshot, self._rules = supply, snapshot, rules
        self._limits, self._utility_segments, self._policy, self._catalogue = (
            limits,
            utility_segments,
            policy,
            catalogue,
        )

    def compile(self, feasible: Sequence[Feasible], *, radius_m: float) -> tuple[VariantDraft, ...]:
        """Return one variant for each, best first.

        Args:
            feasible: Candidates found.
            radius_m: Largest search radius; the distance score counts from it, or from the farthest candidate.
        """
        if not feasible:
            return ()
        works = [self.plan_works(item) for item in feasible]
        merits = [self.judge(item, cost) for item, (_, _, cost) in zip(feasible, works, strict=True)]
        farthest_m = max(radius_m, *(item.candidate.distance_m for item in feasible))
        scores = compute_scores(merits, distance_max_m=farthest_m, limits=self._limits, policy=self._policy)
        order = rank(merits, scores)
        return tuple(self.draft(number, feasible[i], works[i], scores[i]) for number, i in enumerate(order, start=1))

    def plan_works(self, item: Feasible) -> tuple[tuple[Work, ...], tuple[Material, ...], Cost]:
        """Return works, materials and estimate of one point."""
        priced, materials = compile_works(
            item.candidate.point.kind,
            RouteLine(
                line_type=item.chosen.line_type,
                length_m=item.chosen.length_m,
                parallel=item.chosen.parallel,
                wires=item.chosen.wires,
                span_m=item.chosen.span_m,
            ),
            is_single_phase=self._supply.is_single_phase,
            notes=item.candidate.notes,
            utility_segments=self._utility_segments,
            policy=self._policy,
            catalogue=self._catalogue,
        )
        return tuple(p.work for p in priced), materials, compute_cost(priced, self._catalogue)

    def judge(self, item: Feasible, cost: Cost) -> Merit:
        """Return what one point is scored by."""
        return Merit(
            element_source_id=item.candidate.point.element_source_id,
            distance_m=item.candidate.distance_m,
            cost_cny10k=cost.total_typical_cny10k,
            line_loading_ratio_max=item.assessment.line_loading_ratio_max,
            transformer_loading_ratio_max=item.assessment.transformer_loading_ratio_max,
            u_pu_customer=item.assessment.u_pu_customer,
            u_pu_min_allowed=self._rules.u_pu_min(item.candidate.point.u_nominal_kv),
            losses_kw=item.assessment.losses_kw,
            p_kw=self._supply.p_kw,
        )

    def draft(
        self, number: int, item: Feasible, works: tuple[tuple[Work, ...], tuple[Material, ...], Cost], score: Score
    ) -> VariantDraft:
        """Return the variant of one point with the rank and score given."""
        candidate, chosen, point = item.candidate, item.chosen, item.candidate.point
        is_lv, names = point.u_nominal_kv <= LOW_VOLTAGE_KV_MAX, self._names(candidate)
        return VariantDraft(
            rank=number,
            connection_point=point,
            connection_mode=chosen.connection_mode,
            substation=names["substation"],
            main_transformer=names["main_transformer"],
            feeder=names["feeder"],
            transformer_area=self._area_name(candidate.area_id) if is_lv else None,
            distance_m=round(candidate.distance_m, 1),
            route=chosen.as_route(self._policy),
            verification=as_verification(item.assessment),
            works=works[0],
            bill_of_materials=works[1],
            cost=works[2],
            score=score,
            bus=candidate.bus,
            line=candidate.line,
            fraction_along=candidate.fraction_along,
            power_quality=item.power_quality,
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
        sources = nodes[(nodes.kind == "source").to_numpy()]
        names = sources["name"][sources.substation_id == substation_id]
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
