"""Initial three-phase short-circuit currents (三相短路电流) by IEC 60909, where the source's data allow them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gridmodel.net import Net, pandapower

_SOURCE_COLUMNS = {"max": ("s_sc_max_mva", "rx_max"), "min": ("s_sc_min_mva", "rx_min")}
_FEEDING_IN = ("sgen", "motor", "ward", "xward")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultLevel:
    """Initial symmetrical three-phase short-circuit currents of one bus (kA); ``None`` where data are missing."""

    ik3_max_ka: float | None
    """Greatest, from the source's greatest short-circuit power; switchgear and cables are rated for it."""
    ik3_min_ka: float | None
    """Least, from the source's least short-circuit power and warm conductors; disturbances are judged by it."""


def compute_fault_levels(
    net: Net, buses: Sequence[int], *, conductor_temperature_c: float | None = None
) -> dict[int, FaultLevel]:
    """Return the fault levels of some buses, by bus.

    Static generators feed through converters and are left out, as are motors. A level is ``None`` where an external
    grid lacks short-circuit power or R/X of that case, where a generator is in service (its subtransient reactance is
    not imported), or where the bus has no supply; the least one also where no conductor temperature is known.

    Args:
        net: Network; spent: its states and results change.
        buses: Buses asked for.
        conductor_temperature_c: Temperature of the conductors in the least case, where the net names none.
    """
    for table in _FEEDING_IN:
        net[table]["in_service"] = False
    greatest = _compute_case_ka(net, buses, "max")
    is_warm = _set_temperatures(net, conductor_temperature_c)
    least = _compute_case_ka(net, buses, "min") if is_warm else [None] * len(buses)
    return {
        bus: FaultLevel(ik3_max_ka=high, ik3_min_ka=low) for bus, high, low in zip(buses, greatest, least, strict=True)
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultImpedances:
    """Impedances of a radial island seen from its buses: a line added in series only adds to them.

    Mappings by bus; a bus without supply is left out. ``None``: data are missing, as for :class:`FaultLevel`.
    """

    greatest: Mapping[int, tuple[complex, float]] | None
    """Of the greatest current: impedance (ohm) and driving voltage ``c Un / sqrt(3)`` (kV)."""
    least: Mapping[int, tuple[complex, float]] | None
    """The same of the least current, with warm conductors."""


def compute_fault_impedances(net: Net, *, conductor_temperature_c: float | None = None) -> FaultImpedances:
    """Return the fault impedances at all buses of an island.

    Args:
        net: Network; spent: its states and results change.
        conductor_temperature_c: As for :func:`compute_fault_levels`.
    """
    for table in _FEEDING_IN:
        net[table]["in_service"] = False
    greatest = _compute_impedances(net, "max")
    is_warm = _set_temperatures(net, conductor_temperature_c)
    return FaultImpedances(greatest=greatest, least=_compute_impedances(net, "min") if is_warm else None)


def _compute_impedances(net: Net, case: Literal["max", "min"]) -> dict[int, tuple[complex, float]] | None:
    if not _has_source_data(net, case):
        return None
    _run_short_circuit(net, None, case)
    found = net.res_bus_sc
    values = zip(found.index, found.ikss_ka, found.rk_ohm, found.xk_ohm, strict=True)
    return {
        int(bus): (complex(r_ohm, x_ohm), current_ka * abs(complex(r_ohm, x_ohm)))
        for bus, current_ka, r_ohm, x_ohm in values
        if np.isfinite(current_ka)
    }


def _compute_case_ka(net: Net, buses: Sequence[int], case: Literal["max", "min"]) -> list[float | None]:
    if not _has_source_data(net, case):
        return [None] * len(buses)
    _run_short_circuit(net, list(buses), case)
    currents_ka = (float(net.res_bus_sc.at[bus, "ikss_ka"]) for bus in buses)
    return [current if np.isfinite(current) else None for current in currents_ka]


def _run_short_circuit(net: Net, buses: list[int] | None, case: Literal["max", "min"]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pandapower().shortcircuit.calc_sc(net, bus=buses, fault="3ph", case=case, topology="radial", inverse_y=False)


def _has_source_data(net: Net, case: Literal["max", "min"]) -> bool:
    grids = net.ext_grid[net.ext_grid.in_service.astype(bool)]
    for column in _SOURCE_COLUMNS[case]:
        if column not in grids or not len(grids) or not np.isfinite(grids[column].to_numpy(dtype=float)).all():
            return False
    return not (len(net.gen) and net.gen.in_service.any())


def _set_temperatures(net: Net, conductor_temperature_c: float | None) -> bool:
    """Fill in the lines' temperatures at the end of the fault; return whether all are known."""
    if not len(net.line):
        return True
    if "endtemp_degree" not in net.line:
        net.line["endtemp_degree"] = np.nan
    if conductor_temperature_c is not None:
        net.line["endtemp_degree"] = net.line["endtemp_degree"].astype(float).fillna(conductor_temperature_c)
    return bool(net.line.endtemp_degree.notna().all())
