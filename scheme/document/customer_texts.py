"""Customer, housing area and load of a request as printed texts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from scheme.document.tables import Payload
from scheme.document.wording import (
    BUSINESS,
    CATEGORIES,
    IMPORTANCE,
    NOT_APPLICABLE,
    SPECIAL_LOADS,
    UTILITY_FILLS,
    VOLTAGES,
    coordinates,
    day,
    fixed,
    number,
    quantity,
    text_or_dash,
    text_or_utility,
)
from scheme.model import Scheme, Supply


def list_customer(scheme: Scheme) -> Payload:
    """Return who asks for what and when."""
    request, supply = scheme.request, scheme.supply
    applicant, demand = _part(request, "applicant"), _part(request, "demand")
    place = _part(request, "location_cgcs2000")
    is_high = supply is not None and supply.voltage not in {"220V", "380V"}
    phases = "" if supply is None or (is_high and supply.phases == "三相") else supply.phases
    voltage = NOT_APPLICABLE if supply is None else VOLTAGES.get(supply.voltage, supply.voltage) + phases
    capacity = supply.capacity_kva if supply else demand.get("capacity_kva")
    return {
        "scheme_id": scheme.scheme_id,
        "request_id": scheme.request_id,
        "customer_no": UTILITY_FILLS,
        "application_no": UTILITY_FILLS,
        "customer_name": text_or_dash(applicant.get("name")),
        "address": UTILITY_FILLS,
        "location": coordinates(place["lon_deg"], place["lat_deg"]) if place else NOT_APPLICABLE,
        "category": text_or_dash(CATEGORIES.get(str(applicant.get("category")), applicant.get("category"))),
        "industry": UTILITY_FILLS,
        "importance": text_or_utility(IMPORTANCE.get(str(applicant.get("importance")))),
        "business": _business(request, supply, is_high=is_high),
        "capacity": quantity(capacity, "kVA", 1),
        "voltage": voltage,
        "contact": text_or_utility(applicant.get("contact")),
        "utility_contact": UTILITY_FILLS,
        "received_on": day(_text(request.get("received_on"))),
        "replied_on": day(scheme.provenance.as_of),
        "needed_on": day(_text(request.get("needed_on"))),
    }


def _business(request: Mapping[str, Any], supply: Supply | None, *, is_high: bool) -> str:
    business = text_or_dash(BUSINESS.get(str(request.get("business")), request.get("business")))
    if business.startswith("装表"):
        return business
    if _part(request, "applicant").get("category") == "residential_area":
        return f"小区{business}"
    return ("" if supply is None else "高压" if is_high else "低压") + business


def list_housing(scheme: Scheme) -> Payload:
    """Return what a residential area (居民小区) is asked beyond others; floor areas and stations are the utility's."""
    circumstances = _part(scheme.request, "circumstances")
    transformers = scheme.receiving.transformers if scheme.receiving else ()
    return {
        "households": f"{households} 户" if (households := circumstances.get("households")) else UTILITY_FILLS,
        "household_metering": "合表" if circumstances.get("is_master_metered") else "一户一表",
        **dict.fromkeys(("floor_area", "dwelling_area", "shop_area", "public_area"), UTILITY_FILLS),
        **dict.fromkeys(("switching_stations", "stations", "station_equipment"), UTILITY_FILLS),
        "station_transformers": "；".join(f"{t.model}　{number(t.sn_kva, 1)} kVA × {t.count}台" for t in transformers)
        or UTILITY_FILLS,
    }


def list_load(scheme: Scheme) -> Payload:
    """Return the load as asked and as calculated."""
    demand, circumstances = _part(scheme.request, "demand"), _part(scheme.request, "circumstances")
    supply = scheme.supply
    special = [SPECIAL_LOADS.get(str(item), str(item)) for item in circumstances.get("special_loads") or ()]
    calculated = NOT_APPLICABLE
    if supply is not None:
        apparent_kva = supply.calculated_load_kw / supply.power_factor
        calculated = f"{quantity(supply.calculated_load_kw, 'kW', 1)}（{quantity(apparent_kva, 'kVA', 1)}）"
    return {
        "installed_kw": quantity(demand.get("installed_kw"), "kW", 2),
        "requested_kva": quantity(demand.get("capacity_kva"), "kVA", 1),
        "calculated_load": calculated,
        "power_factor": fixed(supply.power_factor if supply else demand.get("power_factor"), 2),
        "load_class1": _class_load(circumstances, "load_class1_kw"),
        "load_class2": _class_load(circumstances, "load_class2_kw"),
        "security_load": quantity(circumstances.get("security_load_kw"), "kW", 1),
        "special_loads": "、".join(special) or "申请中未声明",
        "harmonics": "有特殊负荷，应提交电能质量评估报告" if special else NOT_APPLICABLE,
    }


def _class_load(circumstances: Mapping[str, Any], key: str) -> str:
    """Return a load class as stated, else as left to the utility; a stated 0 is an answer."""
    return UTILITY_FILLS if circumstances.get(key) is None else quantity(circumstances[key], "kW", 1)


def _part(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = record.get(key)
    return part if isinstance(part, Mapping) else {}


def _text(value: object) -> str | None:
    return None if value is None or (isinstance(value, float) and math.isnan(value)) else str(value)
