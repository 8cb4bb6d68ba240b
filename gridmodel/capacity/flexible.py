"""Flexible connection (柔性接入): what can connect if it stays below a curve over the day, or follows a given one.

A capacity is exact in every hour, so the least of a class of hours holds in each of them, and a load ``P * shape(h)``
is admissible in every hour where ``P`` is at most the least of ``capacity(h) / shape(h)``.
See ``decisions/0006-hours.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Literal

import numpy as np
import pandas as pd

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.bracket import round_down
from gridmodel.capacity.constraints import Floats
from gridmodel.capacity.direction import Direction
from gridmodel.capacity.hour_minimum import ClassMinimum
from gridmodel.capacity.hour_study import HoursStudy, Method, Progress
from gridmodel.capacity.hours import CONFIRM_NODES, worst_hour_table
from gridmodel.capacity.limits import Limits
from gridmodel.capacity.search import CEILING_KW, wanted_buses
from gridmodel.errors import InputError
from gridmodel.net import Net
from gridmodel.profiles import SEASONS, LoadProfiles, hour_of_year

By = Literal["hour_of_day", "season_hour"]


def flexible_capacity(
    net: Net,
    profiles: LoadProfiles,
    *,
    limits: Limits,
    by: By = "hour_of_day",
    power_factor: float = 0.95,
    buses: Iterable[int] | None = None,
    hours: Sequence[str] | None = None,
    direction: Direction = "load",
    method: Method = "full",
    ceiling_kw: float = CEILING_KW,
    seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return what each bus can still carry by hour of day; ``net`` is not changed.

    Args:
        net: A pandapower network with a ``profile`` column in ``load`` (and ``sgen``).
        profiles: Multipliers of every hour; labels must tell month and hour (:func:`gridmodel.profiles.hour_of_year`).
        limits: Operating limits.
        by: Classes of hours: the hour of day, or season and hour of day.
        power_factor: Of the extra load, lagging, in (0, 1].
        buses: Bus indices; default all buses in service.
        hours: Labels of the hours; default all of the profiles.
        direction: ``load`` or ``generation``, see :func:`gridmodel.open_capacity`.
        method: ``full`` solves every hour, ``screened`` only those that may be the least of their class somewhere;
            with many classes that is most of them.
        ceiling_kw: Largest load tried (kW).
        seed: Of the hours solved as an audit.
        progress: Called with work done and work in total (hours of islands); what it raises ends the calculation.

    Returns:
        Index = bus; ``status``, ``reason``; ``firm_kw``, the least of all hours; ``h00_kw`` ... ``h23_kw``
        (``winter_h00_kw`` ...), the least of each class that occurs; ``flexible_gain_ratio``, by how much more energy
        the curve admits than the firm capacity over the hours asked for (NaN where that is 0). Capacities are NaN
        where an hour cannot be assessed. ``attrs["hours"]`` says how many hours were solved.

    Raises:
        InputError: An argument is outside its range or names no bus or hour, or a label tells no hour.
    """
    _check_choices(by, method)
    wanted = wanted_buses(net, buses, power_factor, ceiling_kw, "none")
    rows = profiles.rows_of(hours)
    names, kind = _classes([profiles.hours[row] for row in rows], by)
    study = HoursStudy(
        net,
        profiles,
        limits,
        tan_phi=math.tan(math.acos(power_factor)),
        ceiling_kw=ceiling_kw,
        direction=direction,
        progress=progress,
    )
    distinct = study.distinct(rows, kind, np.ones(len(rows)))
    base, islands = study.prepare(distinct, wanted)
    least = ClassMinimum(wanted, len(names), ceiling_kw)
    solved = study.run(base, islands, wanted, distinct, least, method=method, seed=seed)
    solved.hours_total = len(rows)
    table = _curve_table(wanted, least, names, np.bincount(kind, minlength=len(names)))
    table.attrs["hours"] = asdict(solved)
    return table


