"""Voltage level, sources and capacity (供电电压等级、电源配置与供电容量)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gridmodel.errors import InputError
from scheme.model import HigherVoltage, JointTask, Reason
from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest
from scheme.rules.supply_structure import (
    StructureDemand,
    SupplyStructure,
    essential_load_kva,
    find_structure_demand,
    plan_structure,
)

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
    structure: SupplyStructure | None = None
    """Number of sources and what each must carry; ``None`` for joint work."""
    higher_voltage: HigherVoltage | None = None
    """Only for a demand above the 10 kV range."""
    tasks: tuple[JointTask, ...] = ()
    """What joint work must do for it."""


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
    demand = find_structure_demand(request, policy)
    reasons: list[Reason] = []
    voltage = _choose_voltage(request, policy, demand, reasons)
    if voltage is None:
        return _joint_work(reasons)
    if voltage != "10kV":
        return _low_voltage(request, policy, voltage, demand)
    return _ten_kv(request, policy, sorted(set(transformer_sizes_kva)), demand)


def _choose_voltage(
    request: SupplyRequest, policy: PolicyView, structure: StructureDemand, reasons: list[Reason]
) -> Voltage | None:
    """Return the voltage, or ``None`` with the reasons appended."""
    demand, wish = request.demand, request.voltage
    lowest = _lowest_voltage(request, policy)
    if lowest == "220V" and structure.source_count > 1:
        lowest = "380V"  # sources change over between three phases
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


def _low_voltage(
    request: SupplyRequest, policy: PolicyView, voltage: Voltage, demand: StructureDemand
) -> SupplyDecision:
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
        structure=plan_structure(demand, request, policy, capacity_kva=capacity_kva, power_factor=power_factor),
    )


def _ten_kv(
    request: SupplyRequest, policy: PolicyView, sizes_kva: Sequence[float], demand: StructureDemand
) -> SupplyDecision:
    power_factor = _power_factor(request, policy, "10kV")
    load_kw = _calculated_load_kw(request, policy)
    wanted_kva = request.demand.capacity_kva
    if wanted_kva is None:
        wanted_kva = load_kw / power_factor / policy.number("demand.transformer_loading_ratio_max")
    chosen = _choose_transformers(request, policy, wanted_kva, sizes_kva, demand, power_factor)
    if chosen is None or not policy.get("supply.hv_kva_max").allows(wanted_kva):
        return _above_ten_kv(wanted_kva, policy)
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
        structure=plan_structure(demand, request, policy, capacity_kva=sn_kva * count, power_factor=power_factor),
    )


def _choose_transformers(
    request: SupplyRequest,
    policy: PolicyView,
    wanted_kva: float,
    sizes_kva: Sequence[float],
    demand: StructureDemand,
    power_factor: float,
) -> tuple[float, int] | None:
    """Return size and count; with several sources so many that the loss of one leaves the class 1 and 2 loads."""
    count_max = policy.count("demand.transformer_count_max")
    if demand.source_count == 1:
        return choose_transformers(wanted_kva, sizes_kva, count_max=count_max)
    return choose_transformers(
        wanted_kva,
        sizes_kva,
        count_max=count_max,
        count_min=policy.count("supply.several_sources_transformer_count_min"),
        rest_min_kva=essential_load_kva(request, power_factor) or 0.0,
    )


def choose_transformers(
    wanted_kva: float, sizes_kva: Sequence[float], *, count_max: int, count_min: int = 1, rest_min_kva: float = 0.0
) -> tuple[float, int] | None:
    """Return the smallest size that carries ``wanted_kva`` with the fewest equal transformers, and their count.

    Args:
        wanted_kva: Total rating needed (kVA).
        sizes_kva: Ratings on the market, rising.
        count_max: Most transformers to propose; ``None`` is returned when they do not suffice.
        count_min: Fewest transformers to propose.
        rest_min_kva: What the others must carry while one is out of service (kVA).
    """
    for count in range(max(count_min, math.ceil(wanted_kva / sizes_kva[-1])), count_max + 1):
        for size_kva in sizes_kva:
            if size_kva * count >= wanted_kva and size_kva * (count - 1) >= rest_min_kva:
                return size_kva, count
    return None


def _above_ten_kv(wanted_kva: float, policy: PolicyView) -> SupplyDecision:
    """Return the verdict on a demand above the 10 kV range: the voltage to study and who studies it."""
    limit_kva = policy.number("supply.hv_kva_max")
    rows = policy.rows("supply.higher_voltages")
    voltage = next(row["voltage"] for row in rows if row["kva_max"] is None or wanted_kva <= row["kva_max"])
    level = str(voltage).replace("kV", "千伏")
    text = (
        f"受电变压器容量约{wanted_kva:.0f}kVA，超过10千伏供电范围（{limit_kva:g}kVA），建议采用{level}供电，"
        "由专业联动编制接入系统方案"
    )
    tasks = tuple(
        JointTask(
            department=row["department"],
            code=row["code"],
            text=str(row["text"]).format(voltage=level, capacity_kva=f"{wanted_kva:.0f}"),
            due=row["due"],
        )
        for row in policy.rows("supply.higher_voltage_tasks")
    )
    advice = HigherVoltage(recommended_voltage=str(voltage), capacity_kva=round(wanted_kva, 1), range_max_kva=limit_kva)
    return replace(_joint_work([Reason(code="above_10kv_range", text=text)]), higher_voltage=advice, tasks=tasks)


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
