"""A power-connection request (用电申请) as it arrives in a file or by HTTP: strict, unknown fields refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from gridmodel.errors import InputError

Category = Literal[
    "resident",  # 居民
    "residential_area",  # 居民小区
    "small_micro",  # 小微企业
    "industrial_commercial",  # 工商业
    "agriculture",  # 农业生产
    "non_residential_lighting",  # 非居民照明
    "ev_charging",  # 电动汽车充换电
    "temporary",  # 临时用电
    "other",
]
Datum = Literal["CGCS2000", "WGS84", "GCJ02", "BD09"]


def _printable(text: str) -> str:
    """Refuse control characters and lone surrogates: they break documents and databases."""
    if any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) <= 0xDFFF or c in "\u2028\u2029\ufffe\uffff" for c in text):
        raise ValueError("control characters are not allowed")
    if not text.strip():
        raise ValueError("must not be blank")
    return text


Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
RequestId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class StrictRecord(BaseModel):
    """What comes from outside: no other fields, no conversions, finite numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


Record = TypeVar("Record", bound=StrictRecord)


class FieldsError(InputError):
    """Fields of a record are wrong; the message is about the first.

    Args:
        faults: Every field with what is wrong about it and what is allowed.
        file: File name as the user gave it.
        value: What was given for the first.
    """

    def __init__(self, faults: tuple[Mapping[str, str], ...], *, file: str | None, value: object) -> None:
        first = faults[0]
        super().__init__(first["message"], file=file, field=first["field"], value=value, allowed=first["allowed"])
        self.faults = faults


class Applicant(StrictRecord):
    """Who applies."""

    name: Text
    category: Category
    importance: Literal["special", "first", "second", "temporary", "ordinary"] | None = None
    """重要用户等级, confirmed by the authorities' list, never guessed: 特级, 一级, 二级, 临时性, 普通."""
    contact: Text | None = None


class Location(StrictRecord):
    """Where the supply is wanted; the datum has no default."""

    lon_deg: Annotated[float, Field(ge=-180.0, le=180.0)]
    lat_deg: Annotated[float, Field(ge=-90.0, le=90.0)]
    datum: Datum


class HarmonicCurrent(StrictRecord):
    """One order of the customer's harmonic currents."""

    order: Annotated[int, Field(ge=2, le=25)]
    current_a: Annotated[float, Field(ge=0.0, le=100_000.0)]


class Demand(StrictRecord):
    """How much is wanted."""

    installed_kw: Annotated[float, Field(gt=0.0, le=1_000_000.0)]
    """用电设备总容量 (kW)."""
    capacity_kva: Annotated[float, Field(gt=0.0, le=1_000_000.0)] | None = None
    """申请容量 (kVA); sized by policy when absent."""
    power_factor: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    single_phase: bool | None = None
    largest_motor_kw: Annotated[float, Field(gt=0.0, le=1_000_000.0)] | None = None
    """最大电动机功率: shaft power (kW)."""
    start_method: Literal["direct", "soft_starter", "star_delta", "frequency_converter"] | None = None
    """起动方式 of the largest motor."""
    start_current_ratio: Annotated[float, Field(gt=0.0, le=20.0)] | None = None
    """起动电流倍数: starting over rated current of the largest motor."""
    starts_per_hour: Annotated[float, Field(gt=0.0, le=3600.0)] | None = None
    nonlinear_kva: Annotated[float, Field(gt=0.0, le=1_000_000.0)] | None = None
    """非线性负荷容量 (kVA)."""
    harmonic_currents: Annotated[tuple[HarmonicCurrent, ...], Field(min_length=1, max_length=24)] | None = None
    """谐波电流发生量 of the customer's equipment, at the voltage of supply."""
    load_change_kva: Annotated[float, Field(gt=0.0, le=1_000_000.0)] | None = None
    """冲击负荷最大功率变动量 (kVA)."""
    changes_per_minute: Annotated[float, Field(gt=0.0, le=6000.0)] | None = None
    """Changes of the impact load per minute."""
    unbalanced_kva: Annotated[float, Field(gt=0.0, le=1_000_000.0)] | None = None
    """Greatest single-phase load (单相负荷) of a three-phase customer (kVA)."""

    @model_validator(mode="after")
    def _check_loads(self) -> Demand:
        facts = (self.start_method, self.start_current_ratio, self.starts_per_hour)
        if self.largest_motor_kw is None and any(fact is not None for fact in facts):
            raise ValueError("start_method, start_current_ratio and starts_per_hour need largest_motor_kw")
        if self.largest_motor_kw is not None and self.largest_motor_kw > self.installed_kw:
            raise ValueError("largest_motor_kw must not exceed installed_kw")
        orders = [current.order for current in self.harmonic_currents or ()]
        if len(set(orders)) != len(orders):
            raise ValueError("a harmonic order stands twice")
        return self


Position = tuple[Annotated[float, Field(ge=-180.0, le=180.0)], Annotated[float, Field(ge=-90.0, le=90.0)]]
Ring = Annotated[tuple[Position, ...], Field(min_length=4, max_length=10_000)]


