"""Makes the customer's scheme out of the internal record: every field is named here or it is not shown."""

from __future__ import annotations

from scheme.disclosure.customer_scheme import (
    CustomerFee,
    CustomerInvestment,
    CustomerMetering,
    CustomerMilestone,
    CustomerProtection,
    CustomerReasonText,
    CustomerReceiving,
    CustomerScheme,
    CustomerSource,
    CustomerStage,
    CustomerSupply,
    CustomerTariff,
    CustomerTimeline,
    CustomerWork,
    OwnSite,
)
from scheme.disclosure.customer_variants import compared, list_parts, list_qualities
from scheme.disclosure.rules import CustomerRules, read_customer_rules
from scheme.model import Scheme, Source, Variant
from scheme.policy.parameter import PolicyView

REQUEST_FIELDS = (
    "request_id",
    "applicant",
    "business",
    "location",
    "demand",
    "voltage",
    "sources",
    "received_on",
    "needed_on",
    "circumstances",
    "purpose",
)
"""What the customer sent; the converted location is not theirs."""
_ROUTE_WORK = "route_line"
_M_PER_KM = 1_000.0


def customer_view(scheme: Scheme, policy: PolicyView) -> CustomerScheme:
    """Return what the customer may read of a scheme.

    Args:
        scheme: The internal record.
        policy: Reads ``disclosure.customer_*``.
    """
    rules = read_customer_rules(policy)
    best = scheme.variants[0] if scheme.variants else None
    is_binding = scheme.consultation is None
    validity = scheme.validity if is_binding else None
    return CustomerScheme(
        scheme_id=scheme.scheme_id,
        request_id=scheme.request_id,
        audience="customer",
        request={name: scheme.request[name] for name in REQUEST_FIELDS if name in scheme.request},
        replied_on=scheme.provenance.as_of,
        verdict=scheme.verdict,
        verdict_text=rules.texts[f"verdict_{scheme.verdict}"] if is_binding else rules.texts["consultation"],
        is_binding=is_binding,
        reasons=_reasons(scheme, rules),
        own_site=_own_site(scheme, rules),
        supply=_supply(scheme, best, rules),
        stages=_stages(scheme, rules),
        conditions=tuple(dict.fromkeys(text for quality in list_qualities(best) for text in quality.conditions)),
        data_needed=tuple(dict.fromkeys(text for quality in list_qualities(best) for text in quality.data_needed)),
        works=_works(best, rules),
        customer_cost_cny10k=None if best is None else rules.round_cost_cny10k(best.cost.customer_typical_cny10k),
        rounding_note=rules.texts["rounded"],
        receiving=_receiving(scheme),
        metering=_metering(scheme),
        tariff=_tariff(scheme),
        protection=_protection(scheme),
        investment_boundary=_investment(scheme),
        fees=_fees(scheme),
        steps=tuple(step.name for step in scheme.steps),
        timeline=_timeline(scheme),
        valid_from_on=None if validity is None else validity.from_on,
        valid_to_on=None if validity is None else validity.to_on,
        required_documents=scheme.required_documents,
        notices=scheme.notices,
        variants=tuple(compared(variant, rules) for variant in scheme.variants[: rules.variants_max]),
    )


def _reasons(scheme: Scheme, rules: CustomerRules) -> tuple[CustomerReasonText, ...]:
    """Return the fixed reasons, each once, in the order of the record's."""
    told = dict.fromkeys(rules.explain(reason.code) for reason in scheme.reasons)
    return tuple(CustomerReasonText(code=reason.reason, text=reason.text) for reason in told)


def _own_site(scheme: Scheme, rules: CustomerRules) -> OwnSite:
    if scheme.verdict == "answered" and scheme.supply is not None:
        return OwnSite(answer="feasible", capacity_kva=scheme.supply.capacity_kva, text=rules.texts["site_feasible"])
    if scheme.verdict == "joint_work" or scheme.transition is None:
        return OwnSite(answer="needs_review", capacity_kva=None, text=rules.texts["site_needs_review"])
    now_kva = rules.floor_capacity_kva(scheme.transition.stages[0].capacity_kva) if scheme.transition.stages else None
    if now_kva is None:
        return OwnSite(answer="needs_works", capacity_kva=None, text=rules.texts["site_needs_works"])
    text = rules.texts["site_up_to"].format(capacity=f"{now_kva:g}")
    return OwnSite(answer="feasible_up_to", capacity_kva=now_kva, text=text)


def _supply(scheme: Scheme, best: Variant | None, rules: CustomerRules) -> CustomerSupply | None:
    supply = scheme.supply
    if supply is None:
        return None
    return CustomerSupply(
        voltage=supply.voltage,
        phases=supply.phases,
        capacity_kva=supply.capacity_kva,
        calculated_load_kw=supply.calculated_load_kw,
        power_factor=supply.power_factor,
        source_count=len(supply.sources),
        sources=tuple(_source(source, rules) for source in supply.sources) if best is not None else (),
        operation_mode=supply.operation_mode,
        interlock=supply.interlock,
    )


