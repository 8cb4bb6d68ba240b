"""What the files say of one project: the same facts in the planner's table and in GeoJSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gridmodel.findings import Finding
from scheme.assessment.records import Answer, Limiter, ProjectResult, ProjectWorks
from scheme.assessment_files.grid_places import GridPlaces
from scheme.assessment_files.results import Results
from scheme.assessment_files.words import TRIGGERS, VERDICTS, limit_text, works_text

Value = str | float | int | None
COMPETITORS_MAX = 20
"""More of them in one cell nobody reads; the conflicts list them all."""
_FINDINGS_MAX = 10
_CHARACTERS_MAX = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultColumn:
    """One column that is appended."""

    key: str
    """Name of the property in GeoJSON."""
    title: str
    kind: Literal["text", "number", "count"] = "text"
    width: int = 14
    """Characters of the widest text that is shown whole."""


def _text(key: str, title: str, width: int = 14) -> ResultColumn:
    return ResultColumn(key=key, title=title, width=width)


def _number(key: str, title: str) -> ResultColumn:
    return ResultColumn(key=key, title=title, kind="number", width=12)


def _count(key: str, title: str) -> ResultColumn:
    return ResultColumn(key=key, title=title, kind="count", width=8)


COLUMNS = (
    _text("project_id", "储备库标识", 38),
    _text("verdict_alone", "单独接入结论"),
    _text("verdict_queue", "队列接入结论"),
    _count("queue_no", "队列序号"),
    _text("voltage", "供电电压", 10),
    _number("asked_kva", "供电容量 kVA"),
    _number("now_alone_kva", "单独现可接入 kVA"),
    _number("now_queue_kva", "队列现可接入 kVA"),
    _text("point", "接入点", 28),
    _text("point_id", "接入点编号", 18),
    _text("feeder", "馈线", 18),
    _text("transformer", "配电变压器", 24),
    _text("main_transformer", "主变压器", 18),
    _number("route_length_m", "接入路径 m"),
    _text("point_alone", "单独接入点", 28),
    _text("feeder_alone", "单独接入馈线", 18),
    _text("limit", "限制因素", 20),
    _text("limit_element", "限制设备", 24),
    _text("reason", "原因", 40),
    _text("competitors", "竞争项目", 30),
    _text("works_kind", "配套工程类别", 20),
    _text("works", "配套工程", 40),
    _number("works_cost_cny10k", "估算 万元"),
    _count("works_duration_workdays", "工期 工作日"),
    _text("works_latest_start_on", "最迟启动日期", 12),
    _text("works_trigger", "启动判断", 18),
    _count("group_no", "分组"),
    _text("fault", "数据问题", 40),
)


def list_rows(results: Results, places: GridPlaces) -> Iterator[dict[str, Value]]:
    """Yield the row of every project assessed, by column, in the order of the queue."""
    works = {item.project_id: item for item in results.assessment.project_works}
    for result in results.assessment.projects:
        yield project_row(result, works.get(result.project_id), results, places)


def project_row(
    result: ProjectResult, works: ProjectWorks | None, results: Results, places: GridPlaces
) -> dict[str, Value]:
    """Return what is said of one project, by column; what does not apply is ``None``."""
    alone, queue = result.alone, result.queue
    told = queue if queue.verdict != "yes" else alone
    return {
        "project_id": result.project_id,
        "verdict_alone": VERDICTS[alone.verdict],
        "verdict_queue": VERDICTS[queue.verdict],
        "queue_no": result.queue_no,
        "voltage": queue.voltage or alone.voltage,
        "asked_kva": _first(queue.asked_kva, alone.asked_kva),
        "now_alone_kva": alone.now_kva,
        "now_queue_kva": queue.now_kva,
        **_place(queue, places),
        "point_alone": None if alone.placement is None else alone.placement.point_name,
        "feeder_alone": None if alone.placement is None else alone.placement.feeder,
        **_limit(queue.limiter if queue.verdict != "yes" else None, results, places),
        "reason": None if told.verdict == "yes" else told.reason,
        "competitors": results.labels(result.competitors, count_max=COMPETITORS_MAX) or None,
        **_works(works),
        "group_no": result.group_no,
        "fault": None,
    }


def fault_text(findings: Sequence[Finding]) -> str:
    """Return what is wrong with one row of the planner's table in one text."""
    parts = []
    for finding in findings[:_FINDINGS_MAX]:
        value = "" if finding.value is None else f"“{finding.value}”"
        place = "" if finding.column is None else f"{finding.column}{value}："
        parts.append(f"{place}应为 {finding.expected}（{finding.code}，{finding.consequence}）")
    left = len(findings) - _FINDINGS_MAX
    text = "；".join(parts) + (f"；另有 {left} 条" if left > 0 else "")
    return text[:_CHARACTERS_MAX]


def faults_by_row(findings: Sequence[Finding]) -> Mapping[int, list[Finding]]:
    """Return the findings by row of the planner's table."""
    found: dict[int, list[Finding]] = {}
    for finding in findings:
        if finding.row is not None:
            found.setdefault(finding.row, []).append(finding)
    return found


def limiting_element(limiter: Limiter, results: Results, places: GridPlaces) -> str | None:
    """Return what people call the element in the way."""
    if limiter.element_id in ("customer", "route"):
        return {"customer": "客户受电端", "route": "接入线路"}[limiter.element_id]
    if limiter.element_id is not None:
        known = results.origins.get(limiter.element_id)
        return places.element_name(limiter.element_id) if known is None else f"项目 {known.source_id}"
    return None if limiter.contested is None else places.name(*limiter.contested)


def _place(answer: Answer, places: GridPlaces) -> dict[str, Value]:
    placed = answer.placement
    if placed is None:
        return dict.fromkeys(("point", "point_id", "feeder", "transformer", "main_transformer", "route_length_m"), None)
    transformer = next((name for kind, name in placed.elements if kind == "transformer"), None)
    return {
        "point": placed.point_name,
        "point_id": placed.element_source_id,
        "feeder": placed.feeder,
        "transformer": None if transformer is None else places.name("transformer", transformer),
        "main_transformer": placed.main_transformer,
        "route_length_m": placed.route_length_m,
    }


def _limit(limiter: Limiter | None, results: Results, places: GridPlaces) -> dict[str, Value]:
    if limiter is None:
        return {"limit": None, "limit_element": None}
    return {"limit": limit_text(limiter.kind), "limit_element": limiting_element(limiter, results, places)}


def _works(works: ProjectWorks | None) -> dict[str, Value]:
    if works is None:
        return dict.fromkeys(
            (
                "works_kind",
                "works",
                "works_cost_cny10k",
                "works_duration_workdays",
                "works_latest_start_on",
                "works_trigger",
            ),
            None,
        )
    return {
        "works_kind": works_text(works.code),
        "works": works.text if works.is_complete else "未找到经潮流校验的改造路径，转专业联动",
        "works_cost_cny10k": works.cost_cny10k,
        "works_duration_workdays": works.duration_workdays,
        "works_latest_start_on": works.latest_start_on,
        "works_trigger": TRIGGERS[works.trigger],
    }


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)
