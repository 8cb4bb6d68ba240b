"""Load transfer (转供): which part behind an isolated section can be supplied over which tie, by AC load flow.

What is counted, how ties are compared and what is left out: ``decisions/0007-transfer.md``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields, replace

import pandas as pd

from gridmodel.capacity.limits import Limits
from gridmodel.capacity.post_fault_states import PostFaultStates
from gridmodel.capacity.sections import Section, Tie
from gridmodel.errors import InputError
from gridmodel.net import Net

Progress = Callable[[int, int], None]
"""Called with what is done and what there is to do."""


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
    load_moved_kva: float
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
    extra_kw: float = math.nan
    """Further load that the lost side of the tie could take in this state; NaN unless legal."""
    extra_limit_kind: str | None = None
    extra_limit_table: str | None = None
    extra_limit_element: int | None = None
    engine: str = ""
    """What solved the state: ``path`` or ``pandapower``."""
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


class TransferStudy:
    """Outages of one net, tried one after the other; build it once where several questions are asked."""

    def __init__(self, net: Net, limits: Limits, *, power_factor: float = 0.95) -> None:
        """Find ties and sections and solve the normal state; ``power_factor`` is that of further load, in (0, 1]."""
        self.states = PostFaultStates(net, limits, power_factor=power_factor)
        self.states_solved = 0
        """Post-fault states solved so far."""

    @property
    def ties(self) -> list[Tie]:
        """Ties of the net."""
        return self.states.ties

    @property
    def sections(self) -> list[Section]:
        """Sections of the net."""
        return self.states.sections

    def outages(self, wanted: Iterable[str] | None = None, progress: Progress | None = None) -> list[Outage]:
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
        found: list[Outage] = []
        for section in self.sections:
            if section.section in chosen:
                found.append(self.outage(section))
                if progress is not None:
                    progress(len(found), len(chosen))
        return found

    def outage(self, section: Section) -> Outage:
        """Isolate a section and restore its parts, most buses first, each by the best tie that keeps the limits."""
        loss = self.states.graph.loss(section)
        lost = {bus for part in loss.parts for bus in part} | set(loss.own)
        restored: list[tuple[Tie, tuple[int, ...]]] = []
        checks: list[TransferCheck] = []
        for part in loss.parts:
            ties = self._candidates(section, part, lost)
            tried = [self._check(section, part, tie, [tie for tie, _ in restored]) for tie in ties]
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

    def _check(self, section: Section, part: tuple[int, ...], tie: Tie, closed: list[Tie]) -> TransferCheck:
        side = "b" if tie.bus_a in part else "a"
        load_kw, load_kva = self.states.load_of(part)
        check = TransferCheck(
            outage=section.section,
            tie=tie.tie,
            feeder_from=section.feeder,
            feeder_to=tie.feeder_b if side == "b" else tie.feeder_a,
            main_to=tie.main_b if side == "b" else tie.main_a,
            direction=f"{'a' if side == 'b' else 'b'}_to_{side}",
            buses_moved=len(part),
            load_moved_kw=load_kw,
            load_moved_kva=load_kva,
            is_solved=False,
            is_legal=False,
            margin_ratio=-math.inf,
        )
        if self.states.has_unsolved((tie.bus_a, tie.bus_b)):
            return check
        self.states_solved += 1
        found = self.states.check(section, [*closed, tie], part, near_side=side)
        if found is None:
            return check
        return replace(
            check,
            is_solved=True,
            engine=found.engine,
            extra_kw=found.extra.kw,
            extra_limit_kind=found.extra.limit_kind,
            extra_limit_table=found.extra.limit_table,
            extra_limit_element=found.extra.limit_element,
            **asdict(found.verdict),
        )


def transfers(
    net: Net,
    *,
    limits: Limits,
    outages: Iterable[str] | None = None,
    power_factor: float = 0.95,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return one row per isolated section, part behind it and tie that reaches the part; ``net`` is not changed.

    Args:
        net: Network in its normal state, with the loads of the hour that counts.
        limits: Limits after the fault.
        outages: Sections to isolate (index of :func:`find_sections`); default all.
        power_factor: Of the further load, lagging, in (0, 1].
        progress: Called with outages done and outages in total.

    Returns:
        Columns: the fields of :class:`TransferCheck`. ``attrs["states_solved"]`` is the number of load flows.

    Raises:
        InputError: ``outages`` names no section, or the power factor is outside its range.
    """
    study = TransferStudy(net, limits, power_factor=power_factor)
    rows = [check for outage in study.outages(outages, progress) for check in outage.checks]
    names = [column.name for column in fields(TransferCheck)]
    table = pd.DataFrame([{name: getattr(row, name) for name in names} for row in rows], columns=names)
    for column in ("binding_element", "extra_limit_element"):
        table[column] = table[column].astype("Int64")
    table.attrs["states_solved"] = study.states_solved
    return table


def tie_capacities(net: Net, *, limits: Limits, power_factor: float = 0.95) -> pd.DataFrame:
    """Return what each tie could carry to its other side, one row per direction; ``net`` is not changed.

    It is the largest load at the far end of the closed tie, with the receiving side as it normally is: no transfer over
    the tie can move more, and one whose loads are spread behind the tie moves less.

    Args:
        net: Network in its normal state, with the loads of the hour that counts.
        limits: Limits after the fault.
        power_factor: Of the load, lagging, in (0, 1].

    Returns:
        Columns: ``tie``, ``direction``, ``feeder_to``, ``main_to``, ``capacity_kw``, ``capacity_kva`` (NaN where there
        is none), ``limit_kind``, ``limit_table``, ``limit_element`` (of the receiving side or the tie itself),
        ``engine``.

    Raises:
        InputError: The power factor is outside its range.
    """
    study = TransferStudy(net, limits, power_factor=power_factor)
    rows: list[dict[str, object]] = []
    for tie in study.ties:
        for side, feeder, main in (("b", tie.feeder_b, tie.main_b), ("a", tie.feeder_a, tie.main_a)):
            found = study.states.capacity_of_tie(tie, near_side=side)
            rows.append(
                {
                    "tie": tie.tie,
                    "direction": f"{'a' if side == 'b' else 'b'}_to_{side}",
                    "feeder_to": feeder,
                    "main_to": main,
                    "capacity_kw": found.kw,
                    "capacity_kva": found.kw / power_factor,
                    "limit_kind": found.limit_kind,
                    "limit_table": found.limit_table,
                    "limit_element": found.limit_element,
                    "engine": found.engine,
                }
            )
    names = ["tie", "direction", "feeder_to", "main_to", "capacity_kw", "capacity_kva"]
    names += ["limit_kind", "limit_table", "limit_element", "engine"]
    return pd.DataFrame(rows, columns=names).astype({"limit_element": "Int64"})