def _source(source: Source, rules: CustomerRules) -> CustomerSource:
    return CustomerSource(
        source_no=source.source_no,
        role=source.role,
        kind=source.kind,
        supply_voltage=source.supply_voltage,
        capacity_kva=source.capacity_kva,
        connection_mode=source.connection_mode,
        point=rules.texts["point"],
        substation=source.substation if rules.sees_names else None,
        feeder=source.feeder if rules.sees_names else None,
        laying=source.laying,
        line_label=source.line_label,
        route_length_m=rules.round_route_m(source.length_m),
        entry_mode=source.entry_mode,
        ownership_boundary=source.ownership_boundary,
    )


def _stages(scheme: Scheme, rules: CustomerRules) -> tuple[CustomerStage, ...]:
    """Return the stages; only the demand itself, reached at last, is told as it is."""
    transition = scheme.transition
    if transition is None:
        return ()

    def told(capacity_kva: float) -> float | None:
        return capacity_kva if capacity_kva == transition.demand_kva else rules.floor_capacity_kva(capacity_kva)

    return tuple(
        CustomerStage(
            stage_no=stage.stage_no,
            capacity_kva=told(stage.capacity_kva),
            duration_workdays=stage.duration_workdays,
        )
        for stage in transition.stages
    )


def _works(best: Variant | None, rules: CustomerRules) -> tuple[CustomerWork, ...]:
    """Return the works on the customer's side; a length is rounded up like that of the route."""
    return tuple(
        CustomerWork(
            text=work.text,
            quantity=rules.round_route_m(work.quantity * _M_PER_KM) / _M_PER_KM if work.unit == "km" else work.quantity,
            unit=work.unit,
        )
        for part in list_parts(best)
        for work in part.works
        if work.side == "customer"
    )


def _receiving(scheme: Scheme) -> CustomerReceiving | None:
    found = scheme.receiving
    if found is None:
        return None
    return CustomerReceiving(
        point_kind=found.point_kind,
        transformers=tuple(f"{item.model} × {item.count}" for item in found.transformers),
        main_connection=found.main_connection,
        operation_mode=found.operation_mode,
    )


def _metering(scheme: Scheme) -> tuple[CustomerMetering, ...]:
    return tuple(
        CustomerMetering(
            point_no=point.point_no,
            purpose=point.purpose,
            mode=point.mode,
            position=point.position,
            voltage=point.voltage,
            wiring=point.wiring,
            meter=point.meter,
            meter_class=point.meter_class,
            ct_ratio=point.ct_ratio,
            ct_class=point.ct_class,
            pt_ratio=point.pt_ratio,
            pt_class=point.pt_class,
            terminal=point.terminal,
            loss_apportion=point.loss_apportion,
        )
        for point in scheme.metering
    )


def _tariff(scheme: Scheme) -> CustomerTariff | None:
    found = scheme.tariff
    if found is None:
        return None
    return CustomerTariff(
        price_class=found.price_class,
        is_time_of_use=found.is_time_of_use,
        capacity_charge=found.capacity_charge,
        power_factor_standard=found.power_factor_standard,
    )


def _protection(scheme: Scheme) -> CustomerProtection:
    protection, compensation = scheme.protection, scheme.reactive_compensation
    emergency = scheme.emergency_source
    return CustomerProtection(
        incoming=None if protection is None else protection.incoming,
        boundary_switch=None if protection is None else protection.boundary_switch,
        notes=() if protection is None else protection.notes,
        compensation=None if compensation is None else compensation.text,
        compensation_kvar_min=None if compensation is None else compensation.kvar_min,
        emergency=None if emergency is None else emergency.text,
        emergency_kw_min=None if emergency is None else emergency.capacity_kw_min,
    )


def _investment(scheme: Scheme) -> CustomerInvestment | None:
    found = scheme.investment_boundary
    if found is None:
        return None
    return CustomerInvestment(
        boundary=found.boundary,
        utility_scope=found.utility_scope,
        customer_scope=found.customer_scope,
        offers=found.offers,
    )


def _fees(scheme: Scheme) -> tuple[CustomerFee, ...]:
    return tuple(
        CustomerFee(
            name=fee.name,
            unit_price_cny=fee.unit_price_cny,
            quantity=fee.quantity,
            amount_cny=fee.amount_cny,
            basis=fee.basis,
        )
        for fee in scheme.fees
    )


def _timeline(scheme: Scheme) -> CustomerTimeline | None:
    found = scheme.timeline
    if found is None:
        return None
    return CustomerTimeline(
        limit=found.limit,
        limit_unit=found.limit_unit,
        planned_on=found.planned_on,
        promise_on=found.promise_on,
        promise_text=found.promise_text,
        milestones=tuple(
            CustomerMilestone(
                text=item.text, starts_on=item.starts_on, ends_on=item.ends_on, needs_text=item.needs_text
            )
            for item in found.milestones
        ),
        limit_on=found.limit_on,
    )
