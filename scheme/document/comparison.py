"""Comparison of the variants (方案比选) as printed texts: a column each, the recommended one first and marked."""

from __future__ import annotations

from collections.abc import Callable

from scheme.document.checks import largest_loading, quality_summary
from scheme.document.layout import COMPARED_MAX
from scheme.document.route_texts import route_text
from scheme.document.tables import Payload, Row
from scheme.document.wording import (
    NOT_APPLICABLE,
    OUTAGE_SECURITY,
    POINT_KINDS,
    SCORE_PARTS,
    day,
    duration,
    fixed,
    number,
    percent,
    quantity,
    text_or_dash,
)
from scheme.model import Scheme, Variant
from scheme.model_quality import OutageSecurity
from scheme.model_variant import FurtherSource

_DEFICITS_SHOWN_MAX = 3
_DEFICIT_MIN = 0.0005
"""Smaller differences round to 0.000."""

Line = tuple[str, Callable[[Variant], str]]


def list_variants(scheme: Scheme) -> Payload:
    """Return the lines of the comparison, their titles, how many variants there are, and the weights."""
    shown = scheme.variants[:COMPARED_MAX]
    lines = _lines(scheme, shown)
    rows = [{"label": label, **_cells([text(variant) for variant in shown])} for label, text in lines]
    titles = [f"方案{variant.rank}" + ("（推荐）" if variant is shown[0] else "") for variant in shown]
    left_out = len(scheme.variants) - len(shown)
    return {
        "comparison_head": [{"label": "比较项目", **_cells(titles)}],
        "comparison": rows if shown else [],
        "comparison_count": str(len(shown)),
        "comparison_note": _weights(shown[0] if shown else None)
        + (f"另有{left_out}个方案未列出，见数据文件。" if left_out else ""),
    }


def _cells(texts: list[str]) -> Row:
    return {f"v{place}": text for place, text in enumerate(texts, start=1)}


def _lines(scheme: Scheme, shown: tuple[Variant, ...]) -> list[Line]:
    low = any(variant.transformer_area for variant in shown)
    lines: list[Line] = [
        ("接入方式", lambda v: v.connection_mode or POINT_KINDS[v.connection_point.kind]),
        ("接入点", lambda v: v.connection_point.name or v.connection_point.element_source_id),
        ("变电站", lambda v: text_or_dash(v.substation)),
        ("主变压器", lambda v: text_or_dash(v.main_transformer)),
        ("供电线路", lambda v: text_or_dash(v.feeder)),
        *([("公变台区", lambda v: text_or_dash(v.transformer_area))] if low else []),
        ("直线距离", lambda v: quantity(v.distance_m, "m", 0)),
        ("接入线路", lambda v: route_text(v.route)),
        ("线路型号", lambda v: v.route.line_label or v.route.line_type_id),
        ("穿跨越", lambda v: "、".join(v.route.crossings) or "无"),
        ("估算造价 万元", lambda v: fixed(v.cost.total_typical_cny10k, 2)),
        ("　低值～高值", lambda v: f"{fixed(v.cost.total_low_cny10k, 2)}～{fixed(v.cost.total_high_cny10k, 2)}"),
        ("　供电企业投资", lambda v: fixed(v.cost.utility_typical_cny10k, 2)),
        ("　客户投资", lambda v: fixed(v.cost.customer_typical_cny10k, 2)),
        ("网损变化", lambda v: quantity(v.verification.losses_kw, "kW", 2)),
        ("最低电压", lambda v: fixed(v.verification.u_pu_min, 4)),
        ("最高电压", lambda v: fixed(v.verification.u_pu_max, 4)),
        ("客户侧电压", lambda v: fixed(v.verification.u_pu_customer, 4)),
        ("线路负载率", lambda v: percent(v.verification.line_loading_ratio_max)),
        ("变压器负载率", lambda v: percent(v.verification.transformer_loading_ratio_max)),
        ("接入点短路电流", lambda v: quantity(v.verification.ik3_ka, "kA", 2)),
    ]
    lines += _further_lines(shown)
    if any(variant.outage_security for variant in shown):
        lines.append(("故障后供电", lambda v: security_text(v.outage_security)))
    if any(variant.power_quality for variant in shown):
        lines.append(("短路与电能质量", lambda v: quality_summary(v.power_quality)))
    if scheme.consultation is None:  # a preliminary reply promises no date
        lines += [
            ("全过程时限", lambda v: duration(v.timeline.limit, v.timeline.limit_unit)),
            ("计划送电日期", lambda v: day(v.timeline.promise_on)),
        ]
    lines += [("综合评分", lambda v: fixed(v.score.total, 3)), ("与推荐方案相比", lambda v: _why_lower(v, shown[0]))]
    return lines


