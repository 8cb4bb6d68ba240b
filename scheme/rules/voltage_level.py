"""Voltage level, supply mode and capacity (供电电压等级与供电容量)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gridmodel.errors import InputError
from scheme.model import Reason
from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest

Voltage = Literal["220V", "380V", "10kV"]

PHASES: dict[Voltage, str] = {"220V": "单相", "380V": "三相四线", "10kV": "三相"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyDecision:
    """What is supplied; ``voltage`` and all that follows is ``None`` where joint work (专业联动) must answer."""

    voltage: Voltage | None
    phases: str | None
    capacity_kva: float | None
    """供电容量: total of the customer's transformers at 10 kV, installed equipment over power factor below."""
    calculated_load_kw: float | None
    """计算负荷."""
    power_factor: float | None
    transformer_kva: float | None
    """Rating of one customer transformer; ``None`` below 10 kV."""
    transformer_count: int | None
    reasons: tuple[Reason, ...]
    """Why joint work is needed; empty when answered."""


def decide_supply(
    request: SupplyRequest, policy: PolicyView, *, transformer_sizes_kva: Sequence[float]
) -> SupplyDecision:
    """Return voltage, phases, capacity and the customer's transformers.

    Args:
        request: The request; ``demand.installed_kw`` decides the level, ``demand.capacity_kva`` the size where given.
        policy: Reads ``supply.*`` and ``demand.*``.
        transformer_sizes_kva: Ratings on the market (catalogue).

    Raises:
        InputError: No transformer sizes given.
        PolicyNotInForceError: A value is missing for the profile and date.
    """
    if not transformer_sizes_kva:
        raise InputError("no transformer sizes given", field="transformer_sizes_kva", allowed="at least one rating")
    reasons = _source_reasons(request, policy)
    voltage = None if reasons else _choose_voltage(request, policy, reasons)
    if voltage is None:
        return _joint_work(reasons)
    if voltage != "10kV":
        return _low_voltage(request, policy, voltage)
    return _ten_kv(request, policy, sorted(set(transformer_sizes_kva)))


def _source_reasons(request: SupplyRequest, policy: PolicyView) -> list[Reason]:
    reasons: list[Reason] = []
    if request.sources != "single":
        text = "双电源、双回路供电方案须由专业联动编制，本版本不自动答复"
        reasons.append(Reason(code="several_sources_not_automatic", text=text))
    importance = request.applicant.importance
    if importance is not None and request.sources == "single":
        row = policy.row("supply.source_count_by_importance", "importance", importance)
        if row["source_count"] > 1:
            text = f"{row['grade_zh']}重要用户应有{row['source_count']}路电源，单电源申请不能自动答复"
            reasons.append(Reason(code="important_user_needs_more_sources", text=text))
    return reasons


def _choose_voltage(request: SupplyRequest, policy: PolicyView, reasons: list[Reason]) -> Voltage | None:
    """Return the voltage, or ``None`` with the reasons appended."""
    demand, wish = request.demand, request.voltage
    lowest = _lowest_voltage(request, policy)
    if lowest == "10kV" and _is_small_micro_without_wish(request, policy):
        text = f"小微企业实行低压接入，但用电设备总容量{demand.installed_kw:g}kW超过低压上限；高压接入须客户自愿提出"
        reasons.append(Reason(code="small_micro_above_low_voltage_limit", text=text))
        return None
    voltage: Voltage = lowest if wish == "auto" else wish
    if demand.single_phase and voltage != "220V":
        limit_kw = float(policy.get("supply.single_phase_kw_max").value)
        text = f"单相用电只能以220V供电，上限{limit_kw:g}kW；申请{demand.installed_kw:g}kW、{voltage}不能按单相答复"
        reasons.append(Reason(code="single_phase_not_possible", text=text))
        return None
    allowed = _is_allowed(voltage, lowest, request, policy)
    if not allowed:
        text = f"所要求的供电电压{voltage}不符合规定，按用电设备总容量{demand.installed_kw:g}kW应为{lowest}"
        reasons.append(Reason(code="voltage_wish_not_allowed", text=text))
    return voltage if allowed else None


def _lowest_voltage(request: SupplyRequest, policy: PolicyView) -> Voltage:
    demand, category = request.demand, request.applicant.category
    load_kw = demand.installed_kw
    if demand.capacity_kva is not None and demand.power_factor is not None:
        load_kw = max(load_kw, demand.capacity_kva * demand.power_factor)
    elif demand.capacity_kva is not None:
        load_kw = max(load_kw, demand.capacity_kva * _power_factor(request, policy, "380V"))
    if demand.single_phase is not False and policy.get("supply.single_phase_kw_max").allows(load_kw):
        return "220V"
    is_commercial = category in policy.texts("supply.lv_industrial_commercial_categories")
    limit = policy.get("supply.lv_industrial_commercial_kw_max" if is_commercial else "supply.lv_other_kw_max")
    return "380V" if limit.allows(load_kw) else "10kV"


