"""Variants (方案比选) as a customer compares them: ways, rounded lengths and costs, dates; never a place."""

from __future__ import annotations

from collections.abc import Iterable

from scheme.disclosure.customer_scheme import CustomerVariant, CustomerVariantPoint
from scheme.disclosure.rules import CustomerRules
from scheme.model import FurtherSource, Variant
from scheme.model_quality import PowerQuality


def compared(variant: Variant, rules: CustomerRules) -> CustomerVariant:
    """Return what a customer may know of one variant."""
    timeline, security = variant.timeline, variant.outage_security
    qualities = list_qualities(variant)
    return CustomerVariant(
        variant_no=variant.rank,
        points=tuple(_point(number, part, rules) for number, part in enumerate(list_parts(variant), start=1)),
        customer_cost_cny10k=rules.round_cost_cny10k(variant.cost.customer_typical_cny10k),
        utility_cost_cny10k=rules.round_cost_cny10k(variant.cost.utility_typical_cny10k),
        promise_on=timeline.promise_on,
        promise_not_before_on=timeline.promise_not_before_on,
        promise_text=timeline.promise_text,
        planned_on=timeline.planned_on,
        outage_security=None if security is None else security.status,
        is_carried_in_outage=None if security is None else security.is_carried,
        conditions=_once(text for quality in qualities for text in quality.conditions),
        data_needed=_once(text for quality in qualities for text in quality.data_needed),
        dates_needed=_once(item.needs_text for item in timeline.milestones if item.needs_text),
    )


def list_parts(variant: Variant | None) -> tuple[Variant | FurtherSource, ...]:
    """Return the sources of a variant, the first one first."""
    return () if variant is None else (variant, *variant.further_sources)


def list_qualities(variant: Variant | None) -> list[PowerQuality]:
    """Return the studies of a variant's sources."""
    return [part.power_quality for part in list_parts(variant) if part.power_quality is not None]


def _point(number: int, part: Variant | FurtherSource, rules: CustomerRules) -> CustomerVariantPoint:
    return CustomerVariantPoint(
        source_no=number,
        connection_mode=part.connection_mode,
        laying=part.route.laying,
        line_label=part.route.line_label,
        route_length_m=rules.round_route_m(part.route.length_m),
    )


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