def _further_lines(shown: tuple[Variant, ...]) -> list[Line]:
    """Return the lines of the second and third source (电源), where any variant has one."""
    lines: list[Line] = []
    for place in range(max((len(variant.further_sources) for variant in shown), default=0)):
        label = f"电源{place + 2}"
        lines += [
            (f"{label} 接入方式", _of(place, lambda s: s.connection_mode)),
            (f"{label} 接入点", _of(place, lambda s: s.connection_point.name or s.connection_point.element_source_id)),
            (f"{label} 变电站", _of(place, lambda s: text_or_dash(s.substation))),
            (f"{label} 线路", _of(place, lambda s: text_or_dash(s.feeder))),
            (f"{label} 接入线路", _of(place, lambda s: route_text(s.route))),
            (f"{label} 穿跨越", _of(place, lambda s: "、".join(s.route.crossings) or "无")),
            (f"{label} 最低电压", _of(place, lambda s: fixed(s.verification.u_pu_min, 4))),
            (f"{label} 最大负载率", _of(place, lambda s: percent(largest_loading(s.verification)))),
            (f"{label} 网损变化", _of(place, lambda s: quantity(s.verification.losses_kw, "kW", 2))),
        ]
    return lines


def _of(place: int, text: Callable[[FurtherSource], str]) -> Callable[[Variant], str]:
    """Return how a further source is printed; a variant without it has a dash."""

    def printed(variant: Variant) -> str:
        return text(variant.further_sources[place]) if place < len(variant.further_sources) else NOT_APPLICABLE

    return printed


def security_text(security: OutageSecurity | None) -> str:
    """Return what single outages leave of a supply."""
    if security is None:
        return NOT_APPLICABLE
    text = OUTAGE_SECURITY[security.status]
    if security.n1_kva is None:
        return text
    return f"{text}，{number(security.n1_kva, 0)} kVA" + ("" if security.is_carried else "（不足）")


def _why_lower(variant: Variant, best: Variant) -> str:
    """Return by how much and in which parts of the score a variant stays behind the recommended one."""
    if variant is best:
        return "推荐方案"
    losses = {
        key: weight * (best.score.parts.get(key, 0.0) - variant.score.parts.get(key, 0.0))
        for key, weight in variant.score.weights.items()
    }
    worst = sorted((key for key in losses if losses[key] >= _DEFICIT_MIN), key=lambda key: (-losses[key], key))
    named = "、".join(f"{SCORE_PARTS.get(key, key)}−{fixed(losses[key], 3)}" for key in worst[:_DEFICITS_SHOWN_MAX])
    total = f"总分低{fixed(best.score.total - variant.score.total, 3)}"
    return f"{total}：{named}" if named else total


def _weights(best: Variant | None) -> str:
    if best is None or not best.score.weights:
        return ""
    weights = "、".join(
        f"{SCORE_PARTS.get(key, key)} {number(value, 3)}" for key, value in sorted(best.score.weights.items())
    )
    return (
        f"评分为各分项得分（0～1）与权重乘积之和，电压为标幺值，负载率取供电路径最大值。权重：{weights}。"
        if weights
        else NOT_APPLICABLE
    )
