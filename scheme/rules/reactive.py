"""Reactive compensation (无功补偿)."""

from __future__ import annotations

import math

from scheme.model import ReactiveCompensation
from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest
from scheme.rules.voltage_level import SupplyDecision


def plan_compensation(request: SupplyRequest, supply: SupplyDecision, policy: PolicyView) -> ReactiveCompensation:
    """Return whether and how much compensation the customer installs.

    At 10 kV the larger of the policy's share of the transformers and ``P (tan phi1 - tan phi2)`` where the request
    names its natural power factor; below, the latter alone, ``None`` where the power factor is not known.

    Args:
        request: The request.
        supply: An answered decision.
        policy: Reads ``reactive.*``.
    """
    assert supply.capacity_kva is not None
    assert supply.calculated_load_kw is not None
    texts = policy.get("reactive.texts").value
    if supply.voltage == "10kV" and policy.get("reactive.hv_kva_min").allows(supply.capacity_kva):
        return _ten_kv(request, supply.capacity_kva, supply.calculated_load_kw, policy)
    is_resident = request.applicant.category in ("resident", "residential_area")
    if supply.voltage == "10kV" or is_resident or not _is_large(request, policy):
        return ReactiveCompensation(
            is_required=False, kvar_min=None, share_of_transformer=None, target_power_factor=None, text=texts["none"]
        )
    target = _target(request, policy, "reactive.other_power_factor_min")
    kvar_min = _needed_kvar(supply.calculated_load_kw, request.demand.power_factor, target)
    wording = texts["lv_kvar" if kvar_min else "lv"]
    return ReactiveCompensation(
        is_required=True,
        kvar_min=kvar_min,
        share_of_transformer=None,
        target_power_factor=target,
        text=wording.format(kvar_min=kvar_min or 0.0, target=target),
    )


def _ten_kv(request: SupplyRequest, capacity_kva: float, load_kw: float, policy: PolicyView) -> ReactiveCompensation:
    share_min = policy.number("reactive.transformer_share_ratio_min")
    share_max = policy.number("reactive.transformer_share_ratio_max")
    target = _target(request, policy, "reactive.hv_power_factor_min")
    needed_kvar = _needed_kvar(load_kw, request.demand.power_factor, target) or 0.0
    kvar_min = round(max(share_min * capacity_kva, needed_kvar), 1)
    wording = policy.get("reactive.texts").value["hv"]
    return ReactiveCompensation(
        is_required=True,
        kvar_min=kvar_min,
        share_of_transformer=kvar_min / capacity_kva,
        target_power_factor=target,
        text=wording.format(share_min=share_min, share_max=share_max, kvar_min=kvar_min, target=target),
    )


def _is_large(request: SupplyRequest, policy: PolicyView) -> bool:
    return policy.get("reactive.lv_kw_min").allows(request.demand.installed_kw)


def _target(request: SupplyRequest, policy: PolicyView, other_id: str) -> float:
    is_agriculture = request.applicant.category == "agriculture"
    return policy.number("reactive.agriculture_power_factor_min" if is_agriculture else other_id)


def _needed_kvar(load_kw: float, power_factor: float | None, target: float) -> float | None:
    """Return ``P (tan phi1 - tan phi2)``, at least 0 (kvar); ``None`` where the natural power factor is not known."""
    if power_factor is None:
        return None
    needed = load_kw * (math.tan(math.acos(power_factor)) - math.tan(math.acos(target)))
    return round(max(needed, 0.0), 1)
