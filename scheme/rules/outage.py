"""How a connection is made and which outage plan (停送电计划) it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from gridmodel.errors import InputError
from scheme.model import PointKind
from scheme.policy.parameter import PolicyView


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPlan:
    """Within ``cycle_days`` the next plan comes; 0 is on report (随报随接)."""

    way: str
    """``live`` | ``without_outage`` | ``with_outage``."""
    plan: str
    cycle_days: int
    anchor_on: date | None
    """A day a cycle begins; ``None`` where the utility names none."""


def find_connection_plan(
    kind: PointKind, u_nominal_kv: float, policy: PolicyView, *, needs_outage: bool = False
) -> ConnectionPlan | None:
    """Return the plan of a connection, ``None`` where the policy has none for this way of connecting.

    Args:
        kind: Kind of connection point.
        u_nominal_kv: Nominal voltage (kV).
        policy: Reads ``outage.*``.
        needs_outage: The connection takes supply from others, whatever its kind.

    Raises:
        InputError: The utility's anchor is not a date.
    """
    way = "with_outage" if needs_outage else str(policy.row("outage.ways", "kind", kind)["way"])
    plans = policy.find("outage.plans")
    rows = () if plans is None else plans.value
    for row in rows:
        if row["way"] == way and (row["u_nominal_kv_min"] is None or u_nominal_kv >= row["u_nominal_kv_min"]):
            return ConnectionPlan(way=way, plan=row["plan"], cycle_days=row["cycle_days"], anchor_on=_anchor(policy))
    return None


def _anchor(policy: PolicyView) -> date | None:
    value = policy.find("outage.plan_anchor_on")
    if value is None:
        return None
    try:
        return date.fromisoformat(value.value)
    except ValueError as error:
        raise InputError(
            "not a date", field="outage.plan_anchor_on", value=value.value, allowed="YYYY-MM-DD"
        ) from error
