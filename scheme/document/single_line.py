"""What stands in the single-line diagram (电气接线示意图): a chain per source, and the customer's station."""

from __future__ import annotations

from dataclasses import dataclass

from scheme.document.wording import LAYING, VOLTAGES, number
from scheme.model import ConnectionPoint, Material, MeteringPoint, Route, Scheme, Variant

_COPIES_MAX = 3
_METER_WORDS = ("表箱", "计量箱", "电能表")
_SECTIONED = "分段"
_LOW_VOLTAGES = ("220V", "380V")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Incomer:
    """One source (电源) as the diagram needs it."""

    title: str
    point: ConnectionPoint
    connection_mode: str
    substation: str | None
    busbar: str | None
    main_transformer: str | None
    feeder: str | None
    transformer_area: str | None
    route: Route
    materials: tuple[Material, ...]
    boundary: str
    metering: MeteringPoint | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A chain per source, top first, and what the sources feed together.

    With one source the chain goes on to the load and ``station`` is empty. With several, ``busbar`` is the customer's,
    in two sections with a tie where ``is_sectioned``; ``station`` hangs below it (below each section).
    """

    chains: tuple[tuple[Step, ...], ...]
    titles: tuple[str, ...] = ()
    busbar: Stage | None = None
    is_sectioned: bool = False
    station: tuple[Stage, ...] = ()


def plan_diagram(scheme: Scheme, best: Variant) -> Plan:
    """Return what is drawn for the variant."""
    incomers = list_incomers(scheme, best)
    if len(incomers) == 1:
        return Plan(chains=(tuple(plan_steps(scheme, best)),))
    assert scheme.supply is not None
    is_low = scheme.supply.voltage in _LOW_VOLTAGES
    is_sectioned = scheme.receiving is not None and _SECTIONED in scheme.receiving.main_connection
    chains = [_low_chain(incomer) if is_low else _high_chain(scheme, incomer) for incomer in incomers]
    protection = scheme.protection.incoming if scheme.protection else ""
    for chain, incomer in zip(chains, incomers, strict=True):
        chain.append(Stage(symbol="breaker", name="客户进线保护", details=_known(protection)))
        if not is_low and not _is_metered_low(incomer.metering):
            chain.append(_meter_stage(incomer.metering, symbol="meter"))
    modes = _known(scheme.receiving.operation_mode if scheme.receiving else None)
    name = scheme.receiving.main_connection if scheme.receiving else "客户母线"
    station = () if is_low else tuple(_station(scheme, sections=2 if is_sectioned else 1))
    return Plan(
        chains=tuple(tuple(chain) for chain in chains),
        titles=tuple(incomer.title for incomer in incomers),
        busbar=Stage(symbol="busbar", name=f"客户{name.removesuffix('接线')}", details=modes),
        is_sectioned=is_sectioned,
        station=(*station, _load_stage(scheme)),
    )


def list_incomers(scheme: Scheme, best: Variant) -> list[Incomer]:
    """Return the sources of a variant, the first one from the variant's own fields."""
    assert scheme.supply is not None
    sources, points = scheme.supply.sources, scheme.metering
    boundaries = [source.ownership_boundary for source in sources]
    boundaries += boundaries[-1:] * (1 + len(best.further_sources) - len(sources))
    # A source has a metering point of its own where one of the same mode is listed for it.
    meters: list[MeteringPoint | None] = [p for p in points if p.mode == points[0].mode]
    meters = meters or [None]
    meters += meters[:1] * len(best.further_sources)
    incomers = [
        Incomer(
            title=f"电源1（{sources[0].role}）",
            point=best.connection_point,
            connection_mode=best.connection_mode,
            substation=best.substation,
            busbar=best.busbar or sources[0].busbar,
            main_transformer=best.main_transformer,
            feeder=best.feeder,
            transformer_area=best.transformer_area,
            route=best.route,
            materials=best.bill_of_materials,
            boundary=boundaries[0],
            metering=meters[0],
        )
    ]
    for place, further in enumerate(best.further_sources, start=1):
        incomers.append(
            Incomer(
                title=f"电源{further.source_no}（{further.role}）",
                point=further.connection_point,
                connection_mode=further.connection_mode,
                substation=further.substation,
                busbar=further.busbar,
                main_transformer=further.main_transformer,
                feeder=further.feeder,
                transformer_area=further.transformer_area,
                route=further.route,
                materials=further.bill_of_materials,
                boundary=boundaries[place],
                metering=meters[place],
            )
        )
    return incomers


