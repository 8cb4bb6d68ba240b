"""Answers one request: voltage, connection points, documents' contents, dates (供电方案自动出具).

The answer is a pure function of request, snapshot, policy, catalogue, date of decision and version; its id is a
digest of these, so the same question asked twice is the same scheme.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from functools import cache
from importlib.metadata import version as installed_version
from typing import Any

import pandas as pd

from gridmodel.catalogue.loader import Catalogue
from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot
from scheme.candidates import find_variants
from scheme.delivery import deliver
from scheme.dual_source import SourceSets, explain_no_set, find_source_sets
from scheme.kept_grid import kept_places, kept_study
from scheme.limits import operating_limits
from scheme.model import InvestmentBoundary, Provenance, Reason, Rejected, RejectedSet, Reply, Scheme, Variant
from scheme.policy.parameter import PolicyView
from scheme.power_quality.settings import fault_settings
from scheme.power_quality.study import PowerQualityStudy
from scheme.reliability import with_outage_security
from scheme.request import SupplyRequest
from scheme.rules.documents_required import list_required_documents
from scheme.rules.emergency import plan_emergency_source
from scheme.rules.fees import compute_fees
from scheme.rules.forms import attach_forms, check_consultation
from scheme.rules.inspection import list_inspection_scope
from scheme.rules.investment import decide_investment, utility_segments
from scheme.rules.metering import plan_metering
from scheme.rules.notices import list_notices
from scheme.rules.protection import plan_protection
from scheme.rules.reactive import plan_compensation
from scheme.rules.receiving import plan_receiving
from scheme.rules.reply import decide_reply
from scheme.rules.steps import list_steps
from scheme.rules.supply_structure import resize_single
from scheme.rules.tariff import decide_tariff
from scheme.rules.to_be_filled import list_to_be_filled
from scheme.rules.validity import compute_validity
from scheme.rules.voltage_level import SupplyDecision, decide_supply
from scheme.stock import StockTable
from scheme.supply_record import describe_supply
from scheme.transition.plan import TransitionPlan, plan_transition
from scheme.transition.rules import list_tasks
from scheme.variants import VariantDraft
from scheme.wanted import locate_request, wanted_supply

Progress = Callable[[int, int], None]


def generate_scheme(
    request: SupplyRequest,
    *,
    snapshot: Snapshot,
    policy: PolicyView,
    catalogue: Catalogue,
    capacity: pd.DataFrame | None,
    as_of: date,
    version: str,
    progress: Progress | None = None,
    stock: StockTable | None = None,
    ledger_seq: int | None = None,
    ledger_sha256: str | None = None,
) -> Scheme:
    """Return the scheme that answers ``request``; a grid that cannot carry it gives ``joint_work`` with reasons.

    Args:
        request: What is asked.
        snapshot: The grid; not changed.
        policy: Rules on ``as_of``; what this answer reads is recorded in a fresh view of it.
        catalogue: Equipment and unit costs.
        capacity: ``node_capacity`` table of the snapshot, or ``None`` to search without it; its attribute
            ``parameters_sha256`` says what it was computed with.
        as_of: Date of decision; the scheme is valid from it.
        version: Version of the product.
        progress: Called with (load flows done, bound).
        stock: Materials the utility has or ordered (物资库存); ``None`` where nobody said.
        ledger_seq: Last entry of the capacity ledger (容量台账) whose live holds are in flight in ``snapshot``.
        ledger_sha256: Digest of the ledger up to it.

    Raises:
        InputError: Dates contradict each other, or the location is outside the service area or swapped.
        PolicyNotInForceError: A number is missing that the utility must supply.
    """
    _check_dates(request, as_of)
    policy = policy.fresh()
    place_deg = locate_request(request, snapshot, policy)
    series = policy.text("receiving.transformer_series")
    sizes_kva = [kind.sn_kva for kind in catalogue.find_transformer_types(series=series)]
    decision = decide_supply(request, policy, transformer_sizes_kva=sizes_kva)
    answer = _Answer(
        request,
        snapshot,
        policy,
        catalogue,
        as_of=as_of,
        version=version,
        place_deg=place_deg,
        stock=stock,
        capacity_parameters_sha256=None if capacity is None else capacity.attrs.get("parameters_sha256"),
        ledger=(ledger_seq, ledger_sha256),
    )
    if decision.voltage is None:
        return answer.refuse(decision.reasons, (), higher_voltage=decision.higher_voltage, tasks=decision.tasks)
    is_low_voltage = decision.voltage != "10kV"
    check_consultation(request, is_low_voltage=is_low_voltage)
    investment = decide_investment(request, policy, is_low_voltage=is_low_voltage)
    found = _find_connections(
        place_deg, request, decision, snapshot=snapshot, capacity=capacity, policy=policy, catalogue=catalogue,
        progress=progress,
    )  # fmt: skip
    if not found.variants:
        plan = _find_transition(
            place_deg, request, decision, found.rejected, snapshot=snapshot, policy=policy, catalogue=catalogue,
            progress=progress,
        )  # fmt: skip
        if plan is not None and plan.is_promised:
            return answer.complete(decision, investment, (plan.draft,), found.rejected, plan=plan)
        return answer.refuse(
            (*_explain_nothing(decision, found), *(() if plan is None else plan.reasons)),
            found.rejected,
            rejected_sets=found.rejected_sets,
            transition=None if plan is None else plan.transition,
            tasks=list_tasks(policy, ("joint_work",), facts={}) if plan is None else plan.tasks,
        )
    assert decision.capacity_kva is not None
    drafts = with_outage_security(found.variants, capacity_kva=decision.capacity_kva, snapshot=snapshot, policy=policy)
    return answer.complete(decision, investment, drafts, found.rejected, rejected_sets=found.rejected_sets)


@cache
def engine_name() -> str:
    """Return name and version of the load flow that verifies."""
    return f"pandapower {installed_version('pandapower')}"


class _Answer:
    """What every answer to one request shares."""

    def __init__(
        self,
        request: SupplyRequest,
        snapshot: Snapshot,
        policy: PolicyView,
        catalogue: Catalogue,
        *,
        as_of: date,
        version: str,
        place_deg: tuple[float, float],
        stock: StockTable | None,
        capacity_parameters_sha256: str | None,
        ledger: tuple[int | None, str | None],
    ) -> None:
        self._request, self._snapshot, self._policy = request, snapshot, policy
        self._catalogue, self._stock = catalogue, stock
        self._as_of = as_of
        self._plain_request = request.model_dump(mode="json", exclude_none=True)
        self._plain_request["location_cgcs2000"] = {"lon_deg": place_deg[0], "lat_deg": place_deg[1]}
        self._provenance = Provenance(
            snapshot_sha256=snapshot.sha256,
            policy_sha256=policy.sha256,
            catalogue_sha256=catalogue.sha256,
            engine=engine_name(),
            version=version,
            as_of=as_of.isoformat(),
            profile=policy.profile,
            capacity_parameters_sha256=capacity_parameters_sha256,
            stock_sha256=None if stock is None else stock.sha256,
            ledger_seq=ledger[0],
            ledger_sha256=ledger[1],
        )

    def refuse(self, reasons: tuple[Reason, ...], rejected: tuple[Rejected, ...], **more: Any) -> Scheme:
        """Return a scheme for joint work (专业联动): reasons and what was tried, nothing else.

        Args:
            reasons: Why there is no answer.
            rejected: Points looked at.
            more: Further fields of the scheme that joint work starts from.
        """
        scheme = Scheme(
            scheme_id=self._scheme_id(),
            request_id=self._request.request_id,
            request=self._plain_request,
            verdict="joint_work",
            reasons=reasons,
            supply=None,
            variants=(),
            rejected=rejected,
            reply=self._reply(None, None),
            receiving=None,
            metering=(),
            tariff=None,
            protection=None,
            reactive_compensation=None,
            emergency_source=None,
            investment_boundary=None,
            fees=(),
            steps=(),
            timeline=None,
            validity=None,
            inspection_scope=(),
            required_documents=(),
            notices=self._policy.texts("notices.joint_work"),
            to_be_filled=self._policy.texts("form.utility_fields"),
            policy_reads=self._policy.reads,
            provenance=self._provenance,
            documents=(),
            **more,
        )
        return attach_forms(scheme, self._request, self._policy)

    def complete(
        self,
        decision: SupplyDecision,
        investment: InvestmentBoundary,
        drafts: tuple[VariantDraft, ...],
        rejected: tuple[Rejected, ...],
        *,
        rejected_sets: tuple[RejectedSet, ...] = (),
        plan: TransitionPlan | None = None,
    ) -> Scheme:
        """Return the answered scheme; everything below the variants describes the first one.

        Args:
            decision: Voltage, capacity and structure.
            investment: Who builds what.
            drafts: Connections, best first; for a transition (过渡方案) that of its last stage.
            rejected: Points looked at.
            rejected_sets: Combinations of points looked at.
            plan: The transition; what the customer builds is laid out for the whole demand from the start.
        """
        request, policy = self._request, self._policy
        is_low_voltage = decision.voltage != "10kV"
        variants = tuple(self._deliver(draft, decision) for draft in drafts)
        best = variants[0]
        promised, grid = (decision, self._snapshot) if plan is None else (_promised(decision, plan), plan.grid)
        supply = describe_supply(promised, best, grid, policy)
        tariff = decide_tariff(request, decision, policy)
        emergency = plan_emergency_source(request, policy)
        capacities_kva = [source.capacity_kva for source in supply.sources]
        fees = compute_fees(policy, source_capacities_kva=capacities_kva, is_low_voltage=is_low_voltage)
        scheme = Scheme(
            scheme_id=self._scheme_id(),
            request_id=request.request_id,
            request=self._plain_request,
            verdict="answered" if plan is None else "transition",
            reasons=(
                *(() if decision.structure is None else decision.structure.notes),
                *(() if plan is None else plan.reasons),
            ),
            supply=supply,
            variants=variants,
            rejected=rejected,
            receiving=plan_receiving(decision, policy),
            metering=plan_metering(decision, policy),
            tariff=tariff,
            protection=plan_protection(
                decision, policy, point_kind=best.connection_point.kind, laying=best.route.laying
            ),
            reactive_compensation=plan_compensation(request, decision, policy),
            emergency_source=emergency,
            investment_boundary=investment,
            fees=fees,
            steps=list_steps(request, policy, is_low_voltage=is_low_voltage),
            reply=self._reply(best, decision, has_grid_works=plan is not None),
            timeline=best.timeline,
            validity=compute_validity(self._as_of, policy, is_low_voltage=is_low_voltage),
            inspection_scope=list_inspection_scope(request, policy, is_low_voltage=is_low_voltage),
            required_documents=list_required_documents(request, policy, is_low_voltage=is_low_voltage),
            notices=list_notices(request, policy, is_low_voltage=is_low_voltage),
            to_be_filled=list_to_be_filled(request, policy, tariff=tariff, emergency=emergency, fees=fees),
            policy_reads=policy.reads,
            provenance=self._provenance,
            documents=(),
            rejected_sets=rejected_sets,
            transition=None if plan is None else plan.transition,
            tasks=() if plan is None else plan.tasks,
        )
        return attach_forms(scheme, request, policy)

    def _deliver(self, draft: VariantDraft, decision: SupplyDecision) -> Variant:
        """Return the variant with the customer's station, materials at hand and dates."""
        is_low_voltage = decision.voltage != "10kV"
        return deliver(
            draft,
            self._request,
            decision,
            policy=self._policy,
            catalogue=self._catalogue,
            utility_segments=utility_segments(self._request, self._policy, is_low_voltage=is_low_voltage),
            stock=self._stock,
        )

    def _reply(self, best: Variant | None, decision: SupplyDecision | None, *, has_grid_works: bool = False) -> Reply:
        """Return how the scheme is answered; without a variant by joint work."""
        builds_route = best is not None and any(w.code == "route_line" and w.side == "utility" for w in best.works)
        return decide_reply(
            self._policy,
            is_low_voltage=decision is not None and decision.voltage != "10kV",
            source_count=1 if best is None else 1 + len(best.further_sources),
            point_kind=None if best is None else best.connection_point.kind,
            capacity_kva=(decision.capacity_kva if decision is not None else None) or 0.0,
            has_works_beyond_tee=has_grid_works or builds_route,
        )

    def _scheme_id(self) -> str:
        """Return the digest of everything the answer depends on, as an id."""
        inputs = [self._plain_request, asdict(self._provenance)]
        text = json.dumps(inputs, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return "sch_" + hashlib.sha256(text.encode()).hexdigest()[:24]


def _check_dates(request: SupplyRequest, as_of: date) -> None:
    if request.received_on > as_of:
        raise InputError(
            "the request was received after the date of decision",
            field="received_on",
            value=request.received_on,
            allowed=f"a date not after {as_of}",
        )
    if request.needed_on is not None and request.needed_on < request.received_on:
        raise InputError(
            "supply is needed before the request was received",
            field="needed_on",
            value=request.needed_on,
            allowed=f"a date not before {request.received_on}",
        )


def _find_connections(
    place_deg: tuple[float, float],
    request: SupplyRequest,
    decision: SupplyDecision,
    *,
    snapshot: Snapshot,
    capacity: pd.DataFrame | None,
    policy: PolicyView,
    catalogue: Catalogue,
    progress: Progress | None,
) -> SourceSets:
    """Return the points, or the combinations of points, that carry the customer."""
    assert decision.structure is not None
    supply = wanted_supply(decision)
    ratio = policy.number("capacity.in_flight_coincidence_ratio")
    study = kept_study(snapshot, ratio, **fault_settings(policy))
    given: dict[str, Any] = {
        "supply": supply,
        "snapshot": snapshot,
        "capacity": capacity,
        "policy": policy,
        "catalogue": catalogue,
        "limits": operating_limits(policy),
        "utility_segments": utility_segments(request, policy, is_low_voltage=decision.voltage != "10kV"),
        "study": study,
        "places": kept_places(snapshot),
        "quality": PowerQualityStudy(request, supply=supply, study=study, policy=policy, catalogue=catalogue),
        "progress": progress,
    }
    if decision.structure.source_count > 1:
        return find_source_sets(place_deg, structure=decision.structure, **given)
    variants, rejected = find_variants(place_deg, **given)
    return SourceSets(variants=variants, rejected=rejected, rejected_sets=(), points_found=len(variants))


def _find_transition(
    place_deg: tuple[float, float],
    request: SupplyRequest,
    decision: SupplyDecision,
    rejected: tuple[Rejected, ...],
    *,
    snapshot: Snapshot,
    policy: PolicyView,
    catalogue: Catalogue,
    progress: Progress | None,
) -> TransitionPlan | None:
    """Return what carries a customer of one source in stages; several sources are left to joint work."""
    assert decision.structure is not None
    if decision.structure.source_count > 1:
        return None
    ratio = policy.number("capacity.in_flight_coincidence_ratio")
    return plan_transition(
        request,
        place_deg,
        supply=wanted_supply(decision),
        snapshot=snapshot,
        policy=policy,
        catalogue=catalogue,
        limits=operating_limits(policy),
        utility_segments=utility_segments(request, policy, is_low_voltage=decision.voltage != "10kV"),
        study=kept_study(snapshot, ratio, **fault_settings(policy)),
        places=kept_places(snapshot),
        rejected=rejected,
        progress=progress,
    )


def _promised(decision: SupplyDecision, plan: TransitionPlan) -> SupplyDecision:
    """Return the decision with the capacity that is verified, which may be less than what was asked."""
    assert decision.calculated_load_kw is not None
    assert decision.power_factor is not None
    if plan.transition.is_complete:
        return decision
    load_kw = min(decision.calculated_load_kw, plan.capacity_kva * decision.power_factor)
    structure = None if decision.structure is None else resize_single(decision.structure, plan.capacity_kva)
    return replace(decision, capacity_kva=plan.capacity_kva, calculated_load_kw=load_kw, structure=structure)


def _explain_nothing(decision: SupplyDecision, found: SourceSets) -> tuple[Reason, ...]:
    assert decision.structure is not None
    if decision.structure.source_count > 1:
        return (*decision.structure.notes, explain_no_set(decision.structure, found))
    return (_nothing_feasible(decision, found.rejected),)


def _nothing_feasible(decision: SupplyDecision, rejected: tuple[Rejected, ...]) -> Reason:
    assert decision.capacity_kva is not None
    if not rejected:
        return Reason(code="no_connection_point", text="搜索范围内没有可用的公共电网接入点，转专业联动编制供电方案")
    text = (
        f"搜索范围内{len(rejected)}个候选接入点均不能接入申请容量{round(decision.capacity_kva, 1):g}kVA"
        "（原因见落选接入点），转专业联动编制供电方案"
    )
    return Reason(code="no_feasible_connection_point", text=text)
