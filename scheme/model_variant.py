"""Connection points, verification, works, estimate and dates of a variant: the records every part of a scheme shares.

They belong to :mod:`scheme.model`, which names them too; units stand in the names, ``None`` means not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from scheme.model_quality import OutageSecurity, PowerQuality

Segment = Literal["point", "route", "metering"]
"""Where a work stands: at the connection point, along the route up to the customer's red line, or at the meter."""
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
class RouteSection:
    """A part of a route laid in one way."""

    kind: Literal["overhead", "cable", "duct"]
    """架空 | 电缆 | 电缆管沟."""
    length_m: float
    corridor_id: str | None
    """``None`` off the corridors and on a straight estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingPermit:
    """Something the route crosses (穿跨越) and the permit it needs."""

    kind: Literal["highway", "railway", "water_diversion_trunk", "protected_cable", "river"]
    name: str
    """As the data name it, else its identifier."""
    lon_deg: float
    lat_deg: float
    permit: str
    """Code of the permit, as in ``time_limit.permits``."""
    permit_name: str
    is_estimated: bool
    """The route is a straight estimate, so that the place is one, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The connecting line between point and customer."""

    length_m: float
    """Length built, straight line times the policy's detour factor unless a corridor is given."""
    is_estimated: bool
    """True where no road or corridor graph was given, or none leads from the point to the customer."""
    laying: Literal["overhead", "cable"]
    line_type_id: str
    """Row of the equipment catalogue."""
    geometry: dict[str, Any]
    """GeoJSON LineString, CGCS2000 longitude and latitude."""
    crossings: tuple[str, ...]
    """What is crossed, in words; the records are ``crossing_permits``."""
    line_label: str = ""
    """Line type as printed; empty where only the id is known."""
    circuits: int = 1
    """Equal lines side by side (回路), each with a bay of its own; ``length_m`` is that of one."""
    sections: tuple[RouteSection, ...] = ()
    """From the point to the customer; their lengths add up to ``length_m`` (to rounding, or below its minimum)."""
    crossing_permits: tuple[CrossingPermit, ...] = ()
    """In the order of the route."""


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
    stock_status: Literal["in_stock", "ordered", "short", "not_known"] | None = None
    """供应状态; ``None`` without a stock table and for what the customer buys."""
    stock_quantity: float | None = None
    """In stock, in ``unit``."""
    stock_location: str = ""
    """存储点, with the quantity there; empty where none is in stock."""
    stock_order: str = ""
    """订单进度 as the stock table words it."""
    ready_on: str | None = None
    """Day the missing part arrives; ``None`` where it is all in stock or nobody knows."""
    stock_as_of: str | None = None
    """Date of the stock rows used."""


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
    utility_low_cny10k: float | None = None
    utility_high_cny10k: float | None = None
    customer_low_cny10k: float | None = None
    customer_high_cny10k: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """One step of a timeline; without a date where it depends on something nobody gave."""

    code: str
    text: str
    duration: int | None
    """``None``: somebody named its last day, or nobody gave it and ``needs`` says what is missing."""
    unit: Literal["workday", "day"]
    starts_on: str | None
    ends_on: str | None
    is_provisional: bool
    """True where the legal calendar of the year is not published yet."""
    predecessors: tuple[str, ...] = ()
    """Codes of the steps that must be done before."""
    slack_workdays: int | None = None
    """Working days it may end later without moving the promise; ``None`` where there is no promise."""
    is_critical: bool = False
    needs: str = ""
    """Policy parameter or fact that would give the duration."""
    needs_text: str = ""
    """The same in Chinese."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractCheck:
    """Supporting works (配套工程) against the customer's own date and the construction limit (建设时限)."""

    works_end_on: str | None
    customer_end_on: str | None
    """The customer's own date, as the request gives it."""
    works_workdays: int | None
    limit_workdays: int | None
    is_kept: bool | None
    """``None`` where a date or the limit is not known."""
    text: str


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
    promise_on: str | None = None
    """Day by which supply is ready if every step keeps its limit; ``None`` while something is open."""
    critical_path: tuple[str, ...] = ()
    """Codes of the chain that sets ``promise_on``; it starts at the open step where there is one."""
    promise_after: tuple[str, ...] = ()
    """Steps whose end nobody can date and from whose end the promise counts."""
    promise_after_workdays: int | None = None
    """Working days from the end of the last of them to the promise."""
    promise_after_days: int | None = None
    """Calendar days to be added to them (outage plan, 停送电计划)."""
    promise_not_before_on: str | None = None
    """The promise were the open steps done at once."""
    promise_text: str = ""
    """The promise as a sentence."""
    missing: tuple[str, ...] = ()
    """Policy parameters and facts that would close the open steps."""
    is_by_needed_on: bool | None = None
    """Whether the promise keeps the day the customer asked for; ``None`` where either is not known."""
    contract: ContractCheck | None = None
    """Only with supporting works."""
    customer_works_by_on: str | None = None
    """Last day the customer's own works may end for supply on the day the request asks for; ``None`` without such
    works or such a day, and where no day is early enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Ranking of a variant: parts in 0..1 (1 is best), weights from policy, total = sum of weight times part."""

    total: float
    parts: dict[str, float]
    weights: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherSource:
    """Second or third source (电源) of a variant with several; the variant's own fields describe the first."""

    source_no: int
    role: str
    """电源性质."""
    required_share_kva: float
    """Carried alone with all other sources out, or in normal operation, whichever is more."""
    normal_kva: float
    """Carried while all sources are in service."""
    connection_point: ConnectionPoint
    connection_mode: str
    substation: str | None
    busbar: str | None
    main_transformer: str | None
    feeder: str | None
    transformer_area: str | None
    distance_m: float
    route: Route
    verification: Verification
    """With ``required_share_kva`` on this source alone, all others out."""
    normal_verification: Verification | None
    """With all sources in service; ``None`` where this one carries nothing then."""
    works: tuple[Work, ...]
    """Part of the variant's works that this source needs; the same for materials and cost."""
    bill_of_materials: tuple[Material, ...]
    cost: Cost
    power_quality: PowerQuality | None = None
    """Checks of this source's point with ``required_share_kva``; ``None`` where they were not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndatedVariant:
    """One feasible way to connect, ranked, before it has dates."""

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
    score: Score
    further_sources: tuple[FurtherSource, ...] = ()
    """Sources beside the first; ``works``, ``bill_of_materials`` and ``cost`` of the variant cover all of them."""
    normal_verification: Verification | None = None
    """The first source's path with all sources in service; ``None`` for a single source."""
    busbar: str | None = None
    """Busbar that feeds the first source; told only where there are several sources."""
    power_quality: PowerQuality | None = None
    """Short circuit, voltage steps, disturbing loads, phases; ``None`` where it was not studied."""
    outage_security: OutageSecurity | None = None
    """What single outages leave of the supply; ``None`` where it was not studied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant(UndatedVariant):
    """One feasible way to connect, ranked."""

    timeline: Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A candidate that was looked at and refused."""

    connection_point: ConnectionPoint
    distance_m: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedSet:
    """Points that carry the customer one by one but not as sources of one supply."""

    connection_points: tuple[ConnectionPoint, ...]
    reasons: tuple[Reason, ...]
