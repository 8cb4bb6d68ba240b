"""N-1 capacity: what a bus can still take when any one section is out and ties have restored what they can.

Definitions and what is left out: ``decisions/0007-transfer.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from gridmodel.capacity.limits import Limits
from gridmodel.capacity.search import CEILING_KW, open_capacity, wanted_buses
from gridmodel.capacity.smallest import SmallestCapacities
from gridmodel.capacity.transfer import Outage, Progress, TransferStudy
from gridmodel.net import Net

_LIMIT_COLUMNS = ["limit_kind", "limit_table", "limit_element"]


def n_minus_one_capacity(
    net: Net,
    *,
    limits: Limits,
    post_fault_limits: Limits | None = None,
    power_factor: float = 0.95,
    buses: Iterable[int] | None = None,
    outages: Iterable[str] | None = None,
    outage_buses: Iterable[int] | None = None,
    ceiling_kw: float = CEILING_KW,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return normal capacity and the capacity that survives any single section outage; ``net`` is not changed.

    Args:
        net: Network in its normal state.
        limits: Operating limits of the normal state.
        post_fault_limits: Limits while a section is out; default ``limits``.
        power_factor: Of the extra load, lagging, in (0, 1].
        buses: Bus indices; default all buses in service.
        outages: Sections to isolate (index of :func:`gridmodel.capacity.sections.find_sections`); default all.
        outage_buses: Isolate only sections with a line that ends at one of these; default all.
        ceiling_kw: Largest load tried (kW).
        progress: Called with steps done and steps in total: an outage to restore is one, and so is its capacities'
            search.

    Returns:
        Index = bus; ``capacity_kw`` and ``status`` of the normal state; ``n1_status``: ``restorable`` (every outage
        that interrupts the bus is restored, or none does), ``own_section`` (the same but for the repair of its own
        section), ``not_restorable`` (some other outage leaves it without supply), or the status of a state in which no
        capacity could be assessed; ``n1_capacity_kw`` (NaN where not restorable or not assessed); ``n1_outage``,
        ``n1_tie`` (ties closed, joined by a space; None when the normal state is the smallest),
        ``n1_limit_kind``, ``n1_limit_table``, ``n1_limit_element``, ``n1_engine``. ``attrs["post_fault_states"]``
        counts the states whose capacities were searched.

    Raises:
        InputError: An argument is outside its range or names nothing.
    """
    wanted = wanted_buses(net, buses, power_factor, ceiling_kw, "none")
    study = TransferStudy(net, post_fault_limits or limits, power_factor=power_factor)

    def report(offset: int) -> Progress | None:
        if progress is None:
            return None
        return lambda done, total: progress(offset * total + done, 2 * total)

    if outage_buses is not None:
        outages = _sections_at(study, set(outage_buses)) & set(outages or (s.section for s in study.sections))
    plans = study.outages(outages, report(0))
    normal = open_capacity(
        net, limits=limits, power_factor=power_factor, buses=wanted, ceiling_kw=ceiling_kw, confirm="none"
    )
    smallest = SmallestCapacities(study.states, normal, ceiling_kw=ceiling_kw)
    told = report(1)
    for number, plan in enumerate(plans):
        if plan.restored:
            smallest.keep_state(number, plan)
        if told is not None:
            told(number + 1, len(plans))
    return _as_table(normal, smallest, plans, _interrupted(plans))


def _sections_at(study: TransferStudy, buses: set[int]) -> set[str]:
    line = study.states.net.line
    is_at = (line.from_bus.isin(buses) | line.to_bus.isin(buses)).to_dict()
    return {section.section for section in study.sections if any(is_at[one] for one in section.lines)}


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
    normal: pd.DataFrame, smallest: SmallestCapacities, plans: list[Outage], interrupted: dict[int, tuple[str, str]]
) -> pd.DataFrame:
    outages = np.array([*(plan.section.section for plan in plans), None], dtype=object)
    ties = np.array([*(" ".join(tie.tie for tie in plan.ties) for plan in plans), None], dtype=object)
    n1 = smallest.table()
    n1["outage"], n1["tie"] = outages[smallest.state], ties[smallest.state]
    left = [interrupted.get(bus, ("restorable", None)) for bus in normal.index.tolist()]
    assessed = (n1.status == "assessed").to_numpy()
    status = np.array([status for status, _ in left], dtype=object)
    n1["status"] = np.where(assessed, status, n1.status)
    lost = assessed & (status == "not_restorable")
    n1.loc[lost, "capacity_kw"] = math.nan
    n1.loc[lost, [*_LIMIT_COLUMNS, "tie"]] = None
    n1.loc[lost, "engine"] = ""
    n1.loc[lost, "outage"] = np.array([outage for _, outage in left], dtype=object)[lost]
    names = ["status", "capacity_kw", "outage", "tie", *_LIMIT_COLUMNS, "engine"]
    added = n1[names].set_axis([f"n1_{name}" for name in names], axis=1)
    table = pd.concat([normal[["capacity_kw", "status", *_LIMIT_COLUMNS]], added], axis=1)
    table.attrs["post_fault_states"] = sum(bool(plan.restored) for plan in plans)
    return table


