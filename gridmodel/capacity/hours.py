"""Open capacity over load profiles: per bus the least of all hours, and the hour that binds.

See ``decisions/0006-hours.md`` for which hours are solved and how a wrong choice of hours is found.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.base_case import BaseCase, solve_base_case
from gridmodel.capacity.bracket import RESOLUTION_KW
from gridmodel.capacity.certificate import certify
from gridmodel.capacity.constraints import Floats
from gridmodel.capacity.island_search import IslandSearch
from gridmodel.capacity.limits import Limits
from gridmodel.capacity.rows import Row, Rows
from gridmodel.capacity.search import CEILING_KW, wanted_buses
from gridmodel.errors import InputError
from gridmodel.net import Net, copy_net
from gridmodel.profiles import LoadProfiles, notes_on, profiled_elements

Method = Literal["screened", "full"]
TYPES_MAX = 40
"""With more profiles in use than this they are metered curves, not types: every hour is solved."""
SHARE_MAX = 0.5
"""When screening names more than this share of the hours, every hour is solved."""
AUDIT_HOURS = 4
"""So many of the hours left out are solved all the same; one lower value among them, and every hour is solved."""
CONFIRM_NODES = 5
_TIE_DIGITS_KW = 3
_TIE_DIGITS_EXCESS = 9
"""Hours that agree to these digits differ by the solvers' residue only, and the first one is named."""

Progress = Callable[[int, int], None]


@dataclass(slots=True, kw_only=True)
class HoursSolved:
    """Which hours were solved, and why."""

    method: Method
    hours_total: int
    hours_distinct: int
    """Without those whose multipliers repeat an earlier hour's."""
    hours_solved: int = 0
    """Solved exactly for all buses."""
    hours_audited: int = 0
    """Of these, solved only to check the screening."""
    buses_in_every_hour: int = 0
    """Buses that screening cannot speak for (rings, voltage-controlled generators): solved in every hour."""
    fallback: str = ""
    """Why every hour was solved although screening was asked for."""
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """The worst hour of one bus so far."""

    row: Row
    hour: int
    order: tuple[float, int, float, int]
    u_pu: float
    is_hour_named: bool


