"""Studies one feasible connection point: short circuit, voltage steps, screening of disturbing loads, phases.

Costs per point: the short-circuit currents come with the load-flow verification; the step of the whole load is read
from it; a motor costs one load flow before and one for each way of starting up to the first that is gentle enough; a
single-phase customer costs one three-phase batch of the transformer area.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from gridmodel.catalogue.loader import Catalogue
from gridmodel.catalogue.records import LineType
from gridmodel.connection import ConnectionAssessment, ConnectionStudy, TrialConnection
from gridmodel.unbalance import PHASES, PhaseImpact, SinglePhaseLoad, cut_low_voltage_area
from gridmodel.voltage_step import MotorStart, compute_start_steps_pu
from scheme.model import PointKind, Reason
from scheme.model_quality import PermittedHarmonic, PowerQuality, QualityCheck
from scheme.policy.parameter import PolicyView
from scheme.power_quality.disturbance import (
    PointStrength,
    check_flicker,
    check_harmonic_currents,
    check_harmonics,
    check_unbalanced_load,
    list_permitted_harmonics,
)
from scheme.power_quality.needed import NEEDED
from scheme.power_quality.settings import zero_sequence
from scheme.power_quality.short_circuit import cable_withstand_ka, check_breaking_capacity, check_cable_withstand
from scheme.power_quality.unbalance import PhaseFindings, judge_phases
from scheme.power_quality.voltage_step import (
    check_load_step,
    check_motor_step,
    find_motor_limit,
    list_start_options,
    motor_start,
    system_voltage_kv,
)
from scheme.request import SupplyRequest
from scheme.routes import WantedSupply


class PowerQualityStudy:
    """Studies the points of one request."""

    def __init__(
        self,
        request: SupplyRequest,
        *,
        supply: WantedSupply,
        study: ConnectionStudy,
        policy: PolicyView,
        catalogue: Catalogue,
    ) -> None:
        self._request, self._supply, self._study, self._policy = request, supply, study, policy
        self._catalogue = catalogue
        self._options = list_start_options(request, policy)
        self._u_class = supply.voltage_class

    def assess(
        self, kind: PointKind, u_nominal_kv: float, trial: TrialConnection, assessment: ConnectionAssessment
    ) -> PowerQuality:
        """Return every check of a point that is within the operating limits.

        Args:
            kind: Kind of the connection point.
            u_nominal_kv: Its nominal voltage.
            trial: What was connected.
            assessment: What the load flow said.
        """
        u_system_kv = system_voltage_kv(u_nominal_kv, self._policy)
        per_system = u_nominal_kv / u_system_kv
        phases: PhaseFindings | None = None
        if trial.is_single_phase:
            phases, load_step_pu, motor_steps_pu = self._study_phases(trial, u_system_kv)
        else:
            load_step_pu = _load_step_pu(assessment)
            motor_steps_pu = self._motor_steps_pu(trial, u_system_kv)
        checks = self._short_circuit_checks(kind, trial, assessment)
        checks.append(
            check_load_step(
                _scaled(load_step_pu, per_system), capacity_kva=self._supply.capacity_kva, policy=self._policy
            )
        )
        motor_steps = [_scaled(step_pu, per_system) for step_pu in motor_steps_pu]
        checks.append(check_motor_step(self._request, self._options, motor_steps, self._policy))
        screening, permitted = self._screen_loads(u_system_kv, trial, assessment)
        checks += screening
        if phases is not None:
            checks += phases.checks
        done = tuple(check for check in checks if check is not None)
        return PowerQuality(
            checks=done,
            conditions=tuple(check.remedy for check in done if check.verdict == "exceeded" and check.remedy),
            data_needed=tuple(dict.fromkeys(check.note.partition(NEEDED)[2] for check in done if NEEDED in check.note)),
            proposed_phase=None if phases is None else phases.proposed_phase,
            phases=() if phases is None else phases.phases,
            permitted_harmonics=permitted,
        )

    def for_supply(self, supply: WantedSupply) -> PowerQualityStudy:
        """Return the same study for a part of the supply."""
        return PowerQualityStudy(
            self._request, supply=supply, study=self._study, policy=self._policy, catalogue=self._catalogue
        )

    def find_withstanding_type(self, line_type: LineType, assessment: ConnectionAssessment) -> LineType | None:
        """Return the smallest cable of the same series that withstands the short circuit at the point (热稳定).

        Returns:
            ``None`` where the type chosen does, where none does, and for everything but 10 kV cables.
        """
        ik3_ka = assessment.ik3_ka
        if line_type.u_class == "lv" or line_type.laying != "cable" or ik3_ka is None:
            return None
        if ik3_ka <= cable_withstand_ka(line_type, self._policy):
            return None
        series = self._catalogue.find_line_types(laying="cable", u_nominal_kv_class="mv", series=line_type.series)
        larger = (
            other
            for other in series
            if other.rating_a >= line_type.rating_a and ik3_ka <= cable_withstand_ka(other, self._policy)
        )
        return next(larger, None)

    def _short_circuit_checks(
        self, kind: PointKind, trial: TrialConnection, assessment: ConnectionAssessment
    ) -> list[QualityCheck | None]:
        checks: list[QualityCheck | None] = [
            check_breaking_capacity(kind, assessment.ik3_ka, self._policy, u_class=self._u_class)
        ]
        if not trial.is_single_phase:
            own = assessment.ik3_customer_ka
            checks.append(
                check_breaking_capacity(f"customer_{self._u_class}", own, self._policy, u_class=self._u_class)
            )
        checks.append(check_cable_withstand(trial.line_type, assessment.ik3_ka, self._policy))
        return checks

    def _starts(self, u_system_kv: float) -> list[MotorStart]:
        motor_kw = self._request.demand.largest_motor_kw
        if motor_kw is None:
            return []
        return [motor_start(motor_kw, option, u_system_kv=u_system_kv, policy=self._policy) for option in self._options]

    def _motor_steps_pu(self, trial: TrialConnection, u_system_kv: float) -> Sequence[float | None]:
        starts = self._starts(u_system_kv)
        net = self._study.connect(trial) if starts else None
        if net is None:
            return [None] * len(starts)
        limit = find_motor_limit(self._request, self._policy)
        per_system = float(net.net.bus.vn_kv[net.bus]) / u_system_kv
        return compute_start_steps_pu(net, starts, enough_pu=None if limit is None else limit / per_system)

    def _study_phases(
        self, trial: TrialConnection, u_system_kv: float
    ) -> tuple[PhaseFindings, float | None, Sequence[float | None]]:
        """Return findings, and the steps of the whole load and of the motor's starts on the phase judged (pu)."""
        starts = self._starts(u_system_kv)
        net = self._study.connect(trial)
        area = None if net is None else cut_low_voltage_area(net, trial.route, zero_sequence(self._policy))
        if net is None or area is None:
            return judge_phases((), None, self._policy), None, [None] * len(starts)
        loads = [SinglePhaseLoad(phase=phase, p_kw=trial.p_kw, q_kvar=trial.q_kvar) for phase in PHASES]
        impacts = area.compute_impacts(loads)
        findings = judge_phases(impacts, area.load_kw_by_phase, self._policy)
        place = PHASES.index(findings.proposed_phase or PHASES[0])
        motor_steps = []
        if starts:
            u_bus_kv = float(net.net.bus.vn_kv[net.bus])
            before, *after = _starting_loads(loads[place], starts, u_bus_kv)
            motor_steps = [_step_pu(impact) for impact in area.compute_impacts(after, before=before)]
        return findings, _step_pu(impacts[place]), motor_steps

    def _screen_loads(
        self, u_system_kv: float, trial: TrialConnection, assessment: ConnectionAssessment
    ) -> tuple[list[QualityCheck | None], tuple[PermittedHarmonic, ...]]:
        special = self._request.circumstances.special_loads or ()
        if not special:
            return [], ()
        demand, capacity_kva, policy = self._request.demand, self._supply.capacity_kva, self._policy
        net = self._study.connect(trial) if "nonlinear" in special else None
        strength = PointStrength(
            u_class=self._u_class,
            sk_max_mva=_power_mva(assessment.ik3_ka, u_system_kv),
            sk_min_mva=_power_mva(assessment.ik3_min_ka, u_system_kv),
            transformer_kva=None if net is None else net.transformer_kva,
        )
        checks: list[QualityCheck | None] = []
        permitted: tuple[PermittedHarmonic, ...] = ()
        if "nonlinear" in special:
            permitted = list_permitted_harmonics(capacity_kva, strength, policy)
            checks.append(check_harmonics(demand, capacity_kva, strength, policy))
            checks.append(check_harmonic_currents(demand, permitted, strength, policy))
        if "impact" in special:
            checks.append(check_flicker(demand, capacity_kva, strength, policy))
        if "unbalanced" in special and not trial.is_single_phase:
            checks.append(check_unbalanced_load(demand, capacity_kva, strength, policy))
        return checks, permitted


