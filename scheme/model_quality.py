"""Records of physics beyond loading and voltage: short circuit, voltage step, harmonics, flicker, unbalance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

QualityVerdict = Literal["ok", "exceeded", "needs_study", "not_known"]
"""``needs_study``: the first-level screening does not settle it; ``not_known``: data are missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityCheck:
    """One check of a variant against a limit."""

    code: str
    text: str
    value: float | None
    """In ``unit``, ratios per one; ``None`` where it cannot be computed."""
    unit: str
    limit: float | None
    verdict: QualityVerdict
    clause: str
    note: str = ""
    """What was assumed, or what must be supplied."""
    remedy: str = ""
    """What makes an exceeded limit kept; empty where nothing does, which refuses the point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PermittedHarmonic:
    """谐波电流允许值 of the customer at the point of common coupling."""

    order: int
    permitted_a: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseChoice:
    """What the customer does to the voltages of the point when connected to one phase."""

    phase: Literal["A", "B", "C"]
    unbalance_ratio: float
    """Negative over positive-sequence voltage with the customer."""
    added_unbalance_ratio: float
    """The customer's own share of it."""
    load_kw: float | None
    """Load of the phase in the transformer area before; ``None`` where no load tells its phase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerQuality:
    """Checks of one variant; a limit that is exceeded and has a remedy is a condition."""

    checks: tuple[QualityCheck, ...]
    conditions: tuple[str, ...] = ()
    """What the variant is feasible under."""
    data_needed: tuple[str, ...] = ()
    proposed_phase: Literal["A", "B", "C"] | None = None
    """Phase with the least load, for single-phase customers; ``None`` where the phases of loads are not known."""
    phases: tuple[PhaseChoice, ...] = ()
    permitted_harmonics: tuple[PermittedHarmonic, ...] = ()
    """For customers with distorting loads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageSecurity:
    """What is left of the supply when one section of the network is out (N-1, 故障后供电能力)."""

    status: Literal["other_source", "restorable", "own_section", "not_restorable"]
    """``other_source``: another source carries the required share alone; ``restorable``: ties restore the point after
    every outage; ``own_section``: of all but its own section; ``not_restorable``: not after some other outage."""
    n1_kva: float | None
    """Largest capacity at the point that every such state still carries; ``None`` where there is none or it is open."""
    is_carried: bool | None
    """Whether that covers the customer; ``None`` where it is open."""
    outage_element_id: str | None
    """Section whose outage decides; ``None`` where none does."""
