"""N-1 capacity: what a bus can still take when any one section is out and ties have restored what they can.

Definitions and what is left out: ``decisions/0007-transfer.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import pandas as pd

from gridmodel.capacity.limits import Limits
from gridmodel.capacity.search import CEILING_KW, open_capacity
from gridmodel.capacity.transfer import Outage, TransferStudy, load_kw
from gridmodel.net import Net

_LIMIT_COLUMNS = ["limit_kind", "limit_table", "limit_element"]


@dataclass(slots=True)
class _Smallest:
    """Smallest capacity of one bus so far."""

    capacity_kw: float
    status: str
    limit: tuple[object, object, object]
    outage: str | None = None
    ties: str | None = None


def n_minus_one_capacity(
    net: Net,
    *,
    limits: Limits,
    post_fault_limits: Limits | None = None,
    power_factor: float = 0.95,
    buses: Iterable[int] | None = None,
    outages: Iterable[str] | None = None,
    ceiling_kw: float = CEILING_KW,
) -> pd.DataFrame:
    """Return normal capacity and the capacity that survives any single section outage; ``net`` is not changed.

    Args:
        net: Network in its normal state.
        limits: Operating limits of the normal state.
        post_fault_limits: Limits while a section is out; default ``limits``.
        power_factor: Of the extra load, lagging, in (0, 1].
        buses: Bus indices; default all buses in service.
        outages: Sections to isolate (index of :func:`gridmodel.capacity.sections.find_sections`); default all.
        ceiling_kw: Largest load tried (kW).

    Returns:
        Index = bus; ``capacity_kw`` and ``status`` of the normal state; ``n1_status``: ``restorable`` (every outage
        that interrupts the bus is restored, or none does), ``own_section`` (the same but for the repair of its own
        section), ``not_restorable`` (some other outage leaves it without supply), or the status of a state in which no
        capacity could be assessed; ``n1_capacity_kw`` (NaN where not restorable or not assessed); ``n1_outage``,
        ``n1_tie`` (ties closed, joined by a space; None when the normal state is the smallest),
        ``n1_limit_kind``, ``n1_limit_table``, ``n1_limit_element``. ``attrs["post_fault_states"]`` counts the states
        whose capacities were searched.

    Raises:
        InputError: An argument is outside its range or names nothing.
    """
    table = open_capacity(
        net, limits=limits, power_factor=power_factor, buses=buses, ceiling_kw=ceiling_kw, confirm="none"
    )
    allowed = post_fault_limits or limits
    study = TransferStudy(net, allowed)
    plans = study.outages(outages)
    smallest = dict(_rows(table))
    states = [plan for plan in plans if plan.restored]
    for plan in states:
        post, joined = study.state(plan)
        concerned = [bus for bus in smallest if bus in joined and bus in post.bus.index]
        found = open_capacity(
            post, limits=allowed, power_factor=power_factor, buses=concerned, ceiling_kw=ceiling_kw, confirm="none"
        )
        _keep_smaller(smallest, found, plan)
    return _as_table(table, smallest, _interrupted(plans), len(states))


def _rows(table: pd.DataFrame) -> Iterator[tuple[int, _Smallest]]:
    limits = zip(*(table[name].tolist() for name in _LIMIT_COLUMNS), strict=True)
    columns = (table.index.tolist(), table.capacity_kw.tolist(), table.status.tolist(), limits)
    for bus, capacity_kw, status, limit in zip(*columns, strict=True):
        yield bus, _Smallest(capacity_kw, status, limit)


def _keep_smaller(smallest: dict[int, _Smallest], found: pd.DataFrame, plan: Outage) -> None:
    ties = " ".join(tie.tie for tie in plan.ties)
    for bus, now in _rows(found):
        so_far = smallest[bus]
        if so_far.status == "assessed" and (now.status != "assessed" or now.capacity_kw < so_far.capacity_kw):
            smallest[bus] = replace(now, outage=plan.section.section, ties=ties)


def _interrupted(plans: list[Outage]) -> dict[int, tuple[str, str]]:
    """Status and outage of buses that some outage leaves without supply; the first such outage counts."""
    found: dict[int, tuple[str, str]] = {}
    for plan in plans:
        for part in plan.not_restored:
            for bus in part:
                if found.get(bus, ("", ""))[0] != "not_restorable":
                    found[bus] = ("not_restorable", plan.section.section)
        for bus in plan.own:
            found.setdefault(bus, ("own_section", plan.section.section))
    return found


def _as_table(
    normal: pd.DataFrame, smallest: dict[int, _Smallest], interrupted: dict[int, tuple[str, str]], states: int
) -> pd.DataFrame:
    rows = []
    for bus, least in smallest.items():
        status, outage = interrupted.get(bus, ("restorable", ""))
        if least.status != "assessed":
            status = least.status
        if status == "not_restorable":
            least = _Smallest(math.nan, status, (None, None, None), outage)
        rows.append([status, least.capacity_kw, least.outage, least.ties, *least.limit])
    names = ["n1_status", "n1_capacity_kw", "n1_outage", "n1_tie", *(f"n1_{name}" for name in _LIMIT_COLUMNS)]
    added = pd.DataFrame(rows, columns=names, index=normal.index, dtype=object).astype({"n1_capacity_kw": float})
    table = pd.concat([normal[["capacity_kw", "status", *_LIMIT_COLUMNS]], added], axis=1)
    table.attrs["post_fault_states"] = states
    return table


def feeder_transfer_summary(net: Net, *, limits: Limits, outages: Iterable[str] | None = None) -> pd.DataFrame:
    """Return one row per feeder: how much of its load keeps supply after any single section outage.

    Args:
        net: Network in its normal state, with the loads of the hour that counts (the peak, for a peak figure).
        limits: Limits after the fault.
        outages: Sections to isolate; default all.

    Returns:
        Index = ``feeder``; ``main`` (transformer), ``peak_load_kw`` (loads as they stand in the net), ``ties``,
        ``sections`` (that were isolated), ``sections_restored`` (every part behind them is restored),
        ``restorable_load_ratio`` (load restored over load interrupted behind the sections, summed over their outages;
        NaN where no outage interrupts load behind its section), ``worst_outage`` and ``worst_not_restored_kw`` (the
        outage that leaves most load behind it without supply; None and 0 where none does),
        ``is_n_minus_one_secure`` (every part behind every section is restored).

    Raises:
        InputError: ``outages`` names no section.
    """
    study = TransferStudy(net, limits)
    plans = study.outages(outages)
    rows = []
    feeders = {section.feeder for section in study.sections}
    for feeder, of in study.feeders[study.feeders.feeder.isin(feeders)].groupby("feeder"):
        own = [plan for plan in plans if plan.section.feeder == feeder]
        left = [sum(load_kw(net, part) for part in plan.not_restored) for plan in own]
        restored_kw = sum(load_kw(net, part) for plan in own for _, part in plan.restored)
        interrupted_kw = restored_kw + sum(left)
        worst = max(range(len(own)), key=left.__getitem__, default=None)
        table, element = of.main_table.iloc[0], of.main_element.iloc[0]
        rows.append(
            {
                "feeder": feeder,
                "main": None if table is None else f"{table}:{element}",
                "peak_load_kw": load_kw(net, of.index),
                "ties": sum(feeder in (tie.feeder_a, tie.feeder_b) for tie in study.ties),
                "sections": len(own),
                "sections_restored": sum(not plan.not_restored for plan in own),
                "restorable_load_ratio": restored_kw / interrupted_kw if interrupted_kw > 0.0 else math.nan,
                "worst_outage": own[worst].section.section if worst is not None and left[worst] > 0.0 else None,
                "worst_not_restored_kw": left[worst] if worst is not None else 0.0,
                "is_n_minus_one_secure": not any(plan.not_restored for plan in own),
            }
        )
    return pd.DataFrame(rows).set_index("feeder")
