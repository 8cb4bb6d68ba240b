"""Tables of the report: conflicts, years, works, materials, all projects, rows that are wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scheme.assessment.records import Conflict, ProjectResult, ProjectWorks
from scheme.assessment_files.grid_places import GridPlaces
from scheme.assessment_files.report_layout import (
    ReportColumn,
    Section,
    centred,
    column,
    figures,
    left_out,
    table,
)
from scheme.assessment_files.result_rows import fault_text, faults_by_row, limiting_element
from scheme.assessment_files.results import Results
from scheme.assessment_files.summary import hardest_first, list_faulty_rows, soonest_first
from scheme.assessment_files.words import ELEMENT_KINDS, TRIGGERS, limit_text, works_text
from scheme.document.wording import fixed, number

CONFLICTS_MAX, YEARS_MAX, WORKS_MAX, MATERIALS_MAX, FAULTS_MAX = 40, 60, 80, 120, 60
PROJECTS_MAX = 1_000
_LABELS_MAX = 8
_WORKBOOK = "结果工作簿"
MARKS = {"yes": "● 可接入", "partly": "▲ 部分接入", "no": "× 不可接入", "not_assessable": "◇ 无法评估"}
"""The same shapes as on the maps."""
_SMALL_PT = 6.5
_WITHOUT_WORKS = 10
"""Columns of the list of projects where nobody asked for works."""


def conflicts_table(results: Results) -> Section:
    """Return who competes for what, the hardest first."""
    ordered = hardest_first(results.assessment.conflicts)
    told = {one.project_id: one for one in results.assessment.projects}
    rows = [
        (
            f"{one.name}（{ELEMENT_KINDS[one.element_kind]}）",
            number(one.open_kva, 0),
            number(one.asked_kva, 0),
            _limits_at(one, told),
            str(len(one.served)),
            results.labels(one.served, count_max=_LABELS_MAX),
            str(len(one.refused)),
            results.labels(one.refused, count_max=_LABELS_MAX),
        )
        for one in ordered[:CONFLICTS_MAX]
    ]
    columns = (
        column("设备", 5.0),
        figures("尚可使用 kVA", 2.0),
        figures("竞争容量 kVA", 2.0),
        column("限制因素", 3.6),
        figures("已接入", 1.3),
        column("已接入的项目", 6.5),
        figures("不能足额", 1.5),
        column("不能足额接入的项目", 6.5),
    )
    note = "竞争容量为已接入部分与不能足额接入项目的供电容量之和。竞争容量小于尚可使用容量时，限制来自电压、"
    note += "间隔或设备下级，不是该设备的总容量。"
    return table(columns, rows, note=note + left_out(len(ordered), CONFLICTS_MAX, where=_WORKBOOK))


def years_table(results: Results) -> Section:
    """Return the elements that run out, the soonest first."""
    ordered = soonest_first(results.assessment.years)
    years = sorted({year for one in ordered for year, _ in one.load_by_year_kva})
    rows = []
    for one in ordered[:YEARS_MAX]:
        loads = dict(one.load_by_year_kva)
        rows.append(
            (
                f"{one.name}（{ELEMENT_KINDS[one.element_kind]}）",
                str(one.runs_out_in),
                number(one.limit_kva, 0),
                number(one.load_kva, 0),
                *(number(loads.get(year), 0) for year in years),
                str(len(one.project_ids)),
            )
        )
    columns = (
        column("设备", 6.0),
        centred("耗尽年份", 2.0),
        figures("允许负荷 kVA", 2.2),
        figures("现有负荷 kVA", 2.2),
        *(figures(f"{year}", 1.8) for year in years),
        figures("项目数", 1.4),
    )
    note = "各年负荷（kVA）为现有负荷（含在途）按情景增长，加上单独接入时由该设备供电的全部项目；"
    note += "为功率之和，不计新增网损。"
    return table(columns, rows, note=note + left_out(len(ordered), YEARS_MAX, where=_WORKBOOK))


def works_table(results: Results) -> Section:
    """Return the works to prepare, those that begin now first, then by the day on which they must begin."""
    ordered = sorted(
        enumerate(results.assessment.works),
        key=lambda pair: (
            not pair[1].is_triggered,
            pair[1].latest_start_on or "9999",
            -len(pair[1].project_ids),
            pair[0],
        ),
    )
    rows = [
        (
            "现在启动" if work.is_triggered else "暂不启动",
            "、".join(dict.fromkeys(TRIGGERS[trigger] for trigger in work.triggers)),
            work.latest_start_on,
            None if work.duration_workdays is None else str(work.duration_workdays),
            works_text(work.code),
            work.text,
            f"{number(work.quantity, 3)} {work.unit}",
            str(len(work.project_ids)),
            results.labels(work.project_ids, count_max=_LABELS_MAX),
        )
        for _, work in ordered[:WORKS_MAX]
    ]
    columns = (
        centred("启动", 2.0),
        column("判断", 3.2),
        centred("最迟启动日期", 2.4),
        figures("工期 工作日", 1.9),
        column("类别", 3.0),
        column("工程内容", 6.6),
        figures("数量", 1.9),
        figures("项目数", 1.2),
        column("服务的项目", 5.0),
    )
    note = "工期或客户用电日期未知的，没有最迟启动日期。服务多个项目的工程按其中最大的型号列出，"
    note += "是否同时满足全部项目，以“工程完成后”的情景再评估一次为准。"
    return table(columns, rows, note=note + left_out(len(ordered), WORKS_MAX, where=_WORKBOOK))


def materials_table(results: Results) -> Section:
    """Return materials with a column a quarter."""
    quarters = list(dict.fromkeys(one.quarter for one in results.assessment.quotas))
    amounts: dict[tuple[str, str, str, str], dict[str | None, tuple[float, float | None]]] = {}
    for one in results.assessment.quotas:
        key = (one.name, one.model, one.type_id, one.unit)
        amounts.setdefault(key, {})[one.quarter] = (one.quantity, one.expected_quantity)
    rows = []
    for (name, model, type_id, unit), by_quarter in sorted(amounts.items())[:MATERIALS_MAX]:
        expected = [pair[1] for pair in by_quarter.values()]
        known = [value for value in expected if value is not None]
        rows.append(
            (
                name,
                model or type_id,
                unit,
                *(number(by_quarter[q][0], 3) if q in by_quarter else None for q in quarters),
                number(sum(pair[0] for pair in by_quarter.values()), 3),
                number(sum(known), 3) if len(known) == len(expected) else None,
            )
        )
    columns = (
        column("物料", 4.4),
        column("型号", 5.2),
        centred("单位", 1.1),
        *(figures(quarter or "日期未知", 1.6) for quarter in quarters),
        figures("合计", 1.7),
        figures("折算", 1.7),
    )
    note = "仅供电企业采购部分，按队列接入结论中已有接入点的项目汇总，归入需用日期所在季度；“折算”为按落地可能性"
    note += "加权的数量，有项目可能性未知的不折算。配套工程的物料不在内。"
    return table(columns, rows, note=note + left_out(len(amounts), MATERIALS_MAX, where=_WORKBOOK), size_pt=7.0)


def projects_table(results: Results, places: GridPlaces) -> Section:
    """Return every project in the order of the queue."""
    works = {one.project_id: one for one in results.assessment.project_works}
    told = results.assessment.projects
    rows = [_project(one, works.get(one.project_id), results, places) for one in told[:PROJECTS_MAX]]
    columns: Sequence[ReportColumn] = (
        figures("次序", 1.0),
        column("项目编号", 3.4),
        column("项目名称", 4.2),
        figures("供电容量 kVA", 1.7),
        column("单独", 2.2),
        column("队列", 2.2),
        figures("现可接入 kVA", 1.7),
        column("接入点（馈线）", 4.4),
        figures("路径 m", 1.3),
        column("限制因素（设备）", 4.4),
        column("配套工程", 4.8),
        figures("估算 万元", 1.8),
        centred("最迟启动", 1.9),
    )
    if not works:
        columns, rows = columns[:_WITHOUT_WORKS], [row[:_WITHOUT_WORKS] for row in rows]
    return table(columns, rows, note=left_out(len(told), PROJECTS_MAX, where=_WORKBOOK), size_pt=_SMALL_PT)


def faults_table(results: Results) -> Section:
    """Return the rows of the planner's table that were not assessed."""
    wrong, findings = list_faulty_rows(results), faults_by_row(results.findings)
    rows = [
        (str(row_no), findings[row_no][0].element_id, fault_text(findings[row_no])) for row_no in wrong[:FAULTS_MAX]
    ]
    rows += [("—", one.element_id, fault_text([one])) for one in results.findings if one.row is None][
        : FAULTS_MAX - len(rows)
    ]
    columns = (figures("行", 1.0), column("项目编号", 4.0), column("问题", 16.0))
    total = len(wrong) + sum(one.row is None for one in results.findings)
    return table(columns, rows, note=left_out(total, FAULTS_MAX, where=_WORKBOOK))


