"""Post-fault states (故障后运行方式) as nets, for what trees do not answer; and what a solved state means."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from gridmodel.capacity.constraints import Constraints, Flags, Floats, build_constraints, measure
from gridmodel.capacity.limits import Limits
from gridmodel.capacity.sections import Section, Tie
from gridmodel.capacity.switched_graph import SwitchedGraph
from gridmodel.capacity.violations import is_violated
from gridmodel.errors import ConvergenceError
from gridmodel.islands import Islands, new_net
from gridmodel.net import Net, element_tables, run_load_flow
from gridmodel.topology import LOW_VOLTAGE_KV_MAX

_ENDS = {
    "bus": (),
    "line": ("from_bus", "to_bus"),
    "trafo": ("hv_bus", "lv_bus"),
    "trafo3w": ("hv_bus", "mv_bus", "lv_bus"),
}


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


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Reading:
    """What a solved post-fault state measures; all arrays have one entry per limit."""

    limits: Constraints
    before: Floats
    """In the normal state."""
    after: Floats
    permitted: Floats
    """What is permitted: the loading limit (ratio), or the width of the voltage band (pu)."""
    is_received: Flags
    """Limits of elements that hang on the receiving side."""
    on_path: Flags
    """On the receiving feeder's supply path to the tie."""
    lines: Flags
    """Of lines above 1 kV of the receiving feeder and of the part it takes."""
    nodes: Flags
    """Of buses above 1 kV of the same."""
    mains: Flags
    """Of the receiving main transformer."""
    u_pu_min: float

    def judge(self) -> Verdict:
        """Return what the state means.

        A broken limit of the receiving side counts when it is on the supply path of the tie, when the normal state did
        not break it, or when it has got worse by at least the effect threshold. While nothing counts, the smallest
        margin above 1 kV is what binds (load never raises a voltage: upper limits have none).
        """
        limits, is_high = self.limits, self.limits.is_kind("voltage_high")
        existed, broken = is_violated(limits, self.before), is_violated(limits, self.after)
        with np.errstate(invalid="ignore"):
            is_worse = (limits.effects > 0.0) & (limits.signs * (self.after - self.before) >= limits.effects)
            margin = -limits.excess(self.after) / self.permitted
        counts = broken & self.is_received & (self.on_path | ~existed | is_worse) & ~(existed & is_high)
        is_legal = not counts.any()
        compared = (self.lines | self.nodes | self.mains) & ~broken & ~is_high if is_legal else counts
        at = int(np.where(compared & np.isfinite(margin), margin, np.inf).argmin()) if len(limits) else 0
        has_binding = bool(len(limits) and compared[at] and np.isfinite(margin[at]))
        return Verdict(
            is_legal=is_legal,
            margin_ratio=float(margin[at]) if has_binding else math.inf,
            binding_kind=str(limits.kinds[at]) if has_binding else None,
            binding_table=str(limits.tables[at]) if has_binding else None,
            binding_element=int(limits.elements[at]) if has_binding else None,
            u_pu_min=self.u_pu_min,
            line_loading_ratio_max=_largest(self.after[self.lines]),
            main_transformer_loading_ratio_max=_largest(self.after[self.mains]),
        )


def permitted_ranges(limits: Constraints) -> Floats:
    """Return what each limit permits: the loading limit itself (ratio), or the width of the voltage band (pu)."""
    permitted = limits.limits.copy()
    low, high = limits.is_kind("voltage_low"), limits.is_kind("voltage_high")
    permitted[low] = permitted[high] = limits.limits[high] - limits.limits[low]
    return permitted


def post_fault_net(net: Net, section: Section, ties: Iterable[Tie]) -> Net:
    """Return a copy of ``net`` with the section isolated and dead, and the ties closed."""
    post = new_net(element_tables(net), like=net)
    post.switch.loc[post.switch.index.isin(section.switches), "closed"] = False
    post.line.loc[post.line.index.isin(section.lines), "in_service"] = False
    post.bus.loc[post.bus.index.isin(section.buses), "in_service"] = False
    post.switch.loc[[switch for tie in ties for switch in tie.switches], "closed"] = True
    return post


@dataclass(slots=True, eq=False)
class _NormalState:
    """Islands that ties may join, cut out of the net and solved as they normally are."""

    net: Net
    limits: Constraints
    before: Floats