def capacity_for_shape(
    net: Net,
    profiles: LoadProfiles,
    shape: Mapping[str, float],
    *,
    limits: Limits,
    power_factor: float = 0.95,
    buses: Iterable[int] | None = None,
    direction: Direction = "load",
    method: Method = "screened",
    ceiling_kw: float = CEILING_KW,
    confirm_nodes: int = CONFIRM_NODES,
    seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return the largest peak of a load that follows ``shape``, with ``P * shape`` admissible in every hour.

    Args:
        net: A pandapower network with a ``profile`` column in ``load`` (and ``sgen``).
        profiles: Multipliers of every hour.
        shape: Share of its peak that the load takes, by hour label, each in [0, 1]; one per hour of ``profiles``
            (see :func:`shape_by_hour_of_day`). An hour of share 0 does not count.
        limits: Operating limits.
        power_factor: Of the extra load, lagging, in (0, 1], the same in every hour.
        buses: Bus indices; default all buses in service.
        direction: ``load`` or ``generation``, see :func:`gridmodel.open_capacity`.
        method: ``full`` solves every hour, ``screened`` only those that may bind somewhere.
        ceiling_kw: Largest peak told (kW).
        confirm_nodes: How many rows the reference load flow checks in their hour.
        seed: Of the hours solved as an audit and of the rows confirmed.
        progress: Called with work done and work in total (hours of islands); what it raises ends the calculation.

    Returns:
        The columns of :func:`gridmodel.capacity.hours.capacity_over_hours`; ``capacity_kw`` is the peak.

    Raises:
        InputError: The shape does not fit the hours, or another argument is outside its range.
        EngineDisagreementError: The reference load flow does not confirm a value.
    """
    wanted = wanted_buses(net, buses, power_factor, ceiling_kw, "none")
    share = _shares(shape, profiles)
    rows = np.flatnonzero(share > 0.0)
    tan_phi = math.tan(math.acos(power_factor))
    study = HoursStudy(
        net, profiles, limits, tan_phi=tan_phi, ceiling_kw=ceiling_kw, direction=direction, progress=progress
    )
    table = worst_hour_table(
        study,
        profiles,
        wanted,
        rows.tolist(),
        share[rows],
        tan_phi=tan_phi,
        method=method,
        ceiling_kw=ceiling_kw,
        confirm_nodes=confirm_nodes,
        seed=seed,
    )
    table["capacity_kw"] = round_down(table.capacity_kw.to_numpy(dtype=float))
    return table


def shape_by_hour_of_day(profiles: LoadProfiles, share: Sequence[float]) -> dict[str, float]:
    """Return the shape of a load that takes the same curve every day, from its 24 shares of the peak.

    Raises:
        InputError: There are not 24 of them, or a label of ``profiles`` tells no hour.
    """
    if len(share) != 24:
        raise InputError("wrong length", field="share", value=len(share), allowed="24, one per hour of day")
    return {label: float(share[hour_of_year(label).hour]) for label in profiles.hours}


def _check_choices(by: str, method: str) -> None:
    if by not in ("hour_of_day", "season_hour"):
        raise InputError("unknown choice", field="by", value=by, allowed="hour_of_day, season_hour")
    if method not in ("screened", "full"):
        raise InputError("unknown choice", field="method", value=method, allowed="screened, full")


def _classes(labels: list[str], by: By) -> tuple[list[str], Integers]:
    """Return the names of the classes that occur, in order of season and hour, and the class of each hour."""
    season_of = {month: number for number, months in enumerate(SEASONS.values()) for month in months}
    keys = []
    for label in labels:
        at = hour_of_year(label)
        keys.append((season_of[at.month] if by == "season_hour" else -1, at.hour))
    found = sorted(set(keys))
    seasons = list(SEASONS)
    names = [f"h{hour:02d}" if season < 0 else f"{seasons[season]}_h{hour:02d}" for season, hour in found]
    place = {key: at for at, key in enumerate(found)}
    return names, np.array([place[key] for key in keys], dtype=np.int64)


def _shares(shape: Mapping[str, float], profiles: LoadProfiles) -> Floats:
    """Return the share of each hour of the profiles."""
    unknown = sorted(set(shape) - set(profiles.hours))
    if unknown:
        raise InputError("hour is not in the profiles", field="shape", value=unknown[0], allowed="their labels")
    for label in profiles.hours:
        value = shape.get(label)
        if value is None or not 0.0 <= value <= 1.0:
            raise InputError(
                "share out of range", field="shape", row=label, value=value, allowed="[0, 1] for every hour"
            )
    share = np.array([shape[label] for label in profiles.hours], dtype=float)
    if not share.any():
        raise InputError("is 0 in every hour", field="shape", allowed="a share above 0 in some hour")
    return share


def _curve_table(buses: Integers, least: ClassMinimum, names: list[str], hours_of_class: Integers) -> pd.DataFrame:
    value_kw = np.where(np.isneginf(least.capacity_kw.min(axis=1, keepdims=True)), np.nan, least.capacity_kw)
    firm_kw = value_kw.min(axis=1)
    mean_kw = value_kw @ hours_of_class / hours_of_class.sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        gain_ratio = np.where(firm_kw > 0.0, mean_kw / firm_kw - 1.0, np.nan)
    columns = {"status": least.status, "reason": least.reason, "firm_kw": firm_kw}
    columns |= {f"{name}_kw": value_kw[:, at] for at, name in enumerate(names)}
    columns |= {"flexible_gain_ratio": gain_ratio}
    return pd.DataFrame(columns, index=pd.Index(buses, dtype="int64", name="bus"))
