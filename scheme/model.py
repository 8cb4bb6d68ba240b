"""Supply schemes (供电方案) as plain frozen records; units in the names, ``None`` means not known, never 0.

The JSON form (``scheme.json``) has exactly these names. Text fields that a customer reads are Chinese.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Segment = Literal["point", "route", "metering"]
"""Where a work stands: at the connection point, along the route up to the customer's red line, or at the meter."""
Verdict = Literal["answered", "transition", "joint_work"]
PointKind = Literal[
    "substation_bay",  # 变电站间隔
    "switching_station_bay",  # 开关站间隔
    "ring_main_bay",  # 环网柜间隔
    "pole",  # 杆塔 T 接
    "line_tee",  # 线路中间点 T 接
    "lv_board",  # 配变低压侧
    "lv_branch_box",  # 低压分支箱
    "lv_pole",  # 低压杆
    "lv_node",  # 其他低压节点
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why the verdict is what it is: a machine code and a sentence."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPoint:
    """接入点: where the customer's line leaves the public grid."""

    kind: PointKind
    element_source_id: str
    """The imported element: ``bus:17``, ``line:4`` for pandapower, the table's own id otherwise."""
    name: str
    u_nominal_kv: float
    lon_deg: float
    lat_deg: float
    spare_bays: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The connecting line between point and customer."""

    length_m: float
    """Length built, straight line times the policy's detour factor unless a corridor is given."""
    is_estimated: bool
    """True where no road or corridor graph was given."""
    laying: Literal["overhead", "cable"]
    line_type_id: str
    """Row of the equipment catalogue."""
    geometry: dict[str, Any]
    """GeoJSON LineString, CGCS2000 longitude and latitude."""
    crossings: tuple[str, ...]
    line_label: str = ""
    """Line type as printed; empty where only the id is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The AC load flow with the customer connected through the route line, against the limits."""

    is_within_limits: bool
    u_pu_min: float
    """Lowest voltage on the supply path including the customer's end (per unit of the bus's nominal voltage)."""
    u_pu_max: float
    u_pu_customer: float
    """Voltage at the customer's end of the route line."""
    line_loading_ratio_max: float
    transformer_loading_ratio_max: float | None
    """``None`` where no transformer lies on the supply path."""
    losses_kw: float
    """Change of the network's losses by the connection (kW)."""
    ik3_ka: float | None
    """Initial three-phase short-circuit current at the point (kA); ``None`` without source data."""
    limit_kind: str | None
    """What is violated first; ``None`` when within limits."""
    limit_element_id: str | None
    element_ids: tuple[str, ...]
    """Imported elements of the supply path, connection point first."""
    voltage_profile: tuple[dict[str, Any], ...] = ()
    """Buses of the path from the source: ``element_id``, ``distance_km``, ``u_pu_before``, ``u_pu_after``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One item of works (工程内容) and who builds it."""

    code: str
    text: str
    quantity: float
    unit: str
    side: Literal["utility", "customer"]
    """Who invests, by the investment boundary (投资界面)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """One line of the bill of materials (物料清单)."""

    type_id: str
    """Line type of the catalogue, else code of the unit cost or of the work."""
    name: str
    quantity: float
    unit: str
    side: Literal["utility", "customer"]
    model: str = ""
    """型号 as printed; empty where the typical design leaves it open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostItem:
    """Comparison estimate of one work, in 万元 (10,000 CNY)."""

    code: str
    text: str
    quantity: float
    unit: str
    low_cny10k: float
    typical_cny10k: float
    high_cny10k: float
    price_basis: str
    side: Literal["utility", "customer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Comparison estimate, never a quotation; items without a unit cost are named in ``not_priced``."""

    items: tuple[CostItem, ...]
    total_low_cny10k: float
    total_typical_cny10k: float
    total_high_cny10k: float
    utility_typical_cny10k: float
    customer_typical_cny10k: float
    not_priced: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """One step of a timeline."""

    code: str
    text: str
    duration: int
    unit: Literal["workday", "day"]
    starts_on: str
    ends_on: str
    is_provisional: bool
    """True where the legal calendar of the year is not published yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Dates from acceptance to energisation (ISO dates)."""

    milestones: tuple[Milestone, ...]
    limit: int | None
    limit_unit: Literal["workday", "day"] | None
    limit_on: str | None
    """Last day the whole process may take, by the policy; ``None`` where the policy gives none."""
    planned_on: str | None
    is_provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Ranking of a variant: parts in 0..1 (1 is best), weights from policy, total = sum of weight times part."""

    total: float
    parts: dict[str, float]
    weights: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One feasible way to connect, ranked."""

    rank: int
    connection_point: ConnectionPoint
    connection_mode: str
    """接入方式 in Chinese, e.g. ``环网柜间隔``."""
    substation: str | None
    main_transformer: str | None
    feeder: str | None
    transformer_area: str | None
    distance_m: float
    route: Route
    verification: Verification
    works: tuple[Work, ...]
    bill_of_materials: tuple[Material, ...]
    cost: Cost
    timeline: Timeline
    score: Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A candidate that was looked at and refused."""

    connection_point: ConnectionPoint
    distance_m: float
    reasons: tuple[Reason, ...]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file written for this scheme."""

    kind: Literal["json", "docx", "pdf", "svg"]
    file: str


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

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form; ``validity`` uses the contract's keys ``from`` and ``to``."""
        plain = asdict(self)
        if self.validity is not None:
            plain["validity"] = {"from": self.validity.from_on, "to": self.validity.to_on}
        return plain
