"""How values are printed: Chinese words for codes, rounding and units, dates; ``—`` for what does not apply."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

NOT_APPLICABLE = "—"
UTILITY_FILLS = "由供电企业填写"

CATEGORIES = {
    "resident": "居民生活",
    "residential_area": "居民小区",
    "small_micro": "小微企业",
    "industrial_commercial": "工商业",
    "agriculture": "农业生产",
    "non_residential_lighting": "非居民照明",
    "ev_charging": "电动汽车充换电",
    "temporary": "临时用电",
    "other": "其他",
}
IMPORTANCE = {
    "special": "特级重要客户",
    "first": "一级重要客户",
    "second": "二级重要客户",
    "temporary": "临时性重要客户",
    "ordinary": "普通客户",
}
BUSINESS = {"new": "新装", "increase": "增容", "temporary": "装表临时用电"}
SPECIAL_LOADS = {"impact": "冲击性负荷", "nonlinear": "非线性负荷", "unbalanced": "不对称（单相）负荷"}
LAYING = {"overhead": "架空", "cable": "电缆"}
SECTION_KINDS = {"overhead": "架空", "cable": "电缆", "duct": "管沟电缆"}
CROSSINGS = {
    "highway": "公路",
    "railway": "铁路",
    "water_diversion_trunk": "输水干管（渠）",
    "protected_cable": "国防光缆等保护线路",
    "river": "河流",
}
SIDES = {"utility": "供电企业", "customer": "客户"}
VERDICTS = {
    "answered": "同意供电，按本方案实施",
    "transition": "同意按过渡方案供电，其余容量待配套工程完成后供给",
    "joint_work": "转专业联动办理",
}
CONSULTATION_VERDICTS = {
    "answered": "按现有资料初步具备供电条件，正式报装后答复供电方案",
    "transition": "按现有资料电网供电能力受限，可先按过渡方案供电，正式报装后答复供电方案",
    "joint_work": "按现有资料尚不能提出接入点，正式报装后由专业联动编制供电方案",
}
POINT_KINDS = {
    "substation_bay": "变电站间隔",
    "switching_station_bay": "开关站间隔",
    "ring_main_bay": "环网柜间隔",
    "pole": "杆塔T接",
    "line_tee": "线路T接",
    "lv_board": "配变低压侧",
    "lv_branch_box": "低压分支箱",
    "lv_pole": "低压杆",
    "lv_node": "低压节点",
}
STOCK = {"in_stock": "库存满足", "ordered": "已订货", "short": "缺货", "not_known": "待物资部门核对"}
LIMIT_KINDS = {
    "line_loading": "线路负载率越限",
    "transformer_loading": "变压器负载率越限",
    "voltage_low": "电压低于下限",
    "voltage_high": "电压高于上限",
    "existing_violation": "现状已越限",
    "convergence": "潮流无解",
}
VOLTAGES = {
    "220V": "交流220伏",
    "380V": "交流380伏",
    **{f"{level}kV": f"交流{level}千伏" for level in (10, 20, 35, 110, 220)},
}
SCORE_PARTS = {
    "cost": "造价",
    "distance": "距离",
    "capacity_margin": "容量裕度",
    "voltage_margin": "电压裕度",
    "losses": "网损",
}
OUTAGE_SECURITY = {
    "other_source": "由另一路电源供电",
    "restorable": "可转供",
    "own_section": "本段故障外可转供",
    "not_restorable": "不能全部转供",
}
COMPARISONS = {"le": "≤", "lt": "＜", "ge": "≥", "gt": "＞", "eq": "＝"}
UNITS = {
    **dict.fromkeys(("ratio", "count", "text", "texts", "flag", "table", "record"), ""),
    "cny_per_kva": "元/kVA",
    "degree_c": "℃",
    "pu": "p.u.",
    "cny10k": "万元",
    "second": "秒",
    "minute": "分钟",
    "hour": "小时",
    "workday": "个工作日",
    "day": "天",
    "month": "个月",
    "year": "年",
}

_VALUE_CHARACTERS_MAX = 24


def number(value: float | None, digits: int) -> str:
    """Return ``value`` rounded to at most ``digits`` decimals, without trailing zeros; ``—`` when not known."""
    if value is None or not math.isfinite(value):
        return NOT_APPLICABLE
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def fixed(value: float | None, digits: int) -> str:
    """Return ``value`` with exactly ``digits`` decimals; ``—`` when not known."""
    if value is None or not math.isfinite(value):
        return NOT_APPLICABLE
    return f"{value + 0.0:.{digits}f}"


def quantity(value: float | None, unit: str, digits: int) -> str:
    """Return number and unit with a space; ``—`` when not known."""
    text = number(value, digits)
    return text if text == NOT_APPLICABLE else f"{text} {unit}"


def percent(ratio: float | None, digits: int = 1) -> str:
    """Return a ratio as a percentage; ``—`` when not known."""
    return NOT_APPLICABLE if ratio is None or not math.isfinite(ratio) else f"{ratio * 100:.{digits}f}%"


def day(iso: str | None) -> str:
    """Return an ISO date as ``2026年11月20日``; a text that is no date is kept."""
    if not iso:
        return NOT_APPLICABLE
    try:
        when = date.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{when.year}年{when.month}月{when.day}日"


def text_or_dash(value: object) -> str:
    """Return a text, or ``—`` for none or blank."""
    text = "" if value is None else str(value).strip()
    return text or NOT_APPLICABLE


def text_or_utility(value: object) -> str:
    """Return a text, or that the utility fills it."""
    text = "" if value is None else str(value).strip()
    return text or UTILITY_FILLS


def coordinates(lon_deg: float, lat_deg: float) -> str:
    """Return a place in CGCS2000 for readers."""
    east, north = ("东经" if lon_deg >= 0 else "西经"), ("北纬" if lat_deg >= 0 else "南纬")
    return f"{east}{abs(lon_deg):.6f}°，{north}{abs(lat_deg):.6f}°（CGCS2000）"


def duration(count: int | None, unit: str | None) -> str:
    """Return a time limit; working days and calendar days keep their own words."""
    if count is None:
        return NOT_APPLICABLE
    if count == 0:
        return "当日"
    return f"{count}个工作日" if unit == "workday" else f"{count}天"


def policy_value(value: object, *, unit: str, op: str | None) -> str:
    """Return a policy value in short: scalars with sign and unit, a table by its number of rows."""
    sign = COMPARISONS.get(op or "", "")
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float):
        return f"{sign}{_plain_number(value)} {_unit(unit)}".strip()
    if isinstance(value, list | tuple) and any(isinstance(item, Mapping | list | tuple) for item in value):
        return f"表（{len(value)}行）"
    if isinstance(value, list | tuple) and not value:
        return "无"
    if isinstance(value, list | tuple):
        return f"{_listed(value)} {_unit(unit)}".strip()
    if isinstance(value, Mapping):
        return f"记录（{len(value)}项）"
    return _shortened(text_or_dash(value))


def _unit(unit: str) -> str:
    """Return a unit as printed; a list has the unit of its values."""
    plain = unit.removesuffix("_list")
    return UNITS.get(plain, plain)


def _listed(values: Sequence[Any]) -> str:
    """Return the first values as far as there is room, none of them cut, and how many there are."""
    names = CATEGORIES if all(value in CATEGORIES for value in values) else {}
    items = [names.get(value) or _item(value) for value in values]
    shown = [item for place, item in enumerate(items) if len("、".join(items[: place + 1])) <= _VALUE_CHARACTERS_MAX]
    if len(shown) == len(items):
        return "、".join(shown)
    first = f"{'、'.join(shown)}…" if shown else _shortened(items[0])
    return f"{first}（共{len(items)}项）" if len(items) > 1 else first


def _item(value: Any) -> str:
    return _plain_number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _plain_number(value: float) -> str:
    return str(value) if isinstance(value, int) else number(value, 6)


def _shortened(text: str) -> str:
    return text if len(text) <= _VALUE_CHARACTERS_MAX else text[: _VALUE_CHARACTERS_MAX - 1] + "…"
