"""Operating limits of the load flow and settings of the capacity run, from policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gridmodel.capacity.limits import Limits, VoltageBand
from gridmodel.errors import InputError
from scheme.policy.parameter import PolicyView

if TYPE_CHECKING:
    from gridmodel.profiles import LoadProfiles


def capacity_settings(policy: PolicyView) -> dict[str, Any]:
    """Return the named arguments of :func:`gridmodel.capacity.nodes.node_capacity` that policy decides."""
    from gridmodel.capacity.nodes import AdministrativeLimits

    loading = AdministrativeLimits(
        transformer_ratio=policy.number("administrative.transformer_ratio_max"),
        feeder_ratio=policy.number("administrative.line_ratio_max"),
        main_transformer_ratio=policy.number("administrative.main_transformer_ratio_max"),
    )
    return {**load_flow_settings(policy), "loading": loading}


def load_flow_settings(policy: PolicyView) -> dict[str, Any]:
    """Return the named arguments of :func:`gridmodel.capacity.grid_measures.measure_grid` that policy decides."""
    return {
        "limits": operating_limits(policy),
        "power_factor": policy.number("capacity.power_factor"),
        "in_flight_coincidence_ratio": policy.number("capacity.in_flight_coincidence_ratio"),
    }


def operating_limits(policy: PolicyView) -> Limits:
    """Return loading ratios, voltage bands and off-path thresholds in force.

    The bands are per unit of the bus's own rated voltage: a 0.4 kV bus belongs to a 380 V system, so that +-7 % of
    380 V is 0.8835 to 1.0165 of 0.4 kV. Buses above 21 kV have no band.
    """
    return Limits(
        line_loading_ratio_max=policy.number("loading.line_ratio_max"),
        transformer_loading_ratio_max=policy.number("loading.transformer_ratio_max"),
        main_transformer_loading_ratio_max=policy.number("loading.main_transformer_ratio_max"),
        voltage_bands=tuple(_band(row, policy) for row in policy.rows("voltage_quality.bus_voltages")),
        off_path_voltage_effect_pu=policy.number("capacity.off_path_voltage_effect_pu"),
        off_path_loading_effect_ratio=policy.number("capacity.off_path_loading_effect_ratio"),
    )


def generation_settings(policy: PolicyView) -> dict[str, Any]:
    """Return the named arguments of :func:`gridmodel.capacity.node_columns.generation_columns` that policy decides.

    What limits distributed generation (分布式电源): reverse loading ratios and the voltage bands of loads.
    """
    limits = replace(
        operating_limits(policy),
        line_loading_ratio_max=policy.number("generation.line_ratio_max"),
        transformer_loading_ratio_max=policy.number("generation.transformer_reverse_ratio_max"),
        main_transformer_loading_ratio_max=policy.number("generation.main_transformer_reverse_ratio_max"),
    )
    return {"limits": limits, "power_factor": policy.number("generation.power_factor")}


def generation_hours(policy: PolicyView, profiles: LoadProfiles) -> tuple[str, ...]:
    """Return the hours of the curves in which generation is assessed.

    Raises:
        InputError: A label tells no hour, or no hour of the curves is one of those policy names.
    """
    from gridmodel.profiles import hour_of_year

    wanted = {int(hour) for hour in policy.numbers("generation.assessment_hours_of_day")}
    hours = tuple(label for label in profiles.hours if hour_of_year(label).hour in wanted)
    if not hours:
        raise InputError(
            "the curves hold none of the hours of day in which generation is assessed",
            field="hours",
            allowed=", ".join(map(str, sorted(wanted))),
        )
    return hours


def _band(row: Mapping[str, Any], policy: PolicyView) -> VoltageBand:
    if row["is_single_phase"]:
        over_ratio = policy.number("voltage_quality.single_phase_over_ratio_max")
        under_ratio = policy.number("voltage_quality.single_phase_under_ratio_max")
    else:
        over_ratio = under_ratio = policy.number("voltage_quality.three_phase_deviation_ratio_max")
    system_per_bus = row["u_system_kv"] / row["u_bus_kv"]
    return VoltageBand(
        u_nominal_kv_min=row["u_bus_kv_min"],
        u_nominal_kv_max=row["u_bus_kv_max"],
        u_pu_min=(1.0 - under_ratio) * system_per_bus,
        u_pu_max=(1.0 + over_ratio) * system_per_bus,
    )
