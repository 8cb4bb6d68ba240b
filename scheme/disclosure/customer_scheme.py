"""The customer's scheme: plain records with exactly what a customer may know. They share nothing with the internal
ones, so that a field added there never appears here by itself. ``None`` means not known or not applicable, never 0.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerReasonText:
    """One of the fixed reasons."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSite:
    """What the own site can be told: yes, up to a banded capacity, or that works or study come first."""

    answer: Literal["feasible", "feasible_up_to", "needs_works", "needs_review"]
    capacity_kva: float | None
    """Asked for, or the band reached before works; ``None`` where nothing can be promised now."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSource:
    """A supply source (电源) without its place in the grid."""

    source_no: int
    role: str
    kind: str
    supply_voltage: str
    capacity_kva: float
    connection_mode: str
    point: str
    """Never the equipment: handed over on site (现场交底)."""
    substation: str | None
    feeder: str | None
    """Both ``None`` unless the policy shows names."""
    laying: str
    line_label: str
    route_length_m: float
    """Rounded up."""
    entry_mode: str
    ownership_boundary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSupply:
    """Voltage level, capacity and sources."""

    voltage: str
    phases: str
    capacity_kva: float
    calculated_load_kw: float
    power_factor: float
    source_count: int
    sources: tuple[CustomerSource, ...]
    operation_mode: str | None
    interlock: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerStage:
    """A stage of a transition scheme; capacities before the last are banded."""

    stage_no: int
    capacity_kva: float | None
    duration_workdays: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerWork:
    """A work on the customer's side."""

    text: str
    quantity: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerReceiving:
    """受电系统方案."""

    point_kind: str
    transformers: tuple[str, ...]
    main_connection: str
    operation_mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerMetering:
    """计量点."""

    point_no: int
    purpose: str
    mode: str
    position: str
    voltage: str
    wiring: str
    meter: str
    meter_class: str
    ct_ratio: str | None
    ct_class: str | None
    pt_ratio: str | None
    pt_class: str | None
    terminal: str
    loss_apportion: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerTariff:
    """计费方案."""

    price_class: str | None
    is_time_of_use: bool | None
    capacity_charge: str | None
    power_factor_standard: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerProtection:
    """Protection, compensation and emergency source as they concern the customer's own installation."""

    incoming: str | None
    boundary_switch: str | None
    notes: tuple[str, ...]
    compensation: str | None
    compensation_kvar_min: float | None
    emergency: str | None
    emergency_kw_min: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerInvestment:
    """投资界面."""

    boundary: str
    utility_scope: str
    customer_scope: str
    offers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFee:
    """营业费用."""

    name: str
    unit_price_cny: str | None
    quantity: float | None
    amount_cny: str | None
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerMilestone:
    """A step with its days."""

    text: str
    starts_on: str | None
    ends_on: str | None
    needs_text: str = ""
    """What would give the missing date; empty where nothing is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerTimeline:
    """时限 and milestones."""

    limit: int | None
    limit_unit: str | None
    planned_on: str | None
    promise_on: str | None
    promise_text: str
    milestones: tuple[CustomerMilestone, ...]
    limit_on: str | None = None
    """Last day the whole process may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerVariantPoint:
    """How one source of a variant is connected, without its place in the grid."""

    source_no: int
    connection_mode: str
    laying: str
    line_label: str
    route_length_m: float
    """Rounded up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerVariant:
    """One way to connect, as far as a customer compares it (方案比选)."""

    variant_no: int
    """Place in the ranking, 1 is recommended."""
    points: tuple[CustomerVariantPoint, ...]
    customer_cost_cny10k: float
    utility_cost_cny10k: float
    """Shares of the works by the investment boundary (投资界面), both rounded up."""
    promise_on: str | None
    promise_not_before_on: str | None
    """Both ``None`` while a step has no date."""
    promise_text: str
    planned_on: str | None
    outage_security: str | None
    """``other_source`` | ``restorable`` | ``own_section`` | ``not_restorable``; ``None`` where it was not studied."""
    is_carried_in_outage: bool | None
    conditions: tuple[str, ...]
    data_needed: tuple[str, ...]
    dates_needed: tuple[str, ...]
    """What would date the steps that have no date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerScheme:
    """One answered request as its customer may read it."""

    scheme_id: str
    request_id: str
    audience: Literal["customer"]
    request: dict[str, Any]
    """As the customer sent it; the site's coordinates as entered."""
    replied_on: str
    verdict: str
    verdict_text: str
    is_binding: bool
    """``False`` for a consultation."""
    reasons: tuple[CustomerReasonText, ...]
    own_site: OwnSite
    supply: CustomerSupply | None
    stages: tuple[CustomerStage, ...]
    conditions: tuple[str, ...]
    data_needed: tuple[str, ...]
    works: tuple[CustomerWork, ...]
    customer_cost_cny10k: float | None
    """What the customer pays for works, rounded up; ``None`` without an estimate."""
    rounding_note: str
    receiving: CustomerReceiving | None
    metering: tuple[CustomerMetering, ...]
    tariff: CustomerTariff | None
    protection: CustomerProtection
    investment_boundary: CustomerInvestment | None
    fees: tuple[CustomerFee, ...]
    steps: tuple[str, ...]
    timeline: CustomerTimeline | None
    valid_from_on: str | None
    valid_to_on: str | None
    """Both days inclusive; ``None`` for a consultation."""
    required_documents: tuple[str, ...]
    notices: tuple[str, ...]
    variants: tuple[CustomerVariant, ...] = ()
    """The best ones, as many as the policy shows; the rest of this record describes the first."""

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)
