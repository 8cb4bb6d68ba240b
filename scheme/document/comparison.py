"""Comparison of the variants (方案比选) as printed texts: a column each, the recommended one first and marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scheme.document.checks import largest_loading, quality_summary, security_text
from scheme.document.layout import COMPARED_MAX
from scheme.document.profile import list_profiles
from scheme.document.route_texts import route_text
from scheme.document.tables import Payload, Row
from scheme.document.wording import (
    NOT_APPLICABLE,
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
from scheme.model_variant import FurtherSource

_DEFICITS_SHOWN_MAX = 3
_DEFICIT_MIN = 0.0005
"""Smaller differences round to 0.000."""

_BEST = " ★"
_MARK_NOTE = "★为该项最优。"
_ALONE = "经筛选和交流潮流校核，可行方案仅此一个，不作比选。"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One line of the comparison."""

    label: str
    text: Callable[[Variant], str]
    rank: Callable[[Variant], float | str | None] | None = None
    """What makes the best of this line, least first; ``None`` where no value is better than another."""


def list_variants(scheme: Scheme) -> Payload:
    """Return the lines of the comparison, their titles, how many variants stand there, and the weights.

    One variant alone is compared with nothing: its figures stand in the forms.
    """
    shown = scheme.variants[:COMPARED_MAX] if len(scheme.variants) > 1 else ()
    same: list[str] = []
    rows = [row for title, lines in _blocks(scheme, shown) for row in _block(title, lines, shown, same)]
    titles = [f"方案{variant.rank}" + ("（推荐）" if variant is shown[0] else "") for variant in shown]
    left_out = len(scheme.variants) - len(shown) if shown else 0
    profile = list_profiles(scheme)
    is_appended = bool(shown or profile or scheme.rejected or scheme.rejected_sets)
    return {
        "comparison_head": [{"label": "比较项目", **_cells(titles)}],
        "comparison": rows if shown else [],
        "comparison_count": str(len(shown)),
        "comparison_alone": _ALONE if len(scheme.variants) == 1 else "",
        "comparison_note": (_MARK_NOTE + _weights(shown[0]) if shown else "")
        + (f"各方案相同的项目：{'；'.join(same)}。" if same else "")
        + (f"另有{left_out}个方案未列出，见数据文件。" if left_out else ""),
        "profile_shown": "是" if profile else "",
        "appendix": "是" if is_appended else "",
    }


def _cells(texts: Sequence[str]) -> Row:
    return {f"v{place}": text for place, text in enumerate(texts, start=1)}


def _block(title: str, lines: list[_Line], shown: tuple[Variant, ...], same: list[str]) -> list[Row]:
    """Return the lines in which variants differ below their title; what all have alike goes to ``same``."""
    rows: list[Row] = []
    for line in lines:
        texts = {line.text(variant) for variant in shown}
        if len(texts) > 1:
            rows.append(_row(line, shown))
        else:
            same += [f"{line.label.strip('　')} {text}" for text in texts if text != NOT_APPLICABLE]
    return [{"label": title, **_cells([""] * len(shown)), "kind": "title", "best": ""}, *rows] if rows else []


def _row(line: _Line, shown: tuple[Variant, ...]) -> Row:
    texts = [line.text(variant) for variant in shown]
    best: list[str] = []
    if line.rank is not None:
        ranks = [line.rank(variant) for variant in shown]
        known = [rank for rank in ranks if rank is not None]
        least = texts[ranks.index(min(known))] if known else None
        best = [f"v{place}" for place, text in enumerate(texts, start=1) if text == least]
    cells = {key: text + _BEST if key in best else text for key, text in _cells(texts).items()}
    return {"label": line.label, **cells, "kind": "", "best": " ".join(best)}


def _blocks(scheme: Scheme, shown: tuple[Variant, ...]) -> list[tuple[str, list[_Line]]]:
    return [
        ("接入", [*_point_lines(), *_further_lines(shown)]),
        ("造价与出资", _cost_lines()),
        ("电气校核", [*_check_lines(), *_further_check_lines(shown)]),
        ("可靠性与时间", _time_lines(scheme)),
        (
            "评价",
            [
                _Line(label="综合评分", text=lambda v: fixed(v.score.total, 3), rank=lambda v: -v.score.total),
                _Line(label="与推荐方案相比", text=lambda v: _why_lower(v, shown[0])),
            ],
        ),
    ]


def _point_lines() -> list[_Line]:
    return [
        _Line(label="接入方式", text=lambda v: v.connection_mode or POINT_KINDS[v.connection_point.kind]),
        _Line(label="接入点", text=lambda v: v.connection_point.name or v.connection_point.element_source_id),
        _Line(label="变电站", text=lambda v: text_or_dash(v.substation)),
        _Line(label="主变压器", text=lambda v: text_or_dash(v.main_transformer)),
        _Line(label="供电线路", text=lambda v: text_or_dash(v.feeder)),
        _Line(label="公变台区", text=lambda v: text_or_dash(v.transformer_area)),
        _Line(label="直线距离", text=lambda v: quantity(v.distance_m, "m", 0), rank=lambda v: v.distance_m),
        _Line(label="接入线路", text=lambda v: route_text(v.route), rank=lambda v: v.route.length_m),
        _Line(label="线路型号", text=lambda v: v.route.line_label or v.route.line_type_id),
        _Line(label="穿跨越", text=lambda v: "、".join(v.route.crossings) or NOT_APPLICABLE),
    ]


