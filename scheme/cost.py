"""Comparison estimate (估算造价) of a variant from the catalogue's unit costs; never a quotation."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from gridmodel.catalogue.loader import Catalogue
from scheme.model import Cost, CostItem
from scheme.works import PricedWork

_CENT = Decimal("0.01")
"""Estimates are rounded to 100 CNY (0.01 万元)."""


def compute_cost(works: Sequence[PricedWork], catalogue: Catalogue) -> Cost:
    """Return the estimate in 万元, each item rounded half up to 0.01; totals are sums of the rounded items.

    Raises:
        CatalogueError: A price code is not in the catalogue.
    """
    items, not_priced = [], []
    for priced in works:
        if priced.price_code is not None:
            items.append(_item(priced, priced.price_code, catalogue))
        elif priced.needs_price:
            not_priced.append(priced.work.text)
    return _summed(tuple(items), tuple(not_priced))


def add_costs(costs: Sequence[Cost]) -> Cost:
    """Return one estimate with the items of all, in their order."""
    items = tuple(item for cost in costs for item in cost.items)
    return _summed(items, tuple(text for cost in costs for text in cost.not_priced))


def _summed(items: tuple[CostItem, ...], not_priced: tuple[str, ...]) -> Cost:
    utility = [item for item in items if item.side == "utility"]
    customer = [item for item in items if item.side == "customer"]
    return Cost(
        items=items,
        total_low_cny10k=_total([item.low_cny10k for item in items]),
        total_typical_cny10k=_total([item.typical_cny10k for item in items]),
        total_high_cny10k=_total([item.high_cny10k for item in items]),
        utility_low_cny10k=_total([item.low_cny10k for item in utility]),
        utility_typical_cny10k=_total([item.typical_cny10k for item in utility]),
        utility_high_cny10k=_total([item.high_cny10k for item in utility]),
        customer_low_cny10k=_total([item.low_cny10k for item in customer]),
        customer_typical_cny10k=_total([item.typical_cny10k for item in customer]),
        customer_high_cny10k=_total([item.high_cny10k for item in customer]),
        not_priced=not_priced,
    )


def _item(priced: PricedWork, price_code: str, catalogue: Catalogue) -> CostItem:
    unit_cost, work = catalogue.get_unit_cost(price_code), priced.work
    low, typical, high = (
        float((Decimal(str(work.quantity)) * Decimal(str(price))).quantize(_CENT, ROUND_HALF_UP))
        for price in (unit_cost.low_cny10k, unit_cost.typical_cny10k, unit_cost.high_cny10k)
    )
    return CostItem(
        code=price_code,
        text=work.text,
        quantity=work.quantity,
        unit=work.unit,
        low_cny10k=low,
        typical_cny10k=typical,
        high_cny10k=high,
        price_basis=unit_cost.price_basis,
        side=work.side,
    )


def _total(values: Sequence[float]) -> float:
    return float(sum((Decimal(str(value)) for value in values), Decimal(0)))