def quality_reason(quality: PowerQuality) -> Reason | None:
    """Return why a point is refused: a limit that is exceeded and nothing makes kept."""
    for check in quality.checks:
        if check.verdict == "exceeded" and not check.remedy:
            text = f"{check.text}{check.value:g}{_unit(check)}超过限值{check.limit:g}{_unit(check)}"
            return Reason(code=f"{check.code}_exceeded", text=text)
    return None


def _unit(check: QualityCheck) -> str:
    return "" if check.unit == "ratio" else check.unit


def _load_step_pu(assessment: ConnectionAssessment) -> float | None:
    point_id = assessment.element_ids[0]
    for row in assessment.voltage_profile:
        if row["element_id"] == point_id and row["u_pu_before"] is not None:
            return float(row["u_pu_before"] - row["u_pu_after"])
    return None


def _starting_loads(load: SinglePhaseLoad, starts: Sequence[MotorStart], u_bus_kv: float) -> list[SinglePhaseLoad]:
    """Return the customer's other load alone, then with each start (power at the bus's own nominal voltage)."""
    rest = {
        "p_kw": max(load.p_kw - starts[0].running_kw, 0.0),
        "q_kvar": max(load.q_kvar - starts[0].running_kvar, 0.0),
    }
    return [SinglePhaseLoad(phase=load.phase, **rest)] + [
        SinglePhaseLoad(
            phase=load.phase,
            start_kva=start.start_kva * (u_bus_kv / start.rated_kv) ** 2,
            power_factor=start.power_factor,
            **rest,
        )
        for start in starts
    ]


def _step_pu(impact: PhaseImpact | None) -> float | None:
    return None if impact is None else impact.step_pu


def _scaled(step_pu: float | None, per_system: float) -> float | None:
    return None if step_pu is None else step_pu * per_system


def _power_mva(ik3_ka: float | None, u_system_kv: float) -> float | None:
    return None if ik3_ka is None else math.sqrt(3.0) * u_system_kv * ik3_ka