def _is_allowed(voltage: Voltage, lowest: Voltage, request: SupplyRequest, policy: PolicyView) -> bool:
    """A higher voltage than needed may be wished, a lower one not."""
    order = ("220V", "380V", "10kV")
    if order.index(voltage) < order.index(lowest):
        return False
    return not (voltage == "10kV" and lowest != "10kV" and _is_small_micro_without_wish(request, policy))


def _is_small_micro_without_wish(request: SupplyRequest, policy: PolicyView) -> bool:
    if request.applicant.category != "small_micro" or request.circumstances.wants_high_voltage:
        return False
    return policy.flag("supply.small_micro_needs_wish_for_10kv")


def _power_factor(request: SupplyRequest, policy: PolicyView, voltage: Voltage) -> float:
    if request.demand.power_factor is not None:
        return request.demand.power_factor
    return float(policy.row("demand.power_factor_default", "voltage", voltage)["power_factor"])


def _calculated_load_kw(request: SupplyRequest, policy: PolicyView) -> float:
    row = policy.row("demand.demand_factor", "category", request.applicant.category)
    return request.demand.installed_kw * float(row["demand_factor"])


def _low_voltage(request: SupplyRequest, policy: PolicyView, voltage: Voltage) -> SupplyDecision:
    power_factor = _power_factor(request, policy, voltage)
    capacity_kva = request.demand.capacity_kva or request.demand.installed_kw / power_factor
    return SupplyDecision(
        voltage=voltage,
        phases=PHASES[voltage],
        capacity_kva=capacity_kva,
        calculated_load_kw=min(_calculated_load_kw(request, policy), capacity_kva * power_factor),
        power_factor=power_factor,
        transformer_kva=None,
        transformer_count=None,
        reasons=(),
    )


def _ten_kv(request: SupplyRequest, policy: PolicyView, sizes_kva: Sequence[float]) -> SupplyDecision:
    power_factor = _power_factor(request, policy, "10kV")
    load_kw = _calculated_load_kw(request, policy)
    wanted_kva = request.demand.capacity_kva
    if wanted_kva is None:
        wanted_kva = load_kw / power_factor / policy.number("demand.transformer_loading_ratio_max")
    chosen = choose_transformers(wanted_kva, sizes_kva, count_max=policy.count("demand.transformer_count_max"))
    if chosen is None or not policy.get("supply.hv_kva_max").allows(wanted_kva):
        text = f"受电变压器容量约{wanted_kva:.0f}kVA，超过10千伏供电范围，应采用35千伏及以上电压，由专业联动编制方案"
        return _joint_work([Reason(code="above_10kv_range", text=text)])
    sn_kva, count = chosen
    if not policy.get("supply.hv_kva_min").allows(sn_kva * count):
        text = f"受电变压器容量{sn_kva * count:g}kVA，低于10千伏供电范围"
        return _joint_work([Reason(code="below_10kv_range", text=text)])
    return SupplyDecision(
        voltage="10kV",
        phases=PHASES["10kV"],
        capacity_kva=sn_kva * count,
        calculated_load_kw=min(load_kw, sn_kva * count * power_factor),
        power_factor=power_factor,
        transformer_kva=sn_kva,
        transformer_count=count,
        reasons=(),
    )


def choose_transformers(wanted_kva: float, sizes_kva: Sequence[float], *, count_max: int) -> tuple[float, int] | None:
    """Return the smallest size that carries ``wanted_kva`` with the fewest equal transformers, and their count.

    Args:
        wanted_kva: Total rating needed (kVA).
        sizes_kva: Ratings on the market, rising.
        count_max: Most transformers to propose; ``None`` is returned when they do not suffice.
    """
    count = max(1, math.ceil(wanted_kva / sizes_kva[-1]))
    if count > count_max:
        return None
    return next((size, count) for size in sizes_kva if size * count >= wanted_kva)


def _joint_work(reasons: Sequence[Reason]) -> SupplyDecision:
    return SupplyDecision(
        voltage=None,
        phases=None,
        capacity_kva=None,
        calculated_load_kw=None,
        power_factor=None,
        transformer_kva=None,
        transformer_count=None,
        reasons=tuple(reasons),
    )
