"""The state after a section is isolated and ties are closed: the net of it, and whether it keeps the limits."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridmodel.capacity.constraints import Constraints, Flags, Floats, build_constraints, measure
from gridmodel.capacity.limits import Limits
from gridmodel.capacity.sections import Section, Tie
from gridmodel.capacity.violations import is_violated
from gridmodel.islands import new_net
from gridmodel.net import Net, element_tables, run_load_flow
from gridmodel.topology import LOW_VOLTAGE_KV_MAX

_ONE_BUS = {"bus": None, "line": "from_bus", "trafo": "hv_bus", "trafo3w": "hv_bus"}
"""Column that says where an element is; an element that carries current is at one place with all its ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the load flow of a post-fault state says."""

    is_legal: bool
    margin_ratio: float
    """Smallest share of a permitted range that is left; negative when broken."""
    binding_kind: str | None
    binding_table: str | None
    binding_element: int | None
    u_pu_min: float
    """Of the buses concerned above 1 kV."""
    line_loading_ratio_max: float
    main_transformer_loading_ratio_max: float
    """Of the receiving main transformer; NaN where there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class NormalState:
    """Islands that ties may join, cut out of the net and solved as they normally are."""

    net: Net
    constraints: Constraints
    before: Floats
    range_of_limit: Floats
    """What is permitted: the loading limit (ratio), or the width of the voltage band (pu)."""

    def judge(self, post: Net, *, on_path: Flags, joined: set[int], buses: pd.Index, main: str | None) -> Verdict:
        """Return what a solved post-fault net means.

        A broken limit of the receiving island counts when it is on the supply path of the tie, when the normal state
        did not break it, or when it has got worse by at least the effect threshold. While nothing counts, the smallest
        margin above 1 kV of the receiving side is what binds (load never raises a voltage: upper limits have none).

        Args:
            post: Solved; made from ``self.net``.
            joined: Buses that hang together with the tie.
            on_path: Limits on the receiving feeder's path to the tie.
            buses: Buses of the receiving feeder and of the part it takes.
            main: Receiving main transformer (``trafo:0``).
        """
        limits = self.constraints
        after = measure(post, limits)
        existed, broken = is_violated(limits, self.before), is_violated(limits, after)
        with np.errstate(invalid="ignore"):
            is_worse = (limits.effects > 0.0) & (limits.signs * (after - self.before) >= limits.effects)
            margin = -limits.excess(after) / self.range_of_limit
        counts = broken & (on_path | ~existed | is_worse) & ~(existed & (limits.kinds == "voltage_high"))
        counts &= self._is_at(joined)
        lines, nodes, mains = self._medium_voltage(buses, main)
        compared = counts if counts.any() else (lines | nodes | mains) & ~broken & (limits.kinds != "voltage_high")
        at = int(np.where(compared & np.isfinite(margin), margin, np.inf).argmin())
        has_binding = bool(compared[at] and np.isfinite(margin[at]))
        return Verdict(
            is_legal=not counts.any(),
            margin_ratio=float(margin[at]) if has_binding else math.inf,
            binding_kind=str(limits.kinds[at]) if has_binding else None,
            binding_table=str(limits.tables[at]) if has_binding else None,
            binding_element=int(limits.elements[at]) if has_binding else None,
            u_pu_min=float(post.res_bus.vm_pu.loc[self._medium_buses(buses)].min()),
            line_loading_ratio_max=_largest(after[lines]),
            main_transformer_loading_ratio_max=_largest(after[mains]),
        )

    def _is_at(self, buses: set[int]) -> Flags:
        """Which limits are of elements at these buses."""
        limits, is_at = self.constraints, np.zeros(len(self.constraints), dtype=bool)
        for table, column in _ONE_BUS.items():
            frame, rows = self.net[table], np.flatnonzero(limits.tables == table)
            at = limits.elements[rows] if column is None else frame[column].loc[limits.elements[rows]].to_numpy()
            is_at[rows] = np.isin(at, list(buses))
        return is_at

    def _medium_buses(self, buses: pd.Index) -> pd.Index:
        table = self.net.bus
        is_asked = table.index.isin(buses) & (table.vn_kv > LOW_VOLTAGE_KV_MAX).to_numpy()
        index: pd.Index = pd.Index(table.index.to_numpy()[is_asked])
        return index

    def _medium_voltage(self, buses: pd.Index, main: str | None) -> tuple[Flags, Flags, Flags]:
        """Which limits are of lines at the buses (above 1 kV), of the buses, and of the main transformer."""
        limits, medium = self.constraints, self._medium_buses(buses)
        touching = self.net.line.index[self.net.line.from_bus.isin(medium) | self.net.line.to_bus.isin(medium)]
        lines = (limits.tables == "line") & np.isin(limits.elements, touching)
        nodes = (limits.tables == "bus") & np.isin(limits.elements, medium)
        table, element = main.split(":") if main is not None else ("", "-1")
        mains = (limits.tables == table) & (limits.elements == int(element))
        return lines, nodes, mains


def normal_state(net: Net, limits: Limits) -> NormalState:
    """Solve ``net`` (its result tables change) and return it with its limits.

    Raises:
        ConvergenceError: No solution.
    """
    run_load_flow(net)
    constraints = build_constraints(net, limits)
    permitted = constraints.limits.copy()
    low, high = constraints.kinds == "voltage_low", constraints.kinds == "voltage_high"
    permitted[low] = permitted[high] = constraints.limits[high] - constraints.limits[low]
    return NormalState(net, constraints, measure(net, constraints), permitted)


def post_fault_net(net: Net, section: Section, ties: Iterable[Tie]) -> Net:
    """Return a copy of ``net`` with the section isolated and dead, and the ties closed."""
    post = new_net(element_tables(net), like=net)
    post.switch.loc[post.switch.index.isin(section.switches), "closed"] = False
    post.line.loc[post.line.index.isin(section.lines), "in_service"] = False
    post.bus.loc[post.bus.index.isin(section.buses), "in_service"] = False
    post.switch.loc[[switch for tie in ties for switch in tie.switches], "closed"] = True
    return post


def _largest(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else math.nan
