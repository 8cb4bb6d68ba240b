"""What stands in the single-line diagram (电气接线示意图), source first, as the scheme says it."""

from __future__ import annotations

from dataclasses import dataclass

from scheme.document.forms import layout_id
from scheme.document.wording import LAYING, VOLTAGES, number
from scheme.model import MeteringPoint, Scheme, Variant

_COPIES_MAX = 3
_METER_WORDS = ("表箱", "计量箱", "电能表")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One symbol of the chain."""

    symbol: str
    name: str
    details: tuple[str, ...] = ()
    copies: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """产权分界: everything below it belongs to the customer."""

    text: str


Step = Stage | Boundary


def plan_steps(scheme: Scheme, best: Variant) -> list[Step]:
    """Return the chain from the source to the customer, top first."""
    return _plan_low(scheme, best) if layout_id(scheme) == "lv_reply" else _plan_high(scheme, best)


def _plan_low(scheme: Scheme, best: Variant) -> list[Step]:
    assert scheme.supply is not None
    point, source = best.connection_point, scheme.supply.sources[0]
    steps: list[Step] = [
        Stage(symbol="arrow_in", name=best.feeder or "10千伏线路", details=_known(best.substation)),
        Stage(symbol="transformer", name=best.transformer_area or "公用配电变压器", details=("10/0.4 kV",)),
        Stage(symbol="busbar", name=point.name if point.kind == "lv_board" else "低压母线", details=("0.4 kV",)),
        Stage(symbol="breaker", name="低压出线开关"),
    ]
    if point.kind != "lv_board":
        symbol = {"lv_branch_box": "bay", "lv_pole": "pole"}.get(point.kind, "node")
        steps.append(Stage(symbol=symbol, name=point.name, details=(f"接入点：{best.connection_mode}",)))
    first = scheme.metering[0] if scheme.metering else None
    meter = _meter_stage(first, symbol="meter_box" if first and first.ct_ratio else "meter_box_direct")
    boundary = Boundary(text=source.ownership_boundary)
    is_behind_meter = any(word in source.ownership_boundary for word in _METER_WORDS)
    tail: list[Step] = [meter, boundary] if is_behind_meter else [boundary, meter]
    protection = scheme.protection.incoming if scheme.protection else ""
    return [
        *steps,
        _route_stage(best),
        *tail,
        Stage(symbol="breaker", name="客户进线保护", details=_known(protection)),
        _load_stage(scheme),
    ]


def _plan_high(scheme: Scheme, best: Variant) -> list[Step]:
    assert scheme.supply is not None
    point, source = best.connection_point, scheme.supply.sources[0]
    level = f"{number(point.u_nominal_kv, 2)} kV"
    steps: list[Step] = [
        Stage(symbol="transformer", name=best.substation or "变电站", details=_known(best.main_transformer)),
        Stage(symbol="busbar", name=source.busbar or "变电站母线", details=(level,)),
    ]
    is_bay = point.kind == "substation_bay"
    if is_bay:
        steps.append(Stage(symbol="breaker", name=point.name, details=(f"接入点：{best.connection_mode}",)))
    else:
        symbol = {"ring_main_bay": "bay", "switching_station_bay": "bay"}.get(point.kind, "pole")
        steps.append(Stage(symbol="breaker", name=best.feeder or "出线开关", details=("变电站出线",)))
        steps.append(Stage(symbol=symbol, name=point.name, details=(f"接入点：{best.connection_mode}",)))
    boundary = Boundary(text=source.ownership_boundary)
    route, protection = _route_stage(best), scheme.protection
    switch = Stage(
        symbol="boundary_switch", name="分界开关", details=_known(protection.boundary_switch if protection else None)
    )
    is_customers = any(m.side == "customer" for m in best.bill_of_materials if m.type_id == best.route.line_type_id)
    if is_customers:  # at a substation's bay its breaker is the boundary switch already
        steps += [boundary, route] if is_bay else [switch, boundary, route]
    else:
        steps += [route, switch, boundary]
    incoming = Stage(symbol="breaker", name="客户进线保护", details=_known(protection.incoming if protection else None))
    return [*steps, incoming, *_customer_station(scheme), _load_stage(scheme)]


def _customer_station(scheme: Scheme) -> list[Step]:
    meter = scheme.metering[0] if scheme.metering else None
    transformers = scheme.receiving.transformers if scheme.receiving else ()
    station: list[Step] = [
        Stage(
            symbol="transformer",
            name="客户受电变压器",
            details=tuple(f"{t.model}　{number(t.sn_kva, 1)} kVA × {t.count}台" for t in transformers),
            copies=min(max(sum(t.count for t in transformers), 1), _COPIES_MAX),
        )
    ]
    stage = _meter_stage(meter, symbol="meter")
    is_low_side = meter is not None and meter.mode == "高供低计"
    return [*station, stage] if is_low_side else [stage, *station]


def _route_stage(best: Variant) -> Stage:
    route = best.route
    length = f"{number(route.length_m, 0)} m" + ("（估算）" if route.is_estimated else "")
    symbol = "cable" if route.laying == "cable" else "overhead"
    return Stage(
        symbol=symbol,
        name=f"接入线路（{LAYING[route.laying]}）",
        details=(f"{route.line_label or route.line_type_id}　{length}",),
    )


def _meter_stage(meter: MeteringPoint | None, *, symbol: str) -> Stage:
    if meter is None:
        return Stage(symbol=symbol, name="计量装置")
    ratios = [f"{label} {value}" for label, value in (("TA", meter.ct_ratio), ("TV", meter.pt_ratio)) if value]
    details = ("　".join([meter.mode, meter.wiring, *ratios]),)
    return Stage(symbol=symbol, name=f"计量装置（{meter.position}）", details=details)


def _load_stage(scheme: Scheme) -> Stage:
    assert scheme.supply is not None
    supply = scheme.supply
    details = f"供电电压{VOLTAGES.get(supply.voltage, supply.voltage)}　供电容量 {number(supply.capacity_kva, 1)} kVA"
    return Stage(symbol="load", name="客户用电设备", details=(details,))


def _known(text: str | None) -> tuple[str, ...]:
    return (text,) if text else ()
