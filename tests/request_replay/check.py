"""What a scheme offers, judged by plain pandapower: the limits each of its states breaks.

On the supply path every broken limit counts, elsewhere those that are new or made worse. The limits stand here as
numbers, and the supply path is walked by the second reading of the contract, so that nothing is taken from the product.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandapower as pp

from scheme.model import Scheme
from tests.capacity import independent_check
from tests.request_replay.grid import OPTIONS, TABLES, PlainGrid
from tests.request_replay.rebuild import Rebuilt, rebuild
from tests.request_replay.states import State, offered_states

LOADING_PERCENT_MAX = 80.0
LOADING_EFFECT_PERCENT = 1.0
VOLTAGE_EFFECT_PU = 0.005
U_PU_MIN, U_PU_MAX, VOLTAGE_KV_MAX = 0.93, 1.07, 21.0
BUS_PER_SYSTEM = 0.38 / 0.4
"""Low-voltage limits are those of 380 V, buses are per unit of 0.4 kV."""
NOISE_PERCENT, NOISE_PU = 1e-6, 1e-9


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What the states of one scheme come to."""

    states: int
    problems: tuple[str, ...]
    difference_pu_max: float
    """Greatest difference to a voltage at the customer's end that the record tells."""


def judge(grid: PlainGrid, scheme: Scheme) -> Findings:
    """Return the broken limits of every state the scheme offers."""
    states = list(offered_states(scheme))
    found, differences = [], [0.0]
    for state in states:
        built = rebuild(grid, state, scheme)
        try:
            pp.runpp(built.net, **OPTIONS)
        except pp.LoadflowNotConverged:
            found.append(f"{state.name}: no load flow")
            continue
        found += [f"{state.name}: {text}" for text in _problems(built, state)]
        differences += _differences_pu(built, state)
    return Findings(states=len(states), problems=tuple(found), difference_pu_max=max(differences))


def find_problems(grid: PlainGrid, scheme: Scheme) -> list[str]:
    """Return the broken limits of every state the scheme offers, as texts."""
    return list(judge(grid, scheme).problems)


def _problems(built: Rebuilt, state: State) -> Iterator[str]:
    walks, on_path = independent_check.Net(built.net), set[tuple[str, int]]()
    for bus in built.customers:
        own, is_supplied = walks.supply_path(bus)
        on_path |= own
        if not is_supplied:
            yield f"bus:{bus} without supply"
    for connection in state.connections:
        if connection.verification is None or not connection.verification.is_within_limits:
            yield f"{connection.point.element_source_id} is offered without a verdict"
    for table in TABLES:
        yield from _overloads(built, table, on_path)
    yield from _voltages(built, on_path)
    fed = built.part.u_pu.index[built.part.u_pu.notna()]
    yield from (f"bus:{bus} loses its supply" for bus in fed[built.net.res_bus.vm_pu[fed].isna()])


def _overloads(built: Rebuilt, table: str, on_path: set[tuple[str, int]]) -> Iterator[str]:
    percent = built.net[f"res_{table}"].loading_percent
    for index in percent.index[percent > LOADING_PERCENT_MAX + NOISE_PERCENT]:
        was = max(_before(built, table, int(index)))
        if (table, index) in on_path or not percent[index] - was < LOADING_EFFECT_PERCENT:
            yield f"{table}:{index} {was:.2f} -> {percent[index]:.2f} %"


def _voltages(built: Rebuilt, on_path: set[tuple[str, int]]) -> Iterator[str]:
    u_kv, u_pu = built.net.bus.vn_kv, built.net.res_bus.vm_pu
    scale = np.where(u_kv < 1.0, BUS_PER_SYSTEM, 1.0)
    is_judged = (u_kv <= VOLTAGE_KV_MAX) & np.isfinite(u_pu)
    for bus in u_pu.index[is_judged & (u_pu < U_PU_MIN * scale - NOISE_PU)]:
        was = max(_before(built, "bus", int(bus)))
        if ("bus", bus) in on_path or not was - u_pu[bus] < VOLTAGE_EFFECT_PU:
            yield f"bus:{bus} {was:.4f} -> {u_pu[bus]:.4f} pu"
    for bus in u_pu.index[is_judged & (u_pu > U_PU_MAX * scale + NOISE_PU)]:
        # A load is not answerable for a voltage that was too high without it.
        was = _before(built, "bus", int(bus))
        high = U_PU_MAX * (BUS_PER_SYSTEM if u_kv[bus] < 1.0 else 1.0)
        is_new = not max(was) > high + NOISE_PU
        if is_new and (("bus", bus) in on_path or not u_pu[bus] - min(was) < VOLTAGE_EFFECT_PU):
            yield f"bus:{bus} {min(was):.4f} -> {u_pu[bus]:.4f} pu"


def _before(built: Rebuilt, table: str, index: int) -> list[float]:
    """Return the value without the customer; for what is new, the values of what it stands in for, or NaN."""
    values: Any = built.part.u_pu if table == "bus" else built.part.loading_percent[table]
    if index in values.index:
        return [float(values[index])]
    known = [value for other in built.stands_for.get((table, index), ()) for value in _before(built, table, other)]
    return [value for value in known if math.isfinite(value)] or [math.nan]


def _differences_pu(built: Rebuilt, state: State) -> list[float]:
    """Return the differences to the voltages at the customer's ends that the record tells."""
    return [
        abs(connection.verification.u_pu_customer - float(built.net.res_bus.vm_pu[bus]))
        for connection, bus in zip(state.connections, built.customers, strict=True)
        if connection.verification is not None
    ]