def _cost_lines() -> list[_Line]:
    return [
        _Line(
            label="估算造价 万元",
            text=lambda v: fixed(v.cost.total_typical_cny10k, 2),
            rank=lambda v: v.cost.total_typical_cny10k,
        ),
        _Line(
            label="　低值～高值",
            text=lambda v: f"{fixed(v.cost.total_low_cny10k, 2)}～{fixed(v.cost.total_high_cny10k, 2)}",
        ),
        _Line(
            label="　供电企业投资",
            text=lambda v: fixed(v.cost.utility_typical_cny10k, 2),
            rank=lambda v: v.cost.utility_typical_cny10k,
        ),
        _Line(
            label="　客户投资",
            text=lambda v: fixed(v.cost.customer_typical_cny10k, 2),
            rank=lambda v: v.cost.customer_typical_cny10k,
        ),
    ]


def _check_lines() -> list[_Line]:
    return [
        _Line(
            label="最低电压",
            text=lambda v: fixed(v.verification.u_pu_min, 4),
            rank=lambda v: -v.verification.u_pu_min,
        ),
        _Line(label="最高电压", text=lambda v: fixed(v.verification.u_pu_max, 4)),
        _Line(label="客户侧电压", text=lambda v: fixed(v.verification.u_pu_customer, 4)),
        _Line(
            label="线路负载率",
            text=lambda v: percent(v.verification.line_loading_ratio_max),
            rank=lambda v: v.verification.line_loading_ratio_max,
        ),
        _Line(
            label="变压器负载率",
            text=lambda v: percent(v.verification.transformer_loading_ratio_max),
            rank=lambda v: v.verification.transformer_loading_ratio_max,
        ),
        _Line(
            label="网损变化",
            text=lambda v: quantity(v.verification.losses_kw, "kW", 2),
            rank=lambda v: v.verification.losses_kw,
        ),
        _Line(label="接入点短路电流", text=lambda v: quantity(v.verification.ik3_ka, "kA", 2)),
        _Line(label="短路与电能质量", text=lambda v: quality_summary(v.power_quality)),
    ]


def _time_lines(scheme: Scheme) -> list[_Line]:
    lines = [_Line(label="故障后供电", text=lambda v: security_text(v.outage_security))]
    if scheme.consultation is None:  # a preliminary reply promises no date
        lines += [
            _Line(label="全过程时限", text=lambda v: duration(v.timeline.limit, v.timeline.limit_unit)),
            _Line(
                label="计划送电日期",
                text=lambda v: day(v.timeline.promise_on),
                rank=lambda v: v.timeline.promise_on,
            ),
        ]
    return lines


def _further_lines(shown: tuple[Variant, ...]) -> list[_Line]:
    """Return where the second and third source (电源) come from, where any variant has one."""
    lines: list[_Line] = []
    for place in range(max((len(variant.further_sources) for variant in shown), default=0)):
        label = f"电源{place + 2}"
        point = _of(place, lambda s: s.connection_point.name or s.connection_point.element_source_id)
        lines += [
            _Line(label=f"{label} 接入方式", text=_of(place, lambda s: s.connection_mode)),
            _Line(label=f"{label} 接入点", text=point),
            _Line(label=f"{label} 变电站", text=_of(place, lambda s: text_or_dash(s.substation))),
            _Line(label=f"{label} 线路", text=_of(place, lambda s: text_or_dash(s.feeder))),
            _Line(label=f"{label} 接入线路", text=_of(place, lambda s: route_text(s.route))),
            _Line(label=f"{label} 穿跨越", text=_of(place, lambda s: "、".join(s.route.crossings) or NOT_APPLICABLE)),
        ]
    return lines


def _further_check_lines(shown: tuple[Variant, ...]) -> list[_Line]:
    """Return how the second and third source were verified."""
    lines: list[_Line] = []
    for place in range(max((len(variant.further_sources) for variant in shown), default=0)):
        label = f"电源{place + 2}"
        lines += [
            _Line(label=f"{label} 最低电压", text=_of(place, lambda s: fixed(s.verification.u_pu_min, 4))),
            _Line(label=f"{label} 最大负载率", text=_of(place, lambda s: percent(largest_loading(s.verification)))),
            _Line(label=f"{label} 网损变化", text=_of(place, lambda s: quantity(s.verification.losses_kw, "kW", 2))),
        ]
    return lines


def _of(place: int, text: Callable[[FurtherSource], str]) -> Callable[[Variant], str]:
    """Return how a further source is printed; a variant without it has a dash."""

    def printed(variant: Variant) -> str:
        return text(variant.further_sources[place]) if place < len(variant.further_sources) else NOT_APPLICABLE

    return printed


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


def _weights(best: Variant) -> str:
    weights = "、".join(
        f"{SCORE_PARTS.get(key, key)} {number(value, 3)}" for key, value in sorted(best.score.weights.items())
    )
    scores = f"评分为各分项得分（0～1）与权重乘积之和，权重：{weights}。" if weights else ""
    return f"电压为标幺值，负载率取供电路径最大值。{scores}"
