"""What a reply says in short (答复结论) as printed texts: verdict, supply, points, money, dates, validity."""

from __future__ import annotations

from scheme.document.tables import Payload
from scheme.document.wording import (
    CONSULTATION_VERDICTS,
    NOT_APPLICABLE,
    UTILITY_FILLS,
    VERDICTS,
    VOLTAGES,
    day,
    fixed,
    quantity,
)
from scheme.model import Scheme, Source, Timeline, Variant


def list_conclusion(scheme: Scheme, best: Variant | None) -> Payload:
    """Return the texts of the box a reply begins with."""
    validity, timeline = scheme.validity, scheme.timeline
    span = f"{day(validity.from_on)}至{day(validity.to_on)}" if validity else NOT_APPLICABLE
    verdicts = VERDICTS
    if scheme.consultation is not None:
        verdicts, span = CONSULTATION_VERDICTS, "无，对双方不具约束力"
    return {
        "verdict": verdicts[scheme.verdict],
        "verdict_note": "本申请不能由系统自动答复，原因见下；本单不含供电方案。",
        "reasons_text": "；".join(reason.text for reason in scheme.reasons) or _no_reasons(best),
        "reasons": [{"no": str(number), "text": reason.text} for number, reason in enumerate(scheme.reasons, start=1)]
        or [{"no": NOT_APPLICABLE, "text": "无"}],
        "answer_supply": _supply(scheme),
        "answer_points": "；".join(_point(source, scheme) for source in scheme.supply.sources)
        if scheme.supply and scheme.supply.sources
        else NOT_APPLICABLE,
        "conditions": _conditions(best),
        **_money(best),
        "fees_text": _fees(scheme),
        "validity": span,
        "is_restricted": "否" if scheme.verdict == "answered" else "是",
        "planned_on": _planned_on(timeline),
        "promise": (timeline.promise_text if timeline else "") or NOT_APPLICABLE,
        "higher_voltage": _higher_voltage(scheme),
    }


def _planned_on(timeline: Timeline | None) -> str:
    """Return the day of supply; while it hangs on something open, where the condition is told."""
    if timeline is None:
        return NOT_APPLICABLE
    return day(timeline.promise_on) if timeline.promise_on or not timeline.promise_text else "见送电承诺"


def _no_reasons(best: Variant | None) -> str:
    is_checked = best is not None and best.verification.is_within_limits
    return "接入点及供电路径经交流潮流校核，满足规定限值" if is_checked else NOT_APPLICABLE


def _supply(scheme: Scheme) -> str:
    supply = scheme.supply
    if supply is None:
        return NOT_APPLICABLE
    level = VOLTAGES.get(supply.voltage, supply.voltage) + supply.phases
    kinds = "、".join(dict.fromkeys(source.kind for source in supply.sources))
    return f"{level}，{quantity(supply.capacity_kva, 'kVA', 1)}" + (f"，{kinds}" if kinds else "")


def _point(source: Source, scheme: Scheme) -> str:
    places = [source.substation, source.feeder, source.transformer_area, source.point]
    named = " ".join(dict.fromkeys(place for place in places if place))
    several = scheme.supply is not None and len(scheme.supply.sources) > 1
    share = f"，{quantity(source.capacity_kva, 'kVA', 1)}" if several else ""
    title = f"电源{source.source_no}：" if several else ""
    return f"{title}{named}（{source.connection_mode}{share}）"


def _conditions(best: Variant | None) -> str:
    """Return what the customer has to do before being connected, each demand once."""
    studied = [best.power_quality, *(source.power_quality for source in best.further_sources)] if best else []
    texts = [text for quality in studied if quality is not None for text in quality.conditions]
    return "；".join(dict.fromkeys(texts)) or NOT_APPLICABLE


def _money(best: Variant | None) -> Payload:
    if best is None:
        return {"utility_cost": NOT_APPLICABLE, "customer_cost": NOT_APPLICABLE}
    cost = best.cost
    return {
        "utility_cost": _share(cost.utility_typical_cny10k, cost.utility_low_cny10k, cost.utility_high_cny10k),
        "customer_cost": _share(cost.customer_typical_cny10k, cost.customer_low_cny10k, cost.customer_high_cny10k),
    }


def _share(typical_cny10k: float, low_cny10k: float | None, high_cny10k: float | None) -> str:
    """Return one side's part of the estimate; a side that builds nothing pays nothing."""
    if typical_cny10k == 0.0 and not high_cny10k:
        return "无"
    span = f"（{fixed(low_cny10k, 2)}～{fixed(high_cny10k, 2)}）" if low_cny10k is not None and high_cny10k else ""
    return f"{fixed(typical_cny10k, 2)}万元{span}"


def _fees(scheme: Scheme) -> str:
    fees = [f"{fee.name}：{f'{fee.amount_cny} 元' if fee.amount_cny else UTILITY_FILLS}" for fee in scheme.fees]
    return "；".join(fees) or "无"


def _higher_voltage(scheme: Scheme) -> str:
    higher = scheme.higher_voltage
    if higher is None:
        return NOT_APPLICABLE
    level = VOLTAGES.get(higher.recommended_voltage, higher.recommended_voltage)
    most = quantity(higher.range_max_kva, "kVA", 1)
    return f"{level}（受电容量{quantity(higher.capacity_kva, 'kVA', 1)}，超过10千伏供电上限{most}）"
