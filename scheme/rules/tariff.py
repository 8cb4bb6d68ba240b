"""Tariff (计费方案). What depends on facts the request does not hold stays ``None`` for the utility to fill."""

from __future__ import annotations

from scheme.model import Tariff
from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest
from scheme.rules.voltage_level import SupplyDecision

_COMMERCIAL = ("small_micro", "industrial_commercial", "non_residential_lighting")


def decide_tariff(request: SupplyRequest, supply: SupplyDecision, policy: PolicyView) -> Tariff:
    """Return price class, time-of-use, capacity charge and power-factor standard.

    Args:
        request: The request.
        supply: An answered decision.
        policy: Reads ``tariff.*``.
    """
    assert supply.capacity_kva is not None
    category = request.applicant.category
    is_commercial = category in _COMMERCIAL
    return Tariff(
        price_class=policy.row("tariff.classes", "category", category)["price_class"],
        is_time_of_use=_is_time_of_use(supply.capacity_kva, policy) if is_commercial else None,
        capacity_charge=_capacity_charge(supply.capacity_kva, policy)
        if is_commercial
        else _other_charge(category, policy),
        power_factor_standard=_power_factor_standard(category, supply, policy),
    )


def _is_time_of_use(capacity_kva: float, policy: PolicyView) -> bool | None:
    """Return ``None`` while the province's threshold has not been supplied."""
    limit = policy.find("tariff.time_of_use_kva_min")
    return None if limit is None else limit.allows(capacity_kva)


def _capacity_charge(capacity_kva: float, policy: PolicyView) -> str:
    texts = policy.get("tariff.texts").value
    if policy.get("tariff.two_part_kva_min").allows(capacity_kva):
        return str(texts["two_part"])
    if policy.get("tariff.two_part_optional_kva_min").allows(capacity_kva):
        return str(texts["optional"])
    return str(texts["one_part"])


def _other_charge(category: str, policy: PolicyView) -> str | None:
    """Residents and agriculture pay no capacity charge; of charging, temporary and other supplies it is not known."""
    if category in ("resident", "residential_area", "agriculture"):
        return str(policy.get("tariff.texts").value["one_part"])
    return None


def _power_factor_standard(category: str, supply: SupplyDecision, policy: PolicyView) -> float | None:
    """Return the standard, ``None`` where none applies or where it depends on industrial or commercial use."""
    assert supply.capacity_kva is not None
    if category in ("resident", "residential_area"):
        return None
    if not policy.get("tariff.power_factor_kva_min").allows(supply.capacity_kva):
        return None
    if category == "agriculture":
        return policy.number("tariff.power_factor_agriculture")
    if category == "other":
        return None
    is_high = supply.voltage == "10kV" and policy.get("tariff.power_factor_high_kva_min").allows(supply.capacity_kva)
    if is_high and category in ("industrial_commercial", "small_micro", "temporary"):
        return None
    return policy.number("tariff.power_factor_general")
