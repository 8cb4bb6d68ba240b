"""Metering (计量方案): mode, meter, instrument transformers."""

from __future__ import annotations

import math
from dataclasses import replace

from gridmodel.errors import InputError
from scheme.model import MeteringPoint
from scheme.policy.parameter import PolicyView
from scheme.rules.voltage_level import SupplyDecision

SECONDARY_A = 5
"""Rated secondary current of the current transformers (A), the second number of their ratio."""


def plan_metering(supply: SupplyDecision, policy: PolicyView) -> tuple[MeteringPoint, ...]:
    """Return the metering points, one for each source.

    The current is that of the transformers' rating at 10 kV and of the capacity below, with several sources that of
    the source's capacity; the current transformer is the smallest of the ladder that carries it. Several sources at
    10 kV are metered at 10 kV, each on its own incomer: behind the transformers they cannot be told apart.

    Args:
        supply: An answered decision.
        policy: Reads ``metering.*``.

    Raises:
        InputError: The current exceeds the largest current transformer.
    """
    assert supply.structure is not None, "only answered decisions are metered"
    duties = supply.structure.duties
    if len(duties) == 1:
        return (_point(supply, policy, side=_side(supply, policy), capacity_kva=duties[0].capacity_kva),)
    side = "hv_hv" if supply.voltage == "10kV" else _side(supply, policy)
    points = [_point(supply, policy, side=side, capacity_kva=duty.capacity_kva) for duty in duties]
    return tuple(
        replace(point, point_no=duty.source_no, purpose=f"{point.purpose}（电源{duty.source_no}）")
        for point, duty in zip(points, duties, strict=True)
    )


def _point(supply: SupplyDecision, policy: PolicyView, *, side: str, capacity_kva: float) -> MeteringPoint:
    current_a = _current_a(side, capacity_kva, policy)
    code = side
    if supply.voltage != "10kV":
        code += "_direct" if policy.get("metering.direct_a_max").allows(current_a) else "_ct"
    row = policy.row("metering.arrangements", "code", code)
    return MeteringPoint(
        point_no=1,
        purpose="贸易结算",
        mode=row["mode"],
        position=row["position"],
        voltage=row["voltage"],
        wiring=row["wiring"],
        meter=row["meter"],
        meter_class=row["meter_class"],
        ct_ratio=None if row["ct_class"] is None else _ct_ratio(current_a, policy),
        ct_class=row["ct_class"],
        pt_ratio=row["pt_ratio"],
        pt_class=row["pt_class"],
        terminal=row["terminal"],
        loss_apportion=row["loss_apportion"],
    )


def _side(supply: SupplyDecision, policy: PolicyView) -> str:
    if supply.voltage == "10kV":
        assert supply.capacity_kva is not None
        return "hv_lv" if policy.get("metering.lv_side_kva_max").allows(supply.capacity_kva) else "hv_hv"
    return "lv_single_phase" if supply.voltage == "220V" else "lv_three_phase"


def _current_a(side: str, capacity_kva: float, policy: PolicyView) -> float:
    row = policy.row("metering.calculation_voltages", "code", side)
    return capacity_kva / (math.sqrt(row["phase_count"]) * float(row["u_kv"]))


def _ct_ratio(current_a: float, policy: PolicyView) -> str:
    ladder = policy.numbers("metering.ct_primary_ladder_a")
    fitting = [primary_a for primary_a in ladder if primary_a >= current_a]
    if not fitting:
        raise InputError(
            "no current transformer of the ladder carries the current",
            field="metering.ct_primary_ladder_a",
            value=f"{current_a:.1f} A",
            allowed=f"up to {max(ladder):g} A",
        )
    return f"{min(fitting):g}/{SECONDARY_A}"