def plan_steps(scheme: Scheme, best: Variant) -> list[Step]:
    """Return the chain from the first source to the customer, top first."""
    assert scheme.supply is not None
    incomer = list_incomers(scheme, best)[0]
    protection = scheme.protection.incoming if scheme.protection else ""
    incoming = Stage(symbol="breaker", name="客户进线保护", details=_known(protection))
    if scheme.supply.voltage in _LOW_VOLTAGES:
        return [*_low_chain(incomer), incoming, _load_stage(scheme)]
    meter = incomer.metering
    station, stage = _station(scheme, sections=1), _meter_stage(meter, symbol="meter")
    metered = [*station, stage] if _is_metered_low(meter) else [stage, *station]
    return [*_high_chain(scheme, incomer), incoming, *metered, _load_stage(scheme)]


def _low_chain(incomer: Incomer) -> list[Step]:
    point, first = incomer.point, incomer.metering
    steps: list[Step] = [
        Stage(symbol="arrow_in", name=incomer.feeder or "10千伏线路", details=_known(incomer.substation)),
        Stage(symbol="transformer", name=incomer.transformer_area or "公用配电变压器", details=("10/0.4 kV",)),
        Stage(symbol="busbar", name=point.name if point.kind == "lv_board" else "低压母线", details=("0.4 kV",)),
        Stage(symbol="breaker", name="低压出线开关"),
    ]
    if point.kind != "lv_board":
        symbol = {"lv_branch_box": "bay", "lv_pole": "pole"}.get(point.kind, "node")
        steps.append(Stage(symbol=symbol, name=point.name, details=(f"接入点：{incomer.connection_mode}",)))
    meter = _meter_stage(first, symbol="meter_box" if first and first.ct_ratio else "meter_box_direct")
    boundary = Boundary(text=incomer.boundary)
    is_behind_meter = any(word in incomer.boundary for word in _METER_WORDS)
    return [*steps, _route_stage(incomer.route), *((meter, boundary) if is_behind_meter else (boundary, meter))]


def _high_chain(scheme: Scheme, incomer: Incomer) -> list[Step]:
    point = incomer.point
    level = f"{number(point.u_nominal_kv, 2)} kV"
    steps: list[Step] = [
        Stage(symbol="transformer", name=incomer.substation or "变电站", details=_known(incomer.main_transformer)),
        Stage(symbol="busbar", name=incomer.busbar or "变电站母线", details=(level,)),
    ]
    is_bay = point.kind == "substation_bay"
    access = (f"接入点：{incomer.connection_mode}",)
    if is_bay:
        steps.append(Stage(symbol="breaker", name=point.name, details=access))
    else:
        symbol = {"ring_main_bay": "bay", "switching_station_bay": "bay"}.get(point.kind, "pole")
        steps.append(Stage(symbol="breaker", name=incomer.feeder or "出线开关", details=("变电站出线",)))
        steps.append(Stage(symbol=symbol, name=point.name, details=access))
    boundary, route = Boundary(text=incomer.boundary), _route_stage(incomer.route)
    boundary_switch = _known(scheme.protection.boundary_switch if scheme.protection else None)
    switch = Stage(symbol="boundary_switch", name="分界开关", details=boundary_switch)
    if any(m.side == "customer" for m in incomer.materials if m.type_id == incomer.route.line_type_id):
        # At a substation's bay its breaker is the boundary switch already.
        return [*steps, boundary, route] if is_bay else [*steps, switch, boundary, route]
    return [*steps, route, switch, boundary]


def _station(scheme: Scheme, *, sections: int) -> list[Stage]:
    transformers = scheme.receiving.transformers if scheme.receiving else ()
    count = max(sum(t.count for t in transformers), 1)
    number_of = " × {}台" if sections == 1 else "（各段共{}台）"  # each busbar section draws its own share
    details = tuple(f"{t.model}　{number(t.sn_kva, 1)} kVA{number_of.format(t.count)}" for t in transformers)
    copies = min(max(count // sections, 1), _COPIES_MAX)
    return [Stage(symbol="transformer", name="客户受电变压器", details=details, copies=copies)]


def _is_metered_low(meter: MeteringPoint | None) -> bool:
    return meter is not None and meter.mode == "高供低计"


def _route_stage(route: Route) -> Stage:
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
