"""Case runners of the power-quality and short-circuit rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from gridmodel.unbalance import PHASES, PhaseImpact
from scheme.policy.parameter import PolicyView
from scheme.power_quality.disturbance import (
    PointStrength,
    check_flicker,
    check_harmonic_currents,
    check_harmonics,
    check_unbalanced_load,
    list_permitted_harmonics,
)
from scheme.power_quality.settings import fault_settings, zero_sequence
from scheme.power_quality.short_circuit import check_breaking_capacity, check_cable_withstand
from scheme.power_quality.unbalance import PhaseFindings, judge_phases
from scheme.power_quality.voltage_step import (
    check_load_step,
    check_motor_step,
    list_start_options,
    motor_start,
    system_voltage_kv,
)
from scheme.request import SupplyRequest, parse_request
from tests.connection.grids import line_type

Given = Mapping[str, Any]


def _request(given: Given) -> SupplyRequest:
    content = {
        "request_id": "case",
        "applicant": {"name": "某客户", "category": given.get("category", "industrial_commercial")},
        "business": "new",
        "location": {"lon_deg": 115.1, "lat_deg": 33.4, "datum": "CGCS2000"},
        "demand": {"installed_kw": 500.0, **given.get("demand", {})},
        "received_on": "2026-06-15",
    }
    return parse_request(json.dumps(content))


def _motor_step(given: Given, view: PolicyView) -> Any:
    request = _request(given)
    options = list_start_options(request, view)
    steps = [given["step_per_current"] * option.current_ratio for option in options]
    return check_motor_step(request, options, steps, view)


def _motor_start(given: Given, view: PolicyView) -> Any:
    option = list_start_options(_request(given), view)[given.get("place", 0)]
    return motor_start(given["demand"]["largest_motor_kw"], option, u_system_kv=given["u_system_kv"], policy=view)


def _strength(given: Given) -> PointStrength:
    return PointStrength(
        u_class=given["u_class"],
        sk_max_mva=given.get("sk_max_mva"),
        sk_min_mva=given.get("sk_min_mva"),
        transformer_kva=given.get("transformer_kva"),
    )


def _harmonics(given: Given, view: PolicyView) -> Any:
    demand, strength = _request(given).demand, _strength(given)
    permitted = list_permitted_harmonics(given["capacity_kva"], strength, view)
    return {
        "level": check_harmonics(demand, given["capacity_kva"], strength, view),
        "currents": check_harmonic_currents(demand, permitted, strength, view),
        "permitted": permitted,
    }


def _phases(given: Given, view: PolicyView) -> PhaseFindings:
    impacts = [
        PhaseImpact(phase=phase, unbalance_ratio=total, added_unbalance_ratio=own, step_pu=0.01)
        for phase, (total, own) in zip(PHASES, given.get("impacts", ()), strict=False)
    ]
    loads_kw = given.get("load_kw_by_phase")
    return judge_phases(impacts, None if loads_kw is None else tuple(loads_kw), view)


QUALITY_RULES: dict[str, Callable[[Given, PolicyView], Any]] = {
    "quality_breaking": lambda g, v: check_breaking_capacity(g["kind"], g["ik3_ka"], v, u_class=g["u_class"]),
    "quality_cable": lambda g, v: check_cable_withstand(line_type(**g["line_type"]), g["ik3_ka"], v),
    "quality_load_step": lambda g, v: check_load_step(g["step_ratio"], capacity_kva=g["capacity_kva"], policy=v),
    "quality_motor_step": _motor_step,
    "quality_motor_start": _motor_start,
    "quality_system_voltage": lambda g, v: system_voltage_kv(g["u_bus_kv"], v),
    "quality_harmonics": _harmonics,
    "quality_flicker": lambda g, v: check_flicker(_request(g).demand, g["capacity_kva"], _strength(g), v),
    "quality_unbalanced": lambda g, v: check_unbalanced_load(_request(g).demand, g["capacity_kva"], _strength(g), v),
    "quality_phases": _phases,
    "quality_settings": lambda g, v: {"fault": fault_settings(v), "zero_sequence": zero_sequence(v)},
}
