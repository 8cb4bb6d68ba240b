"""Sheets of what the projects mean together: summary, conflicts, years, works, materials, faults, comparison."""

from __future__ import annotations

from scheme.assessment.comparison import compare
from scheme.assessment_files.grid_places import GridPlaces
from scheme.assessment_files.results import Results
from scheme.assessment_files.summary import hardest_first, soonest_first, summarize
from scheme.assessment_files.words import ELEMENT_KINDS, NOT_ADDITIVE, TRIGGERS, VERDICTS, works_text
from scheme.publication.spreadsheet import Cell, Sheet

_LABELS_MAX = 200
_KVA_DIGITS = 3


def list_sheets(results: Results, places: GridPlaces) -> tuple[Sheet, ...]:
    """Return the sheets in their order; faults and comparison only where there are any."""
    sheets = [
        _summary(results),
        _conflicts(results),
        _years(results),
        _works(results, places),
        _materials(results),
    ]
    if results.findings:
        sheets.append(_faults(results))
    if results.before is not None:
        sheets.append(_comparison(results))
    return tuple(sheets)


def _summary(results: Results) -> Sheet:
    found, assessed = summarize(results), results.assessment
    rows: list[tuple[Cell, ...]] = [
        ("情景", assessed.scenario, None),
        ("评估日期", assessed.as_of, None),
        ("规则集", assessed.profile, None),
        ("评估项目数", found.projects_count, None),
        ("未评估的行数", found.faulty_rows_count, None),
        ("互相影响的分组数", assessed.groups_count, None),
    ]
    for line in found.verdicts:
        name = VERDICTS[line.verdict]
        rows.append((f"单独：{name} 项目数", line.alone_count, None))
        rows.append((f"队列：{name} 项目数", line.queue_count, None))
        rows.append((f"队列：{name} 供电容量合计", round(line.asked_kva, _KVA_DIGITS), "kVA"))
    rows += [
        ("供电容量合计", round(found.asked_kva, _KVA_DIGITS), "kVA"),
        ("队列中现可接入合计", round(found.now_queue_kva, _KVA_DIGITS), "kVA"),
        ("单独可接入而在队列中不能足额接入的项目数", found.worse_count, None),
        ("存在冲突的设备数", found.conflicts_count, None),
        *((f"{year} 年耗尽的设备数", count, None) for year, count in found.run_out.items()),
        ("已找到配套工程的项目数", found.complete_works_count, None),
        ("未找到改造路径的项目数", found.without_way_count, None),
        ("应当现在启动的项目数", found.triggered_count, None),
        ("电网断面摘要", assessed.snapshot_sha256, None),
        ("规则摘要", assessed.policy_sha256, None),
        ("设备目录摘要", assessed.catalogue_sha256, None),
        ("说明", NOT_ADDITIVE, None),
    ]
    return Sheet(title="汇总", columns=("项目", "数值", "单位"), rows=tuple(rows))


def _conflicts(results: Results) -> Sheet:
    rows = tuple(
        (
            ELEMENT_KINDS[one.element_kind],
            one.name,
            one.element_id,
            one.open_kva,
            one.asked_kva,
            len(one.served),
            results.labels(one.served, count_max=_LABELS_MAX) or None,
            len(one.refused),
            results.labels(one.refused, count_max=_LABELS_MAX) or None,
        )
        for one in hardest_first(results.assessment.conflicts)
    )
    heads = ("设备类别", "设备", "设备编号", "尚可使用 kVA", "竞争容量 kVA", "已接入项目数", "已接入项目")
    return Sheet(title="冲突", columns=(*heads, "不能足额接入项目数", "不能足额接入项目"), rows=rows)