class Polygon(StrictRecord):
    """GeoJSON Polygon (RFC 7946): rings of longitude and latitude, first position repeated as the last."""

    type: Literal["Polygon"]
    coordinates: Annotated[tuple[Ring, ...], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _check_closed(self) -> Polygon:
        if any(ring[0] != ring[-1] for ring in self.coordinates):
            raise ValueError("the first and the last position of a ring must be the same")
        return self


class Circumstances(StrictRecord):
    """Facts that move a rule; absent means not claimed."""

    in_provincial_park: bool | None = None
    substitution_share: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    """电能替代设备容量占报装总容量的比例."""
    red_line: Polygon | None = None
    """规划红线, GeoJSON Polygon in the datum of ``location``."""
    is_urgent: bool | None = None
    wants_high_voltage: bool | None = None
    """自愿高压接入."""
    transfers_assets: bool | None = None
    """资产移交."""
    has_external_works: bool | None = None
    """客户外部工程."""
    is_proactive: bool | None = None
    """主动办电."""
    can_meter_directly: bool | None = None
    """具备直接装表条件."""
    exclusion: (
        Literal[
            "non_residential_lighting",
            "agriculture_irrigation",
            "telecom_base_station",
            "petrol_station",
            "state_owned_or_chain_subsidiary",
            "temporary",
            "batch_application",
        ]
        | None
    ) = None
    """Member of the exclusion list of small/micro investment."""
    is_substitution_project: bool | None = None
    special_loads: tuple[Literal["impact", "nonlinear", "unbalanced"], ...] | None = None
    security_load_kw: Annotated[float, Field(gt=0.0, le=1_000_000.0)] | None = None
    """保安负荷 (kW)."""
    load_class1_kw: Annotated[float, Field(ge=0.0, le=1_000_000.0)] | None = None
    """一级负荷 (kW), by GB 50052; part of ``demand.installed_kw``."""
    load_class2_kw: Annotated[float, Field(ge=0.0, le=1_000_000.0)] | None = None
    """二级负荷 (kW)."""
    households: Annotated[int, Field(gt=0, le=1_000_000)] | None = None
    """户数 of a residential area."""
    is_master_metered: bool | None = None
    """合表: a residential area keeps one master meter instead of one meter per household."""
    proofs_are_online: bool | None = None
    """主体证明和产权证明均可在线获取."""
    has_property_proof: bool | None = None
    """有产权证明."""


class SupplyRequest(StrictRecord):
    """One request; required unless optional here."""

    request_id: RequestId
    applicant: Applicant
    business: Literal["new", "increase", "temporary"]
    location: Location
    demand: Demand
    voltage: Literal["auto", "220V", "380V", "10kV"] = "auto"
    sources: Literal["single", "dual_circuit", "dual_source"] = "single"
    received_on: date
    needed_on: date | None = None
    circumstances: Circumstances = Circumstances()
    purpose: Literal["application", "consultation"] = "application"
    """``consultation`` (供电方案咨询): a preliminary answer at 10 kV, not binding, without validity."""

    @model_validator(mode="after")
    def _check_load_classes(self) -> SupplyRequest:
        classes_kw = (self.circumstances.load_class1_kw or 0.0) + (self.circumstances.load_class2_kw or 0.0)
        if classes_kw > self.demand.installed_kw:
            raise ValueError("class 1 and class 2 loads together must not exceed demand.installed_kw")
        return self


def parse_request(text: str | bytes, *, file: str | None = None) -> SupplyRequest:
    """Return the request in a JSON text.

    Raises:
        InputError: Not UTF-8, not JSON, a repeated key, or a field that is missing, unknown or out of range.
    """
    return parse_record(SupplyRequest, text, file=file)


def parse_record(model: type[Record], text: str | bytes, *, file: str | None = None) -> Record:
    """Return the record of ``model`` in a JSON text.

    Raises:
        InputError: Not UTF-8, not JSON, a repeated key, or a field that is missing, unknown or out of range.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        json.loads(text, object_pairs_hook=_no_repeats, parse_constant=_no_constants)
    except UnicodeDecodeError as error:
        raise InputError("not a UTF-8 text", file=file, allowed="a JSON object in UTF-8") from error
    except RecursionError as error:
        raise InputError("nested too deeply", file=file, allowed="a JSON object as documented") from error
    except ValueError as error:
        raise InputError(f"not valid JSON: {error}", file=file, allowed="a JSON object, each key once") from error
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        found = error.errors()
        value = None if found[0]["type"] in {"missing", "extra_forbidden"} else found[0].get("input")
        raise FieldsError(tuple(_fault(one) for one in found), file=file, value=value) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One field that is missing, unknown or out of range."""

    place: tuple[str, ...]
    """Names of the field from the outside in; empty for the whole record."""
    problem: str


def find_faults(model: type[Record], text: str) -> tuple[Fault, ...]:
    """Return everything wrong with a JSON text, where :func:`parse_record` stops at the first fault."""
    try:
        model.model_validate_json(text)
    except ValidationError as error:
        return tuple(Fault(place=tuple(str(part) for part in one["loc"]), problem=one["msg"]) for one in error.errors())
    return ()


def _fault(error: Any) -> Mapping[str, str]:
    place = ".".join(str(part) for part in error["loc"]) or "(whole document)"
    return {"field": place, "message": error["msg"], "allowed": _allowed(error)}


def _allowed(error: Any) -> str:
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "extra_forbidden":
        return "only the documented fields"
    if kind == "missing":
        return "the field is required and has no default"
    if "expected" in context:
        return str(context["expected"])
    limits = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
    shown = [f"{sign} {context[name]}" for name, sign in limits.items() if name in context]
    return " and ".join(shown) or "see the documentation of the request"


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise ValueError(f"key {key!r} stands twice")
        seen[key] = value
    return seen


def _no_constants(name: str) -> Any:
    raise ValueError(f"{name} is not a number JSON allows")
