"""Warnings before and alarms after a limit runs out (预警, 告警). Thresholds are the utility's: no paper gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scheme.policy.parameter import PolicyView

WHOLE_PROCESS = "whole_process"
"""The step that means the whole order; others are steps of the utility's internal linkage (内部联动环节)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One colour raised."""

    colour: str
    text: str
    kind: Literal["pre_warning", "overdue"]
    receiver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockState:
    """One of the limits an order is watched against besides its own."""

    clock: str
    text: str
    remaining_workdays: int
    """Negative when exceeded."""
    is_warned: bool
    is_exceeded: bool


def find_alert(step: str, elapsed_workdays: int, limit_workdays: int, policy: PolicyView) -> Alert | None:
    """Return the highest colour reached; ``None`` below the first one and where the profile knows no colours.

    Pre-warning colours are for orders still within the limit, alarm colours for those beyond it.

    Args:
        step: ``whole_process`` or a step of the internal linkage.
        elapsed_workdays: Since the step began.
        limit_workdays: Its limit.
        policy: Reads ``supervision.alert_levels`` and ``supervision.alert_thresholds``.

    Raises:
        PolicyNotInForceError: The profile has colours, and the utility has not supplied their thresholds.
    """
    levels = policy.find("supervision.alert_levels")
    if levels is None:
        return None
    state = "overdue" if elapsed_workdays > limit_workdays else "pre_warning"
    known = {row["colour"]: row for row in levels.value if row["kind"] == state}
    reached = [
        row
        for row in policy.rows("supervision.alert_thresholds")
        if row["step"] == step
        and row["colour"] in known
        and elapsed_workdays >= row["elapsed_ratio_min"] * limit_workdays
    ]
    if not reached:
        return None
    level = known[max(reached, key=lambda row: float(row["elapsed_ratio_min"]))["colour"]]
    return Alert(colour=level["colour"], text=level["colour_zh"], kind=level["kind"], receiver=level["receiver"])


def watch_clocks(
    voltage_class: Literal["lv", "mv"], elapsed_workdays: int, policy: PolicyView
) -> tuple[ClockState, ...]:
    """Return the state of an order against the further limits of the profile (双时限); none where it has none.

    Args:
        voltage_class: Of the order.
        elapsed_workdays: Since acceptance.
        policy: Reads ``supervision.clocks`` and ``supervision.clock_limits``.

    Raises:
        PolicyNotInForceError: The profile has further limits, and the utility has not supplied their length.
    """
    clocks = policy.find("supervision.clocks")
    if clocks is None:
        return ()
    names = {row["clock"]: row["clock_zh"] for row in clocks.value}
    states = []
    for row in policy.rows("supervision.clock_limits"):
        if row["voltage_class"] != voltage_class or row["clock"] not in names:
            continue
        remaining_workdays = int(row["workdays_max"]) - elapsed_workdays
        states.append(
            ClockState(
                clock=row["clock"],
                text=names[row["clock"]],
                remaining_workdays=remaining_workdays,
                is_warned=remaining_workdays <= row["warning_workdays"],
                is_exceeded=remaining_workdays < 0,
            )
        )
    return tuple(states)
