"""Open capacity over load profiles: per bus the least of all hours, and the hour that binds.

See ``decisions/0006-hours.md`` for which hours are solved and how a wrong choice of hours is found.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.certificate import certify
from gridmodel.capacity.constraints import Floats
from gridmodel.capacity.direction import Direction
from gridmodel.capacity.hour_minimum import WorstHour
from gridmodel.capacity.hour_study import HoursStudy, Method, Progress
from gridmodel.capacity.limits import Limits
from gridmodel.capacity.rows import EXISTING_VIOLATION, Rows
from gridmodel.capacity.search import CEILING_KW, wanted_buses
from gridmodel.errors import InputError
from gridmodel.net import Net
from gridmodel.profiles import LoadProfiles

CONFIRM_NODES = 5


def capacity_over_hours(
    net: Net,
    profiles: LoadProfiles,
    *,
    limits: Limits,
    power_factor: float = 0.95,
    buses: Iterable[int] | None = None,
    hours: Sequence[str] | None = None,
    direction: Direction = "load",
    method: Method = "screened",
    ceiling_kw: float = CEILING_KW,
    confirm_nodes: int = CONFIRM_NODES,
    seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return the open capacity of buses as the minimum over hours; ``net`` is not changed.

    A load or static generator whose ``profile`` names a profile is multiplied by it, any other keeps its value. A bus
    that cannot be assessed in one hour cannot be assessed at all; the row names the hour.

    Args:
        net: A pandapower network with a ``profile`` column in ``load`` (and ``sgen``).
        profiles: Multipliers of every hour.
        limits: Operating limits.
        power_factor: Of the extra load, lagging, in (0, 1]; the extra load is the same in every hour.
        buses: Bus indices; default all buses in service.
        hours: Labels of the hours; default all of the profiles.
        direction: ``load`` or ``generation``, see :func:`gridmodel.open_capacity`. Generation is fed in fully in every
            hour asked for (ask for daylight hours) and searched in every hour.
        method: ``full`` solves every hour, ``screened`` only those that may bind somewhere.
        ceiling_kw: Largest load tried (kW).
        confirm_nodes: How many rows the reference load flow checks in their hour.
        seed: Of the hours solved as an audit and of the rows confirmed.
        progress: Called with work done and work in total (hours of islands); what it raises ends the calculation.

    Returns:
        The columns of ``open_capacity`` and ``limit_hour``, the label of the hour that binds (of equal ones the first;
        None where nothing binds). ``attrs["hours"]`` says how many hours were solved, ``attrs["certificate"]`` what
        was confirmed.

    Raises:
        InputError: An argument is outside its range or names no bus or hour.
        EngineDisagreementError: The reference load flow does not confirm a value.
    """
    wanted = wanted_buses(net, buses, power_factor, ceiling_kw, "none")
    rows = profiles.rows_of(hours)
    tan_phi = math.tan(math.acos(power_factor))
    study = HoursStudy(
        net, profiles, limits, tan_phi=tan_phi, ceiling_kw=ceiling_kw, direction=direction, progress=progress
    )
    return worst_hour_table(
        study,
        profiles,
        wanted,
        rows,
        np.ones(len(rows)),
        tan_phi=tan_phi,
        method=method,
        ceiling_kw=ceiling_kw,
        confirm_nodes=confirm_nodes,
        seed=seed,
    )


def worst_hour_table(
    study: HoursStudy,
    profiles: LoadProfiles,
    wanted: Integers,
    rows: list[int],
    share: Floats,
    *,
    tan_phi: float,
    method: Method,
    ceiling_kw: float,
    confirm_nodes: int,
    seed: int,
) -> pd.DataFrame:
    """Return the table of :func:`capacity_over_hours` for a load of which ``share`` is connected in each hour.

    ``capacity_kw`` is the load at share 1.
    """
    if method not in ("screened", "full"):
        raise InputError("unknown choice", field="method", value=method, allowed="screened, full")
    hours = study.distinct(rows, np.zeros(len(rows), dtype=np.int64), share)
    base, islands = study.prepare(hours, wanted)
    worst = WorstHour(wanted, islands, base.constraints, base.engine)
    solved = study.run(base, islands, wanted, hours, worst, method=method, seed=seed)
    solved.hours_total = len(rows)
    worst.finish(ceiling_kw)
    certificate = _confirm(study, worst, tan_phi, confirm_nodes, seed)
    table = worst.rows.to_table(base.constraints, worst.u_pu)
    table["capacity_kw"] = np.where(table.status == "assessed", worst.peak_kw, np.nan)
    labels = np.array(profiles.hours, dtype=object)
    label = np.where(worst.is_named, labels[worst.hour], None)
    table["limit_hour"] = pd.Series(label, index=table.index, dtype=object)
    failed = table.limit_hour.notna() & (table.status == "not_assessable")
    table.loc[failed, "reason"] = "hour " + table.limit_hour[failed] + ": " + table.reason[failed]
    table.attrs["certificate"] = certificate
    table.attrs["hours"] = asdict(solved)
    return table


def _confirm(study: HoursStudy, worst: WorstHour, tan_phi: float, nodes: int, seed: int) -> dict[str, object]:
    """Let the reference check some rows, each in its own hour, and return what it saw."""
    rows = worst.rows
    places = np.flatnonzero((rows.status == "assessed") & (rows.kind != EXISTING_VIOLATION)).tolist()
    chosen = np.array(random.Random(seed).sample(places, min(nodes, len(places))), dtype=np.int64)  # noqa: S311
    differences = [0.0] if len(chosen) else []
    for hour in np.unique(worst.hour[chosen]).tolist():
        at = chosen[worst.hour[chosen] == hour]
        some = Rows(rows.bus[at])
        for place, row in enumerate(at.tolist()):
            some.put_row(place, rows.row(row))
        seen = certify(
            study.base(hour),
            some,
            tan_phi=tan_phi,
            confirm="all",
            nodes=len(at),
            seed=seed,
            direction=study.direction,
        )
        differences.append(seen.difference_kw_max or 0.0)
    return {"nodes_checked": len(chosen), "difference_kw_max": max(differences, default=None)}
