"""Load transfer (转供): which part behind an isolated section can be supplied over which tie, by AC load flow.

What is counted, how ties are compared and what is left out: ``decisions/0007-transfer.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace

import pandas as pd

from gridmodel.capacity.limits import Limits
from gridmodel.capacity.post_fault import NormalState, normal_state, post_fault_net
from gridmodel.capacity.sections import Section, SwitchedGraph, Tie, sections_of, ties_of
from gridmodel.errors import ConvergenceError, InputError
from gridmodel.islands import Islands
from gridmodel.net import Net, copy_net, run_load_flow
from gridmodel.topology import SupplyTopology

_KW_PER_MW = 1e3


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCheck:
    """One tie tried for one part behind one isolated section; the fields are the columns of :func:`transfers`."""

    outage: str
    """Section that is isolated."""
    tie: str
    feeder_from: str
    """Feeder that has lost the part."""
    feeder_to: str | None
    """Feeder that receives it; None where the tie ends at a busbar."""
    main_to: str | None
    direction: str
    """``a_to_b`` when load moves from side a of the tie to side b, else ``b_to_a``."""
    buses_moved: int
    load_moved_kw: float
    is_solved: bool
    is_legal: bool
    margin_ratio: float
    """Smallest margin: share of the permitted range that is left, negative when broken."""
    binding_kind: str | None = None
    binding_table: str | None = None
    binding_element: int | None = None
    u_pu_min: float = math.nan
    """Of the receiving feeder and the part, above 1 kV."""
    line_loading_ratio_max: float = math.nan
    main_transformer_loading_ratio_max: float = math.nan
    is_chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """What one section's outage interrupts and how it is restored."""

    section: Section
    own: tuple[int, ...]
    """Buses without supply until the repair."""
    restored: tuple[tuple[Tie, tuple[int, ...]], ...]
    """Ties closed, each with the part it carries."""
    not_restored: tuple[tuple[int, ...], ...]
    checks: tuple[TransferCheck, ...]

    @property
    def ties(self) -> list[Tie]:
        """Ties closed after this outage."""
        return [tie for tie, _ in self.restored]