def _years(results: Results) -> Sheet:
    years = sorted({year for element in results.assessment.years for year, _ in element.load_by_year_kva})
    running_out = soonest_first(results.assessment.years)
    others = [element for element in results.assessment.years if element.runs_out_in is None]
    rows = []
    for element in (*running_out, *others):
        by_year = dict(element.load_by_year_kva)
        rows.append(
            (
                ELEMENT_KINDS[element.element_kind],
                element.name,
                element.element_id,
                None if element.runs_out_in is None else str(element.runs_out_in),
                element.limit_kva,
                element.load_kva,
                *(by_year.get(year) for year in years),
                len(element.project_ids),
                results.labels(element.project_ids, count_max=_LABELS_MAX) or None,
            )
        )
    heads = ("设备类别", "设备", "设备编号", "耗尽年份", "允许负荷 kVA", "现有负荷 kVA")
    columns = (*heads, *(f"{year} 年负荷 kVA" for year in years), "项目数", "项目")
    return Sheet(title="耗尽年份", columns=columns, rows=tuple(rows))


def _works(results: Results, places: GridPlaces) -> Sheet:
    rows = tuple(
        (
            works_text(work.code),
            work.text,
            "、".join(map(places.element_name, work.element_ids)) or None,
            work.quantity,
            work.unit,
            len(work.project_ids),
            results.labels(work.project_ids, count_max=_LABELS_MAX),
            "是" if work.is_shared else "否",
            work.duration_workdays,
            work.latest_start_on,
            "是" if work.is_triggered else "否",
            "、".join(dict.fromkeys(TRIGGERS[trigger] for trigger in work.triggers)),
        )
        for work in results.assessment.works
    )
    heads = ("类别", "工程内容", "涉及设备", "数量", "单位", "服务项目数", "服务项目", "多项目合用")
    return Sheet(title="配套工程", columns=(*heads, "工期 工作日", "最迟启动日期", "现在启动", "启动判断"), rows=rows)


def _materials(results: Results) -> Sheet:
    rows = tuple(
        (
            one.quarter or "需用日期未知",
            one.name,
            one.model or None,
            one.type_id,
            one.unit,
            one.quantity,
            one.expected_quantity,
            len(one.project_ids),
        )
        for one in results.assessment.quotas
    )
    columns = ("季度", "物料", "型号", "物料编号", "单位", "数量", "按落地可能性折算数量", "项目数")
    return Sheet(title="物料季度需求", columns=columns, rows=rows)


def _faults(results: Results) -> Sheet:
    rows = tuple(
        (one.row, one.element_id, one.column, one.value, one.code, one.expected, one.consequence)
        for one in results.findings
    )
    return Sheet(title="数据问题", columns=("行", "项目编号", "列", "值", "问题", "应为", "后果"), rows=rows)


def _comparison(results: Results) -> Sheet:
    assert results.before is not None
    found = compare(results.before, results.assessment)
    rows: list[tuple[Cell, ...]] = [
        ("现可接入合计 kVA", None, found.served_before_kva, found.served_after_kva),
        *(
            (f"{VERDICTS[name]} 项目数", None, before, after)
            for (name, before), (_, after) in zip(found.verdicts_before, found.verdicts_after, strict=True)
        ),
    ]
    for one in found.projects:
        before = None if one.verdict_before is None else VERDICTS[one.verdict_before]
        after = None if one.verdict_after is None else VERDICTS[one.verdict_after]
        rows.append(("项目结论", results.label(one.project_id), before or "不在此情景", after or "不在此情景"))
        rows.append(("项目现可接入 kVA", results.label(one.project_id), one.now_before_kva, one.now_after_kva))
    rows += [
        ("设备耗尽年份", year.element_id, _year(year.runs_out_before), _year(year.runs_out_after))
        for year in found.years
    ]
    rows += [("冲突消除", element_id, ELEMENT_KINDS[kind], None) for kind, element_id in found.conflicts_gone]
    rows += [("冲突新增", element_id, None, ELEMENT_KINDS[kind]) for kind, element_id in found.conflicts_new]
    return Sheet(
        title="情景对比", columns=("内容", "对象", f"前：{found.before}", f"后：{found.after}"), rows=tuple(rows)
    )


def _year(year: int | None) -> str:
    return "未耗尽" if year is None else str(year)