def feeder_transfer_summary(
    net: Net,
    *,
    limits: Limits,
    outages: Iterable[str] | None = None,
    power_factor: float = 0.95,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return one row per feeder: how much of its load keeps supply after any single section outage.

    Args:
        net: Network in its normal state, with the loads of the hour that counts (the peak, for a peak figure).
        limits: Limits after the fault.
        outages: Sections to isolate; default all.
        power_factor: Of further load, lagging, in (0, 1].
        progress: Called with outages done and outages in total.

    Returns:
        Index = ``feeder``; ``main`` (transformer), ``peak_load_kw`` (loads as they stand in the net), ``ties``,
        ``sections`` (that were isolated), ``sections_restored`` (every part behind them is restored),
        ``restorable_load_ratio`` (load restored over load interrupted behind the sections, summed over their outages;
        NaN where no outage interrupts load behind its section), ``worst_outage`` and ``worst_not_restored_kw`` (the
        outage that leaves most load behind it without supply; None and 0 where none does),
        ``is_n_minus_one_secure`` (every part behind every section is restored), ``extra_kw_min`` (the least further
        load that the tie of a restored part could take, over its outages: what the feeder may still grow by at its
        worst place; NaN where no tie restores anything) and ``extra_outage`` (which outage that is).

    Raises:
        InputError: ``outages`` names no section, or the power factor is outside its range.
    """
    study = TransferStudy(net, limits, power_factor=power_factor)
    plans: dict[str, list[Outage]] = {}
    for plan in study.outages(outages, progress):
        plans.setdefault(plan.section.feeder, []).append(plan)
    feeders = {section.feeder for section in study.sections}
    table = study.states.feeders
    rows = [
        _feeder_row(study, str(feeder), of, plans.get(str(feeder), []))
        for feeder, of in table[table.feeder.isin(feeders)].groupby("feeder")
    ]
    return pd.DataFrame(rows).set_index("feeder")


def _feeder_row(study: TransferStudy, feeder: str, of: pd.DataFrame, own: list[Outage]) -> dict[str, object]:
    def load_kw(parts: Iterable[Iterable[int]]) -> float:
        return sum((study.states.load_of(part)[0] for part in parts), 0.0)

    left = [load_kw(plan.not_restored) for plan in own]
    restored_kw = sum(load_kw(part for _, part in plan.restored) for plan in own)
    interrupted_kw = restored_kw + sum(left)
    worst = max(range(len(own)), key=left.__getitem__, default=None)
    chosen = [check for plan in own for check in plan.checks if check.is_chosen and not math.isnan(check.extra_kw)]
    least = min(chosen, key=lambda check: check.extra_kw, default=None)
    table, element = of.main_table.iloc[0], of.main_element.iloc[0]
    return {
        "feeder": feeder,
        "main": None if table is None else f"{table}:{element}",
        "peak_load_kw": load_kw([of.index.tolist()]),
        "ties": sum(feeder in (tie.feeder_a, tie.feeder_b) for tie in study.ties),
        "sections": len(own),
        "sections_restored": sum(not plan.not_restored for plan in own),
        "restorable_load_ratio": restored_kw / interrupted_kw if interrupted_kw > 0.0 else math.nan,
        "worst_outage": own[worst].section.section if worst is not None and left[worst] > 0.0 else None,
        "worst_not_restored_kw": left[worst] if worst is not None else 0.0,
        "is_n_minus_one_secure": not any(plan.not_restored for plan in own),
        "extra_kw_min": math.nan if least is None else least.extra_kw,
        "extra_outage": None if least is None else least.outage,
    }