@dataclass(slots=True, eq=False)
class TransferStudy:
    """Outages of one net, tried one after the other; build it once where several questions are asked."""

    net: Net
    limits: Limits
    topology: SupplyTopology = field(init=False)
    feeders: pd.DataFrame = field(init=False)
    ties: list[Tie] = field(init=False)
    sections: list[Section] = field(init=False)
    graph: SwitchedGraph = field(init=False)
    states_solved: int = 0
    """Post-fault states solved so far."""
    _nets: dict[frozenset[int], Net] = field(default_factory=dict)
    _normal: dict[frozenset[int], NormalState | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.topology = SupplyTopology(self.net)
        self.feeders = self.topology.feeders()
        self.ties = ties_of(self.net, self.feeders)
        self.sections = sections_of(self.net, self.feeders)
        self.graph = SwitchedGraph(self.net)

    def outages(self, wanted: Iterable[str] | None = None) -> list[Outage]:
        """Return the outages of the sections named (default all), in the order of the sections.

        Raises:
            InputError: A name is no section of the net.
        """
        names = {section.section for section in self.sections}
        chosen = names if wanted is None else set(wanted)
        if chosen - names:
            raise InputError(
                "no such section", field="outages", value=min(chosen - names), allowed="index of find_sections"
            )
        return [self.outage(section) for section in self.sections if section.section in chosen]

    def outage(self, section: Section) -> Outage:
        """Isolate a section and restore its parts, most buses first, each by the best tie that keeps the limits."""
        loss = self.graph.loss(section)
        lost = {bus for part in loss.parts for bus in part} | set(loss.own)
        candidates = {part: self._candidates(section, part, lost) for part in loss.parts}
        labels = frozenset(
            self.graph.label(bus) for ties in candidates.values() for tie in ties for bus in (tie.bus_a, tie.bus_b)
        )
        restored: list[tuple[Tie, tuple[int, ...]]] = []
        checks: list[TransferCheck] = []
        for part, ties in candidates.items():
            tried = [self._check(section, part, tie, [tie for tie, _ in restored], labels) for tie in ties]
            best = max(tried, key=lambda check: (check.is_legal, check.margin_ratio), default=None)
            for check, tie in zip(tried, ties, strict=True):
                if check is best and check.is_legal:
                    restored.append((tie, part))
                    checks.append(replace(check, is_chosen=True))
                else:
                    checks.append(check)
        carried = {part for _, part in restored}
        return Outage(
            section=section,
            own=loss.own,
            restored=tuple(restored),
            not_restored=tuple(part for part in loss.parts if part not in carried),
            checks=tuple(checks),
        )

    def state(self, outage: Outage) -> tuple[Net, set[int]]:
        """Return the post-fault net of the islands concerned (not solved) and the buses that hang on its ties."""
        labels = frozenset(self.graph.label(bus) for tie in outage.ties for bus in (tie.bus_a, tie.bus_b))
        net = post_fault_net(self._joined_net(labels), outage.section, outage.ties)
        return net, self.graph.joined(outage.section, outage.ties)

    def _candidates(self, section: Section, part: tuple[int, ...], lost: set[int]) -> list[Tie]:
        """Ties with one side in the part and the other one supplied; not those that lie in the section itself."""
        members = set(part)
        return [
            tie
            for tie in self.ties
            if (tie.bus_a in members) != (tie.bus_b in members)
            and not {tie.bus_a, tie.bus_b} <= lost
            and not (tie.table == "line" and tie.element in section.lines)
        ]

    def _joined_net(self, labels: frozenset[int]) -> Net:
        """Return the islands that ties may join, cut out of the net; the ties are open."""
        if labels not in self._nets:
            joined = copy_net(self.net)
            between = [tie for tie in self.ties if {self.graph.label(b) for b in (tie.bus_a, tie.bus_b)} <= labels]
            switches = [switch for tie in between for switch in tie.switches]
            joined.switch.loc[switches, "closed"] = True
            islands = Islands(joined)
            net = islands.cut(islands.label(between[0].bus_a))
            net.switch.loc[switches, "closed"] = False
            self._nets[labels] = net
        return self._nets[labels]

    def _normal_state(self, labels: frozenset[int]) -> NormalState | None:
        """Return the joined islands as they normally are; None where that has no solution."""
        if labels not in self._normal:
            try:
                self._normal[labels] = normal_state(self._joined_net(labels), self.limits)
            except ConvergenceError:
                self._normal[labels] = None
        return self._normal[labels]

    def _check(
        self, section: Section, part: tuple[int, ...], tie: Tie, closed: list[Tie], labels: frozenset[int]
    ) -> TransferCheck:
        normal = self._normal_state(labels)
        moves_from_a = tie.bus_a in part
        near, feeder_to, main_to = (
            (tie.bus_b, tie.feeder_b, tie.main_b) if moves_from_a else (tie.bus_a, tie.feeder_a, tie.main_a)
        )
        check = TransferCheck(
            outage=section.section,
            tie=tie.tie,
            feeder_from=section.feeder,
            feeder_to=feeder_to,
            main_to=main_to,
            direction="a_to_b" if moves_from_a else "b_to_a",
            buses_moved=len(part),
            load_moved_kw=load_kw(self.net, part),
            is_solved=False,
            is_legal=False,
            margin_ratio=-math.inf,
        )
        if normal is None:
            return check
        net = post_fault_net(normal.net, section, [*closed, tie])
        self.states_solved += 1
        try:
            run_load_flow(net)
        except ConvergenceError:
            return check
        receiving = self.feeders.index[self.feeders.feeder == feeder_to] if feeder_to else pd.Index([near])
        buses = receiving.union(pd.Index(part))
        on_path = normal.constraints.is_on_path(self.topology.path(near))
        if tie.table == "line":
            on_path |= (normal.constraints.tables == "line") & (normal.constraints.elements == tie.element)
        joined = self.graph.joined(section, [*closed, tie])
        verdict = normal.judge(net, on_path=on_path, joined=joined, buses=buses, main=main_to)
        return replace(check, is_solved=True, **asdict(verdict))


def transfers(net: Net, *, limits: Limits, outages: Iterable[str] | None = None) -> pd.DataFrame:
    """Return one row per isolated section, part behind it and tie that reaches the part; ``net`` is not changed.

    Args:
        net: Network in its normal state, with the loads of the hour that counts.
        limits: Limits after the fault.
        outages: Sections to isolate (index of :func:`find_sections`); default all.

    Returns:
        Columns: the fields of :class:`TransferCheck`. ``attrs["states_solved"]`` is the number of load flows.

    Raises:
        InputError: ``outages`` names no section.
    """
    study = TransferStudy(net, limits)
    rows = [check for outage in study.outages(outages) for check in outage.checks]
    names = list(TransferCheck.__dataclass_fields__)
    table = pd.DataFrame([{name: getattr(row, name) for name in names} for row in rows], columns=names)
    table["binding_element"] = table["binding_element"].astype("Int64")
    table.attrs["states_solved"] = study.states_solved
    return table


def load_kw(net: Net, buses: Iterable[int]) -> float:
    """Return the load in service at some buses (kW)."""
    load = net.load[net.load.in_service.astype(bool) & net.load.bus.isin(list(buses))]
    return float((load.p_mw * load.scaling).sum()) * _KW_PER_MW
