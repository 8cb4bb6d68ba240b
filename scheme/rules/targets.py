"""Targets over many orders (指标): averages and shares, never the limit of a single order."""

from __future__ import annotations

from dataclasses import dataclass

from gridmodel.errors import NotFoundError
from scheme.policy.parameter import PolicyView

TARGET_IDS = (
    "targets.hv_average_workdays_max",
    "targets.small_micro_average_workdays_max",
    "targets.limit_compliance_ratio_min",
    "targets.online_application_ratio_min",
    "targets.online_business_count_min",
    "targets.live_work_ratio_min",
    "targets.reserve_tracked_ratio_min",
    "targets.complaints_explained_ratio_min",
    "targets.outage_county_hours_max",
    "targets.outage_town_hours_max",
    "targets.outage_rural_hours_max",
    "targets.outage_urban_hours_max",
    "targets.interruptions_urban_count_max",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetResult:
    """An observed figure against its target, both in ``unit``."""

    observed: float
    limit: float
    unit: str
    is_met: bool
    clause: str


def judge_target(target_id: str, observed: float, policy: PolicyView) -> TargetResult | None:
    """Return whether a figure over many orders meets its target; ``None`` where the profile sets none.

    Args:
        target_id: One of ``TARGET_IDS``.
        observed: Figure in the unit of the target.
        policy: Reads ``targets.*``.

    Raises:
        NotFoundError: No such target.
    """
    if target_id not in TARGET_IDS:
        raise NotFoundError(f"no target {target_id}", target_id=target_id)
    target = policy.find(target_id)
    if target is None:
        return None
    return TargetResult(
        observed=observed,
        limit=float(target.value),
        unit=target.unit,
        is_met=target.allows(observed),
        clause=target.clause,
    )
