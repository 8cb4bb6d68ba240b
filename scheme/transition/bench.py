"""One way to carry a customer: a connection point in a grid with measures, tried by load flow and verified.

Trying a way is what the plain search does at a candidate; verifying compares the final state with the imported grid, so
that nothing else breaks where load was moved. All load flows are counted against the bounds of the policy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from gridmodel.capacity.limits import Limits
from gridmodel.capacity.violations import Violation
from gridmodel.catalogue.loader import Catalogue
from gridmodel.connection import ConnectionStudy, TrialConnection
from gridmodel.reinforced_state import ReinforcedState
from gridmodel.snapshot import Snapshot
from scheme.candidates import limit_reason, study_quality, trial_of
from scheme.model import Measure, Reason
from scheme.points import Candidate
from scheme.policy.parameter import PolicyView
from scheme.power_quality.study import PowerQualityStudy
from scheme.request import SupplyRequest
from scheme.routes import ChosenLine, RouteRules, WantedSupply
from scheme.schedule import WorksMode
from scheme.transition.rules import TransitionRules
from scheme.variants import Feasible


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMeasure:
    """A measure with what it is priced and timed by."""

    kind: str
    """Kind of measure a combination counts."""
    measure: Measure
    price_code: str | None
    needs_price: bool = True
    works_mode: WorksMode | None = None
    """Kind of works whose duration the policy may give."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Way:
    """A connection point in a grid with measures."""

    family: str
    candidate: Candidate
    grid: Snapshot
    study: ConnectionStudy
    measures: tuple[PlannedMeasure, ...] = ()
    touched: frozenset[int] = frozenset()
    """Buses of the imported grid at which something is changed."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of measures, each once, in the order applied."""
        return tuple(dict.fromkeys(planned.kind for planned in self.measures))

    @property
    def code(self) -> str:
        """Kinds joined, or the family where nothing is changed."""
        return "+".join(self.kinds) or self.family

    def changed(self, grid: Snapshot, measures: tuple[PlannedMeasure, ...], touched: frozenset[int]) -> Way:
        """Return the way with further measures, which ``grid`` already holds."""
        return replace(
            self,
            grid=grid,
            study=self.study.with_grid(grid),
            measures=(*self.measures, *measures),
            touched=self.touched | touched,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a load flow says of a way; ``reason`` is ``None`` when it holds."""

    chosen: ChosenLine | None
    feasible: Feasible | None
    """The point with what was found there; ``None`` where no load flow of the point was judged."""
    reason: Reason | None

    violations: tuple[Violation, ...] = ()
    """Limits broken, worst first; empty where there is no load flow or none is broken."""


class Bench:
    """Tries and verifies ways for one customer."""

    def __init__(
        self,
        request: SupplyRequest,
        place_deg: tuple[float, float],
        *,
        supply: WantedSupply,
        snapshot: Snapshot,
        study: ConnectionStudy,
        limits: Limits,
        rules: TransitionRules,
        routes: RouteRules,
        policy: PolicyView,
        catalogue: Catalogue,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.place_deg, self.supply, self.snapshot, self.study = place_deg, supply, snapshot, study
        self.limits, self.rules, self.routes, self.policy, self.catalogue = limits, rules, routes, policy, catalogue
        self._request, self._progress = request, progress
        self._state = ReinforcedState(snapshot, in_flight_coincidence_ratio=study.in_flight_coincidence_ratio)
        self.texts = policy.get("transition.texts").value
        self.load_flows = 0
        self._family_start = 0

    @property
    def is_low_voltage(self) -> bool:
        """Whether the customer is connected below 1 kV."""
        return self.supply.voltage_class == "lv"

    def start_family(self) -> None:
        """Count the load flows of a family from here on."""
        self._family_start = self.load_flows

    @property
    def may_go_on(self) -> bool:
        """Whether both bounds on load flows leave room."""
        return (
            self.load_flows < self.rules.load_flows_max
            and self.load_flows - self._family_start < self.rules.family_load_flows_max
        )

    def way(self, family: str, candidate: Candidate) -> Way:
        """Return a point of the imported grid as it is."""
        return Way(family=family, candidate=candidate, grid=self.snapshot, study=self.study)

    def is_hopeless(self, way: Way) -> bool:
        """Return whether a limit breaks for certain at a point of the imported grid, without a load flow."""
        candidate = way.candidate
        found = way.study.find_certain_violation(
            bus=candidate.bus,
            line=candidate.line,
            p_kw=self.supply.p_kw,
            q_kvar=self.supply.q_kvar,
            limits=self.limits,
        )
        return found is not None

    def attempt(self, way: Way, *, capacity_kva: float | None = None) -> Outcome:
        """Connect the customer (all of the demand, or ``capacity_kva`` of it) and solve.

        In a changed grid the final state is compared with the imported one first, so that what breaks elsewhere counts.
        """
        supply = self.supply if capacity_kva is None else self.part(capacity_kva)
        radius = self._radius_reason(way)
        if radius is not None:
            return Outcome(chosen=None, feasible=None, reason=radius)
        chosen = self._choose_line(way, supply)
        if isinstance(chosen, Reason):
            return Outcome(chosen=None, feasible=None, reason=chosen)
        trial = trial_of(way.candidate, chosen, supply)
        if way.grid is not self.snapshot:
            refused = self._compare(way, trial, chosen)
            if refused is not None:
                return refused
        self._count(1)
        assessment = way.study.assess(trial, limits=self.limits)
        reason, item = limit_reason(assessment), Feasible(way.candidate, chosen, assessment)
        if reason is None:
            quality = PowerQualityStudy(
                self._request, supply=supply, study=way.study, policy=self.policy, catalogue=self.catalogue
            )
            item, reason = study_quality(item, quality, study=way.study, supply=supply, limits=self.limits)
        return Outcome(chosen=item.chosen, feasible=item, reason=reason, violations=item.assessment.violations)

    def _compare(self, way: Way, trial: TrialConnection, chosen: ChosenLine) -> Outcome | None:
        """Return what breaks in the final state compared with the imported grid, ``None`` when nothing."""
        self._count(1)
        touched = way.touched | self._imported_ends(way.candidate)
        found = self._state.find_violations(
            way.grid, trial, touched=touched, limits=self.limits, islands=way.study.islands
        )
        if found is None:
            reason = Reason(code="convergence", text=str(self.texts["loses_supply"]))
            return Outcome(chosen=chosen, feasible=None, reason=reason)
        if not found:
            return None
        first = found[0]
        text = str(self.texts["on_path" if first.is_on_path else "elsewhere"]).format(
            element=self.element_id(way.grid, first.table, first.element),
            value=f"{first.value:.3f}",
            limit=f"{first.limit:.3f}",
        )
        return Outcome(chosen=chosen, feasible=None, reason=Reason(code=first.kind, text=text), violations=found)

    def part(self, capacity_kva: float) -> WantedSupply:
        """Return the supply of a part of the demand, at the same power factor."""
        share = capacity_kva / self.supply.capacity_kva
        return replace(
            self.supply,
            capacity_kva=capacity_kva,
            p_kw=self.supply.p_kw * share,
            q_kvar=self.supply.q_kvar * share,
        )

    def element_id(self, grid: Snapshot, table: str, element: int) -> str:
        """Return the imported identifier of an element, its table and number where the import has none."""
        frames = {"bus": grid.nodes, "line": grid.lines, "trafo": grid.transformers}
        frame = frames.get(table)
        return str(frame.element_id[element]) if frame is not None and element in frame.index else f"{table}:{element}"

    def _choose_line(self, way: Way, supply: WantedSupply) -> ChosenLine | Reason:
        """Return the line for the whole demand, which is built once; for the part where no line carries it all.

        The voltage before the measures is good enough, and saves a load flow, unless it leaves no line to build.
        """
        candidate, u_pu = way.candidate, math.nan
        chosen: ChosenLine | Reason | None = None
        for study in dict.fromkeys((self.study, way.study)):
            if candidate.bus is None or candidate.bus in study.snapshot.net.bus.index:
                u_pu = study.find_voltage_pu(bus=candidate.bus, line=candidate.line)
                chosen = self.routes.choose(candidate, self.supply, u_pu=u_pu)
                if not isinstance(chosen, Reason):
                    return chosen
        assert chosen is not None
        if isinstance(chosen, Reason) and supply is not self.supply:
            return self.routes.choose(candidate, supply, u_pu=u_pu)
        return chosen

    def _radius_reason(self, way: Way) -> Reason | None:
        if not self.is_low_voltage or way.candidate.bus is None:
            return None
        is_imported = way.candidate.bus in self.snapshot.net.bus.index
        study = self.study if is_imported else way.study  # no measure changes the length of a low-voltage path
        path_m = study.find_path_length_km(way.candidate.bus) * 1e3
        return self.routes.find_radius_reason(path_m + self.routes.find_course(way.candidate).length_m)

    def _imported_ends(self, candidate: Candidate) -> frozenset[int]:
        """Return the buses of the imported grid at the connection point."""
        return frozenset(bus for bus in candidate.capacity_buses if bus in self.snapshot.net.bus.index)

    def _count(self, load_flows: int) -> None:
        self.load_flows += load_flows
        if self._progress is not None:
            self._progress(min(self.load_flows, self.rules.load_flows_max), self.rules.load_flows_max)
