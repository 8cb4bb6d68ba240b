"""Chinese words for the codes of an assessment."""

from __future__ import annotations

from scheme.document.wording import LIMIT_KINDS as _LIMIT_KINDS

VERDICTS = {"yes": "可接入", "partly": "部分接入", "no": "不可接入", "not_assessable": "无法评估"}
ELEMENT_KINDS = {"transformer": "配电变压器", "feeder": "馈线", "main_transformer": "主变压器"}
LIMIT_KINDS = {
    **_LIMIT_KINDS,
    "administrative": "容量指标（管理口径）用尽",
    "ceiling": "达到计算上限",
    "no_line_type": "目录中没有能承载的线路型号",
    "lv_supply_radius_exceeded": "超过低压供电半径",
    "not_assessable": "接入点数据未通过质量检查",
    "out_of_service": "接入点未投运",
    "dedicated_transformer": "专用变压器台区",
    "owner_not_known": "台区产权不明",
    "tee_capacity_exceeded": "超过T接容量上限",
    "spare_bays_not_known": "备用间隔数未知",
    "no_spare_bay": "备用间隔不足",
    "open_capacity_not_known": "可开放容量无法评估",
    "open_capacity_exceeded": "可开放容量不足",
}
WORKS = {
    "larger_transformer": "更换配电变压器",
    "larger_main_transformer": "主变压器增容",
    "reconductoring": "更换导线",
    "another_point": "改接其他接入点",
    "load_transfer": "负荷转供",
    "section_switch": "装设分段开关",
    "new_ring_main_unit": "新建环网柜",
    "new_bay": "扩建间隔",
    "new_transformer_area": "新增公用台区",
    "new_line": "新建支线",
    "new_feeder": "新建馈线",
}
TRIGGERS = {"stage": "按客户工程进度启动", "date": "按最迟日期启动", "wait": "暂不启动", "not_known": "进度与日期未知"}
NOT_ASSESSED = "未评估"
LEFT_OUT = "本情景不计入此项目"
NOT_ADDITIVE = "各项目“单独接入”结论互不计入对方，容量不可相加；“队列接入”结论按次序逐个计入，可以同时成立。"


def limit_text(kind: str) -> str:
    """Return what a limit is called; one without a word by its code."""
    return LIMIT_KINDS.get(kind, kind)


def works_text(code: str | None) -> str | None:
    """Return what kinds of works joined by ``+`` are called."""
    return None if code is None else "＋".join(WORKS.get(part, part) for part in code.split("+"))
