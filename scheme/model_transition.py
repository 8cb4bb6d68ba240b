"""Transition schemes (过渡方案) and the tasks of joint work (专业联动), as records of a scheme.

They belong to :mod:`scheme.model`, which names them too; units stand in the names, ``None`` means not known.
"""

from __future__ import annotations

from dataclasses import dataclass

from scheme.model_variant import ConnectionPoint, Cost, Route, Verification


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One thing done to the public grid (改造措施)."""

    code: str
    """``load_transfer`` | ``larger_transformer`` | ``reconductoring`` | ``new_transformer_area`` |
    ``new_ring_main_unit`` | ``new_bay`` | ``section_switch`` | ``new_line`` | ``larger_main_transformer``."""
    text: str
    element_ids: tuple[str, ...]
    """Imported elements it touches; elements it builds are described in the text."""
    quantity: float
    unit: str
    type_id: str | None = None
    """Row of the equipment catalogue that is installed; ``None`` where the measure needs none or leaves it open."""
    sn_kva: float | None = None
    """New rating of a transformer."""
    fraction_along: float | None = None
    """Where on the line named it starts, counted from the line's first end; ``None`` at a node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionStage:
    """One stage (阶段); nothing but what its load flow verified is promised."""

    stage_no: int
    capacity_kva: float
    """Available from this stage on, in total; 0 where nothing can be connected before the works."""
    connection_point: ConnectionPoint | None
    connection_mode: str | None
    route: Route | None
    measures: tuple[Measure, ...]
    """Done to the public grid before this stage is energised, the connection itself not counted."""
    verification: Verification | None
    """The grid with the measures and the stage's whole capacity."""
    cost: Cost | None
    """Connection and measures of this stage."""
    duration_workdays: int | None
    """``None`` where the policy gives no duration for a part of the works."""
    starts_after: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionOption:
    """A verified way to the full demand."""

    code: str
    """Kinds of measures in the order applied, joined by ``+``; ``another_point`` where the grid stays as it is."""
    text: str
    capacity_kva: float
    connection_point: ConnectionPoint
    measures: tuple[Measure, ...]
    verification: Verification
    cost: Cost
    duration_workdays: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedOption:
    """A way that was tried and does not carry the full demand."""

    code: str
    text: str
    element_source_id: str | None
    """Connection point it was tried at."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """What can be connected now and how the rest follows."""

    demand_kva: float
    is_complete: bool
    """Whether a path to the full demand is verified; else ``tasks`` say who finds one."""
    stages: tuple[TransitionStage, ...]
    alternatives: tuple[TransitionOption, ...]
    """Other verified ways, cheapest first."""
    failed: tuple[FailedOption, ...]
    funding: str
    """Where the money of the supporting works (配套工程) comes from."""
    load_flows: int
    """Load flows spent on finding it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTask:
    """What a department of the utility does; never the customer."""

    department: str
    """``发展`` | ``设备`` | ``建设`` | ``营销`` | ``物资`` | ``调控`` | ``配网``."""
    code: str
    text: str
    due: str
    """When it is to be done, as a rule in words."""