def _project(
    one: ProjectResult, works: ProjectWorks | None, results: Results, places: GridPlaces
) -> Sequence[str | None]:
    answer, placed = one.queue, one.queue.placement
    point = None if placed is None else placed.point_name + (f"（{placed.feeder}）" if placed.feeder else "")
    limiter = answer.limiter if answer.verdict != "yes" else None
    limit = None
    if limiter is not None:
        element = limiting_element(limiter, results, places)
        limit = limit_text(limiter.kind) + (f"（{element}）" if element else "")
    elif answer.verdict == "not_assessable":
        limit = answer.reason
    planned = None
    if works is not None:
        planned = works_text(works.code) if works.is_complete else "转专业联动"
    return (
        str(one.queue_no),
        results.label(one.project_id),
        one.name,
        number(answer.asked_kva, 1),
        MARKS[one.alone.verdict],
        MARKS[answer.verdict],
        number(answer.now_kva, 1),
        point,
        None if placed is None else number(placed.route_length_m, 0),
        limit,
        planned,
        None if works is None else fixed(works.cost_cny10k, 2),
        None if works is None else works.latest_start_on,
    )


def _limits_at(conflict: Conflict, told: Mapping[str, ProjectResult]) -> str:
    """Return what refuses the projects at an element, the most frequent first."""
    kinds: dict[str, int] = {}
    for project_id in conflict.refused:
        limiter = told[project_id].queue.limiter
        if limiter is not None:
            kinds[limiter.kind] = kinds.get(limiter.kind, 0) + 1
    return "、".join(limit_text(kind) for kind in sorted(kinds, key=lambda kind: (-kinds[kind], kind)))