def capacity_over_hours(
    net: Net,
    profiles: LoadProfiles,
    *,
    limits: Limits,
    power_factor: float = 0.95,
    buses: Iterable[int] | None = None,
    hours: Sequence[str] | None = None,
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
        method: ``full`` solves every hour, ``screened`` only those that may bind somewhere.
        ceiling_kw: Largest load tried (kW).
        confirm_nodes: How many rows the reference load flow checks in their hour.
        seed: Of the hours solved as an audit and of the rows confirmed.
        progress: Called with hours done and hours in total, as far as known.

    Returns:
        The columns of ``open_capacity`` and ``limit_hour``, the label of the hour that binds (of equal ones the first;
        None where nothing binds). ``attrs["hours"]`` says how many hours were solved, ``attrs["certificate"]`` what
        was confirmed.

    Raises:
        InputError: An argument is outside its range or names no bus or hour.
        EngineDisagreementError: The reference load flow does not confirm a value.
    """
    if method not in ("screened", "full"):
        raise InputError("unknown choice", field="method", value=method, allowed="screened, full")
    wanted = wanted_buses(net, buses, power_factor, ceiling_kw, "none").tolist()
    rows = profiles.rows_of(hours)
    study = _HoursStudy(net, profiles, limits, math.tan(math.acos(power_factor)), ceiling_kw, progress)
    solved = study.run(wanted, rows, method, seed)
    table = study.table(wanted)
    table.attrs["certificate"] = study.confirm(confirm_nodes, seed)
    table.attrs["hours"] = asdict(solved)
    return table


class _HoursStudy:
    """One copy of the net whose loads are set hour by hour, and the worst hour of every bus so far."""

    def __init__(
        self,
        net: Net,
        profiles: LoadProfiles,
        limits: Limits,
        tan_phi: float,
        ceiling_kw: float,
        progress: Progress | None,
    ) -> None:
        self._net, self._profiles, self._limits = copy_net(net), profiles, limits
        self._tan_phi, self._ceiling_kw, self._progress = tan_phi, ceiling_kw, progress
        self._elements = profiled_elements(net, profiles)
        self._worst: dict[int, _Answer] = {}
        self._last_base: BaseCase | None = None
        self._done = 0

    def run(self, buses: list[int], rows: list[int], method: Method, seed: int) -> HoursSolved:
        """Solve what is needed of the hours ``rows``."""
        distinct = self._distinct(rows)
        solved = HoursSolved(
            method=method, hours_total=len(rows), hours_distinct=len(distinct), notes=notes_on(self._elements)
        )
        types = len(self._columns_in_use())
        if method == "screened" and types > TYPES_MAX:
            solved.fallback = f"{types} profiles in use, more than {TYPES_MAX}: metered curves, not types"
        if method == "full" or solved.fallback:
            self._solve(distinct, buses, len(distinct))
            solved.hours_solved = len(distinct)
        else:
            self._run_screened(buses, distinct, solved, seed)
        return solved

    def _run_screened(self, buses: list[int], rows: list[int], solved: HoursSolved, seed: int) -> None:
        from gridmodel.capacity.hour_screen import HourScreen

        lightest = min(rows, key=self._load_mw)
        screen = HourScreen(self._base(lightest), self._elements, self._profiles, row=lightest, tan_phi=self._tan_phi)
        for row in rows:
            screen.see(row)
        covered = [bus for bus in buses if screen.covers(bus)]
        uncovered = [bus for bus in buses if not screen.covers(bus)]
        named = screen.worst_hours(covered)
        chosen = [row for row in rows if row in named] or rows[:1]
        left_out = [row for row in rows if row not in named and row not in chosen]
        solved.buses_in_every_hour = len(uncovered)
        if len(chosen) > SHARE_MAX * len(rows):
            solved.fallback = f"{len(chosen)} of {len(rows)} hours may bind, more than {SHARE_MAX:g} of them"
            self._solve(rows, buses, len(rows))
            solved.hours_solved = len(rows)
            return
        audit = sorted(random.Random(seed).sample(left_out, min(AUDIT_HOURS, len(left_out))))  # noqa: S311 - no secret
        self._solve(chosen, buses, len(chosen) + len(audit))
        before = dict(self._worst)
        self._solve(audit, buses, len(chosen) + len(audit))
        solved.hours_solved, solved.hours_audited = len(chosen) + len(audit), len(audit)
        rest = [row for row in left_out if row not in audit]
        lower = [bus for bus in covered if self._worst[bus].order[0] < before[bus].order[0] - RESOLUTION_KW]
        if lower:
            solved.fallback = f"an audited hour is lower than those screening named at {len(lower)} buses"
            self._solve(rest, buses, len(rows))
            solved.hours_solved = len(rows)
        elif uncovered:
            self._solve(rest, uncovered, len(rows))

    def _distinct(self, rows: list[int]) -> list[int]:
        """Return the hours without those that repeat an earlier one in all profiles in use."""
        columns = self._columns_in_use()
        seen: dict[bytes, int] = {}
        for row in rows:
            seen.setdefault(
                self._profiles.p_all[row, columns].tobytes() + self._profiles.q_all[row, columns].tobytes(), row
            )
        return list(seen.values())

    def _columns_in_use(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        columns = np.unique(np.concatenate([part.column for part in self._elements.values()]))
        return np.asarray(columns[columns >= 0], dtype=np.int64)

    def _load_mw(self, row: int) -> float:
        return float(self._elements["load"].at(self._profiles, row)[0].sum())

    def _base(self, row: int) -> BaseCase:
        """Return the solved base case of one hour."""
        for table, part in self._elements.items():
            p_mw, q_mvar = part.at(self._profiles, row)
            self._net[table]["p_mw"], self._net[table]["q_mvar"] = p_mw, q_mvar
        return solve_base_case(self._net, self._limits)

    def _solve(self, rows: list[int], buses: list[int], total: int) -> None:
        """Solve hours exactly and keep what is worst."""
        for row in rows:
            base = self._base(row)
            found = IslandSearch(base, tan_phi=self._tan_phi, ceiling_kw=self._ceiling_kw).run(_as_array(buses))
            excess = base.constraints.excess(base.values)
            for answer, u in zip(found, base.u_pu_of(found.bus).tolist(), strict=True):
                self._keep(answer, row, u, base, excess)
            self._last_base = base
            self._done += 1
            if self._progress is not None:
                self._progress(self._done, total)

    def _keep(self, row: Row, hour: int, u_pu: float, base: BaseCase, excess: Floats) -> None:
        order = (*_order(row, excess), hour)
        known = self._worst.get(row.bus)
        if known is None or order < known.order:
            is_unsolved = row.status == "not_assessable" and row.bus in base.unsolved
            binds = row.status == "assessed" and row.limit_kind != "ceiling"
            self._worst[row.bus] = _Answer(
                row=row, hour=hour, order=order, u_pu=u_pu, is_hour_named=binds or is_unsolved
            )

    def table(self, buses: list[int]) -> pd.DataFrame:
        """Return the worst hour of every bus."""
        base = self._last_base
        if base is None:
            raise RuntimeError("no hour was solved")
        answers = [self._worst[bus] for bus in buses]
        table = _as_rows([answer.row for answer in answers]).to_table(
            base.constraints, np.array([answer.u_pu for answer in answers])
        )
        hours = [self._profiles.hours[a.hour] if a.is_hour_named else None for a in answers]
        table["limit_hour"] = pd.Series(hours, index=table.index, dtype=object)
        failed = table.limit_hour.notna() & (table.status == "not_assessable")
        table.loc[failed, "reason"] = "hour " + table.limit_hour[failed] + ": " + table.reason[failed]
        return table

    def confirm(self, nodes: int, seed: int) -> dict[str, object]:
        """Let the reference check some rows, each in its own hour, and return what it saw."""
        answers = [
            answer
            for answer in self._worst.values()
            if answer.row.status == "assessed" and answer.row.limit_kind != "existing_violation"
        ]
        chosen = random.Random(seed).sample(answers, min(nodes, len(answers)))  # noqa: S311 - no secret
        differences = [0.0] if chosen else []
        for hour in sorted({answer.hour for answer in chosen}):
            rows = _as_rows([answer.row for answer in chosen if answer.hour == hour])
            seen = certify(self._base(hour), rows, tan_phi=self._tan_phi, confirm="all", nodes=len(rows), seed=seed)
            differences.append(seen.difference_kw_max or 0.0)
        return {"nodes_checked": len(chosen), "difference_kw_max": max(differences, default=None)}


def _as_array(buses: list[int]) -> Integers:
    return np.array(buses, dtype=np.int64)


def _as_rows(answers: list[Row]) -> Rows:
    rows = Rows(_as_array([answer.bus for answer in answers]))
    for at, answer in enumerate(answers):
        rows.put_row(at, answer)
    return rows


def _order(row: Row, excess: Floats) -> tuple[float, int, float]:
    """Return by what hours of one bus are compared: the least capacity, then what is broken most or breaks first.

    Args:
        row: Of one hour.
        excess: Of every limit in the base case of that hour.
    """
    if row.status != "assessed":
        return (-math.inf, 0, 0.0)
    if row.limit_kind == "existing_violation":
        return (row.capacity_kw, 0, 0.0 if row.limit is None else round(-float(excess[row.limit]), _TIE_DIGITS_EXCESS))
    return (row.capacity_kw, 1, round(row.breaks_kw, _TIE_DIGITS_KW))
