"""Supply schemes (供电方案) as plain frozen records; units in the names, ``None`` means not known, never 0.

The JSON form (``scheme.json``) has exactly these names. Text fields that a customer reads are Chinese.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from scheme.model_transition import FailedOption, JointTask, Measure, Transition, TransitionOption, TransitionStage
from scheme.model_variant import (
    ConnectionPoint,
    ContractCheck,
    Cost,
    CostItem,
    CrossingPermit,
    FurtherSource,
    Material,
    Milestone,
    PointKind,
    Reason,
    Rejected,
    RejectedSet,
    Route,
    RouteSection,
    Score,
    Segment,
    Timeline,
    Variant,
    Verification,
    Work,
)

__all__ = [
    "ConnectionPoint",
    "ContractCheck",
    "Cost",
    "CostItem",
    "CrossingPermit",
    "FailedOption",
    "FurtherSource",
    "JointTask",
    "Material",
    "Measure",
    "Milestone",
    "PointKind",
    "Reason",
    "Rejected",
    "RejectedSet",
    "Route",
    "RouteSection",
    "Score",
    "Segment",
    "Timeline",
    "Transition",
    "TransitionOption",
    "TransitionStage",
    "Variant",
    "Verification",
    "Work",
]
"""Records defined in the modules beside; those defined here are public all the same."""

Verdict = Literal["answered", "transition", "joint_work"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One supply source (电源) of the chosen variant."""

    source_no: int
    role: str
    """电源性质: 主供电源 …"""
    kind: str
    """电源类型: 单电源 …"""
    supply_voltage: str
    capacity_kva: float
    substation: str | None
    busbar: str | None
    feeder: str | None
    transformer_area: str | None
    point: str
    connection_mode: str
    laying: str
    line_type_id: str
    length_m: float
    entry_mode: str
    ownership_boundary: str
    """产权分界点."""
    line_label: str = ""
    """Line type as printed; empty where only the id is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HigherVoltage:
    """A demand above the 10 kV range: what joint work (专业联动) starts from."""

    recommended_voltage: str
    """``35kV`` | ``110kV`` | ``220kV``."""
    capacity_kva: float
    """Total transformer rating wanted."""
    range_max_kva: float
    """Largest total rating served at 10 kV."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Voltage level, capacity and sources."""

    voltage: str
    """``220V`` | ``380V`` | ``10kV`` | ``20kV``."""
    phases: str
    """``单相`` or ``三相``, three-phase four-wire for 380 V."""
    capacity_kva: float
    calculated_load_kw: float
    power_factor: float
    sources: tuple[Source, ...]
    operation_mode: str | None = None
    """运行方式 of several sources; ``None`` for one."""
    interlock: str | None = None
    """闭锁方式 of several sources; ``None`` for one."""
    required_share_kva: float | None = None
    """What each of several sources carries alone; ``None`` for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerTransformer:
    """Customer's own transformer (受电变压器), 10 kV customers only."""

    model: str
    sn_kva: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiving:
    """受电系统方案."""

    point_kind: str
    transformers: tuple[CustomerTransformer, ...]
    main_connection: str
    operation_mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteringPoint:
    """计量点."""

    point_no: int
    purpose: str
    mode: str
    """高供高计 | 高供低计 | 低供低计."""
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
class Tariff:
    """计费方案; ``None`` is filled by the utility."""

    price_class: str | None
    is_time_of_use: bool | None
    capacity_charge: str | None
    power_factor_standard: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """进线保护."""

    incoming: str
    boundary_switch: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactiveCompensation:
    """无功补偿."""

    is_required: bool
    kvar_min: float | None
    share_of_transformer: float | None
    target_power_factor: float | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencySource:
    """自备应急电源."""

    is_required: bool | None
    capacity_kw_min: float | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvestmentBoundary:
    """投资界面 and who pays on each side."""

    boundary: str
    utility_scope: str
    customer_scope: str
    clause: str
    offers: tuple[str, ...] = ()
    """What the utility offers instead of the customer's own investment (变压器租赁)."""
    point_equipment: str = ""
    """接入点断路器、计量装置安装规则 for this category; empty while the utility has none."""
    missing: tuple[str, ...] = ()
    """Policy parameters the utility has to supply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """营业费用; a fee that is due but whose rate the utility has not set has ``amount_cny`` ``None``."""

    name: str
    unit_price_cny: str | None
    quantity: float | None
    amount_cny: str | None
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """办电环节."""

    no: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """答复方式: by the system, on site without internal approval, after approval, or by joint work (专业联动)."""

    mode: Literal["automatic", "on_site", "approval", "joint_work"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """有效期, ISO dates, both days inclusive."""

    from_on: str
    to_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRead:
    """A policy value this scheme read."""

    id: str
    value: Any
    unit: str
    op: str | None
    clause: str
    document: str
    profile: str
    effective_from: str
    name: str = ""
    """What the parameter is called in Chinese."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What the scheme was computed from."""

    snapshot_sha256: str
    policy_sha256: str
    catalogue_sha256: str
    engine: str
    version: str
    as_of: str
    profile: str
    capacity_parameters_sha256: str | None = None
    """What the capacity table in hand was computed with; ``None`` where the search had none."""
    stock_sha256: str | None = None
    """The stock table (物资库存表); ``None`` without one."""
    ledger_seq: int | None = None
    """Last entry of the capacity ledger (容量台账) whose live holds stood in the grid; ``None`` without a ledger."""
    ledger_sha256: str | None = None
    """Digest of all entries up to that one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file written for this scheme."""

    kind: Literal["json", "docx", "pdf", "svg", "dxf"]
    file: str
    form: str | None = None
    """Form (单据) it is filled from, e.g. ``hv_reply``; ``None`` for data and drawings."""
    template_version: str | None = None
    """Version of the form's template, as printed in its footer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormVersion:
    """Which version of a form is in force on the date of decision."""

    form: str
    """``hv_reply`` | ``lv_reply`` | ``residential_reply`` | ``consultation_reply`` | ``joint_work`` |
    ``works_order``."""
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consultation:
    """供电方案咨询初步答复: not binding, without validity; what it tells and what it leaves open."""

    documents: tuple[str, ...]
    """What the customer had to bring (营业执照)."""
    tells: tuple[str, ...]
    leaves_open: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentTask:
    """What a department does for the supporting works (配套工程)."""

    department: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorksOrder:
    """配套工程任务单: who does what, and the terms the works are bound to."""

    departments: tuple[DepartmentTask, ...]
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One answered request. Everything below ``rejected`` describes the first variant; ``None`` for joint work."""

    scheme_id: str
    request_id: str
    request: dict[str, Any]
    """The request as accepted, location converted to CGCS2000 under ``location_cgcs2000``."""
    verdict: Verdict
    reasons: tuple[Reason, ...]
    supply: Supply | None
    variants: tuple[Variant, ...]
    rejected: tuple[Rejected, ...]
    receiving: Receiving | None
    metering: tuple[MeteringPoint, ...]
    tariff: Tariff | None
    protection: Protection | None
    reactive_compensation: ReactiveCompensation | None
    emergency_source: EmergencySource | None
    investment_boundary: InvestmentBoundary | None
    fees: tuple[Fee, ...]
    steps: tuple[Step, ...]
    timeline: Timeline | None
    validity: Validity | None
    inspection_scope: tuple[str, ...]
    required_documents: tuple[str, ...]
    notices: tuple[str, ...]
    to_be_filled: tuple[str, ...]
    """Mandatory form fields only the utility can fill (户号, 申请编号, …)."""
    policy_reads: tuple[PolicyRead, ...]
    provenance: Provenance
    documents: tuple[Document, ...]
    forms: tuple[FormVersion, ...] = ()
    """Versions of the forms in force; empty stands for the newest ones."""
    consultation: Consultation | None = None
    """Only for a request whose purpose is consultation; such a scheme has no validity."""
    works_order: WorksOrder | None = None
    transition: Transition | None = None
    """Stages, alternatives and what failed, where the grid does not carry the demand as it is."""
    tasks: tuple[JointTask, ...] = ()
    """What the departments do, for joint work and for the works of a transition."""
    rejected_sets: tuple[RejectedSet, ...] = ()
    """Combinations of points refused as several sources, although each point carries its share."""
    higher_voltage: HigherVoltage | None = None
    """Only for a demand above the 10 kV range."""

    reply: Reply | None = None
    """How the scheme is answered, by the rules of the profile."""

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form; ``validity`` uses the contract's keys ``from`` and ``to``."""
        plain = asdict(self)
        if self.validity is not None:
            plain["validity"] = {"from": self.validity.from_on, "to": self.validity.to_on}
        return plain
