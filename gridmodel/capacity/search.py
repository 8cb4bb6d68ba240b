"""Open capacity (可开放容量) of buses: the largest extra load the AC load flow carries within limits, and what binds.

See ``decisions/0002-open-capacity-search.md`` for how values are searched and certified.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import get_args

import numpy as np
import pandas as pd

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.base_case import BaseCase, solve_base_case
from gridmodel.capacity.certificate import SAMPLE_NODES, Confirm, certify
from gridmodel.capacity.direction import Direction
from gridmodel.capacity.island_search import IslandSearch, Progress
from gridmodel.capacity.limits import Limits
from gridmodel.errors import InputError
from gridmodel.net import Net

CEILING_KW = 1e6
"""Where the search stops when nothing limits a bus (1 GW, far above any distribution connection)."""


def open_capacity(
    net: Net,
    *,
    limits: Limits,
    power_factor: float = 0.95,
    buses: Iterable[int] | None = None,
    direction: Direction = "load",
    ceiling_kw: float = CEILING_KW,
    confirm: Confirm = "sample",
    confirm_nodes: int = SAMPLE_NODES,
    seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return the open capacity of buses, one row each; ``net`` is not changed.

    Capacities of different buses are not additive: each is that of one load alone.

    Args:
        net: A pandapower network.
        limits: Operating limits.
        power_factor: Of the extra load, lagging, in (0, 1]; generation delivers active and reactive power.
        buses: Bus indices; default all buses in service.
        direction: ``load``, or ``generation`` for the capacity for distributed generation (分布式电源可开放容量): the
            largest constant power fed in, stopped by upper voltage limits and by loadings.
        ceiling_kw: Largest load tried (kW); a bus that carries it has ``limit_kind`` ``ceiling``.
        confirm: Which rows other load flows check: the reference a seeded ``sample``, ``all`` or ``none``; ``bulk`` is
            the sample, and every row by power-grid-model.
        confirm_nodes: Size of the sample.
        seed: Seed of the sample.
        progress: Called with buses done and buses in total.

    Returns:
        Index = bus; ``capacity_kw`` (kW, rounded down to 0.1, NaN where there is none), ``status``, ``limit_kind``,
        ``limit_table``, ``limit_element``, ``reason`` (why not assessed), ``engine``, ``notes`` (limits broken off the
        supply path that do not count), ``u_pu`` (voltage without the load). ``attrs["certificate"]`` holds
        ``confirm``, ``nodes_checked`` and ``difference_kw_max`` of the reference, ``base_difference_pu_max`` and
        ``bulk``; see :class:`gridmodel.capacity.certificate.Certificate`.

    Raises:
        InputError: An argument is outside its range or names no bus.
        EngineDisagreementError: The reference load flow does not confirm a value.
    """
    wanted = wanted_buses(net, buses, power_factor, ceiling_kw, confirm)
    if direction not in ("load", "generation"):
        raise InputError("unknown choice", field="direction", value=direction, allowed="load, generation")
    base = solve_base_case(net, limits)
    return search_base_case(
        base,
        wanted,
        power_factor=power_factor,
        direction=direction,
        ceiling_kw=ceiling_kw,
        confirm=confirm,
        confirm_nodes=confirm_nodes,
        seed=seed,
        progress=progress,
    )


def search_base_case(
    base: BaseCase,
    wanted: Integers,
    *,
    power_factor: float,
    direction: Direction = "load",
    ceiling_kw: float = CEILING_KW,
    confirm: Confirm = "sample",
    confirm_nodes: int = SAMPLE_NODES,
    seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return the table of :func:`open_capacity` for a base case that is solved already."""
    tan_phi = math.tan(math.acos(power_factor))
    search = IslandSearch(base, tan_phi=tan_phi, ceiling_kw=ceiling_kw, direction=direction, progress=progress)
    rows = search.run(wanted)
    certificate = certify(
        base, rows, tan_phi=tan_phi, confirm=confirm, nodes=confirm_nodes, seed=seed, direction=direction
    )
    table = rows.to_table(base.constraints, base.u_pu_of(rows.bus))
    table.attrs["certificate"] = certificate.as_dict()
    return table


def wanted_buses(
    net: Net, buses: Iterable[int] | None, power_factor: float, ceiling_kw: float, confirm: str
) -> Integers:
    """Return the buses asked for, each once, in the order given; default all in service.

    Raises:
        InputError: An argument is outside its range or names no bus.
    """
    if not 0.0 < power_factor <= 1.0:
        raise InputError("power factor out of range", field="power_factor", value=power_factor, allowed="(0, 1]")
    if not ceiling_kw > 0.0:
        raise InputError("ceiling out of range", field="ceiling_kw", value=ceiling_kw, allowed="> 0")
    if confirm not in get_args(Confirm):
        raise InputError("unknown choice", field="confirm", value=confirm, allowed=", ".join(get_args(Confirm)))
    if buses is None:
        return np.asarray(net.bus.index[net.bus.in_service.to_numpy(dtype=bool)], dtype=np.int64)
    wanted = np.array(list(dict.fromkeys(int(bus) for bus in buses)), dtype=np.int64)
    unknown = wanted[~np.isin(wanted, net.bus.index)]
    if len(unknown):
        raise InputError("bus does not exist", field="buses", value=int(unknown[0]), allowed="indices of net.bus")
    return wanted
