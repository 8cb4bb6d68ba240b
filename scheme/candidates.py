"""Nearest feasible connection points (就近接入): search outward, verify each candidate by load flow, rank.

The search takes the radii of the policy one after another. Candidates of one group (same kind of point on the same
feeder or transformer area) are tried nearest first until one of them carries the customer or the bound on load flows of
a group is reached; farther ones of that group are not looked at. A candidate whose supply path breaks a limit for
certain, by what it carries already and the customer's power, is refused without a load flow; where that limit is its
transformer's, so are all of its group, and one of them stands for the rest. The search ends when enough groups have a
feasible point, at the largest radius, or at the bound on all load flows. Every candidate looked at and refused keeps
its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd

from gridmodel.capacity.limits import Limits
from gridmodel.catalogue.loader import Catalogue
from gridmodel.connection import ConnectionAssessment, ConnectionStudy, TrialConnection
from gridmodel.snapshot import Snapshot
from scheme.courses import CourseFinder
from scheme.model import Reason, Rejected, Segment
from scheme.points import Candidate, CapacityOf, NetworkPlaces, Screen
from scheme.policy.parameter import PolicyView
from scheme.power_quality.settings import fault_settings
from scheme.power_quality.study import PowerQualityStudy, quality_reason
from scheme.routes import ChosenLine, RouteRules, WantedSupply
from scheme.rules.dedicated_line import offers_dedicated_line
from scheme.variants import Feasible, VariantCompiler, VariantDraft

_LIMIT_TEXTS = {
    "line_loading": "线路{element}负载率超过限值",
    "transformer_loading": "变压器{element}负载率超过限值",
    "voltage_low": "{element}电压低于下限",
    "voltage_high": "{element}电压高于上限",
    "convergence": "接入后潮流无解",
    "unsupplied": "接入点无电源",
}
_ELEMENT_NAMES = {"customer": "客户受电点", "route": "（新建接入线路）"}


def find_variants(
    place_deg: tuple[float, float],
    *,
    supply: WantedSupply,
    snapshot: Snapshot,
    capacity: pd.DataFrame | CapacityOf | None,
    policy: PolicyView,
    catalogue: Catalogue,
    limits: Limits,
    utility_segments: frozenset[Segment],
    study: ConnectionStudy | None = None,
    places: NetworkPlaces | None = None,
    quality: PowerQualityStudy | None = None,
    progress: Callable[[int, int], None] | None = None,
    search_by: Callable[..., CandidateSearch] | None = None,
) -> tuple[tuple[VariantDraft, ...], tuple[Rejected, ...]]:
    """Return ranked feasible variants, best first, and the candidates refused, nearest first.

    Args:
        place_deg: CGCS2000 longitude and latitude of the customer.
        supply: What is wanted.
        snapshot: The grid; not changed.
        capacity: ``node_capacity`` table or who gives its rows, or ``None`` to verify without it.
        policy: Rules and numbers, topics ``connection``, ``works`` and ``capacity``.
        catalogue: Line types and unit costs.
        limits: Operating limits.
        utility_segments: What the utility builds, by the investment boundary.
        study: Reused base cases of ``snapshot``.
        places: Reused spatial indices of ``snapshot``.
        quality: Physics beyond loading and voltage, studied at every point that keeps the limits.
        progress: Called with (load flows done, bound).
        search_by: Makes the search; default :class:`CandidateSearch`.
    """
    if study is None:
        ratio = policy.number("capacity.in_flight_coincidence_ratio")
        study = ConnectionStudy(snapshot, in_flight_coincidence_ratio=ratio, **fault_settings(policy))
    places = places or NetworkPlaces(snapshot)
    courses = CourseFinder(places.terrain, place_deg, policy)
    rules = RouteRules(policy, catalogue, limits, f_hz=float(snapshot.net.f_hz), courses=courses)
    search = (search_by or CandidateSearch)(
        place_deg,
        supply=supply,
        study=study,
        places=places,
        screen=Screen(snapshot, policy=policy, capacity=capacity, capacity_kva=supply.capacity_kva),
        rules=rules,
        policy=policy,
        limits=limits,
        quality=quality,
        progress=progress,
    )
    search.run()
    compiler = VariantCompiler(
        place_deg,
        supply=supply,
        snapshot=snapshot,
        rules=rules,
        limits=limits,
        utility_segments=utility_segments,
        policy=policy,
        catalogue=catalogue,
    )
    variants = compiler.compile(search.feasible, radius_m=search.radii_m[-1])
    return variants, tuple(sorted(search.rejected, key=lambda r: (r.distance_m, r.connection_point.kind)))


@dataclass(frozen=True, slots=True)
class LimitHit:
    """A limit of the load flow that refused a candidate."""

    candidate: Candidate
    kind: str
    element_id: str | None
    """``None`` where there is no solution."""


class CandidateSearch:
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
        quality: PowerQualityStudy | None = None,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self._place_deg, self._supply, self._limits, self._rules = place_deg, supply, limits, rules
        self._study, self._places, self._screen, self._policy = study, places, screen, policy
        self._quality, self._progress = quality, progress
        self._is_lv = supply.voltage_class == "lv"
        self.radii_m = policy.numbers(f"connection.search_radii_{supply.voltage_class}_m")
        self._wanted = policy.count("connection.variants_wanted")
        self._candidates_max = policy.count("connection.candidates_max")
        self._group_candidates_max = policy.count("connection.group_candidates_max")
        self.feasible: list[Feasible] = []
        self.rejected: list[Rejected] = []
        self._done_groups: set[tuple[str, str]] = set()
        self._overloaded_groups: set[tuple[str, str]] = set()
        self._seen: set[tuple[str, int]] = set()
        self._tries: Counter[tuple[str, str]] = Counter()
        self._load_flows = 0
        self.limits_hit: dict[tuple[str, str], LimitHit] = {}
        """First limit met at a point, by its kind and element."""

    def run(self, is_enough: Callable[[], bool] | None = None) -> None:
        """Search outward; see the module docstring.

        Args:
            is_enough: Ends the search after a radius; by default enough groups with a feasible point.
        """
        if not self._is_lv and self._offers_dedicated_line():
            self.try_substation_bays()
        for radius_m in self.radii_m:
            self._try_all(self._within(radius_m))
            if is_enough() if is_enough is not None else len(self._done_groups) >= self._wanted:
                break
        if not self._is_lv and not self.feasible:
            self.try_substation_bays()

    def try_within(self, radius_m: float) -> None:
        """Search on to a larger radius."""
        self._try_all(self._within(radius_m))

    def try_substation_bays(self) -> None:
        """Try dedicated lines (专线) from substations within the radius of new feeders."""
        self._try_all(self._substation_bays())

    def _offers_dedicated_line(self) -> bool:
        return offers_dedicated_line(self._supply.capacity_kva, self._policy)

    def _substation_bays(self) -> list[Candidate]:
        radius_m = self._policy.number("connection.new_feeder_search_radius_km") * 1e3
        return self._places.find_substations(*self._place_deg, radius_m=radius_m)

    def _within(self, radius_m: float) -> list[Candidate]:
        found = self._places.find_nodes(*self._place_deg, is_lv=self._is_lv, radius_m=radius_m)
        found = [candidate for candidate in found if candidate.point.kind != "substation_bay"]
        if not self._is_lv:
            found += self._places.find_tees(
                *self._place_deg,
                radius_m=radius_m,
                node_distance_min_m=self._policy.number("connection.tee_node_distance_min_m"),
            )
        return sorted(found, key=lambda c: (round(c.distance_m, 3), c.point.element_source_id))

    def _try_all(self, candidates: list[Candidate]) -> None:
        for candidate in candidates:
            key = ("bus", candidate.bus) if candidate.bus is not None else ("line", candidate.line or 0)
            if key in self._seen or candidate.group in self._done_groups | self._overloaded_groups:
                continue
            if self._tries[candidate.group] >= self._group_candidates_max:
                continue
            if self._load_flows >= self._candidates_max:
                return
            self._seen.add(key)
            self._try(candidate)

    def _try(self, candidate: Candidate) -> None:
        reason = (
            self._screen.find_reason(candidate)
            or self._find_certain_reason(candidate)
            or self._screen.find_capacity_reason(candidate)
        )
        if reason is None and self._is_lv:
            reason = self._find_radius_reason(candidate)
        if reason is None:
            u_pu = self._study.find_voltage_pu(bus=candidate.bus, line=candidate.line)
            chosen = self._rules.choose(candidate, self._supply, u_pu=u_pu)
            if isinstance(chosen, Reason):
                reason = chosen
            else:
                reason = self._screen.find_circuit_reason(candidate, chosen.parallel)
                reason = reason or self._verify(candidate, chosen)
        if reason is not None:
            self.rejected.append(
                Rejected(connection_point=candidate.point, distance_m=round(candidate.distance_m, 1), reasons=(reason,))
            )

    def _find_certain_reason(self, candidate: Candidate) -> Reason | None:
        """Return a limit that is broken whatever line is built, so that no load flow is spent on the candidate."""
        found = self._study.find_certain_violation(
            bus=candidate.bus,
            line=candidate.line,
            p_kw=self._supply.p_kw,
            q_kvar=self._supply.q_kvar,
            limits=self._limits,
        )
        if found is None:
            return None
        self._note(candidate, found.kind, found.element_id)
        if found.kind == "transformer_loading":  # the whole group hangs on it
            self._overloaded_groups.add(candidate.group)
        bound = "至多" if found.kind == "voltage_low" else "至少"
        text = f"{_limit_text(found.kind, found.element_id)}（{bound}{found.value:.3f}，限值{found.limit:.3f}）"
        return Reason(code=found.kind, text=text)

    def _find_radius_reason(self, candidate: Candidate) -> Reason | None:
        assert candidate.bus is not None, "low-voltage candidates are nodes"
        path_m = self._study.find_path_length_km(candidate.bus) * 1e3
        return self._rules.find_radius_reason(path_m + self._rules.find_course(candidate).length_m)

    def _verify(self, candidate: Candidate, chosen: ChosenLine) -> Reason | None:
        self._load_flows += 1
        self._tries[candidate.group] += 1
        assessment = self._study.assess(trial_of(candidate, chosen, self._supply), limits=self._limits)
        if self._progress is not None:
            self._progress(self._load_flows, self._candidates_max)
        reason = limit_reason(assessment)
        if assessment.limit_kind is not None:
            self._note(candidate, assessment.limit_kind, assessment.limit_element_id)
        item = Feasible(candidate, chosen, assessment)
        if reason is None and self._quality is not None:
            item, reason = study_quality(
                item, self._quality, study=self._study, supply=self._supply, limits=self._limits
            )
        if reason is None:
            self.feasible.append(item)
            self._done_groups.add(candidate.group)
        return reason

    def _note(self, candidate: Candidate, kind: str, element_id: str | None) -> None:
        point = candidate.point
        self.limits_hit.setdefault((point.kind, point.element_source_id), LimitHit(candidate, kind, element_id))


def study_quality(
    item: Feasible, quality: PowerQualityStudy, *, study: ConnectionStudy, supply: WantedSupply, limits: Limits
) -> tuple[Feasible, Reason | None]:
    """Return the point with its checks, by a larger cable where the short circuit asks for one, and a refusal."""
    larger = quality.find_withstanding_type(item.chosen.line_type, item.assessment)
    if larger is not None:
        chosen = replace(item.chosen, line_type=larger)
        assessment = study.assess(trial_of(item.candidate, chosen, supply), limits=limits)
        if (reason := limit_reason(assessment)) is not None:
            return item, reason
        item = Feasible(item.candidate, chosen, assessment)
    point, trial = item.candidate.point, trial_of(item.candidate, item.chosen, supply)
    found = quality.assess(point.kind, point.u_nominal_kv, trial, item.assessment)
    return replace(item, power_quality=found), quality_reason(found)


def trial_of(candidate: Candidate, chosen: ChosenLine, supply: WantedSupply) -> TrialConnection:
    """Return the trial that connects ``supply`` at a candidate by the line chosen."""
    return TrialConnection(
        bus=candidate.bus,
        line=candidate.line,
        fraction_along=candidate.fraction_along,
        route_length_km=chosen.length_m / 1e3,
        line_type=chosen.line_type,
        parallel=chosen.parallel,
        p_kw=supply.p_kw,
        q_kvar=supply.q_kvar,
        is_single_phase=supply.is_single_phase,
    )


def limit_reason(assessment: ConnectionAssessment) -> Reason | None:
    """Return the limit a trial breaks first, ``None`` where it breaks none."""
    kind = assessment.limit_kind
    if assessment.is_within_limits or kind is None:
        return None
    text = _limit_text(kind, assessment.limit_element_id or "")
    if assessment.violations:
        first = assessment.violations[0]
        text += f"（{first.value:.3f}，限值{first.limit:.3f}）"
    return Reason(code=kind, text=text)


def _limit_text(kind: str, element_id: str) -> str:
    return _LIMIT_TEXTS.get(kind, kind).format(element=_ELEMENT_NAMES.get(element_id, element_id))
