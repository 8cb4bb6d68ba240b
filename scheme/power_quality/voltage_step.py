"""Voltage change (电压变动) when the whole load is switched on, and when its largest motor starts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gridmodel.voltage_step import MotorStart
from scheme.model_quality import QualityCheck
from scheme.policy.parameter import PolicyView
from scheme.power_quality.needed import ask_for
from scheme.request import SupplyRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOption:
    """A way to start the largest motor."""

    text: str
    current_ratio: float
    """Starting over rated current."""


def system_voltage_kv(u_bus_kv: float, policy: PolicyView) -> float:
    """Return the nominal voltage of the system a bus belongs to (0.38 kV for a bus of 0.4 kV)."""
    for row in policy.rows("voltage_quality.bus_voltages"):
        if row["u_bus_kv_min"] <= u_bus_kv <= row["u_bus_kv_max"]:
            return u_bus_kv * float(row["u_system_kv"]) / float(row["u_bus_kv"])
    return u_bus_kv


def check_load_step(step_ratio: float | None, *, capacity_kva: float, policy: PolicyView) -> QualityCheck:
    """Return whether the whole load may be switched on at once; switching it on in parts is the remedy.

    Args:
        step_ratio: Fall of the voltage of the connection point over nominal voltage; ``None`` = not known.
        capacity_kva: The customer's capacity.
        policy: Reads ``power_quality.voltage_step_limits`` and ``power_quality.whole_load_repetitions``.
    """
    repetitions = policy.number("power_quality.whole_load_repetitions")
    limit = _step_limit(repetitions, policy)
    assert limit is not None, "the whole load is switched on seldom"
    facts = _facts(
        "load_step", f"全部负荷同时投入（每小时不超过{repetitions:g}次）的电压变动", step_ratio, limit, policy
    )
    if step_ratio is None:
        return QualityCheck(**facts, verdict="not_known", note="接入点三相潮流无法计算")
    if step_ratio <= limit:
        return QualityCheck(**facts, verdict="ok")
    part_kva = math.floor(capacity_kva * limit / step_ratio)
    return QualityCheck(**facts, verdict="exceeded", remedy=f"负荷应分批投入，每批不超过{part_kva}kVA")


def list_start_options(request: SupplyRequest, policy: PolicyView) -> tuple[StartOption, ...]:
    """Return how the largest motor starts, then the ways that draw less, greatest current first; empty without one.

    A motor whose way of starting nobody named is taken to start directly, which draws most.
    """
    demand = request.demand
    if demand.largest_motor_kw is None:
        return ()
    rows = policy.rows("power_quality.motor_starts")
    named = policy.row("power_quality.motor_starts", "method", demand.start_method or "direct")
    first = StartOption(text=named["text"], current_ratio=demand.start_current_ratio or float(named["current_ratio"]))
    others = (StartOption(text=row["text"], current_ratio=float(row["current_ratio"])) for row in rows)
    return (first, *(option for option in others if option.current_ratio < first.current_ratio))


def motor_start(motor_kw: float, option: StartOption, *, u_system_kv: float, policy: PolicyView) -> MotorStart:
    """Return what a motor of ``motor_kw`` shaft power draws at its start and when it runs, by typical values."""
    power_factor = policy.number("power_quality.motor_power_factor")
    running_kw = motor_kw / policy.number("power_quality.motor_efficiency_ratio")
    return MotorStart(
        running_kw=running_kw,
        running_kvar=running_kw * math.tan(math.acos(power_factor)),
        start_kva=option.current_ratio * running_kw / power_factor,
        power_factor=policy.number("power_quality.motor_start_power_factor"),
        rated_kv=u_system_kv,
    )


def find_motor_limit(request: SupplyRequest, policy: PolicyView) -> float | None:
    """Return the greatest step (ratio) the largest motor may cause as often as it starts; ``None``: no limit known."""
    named = request.demand.starts_per_hour
    return _step_limit(policy.number("power_quality.motor_repetitions") if named is None else named, policy)


def check_motor_step(
    request: SupplyRequest,
    options: Sequence[StartOption],
    step_ratios: Sequence[float | None],
    policy: PolicyView,
) -> QualityCheck | None:
    """Return whether the largest motor may start, and which other way of starting would do.

    Args:
        request: The motor and how often it starts.
        options: The way it starts, then the others.
        step_ratios: Fall of the voltage of the connection point over nominal voltage for each, as far as they were
            looked at; ``None`` = no solution.
        policy: Reads ``power_quality.voltage_step_limits``, ``motor_*`` and ``data_needed``.

    Returns:
        ``None`` where no motor is named and the category does not suggest one.
    """
    needed = ask_for("motor", policy)
    if not options:
        if request.applicant.category not in policy.texts("power_quality.motor_categories"):
            return None
        facts = _facts("motor_step", "最大电动机起动的电压变动", None, None, policy)
        return QualityCheck(**facts, verdict="not_known", note=needed)
    demand, note = request.demand, ""
    if demand.starts_per_hour is None:
        note = f"起动次数按每小时{policy.number('power_quality.motor_repetitions'):g}次取值"
    if demand.start_method is None and demand.start_current_ratio is None:
        note = "；".join(filter(None, ("起动方式未提供，按全压直接起动校核", note)))
    first, limit = options[0], find_motor_limit(request, policy)
    text = f"最大电动机{demand.largest_motor_kw:g}kW{first.text}（{first.current_ratio:g}倍）的电压变动"
    facts = _facts("motor_step", text, step_ratios[0], limit, policy)
    if limit is None:
        return QualityCheck(**facts, verdict="needs_study", note=needed)
    if step_ratios[0] is not None and step_ratios[0] <= limit:
        return QualityCheck(**facts, verdict="ok", note=note)
    fitting = (
        option for option, step in zip(options[1:], step_ratios[1:], strict=False) if step is not None and step <= limit
    )
    other = next(fitting, None)
    remedy = "" if other is None else f"最大电动机应采用{other.text}，起动电流不超过额定电流的{other.current_ratio:g}倍"
    return QualityCheck(**facts, verdict="exceeded", note=note, remedy=remedy)


def _facts(code: str, text: str, step_ratio: float | None, limit: float | None, policy: PolicyView) -> dict[str, Any]:
    return {
        "code": code,
        "text": text,
        "value": None if step_ratio is None else round(step_ratio, 6),
        "unit": "ratio",
        "limit": limit,
        "clause": policy.get("power_quality.voltage_step_limits").clause,
    }


def _step_limit(repetitions_per_hour: float, policy: PolicyView) -> float | None:
    """Return the limit for so many changes per hour; ``None`` for more than the table knows."""
    rows = policy.rows("power_quality.voltage_step_limits")
    return next(
        (float(row["ratio_max"]) for row in rows if repetitions_per_hour <= row["repetitions_per_hour_max"]), None
    )