@dataclass(slots=True, eq=False)
class PostFaultNets:
    """States of one net, cut out and solved by the reference load flow."""

    net: Net
    limits: Limits
    graph: SwitchedGraph
    _islands: Islands | None = None
    _nets: dict[frozenset[int], Net] = field(default_factory=dict)
    _normal: dict[frozenset[int], _NormalState | None] = field(default_factory=dict)

    def state(self, section: Section, ties: list[Tie]) -> Net:
        """Return the post-fault net of the islands that the ties join, not solved."""
        return post_fault_net(self.normal_net(ties), section, ties)

    def normal_net(self, ties: list[Tie]) -> Net:
        """Return the islands at both sides of the ties, cut out of the net with every tie open."""
        labels = frozenset(self.graph.label(bus) for tie in ties for bus in (tie.bus_a, tie.bus_b))
        if labels not in self._nets:
            if self._islands is None:
                self._islands = Islands(self.net)
            islands = self._islands
            numbers = sorted({islands.label(bus) for tie in ties for bus in (tie.bus_a, tie.bus_b)})
            self._nets[labels] = _united([islands.cut(number) for number in numbers], like=self.net)
        return self._nets[labels]

    def half_closed(self, tie: Tie, near: int, far: int) -> tuple[Net, int]:
        """Return the normal state with the tie closed at bus ``near`` alone, and the bus at its far end.

        A coupler has no far end of its own: the bus is ``near`` itself.
        """
        net = new_net(element_tables(self.normal_net([tie])), like=self.net)
        if tie.table != "line":
            return net, near
        end = int(net.bus.index.max()) + 1
        net.bus = pd.concat([net.bus, net.bus.loc[[far]].set_axis([end])])
        column = "from_bus" if net.line.from_bus[tie.element] == far else "to_bus"
        net.line.loc[tie.element, column] = end
        net.switch = net.switch[~((net.switch.et == "l") & (net.switch.element == tie.element))]
        return net, end

    def read(
        self, section: Section, ties: list[Tie], *, buses: pd.Index, main: str | None, path: Iterable[object]
    ) -> Reading | None:
        """Return what the state measures; None without a solution, also of the normal state.

        Args:
            section: Isolated.
            ties: Closed; the last one is the one in question.
            buses: Of the receiving feeder and of the part it takes.
            main: Receiving main transformer (``trafo:0``).
            path: Limits on the receiving feeder's path to the tie, as ``(table, element)``.
        """
        post = self.state(section, ties)
        try:
            run_load_flow(post)
        except ConvergenceError:
            return None
        normal = self._normal_state(ties)
        if normal is None:
            return None
        limits, medium = normal.limits, _medium_buses(normal.net, buses)
        keys = list(zip(limits.tables.tolist(), limits.elements.tolist(), strict=True))
        members = set(path)
        return Reading(
            limits=limits,
            before=normal.before,
            after=measure(post, limits),
            permitted=permitted_ranges(limits),
            is_received=_is_at(normal.net, limits, self.graph.joined(section, ties), tuple(_ENDS)),
            on_path=np.array([key in members for key in keys], dtype=bool),
            lines=_is_at(normal.net, limits, set(medium.tolist()), ("line",)),
            nodes=_is_at(normal.net, limits, set(medium.tolist()), ("bus",)),
            mains=np.array([f"{table}:{element}" == main for table, element in keys], dtype=bool),
            u_pu_min=float(post.res_bus.vm_pu.loc[medium].min()),
        )

    def _normal_state(self, ties: list[Tie]) -> _NormalState | None:
        labels = frozenset(self.graph.label(bus) for tie in ties for bus in (tie.bus_a, tie.bus_b))
        if labels not in self._normal:
            net = self.normal_net(ties)
            try:
                run_load_flow(net)
            except ConvergenceError:
                self._normal[labels] = None
            else:
                constraints = build_constraints(net, self.limits)
                self._normal[labels] = _NormalState(net, constraints, measure(net, constraints))
        return self._normal[labels]


def _united(parts: list[Net], *, like: Net) -> Net:
    """Return islands that were cut out of ``like`` as one net, with the bus-bus switches between them."""
    tables: dict[str, list[pd.DataFrame]] = {}
    for part in parts:
        for name, frame in element_tables(part).items():
            tables.setdefault(name, []).append(frame)
    buses = pd.concat(tables["bus"]).index
    between = (like.switch.et == "b") & like.switch.bus.isin(buses) & like.switch.element.isin(buses)
    tables.setdefault("switch", []).append(like.switch[between])
    joined = {name: pd.concat(frames) for name, frames in tables.items()}
    return new_net({name: frame[~frame.index.duplicated()].sort_index() for name, frame in joined.items()}, like=like)


def _is_at(net: Net, limits: Constraints, buses: set[int], tables: Iterable[str]) -> Flags:
    """Return which limits are of elements of some tables with an end at these buses."""
    found, wanted = np.zeros(len(limits), dtype=bool), list(buses)
    for table in tables:
        rows = limits.rows_of(table)
        elements = limits.elements[rows]
        places = [net[table][column].loc[elements].to_numpy() for column in _ENDS[table]] or [elements]
        found[rows] = np.logical_or.reduce([np.isin(place, wanted) for place in places])
    return found


def _medium_buses(net: Net, buses: pd.Index) -> pd.Index:
    table = net.bus
    is_asked = table.index.isin(buses) & (table.vn_kv > LOW_VOLTAGE_KV_MAX).to_numpy()
    index: pd.Index = pd.Index(table.index.to_numpy()[is_asked])
    return index


def _largest(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else math.nan
